//! Asks a Prometheus server's HTTP interface: targets, rules, configured PromQL.

mod decode;

use super::http::{Answer, Http};
use super::json;
use super::{Source, look};
use crate::config::target::PrometheusConnect;
use crate::core::focus::Focus;
use crate::core::part::{Gap, GapKind, Part};
use crate::core::prometheus::{PanelReading, PrometheusReading};
use crate::core::reading::Reading;
use crate::core::report::{PollError, PollErrorKind};
use crate::core::time::Now;
use futures_util::future::{BoxFuture, join_all};
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::Value;

/// Asks one Prometheus server.
#[derive(Debug)]
pub struct PrometheusSource {
    connect: PrometheusConnect,
    http: Option<Http>,
    version: Part<String>,
}

impl PrometheusSource {
    /// A source for this server; nothing is connected yet.
    #[must_use]
    pub const fn new(connect: PrometheusConnect) -> Self {
        Self { connect, http: None, version: Part::NotAsked }
    }

    async fn read(&mut self, now: Now) -> Result<PrometheusReading, PollError> {
        let http = match self.http.take() {
            Some(http) => http,
            None => Http::open(&self.connect.http).await?,
        };
        let result = self.ask(&http, now).await;
        self.http = Some(http);
        result
    }

    async fn ask(&mut self, http: &Http, now: Now) -> Result<PrometheusReading, PollError> {
        if self.version.ready().is_none() {
            // Older servers and look-alikes (Mimir, Thanos) may not have it.
            self.version = part(
                http,
                &http.get("/api/v1/status/buildinfo", &[]).await?,
                decode::VERSION,
                decode::version,
            );
        }
        let targets = http.get("/api/v1/targets?state=active", &[]).await?;
        if let Some(error) = wrong_server(http, &targets) {
            return Err(error);
        }
        let targets = part(http, &targets, decode::TARGETS, decode::targets);
        let rules = http.get("/api/v1/rules", &[]).await?;
        // Since when an alert is active is told by the server's clock.
        let at = rules.date().unwrap_or(now.wall);
        let rules = part(http, &rules, decode::RULES, |data| decode::rules(data, at));
        let panels = join_all(self.connect.queries.iter().map(|query| async {
            let body = format!("query={}", encoded(&query.expr));
            let headers = [(CONTENT_TYPE, "application/x-www-form-urlencoded")];
            let series = match http.send(Method::POST, "/api/v1/query", &headers, Some(body)).await {
                Ok(answer) => part(http, &answer, decode::VECTOR, decode::vector),
                Err(error) => Part::Unavailable(Gap::new(GapKind::Failed, error.message)),
            };
            PanelReading {
                title: query.title.clone(),
                unit: query.unit.clone(),
                warning: query.warning,
                critical: query.critical,
                series,
            }
        }))
        .await;
        Ok(PrometheusReading { version: self.version.clone(), targets, rules, panels })
    }
}

/// Refused credentials, and servers of another kind, are errors of the whole poll.
fn wrong_server(http: &Http, answer: &Answer) -> Option<PollError> {
    let refusal = http.refusal(answer);
    if refusal.as_ref().is_some_and(|error| error.kind == PollErrorKind::Credentials) {
        return refusal;
    }
    if envelope(&answer.body, &[]).is_some() {
        return None;
    }
    refusal.or_else(|| {
        Some(
            PollError::new(
                PollErrorKind::WrongServer,
                format!("{} answers, but not as Prometheus does", http.shown()),
            )
            .remedy("check the port, and the path prefix of the URL"),
        )
    })
}

/// The JSON envelope that every answer of the interface has.
fn envelope(body: &[u8], paths: &[&'static str]) -> Option<Value> {
    let value = json::read(body, &[&["status", "error"], paths].concat())?;
    value.get("status")?.as_str()?;
    Some(value)
}

/// One part from its answer; a refusal costs this part only.
fn part<T>(
    http: &Http,
    answer: &Answer,
    paths: &[&'static str],
    decode: impl FnOnce(&Value) -> Option<T>,
) -> Part<T> {
    let Some(value) = envelope(&answer.body, paths) else {
        let note = http.refusal(answer).map_or_else(
            || format!("{} gave an answer that is not understood", http.shown()),
            |error| error.message,
        );
        let kind = if answer.status == 404 { GapKind::NotSupported } else { GapKind::Failed };
        return Part::Unavailable(Gap::new(kind, note));
    };
    if value.get("status").and_then(Value::as_str) != Some("success") {
        let error = value.get("error").and_then(Value::as_str).unwrap_or("no reason given");
        return Part::Unavailable(Gap::new(GapKind::Failed, format!("Prometheus says: {error}")));
    }
    match value.get("data").and_then(decode) {
        Some(read) => Part::Ready(read),
        None => Part::Unavailable(Gap::new(GapKind::Failed, "the answer has not the expected shape")),
    }
}

/// Percent-encoding for a form (RFC 3986 unreserved characters stay).
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

impl Source for PrometheusSource {
    fn poll<'a>(&'a mut self, now: Now, _focus: &'a [Focus]) -> BoxFuture<'a, Result<Reading, PollError>> {
        Box::pin(async move { self.read(now).await.map(|reading| Reading::Prometheus(Box::new(reading))) })
    }

    fn look(&self) -> Option<BoxFuture<'static, bool>> {
        look::http(&self.connect.http)
    }
}
