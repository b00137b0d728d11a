//! Scrapes one `/metrics` endpoint.

mod decode;
pub mod scan;
mod template;

use super::http::Http;
use super::{Source, bulkhead, knock};
use crate::config::target::HttpConnect;
use crate::core::doctor::{Check, Report};
use crate::core::focus::Focus;
use crate::core::metrics::MetricsReading;
use crate::core::reading::Reading;
use crate::core::report::{PollError, PollErrorKind};
use crate::core::text::counted;
use crate::core::time::Now;
use decode::decode;
use futures_util::future::BoxFuture;
use reqwest::header::ACCEPT;
use template::Templates;
use tokio::time::Instant;

/// An exposition is read to this size: that of a large cluster's objects (kube-state-metrics) is 60 MB.
const BODY_BYTES: usize = 128 * 1024 * 1024;
/// What we can read, the plain format first.
const FORMATS: &str = "text/plain;version=0.0.4;q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,*/*;q=0.1";

/// Scrapes one endpoint.
#[derive(Debug)]
pub struct MetricsSource {
    connect: HttpConnect,
    http: Option<Http>,
    answered: Option<Instant>,
    templates: Templates,
}

impl MetricsSource {
    /// A source for this endpoint; nothing is connected yet.
    #[must_use]
    pub fn new(connect: HttpConnect) -> Self {
        Self { connect, http: None, answered: None, templates: Templates::default() }
    }

    async fn read(&mut self) -> Result<MetricsReading, PollError> {
        let http = match self.http.take() {
            Some(http) => http,
            None => Http::open(&self.connect).await?.up_to(BODY_BYTES),
        };
        let answer = http.get("", &[(ACCEPT, FORMATS)]).await;
        self.answered = Some(Instant::now());
        let shown = http.shown().to_owned();
        let refusal = answer.as_ref().ok().and_then(|answer| http.refusal(answer));
        self.http = Some(http);
        let answer = answer?;
        if let Some(refusal) = refusal {
            return Err(refusal);
        }
        let mut templates = std::mem::take(&mut self.templates);
        let decoded =
            bulkhead::body(&answer.body, move |body| (decode(body, &mut templates), templates)).await;
        let failed = || PollError::new(PollErrorKind::Internal, "scanning the exposition failed");
        let (reading, templates) = decoded.ok_or_else(failed)?;
        self.templates = templates;
        // Where families are declared it is one, however many of its lines (of native histograms) cannot be read.
        let declares = reading.layout.declares();
        let native = reading.bad_total > 0 && reading.bad.iter().all(|(_, why)| why == scan::NATIVE);
        let empty = reading.is_empty() && !(declares && native);
        if empty || (reading.bad_total > reading.len() && !declares) {
            let why = reading.bad.first().map_or_else(
                || "it holds no sample".to_owned(),
                |(line, why)| {
                    format!("{} lines cannot be read, the first is line {line}: {why}", reading.bad_total)
                },
            );
            return Err(PollError::new(
                PollErrorKind::WrongServer,
                format!("what {shown} answers is no exposition: {why}"),
            )
            .remedy("check the path of the URL (often /metrics)"));
        }
        Ok(reading)
    }

    /// What of it can be read with the rights that there are.
    ///
    /// # Errors
    /// When it cannot be read at all.
    pub async fn examine(mut self) -> Result<Report, PollError> {
        let reading = self.read().await?;
        let mut report = Report::answers([]);
        if reading.bad_total > 0 {
            let lines = counted(reading.bad_total, "line");
            let found = format!("{lines} of the exposition cannot be read");
            report.checks.push(Check::unknown("samples", found));
        } else if reading.truncated {
            report.checks.push(Check::unknown("samples", "there are more than are kept"));
        }
        Ok(report)
    }
}

impl Source for MetricsSource {
    fn poll<'a>(&'a mut self, _now: Now, _focus: &'a [Focus]) -> BoxFuture<'a, Result<Reading, PollError>> {
        Box::pin(async move { self.read().await.map(|reading| Reading::Metrics(Box::new(reading))) })
    }

    fn answered(&self) -> Option<Instant> {
        self.answered
    }

    fn knock(&self) -> Option<BoxFuture<'static, bool>> {
        knock::http(&self.connect)
    }
}
