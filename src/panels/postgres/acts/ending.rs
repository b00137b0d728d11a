//! What may be done to a session that is in the way, and what would follow: who is released at once, who moves up, who is still held.

use crate::core::action::{Action, Offer, Preview, Refusal};
use crate::core::postgres::blocking::{Aftermath, Node, Who};
use crate::core::postgres::locks::PreparedTransaction;
use crate::core::postgres::{PgAction, PgRow, PostgresState, Session};
use crate::core::row::RowKey;
use crate::core::text::{counted, lasting};
use crate::core::world::TargetState;
use crate::panels::panel::PanelContext;
use crate::panels::postgres::acts::aftermath::{facts, holder_name, names, promise, title};
use crate::panels::postgres::acts::marked;
use crate::panels::postgres::target::{age, refusal, session, targets, transaction};
use crate::ui::content::{Line, Role};
use crate::ui::text::cut;

/// Columns of the name of an application in the menu.
const WHO: usize = 24;

/// What the lock tree adds to the card of a session.
pub(in crate::panels) fn card(node: &Node, state: &PostgresState) -> Vec<Line> {
    let fact =
        |label: &str, value: String| Line::of(Role::Muted, format!("{label:<14}")).then(Role::Strong, value);
    let mut lines = Vec::new();
    if let Some((mode, object)) = &node.wants {
        lines.push(fact("wants", format!("{} on {object}, waiting for {}", mode.words(), age(node.waiting))));
    }
    let holders = state.forest.graph.holders(&node.who);
    let mut queue = state.forest.graph.in_the_way(&node.who);
    queue.retain(|who| holders.iter().all(|(holder, ..)| holder != who));
    if !queue.is_empty() {
        lines.push(fact("queued behind", format!("pid {}", names(&queue))));
    }
    for (holder, mode, object) in holders {
        lines.push(fact("held by", format!("{}: {} on {object}", holder_name(state, &holder), mode.words())));
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
        let after = state.forest.graph.without(std::slice::from_ref(&node.who));
        lines.extend(facts(state, &after).into_iter().map(|(label, value)| fact(&label, value)));
    }
    let cycle = node.who.pid().and_then(|pid| state.forest.cycles.iter().find(|cycle| cycle.contains(&pid)));
    if let Some(cycle) = cycle {
        lines.push(fact("deadlock", format!("among {cycle:?}: the server breaks it after deadlock_timeout")));
    }
    lines
}

/// What may be done to the session of `key` (or to the marked ones), least harm first.
pub(in crate::panels) fn offers(context: PanelContext<'_>, key: &RowKey, marked: &[RowKey]) -> Vec<Offer> {
    let sessions: Vec<RowKey> =
        marked.iter().filter(|key| matches!(key, RowKey::Postgres(_, PgRow::Backend(_)))).cloned().collect();
    if !sessions.is_empty() {
        return marked::offers(context, key, &sessions);
    }
    if let RowKey::Postgres(id, PgRow::Prepared(gid)) = key {
        let Some((target, state)) = targets(context).into_iter().find(|(target, _)| target.id == *id) else {
            return Vec::new();
        };
        let head = queued(context, target, state, &Who::Prepared(gid.clone()));
        return head.into_iter().chain([prepared_offer(state, gid)]).collect();
    }
    let Some((target, state, session)) = session(context, key) else {
        return Vec::new();
    };
    let head = queued(context, target, state, &Who::Backend(session.id));
    let own = [offer(context, target, state, session, false), offer(context, target, state, session, true)];
    head.into_iter().chain(own).collect()
}

/// Where somebody's place in the queue stops others (a migration behind a reader): cancelling that one harms least and frees most.
fn queued(
    context: PanelContext<'_>,
    target: &TargetState,
    state: &PostgresState,
    who: &Who,
) -> Option<Offer> {
    let node = state.forest.queue_head(who).filter(|node| node.who != *who)?;
    let sessions = state.reading()?.sessions.ready()?;
    let head = sessions.iter().find(|session| Who::Backend(session.id) == node.who)?;
    let freed = counted(node.releases_if_cancelled, "session");
    let own = offer(context, target, state, head, false);
    Some(Offer {
        letter: 'd',
        label: format!("cancel pid {}, which waits and stops the queue", head.id.pid),
        effect: format!("releases {freed} at once; who holds the lock goes on"),
        ..own
    })
}

/// A prepared transaction of `state`: as the locks tell it, else as the look at health did.
pub(in crate::panels) fn prepared(state: &PostgresState, gid: &str) -> Option<PreparedTransaction> {
    let reading = state.reading()?;
    let told =
        reading.locks.ready().and_then(|locks| locks.prepared.iter().find(|prepared| prepared.gid == gid));
    told.cloned().or_else(|| {
        let list = reading.health.ready()?.prepared.ready()?;
        let (gid, owner, database, age) = list.iter().find(|(name, ..)| name == gid)?.clone();
        Some(PreparedTransaction { gid, xid: String::new(), owner, database, age })
    })
}

