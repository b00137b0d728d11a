//! The rules about sessions: what is open for long, what runs for long, and how many places are taken.

use super::parts::{Its, PREPARED as PREPARED_PART, SESSIONS, SLOTS};
use crate::core::alert::RuleUnit::{Ratio, Seconds};
use crate::core::alert::Triage::{Latency, Saturation};
use crate::core::alert::{Remedy, Rule, RuleSpec, Severity, Step};
use crate::core::place::Screen;
use crate::core::postgres::blocking::Who;
use crate::core::postgres::locks::PreparedTransaction;
use crate::core::postgres::{BackendId, PgRow, PostgresReading, PostgresState, Session, SessionState};
use crate::core::row::RowKey;
use crate::core::text::{lasting, tidy};
use std::time::Duration;

pub(crate) static IDLE_IN_TRANSACTION: Rule<PostgresState> = Rule::new(
    RuleSpec::new("postgres.idle_in_transaction", "a session idle in transaction", Seconds, Saturation)
        .warning(60.0)
        .critical(300.0)
        .needs(&[SESSIONS])
        .root(),
    idle_in_transaction,
);

/// The share of usable connections in use.
pub static CONNECTIONS: Rule<PostgresState> = Rule::new(
    RuleSpec::new("postgres.connections", "share of the usable connection slots in use", Ratio, Saturation)
        .warning(0.8)
        .critical(0.9)
        .needs(&[SLOTS])
        .root(),
    connections,
);

pub(crate) static LONG_QUERY: Rule<PostgresState> = Rule::new(
    RuleSpec::new("postgres.long_query", "a statement of a client that runs for long", Seconds, Latency)
        .warning(300.0)
        .needs(&[SESSIONS])
        .root(),
    long_query,
);

pub(crate) static LONG_TRANSACTION: Rule<PostgresState> = Rule::new(
    RuleSpec::new(
        "postgres.long_transaction",
        "a transaction of a client that is open for long, however short its statements",
        Seconds,
        Latency,
    )
    .warning(300.0)
    .needs(&[SESSIONS])
    .root(),
    long_transaction,
);

pub(crate) static PREPARED: Rule<PostgresState> = Rule::new(
    RuleSpec::new("postgres.prepared", "age of a prepared transaction", Seconds, Saturation)
        .warning(300.0)
        .needs(&[PREPARED_PART])
        .root(),
    prepared,
);

/// "pid 4711 (app_rw, idle in transaction 6m02s)".
#[must_use]
pub fn describe(session: &Session) -> String {
    let age = session.state_age.map_or(String::new(), |age| format!(" {}", lasting(age)));
    format!("pid {} ({}, {}{age})", session.id.pid, tidy(&session.user, 24), session.state.words())
}

pub(super) fn session(reading: &PostgresReading, id: BackendId) -> Option<&Session> {
    reading.sessions.ready()?.iter().find(|session| session.id == id)
}

fn clients(reading: &PostgresReading) -> impl Iterator<Item = &Session> {
    reading.sessions.ready().into_iter().flatten().filter(|session| session.is_client())
}

/// A root of waiters is told by the rule about blocking; here it would only say it twice.
fn is_root(its: &Its<'_>, session: &Session) -> bool {
    its.state.forest.node(session.id).is_some_and(|node| node.victims > 0)
}

fn pinned(session: &Session) -> &'static str {
    if session.xmin_age.is_some() || session.writes { " and holds back vacuum" } else { "" }
}

pub(super) fn subject(session: &Session) -> String {
    format!("pid {} {}", session.id.pid, session.id.backend_start_micros)
}

fn tell(
    its: &mut Its<'_>,
    session: &Session,
    grade: crate::core::alert::Grade,
    sentence: String,
    age: Duration,
    remedy: Step,
) {
    let row = RowKey::backend(its.target, session.id);
    let breach = its.tell(grade, subject(session), sentence).since(Some(age));
    breach.hits(1_u64, "").step(remedy).on(Screen::Queries).row(row);
}

