//! Screen 2: who blocks whom. Each root stands first, with everybody who waits behind it below.

use super::postgres::{self, age, doing, heading, number_role};
use super::{Panel, PanelContext};
use crate::core::action::Offer;
use crate::core::place::{RowKey, Screen};
use crate::core::postgres::blocking::{Edge, Node, Who};
use crate::core::postgres::{PostgresReading, PostgresState, Session, backend_key, prepared_key};
use crate::core::world::TargetState;
use crate::ui::content::{Cell, Column, Content, Line, Role, Row, Section, Table};

/// The blocking screen.
#[derive(Clone, Copy, Debug)]
pub struct Blocking;

impl Panel for Blocking {
    fn screen(&self) -> Screen {
        Screen::Blocking
    }

    fn title(&self) -> &'static str {
        "blocking"
    }

    fn help(&self) -> &'static str {
        "who blocks whom: each root with everybody who waits behind it"
    }

    fn content(&self, context: PanelContext<'_>, path: &[RowKey]) -> Content {
        if let Some(key) = path.last() {
            return detail(context, key);
        }
        let mut sections: Vec<Section> = postgres::targets(context)
            .into_iter()
            .map(|(target, state)| trees(target, state, context))
            .collect();
        if sections.is_empty() {
            sections
                .push(Section::lines("", vec![Line::of(Role::Muted, "no Postgres target is configured")]));
        }
        Content { title: String::new(), sections }
    }

    fn offers(
        &self,
        context: PanelContext<'_>,
        _path: &[RowKey],
        row: &RowKey,
        marked: &[RowKey],
    ) -> Vec<Offer> {
        postgres::offers(context, row, marked)
    }

    fn copy(&self, _context: PanelContext<'_>, _path: &[RowKey], row: &RowKey) -> Option<String> {
        Some(row.segment(2).to_owned())
    }
}

/// The columns of a tree, on the screen and in a session's card.
fn columns() -> Vec<Column> {
    vec![
        Column::flex("pid", 16, 0),
        Column::fixed("user", 11, 2),
        Column::fixed("application", 13, 5),
        Column::fixed("state", 18, 1),
        Column::number("tx age", 7, 3),
        Column::number("waits", 7, 1),
        Column::number("blocks", 6, 0),
        Column::flex("holds, or wants", 22, 1),
        Column::flex("last statement", 20, 4),
    ]
}

fn trees(target: &TargetState, state: &PostgresState, context: PanelContext<'_>) -> Section {
    let mut lines = vec![heading(target, state, context)];
    for cycle in &state.forest.cycles {
        let text = format!("deadlock among {cycle:?}: the server breaks it after deadlock_timeout");
        lines.push(Line::of(Role::Critical, text));
    }
    if let Some(gap) = state.reading().and_then(|reading| reading.locks.gap()) {
        lines.push(Line::of(Role::Warning, &gap.note));
    }
    // Locks are asked for only while somebody waits for one, which the sessions tell.
    let known =
        |reading: &PostgresReading| reading.sessions.ready().is_some() && reading.locks.gap().is_none();
    if !state.reading().is_some_and(known) {
        // Nothing is known: "nobody waits" would be a claim.
        return Section::lines("", lines);
    }
    let role = number_role(target, context);
    let rows = state.forest.nodes.iter().map(|node| row(target, state, node, role)).collect();
    let roots = state.forest.roots().count();
    let victims: usize = state.forest.roots().map(|root| root.victims).sum();
    if victims > 0 {
        let who =
            if victims == 1 { "1 session waits".to_owned() } else { format!("{victims} sessions wait") };
        let text = format!("{who} behind {roots} root{}", if roots == 1 { "" } else { "s" });
        lines.push(Line::of(Role::Warning, text));
    }
    let table =
        Table { columns: columns(), rows, empty: "nobody waits for a lock".to_owned(), fixed_order: true };
    Section { title: String::new(), lines, table: Some(table) }
}