/// What is known of a prepared transaction, and the commands that end it.
pub(in crate::panels) fn prepared_card(state: &PostgresState, gid: &str) -> Vec<Line> {
    let fact =
        |label: &str, value: String| Line::of(Role::Muted, format!("{label:<14}")).then(Role::Text, value);
    let Some(prepared) = prepared(state, gid) else {
        let text = "its owner and its database could not be read (a prepared transaction that is gone, or a catalog that is locked)";
        return vec![Line::of(Role::Warning, text)];
    };
    let mut lines = vec![
        Line::text("It holds its locks without a session and survives a restart; no signal ends it."),
        fact("of", format!("{} in database {}", prepared.owner, prepared.database)),
        fact("prepared", format!("{} ago", lasting(prepared.age))),
        fact("undo it", prepared.rollback()),
        fact("keep it", prepared.commit()),
        fact("to be run", prepared.place()),
    ];
    let who = Who::Prepared(gid.to_owned());
    if let Some(node) = state.forest.nodes.iter().find(|node| node.who == who) {
        lines.extend(card(node, state));
    }
    lines
}

fn prepared_offer(state: &PostgresState, gid: &str) -> Offer {
    let why = "a prepared transaction has no process that could be signalled";
    let refusal = match prepared(state, gid) {
        Some(prepared) => Refusal::new(why).remedy(format!(
            "run {}: {} (or {})",
            prepared.place(),
            prepared.rollback(),
            prepared.commit()
        )),
        None => Refusal::new(why).remedy("look for it in pg_prepared_xacts"),
    };
    Offer {
        letter: 'r',
        label: "end the prepared transaction".to_owned(),
        effect: "only its owner or a superuser can, in its own database".to_owned(),
        choice: Err(refusal),
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
            let after = state.forest.graph.without(&[Who::Backend(session.id)]);
            let (backend, promise) = (session.id, promise(&after));
            let act = match (terminate, session.query_start_micros) {
                (false, Some(query_start_micros)) => {
                    PgAction::Cancel { backend, query_start_micros, promise }
                }
                (true, _) | (false, None) => PgAction::Terminate { backend, promise },
            };
            let preview = preview(state, session, &act, &after);
            Ok((Action::Postgres { target: target.id.clone(), act }, preview))
        },
        Err,
    );
    // A number alone says nothing to whoever comes from a finding.
    let who = if session.application.is_empty() { &session.user } else { &session.application };
    let label = format!("{label} {pid} ({})", cut(who, WHO));
    Offer { letter, label, effect: effect.to_owned(), choice, asks: None }
}

fn preview(state: &PostgresState, session: &Session, act: &PgAction, after: &Aftermath) -> Preview {
    let pid = session.id.pid;
    let terminate = matches!(act, PgAction::Terminate { .. });
    let verb = if terminate { "Terminate" } else { "Cancel the query of" };
    let fact = |label: &str, value: String| (label.to_owned(), value);
    let mut lines = vec![
        fact("who", format!("{} on {}, application {}", session.user, session.database, session.application)),
        fact(
            "from",
            if session.client.is_empty() { "a local socket".into() } else { session.client.clone() },
        ),
        fact("state", format!("{} for {}", session.state.words(), age(session.state_age))),
        fact("transaction", transaction(session)),
    ];
    if let Some((mode, object)) = state.forest.node(session.id).and_then(|node| node.holds.as_ref()) {
        lines.push(fact("holds", format!("{} on {object}", mode.words())));
    }
    lines.extend(facts(state, after));
    let lost = match (terminate, session.writes) {
        (true, true) => "its uncommitted work is rolled back (that can take as long as the work did)",
        (true, false) => "nothing was written; its connection is closed",
        (false, true) => "the statement fails; the transaction is aborted, its work so far is lost",
        (false, false) => "the statement fails with an error",
    };
    lines.push(fact("lost", lost.to_owned()));
    lines.push(fact("statement", quoted(&session.query)));
    Preview {
        title: format!("{verb} pid {pid}{}", title(after)),
        facts: lines,
        statement: act.statement(),
        confirm_key: if terminate { 't' } else { 'c' },
        severe: false,
        word: None,
    }
}

/// Characters of a running statement that a preview quotes: a server may send a megabyte, which nobody would scroll through.
const QUOTED: usize = 2000;

fn quoted(query: &str) -> String {
    let rest = query.chars().skip(QUOTED).count();
    if rest == 0 {
        return query.to_owned();
    }
    let first: String = query.chars().take(QUOTED).collect();
    format!("{first}… and {rest} more characters (its session, opened, shows all of it)")
}