fn idle_in_transaction(its: &mut Its<'_>, reading: &PostgresReading) {
    for session in clients(reading).filter(|session| session.state.is_idle_in_transaction()) {
        let age = session.state_age.unwrap_or_default();
        let Some(mut grade) = its.grade(age.as_secs_f64()).filter(|_| !is_root(its, session)) else {
            continue;
        };
        if session.xmin_age.is_some() {
            grade.severity = Severity::Critical;
        }
        let sentence = format!("{}{}", describe(session), pinned(session));
        let step = Step::Act(Remedy::Terminate, "after its owner was asked".to_owned());
        tell(its, session, grade, sentence, age, step);
    }
}

fn long_query(its: &mut Its<'_>, reading: &PostgresReading) {
    let active = clients(reading).filter(|session| session.state == SessionState::Active);
    for session in active.filter(|session| !session.waits_for_lock()) {
        let Some(age) = session.query_age else { continue };
        let Some(grade) = its.grade(age.as_secs_f64()) else { continue };
        let sentence = format!(
            "pid {} ({}) has been running for {}: {}",
            session.id.pid,
            tidy(&session.user, 24),
            lasting(age),
            tidy(&session.query, 40)
        );
        tell(its, session, grade, sentence, age, Step::act(Remedy::Cancel));
    }
}

/// Transactions that last although each of their statements, and each rest between them, is short. One that is found already is not
/// told twice.
fn long_transaction(its: &mut Its<'_>, reading: &PostgresReading) {
    for session in clients(reading).filter(|session| !session.waits_for_lock()) {
        let Some(age) = session.transaction_age else { continue };
        let Some(grade) = its.grade(age.as_secs_f64()) else { continue };
        if its.is_told(&subject(session)) || is_root(its, session) {
            continue;
        }
        let sentence = format!(
            "pid {} ({}): its transaction has been open for {}{}, in short statements",
            session.id.pid,
            tidy(&session.user, 24),
            lasting(age),
            pinned(session)
        );
        let step = Step::Act(Remedy::Terminate, "after its owner was asked".to_owned());
        tell(its, session, grade, sentence, age, step);
    }
}

fn connections(its: &mut Its<'_>, reading: &PostgresReading) {
    let Some(slots) = reading.slots.ready().filter(|slots| slots.usable() > 0) else {
        return;
    };
    let Some(grade) = its.level("slots", slots.used as f64 / slots.usable() as f64) else { return };
    let sentence = format!("{} of {} usable connections in use", slots.used, slots.usable());
    let note = "there, the idle ones too";
    let row = RowKey::Postgres(its.target.clone(), PgRow::Clients);
    let breach = its.tell(grade, "slots", sentence).hits(slots.used, "");
    breach.step(Step::Act(Remedy::TerminateGroup, note.to_owned())).row(row);
}

fn prepared(its: &mut Its<'_>, reading: &PostgresReading) {
    let Some(list) = reading.health.ready().and_then(|health| health.prepared.ready()) else {
        return;
    };
    for (gid, owner, database, age) in list {
        let blocks = its.state.forest.nodes.iter().any(|node| node.who == Who::Prepared(gid.clone()));
        let Some(grade) = its.grade(age.as_secs_f64()).filter(|_| !blocks) else { continue };
        let sentence = format!(
            "prepared transaction {} of {} in {} is {} old: it holds locks and vacuum without a session",
            tidy(gid, 30),
            tidy(owner, 20),
            tidy(database, 20),
            lasting(*age)
        );
        let known = PreparedTransaction {
            gid: gid.clone(),
            xid: String::new(),
            owner: owner.clone(),
            database: database.clone(),
            age: *age,
        };
        let breach = its.tell(grade, gid, sentence).since(Some(*age));
        breach.say(format!("{} {}", known.rollback(), known.place()));
    }
}
