//! Screen 3: what runs now, longest first; then statements by their share of the last minute's execution time.

use crate::core::action::Offer;
use crate::core::focus::Focus;
use crate::core::ids::TargetId;
use crate::core::place::Screen;
use crate::core::postgres::{PgRow, PostgresReading, PostgresState, Session};
use crate::core::row::RowKey;
use crate::core::world::TargetState;
use crate::panels::panel::{self, Panel, PanelContext};
use crate::panels::postgres::acts::{ending, upkeep};
use crate::panels::postgres::sessions::{is_busy, session, sessions};
use crate::panels::postgres::statements::{statement, statements, text};
use crate::panels::postgres::target::{self, heading, number_role};
use crate::panels::postgres::{activity, looks};
use crate::ui::content::{Content, Line, Role, Section};

/// The texts of so many statements are asked for: as many as a tall screen shows.
const TEXTS: usize = 60;

/// The queries screen.
#[derive(Clone, Copy, Debug)]
pub struct Queries;

impl Panel for Queries {
    fn screen(&self) -> Screen {
        Screen::Queries
    }

    fn title(&self) -> &'static str {
        "queries"
    }

    fn help(&self) -> &'static str {
        "what runs now, longest first; then statements by their share of the last minute"
    }

    fn content(&self, context: PanelContext<'_>, path: &[RowKey]) -> Content {
        if let Some(key) = path.last() {
            return match key.postgres() {
                Some((_, PgRow::Look(_))) => looks::content(context, key),
                Some((_, PgRow::Activity(class))) => activity::content(context, key, class),
                Some((_, PgRow::Statement(_))) => statement(context, key),
                _ => session(context, key),
            };
        }
        let mut sections = Vec::new();
        for (target, state) in target::targets(context) {
            sections.push(running(target, state, context));
            sections.extend(activity::section(target, state, number_role(target, context)));
            sections.extend(statements(target, state, context));
        }
        panel::screen(sections, "no Postgres target is configured")
    }

    fn offers(
        &self,
        context: PanelContext<'_>,
        _path: &[RowKey],
        row: &RowKey,
        marked: &[RowKey],
    ) -> Vec<Offer> {
        if matches!(row, RowKey::Postgres(_, PgRow::Statement(_))) {
            return upkeep::offers(context, row);
        }
        ending::offers(context, row, marked)
    }

    fn focus(&self, context: PanelContext<'_>, path: &[RowKey]) -> Vec<(TargetId, Focus)> {
        let texts = target::targets(context).into_iter().filter_map(|(target, state)| {
            let mut ids: Vec<i64> =
                state.statements.rows.iter().take(TEXTS).map(|row| row.key.query).collect();
            ids.sort_unstable();
            ids.dedup();
            (!ids.is_empty()).then(|| (target.id.clone(), Focus::StatementTexts(ids)))
        });
        texts.chain(looks::focus(context, path)).collect()
    }

    fn copy(&self, context: PanelContext<'_>, _path: &[RowKey], row: &RowKey) -> Option<String> {
        if let RowKey::Postgres(_, PgRow::Statement(key)) = row {
            let (_, state, _) = target::reading(context, row)?;
            return text(state, key.query);
        }
        target::session(context, row).map(|(_, _, session)| session.query.to_string())
    }
}

fn running(target: &TargetState, state: &PostgresState, context: PanelContext<'_>) -> Section {
    let role = number_role(target, context);
    let mut lines = vec![heading(target, state, context)];
    let reading = state.reading();
    if reading.is_none_or(|reading| reading.sessions.ready().is_none() && reading.sessions.gap().is_none()) {
        return Section::lines("Running", lines);
    }
    if let Some(gap) = reading.and_then(|reading| reading.sessions.gap()) {
        lines.push(Line::of(Role::Warning, &gap.note));
    }
    let hidden = reading.and_then(PostgresReading::hidden);
    lines.extend(
        hidden.map(|gap| Line::of(Role::Warning, format!("{}: what they run is not shown", gap.note))),
    );
    let mut busy: Vec<&Session> = reading
        .and_then(|reading| reading.sessions.ready())
        .into_iter()
        .flatten()
        .filter(|session| is_busy(session) && session.application != "stacktop")
        .collect();
    busy.sort_by_key(|session| std::cmp::Reverse(session.transaction_age.or(session.query_age)));
    match reading {
        Some(reading) => sessions(target, "Running", lines, &busy, reading, role),
        None => Section::lines("Running", lines),
    }
}
