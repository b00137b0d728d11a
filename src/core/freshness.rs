//! How old data may be before it must not be believed. Ages come from the clock, so they go on while a poller hangs.

use super::time::Now;
use std::time::Duration;

/// A source without data for this long is lost, however long its interval is… at least.
pub const LOST_FLOOR: Duration = Duration::from_secs(30);

/// An answer may come this much later than it was expected before it is overdue: never more, however seldom a target is asked.
const GRACE_MOST: Duration = Duration::from_secs(2);

/// How far the newest data of a target can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// No answer yet, and not yet overdue.
    Waiting,
    /// The last poll brought data, and the next one is not overdue.
    Fresh(Duration),
    /// The last poll failed, or an answer is overdue.
    Late(Duration),
    /// So for longer than four intervals and than [`LOST_FLOOR`], or there never was an answer and it cannot be had.
    Lost(Duration),
}

/// What is known of the polls of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Polls {
    /// When it was first asked.
    pub started: Now,
    /// When it last gave data.
    pub seen: Option<Now>,
    /// The interval it was configured with: our own throttling loosens nothing.
    pub configured: Duration,
    /// When the next answer should be there: the planned start of the next poll and what a poll usually takes.
    pub expected: Option<Now>,
    /// The last poll failed.
    pub failing: bool,
}

impl Freshness {
    /// The freshness at `now` of what these polls brought. An answer is overdue one configured interval, and at most
    /// [`GRACE_MOST`], after it was expected.
    #[must_use]
    pub fn of(polls: &Polls, now: Now) -> Self {
        let age = now.since(polls.seen.unwrap_or(polls.started));
        let grace = polls.configured.min(GRACE_MOST);
        let due = polls.expected.unwrap_or_else(|| polls.started.plus(polls.configured)).plus(grace);
        let silent = polls.failing || now.mono > due.mono;
        let lost_after = LOST_FLOOR.max(polls.configured.saturating_mul(4));
        if silent && (age > lost_after || (polls.seen.is_none() && polls.failing)) {
            Self::Lost(age)
        } else if silent {
            Self::Late(age)
        } else if polls.seen.is_none() {
            Self::Waiting
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

    /// Whether newer numbers should have come: those that are there are drawn as old.
    #[must_use]
    pub const fn is_old(self) -> bool {
        matches!(self, Self::Late(_) | Self::Lost(_))
    }

    /// Whether numbers are too old to act on.
    #[must_use]
    pub const fn is_lost(self) -> bool {
        matches!(self, Self::Lost(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A target that is asked each two seconds and takes half of one.
    #[track_caller]
    fn check(seen: Option<u64>, next: Option<u64>, now: u64, failing: bool, expected: &str) {
        let polls = Polls {
            started: Now::example(0),
            seen: seen.map(Now::example),
            configured: Duration::from_secs(2),
            expected: next.map(|next| Now::example(next).plus(Duration::from_millis(500))),
            failing,
        };
        assert_eq!(format!("{:?}", Freshness::of(&polls, Now::example(now))), expected);
    }

    #[test]
    fn marks_by_the_clock() {
        check(None, None, 1, false, "Waiting");
        check(None, None, 4, false, "Waiting");
        check(None, None, 5, false, "Late(5s)");
        check(Some(10), Some(12), 11, false, "Fresh(1s)");
        check(Some(10), Some(12), 14, false, "Fresh(4s)");
        check(Some(10), Some(12), 15, false, "Late(5s)");
        check(Some(10), Some(12), 41, false, "Lost(31s)");
    }

    #[test]
    fn a_target_that_is_asked_seldom_is_late_as_soon_as_another() {
        let polls = |seen| Polls {
            started: Now::example(0),
            seen: Some(Now::example(seen)),
            configured: Duration::from_secs(60),
            expected: Some(Now::example(seen + 61)),
            failing: false,
        };
        assert_eq!(Freshness::of(&polls(10), Now::example(73)), Freshness::Fresh(Duration::from_secs(63)));
        assert_eq!(Freshness::of(&polls(10), Now::example(74)), Freshness::Late(Duration::from_secs(64)));
    }

    #[test]
    fn a_failed_poll_shows_at_once() {
        check(None, Some(2), 1, true, "Lost(1s)");
        check(Some(10), Some(13), 11, true, "Late(1s)");
        check(Some(10), Some(60), 40, true, "Late(30s)");
        check(Some(10), Some(60), 41, true, "Lost(31s)");
    }

    #[test]
    fn throttling_is_no_excuse_beyond_the_planned_poll() {
        check(Some(10), Some(18), 20, false, "Fresh(10s)");
        check(Some(10), Some(18), 21, false, "Late(11s)");
    }
}
