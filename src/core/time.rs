//! Time as a value. `core` never reads a clock: `now` is always an argument.

use super::text::duration;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Where the monotonic clock stands when a process begins: a hundred years, so that what is known of the time before (a transaction that
/// has been open for days) can be told on it, too.
pub const HEAD_START: Duration = Duration::from_secs(100 * 365 * 86_400);

/// The clock of the screen goes on by one second; a step larger than this means that nobody was running: the machine slept, or the
/// process was stopped.
const SLEPT: Duration = Duration::from_secs(20);
/// Both clocks of a machine go apart by less than this between two ticks, unless somebody sets the one on the wall.
const SET: Duration = Duration::from_secs(5);

/// One moment, on a clock that only goes forward and on the wall.
///
/// Elapsed time is always taken from `mono` (a wall clock can be set); `wall` is for people and for files. There is no order between
/// moments on purpose: whoever compares says by which clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Now {
    /// Time since an arbitrary moment, [`HEAD_START`] before this process began. It counts the sleep of the machine and is never set back.
    pub mono: Duration,
    /// The same moment in UTC.
    pub wall: DateTime<Utc>,
}

/// What happened to the clocks between two ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jump {
    /// Nobody was running for so long.
    Slept(Duration),
    /// The clock on the wall was set forward by so much.
    SetForward(Duration),
    /// The clock on the wall was set back by so much.
    SetBack(Duration),
}

impl Jump {
    /// In one sentence; with what comes of it where what was followed so far was not followed all the time.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Slept(span) => {
                let span = duration(span);
                format!("this machine slept, or stacktop was stopped, for {span}: ages begin anew")
            }
            Self::SetForward(span) => {
                let span = duration(span);
                format!("the clock was set forward by {span}, or this machine slept: ages begin anew")
            }
            Self::SetBack(span) => format!("the clock was set back by {}", duration(span)),
        }
    }

    /// Whether nobody was running for a while, as far as anybody can tell.
    #[must_use]
    pub const fn interrupts(self) -> bool {
        match self {
            Self::Slept(_) | Self::SetForward(_) => true,
            Self::SetBack(_) => false,
        }
    }
}

impl Now {
    /// Time that passed since `earlier`; zero if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        self.mono.saturating_sub(earlier.mono)
    }

    /// Whether `end` is reached, by the clock that only goes forward.
    #[must_use]
    pub fn reached(self, end: Self) -> bool {
        self.mono >= end.mono
    }

    /// Whether a permission that ends at `end` is over, by whichever clock says so: setting the wall clock back prolongs nothing, and
    /// neither does a clock that stood still while the machine slept.
    #[must_use]
    pub fn expired(self, end: Self) -> bool {
        self.reached(end) || self.wall >= end.wall
    }

    /// How long until `end`, by the clock that says less.
    #[must_use]
    pub fn left(self, end: Self) -> Duration {
        end.since(self).min((end.wall - self.wall).to_std().unwrap_or_default())
    }

    /// The moment `by` later, on both clocks.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        let wall = chrono::Duration::from_std(by).ok().and_then(|by| self.wall.checked_add_signed(by));
        Self { mono: self.mono.saturating_add(by), wall: wall.unwrap_or(DateTime::<Utc>::MAX_UTC) }
    }

    /// The moment `by` earlier, on both clocks.
    #[must_use]
    pub fn minus(self, by: Duration) -> Self {
        let wall = chrono::Duration::from_std(by).ok().and_then(|by| self.wall.checked_sub_signed(by));
        Self { mono: self.mono.saturating_sub(by), wall: wall.unwrap_or(DateTime::<Utc>::MIN_UTC) }
    }

    /// A moment that is written by a wall clock, on both clocks; one that is ahead of now is of now, by the clock that only goes forward.
    #[must_use]
    pub fn at_wall(self, wall: DateTime<Utc>) -> Self {
        let age = (self.wall - wall).to_std().unwrap_or_default();
        Self { wall, ..self.minus(age) }
    }

    /// What happened to the clocks since `before`, the tick before this one.
    #[must_use]
    pub fn jump(self, before: Self) -> Option<Jump> {
        let passed = self.since(before);
        // A clock that stands still in sleep shows the sleep as a wall clock that was set forward; which one it was cannot be told.
        if passed > SLEPT {
            return Some(Jump::Slept(passed));
        }
        let ahead = (self.wall - before.wall) - chrono::Duration::from_std(passed).unwrap_or_default();
        let far = |by: chrono::Duration| by.to_std().ok().filter(|by| *by > SET);
        far(ahead).map(Jump::SetForward).or_else(|| far(-ahead).map(Jump::SetBack))
    }

    /// A made-up moment `seconds` after a fixed start: for tests, benchmarks and drills.
    #[must_use]
    pub fn example(seconds: u64) -> Self {
        let start = DateTime::from_timestamp(1_790_000_000, 0).unwrap_or_default();
        Self { mono: HEAD_START, wall: start }.plus(Duration::from_secs(seconds))
    }
}

