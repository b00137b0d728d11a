//! What follows when a session ends: who is released, who moves up, who still waits.

use crate::core::postgres::blocking::{Aftermath, Who};
use crate::core::postgres::{PostgresState, Promise, describe};
use crate::core::text::counted;

pub(super) fn holder_name(state: &PostgresState, who: &Who) -> String {
    let sessions = state.reading().and_then(|reading| reading.sessions.ready());
    let session = sessions.into_iter().flatten().find(|session| Who::Backend(session.id) == *who);
    session.map_or_else(|| who.name(), describe)
}

/// "5301, 5302 and 410 more".
pub(super) fn names(list: &[Who]) -> String {
    let named: Vec<String> = list.iter().take(NAMED).map(Who::name).collect();
    let more = list.len().saturating_sub(NAMED);
    format!("{}{}", named.join(", "), if more > 0 { format!(" and {more} more") } else { String::new() })
}

/// Who is released, who moves up, who is still held and by whom.
pub(in crate::panels) fn facts(state: &PostgresState, after: &Aftermath) -> Vec<(String, String)> {
    let fact = |label: &str, value: String| (label.to_owned(), value);
    let mut facts = Vec::new();
    if !after.released.is_empty() {
        facts.push(fact("released", format!("at once: pid {}", names(&after.released))));
    }
    if !after.moves_up.is_empty() {
        let text = format!("pid {}: they wait for those, one after the other", names(&after.moves_up));
        facts.push(fact("moves up", text));
    }
    let mut held: Vec<(&Vec<Who>, Vec<Who>)> = Vec::new();
    for (who, by) in &after.held {
        match held.iter_mut().find(|(other, _)| *other == by) {
            Some((_, list)) => list.push(who.clone()),
            None => held.push((by, vec![who.clone()])),
        }
    }
    for (by, list) in held {
        let holders: Vec<String> = by.iter().take(NAMED).map(|who| holder_name(state, who)).collect();
        let more = by.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        facts.push(fact("still held", format!("pid {} by {}{more}", names(&list), holders.join(", "))));
    }
    if facts.is_empty() {
        // Locks that could not be read tell of nobody.
        let gap = state.reading().and_then(|reading| reading.locks.gap());
        let words = gap.map_or("nobody waits behind it".to_owned(), |gap| format!("not known: {}", gap.note));
        facts.push(fact("released", words));
    }
    let missing = state.reading().and_then(|reading| reading.locks.ready()).map(|locks| &locks.missing);
    facts.extend(missing.into_iter().flatten().map(|note| fact("not sure", note.clone())));
    facts
}

/// The same in the title of a dialog: " and release 1 session; 8 move up".
pub(in crate::panels) fn title(after: &Aftermath) -> String {
    let mut text = match (after.released.len(), after.held.len()) {
        (0, 0) => String::new(),
        (0, _) => " and release nobody".to_owned(),
        (many, _) => format!(" and release {}", counted(many, "session")),
    };
    match after.moves_up.len() {
        0 => {}
        1 => text.push_str("; 1 moves up"),
        many => text.push_str(&format!("; {many} move up")),
    }
    match after.held.len() {
        0 => {}
        1 => text.push_str("; 1 is still held by others"),
        many => text.push_str(&format!("; {many} are still held by others")),
    }
    text
}

/// What the operator is told, for the look afterwards.
pub(in crate::panels) fn promise(after: &Aftermath) -> Promise {
    let held = after.held.iter().map(|(who, _)| who);
    Promise {
        released: after.released.iter().filter_map(Who::pid).collect(),
        waiting: after.moves_up.iter().chain(held).filter_map(Who::pid).collect(),
    }
}

/// So many are named one by one; the others are counted.
pub(super) const NAMED: usize = 40;
