//! Who uses the connection slots: sessions by application, role, client, database and state, the idle ones too; to be ended from here.
//! All of it is from what was read already: a server without a free slot answers no new question.

use crate::core::action::Offer;
use crate::core::postgres::{ClientGroup, PgRow, PostgresReading, Session, SessionState};
use crate::core::row::RowKey;
use crate::core::text::counted;
use crate::core::world::TargetState;
use crate::panels::panel::PanelContext;
use crate::panels::postgres::acts::marked;
use crate::panels::postgres::sessions;
use crate::panels::postgres::target::{self, age, heading, number_role};
use crate::ui::content::{Cell, Column, Content, Line, Role, Row, Section, Table};
use crate::ui::format::whole;
use std::collections::BTreeMap;

fn group_key(target: &TargetState, session: &Session) -> RowKey {
    let group = ClientGroup {
        application: session.application.clone(),
        user: session.user.clone(),
        client: session.client.clone(),
        database: session.database.clone(),
        state: session.state.words(),
    };
    RowKey::Postgres(target.id.clone(), PgRow::ClientGroup(group))
}

/// Those who use a slot.
fn users(reading: &PostgresReading) -> impl Iterator<Item = &Session> {
    reading.sessions.ready().into_iter().flatten().filter(|session| session.may_be_client())
}

/// The row of the health screen that opens all of it.
pub(super) fn row(target: &TargetState, reading: &PostgresReading) -> Row {
    let all: Vec<&Session> = users(reading).collect();
    let count = |state: SessionState| all.iter().filter(|session| session.state == state).count();
    let words = match reading.sessions.ready() {
        Some(_) => {
            // Of others a role without rights sees no state: "0 idle" would be a claim.
            let idle = match reading.hidden() {
                Some(_) => String::new(),
                None => format!(", {} idle", count(SessionState::Idle)),
            };
            let all = counted(all.len(), "session");
            format!("{all}{idle}: by application, client and state, to be ended together")
        }
        None => "sessions cannot be read".to_owned(),
    };
    Row::opens(
        RowKey::Postgres(target.id.clone(), PgRow::Clients),
        vec![Cell::of(Role::Strong, "who uses the connections"), Cell::of(Role::Muted, words)],
    )
}

/// The groups, or the sessions of one.
pub(super) fn content(context: PanelContext<'_>, key: &RowKey) -> Content {
    let Some((target, state, reading)) = target::reading(context, key) else {
        let gone = vec![Line::text("this server has not answered yet")];
        return Content { title: String::new(), sections: vec![Section::lines("", gone)] };
    };
    let role = number_role(target, context);
    let mut lines = vec![heading(target, state, context)];
    lines.extend(reading.sessions.gap().map(|gap| Line::of(Role::Warning, &gap.note)));
    if let Some((_, PgRow::ClientGroup(group))) = key.postgres() {
        let ClientGroup { application, user, database, state, .. } = group;
        let title = format!("{} of {user} on {database}, {state}", named(application));
        let mut all: Vec<&Session> =
            users(reading).filter(|session| group_key(target, session) == *key).collect();
        all.sort_by_key(|session| std::cmp::Reverse(session.state_age));
        let section = sessions::sessions(target, &title, lines, &all, reading, role);
        return Content { title, sections: vec![section] };
    }
    if let Some(slots) = reading.slots.ready() {
        lines.push(Line::of(
            Role::Text,
            format!("{} of {} usable connections in use", slots.used, slots.usable()),
        ));
    }
    let ends = match context.forbids(&target.id) {
        Some(_) => String::new(),
        None => format!(", {} ends", context.keys.act),
    };
    let title = format!("Who uses the connections ({} lists{ends})", context.keys.open);
    let section = Section { title, lines, table: Some(groups(target, reading, role)) };
    Content { title: "connections".to_owned(), sections: vec![section] }
}

fn named(application: &str) -> &str {
    if application.is_empty() { "(no application name)" } else { application }
}

fn groups(target: &TargetState, reading: &PostgresReading, role: Role) -> Table {
    let mut groups: BTreeMap<RowKey, Vec<&Session>> = BTreeMap::new();
    for session in users(reading) {
        groups.entry(group_key(target, session)).or_default().push(session);
    }
    let mut groups: Vec<(RowKey, Vec<&Session>)> = groups.into_iter().collect();
    groups.sort_by_key(|(_, sessions)| std::cmp::Reverse(sessions.len()));
    let row = |(key, sessions): (RowKey, Vec<&Session>)| {
        let longest = sessions.iter().filter_map(|session| session.state_age).max();
        let first = sessions[0];
        let client = if first.client.is_empty() { "local, or not told" } else { &first.client };
        let state = if first.state.is_idle_in_transaction() { Role::Warning } else { role };
        let cells = vec![
            Cell::figure(Some(sessions.len() as f64), whole).role(role),
            Cell::of(Role::Strong, named(&first.application)),
            Cell::of(state, first.state.words()),
            Cell::number(longest.map(|age| age.as_secs_f64()), age(longest)).role(role),
            Cell::of(role, &first.user),
            Cell::of(Role::Muted, client),
            Cell::of(Role::Muted, &first.database),
        ];
        Row::opens(key, cells)
    };
    Table {
        columns: vec![
            Column::number("sessions", 8, 0).changing(),
            Column::flex("application", 18, 0),
            Column::fixed("state", 19, 0),
            Column::number("longest", 7, 1),
            Column::fixed("user", 12, 2),
            Column::fixed("client", 18, 3),
            Column::fixed("database", 12, 4),
        ],
        rows: groups.into_iter().map(row).collect(),
        empty: if reading.sessions.ready().is_some() { "no client is connected" } else { "not known" }
            .to_owned(),
        fixed_order: false,
    }
}

/// What may be done to all sessions of a group (or of the marked ones), each pinned as it was seen.
pub(super) fn offers(context: PanelContext<'_>, row: &RowKey, marked: &[RowKey]) -> Vec<Offer> {
    let Some((target, _, reading)) = target::reading(context, row) else { return Vec::new() };
    let own = std::slice::from_ref(row);
    let chosen = if marked.iter().any(|key| key.is_like(row)) { marked } else { own };
    let keys: Vec<RowKey> = users(reading)
        .filter(|session| chosen.contains(&group_key(target, session)))
        .map(|session| RowKey::backend(&target.id, session.id))
        .collect();
    let mut offers = marked::offers(context, row, &keys);
    for offer in &mut offers {
        let many = counted(keys.len(), "session");
        offer.label = if offer.letter == 't' {
            format!("terminate {many}")
        } else {
            format!("cancel what {many} {}", if keys.len() == 1 { "runs" } else { "run" })
        };
    }
    offers
}