/// Something that can tell the time; the real one lives in `runtime`, drills and tests have their own.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Now;
}

/// So many seconds as a span, whatever a server says: none where it is negative or no number, the longest where it is out of bounds.
#[must_use]
pub fn span_of(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX)
}

/// By how many seconds another clock is ahead of ours (or behind, where negative), both in milliseconds since 1970: it was asked at `asked`
/// and answered within `took`, so that anything between is no difference.
#[must_use]
pub fn ahead(other: i64, asked: i64, took: Duration) -> f64 {
    let took = i64::try_from(took.as_millis()).unwrap_or(i64::MAX);
    let off = other.saturating_sub(asked);
    let off = if off > took { off - took } else { off.min(0) };
    off as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_clock_is_off_by_no_more_than_its_answer_took() {
        for (other, took, expected) in
            [(10_000, 0, 0.0), (10_400, 500, 0.0), (12_500, 500, 2.0), (7_000, 500, -3.0)]
        {
            let ahead = super::ahead(other, 10_000, std::time::Duration::from_millis(took));
            assert!((ahead - expected).abs() < 1e-9, "{other} {took}: {ahead}");
        }
    }

    use super::*;

    /// A moment by both clocks, in seconds after the start of the example.
    fn at(mono: u64, wall: i64) -> Now {
        Now { mono: Now::example(mono).mono, wall: Now::example(0).wall + chrono::Duration::seconds(wall) }
    }

    #[track_caller]
    fn check(now: Now, expired: bool, left: u64) {
        let end = at(600, 600);
        assert_eq!((now.expired(end), now.left(end)), (expired, Duration::from_secs(left)));
    }

    #[test]
    fn a_permission_ends_by_whichever_clock_says_so() {
        check(at(10, 10), false, 590);
        check(at(599, 599), false, 1);
        check(at(600, 600), true, 0);
        check(at(10, 7 * 3600), true, 0); // slept, and the other clock stood still
        check(at(7 * 3600, 7 * 3600), true, 0);
        check(at(10, -3600), false, 590); // an hour back prolongs nothing
        check(at(600, -3000), true, 0);
        check(at(10, 3610), true, 0); // an hour forward ends it
    }

    #[track_caller]
    fn jumps(now: Now, expected: Option<Jump>) {
        assert_eq!(now.jump(at(100, 100)), expected);
    }

    #[test]
    fn jumps_of_both_clocks_are_told_apart() {
        let hours = |count: u64| Duration::from_secs(count * 3600);
        jumps(at(101, 101), None);
        jumps(at(104, 102), None);
        jumps(at(100 + 7 * 3600, 100 + 7 * 3600), Some(Jump::Slept(hours(7))));
        jumps(at(100, 100 + 7 * 3600), Some(Jump::SetForward(hours(7))));
        jumps(at(101, 101 - 3600), Some(Jump::SetBack(hours(1))));
        jumps(at(101, 101 + 3600), Some(Jump::SetForward(hours(1))));
    }

    #[test]
    fn no_span_is_too_long() {
        let far = Now::example(0).plus(Duration::MAX);
        assert!(far.reached(Now::example(1)) && !Now::example(1).expired(far));
        assert_eq!(Now::example(5).minus(Duration::MAX).mono, Duration::ZERO);
    }

    #[test]
    fn what_is_older_than_the_process_keeps_its_age() {
        let ten_days = Duration::from_secs(864_000);
        assert_eq!(Now::example(3).since(Now::example(3).minus(ten_days)), ten_days);
    }
}
