//! What a look at the shop's primary would find: what the sessions tell. The rest is not acted out, and says so.

use crate::core::focus::Focus;
use crate::core::part::{Gap, GapKind, Part};
use crate::core::postgres::{Look, Looked, Session, SqlTable};
use crate::core::time::Now;
use std::time::Duration;

/// Everything of `focus` that is a look, answered from `sessions`.
pub(super) fn looks(sessions: &[Session], now: Now, focus: &[Focus]) -> Vec<Looked> {
    focus
        .iter()
        .filter_map(Focus::look)
        .map(|look| Looked { look: look.clone(), table: table(look, sessions, now), asking: false })
        .collect()
}

fn table(look: &Look, sessions: &[Session], now: Now) -> Part<SqlTable> {
    let (columns, rows) = match look {
        Look::Topic(id) if id == "horizon" => horizon(sessions),
        Look::Topic(_) | Look::Panel(_) | Look::Plan(_) => {
            let note = "the embedded stack does not act this out; a real server answers here";
            return Part::Unavailable(Gap::new(GapKind::NotSupported, note));
        }
    };
    let columns = columns.iter().map(|name| (*name).to_owned()).collect();
    let place = "database shop".to_owned();
    Part::Ready(SqlTable { at: now, took: Duration::from_millis(2), place, columns, rows, truncated: false })
}

type Rows = Vec<Vec<Option<String>>>;

fn horizon(sessions: &[Session]) -> (&'static [&'static str], Rows) {
    let mut holders: Vec<&Session> = sessions.iter().filter(|session| session.xmin_age.is_some()).collect();
    holders.sort_by_key(|session| std::cmp::Reverse(session.xmin_age));
    let rows = holders
        .into_iter()
        .map(|session| {
            let remedy = if session.state.is_idle_in_transaction() {
                "terminate its session"
            } else {
                "wait for it, or cancel its statement"
            };
            vec![
                Some(format!("session {}", session.id.pid)),
                Some(format!("{} of {}", session.state.words(), session.user)),
                session.xmin_age.map(|age| age.to_string()),
                session.transaction_age.map(|age| age.as_secs().to_string()),
                Some(remedy.to_owned()),
            ]
        })
        .collect();
    (&["holder", "kind", "transactions", "open_seconds", "remedy"], rows)
}
