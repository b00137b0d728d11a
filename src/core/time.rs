//! Time as a value. `core` never reads a clock: `now` is always an argument.

use chrono::{DateTime, Utc};
use std::time::Duration;

/// One moment, on the monotonic clock of this process and on the wall.
///
/// Elapsed time is always taken from `mono` (a wall clock can jump); `wall` is for people and for files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Now {
    /// Time since this process started.
    pub mono: Duration,
    /// The same moment in UTC.
    pub wall: DateTime<Utc>,
}

impl Now {
    /// Time that passed since `earlier`; zero if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        self.mono.saturating_sub(earlier.mono)
    }

    /// The moment `by` later, on both clocks.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self { mono: self.mono + by, wall: self.wall + chrono::Duration::from_std(by).unwrap_or_default() }
    }

    /// The moment `by` earlier, on both clocks (not before the start of the process on the monotonic one).
    #[must_use]
    pub fn minus(self, by: Duration) -> Self {
        Self {
            mono: self.mono.saturating_sub(by),
            wall: self.wall - chrono::Duration::from_std(by).unwrap_or_default(),
        }
    }

    /// A made-up moment `seconds` after a fixed start: for tests, benchmarks and drills.
    #[must_use]
    pub fn example(seconds: u64) -> Self {
        let start = DateTime::from_timestamp(1_790_000_000, 0).unwrap_or_default();
        Self { mono: Duration::ZERO, wall: start }.plus(Duration::from_secs(seconds))
    }
}

/// Something that can tell the time; the real one lives in `runtime`, drills and tests have their own.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Now;
}
