//! What the four Postgres screens share: the targets with their freshness, a session's card, and what may be done to a session.

use crate::core::action::Refusal;
use crate::core::freshness::Freshness;
use crate::core::postgres::{
    Fact, Look, PgRow, Planned, PostgresReading, PostgresState, Session, SessionState, StatementKey,
};
use crate::core::row::RowKey;
use crate::core::world::TargetState;
use crate::panels::current::current;
use crate::panels::panel::PanelContext;
use crate::ui::content::{Cell, Line, Role, Row};
use crate::ui::format::duration;
use std::time::Duration;

/// Every Postgres target with what is known of it.
pub fn targets(context: PanelContext<'_>) -> Vec<(&TargetState, &PostgresState)> {
    context.targets().filter_map(|target| Some((target, target.system.postgres()?))).collect()
}

/// The target that `row` belongs to and its newest reading.
pub fn reading<'a>(
    context: PanelContext<'a>,
    row: &RowKey,
) -> Option<(&'a TargetState, &'a PostgresState, &'a PostgresReading)> {
    let (id, _) = row.postgres()?;
    let (target, state) = targets(context).into_iter().find(|(target, _)| target.id == *id)?;
    Some((target, state, state.reading()?))
}

/// "pg-main · 15.18 primary · 2 s old", in the role of its age.
pub fn heading(target: &TargetState, state: &PostgresState, context: PanelContext<'_>) -> Line {
    let freshness = target.freshness(context.now);
    let line = Line::of(Role::Strong, format!("{} ", target.id));
    let line = match state.reading() {
        Some(reading) => {
            let role = match (reading.server.untold(Fact::Recovery), reading.server.in_recovery) {
                (Some(_), _) => "(primary or standby: not told)",
                (None, true) => "standby",
                (None, false) => "primary",
            };
            let version = reading.server.version.split(' ').next().unwrap_or_default();
            let by = if reading.server.pooled { " through PgBouncer" } else { "" };
            line.then(Role::Muted, format!("{version} {role} as {}{by}", reading.server.role))
        }
        None => line.then(Role::Muted, &target.address),
    };
    let line = match freshness {
        Freshness::Waiting => line.then(Role::Muted, " · waiting for the first answer"),
        Freshness::Fresh(_) => line,
        Freshness::Late(age) => line.then(Role::Warning, format!(" · LATE, {} old", duration(age))),
        Freshness::Lost(age) => {
            let silence = target.silence(context.now);
            line.then(Role::Stale, format!(" · STALE {}: {silence}", duration(age)))
        }
    };
    match state.reading() {
        Some(reading) if !reading.server.reads_all_stats => {
            let words = if reading.server.uninherited {
                reading.server.permit()
            } else {
                "GRANT pg_monitor".to_owned()
            };
            line.then(Role::Warning, format!(" · sees only its own sessions: {words}"))
        }
        Some(_) | None => line,
    }
}

/// The role of numbers of this target: dim when they are too old.
pub fn number_role(target: &TargetState, context: PanelContext<'_>) -> Role {
    if target.freshness(context.now).is_old() { Role::Stale } else { Role::Text }
}

/// The session that `key` stands for, on any Postgres screen.
pub fn session<'a>(
    context: PanelContext<'a>,
    key: &RowKey,
) -> Option<(&'a TargetState, &'a PostgresState, &'a Session)> {
    let RowKey::Postgres(_, PgRow::Backend(id)) = key else { return None };
    let (target, state, reading) = reading(context, key)?;
    let session = reading.sessions.ready()?.iter().find(|session| session.id == *id)?;
    Some((target, state, session))
}

/// A duration, or a dash.
pub fn age(value: Option<Duration>) -> String {
    value.map_or_else(|| "—".to_owned(), duration)
}

/// How long its transaction has been open; that none is, where that can be told.
pub fn transaction(session: &Session) -> String {
    match (session.transaction_age, session.state) {
        (None, SessionState::Idle) => "none is open".to_owned(),
        (open, _) => format!("open for {}", age(open)),
    }
}

