//! Asks a Redis target.

use super::Source;
use crate::config::target::RedisConnect;
use crate::core::focus::Focus;
use crate::core::reading::Reading;
use crate::core::report::PollError;
use crate::core::time::Now;
use futures_util::future::BoxFuture;

/// Reads one Redis target.
#[derive(Debug)]
pub struct RedisSource {
    connect: RedisConnect,
}

impl RedisSource {
    /// A source for this target; nothing is connected yet.
    #[must_use]
    pub const fn new(connect: RedisConnect) -> Self {
        Self { connect }
    }
}

impl Source for RedisSource {
    fn poll<'a>(&'a mut self, _now: Now, _focus: &'a [Focus]) -> BoxFuture<'a, Result<Reading, PollError>> {
        Box::pin(async move {
            let _ = &self.connect;
            Ok(Reading::Redis(Box::default()))
        })
    }
}
