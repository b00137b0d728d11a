//! Asks a Metrics target.

use super::Source;
use crate::config::target::HttpConnect;
use crate::core::focus::Focus;
use crate::core::reading::Reading;
use crate::core::report::PollError;
use crate::core::time::Now;
use futures_util::future::BoxFuture;

/// Reads one Metrics target.
#[derive(Debug)]
pub struct MetricsSource {
    connect: HttpConnect,
}

impl MetricsSource {
    /// A source for this target; nothing is connected yet.
    #[must_use]
    pub const fn new(connect: HttpConnect) -> Self {
        Self { connect }
    }
}

impl Source for MetricsSource {
    fn poll<'a>(&'a mut self, _now: Now, _focus: &'a [Focus]) -> BoxFuture<'a, Result<Reading, PollError>> {
        Box::pin(async move {
            let _ = &self.connect;
            Ok(Reading::Metrics(Box::default()))
        })
    }
}
