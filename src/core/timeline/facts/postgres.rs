//! What of a Postgres server is compared: its start, its role, its version, the settings that are read anyway. Pure.

use super::change::{Change, Settings, moved, on, set};
use super::migrations::MigrationFacts;
use super::versions::Versions;
use crate::core::place::Screen;
use crate::core::postgres::{Fact, PostgresReading, PostgresState, Setback};
use crate::core::text::tidy;
use crate::core::time::Now;
use crate::core::timeline::event::Kind;
use chrono::DateTime;
use std::time::Duration;

/// Clocks of servers differ by no more than this.
const SKEW: Duration = Duration::from_secs(60);

/// The name of an application is cut to so many columns.
const NAME_COLUMNS: usize = 60;

/// What was known at the newest look.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct PgFacts {
    started_micros: Option<i64>,
    in_recovery: Option<bool>,
    version: Option<String>,
    settings: Settings,
    setback: Option<Now>,
    migrations: MigrationFacts,
    versions: Versions,
}

impl PgFacts {
    pub(super) fn follow(&mut self, state: &PostgresState, before: Now, at: Now) -> Vec<Change> {
        let Some(reading) = state.reading() else { return Vec::new() };
        let server = &reading.server;
        let mut changes = Vec::new();
        let started = (server.started_micros > 0).then_some(server.started_micros);
        changes.extend(moved(&mut self.started_micros, started).map(|(old, new)| began(old, new, before)));
        let copy = server.untold(Fact::Recovery).is_none().then_some(server.in_recovery);
        if let Some((_, copy)) = moved(&mut self.in_recovery, copy) {
            let words = if copy {
                "it is a standby now, and was a primary"
            } else {
                "it is a primary now, and was a standby"
            };
            changes.push(Change::new(Kind::Role, words.to_owned(), on(Screen::Replication)));
        }
        let version = (!server.version.is_empty()).then(|| server.version.clone());
        if let Some((old, new)) = moved(&mut self.version, version) {
            let words = format!("version {old} became {new}");
            changes.push(Change::new(Kind::Version, words, on(Screen::Health)));
        }
        changes.extend(set(&mut self.settings, settings(reading), &on(Screen::Health)));
        let sessions = reading.sessions.ready().into_iter().flatten();
        let names =
            sessions.filter(|session| session.is_client()).map(|session| session.application.as_str());
        changes.extend(self.versions.follow(names).into_iter().map(|(name, version)| {
            let name = tidy(&name, NAME_COLUMNS);
            let words = format!("{name}: version {version} is there for the first time (application_name)");
            Change::new(Kind::Version, words, on(Screen::Queries))
        }));
        changes.extend(self.migrations.follow(reading));
        let setback = state.setback.filter(|(when, _)| Some(*when) != self.setback && *when == at);
        if let Some((when, setback)) = setback {
            self.setback = Some(when);
            changes.extend(broke(setback));
        }
        changes
    }
}

/// Another start: of the same server, unless it was up already when the one before was seen.
fn began(old: i64, new: i64, before: Now) -> Change {
    let shown = DateTime::from_timestamp_micros(new).map_or_else(String::new, |at| {
        format!(" (up since {} by its own clock)", at.format("%Y-%m-%d %H:%M:%SZ"))
    });
    let skew = i64::try_from(SKEW.as_micros()).unwrap_or(i64::MAX);
    if new < old || new.saturating_add(skew) < before.wall.timestamp_micros() {
        let words = format!("another server answers here than before{shown}");
        return Change::new(Kind::Another, words, on(Screen::Health));
    }
    Change::new(Kind::Restarted, format!("the server was restarted{shown}"), on(Screen::Health))
}

/// What broke the counters, where that is not told by the start or the role.
fn broke(setback: Setback) -> Option<Change> {
    let (kind, words) = match setback {
        Setback::Restarted | Setback::Promoted => return None,
        Setback::Crashed => {
            (Kind::Crashed, "a process of the server died, and every session was ended with it")
        }
        Setback::Reset => (Kind::Reset, "counters were reset"),
    };
    Some(Change::new(kind, words.to_owned(), on(Screen::Health)))
}

fn settings(reading: &PostgresReading) -> Settings {
    let slots = reading.slots.ready();
    let health = reading.health.ready();
    Settings::from([
        ("max_connections", slots.map(|slots| slots.max.to_string())),
        ("synchronous_standby_names", slots.map(|slots| slots.synchronous.clone())),
        (
            "autovacuum_freeze_max_age",
            health.and_then(|health| health.freeze_max_age).map(|age| format!("{age:.0}")),
        ),
    ])
}
