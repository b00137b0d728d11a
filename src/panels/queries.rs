//! Screen 3: what runs now, longest first; then statements by their share of the last minute's execution time.

use super::postgres::{self, age, doing, heading, number_role};
use super::{Panel, PanelContext};
use super::{activity, ending, looks, upkeep};
use crate::core::action::Offer;
use crate::core::focus::Focus;
use crate::core::ids::TargetId;
use crate::core::place::{RowKey, Screen};
use crate::core::postgres::{
    OWN_MARK, PostgresReading, PostgresState, Session, SessionState, StatementDelta, backend_key,
};
use crate::core::world::TargetState;
use crate::ui::content::{Cell, Column, Content, Line, Role, Row, Section, Table};
use crate::ui::format::{count, duration, or_dash, percent};
use crate::ui::sql;
use std::collections::BTreeMap;
use std::time::Duration;

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
        match path.last() {
            Some(key) if key.kind() == "look" => looks::content(context, key),
            Some(key) if key.kind() == "activity" => activity::content(context, key),
            Some(key) if key.kind() == "statement" => statement(context, key),
            Some(key) => session(context, key),
            None => {
                let targets = postgres::targets(context);
                if targets.is_empty() {
                    let line = Line::of(Role::Muted, "no Postgres target is configured");
                    return Content { title: String::new(), sections: vec![Section::lines("", vec![line])] };
                }
                let mut sections = Vec::new();
                for (target, state) in targets {
                    sections.push(running(target, state, context));
                    sections.extend(activity::section(target, state, number_role(target, context)));
                    sections.extend(statements(target, state, context));
                }
                Content { title: String::new(), sections }
            }
        }
    }

    fn offers(
        &self,
        context: PanelContext<'_>,
        _path: &[RowKey],
        row: &RowKey,
        marked: &[RowKey],
    ) -> Vec<Offer> {
        if row.kind() == "statement" {
            return upkeep::offers(context, row);
        }
        ending::offers(context, row, marked)
    }

    fn focus(&self, context: PanelContext<'_>, path: &[RowKey]) -> Vec<(TargetId, Focus)> {
        let texts = postgres::targets(context).into_iter().filter_map(|(target, state)| {
            let mut ids: Vec<i64> =
                state.statements.rows.iter().take(TEXTS).map(|row| row.key.query).collect();
            ids.sort_unstable();
            ids.dedup();
            (!ids.is_empty()).then(|| (target.id.clone(), Focus::StatementTexts(ids)))
        });
        texts.chain(looks::focus(path)).collect()
    }

    fn copy(&self, context: PanelContext<'_>, _path: &[RowKey], row: &RowKey) -> Option<String> {
        if row.kind() == "statement" {
            let (_, state, _) = postgres::reading(context, row.segment(1))?;
            return text(state, row.segment(2).parse().ok()?);
        }
        postgres::session(context, row).map(|(_, _, session)| session.query.clone())
    }
}

