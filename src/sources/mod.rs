//! How to ask each system, and nothing else. A source does not know when it is asked or who looks at the answer.

pub mod beside;
pub mod bulkhead;
pub mod dial;
pub mod http;
pub mod json;
mod knock;
pub mod metered;
pub mod metrics;
pub mod owned;
pub mod postgres;
pub mod prometheus;
pub mod redis;
pub mod search;
pub mod secret;
pub mod source;
pub mod tls;

pub use source::Source;

use crate::config::target::{Connect, TargetConfig};
use crate::core::doctor::{Check, Report};
use crate::core::focus::Focus;
use crate::core::reading::Reading;
use crate::core::report::{PollError, PollErrorKind};
use crate::core::text::counted;
use crate::core::time::Now;
use futures_util::future::BoxFuture;

/// A target that cannot be used: every poll says why.
struct Unusable(String);

impl Source for Unusable {
    fn poll<'a>(&'a mut self, _now: Now, _focus: &'a [Focus]) -> BoxFuture<'a, Result<Reading, PollError>> {
        let error = PollError::new(PollErrorKind::Configuration, self.0.clone());
        Box::pin(async {
            Err(error.remedy("mend it and start stacktop again; the other targets are watched"))
        })
    }
}

/// What can be seen and done on a target with the rights that there are. Nothing is changed there.
///
/// # Errors
/// When it cannot be connected to.
pub async fn examine(target: &TargetConfig, now: Now) -> Result<Report, PollError> {
    match &target.connect {
        Connect::Postgres(connect) => postgres::doctor::examine(connect, now).await,
        Connect::Redis(connect) => redis::doctor::examine(connect).await,
        Connect::Search(_) | Connect::Prometheus(_) | Connect::Metrics(_) | Connect::Unusable { .. } => {
            let reading = open(target).poll(now, &[]).await?;
            let mut checks = vec![Check::fine("connection", "it answers")];
            checks.extend(reading.gaps().into_iter().map(|(part, gap)| Check::gap(part, gap)));
            checks.extend(read_beside(&reading));
            Ok(Report { checks, setup: Vec::new() })
        }
    }
}

/// What of a reading is no part of its own and can be amiss all the same.
fn read_beside(reading: &Reading) -> Vec<Check> {
    match reading {
        Reading::Prometheus(reading) => reading
            .panels
            .iter()
            .filter_map(|panel| Check::part(&format!("panel {}", panel.title), &panel.series))
            .collect(),
        Reading::Metrics(reading) if reading.bad_total > 0 => {
            let lines = counted(reading.bad_total, "line");
            let found = format!("{lines} of the exposition cannot be read");
            vec![Check::unknown("samples", found)]
        }
        Reading::Metrics(reading) if reading.truncated => {
            vec![Check::unknown("samples", "there are more than are kept")]
        }
        Reading::Metrics(_) | Reading::Postgres(_) | Reading::Redis(_) | Reading::Search(_) => Vec::new(),
    }
}

/// The source for a target.
#[must_use]
pub fn open(target: &TargetConfig) -> Box<dyn Source> {
    match &target.connect {
        Connect::Postgres(connect) => Box::new(postgres::PostgresSource::new(connect.clone())),
        Connect::Redis(connect) => Box::new(redis::RedisSource::new(connect.clone())),
        Connect::Search(connect) => Box::new(search::SearchSource::new(connect.clone(), target.timeout)),
        Connect::Prometheus(connect) => Box::new(prometheus::PrometheusSource::new(connect.clone())),
        Connect::Metrics(connect) => Box::new(metrics::MetricsSource::new(connect.clone())),
        Connect::Unusable { why, .. } => Box::new(Unusable(why.clone())),
    }
}
