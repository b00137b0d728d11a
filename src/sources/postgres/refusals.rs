//! What the server refused to answer is not asked again at every poll: each refusal is an error in somebody's log.
//!
//! How long it rests depends on why it was refused. What this server does not know or this role may not read stays so until something
//! changes; a lock is gone when the server says so; what was cancelled once may have been bad luck.

use crate::core::time::Now;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

/// Whether somebody holds or awaits the only lock that keeps catalogs from being read. It reads no catalog itself.
pub const LOCKED: &str = "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_locks l WHERE l.locktype = 'relation' AND l.relation < 16384 \
     AND l.mode = 'AccessExclusiveLock')";

/// What cannot be answered here is asked again after this long, whatever is noticed of changes.
const LASTING: Duration = Duration::from_secs(600);
/// What a lock keeps back, and what was cancelled again and again, at most after this long.
const MOST: Duration = Duration::from_secs(60);
/// The first rest of those.
const FIRST: Duration = Duration::from_secs(5);

/// Why a question is not answered.
pub type Refused = Arc<Error>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// This server does not know it, or this role may not.
    Lasting,
    /// Somebody holds a lock.
    Locked,
    /// It was cancelled, or there was no room for it.
    Passing,
}

impl Why {
    fn of(code: &SqlState) -> Self {
        match *code {
            SqlState::LOCK_NOT_AVAILABLE => Self::Locked,
            // Of these classes: cancelled, conflicts, no room, trouble of the system itself.
            _ if ["57", "40", "53", "58"].iter().any(|class| code.code().starts_with(class)) => Self::Passing,
            _ => Self::Lasting,
        }
    }

    /// How long a question rests that was refused so often in a row.
    fn rest(self, times: u32) -> Duration {
        let doubled = |times: u32| FIRST.saturating_mul(1 << times.min(8)).min(MOST);
        match (self, times) {
            (Self::Lasting, _) => LASTING,
            (Self::Locked, times) => doubled(times.saturating_sub(1)),
            // Once is bad luck.
            (Self::Passing, 0 | 1) => Duration::ZERO,
            (Self::Passing, times) => doubled(times - 2),
        }
    }
}

#[derive(Debug)]
struct Entry {
    answer: Refused,
    why: Why,
    times: u32,
    until: Now,
}

/// The questions that rest.
#[derive(Debug, Default)]
pub struct Refusals(HashMap<String, Entry>);

impl Refusals {
    /// Why `sql` is not asked now, if it rests.
    #[must_use]
    pub fn known(&self, sql: &str, now: Now) -> Option<Refused> {
        let entry = self.0.get(sql)?;
        (now.mono < entry.until.mono).then(|| Arc::clone(&entry.answer))
    }

    /// `sql` was refused.
    pub fn refused(&mut self, sql: &str, answer: &Refused, now: Now) {
        let Some(code) = answer.code() else { return };
        let why = Why::of(code);
        let before = self.0.get(sql).filter(|entry| entry.why == why).map_or(0, |entry| entry.times);
        let times = before.saturating_add(1);
        let until = later(now, why.rest(times));
        self.0.insert(sql.to_owned(), Entry { answer: Arc::clone(answer), why, times, until });
    }

    /// `sql` was answered.
    pub fn answered(&mut self, sql: &str) {
        self.0.remove(sql);
    }

    /// Something has changed on which an answer may depend.
    pub fn forget(&mut self) {
        self.0.clear();
    }

    /// Whether a lock keeps something back.
    #[must_use]
    pub fn wait_for_a_lock(&self) -> bool {
        self.0.values().any(|entry| entry.why == Why::Locked)
    }

    /// What the server says about locks on its catalogs now.
    pub fn locked(&mut self, still: bool, now: Now) {
        if still {
            for entry in self.0.values_mut().filter(|entry| entry.why == Why::Locked) {
                entry.until = later(now, FIRST);
            }
        } else {
            self.0.retain(|_, entry| entry.why != Why::Locked);
        }
    }
}

fn later(now: Now, rest: Duration) -> Now {
    Now { mono: now.mono.saturating_add(rest), ..now }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_rests_as_long_as_its_refusal_lasts() {
        let rests = |code: &str| {
            let why = Why::of(&SqlState::from_code(code));
            [1, 2, 3, 20].map(|times| why.rest(times).as_secs())
        };
        for lasting in ["42501", "0A000", "42883", "42P01", "42703", "55000", "22021", "XX000"] {
            assert_eq!(rests(lasting), [600; 4], "{lasting}");
        }
        assert_eq!(rests("55P03"), [5, 10, 20, 60]);
        for passing in ["57014", "40001", "53200", "58030"] {
            assert_eq!(rests(passing), [0, 5, 10, 60], "{passing}");
        }
    }
}
