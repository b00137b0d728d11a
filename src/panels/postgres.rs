//! What the four Postgres screens share: the targets with their freshness, a session's card, and what may be done to a session.

use super::{PanelContext, several};
use crate::core::action::{Action, Offer, Preview, Refusal};
use crate::core::freshness::Freshness;
use crate::core::place::RowKey;
use crate::core::postgres::blocking::{Node, Who};
use crate::core::postgres::{BackendId, PgAction, PostgresReading, PostgresState, Session, SessionState};
use crate::core::world::{SystemState, TargetState};
use crate::ui::content::{Line, Role};
use crate::ui::format::duration;
use std::time::Duration;

/// Every Postgres target with what is known of it.
pub fn targets(context: PanelContext<'_>) -> Vec<(&TargetState, &PostgresState)> {
    context
        .world
        .targets()
        .iter()
        .filter_map(|target| match &target.system {
            SystemState::Postgres(state) => Some((target, &**state)),
            SystemState::Redis(_)
            | SystemState::Search(_)
            | SystemState::Prometheus(_)
            | SystemState::Metrics(_) => None,
        })
        .collect()
}

/// The target named `id` and its newest reading.
pub fn reading<'a>(
    context: PanelContext<'a>,
    id: &str,
) -> Option<(&'a TargetState, &'a PostgresState, &'a PostgresReading)> {
    let (target, state) = targets(context).into_iter().find(|(target, _)| target.id.as_str() == id)?;
    Some((target, state, state.reading()?))
}

/// "pg-main · 15.18 primary · 2 s old", in the role of its age.
pub fn heading(target: &TargetState, state: &PostgresState, context: PanelContext<'_>) -> Line {
    let freshness = target.freshness(context.now);
    let line = Line::of(Role::Strong, format!("{} ", target.id));
    let line = match state.reading() {
        Some(reading) => {
            let role = if reading.server.in_recovery { "standby" } else { "primary" };
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
            line.then(Role::Note, " · sees only its own sessions: GRANT pg_monitor")
        }
        Some(_) | None => line,
    }
}

/// The role of numbers of this target: dim when they are too old.
pub fn number_role(target: &TargetState, context: PanelContext<'_>) -> Role {
    if target.freshness(context.now).is_lost() { Role::Stale } else { Role::Text }
}

/// The session that `key` stands for, on any Postgres screen.
pub fn session<'a>(
    context: PanelContext<'a>,
    key: &RowKey,
) -> Option<(&'a TargetState, &'a PostgresState, &'a Session)> {
    if key.kind() != "backend" {
        return None;
    }
    let (target, state, reading) = reading(context, key.segment(1))?;
    let id =
        BackendId { pid: key.segment(2).parse().ok()?, backend_start_micros: key.segment(3).parse().ok()? };
    let session = reading.sessions.ready()?.iter().find(|session| session.id == id)?;
    Some((target, state, session))
}

/// A duration, or a dash.
pub fn age(value: Option<Duration>) -> String {
    value.map_or_else(|| "—".to_owned(), duration)
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
        ("Timeout", _) => "sleeps on purpose",
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
        Some((class, event)) if session.state == SessionState::Active && class != "Client" => {
            format!("{class}:{event}{workers}")
        }
        Some(_) | None => format!("{state}{workers}"),
    }
}

/// A card about one session: who, what, since when, what it holds, who is behind.
pub fn card(state: &PostgresState, session: &Session) -> Vec<Line> {
    let fact =
        |label: &str, value: String| Line::of(Role::Muted, format!("{label:<14}")).then(Role::Text, value);
    let mut lines = vec![
        fact("who", format!("{} on {} as {}", session.user, session.database, session.application)),
        fact(
            "from",
            if session.client.is_empty() { "a local socket".into() } else { session.client.clone() },
        ),
        fact("state", format!("{} for {}", session.state.words(), age(session.state_age))),
        fact("transaction", format!("open for {}", age(session.transaction_age))),
        fact("statement", format!("began {} ago", age(session.query_age))),
    ];
    lines.extend(state.latest.as_ref().and_then(|(at, reading)| {
        let pooler = reading.pooler.ready()?;
        let client = pooler.clients.get(&session.id.pid)?;
        // A pool gives a backend to another client with every transaction; within one it stays.
        let same = session.transaction_age.is_some_and(|age| age >= at.since(pooler.clients_at));
        let asked = format!("{client} ({} ago)", duration(at.since(pooler.clients_at)));
        Some(fact("via PgBouncer", if same { client.clone() } else { asked }))
    }));
    if let Some((class, event)) = &session.wait {
        lines.push(fact("waits for", format!("{class}:{event}, {}", wait_words(class, event))));
    }
    let sessions = state.reading().and_then(|reading| reading.sessions.ready());
    for worker in sessions.into_iter().flatten().filter(|worker| worker.leader_pid == Some(session.id.pid)) {
        lines.push(fact("worker", format!("pid {}, {}", worker.id.pid, doing(worker, 0))));
    }
    let writes = if session.writes { "has written: a rollback undoes it" } else { "has written nothing" };
    lines.push(fact("writes", writes.to_owned()));
    if let Some(xmin) = session.xmin_age {
        lines.push(fact("holds vacuum", format!("back by {xmin} transactions")));
    }
    if let Some(node) = state.forest.node(session.id) {
        lines.extend(node_facts(node, state));
    }
    lines
}

