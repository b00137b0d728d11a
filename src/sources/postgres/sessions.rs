//! Which sessions there are, without reading each idle one again at every poll: most are idle, and each row costs the server.
//!
//! A poll asks for the sessions that were not idle when it last asked and for those that have begun something since. The others are
//! kept with their ages advanced, for as long as the number that the server counts agrees; else all are read by the next poll.

use crate::core::postgres::{BackendId, Session, SessionState};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::HashSet;
use std::time::Duration;

/// A session tells of its change a little after the moment that it gives for it.
const SLACK: TimeDelta = TimeDelta::seconds(1);
/// All are read at least this often, whatever the counts say.
const FULL_EVERY: TimeDelta = TimeDelta::seconds(30);

/// One row by its process id costs the server this many times what it costs among all rows.
const SINGLE_COST: usize = 12;

/// Which sessions are to be read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Ask {
    /// Every one.
    All,
    /// Those that have begun something since then, and these.
    Changed {
        /// A moment on the server's clock.
        since: DateTime<Utc>,
        /// Process ids of what was not idle.
        pids: Vec<i32>,
    },
}

/// What is known from the polls before.
#[derive(Debug, Default)]
pub struct KnownSessions {
    sessions: Vec<Session>,
    /// The server's time of the newest read.
    at: Option<DateTime<Utc>>,
    /// The server's time of the newest read of all.
    full_at: Option<DateTime<Utc>>,
}

impl KnownSessions {
    /// What is to be read next.
    #[must_use]
    pub fn ask(&self) -> Ask {
        let (Some(at), Some(full_at)) = (self.at, self.full_at) else { return Ask::All };
        let pids: Vec<i32> =
            self.sessions.iter().filter(|session| !is_idle(session)).map(|session| session.id.pid).collect();
        if at - full_at >= FULL_EVERY || pids.len() * SINGLE_COST > self.sessions.len() {
            return Ask::All;
        }
        Ask::Changed { since: at - SLACK, pids }
    }

    /// The names of database and user of a session that was known before.
    #[must_use]
    pub fn named(&self, id: BackendId) -> Option<(&str, &str)> {
        let known = self.sessions.iter().find(|session| session.id == id)?;
        Some((&known.database, &known.user))
    }

    /// All sessions now: from the `rows` of a read that happened at `now` by the server's clock. If it was not of all, `counted` is the
    /// number of sessions in databases that there were.
    pub fn absorb(
        &mut self,
        mut rows: Vec<Session>,
        counted: Option<i64>,
        now: Option<DateTime<Utc>>,
    ) -> Vec<Session> {
        if let (Some(counted), Some(before), Some(now)) = (counted, self.at, now) {
            let passed = (now - before).to_std().unwrap_or_default();
            let read: HashSet<i32> = rows.iter().map(|session| session.id.pid).collect();
            let kept = std::mem::take(&mut self.sessions);
            rows.extend(
                kept.into_iter()
                    .filter(|session| is_idle(session) && !read.contains(&session.id.pid))
                    .map(|session| older(session, passed)),
            );
            let known = rows.iter().filter(|session| !session.database.is_empty()).count();
            if i64::try_from(known) != Ok(counted) {
                // Somebody who was idle has left.
                self.full_at = None;
            }
            rows.sort_by_key(|session| session.id);
        } else {
            self.full_at = now;
        }
        self.at = now;
        self.sessions.clone_from(&rows);
        rows
    }
}

fn is_idle(session: &Session) -> bool {
    session.state == SessionState::Idle
}

fn older(mut session: Session, passed: Duration) -> Session {
    for age in [&mut session.transaction_age, &mut session.query_age, &mut session.state_age] {
        *age = age.map(|age| age + passed);
    }
    session
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(pid: i32, state: SessionState) -> Session {
        Session {
            id: BackendId { pid, backend_start_micros: 1 },
            database: "shop".into(),
            state,
            state_age: Some(Duration::from_secs(5)),
            ..Session::default()
        }
    }

    fn at(second: i64) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(1_800_000_000 + second, 0)
    }

    fn pids(sessions: &[Session]) -> Vec<i32> {
        sessions.iter().map(|session| session.id.pid).collect()
    }

    /// `busy` active sessions and `idle` idle ones.
    fn many(busy: i32, idle: i32) -> Vec<Session> {
        let state = |pid| if pid <= busy { SessionState::Active } else { SessionState::Idle };
        (1..=busy + idle).map(|pid| session(pid, state(pid))).collect()
    }

    #[test]
    fn idle_sessions_stay_and_grow_older_until_they_are_gone() {
        let mut known = KnownSessions::default();
        assert_eq!(known.ask(), Ask::All);
        assert_eq!(known.absorb(many(2, 38), None, at(0)).len(), 40);
        assert_eq!(known.ask(), Ask::Changed { since: at(-1).expect("a moment"), pids: vec![1, 2] });

        // 3 runs something, 1 is idle now, 2 has ended; all others were not read.
        let rows = || vec![session(1, SessionState::Idle), session(3, SessionState::Active)];
        let now = known.absorb(rows(), Some(39), at(2));
        assert_eq!(pids(&now), (1..=40).filter(|pid| *pid != 2).collect::<Vec<_>>());
        assert_eq!(now[0].state_age, Some(Duration::from_secs(5)));
        assert_eq!(now[1].state, SessionState::Active);
        assert_eq!(now[2].state_age, Some(Duration::from_secs(7)));
        assert_eq!(known.ask(), Ask::Changed { since: at(1).expect("a moment"), pids: vec![3] });

        // The server counts one less: it has left without a word, so all are read.
        assert_eq!(known.absorb(rows(), Some(38), at(3)).len(), 39);
        assert_eq!(known.ask(), Ask::All);
        assert_eq!(known.absorb(many(2, 36), None, at(4)).len(), 38);
        assert_ne!(known.ask(), Ask::All);
    }

    #[test]
    fn all_are_read_where_many_work_and_after_a_while() {
        let mut known = KnownSessions::default();
        known.absorb(many(4, 36), None, at(0));
        assert_eq!(known.ask(), Ask::All);
        known.absorb(many(1, 39), None, at(1));
        known.absorb(many(1, 0), Some(40), at(30));
        assert_ne!(known.ask(), Ask::All);
        assert_eq!(known.absorb(many(1, 0), Some(40), at(31)).len(), 40);
        assert_eq!(known.ask(), Ask::All);
    }
}