/// What a wait event means, in plain words; the most frequent ones.
pub fn wait_words(class: &str, event: &str) -> &'static str {
    match (class, event.to_ascii_lowercase().as_str()) {
        ("Lock", _) => "waits for a lock that another session holds",
        ("LWLock", "walwrite") => "waits for WAL to be written",
        ("LWLock", _) => "waits inside the server for shared memory",
        ("IO", "datafileread") => "reads a table or index from disk",
        ("IO", "walsync" | "walwrite") => "writes WAL to disk",
        ("IO", _) => "waits for the disk",
        ("IPC", "syncrep") => "waits for a synchronous standby to confirm",
        ("IPC", _) => "waits for another process of the server",
        ("Client", "clientread") => "waits for its client to send something",
        ("Client", "clientwrite") => "waits for its client to take the answer",
        ("Client", _) => "waits for its client",
        ("Timeout", "pgsleep") => "sleeps on purpose (pg_sleep)",
        ("Timeout", "vacuumdelay") => "vacuum pauses to spare the disk",
        ("Timeout", _) => "waits for a time to pass",
        ("BufferPin", _) => "waits for a page that another session uses",
        ("Activity", _) => "idle background process",
        _ => "",
    }
}

/// What a session is doing, in one short text: its state, what it waits for, and its parallel workers.
pub fn doing(session: &Session, workers: usize) -> String {
    let state = match session.state {
        SessionState::IdleInTransaction => "idle in tx",
        SessionState::IdleInTransactionAborted => "idle in tx (aborted)",
        SessionState::Active
        | SessionState::Idle
        | SessionState::Fastpath
        | SessionState::Disabled
        | SessionState::Unknown => session.state.words(),
    };
    let workers = if workers > 0 { format!(" +{workers}w") } else { String::new() };
    match &session.wait {
        // Every idle session waits for its client; that is not news.
        Some((class, event)) if session.state == SessionState::Active && class == "Timeout" => {
            let words = if event.eq_ignore_ascii_case("PgSleep") { "pg_sleep" } else { event };
            format!("sleeps ({words}){workers}")
        }
        Some((class, event)) if session.state == SessionState::Active && class != "Client" => {
            format!("{class}:{event}{workers}")
        }
        Some(_) | None => format!("{state}{workers}"),
    }
}

/// Why this session may not be signalled, if it may not.
pub fn refusal(
    context: PanelContext<'_>,
    target: &TargetState,
    state: &PostgresState,
    session: &Session,
    terminate: bool,
) -> Option<Refusal> {
    let server = &state.reading()?.server;
    if let Err(refusal) = current(context, target) {
        return Some(refusal);
    }
    if session.id.backend_start_micros == 0 {
        return Some(
            Refusal::new("the server does not tell this role when that session began, so a later one with its number could be hit")
                .remedy(server.permit()),
        );
    }
    if session.application == "stacktop" {
        return Some(Refusal::new("this is a connection of stacktop itself"));
    }
    if session.is_walsender() {
        return Some(Refusal::new("this feeds a copy: ending it breaks replication"));
    }
    if session.backend_type == "autovacuum worker" {
        let urgent = session.query.contains("to prevent wraparound");
        let why = if urgent {
            "this vacuum prevents wraparound; it would begin again at once"
        } else {
            "an autovacuum worker gives way by itself when somebody needs its lock"
        };
        return Some(Refusal::new(why));
    }
    if !session.is_client() && !session.backend_type.is_empty() {
        return Some(Refusal::new(format!("this is a {}, not a session of a client", session.backend_type)));
    }
    if session.superuser && !server.superuser {
        return Some(Refusal::new("only a superuser may signal a superuser's session"));
    }
    if let Some(gap) =
        server.untold(Fact::Rights).filter(|_| !server.superuser && session.user != server.role)
    {
        return Some(Refusal::new(format!(
            "nobody knows whether {} may signal it: {}",
            server.role, gap.note
        )));
    }
    if !server.superuser && !server.signals && session.user != server.role {
        return Some(
            Refusal::new(format!("{} may not signal the sessions of {}", server.role, session.user))
                .remedy(format!("GRANT pg_signal_backend TO {}", server.role)),
        );
    }
    if !terminate && session.state != SessionState::Active {
        return Some(Refusal::new(format!(
            "a cancel does nothing to a session that is {}; terminate would end it",
            session.state.words()
        )));
    }
    if !terminate && session.query_start_micros.is_none() {
        return Some(Refusal::new("the server does not say which statement it runs"));
    }
    None
}

/// The row that opens a statement's plan.
pub(super) fn plan_row(target: &TargetState, key: StatementKey) -> Row {
    let planned = Planned { query: key.query, user: key.user, database: key.database };
    Row::opens(
        look_key(target, Look::Plan(planned)),
        vec![
            Cell::text("plan"),
            Cell::of(Role::Muted, "how the server would run it; it is planned, not run"),
        ],
    )
}

/// The row that opens a look.
pub(super) fn look_key(target: &TargetState, look: Look) -> RowKey {
    RowKey::Postgres(target.id.clone(), PgRow::Look(look))
}
