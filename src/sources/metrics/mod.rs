//! Scrapes one `/metrics` endpoint.

pub mod scan;

use super::http::Http;
use super::{Source, look};
use crate::config::target::HttpConnect;
use crate::core::focus::Focus;
use crate::core::metrics::{MetricSample, MetricsReading};
use crate::core::reading::Reading;
use crate::core::report::{PollError, PollErrorKind};
use crate::core::time::Now;
use futures_util::future::BoxFuture;
use reqwest::header::ACCEPT;

/// Samples beyond this are not kept: a screen cannot show them, and memory must stay bounded.
const MAX_SAMPLES: usize = 50_000;
/// What we can read, the plain format first.
const FORMATS: &str = "text/plain;version=0.0.4;q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,*/*;q=0.1";

/// Scrapes one endpoint.
#[derive(Debug)]
pub struct MetricsSource {
    connect: HttpConnect,
    http: Option<Http>,
}

impl MetricsSource {
    /// A source for this endpoint; nothing is connected yet.
    #[must_use]
    pub const fn new(connect: HttpConnect) -> Self {
        Self { connect, http: None }
    }

    async fn read(&mut self) -> Result<MetricsReading, PollError> {
        let http = match self.http.take() {
            Some(http) => http,
            None => Http::open(&self.connect).await?,
        };
        let answer = http.get("", &[(ACCEPT, FORMATS)]).await;
        let shown = http.shown().to_owned();
        let refusal = answer.as_ref().ok().and_then(|answer| http.refusal(answer));
        self.http = Some(http);
        let answer = answer?;
        if let Some(refusal) = refusal {
            return Err(refusal);
        }
        let reading = tokio::task::spawn_blocking(move || decode(&answer.body))
            .await
            .map_err(|_| PollError::new(PollErrorKind::Internal, "scanning the exposition failed"))?;
        if reading.samples.is_empty() || reading.bad_total > reading.samples.len() {
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
}

/// From a body to a reading.
fn decode(body: &[u8]) -> MetricsReading {
    let text = String::from_utf8_lossy(body);
    let scanned = scan::scan(&text);
    let samples = scanned
        .samples
        .iter()
        .take(MAX_SAMPLES)
        .map(|sample| MetricSample {
            name: scanned.name_of(sample).into_owned(),
            labels: scanned
                .labels_of(sample)
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect(),
            value: sample.value,
        })
        .collect();
    MetricsReading {
        samples,
        kinds: scanned.kinds.iter().map(|(name, kind)| (name.clone().into_owned(), *kind)).collect(),
        bad: scanned.bad.iter().map(|(line, why)| (*line, (*why).to_owned())).collect(),
        bad_total: scanned.bad_total,
        bytes: body.len(),
        truncated: scanned.samples.len() > MAX_SAMPLES,
    }
}

impl Source for MetricsSource {
    fn poll<'a>(&'a mut self, _now: Now, _focus: &'a [Focus]) -> BoxFuture<'a, Result<Reading, PollError>> {
        Box::pin(async move { self.read().await.map(|reading| Reading::Metrics(Box::new(reading))) })
    }

    fn look(&self) -> Option<BoxFuture<'static, bool>> {
        look::http(&self.connect)
    }
}
