//! The rules about what a server writes besides its tables: temporary files, and far more WAL than usual.

use super::parts::{Its, SPILLS};
use super::sessions::{describe, subject};
use crate::core::alert::RuleUnit::{Bytes, State};
use crate::core::alert::Triage::Capacity;
use crate::core::alert::{Remedy, Rule, RuleSpec, Severity, Step};
use crate::core::place::Screen;
use crate::core::postgres::{PostgresReading, PostgresState};
use crate::core::row::RowKey;
use crate::core::text::{sized, tidy};

pub(crate) static TEMP_FILES: Rule<PostgresState> = Rule::new(
    RuleSpec::new("postgres.temp_files", "bytes of temporary files of one session, now", Bytes, Capacity)
        .warning(1_073_741_824.0)
        .critical(53_687_091_200.0)
        .hold(10)
        .needs(&[SPILLS])
        .root(),
    temp_files,
);

pub(crate) static WAL_BURST: Rule<PostgresState> = Rule::new(
    RuleSpec::new(
        "postgres.wal_burst",
        "more than 16 MiB of WAL per second, and three times as much as in the quarter of an hour before",
        State,
        Capacity,
    )
    .clear(15)
    .root(),
    wal_burst,
);

/// More than half of it is most of it.
const MOST: f64 = 0.5;

fn temp_files(its: &mut Its<'_>, reading: &PostgresReading) {
    for spill in reading.health.ready().and_then(|health| health.spills.ready()).into_iter().flatten() {
        let Some(grade) = its.grade(spill.bytes) else { continue };
        let bytes = sized(spill.bytes);
        let sessions = reading.sessions.ready();
        let session = sessions.and_then(|all| all.iter().find(|session| session.id.pid == spill.pid));
        match session {
            Some(session) => {
                let sentence = format!(
                    "{} has {bytes} of temporary files: {}",
                    describe(session),
                    tidy(&session.query, 40)
                );
                let row = RowKey::backend(its.target, session.id);
                let breach = its.tell(grade, subject(session), sentence).since(session.query_age);
                breach.hits(1_u64, "").step(Step::act(Remedy::Cancel)).on(Screen::Queries).row(row);
            }
            None if sessions.is_some() => {
                let sentence = format!("pid {} is gone and left {bytes} of temporary files", spill.pid);
                let breach = its.tell(grade, format!("pid {} gone", spill.pid), sentence);
                breach.hits(1_u64, "").say("they go with the next restart of the server");
            }
            None => {
                let sentence = format!("pid {} has {bytes} of temporary files", spill.pid);
                let breach = its.tell(grade, format!("pid {}", spill.pid), sentence);
                breach.hits(1_u64, "").look("see what it runs");
            }
        }
    }
}

/// No trouble by itself: it is told for those who fall behind by it.
fn wal_burst(its: &mut Its<'_>, reading: &PostgresReading) {
    let Some(burst) = its.state.pace.burst().filter(|_| reading.server.is_primary()) else { return };
    let Some(grade) = its.state(Severity::Info) else { return };
    let times = if burst.usual * 100.0 < burst.rate {
        "and next to nothing before".to_owned()
    } else {
        format!("{:.0} times as much as before", burst.rate / burst.usual)
    };
    let by = writes_most(its.state, reading).map_or(String::new(), |who| format!(", most of it by {who}"));
    let sentence = format!("it writes {} of WAL per second, {times}{by}", sized(burst.rate));
    let lasts = its.now.since(burst.since);
    its.tell(grade, "wal", sentence).since(Some(lasts)).look("see which statements write (queries)");
}

/// The statement that wrote most of the WAL within the last minutes.
fn writes_most(state: &PostgresState, reading: &PostgresReading) -> Option<String> {
    let rows = &state.statements.rows;
    let all: f64 = rows.iter().map(|row| row.grown.wal_bytes).sum();
    let first = rows.iter().max_by(|a, b| a.grown.wal_bytes.total_cmp(&b.grown.wal_bytes))?;
    let query = first.key.query;
    let runs = reading.sessions.ready().into_iter().flatten().find(|one| one.query_id == Some(query));
    let name = runs.map_or_else(
        || format!("statement {query}"),
        |session| format!("pid {} ({})", session.id.pid, tidy(&session.query, 40)),
    );
    (first.grown.wal_bytes > all * MOST).then_some(name)
}
