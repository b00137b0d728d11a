//! The rules about the server as a whole: its counters, its archiver, its transaction ids, its pages.

use super::parts::{ARCHIVER as ARCHIVER_PART, DATABASES, Its};
use crate::core::alert::RuleUnit::{Count, Ratio, State};
use crate::core::alert::Triage::{Capacity, Errors, Latency};
use crate::core::alert::{Rule, RuleSpec, Severity};
use crate::core::part::Part;
use crate::core::postgres::{Archiver, PostgresReading, PostgresState, Setback};
use crate::core::text::{counted, lasting, sized, tidy};
use crate::core::time::span_of;
use std::time::Duration;

pub(crate) static CACHE_HIT: Rule<PostgresState> = Rule::new(
    RuleSpec::new(
        "postgres.cache_hit",
        "less than this share of blocks found in the cache, over a minute",
        Ratio,
        Latency,
    )
    .warning(0.8)
    .hold(60)
    .needs(&[DATABASES]),
    cache_hit,
);

pub(crate) static DEADLOCKS: Rule<PostgresState> = Rule::new(
    RuleSpec::new("postgres.deadlocks", "deadlocks within a minute", Count, Errors)
        .warning(1.0)
        .needs(&[DATABASES]),
    deadlocks,
);

pub(crate) static CHECKSUMS: Rule<PostgresState> = Rule::new(
    RuleSpec::new(
        "postgres.checksums",
        "pages that failed their checksum since the counters were reset",
        Count,
        Errors,
    )
    .critical(1.0)
    .needs(&[DATABASES]),
    checksums,
);

/// The age of the oldest transaction id.
pub static WRAPAROUND: Rule<PostgresState> = Rule::new(
    RuleSpec::new("postgres.wraparound", "age of the oldest transaction id of a database", Count, Capacity)
        .warning(500_000_000.0)
        .critical(1_500_000_000.0)
        .needs(&[DATABASES]),
    wraparound,
);

pub(crate) static ARCHIVER: Rule<PostgresState> = Rule::new(
    RuleSpec::new(
        "postgres.archiver",
        "WAL cannot be archived: the last attempt failed, or no command is set",
        State,
        Capacity,
    )
    .needs(&[ARCHIVER_PART])
    .root(),
    archiver,
);

pub(crate) static RESET: Rule<PostgresState> = Rule::new(
    RuleSpec::new(
        "postgres.reset",
        "the server restarted, crashed or changed sides, or its counters were reset",
        State,
        Errors,
    ),
    reset,
);

/// For so long it is told that a server began anew.
const RESET_IS_NEWS: Duration = Duration::from_secs(600);

fn ago(seconds: f64) -> Duration {
    span_of(seconds.max(0.0))
}

fn cache_hit(its: &mut Its<'_>, _: &PostgresReading) {
    let Some(ratio) = its.state.rates.hit_ratio else { return };
    let Some(grade) = its.level("cache", ratio) else { return };
    let sentence = format!("cache hit ratio {:.0} % over the last minute", ratio * 100.0);
    its.tell(grade, "cache", sentence).look("look for new large scans (queries)");
}

fn deadlocks(its: &mut Its<'_>, _: &PostgresReading) {
    let Some(count) = its.state.rates.deadlocks else { return };
    let Some(grade) = its.level("deadlocks", count) else { return };
    let sentence = format!("{} within a minute", counted(count as usize, "deadlock"));
    its.tell(grade, "deadlocks", sentence).hits(count as u64, "transaction").say("see the server's log");
}

/// How much waits for the archiver; that it cannot be read is said.
fn waiting(archiver: &Archiver) -> String {
    match &archiver.ready {
        Part::Ready(ready) if ready.files < 1.0 => String::new(),
        Part::Ready(ready) => {
            let verb = if ready.files > 1.0 { "wait" } else { "waits" };
            format!(", {} ({}) {verb}", counted(ready.files as usize, "file"), sized(ready.bytes))
        }
        Part::Unavailable(_) => ", how much waits is unread".to_owned(),
        Part::NotAsked => String::new(),
    }
}

