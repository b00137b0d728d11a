//! Sessions as a list, and one of them as a page.

use crate::core::postgres::{PostgresReading, Session, SessionState, StatementDelta};
use crate::core::row::RowKey;
use crate::core::world::TargetState;
use crate::panels::panel::PanelContext;
use crate::panels::postgres::card;
use crate::panels::postgres::statements::{statement_row, statement_table};
use crate::panels::postgres::target::{self, doing, heading};
use crate::ui::content::{Cell, Column, Content, Line, Role, Row, Section, Table};
use crate::ui::format::{duration, in_seconds, whole};
use crate::ui::sql;
use std::collections::BTreeMap;
use std::time::Duration;

/// Sessions that are inside a statement or a transaction.
pub(super) fn is_busy(session: &Session) -> bool {
    session.is_client() && (session.state == SessionState::Active || session.state.is_idle_in_transaction())
}

/// A table of sessions; the parallel workers of each are counted, not listed.
pub(super) fn sessions(
    target: &TargetState,
    title: &str,
    lines: Vec<Line>,
    shown: &[&Session],
    reading: &PostgresReading,
    role: Role,
) -> Section {
    let all = reading.sessions.ready().map_or(&[][..], Vec::as_slice);
    let mut workers: BTreeMap<i32, usize> = BTreeMap::new();
    for leader in all.iter().filter_map(|session| session.leader_pid) {
        *workers.entry(leader).or_default() += 1;
    }
    let row = |session: &&Session| {
        let workers = workers.get(&session.id.pid).copied().unwrap_or_default();
        row(target, session, workers, role)
    };
    let table = Table {
        columns: vec![
            Column::number("pid", 7, 0),
            Column::fixed("user", 11, 2),
            Column::fixed("database", 11, 4),
            Column::fixed("application", 15, 3),
            Column::fixed("state", 22, 1),
            Column::number("query", 7, 0),
            Column::number("tx", 7, 1),
            Column::flex("statement", 30, 0),
        ],
        rows: shown.iter().map(row).collect(),
        empty: "nothing runs".to_owned(),
        fixed_order: false,
    };
    Section { title: title.to_owned(), lines, table: Some(table) }
}

pub(super) fn row(target: &TargetState, session: &Session, workers: usize, role: Role) -> Row {
    let long = |age: Option<Duration>| age.map(|age| age.as_secs_f64());
    let state =
        if session.waits_for_lock() || session.state.is_idle_in_transaction() { Role::Warning } else { role };
    Row::opens(
        RowKey::backend(&target.id, session.id),
        vec![
            Cell::figure(Some(f64::from(session.id.pid)), whole).role(role),
            Cell::of(role, &session.user),
            Cell::of(Role::Muted, &session.database),
            Cell::of(Role::Muted, &session.application),
            Cell::of(state, doing(session, workers)),
            Cell::number(long(session.query_age), in_seconds(session.query_age)).role(role),
            Cell::number(long(session.transaction_age), in_seconds(session.transaction_age)).role(role),
            Cell::of(role, &*session.query),
        ],
    )
}

pub(super) fn session(context: PanelContext<'_>, key: &RowKey) -> Content {
    let title = format!("pid {}", key.postgres().map(|(_, row)| row.name()).unwrap_or_default());
    let Some((target, state, session)) = target::session(context, key) else {
        let gone = vec![Line::text("this session is not there any more")];
        return Content { title: title.clone(), sections: vec![Section::lines(title, gone)] };
    };
    let mut lines = vec![heading(target, state, context)];
    lines.extend(card::card(state, session));
    let statement = Section::lines("Statement", sql::lines(&session.query)).private();
    let mut sections = vec![Section::lines(title.clone(), lines), statement];
    // The same statement among all that ran within the window (servers from 14 on say which it is).
    let same = |delta: &&StatementDelta| Some(delta.key.query) == session.query_id;
    let rows: Vec<Row> = state
        .statements
        .rows
        .iter()
        .filter(same)
        .map(|delta| statement_row(target, state, delta, Role::Text))
        .collect();
    if !rows.is_empty() {
        let over = duration(state.statements.over);
        let title = format!("It among the statements of the last {over} ({})", context.keys.open);
        sections.push(Section::table(title, statement_table(rows, "")));
    }
    Content { title, sections }
}
