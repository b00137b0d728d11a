//! The rules about single sessions: what is open for long, and what runs for long.

use super::{Place, Scene, Screen, Session, Severity, describe, lasting, tidy};
use crate::core::postgres::SessionState;
use crate::core::row::RowKey;
use std::time::Duration;

/// What is found of a session: rule, session, how bad, sentence, for how long, where.
type Found<'a> = (&'static str, &'a Session, Severity, String, Duration, Place);

impl Scene<'_> {
    pub(super) fn sessions(&mut self) {
        let sessions = self.reading.sessions.ready().map(Vec::as_slice).unwrap_or_default();
        let mut found: Vec<Found<'_>> = Vec::new();
        for session in sessions.iter().filter(|session| session.is_client()) {
            let place =
                Place { screen: Screen::Queries, row: Some(RowKey::backend(self.target, session.id)) };
            if session.state.is_idle_in_transaction() {
                let age = session.state_age.unwrap_or_default();
                let mut severity = self.rules.grade("postgres.idle_in_transaction", age.as_secs_f64());
                let pins = session.xmin_age.is_some() || session.writes;
                if severity == Some(Severity::Warning) && session.xmin_age.is_some() {
                    severity = Some(Severity::Critical);
                }
                // A root of waiters is told by the rule about blocking; here it would only say it twice.
                let root = self.state.forest.node(session.id).is_some_and(|node| node.victims > 0);
                if let (Some(severity), false) = (severity, root) {
                    let pinned = if pins { " and holds back vacuum" } else { "" };
                    let sentence = format!("{}{pinned}", describe(session));
                    found.push(("postgres.idle_in_transaction", session, severity, sentence, age, place));
                }
            } else if let Some(age) = session.query_age.filter(|_| session.state == SessionState::Active) {
                let waits = session.waits_for_lock();
                if let (Some(severity), false) =
                    (self.rules.grade("postgres.long_query", age.as_secs_f64()), waits)
                {
                    let sentence = format!(
                        "pid {} ({}) has been running for {}: {}",
                        session.id.pid,
                        tidy(&session.user, 24),
                        lasting(age),
                        tidy(&session.query, 40)
                    );
                    found.push(("postgres.long_query", session, severity, sentence, age, place));
                }
            }
        }
        found.extend(self.long_transactions(sessions, &found));
        for (rule, session, severity, sentence, age, place) in found {
            let subject = format!("pid {} {}", session.id.pid, session.id.backend_start_micros);
            let step = match rule {
                "postgres.long_query" => "look at it; x: cancel",
                _ => "ask its owner; x: terminate",
            };
            self.push(rule, &subject, severity, sentence, Some(age), 1, step, place);
        }
    }

    /// Transactions that last although each of their statements, and each rest between them, is short. One that is found already is not
    /// told twice.
    fn long_transactions<'b>(&self, sessions: &'b [Session], found: &[Found<'b>]) -> Vec<Found<'b>> {
        let mut more = Vec::new();
        for session in sessions.iter().filter(|session| session.is_client() && !session.waits_for_lock()) {
            let Some(age) = session.transaction_age else { continue };
            let severity = self.rules.grade("postgres.long_transaction", age.as_secs_f64());
            let known = found.iter().any(|(_, other, ..)| other.id == session.id);
            let root = self.state.forest.node(session.id).is_some_and(|node| node.victims > 0);
            if let (Some(severity), false) = (severity, known || root) {
                let pins = session.xmin_age.is_some() || session.writes;
                let pinned = if pins { " and holds back vacuum" } else { "" };
                let sentence = format!(
                    "pid {} ({}): its transaction has been open for {}{pinned}, in short statements",
                    session.id.pid,
                    tidy(&session.user, 24),
                    lasting(age)
                );
                let row = RowKey::backend(self.target, session.id);
                let place = Place { screen: Screen::Queries, row: Some(row) };
                more.push(("postgres.long_transaction", session, severity, sentence, age, place));
            }
        }
        more
    }
}
