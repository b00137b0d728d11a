//! Which sessions there are, without reading each idle one again at every poll: most are idle, and each row costs the server.
//!
//! A poll asks for the sessions that do something or have changed since the last one. The others are kept with their ages
//! advanced, for as long as the number of backends that the server counts itself agrees.

use crate::core::postgres::{DatabaseCounters, Session, SessionState};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::HashSet;
use std::time::Duration;

/// A session tells of its change a little after the moment that it gives for it.
const SLACK: TimeDelta = TimeDelta::seconds(1);
/// All are read at least this often, whatever the counts say.
const FULL_EVERY: TimeDelta = TimeDelta::seconds(30);

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
    /// From when on an idle session must have changed to be read again; nothing: all are to be read.
    #[must_use]
    pub fn since(&self) -> Option<DateTime<Utc>> {
        let at = self.at?;
        (at - self.full_at? < FULL_EVERY).then(|| at - SLACK)
    }

    /// All sessions now, from the `rows` of a read that was given `since` and happened at `now` by the server's clock.
    pub fn absorb(
        &mut self,
        mut rows: Vec<Session>,
        since: Option<DateTime<Utc>>,
        now: Option<DateTime<Utc>>,
    ) -> Vec<Session> {
        if let (Some(_), Some(before), Some(now)) = (since, self.at, now) {
            let passed = (now - before).to_std().unwrap_or_default();
            let read: HashSet<i32> = rows.iter().map(|session| session.id.pid).collect();
            let idle = |session: &Session| session.state == SessionState::Idle;
            let kept = std::mem::take(&mut self.sessions);
            rows.extend(
                kept.into_iter()
                    .filter(|session| idle(session) && !read.contains(&session.id.pid))
                    .map(|session| older(session, passed)),
            );
            rows.sort_by_key(|session| session.id);
        } else {
            self.full_at = now;
        }
        self.at = now;
        self.sessions.clone_from(&rows);
        rows
    }

    /// Compares with the server's own count; where it differs, somebody who was idle has left and all are read next time.
    pub fn compare(&mut self, databases: &[DatabaseCounters]) {
        let counted: i64 = databases.iter().map(|database| database.backends).sum();
        let known = self.sessions.iter().filter(|session| !session.database.is_empty()).count();
        if i64::try_from(known) != Ok(counted) {
            self.full_at = None;
        }
    }
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
    use crate::core::postgres::BackendId;

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

    #[test]
    fn idle_sessions_stay_and_grow_older_until_the_count_differs() {
        use SessionState::{Active, Idle};
        let mut known = KnownSessions::default();
        assert_eq!(known.since(), None);
        let all = vec![session(1, Idle), session(2, Active), session(3, Idle)];
        assert_eq!(pids(&known.absorb(all, None, at(0))), [1, 2, 3]);
        known.compare(&[DatabaseCounters { backends: 3, ..DatabaseCounters::default() }]);

        // 3 runs something, 2 has ended, 1 was not read.
        let since = known.since();
        assert_eq!(since, at(-1));
        let now = known.absorb(vec![session(3, Active)], since, at(2));
        assert_eq!(pids(&now), [1, 3]);
        assert_eq!(now[0].state_age, Some(Duration::from_secs(7)));
        assert_eq!(now[1].state, Active);

        // The server counts one: 1 has left without a word, so all are read.
        known.compare(&[DatabaseCounters { backends: 1, ..DatabaseCounters::default() }]);
        assert_eq!(known.since(), None);
        assert_eq!(pids(&known.absorb(vec![session(3, Active)], None, at(4))), [3]);
        assert!(known.since().is_some());
    }

    #[test]
    fn all_are_read_again_after_a_while() {
        let mut known = KnownSessions::default();
        known.absorb(vec![session(1, SessionState::Idle)], None, at(0));
        let since = known.since();
        known.absorb(Vec::new(), since, at(29));
        assert_eq!(known.since(), at(28));
        let since = known.since();
        known.absorb(Vec::new(), since, at(31));
        assert_eq!(known.since(), None);
    }
}
