//! Screen 2: who blocks whom. Each root stands first, with everybody who waits behind it below.

use crate::core::action::Offer;
use crate::core::place::Screen;
use crate::core::postgres::blocking::{Edge, Node, Who};
use crate::core::postgres::rows::rows;
use crate::core::postgres::{PgRow, PostgresState, Session};
use crate::core::row::RowKey;
use crate::core::text::counted;
use crate::core::world::TargetState;
use crate::panels::panel::{self, Panel, PanelContext};
use crate::panels::postgres::acts::ending;
use crate::panels::postgres::card;
use crate::panels::postgres::target::{self, age, doing, heading, number_role};
use crate::ui::content::{Cell, Column, Content, Line, Role, Row, Section, Table};
use std::time::Duration;

/// Further holders that a row names.
const OTHERS: usize = 6;

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
        let sections: Vec<Section> = target::targets(context)
            .into_iter()
            .map(|(target, state)| trees(target, state, context))
            .collect();
        panel::screen(sections, "no Postgres target is configured")
    }

    fn offers(
        &self,
        context: PanelContext<'_>,
        _path: &[RowKey],
        row: &RowKey,
        marked: &[RowKey],
    ) -> Vec<Offer> {
        ending::offers(context, row, marked)
    }

    fn copy(&self, context: PanelContext<'_>, _path: &[RowKey], row: &RowKey) -> Option<String> {
        let (_, of) = row.postgres()?;
        if let PgRow::Prepared(gid) = of {
            let (_, state, _) = target::reading(context, row)?;
            return Some(ending::prepared(state, gid)?.rollback());
        }
        Some(of.name())
    }
}

