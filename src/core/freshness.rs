//! How old data may be before it must not be believed. Ages come from the clock, so they go on while a poller hangs.

use super::time::Now;
use std::time::Duration;

/// A source without data for this long is lost, however long its interval is… at least.
pub const LOST_FLOOR: Duration = Duration::from_secs(30);

/// How far the newest data of a target can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// No answer yet, and not yet overdue.
    Waiting,
    /// Newer than twice the interval.
    Fresh(Duration),
    /// Older than twice the interval.
    Late(Duration),
    /// Older than four intervals and than [`LOST_FLOOR`], or the source says that it cannot be reached.
    Lost(Duration),
}

impl Freshness {
    /// The freshness at `now` of data read at `seen`, polled each `interval`; `started` is when the target was first asked,
    /// `failing` whether the last poll failed.
    #[must_use]
    pub fn of(seen: Option<Now>, started: Now, interval: Duration, failing: bool, now: Now) -> Self {
        let age = now.since(seen.unwrap_or(started));
        let lost_after = LOST_FLOOR.max(interval * 4);
        if age > lost_after || (seen.is_none() && failing) {
            Self::Lost(age)
        } else if seen.is_none() && age <= interval * 2 {
            Self::Waiting
        } else if age > interval * 2 {
            Self::Late(age)
        } else {
            Self::Fresh(age)
        }
    }

    /// The age of the newest data (or of the wait for the first).
    #[must_use]
    pub const fn age(self) -> Duration {
        match self {
            Self::Waiting => Duration::ZERO,
            Self::Fresh(age) | Self::Late(age) | Self::Lost(age) => age,
        }
    }

    /// Whether numbers of this age may be shown as the present.
    #[must_use]
    pub const fn is_lost(self) -> bool {
        matches!(self, Self::Lost(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(seen: Option<u64>, now: u64, failing: bool, expected: &str) {
        let freshness = Freshness::of(
            seen.map(Now::example),
            Now::example(0),
            Duration::from_secs(2),
            failing,
            Now::example(now),
        );
        assert_eq!(format!("{freshness:?}"), expected);
    }

    #[test]
    fn marks_by_the_clock() {
        check(None, 1, false, "Waiting");
        check(None, 1, true, "Lost(1s)");
        check(Some(10), 11, false, "Fresh(1s)");
        check(Some(10), 15, false, "Late(5s)");
        check(Some(10), 40, true, "Late(30s)");
        check(Some(10), 41, true, "Lost(31s)");
        check(None, 5, false, "Late(5s)");
    }
}
