//! Asks one health endpoint: one GET of its URL. Any status is an answer as long as it says something of its health; 503 is how most say
//! that they are down.

mod checks;
mod decode;
mod leaves;
mod measures;
mod spans;
mod veil;

use super::http::Http;
use super::{Source, json, knock};
use crate::config::target::{HealthConnect, HttpConnect};
use crate::core::doctor::{Check, Report};
use crate::core::focus::Focus;
use crate::core::health::{HealthReading, Standing};
use crate::core::reading::Reading;
use crate::core::report::PollError;
use crate::core::time::Now;
use futures_util::future::BoxFuture;
use reqwest::header::{ACCEPT, AGE};
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use veil::Veil;

/// A document is read to this size: what is larger is none about health.
const BODY_BYTES: usize = 2 * 1024 * 1024;
/// And a text that is no document to this one.
const PLAIN_BYTES: usize = 64 * 1024;
/// What we can read.
const FORMATS: &str = "application/health+json, application/json;q=0.9, text/plain;q=0.5, */*;q=0.1";
/// So deep a document is read.
const PATHS: &[&str] = &["*/*/*/*/*/*/*/*"];

/// Asks one endpoint.
#[derive(Debug)]
pub struct HealthSource {
    connect: HttpConnect,
    veil: Veil,
    http: Option<Http>,
    answered: Option<Instant>,
}

impl HealthSource {
    /// A source for this endpoint; nothing is connected yet.
    #[must_use]
    pub fn new(connect: HealthConnect) -> Self {
        let veil = Veil::new(&connect.masks);
        Self { connect: connect.http, veil, http: None, answered: None }
    }

    async fn read(&mut self, now: Now) -> Result<HealthReading, PollError> {
        let http = match self.http.take() {
            Some(http) => http,
            None => Http::open(&self.connect).await?.up_to(BODY_BYTES),
        };
        let begun = Instant::now();
        let answer = http.get("", &[(ACCEPT, FORMATS)]).await;
        let took = begun.elapsed();
        self.answered = Some(Instant::now());
        let refusal = answer.as_ref().ok().and_then(|answer| http.refusal(answer));
        let refusal = refusal.map(|error| PollError { message: self.veil.line(&error.message), ..error });
        self.http = Some(http);
        let answer = answer?;
        let (status, told) = (answer.status.as_u16(), self.veil.line(&answer.told()));
        let body = readable(&answer.body);
        let veil = self.veil.clone();
        let value = json::read_and(&body, PATHS, move |value| veil.over(value)).await;
        let about = decode::about(&self.connect.url);
        let at = answer.date().unwrap_or(now.wall);
        let mut reading = match (value.and_then(|value| decode::document(&value, about, at)), refusal) {
            // A wrong path or a login answers with a document, too.
            (Some(_), Some(refusal)) if matches!(status, 401 | 403 | 404 | 405 | 407) => return Err(refusal),
            (Some(reading), _) => reading,
            // A wrong path, a login, a proxy: that is no application that tells of its health.
            (None, Some(refusal)) if status < 500 => return Err(refusal),
            (None, _) => {
                let plain = &body[..body.len().min(PLAIN_BYTES)];
                let text = self.veil.line(&String::from_utf8_lossy(json::unmarked(plain)));
                decode::plain(&text, told)
            }
        };
        let stored = answer.headers.get(AGE).and_then(|age| age.to_str().ok()?.parse().ok());
        reading.age = reading.age.max(stored.map(Duration::from_secs));
        Ok(HealthReading { status, took, ..reading })
    }

    /// What of it can be read with the rights that there are.
    ///
    /// # Errors
    /// When it cannot be read at all.
    pub async fn examine(mut self, now: Now) -> Result<Report, PollError> {
        let reading = self.read(now).await?;
        let mut report = Report::answers([]);
        if reading.standing() == Standing::Unknown {
            let found = "it answers, and says nothing of its health that is known here";
            report.checks.push(Check::unknown("health", found));
        }
        Ok(report)
    }
}

/// The same as UTF-8: words and names of fields are, whatever one in a message is written in.
fn readable(body: &Arc<Vec<u8>>) -> Arc<Vec<u8>> {
    match String::from_utf8_lossy(body) {
        Cow::Borrowed(_) => Arc::clone(body),
        Cow::Owned(text) => Arc::new(text.into_bytes()),
    }
}

impl Source for HealthSource {
    fn poll<'a>(&'a mut self, now: Now, _focus: &'a [Focus]) -> BoxFuture<'a, Result<Reading, PollError>> {
        Box::pin(async move { self.read(now).await.map(|reading| Reading::Health(Box::new(reading))) })
    }

    fn answered(&self) -> Option<Instant> {
        self.answered
    }

    fn knock(&self) -> Option<BoxFuture<'static, bool>> {
        knock::http(&self.connect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &[u8], expected: &str) {
        let body = readable(&Arc::new(body.to_vec()));
        let value = json::read(&body, PATHS).map(|value| value.to_string());
        assert_eq!(value.as_deref(), Some(expected));
    }

    #[test]
    fn a_document_is_read_in_whatever_letters_it_is_written() {
        check(b"{\"status\": \"UP\"}", r#"{"status":"UP"}"#);
        check(b"\xef\xbb\xbf{\"status\": \"UP\"}", r#"{"status":"UP"}"#);
        check(b"{\"error\": \"geschlo\xdfen\"}", "{\"error\":\"geschlo\u{fffd}en\"}");
    }
}