fn row(target: &TargetState, state: &PostgresState, node: &Node, role: Role) -> Row {
    let sessions = state.reading().and_then(|reading| reading.sessions.ready());
    let session: Option<&Session> = match &node.who {
        Who::Backend(id) => sessions.and_then(|all| all.iter().find(|session| session.id == *id)),
        Who::Prepared(_) | Who::Gone(_) => None,
    };
    let (key, name) = match &node.who {
        Who::Backend(id) => (backend_key(target.id.as_str(), *id), id.pid.to_string()),
        Who::Prepared(gid) => (prepared_key(target.id.as_str(), gid), format!("prepared {gid}")),
        Who::Gone(pid) => {
            (RowKey::new(&["gone", target.id.as_str(), &pid.to_string()]), format!("{pid} (gone)"))
        }
    };
    let branch = match (node.depth, node.edge) {
        (0, _) => String::new(),
        (depth, Edge::QueuedBehind) => format!("{}└~ ", "  ".repeat(depth - 1)),
        (depth, _) => format!("{}└─ ", "  ".repeat(depth - 1)),
    };
    let what = match (&node.holds, &node.wants) {
        (Some((mode, object)), _) if node.depth == 0 => format!("holds {} on {object}", mode.words()),
        (_, Some((mode, object))) => format!("wants {} on {object}", mode.words()),
        (Some((mode, object)), None) => format!("holds {} on {object}", mode.words()),
        (None, None) => String::new(),
    };
    let what = if node.releases_if_cancelled > 0 {
        format!("{what} (cancel releases {})", node.releases_if_cancelled)
    } else {
        what
    };
    let own = if node.depth == 0 && role == Role::Text { Role::Critical } else { role };
    let text = |pick: fn(&Session) -> String| session.map(pick).unwrap_or_default();
    let blocks = if node.victims > 0 { node.victims.to_string() } else { String::new() };
    let cells = vec![
        Cell::of(own, format!("{branch}{name}")),
        Cell::of(role, text(|session| session.user.clone())),
        Cell::of(Role::Muted, text(|session| session.application.clone())),
        Cell::of(role, text(|session| doing(session, 0))),
        Cell::of(role, age(session.and_then(|session| session.transaction_age))),
        Cell::of(role, node.waiting.map_or(String::new(), |wait| age(Some(wait)))),
        Cell::of(own, blocks),
        Cell::of(role, what),
        Cell::of(Role::Muted, text(|session| session.query.clone())),
    ];
    Row::opens(key, cells)
}

fn detail(context: PanelContext<'_>, key: &RowKey) -> Content {
    let title = format!("{} {}", key.kind(), key.segment(2));
    let Some((target, state, session)) = postgres::session(context, key) else {
        let text = match key.kind() {
            "prepared" => {
                "A prepared transaction holds locks without a session and survives a restart. It ends with \
                           COMMIT PREPARED or ROLLBACK PREPARED, by its owner, in its database."
            }
            _ => "this session is not there any more",
        };
        return Content {
            title: title.clone(),
            sections: vec![Section::lines(title, vec![Line::text(text)])],
        };
    };
    let mut lines = vec![heading(target, state, context)];
    lines.extend(postgres::card(state, session));
    let query = crate::ui::text::clean_lines(&session.query).into_iter().map(Line::text).collect();
    // The session itself stands first and is selected: `x` here is about it, not about a victim.
    let behind = state.forest.below(&Who::Backend(session.id));
    let itself = state.forest.node(session.id).filter(|_| !behind.is_empty());
    let below: Vec<Row> =
        itself.into_iter().chain(behind).map(|node| row(target, state, node, Role::Text)).collect();
    let mut sections = vec![Section::lines(title.clone(), lines), Section::lines("Last statement", query)];
    if !below.is_empty() {
        let table = Table { columns: columns(), rows: below, empty: String::new(), fixed_order: true };
        sections.push(Section::table("It, and who waits behind it", table));
    }
    Content { title, sections }
}
