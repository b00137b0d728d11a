//! One session as lines: who, what, since when, and what it holds.

use crate::core::postgres::{PostgresState, Session};
use crate::panels::postgres::acts::ending;
use crate::panels::postgres::target::{age, doing, transaction, wait_words};
use crate::ui::content::{Line, Role};
use crate::ui::format::duration;

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
        fact("transaction", transaction(session)),
        fact("statement", format!("began {} ago", age(session.query_age))),
    ];
    lines.extend(state.latest.as_ref().and_then(|(at, reading)| {
        let pooler = reading.pooler.ready()?;
        let client = pooler.clients.get(&session.id.pid)?;
        // A pool gives a backend to another client with every transaction; within one it stays.
        let same = session.transaction_age.is_some_and(|age| age >= at.since(pooler.clients.read_at));
        let asked = format!("{client} ({} ago)", duration(at.since(pooler.clients.read_at)));
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
        lines.extend(ending::card(node, state));
    }
    lines
}