/// Judged by what the archiver did last, not by how often it failed just now: it tries three times and then rests for a minute.
fn archiver(its: &mut Its<'_>, reading: &PostgresReading) {
    let archiver = reading.health.ready().and_then(|health| health.archiver.ready());
    let Some(archiver) = archiver.filter(|archiver| archiver.on) else {
        return;
    };
    let (severity, sentence, since, step) = if archiver.is_failing() {
        let done = archiver.last_archived_seconds;
        let done = done
            .map_or("none ever was".to_owned(), |done| format!("the last was {} ago", lasting(ago(done))));
        let file =
            archiver.last_failed_file.as_ref().map_or(String::new(), |file| format!(" {}", tidy(file, 30)));
        let waits = waiting(archiver);
        let sentence =
            format!("WAL{file} cannot be archived ({done}{waits}): backups have a hole and pg_wal grows");
        let since = archiver.last_failed_seconds.map(ago);
        (Severity::Critical, sentence, since, "see archive_command in the server's log")
    } else if archiver.no_command {
        let waits = waiting(archiver);
        let sentence = format!(
            "archiving is on and no archive_command is set{waits}: no WAL is archived and pg_wal grows"
        );
        (Severity::Warning, sentence, None, "set archive_command")
    } else {
        return;
    };
    let Some(grade) = its.state(severity) else { return };
    its.tell(grade, "archiver", sentence).since(since).hits(1_u64, "").say(step);
}

/// Pages that are not what was written. It stays until the counters are reset: a damaged page does not heal.
fn checksums(its: &mut Its<'_>, reading: &PostgresReading) {
    for database in reading.databases.ready().into_iter().flatten() {
        let failures = database.checksum_failures.unwrap_or_default();
        let Some(grade) = its.grade(failures).filter(|_| failures > 0.0) else {
            continue;
        };
        let since = database.checksum_failed_seconds.map(ago);
        let last = since.map_or(String::new(), |ago| format!(", the last {} ago", lasting(ago)));
        let place = if database.name.is_empty() {
            "objects shared by all databases".to_owned()
        } else {
            format!("database {}", tidy(&database.name, 30))
        };
        let count = counted(failures as usize, "page");
        let sentence = format!("{place}: {count} failed the checksum{last}: data on the disk is damaged");
        let breach = its.tell(grade, format!("checksums {}", database.name), sentence);
        breach.since(since).say("save the files first; then pg_amcheck, a copy or a backup");
    }
}

fn wraparound(its: &mut Its<'_>, reading: &PostgresReading) {
    let databases = reading.databases.ready().into_iter().flatten();
    let aged = databases.filter_map(|db| Some((db.xid_age?.max(db.multixact_age?), db)));
    let Some((age, db)) = aged.max_by_key(|(age, _)| *age) else { return };
    let Some(grade) = its.level(&db.name, age as f64) else { return };
    let sentence = format!(
        "database {} has an unfrozen id {} M transactions old (stop at 2147 M)",
        tidy(&db.name, 30),
        age / 1_000_000
    );
    its.tell(grade, &db.name, sentence).look("let autovacuum finish; find what holds xmin");
}

/// A server that was stopped and started is news, and nothing is wrong with it.
fn reset(its: &mut Its<'_>, _: &PostgresReading) {
    let Some((at, setback)) = its.state.setback else { return };
    let severity = match setback {
        Setback::Restarted | Setback::Reset => Severity::Info,
        Setback::Promoted | Setback::Crashed => Severity::Warning,
    };
    let since = its.now.since(at);
    let Some(grade) = its.state(severity).filter(|_| since < RESET_IS_NEWS) else { return };
    let when = at.wall.format("%H:%M:%SZ");
    let sentence = match setback {
        Setback::Restarted => format!("the server was restarted; noticed at {when}"),
        Setback::Promoted => format!("the server changed sides (primary or standby); noticed at {when}"),
        Setback::Crashed => format!(
            "a server process died: every session was ended and the server recovered; noticed at {when}"
        ),
        Setback::Reset => format!("counters were reset at {when}"),
    };
    its.tell(grade, "reset", sentence).since(Some(since)).say("see the server's log");
}