/// Sessions that are inside a statement or a transaction.
fn is_busy(session: &Session) -> bool {
    session.is_client() && (session.state == SessionState::Active || session.state.is_idle_in_transaction())
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

fn row(target: &TargetState, session: &Session, workers: usize, role: Role) -> Row {
    let long = |age: Option<Duration>| age.map(|age| age.as_secs_f64());
    let state =
        if session.waits_for_lock() || session.state.is_idle_in_transaction() { Role::Warning } else { role };
    Row::opens(
        backend_key(target.id.as_str(), session.id),
        vec![
            Cell::number(Some(f64::from(session.id.pid)), session.id.pid.to_string()).role(role),
            Cell::of(role, &session.user),
            Cell::of(Role::Muted, &session.database),
            Cell::of(Role::Muted, &session.application),
            Cell::of(state, doing(session, workers)),
            Cell::number(long(session.query_age), age(session.query_age)).role(role),
            Cell::number(long(session.transaction_age), age(session.transaction_age)).role(role),
            Cell::of(role, &session.query),
        ],
    )
}

fn text(state: &PostgresState, query: i64) -> Option<String> {
    let reading = state.reading()?;
    reading.texts.iter().find(|(id, _)| *id == query).map(|(_, text)| text.clone())
}

fn statements(target: &TargetState, state: &PostgresState, context: PanelContext<'_>) -> Option<Section> {
    let reading = state.reading()?;
    if reading.server.in_recovery && state.statements.rows.is_empty() {
        return None;
    }
    let role = number_role(target, context);
    let mut lines = Vec::new();
    if let Some(gap) = reading.statements.gap() {
        lines.push(Line::of(Role::Note, &gap.note));
    }
    if let Some(gap) = reading.hidden() {
        lines.push(Line::of(Role::Warning, format!("{}: neither are their statements counted", gap.note)));
    }
    if state.statements.evicted {
        let note = "statements were evicted meanwhile: raise pg_stat_statements.max, or sums are too small";
        lines.push(Line::of(Role::Note, note));
    }
    let rows: Vec<Row> =
        state.statements.rows.iter().map(|delta| statement_row(target, state, delta, role)).collect();
    let over = state.statements.over;
    let empty = match reading.statements.ready() {
        Some(_) if over.is_zero() => "waiting for a second look, to compare",
        Some(_) => "no statement ended in the window",
        None => "statements are not read",
    };
    let title = format!("Statements over the last {}", duration(over));
    Some(Section { title, lines, table: Some(statement_table(rows, empty)) })
}

fn statement_table(rows: Vec<Row>, empty: &str) -> Table {
    Table {
        columns: vec![
            Column::number("share", 6, 0),
            Column::number("calls/s", 8, 0),
            Column::number("mean", 8, 0),
            Column::number("rows/s", 8, 3),
            Column::number("hit", 7, 2),
            Column::number("wal/s", 9, 4),
            Column::flex("statement", 30, 0),
        ],
        rows,
        empty: empty.to_owned(),
        fixed_order: false,
    }
}

fn statement_row(target: &TargetState, state: &PostgresState, delta: &StatementDelta, role: Role) -> Row {
    let seconds = state.statements.over.as_secs_f64().max(0.001);
    let per_second = |grown: f64| grown / seconds;
    let query = delta.key.query;
    let shown = text(state, query).unwrap_or_else(|| format!("(query {query}, its text is being read)"));
    let (role, shown) = if shown.contains(OWN_MARK) {
        (Role::Muted, format!("(stacktop itself) {}", shown.replacen(OWN_MARK, "", 1)))
    } else {
        (role, shown)
    };
    let mean = delta.mean_ms().map(|ms| ms / 1000.0);
    Row::opens(
        RowKey::new(&[
            "statement",
            target.id.as_str(),
            &query.to_string(),
            &delta.key.user.to_string(),
            &delta.key.database.to_string(),
            if delta.key.toplevel { "t" } else { "n" },
        ]),
        vec![
            Cell::number(Some(delta.share), percent(delta.share)).role(role),
            Cell::number(Some(delta.grown.calls), count(per_second(delta.grown.calls))).role(role),
            Cell::number(mean, or_dash(mean, |mean| duration(Duration::from_secs_f64(mean.max(0.0)))))
                .role(role),
            Cell::number(Some(delta.grown.rows), count(per_second(delta.grown.rows))).role(role),
            Cell::number(delta.hit_ratio(), or_dash(delta.hit_ratio(), percent)).role(role),
            Cell::number(
                Some(delta.grown.wal_bytes),
                crate::ui::format::bytes(per_second(delta.grown.wal_bytes)),
            )
            .role(role),
            Cell::of(role, shown),
        ],
    )
}

pub(super) fn session(context: PanelContext<'_>, key: &RowKey) -> Content {
    let title = format!("pid {}", key.segment(2));
    let Some((target, state, session)) = postgres::session(context, key) else {
        let gone = vec![Line::text("this session is not there any more")];
        return Content { title: title.clone(), sections: vec![Section::lines(title, gone)] };
    };
    let mut lines = vec![heading(target, state, context)];
    lines.extend(postgres::card(state, session));
    let mut sections =
        vec![Section::lines(title.clone(), lines), Section::lines("Statement", sql::lines(&session.query))];
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
        let title =
            format!("It among the statements of the last {} (Enter)", duration(state.statements.over));
        sections.push(Section::table(title, statement_table(rows, "")));
    }
    Content { title, sections }
}

fn statement(context: PanelContext<'_>, key: &RowKey) -> Content {
    let title = format!("statement {}", key.segment(2));
    let found = postgres::reading(context, key.segment(1)).and_then(|(target, state, _)| {
        let delta = state
            .statements
            .rows
            .iter()
            .find(|row| statement_row(target, state, row, Role::Text).key == *key)?;
        Some((target, state, delta))
    });
    let Some((target, state, delta)) = found else {
        let gone = vec![Line::text("it did not run within the window")];
        return Content { title: title.clone(), sections: vec![Section::lines(title, gone)] };
    };
    let seconds = state.statements.over.as_secs_f64().max(0.001);
    let fact =
        |label: &str, value: String| Line::of(Role::Muted, format!("{label:<14}")).then(Role::Text, value);
    let lines = vec![
        heading(target, state, context),
        fact(
            "share",
            format!(
                "{} of the execution time of the last {}",
                percent(delta.share),
                duration(state.statements.over)
            ),
        ),
        fact("calls", format!("{} per second", count(delta.grown.calls / seconds))),
        fact("mean", or_dash(delta.mean_ms(), |ms| format!("{ms:.2} ms"))),
        fact("rows", format!("{} per second", count(delta.grown.rows / seconds))),
        fact("cache hits", or_dash(delta.hit_ratio(), percent)),
        fact("temp blocks", count(delta.grown.temp)),
        fact(
            "block I/O",
            if delta.grown.io_ms > 0.0 {
                format!(
                    "{} of its time",
                    percent(delta.grown.io_ms / delta.grown.exec_ms.max(delta.grown.io_ms))
                )
            } else {
                "not measured (track_io_timing is off), or none".to_owned()
            },
        ),
        fact(
            "as",
            format!(
                "user {} in database {}{}",
                delta.key.user,
                delta.key.database,
                if delta.key.toplevel { "" } else { ", inside a function" }
            ),
        ),
    ];
    let more = Table {
        columns: vec![Column::fixed("look closer", 26, 0), Column::flex("", 30, 0)],
        rows: vec![looks::plan_row(target, delta.key)],
        empty: String::new(),
        fixed_order: true,
    };
    let more = Section::table("On demand (Enter)", more);
    let text = text(state, delta.key.query).unwrap_or_else(|| "its text is being read".to_owned());
    Content {
        title: title.clone(),
        sections: vec![Section::lines(title, lines), Section::lines("Text", sql::lines(&text)), more],
    }
}