fn node_facts(node: &Node, state: &PostgresState) -> Vec<Line> {
    let fact =
        |label: &str, value: String| Line::of(Role::Muted, format!("{label:<14}")).then(Role::Strong, value);
    let mut lines = Vec::new();
    if let Some((mode, object)) = &node.wants {
        lines.push(fact("wants", format!("{} on {object}, waiting for {}", mode.words(), age(node.waiting))));
    }
    if let Some((mode, object)) = &node.holds {
        lines.push(fact("holds", format!("{} on {object}", mode.words())));
    }
    if node.victims > 0 {
        let longest = age(node.longest);
        lines.push(fact(
            "blocks",
            format!("{} directly, {} in all, the longest for {longest}", node.direct, node.victims),
        ));
    }
    if node.releases_if_cancelled > 0 {
        let text = format!("cancelling it releases {} sessions at once", node.releases_if_cancelled);
        lines.push(fact("queued DDL", text));
    }
    let cycle = match &node.who {
        Who::Backend(id) => state.forest.cycles.iter().find(|cycle| cycle.contains(&id.pid)),
        Who::Prepared(_) | Who::Gone(_) => None,
    };
    if let Some(cycle) = cycle {
        lines.push(fact("deadlock", format!("with {cycle:?}: the server breaks it after deadlock_timeout")));
    }
    lines
}

/// What may be done to the session of `key` (or to the marked ones), least harm first.
pub fn offers(context: PanelContext<'_>, key: &RowKey, marked: &[RowKey]) -> Vec<Offer> {
    let sessions: Vec<RowKey> = marked.iter().filter(|key| key.kind() == "backend").cloned().collect();
    if !sessions.is_empty() {
        return several::offers(context, key, &sessions);
    }
    if key.kind() == "prepared" {
        return vec![prepared_offer(key)];
    }
    let Some((target, state, session)) = session(context, key) else {
        return Vec::new();
    };
    vec![offer(context, target, state, session, false), offer(context, target, state, session, true)]
}

fn prepared_offer(key: &RowKey) -> Offer {
    let gid = key.segment(2).replace('\'', "''");
    Offer {
        letter: 'r',
        label: "end the prepared transaction".to_owned(),
        effect: "only its owner or a superuser can, in its own database".to_owned(),
        choice: Err(Refusal::new("a prepared transaction has no process that could be signalled")
            .remedy(format!("run there: ROLLBACK PREPARED '{gid}' (or COMMIT PREPARED '{gid}')"))),
        asks: None,
    }
}

fn offer(
    context: PanelContext<'_>,
    target: &TargetState,
    state: &PostgresState,
    session: &Session,
    terminate: bool,
) -> Offer {
    let pid = session.id.pid;
    let (letter, label, effect) = if terminate {
        ('t', "terminate backend", "ends the session; its transaction is rolled back")
    } else {
        ('c', "cancel query", "stops the running statement; the session stays")
    };
    let choice = refusal(context, target, state, session, terminate).map_or_else(
        || {
            let act = match (terminate, session.query_start_micros) {
                (false, Some(query_start_micros)) => {
                    PgAction::Cancel { backend: session.id, query_start_micros }
                }
                (true, _) | (false, None) => PgAction::Terminate { backend: session.id },
            };
            let preview = preview(state, session, &act, terminate);
            Ok((Action::Postgres { target: target.id.clone(), act }, preview))
        },
        Err,
    );
    Offer { letter, label: format!("{label} {pid}"), effect: effect.to_owned(), choice, asks: None }
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
    if target.freshness(context.now).is_lost() {
        return Some(
            Refusal::new("the data is too old to act on").remedy("wait until the source answers again"),
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

fn preview(state: &PostgresState, session: &Session, act: &PgAction, terminate: bool) -> Preview {
    let pid = session.id.pid;
    let victims = state.forest.node(session.id).map_or(0, |node| node.victims);
    let verb = if terminate { "Terminate" } else { "Cancel the query of" };
    let releases = match victims {
        0 => String::new(),
        1 => " and release 1 session".to_owned(),
        many => format!(" and release {many} sessions"),
    };
    let fact = |label: &str, value: String| (label.to_owned(), value);
    let mut facts = vec![
        fact("who", format!("{} on {}, application {}", session.user, session.database, session.application)),
        fact(
            "from",
            if session.client.is_empty() { "a local socket".into() } else { session.client.clone() },
        ),
        fact("state", format!("{} for {}", session.state.words(), age(session.state_age))),
        fact("transaction", format!("open for {}", age(session.transaction_age))),
    ];
    if let Some((mode, object)) = state.forest.node(session.id).and_then(|node| node.holds.as_ref()) {
        facts.push(fact("holds", format!("{} on {object}", mode.words())));
    }
    facts.push(fact("released", released(state, session)));
    let lost = match (terminate, session.writes) {
        (true, true) => "its uncommitted work is rolled back (that can take as long as the work did)",
        (true, false) => "nothing was written; its connection is closed",
        (false, true) => "the statement fails; the transaction is aborted, its work so far is lost",
        (false, false) => "the statement fails with an error",
    };
    facts.push(fact("lost", lost.to_owned()));
    facts.push(fact("statement", session.query.clone()));
    Preview {
        title: format!("{verb} pid {pid}{releases}"),
        facts,
        statement: act.statement(),
        confirm_key: if terminate { 't' } else { 'c' },
        severe: false,
        word: None,
    }
}

/// Who is released, by pid; the first ones by name.
fn released(state: &PostgresState, session: &Session) -> String {
    let below = state.forest.below(&Who::Backend(session.id));
    if below.is_empty() {
        return "nobody waits behind it".to_owned();
    }
    let pids: Vec<String> = below
        .iter()
        .take(12)
        .map(|node| match &node.who {
            Who::Backend(id) => id.pid.to_string(),
            Who::Prepared(gid) => gid.clone(),
            Who::Gone(pid) => pid.to_string(),
        })
        .collect();
    let more = if below.len() > 12 { format!(" and {} more", below.len() - 12) } else { String::new() };
    format!("{} waiting: pid {}{more}", below.len(), pids.join(", "))
}
