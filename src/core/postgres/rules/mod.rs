//! The rules about a PostgreSQL server. Each names its culprit, how many are hit, and what may be done.

mod blocked;
mod copies;
mod health;
mod pools;
mod specs;
mod unread;

pub use specs::RULES;
pub use unread::unread;

use super::blocking::Who;
use super::locks::PreparedTransaction;
use super::reading::{PostgresReading, Session};
use super::{BackendId, Look, PostgresState, Setback};
use crate::core::alert::{Rulebook, Severity, Signal};
use crate::core::ids::TargetId;
use crate::core::place::{Place, RowKey, Screen};
use crate::core::text::{counted, lasting, tidy};
use crate::core::time::Now;
use std::time::Duration;

struct Scene<'a> {
    state: &'a PostgresState,
    reading: &'a PostgresReading,
    target: &'a TargetId,
    rules: &'a Rulebook,
    now: Now,
    found: Vec<Signal>,
}

/// Everything that is wrong with `target` at `now` by `rules`.
#[must_use]
pub fn signals(state: &PostgresState, target: &TargetId, rules: &Rulebook, now: Now) -> Vec<Signal> {
    let Some((_, reading)) = &state.latest else {
        return Vec::new();
    };
    let mut scene = Scene { state, reading, target, rules, now, found: Vec::new() };
    scene.blocked();
    scene.sessions();
    scene.connections();
    scene.counters();
    scene.wraparound_and_reset();
    scene.senders();
    scene.standby();
    scene.slots();
    scene.copies();
    scene.time_left();
    scene.prepared();
    scene.panels();
    scene.pools();
    scene.found
}

/// The row of a backend, the same on every screen.
#[must_use]
pub fn backend_key(target: &str, id: BackendId) -> RowKey {
    RowKey::new(&["backend", target, &id.pid.to_string(), &id.backend_start_micros.to_string()])
}

/// The row that tells who uses the connections.
#[must_use]
pub fn clients_key(target: &str) -> RowKey {
    RowKey::new(&["clients", target])
}

/// The row of a prepared transaction.
#[must_use]
pub fn prepared_key(target: &str, gid: &str) -> RowKey {
    RowKey::new(&["prepared", target, gid])
}

/// "pid 4711 (app_rw, idle in transaction 6m02s)".
#[must_use]
pub fn describe(session: &Session) -> String {
    let age = session.state_age.map_or(String::new(), |age| format!(" {}", lasting(age)));
    format!("pid {} ({}, {}{age})", session.id.pid, tidy(&session.user, 24), session.state.words())
}

impl Scene<'_> {
    fn session(&self, id: BackendId) -> Option<&Session> {
        self.reading.sessions.ready()?.iter().find(|session| session.id == id)
    }

    #[expect(clippy::too_many_arguments, reason = "the fields of one signal, named at the only callers")]
    fn push(
        &mut self,
        rule: &'static str,
        subject: &str,
        severity: Severity,
        sentence: String,
        observed_for: Option<Duration>,
        hit: usize,
        next_step: &str,
        place: Place,
    ) {
        self.found.push(Signal {
            rule,
            target: self.target.clone(),
            subject: subject.to_owned(),
            severity,
            sentence,
            observed_for,
            hit: hit as u64,
            next_step: next_step.to_owned(),
            place,
        });
    }

    fn on(screen: Screen) -> Place {
        Place { screen, row: None }
    }

    /// Panels of the team's own whose values are above the thresholds that it gave them.
    fn panels(&mut self) {
        for panel in &self.reading.panels {
            let look = Look::Panel(panel.name.clone());
            let table = self.reading.looks.iter().find(|looked| looked.look == look);
            let Some(table) = table.and_then(|looked| looked.table.ready()) else { continue };
            let graded = panel.thresholds.keys().flat_map(|column| {
                table.column(column).map(move |(row, text)| (panel.grade(column, text), row, column, text))
            });
            let bad: Vec<_> = graded.filter(|(grade, ..)| *grade > 0).collect();
            let Some((grade, row, column, text)) = bad.iter().max_by_key(|(grade, ..)| *grade) else {
                continue;
            };
            let severity = if *grade > 1 { Severity::Critical } else { Severity::Warning };
            let about = table.rows.get(*row).and_then(|cells| cells.first()?.as_deref()).unwrap_or_default();
            let about = if about == *text { String::new() } else { format!(" for {}", tidy(about, 40)) };
            let sentence = format!("{}: {column} is {}{about}", tidy(&panel.name, 40), tidy(text, 20));
            let step = "open it on screen 4";
            let place = Self::on(Screen::Health);
            let (name, hit) = (panel.name.clone(), bad.len());
            self.found.push(Signal {
                rule: "postgres.panel",
                target: self.target.clone(),
                subject: name,
                severity,
                sentence,
                observed_for: None,
                hit: hit as u64,
                next_step: step.to_owned(),
                place,
            });
        }
    }

    fn sessions(&mut self) {
        let sessions = self.reading.sessions.ready().map(Vec::as_slice).unwrap_or_default();
        let mut found = Vec::new();
        for session in sessions.iter().filter(|session| session.is_client()) {
            let place =
                Place { screen: Screen::Queries, row: Some(backend_key(self.target.as_str(), session.id)) };
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
            } else if let Some(age) =
                session.query_age.filter(|_| session.state == super::SessionState::Active)
            {
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
        for (rule, session, severity, sentence, age, place) in found {
            let subject = format!("pid {} {}", session.id.pid, session.id.backend_start_micros);
            let step = if rule == "postgres.long_query" {
                "look at it; x: cancel"
            } else {
                "ask its owner; x: terminate"
            };
            self.push(rule, &subject, severity, sentence, Some(age), 1, step, place);
        }
    }

    fn connections(&mut self) {
        let Some(slots) = self.reading.slots.ready().cloned().filter(|slots| slots.usable() > 0) else {
            return;
        };
        let share = slots.used as f64 / slots.usable() as f64;
        if let Some(severity) = self.rules.grade("postgres.connections", share) {
            let sentence = format!("{} of {} usable connections in use", slots.used, slots.usable());
            let place = Place { screen: Screen::Health, row: Some(clients_key(self.target.as_str())) };
            let step = "Enter there: who holds them, the idle ones too; x ends them";
            self.push(
                "postgres.connections",
                "slots",
                severity,
                sentence,
                None,
                slots.used as usize,
                step,
                place,
            );
        }
    }

    fn prepared(&mut self) {
        let Some(health) = self.reading.health.ready() else {
            return;
        };
        let prepared = health.prepared.ready().cloned().unwrap_or_default();
        for (gid, owner, database, age) in prepared {
            let blocks = self.state.forest.nodes.iter().any(|node| node.who == Who::Prepared(gid.clone()));
            if let (Some(severity), false) =
                (self.rules.grade("postgres.prepared", age.as_secs_f64()), blocks)
            {
                let sentence = format!(
                    "prepared transaction {} of {} in {} is {} old: it holds locks and vacuum without a session",
                    tidy(&gid, 30),
                    tidy(&owner, 20),
                    tidy(&database, 20),
                    lasting(age)
                );
                let known =
                    PreparedTransaction { gid: gid.clone(), xid: String::new(), owner, database, age };
                let step = format!("{} {}", known.rollback(), known.place());
                self.push(
                    "postgres.prepared",
                    &gid,
                    severity,
                    sentence,
                    Some(age),
                    0,
                    &step,
                    Self::on(Screen::Health),
                );
            }
        }
    }
}
