//! Scrapes one `/metrics` endpoint.

pub mod scan;

use super::http::Http;
use super::{Source, look};
use crate::config::target::HttpConnect;
use crate::core::focus::Focus;
use crate::core::metrics::{MetricSample, MetricsReading, is_judged};
use crate::core::reading::Reading;
use crate::core::report::{PollError, PollErrorKind};
use crate::core::time::Now;
use futures_util::future::BoxFuture;
use reqwest::header::ACCEPT;
use std::collections::HashMap;
use std::collections::hash_map::{Entry, RandomState};
use std::hash::BuildHasher;
use tokio::time::Instant;

/// Samples beyond this are not kept: a screen cannot show them, and memory must stay bounded.
const MAX_SAMPLES: usize = 100_000;
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
}

impl MetricsSource {
    /// A source for this endpoint; nothing is connected yet.
    #[must_use]
    pub const fn new(connect: HttpConnect) -> Self {
        Self { connect, http: None, answered: None }
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
        let mut reading = tokio::task::spawn_blocking(move || decode(&answer.body))
            .await
            .map_err(|_| PollError::new(PollErrorKind::Internal, "scanning the exposition failed"))?;
        reading.requests.clone_from(&self.connect.requests);
        // Where families are declared it is one, however many of its lines (of native histograms) cannot be read.
        let declares = !reading.kinds.is_empty();
        let native = reading.bad_total > 0 && reading.bad.iter().all(|(_, why)| why == scan::NATIVE);
        let empty = reading.samples.is_empty() && !(declares && native);
        if empty || (reading.bad_total > reading.samples.len() && !declares) {
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
    let lasting = last_points(&scanned);
    let truncated = lasting.len() > MAX_SAMPLES;
    // What is judged is kept whatever else is there.
    let mut chosen: Vec<&scan::Sample> = lasting;
    if truncated {
        let (mut judged, others): (Vec<_>, Vec<_>) =
            chosen.into_iter().partition(|sample| is_judged(&scanned.name_of(sample)));
        judged.extend(others);
        judged.truncate(MAX_SAMPLES);
        chosen = judged;
    }
    let samples = chosen
        .into_iter()
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
        truncated,
        requests: None,
    }
}

/// The samples without those that are repeated later on (the same name and labels): the last point of a series is its value.
fn last_points<'a>(scanned: &'a scan::Exposition<'_>) -> Vec<&'a scan::Sample> {
    let key = |sample: &scan::Sample| {
        let mut labels: Vec<_> = scanned.labels_of(sample).collect();
        labels.sort();
        (scanned.name_of(sample), labels)
    };
    let hashes = RandomState::new();
    let mut places: HashMap<u64, usize> = HashMap::with_capacity(scanned.samples.len());
    let mut kept: Vec<&scan::Sample> = Vec::with_capacity(scanned.samples.len());
    for sample in &scanned.samples {
        let own = key(sample);
        match places.entry(hashes.hash_one(&own)) {
            Entry::Occupied(place) if key(kept[*place.get()]) == own => kept[*place.get()] = sample,
            Entry::Occupied(_) => kept.push(sample),
            Entry::Vacant(place) => {
                place.insert(kept.len());
                kept.push(sample);
            }
        }
    }
    kept
}

impl Source for MetricsSource {
    fn poll<'a>(&'a mut self, _now: Now, _focus: &'a [Focus]) -> BoxFuture<'a, Result<Reading, PollError>> {
        Box::pin(async move { self.read().await.map(|reading| Reading::Metrics(Box::new(reading))) })
    }

    fn answered(&self) -> Option<Instant> {
        self.answered
    }

    fn look(&self) -> Option<BoxFuture<'static, bool>> {
        look::http(&self.connect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_point_is_its_series_last_value() {
        let read = decode(b"a{x=\"1\",y=\"2\"} 1 1000\nb 7\na{y=\"2\",x=\"1\"} 3 2000\n");
        let told: Vec<_> = read.samples.iter().map(|sample| (sample.name.as_str(), sample.value)).collect();
        assert_eq!(told, [("a", 3.0), ("b", 7.0)]);
    }
}
