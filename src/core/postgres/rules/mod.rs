//! The rules about a PostgreSQL server. Each names its culprit, how many are hit, and what may be done.

mod blocked;
mod copies;
mod health;
mod panels;
mod pools;
mod primaries;
mod sessions;
mod specs;
mod unread;

use crate::core::postgres::PgRow;
pub use primaries::two_primaries;
pub use specs::RULES;
pub use unread::unread;

use super::blocking::Who;
use super::locks::PreparedTransaction;
use super::reading::{PostgresReading, Session};
use super::{BackendId, PostgresState, Setback};
use crate::core::alert::{Rulebook, Severity, Signal};
use crate::core::ids::TargetId;
use crate::core::place::{Place, Screen};
use crate::core::row::RowKey;
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
    scene.departed();
    scene.subscriptions();
    scene.checksums();
    scene.standby();
    scene.slots();
    scene.copies();
    scene.time_left();
    scene.prepared();
    scene.panels();
    scene.pools();
    scene.found
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

    fn connections(&mut self) {
        let Some(slots) = self.reading.slots.ready().cloned().filter(|slots| slots.usable() > 0) else {
            return;
        };
        let share = slots.used as f64 / slots.usable() as f64;
        if let Some(severity) = self.rules.grade("postgres.connections", share) {
            let sentence = format!("{} of {} usable connections in use", slots.used, slots.usable());
            let place = Place {
                screen: Screen::Health,
                row: Some(RowKey::Postgres(self.target.clone(), PgRow::Clients)),
            };
            let step = "open who uses them, the idle ones too; a whole group can be ended there";
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