/// The columns of a tree, on the screen and in a session's card.
fn columns() -> Vec<Column> {
    vec![
        Column::flex("pid", 12, 0),
        Column::flex("user", 8, 1),
        Column::flex("application", 12, 2),
        Column::fixed("state", 18, 3).below(),
        Column::number("tx age", 7, 4),
        Column::number("waits", 7, 1),
        Column::number("blocks", 6, 0).changing(),
        Column::flex("thing", 18, 0),
        Column::flex("lock", 22, 5).below(),
        Column::flex("last statement", 20, 6).below(),
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
    if state.waiting().is_none() {
        // Nothing is known: "nobody waits" would be a claim.
        return Section::lines("", lines);
    }
    let missing = state.reading().and_then(|reading| reading.locks.ready()).map(|locks| &locks.missing);
    lines.extend(missing.into_iter().flatten().map(|note| Line::of(Role::Warning, note)));
    let role = number_role(target, context);
    let rows = state.forest.nodes.iter().map(|node| row(target, state, node, role)).collect();
    let roots = state.forest.roots().count();
    let beside = state.forest.nodes.iter().filter(|node| node.edge == Edge::AlsoHolds).count();
    let waiting = state.waiting().unwrap_or_default();
    if waiting > 0 {
        let who =
            if waiting == 1 { "1 session waits".to_owned() } else { format!("{waiting} sessions wait") };
        let also = match beside {
            0 => String::new(),
            1 => ", 1 more holds on beside".to_owned(),
            many => format!(", {many} more hold on beside"),
        };
        lines.push(Line::of(Role::Warning, format!("{who} behind {}{also}", counted(roots, "root"))));
        let shown = state.forest.graph.waiting();
        if shown < waiting {
            let are = if shown == 1 { "is" } else { "are" };
            lines.push(Line::of(Role::Warning, format!("{shown} of them {are} shown")));
        }
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
        Who::Backend(id) => (RowKey::backend(&target.id, *id), id.pid.to_string()),
        Who::Prepared(gid) => (RowKey::prepared(&target.id, gid), format!("prepared {gid}")),
        Who::Gone(pid) => (RowKey::Postgres(target.id.clone(), PgRow::Gone(*pid)), format!("{pid} (gone)")),
    };
    let branch = match (node.depth, node.edge) {
        (0, _) => String::new(),
        (depth, Edge::QueuedBehind) => format!("{}└~ ", "  ".repeat(depth - 1)),
        (depth, _) => format!("{}└─ ", "  ".repeat(depth - 1)),
    };
    let thing = thing(state, node);
    let what = match (&node.holds, &node.wants) {
        (Some((mode, object)), None) if node.edge == Edge::AlsoHolds => {
            format!("also holds {} on {object}", mode.words())
        }
        (_, Some((mode, object))) => format!("wants {} on {object}", mode.words()),
        (Some((mode, object)), None) => format!("holds {} on {object}", mode.words()),
        (None, None) => String::new(),
    };
    let what = if node.releases_if_cancelled > 0 {
        format!("{what} (cancel releases {})", node.releases_if_cancelled)
    } else {
        what
    };
    let what = format!("{}{what}", others(&node.others));
    let own = match (node.depth, node.edge, role) {
        (0, Edge::AlsoHolds, Role::Text) => Role::Warning,
        (0, _, Role::Text) => Role::Critical,
        _ => role,
    };
    let text = |pick: fn(&Session) -> String| session.map(pick).unwrap_or_default();
    // Numbers, not only their words: filters compare them.
    let lasting = |span: Option<Duration>, none: &str| {
        Cell::number(
            span.map(|span| span.as_secs_f64()),
            span.map_or(none.to_owned(), |span| age(Some(span))),
        )
    };
    let blocks = if node.victims > 0 { node.victims.to_string() } else { String::new() };
    let cells = vec![
        Cell::of(own, format!("{branch}{name}")),
        Cell::of(role, text(|session| session.user.clone())),
        Cell::of(Role::Muted, text(|session| session.application.clone())),
        Cell::of(role, text(|session| doing(session, 0))),
        lasting(session.and_then(|session| session.transaction_age), "—").role(role),
        lasting(node.waiting, "").role(role),
        Cell::number(Some(node.victims as f64), blocks).role(own),
        Cell::of(role, thing),
        Cell::of(role, what),
        Cell::of(Role::Muted, text(|session| session.query.to_string())),
    ];
    let row = Row::opens(key, cells);
    // Who only waits is told on one line.
    let only_waits = node.depth > 0 && node.others.is_empty() && node.releases_if_cancelled == 0;
    if only_waits { row.brief() } else { row }
}

/// What the lock of `node` is about: where the server numbers a row or a transaction, the rows that the statement behind it is about. What
/// a root did is in its past; those who wait for it say now what they want.
fn thing(state: &PostgresState, node: &Node) -> String {
    let (object, who) = match (&node.holds, &node.wants) {
        (_, Some((_, object))) if node.edge != Edge::AlsoHolds => (object, Some(&node.who)),
        (Some((_, object)), _) => {
            let wants_it = |below: &&&Node| below.wants.as_ref().is_some_and(|(_, wanted)| wanted == object);
            let below = state.forest.below(&node.who);
            (object, below.iter().find(wants_it).map(|waiter| &waiter.who))
        }
        (None, Some((_, object))) => (object, Some(&node.who)),
        (None, None) => return String::new(),
    };
    if !(object.starts_with("transaction ") || object.starts_with("row ")) {
        return object.clone();
    }
    let sessions = state.reading().and_then(|reading| reading.sessions.ready());
    let session = sessions.zip(who).and_then(|(all, who)| match who {
        Who::Backend(id) => all.iter().find(|session| session.id == *id),
        Who::Prepared(_) | Who::Gone(_) => None,
    });
    session.and_then(|session| rows(&session.query)).unwrap_or_else(|| object.clone())
}

/// "+2 more holders: 4712, 4713 · ".
fn others(others: &[Who]) -> String {
    if others.is_empty() {
        return String::new();
    }
    let named: Vec<String> = others.iter().take(OTHERS).map(Who::name).collect();
    let more = if others.len() > OTHERS { ", …" } else { "" };
    let noun = if others.len() == 1 { "holder" } else { "holders" };
    format!("+{} more {noun}: {}{more} · ", others.len(), named.join(", "))
}

fn detail(context: PanelContext<'_>, key: &RowKey) -> Content {
    let title = match key.postgres() {
        Some((_, PgRow::Prepared(gid))) => format!("prepared {gid}"),
        Some((_, row)) => format!("backend {}", row.name()),
        None => String::new(),
    };
    if let Some((_, PgRow::Prepared(gid))) = key.postgres()
        && let Some((target, state, _)) = target::reading(context, key)
    {
        let mut lines = vec![heading(target, state, context)];
        lines.extend(ending::prepared_card(state, gid));
        let mut sections = vec![Section::lines(title.clone(), lines)];
        sections.extend(tree_of(target, state, &Who::Prepared(gid.clone())));
        return Content { title, sections };
    }
    let Some((target, state, session)) = target::session(context, key) else {
        let gone = vec![Line::text("this session is not there any more")];
        return Content { title: title.clone(), sections: vec![Section::lines(title, gone)] };
    };
    let mut lines = vec![heading(target, state, context)];
    lines.extend(card::card(state, session));
    let query = crate::ui::text::clean_lines(&session.query).into_iter().map(Line::text).collect();
    let statement = Section::lines("Last statement", query).private();
    let mut sections = vec![Section::lines(title.clone(), lines), statement];
    sections.extend(tree_of(target, state, &Who::Backend(session.id)));
    Content { title, sections }
}

/// It and everybody below it; itself first and selected: `x` here is about it, not about a victim.
fn tree_of(target: &TargetState, state: &PostgresState, who: &Who) -> Option<Section> {
    let behind = state.forest.below(who);
    let itself = state.forest.nodes.iter().find(|node| node.who == *who).filter(|_| !behind.is_empty())?;
    let rows =
        std::iter::once(itself).chain(behind).map(|node| row(target, state, node, Role::Text)).collect();
    let table = Table { columns: columns(), rows, empty: String::new(), fixed_order: true };
    Some(Section::table("It, and who waits behind it", table))
}
