//! Statements by their share of the last minute, and one of them as a page.

use crate::core::postgres::{OWN_MARK, PgRow, PostgresState, StatementDelta};
use crate::core::row::RowKey;
use crate::core::world::TargetState;
use crate::panels::panel::PanelContext;
use crate::panels::postgres::target::{self, heading, number_role};
use crate::ui::content::{Cell, Column, Content, Line, Role, Row, Section, Table};
use crate::ui::format::{bytes, count, duration, milliseconds, or_dash, percent, rate};
use crate::ui::sql;

pub(super) fn text(state: &PostgresState, query: i64) -> Option<String> {
    let reading = state.reading()?;
    reading.texts.iter().find(|(id, _)| *id == query).map(|(_, text)| text.to_string())
}

pub(super) fn statements(
    target: &TargetState,
    state: &PostgresState,
    context: PanelContext<'_>,
) -> Option<Section> {
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

pub(super) fn statement_table(rows: Vec<Row>, empty: &str) -> Table {
    Table {
        columns: vec![
            Column::number("share", 6, 0),
            Column::number("calls/s", 8, 0),
            Column::number("mean", 9, 0),
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

pub(super) fn statement_row(
    target: &TargetState,
    state: &PostgresState,
    delta: &StatementDelta,
    role: Role,
) -> Row {
    let seconds = state.statements.over.as_secs_f64().max(0.001);
    let query = delta.key.query;
    let shown = text(state, query).unwrap_or_else(|| format!("(query {query}, its text is being read)"));
    let (role, shown) = if shown.contains(OWN_MARK) {
        (Role::Muted, format!("(stacktop itself) {}", shown.replacen(OWN_MARK, "", 1)))
    } else {
        (role, shown)
    };
    let mean = delta.mean_ms().map(|ms| ms / 1000.0);
    // Filters compare what is shown. What runs now and then is not zero.
    let per_second = |grown: f64| {
        let each = grown / seconds;
        Cell::number(Some(each), rate(each).trim_end_matches("/s")).role(role)
    };
    let wal = delta.grown.wal_bytes / seconds;
    Row::opens(
        RowKey::Postgres(target.id.clone(), PgRow::Statement(delta.key)),
        vec![
            Cell::figure(Some(delta.share), percent).role(role),
            per_second(delta.grown.calls),
            Cell::figure(mean, milliseconds).role(role),
            per_second(delta.grown.rows),
            Cell::figure(delta.hit_ratio(), percent).role(role),
            Cell::figure(Some(wal), bytes).role(role),
            Cell::of(role, shown),
        ],
    )
}

pub(super) fn statement(context: PanelContext<'_>, key: &RowKey) -> Content {
    let title = format!("statement {}", key.postgres().map(|(_, row)| row.name()).unwrap_or_default());
    let found = target::reading(context, key).and_then(|(target, state, _)| {
        let (_, PgRow::Statement(wanted)) = key.postgres()? else { return None };
        let delta = state.statements.rows.iter().find(|row| row.key == *wanted)?;
        Some((target, state, delta))
    });
    let Some((target, state, delta)) = found else {
        let gone = vec![Line::text("it did not run within the window")];
        return Content { title: title.clone(), sections: vec![Section::lines(title, gone)] };
    };
    let seconds = state.statements.over.as_secs_f64().max(0.001);
    let fact =
        |label: &str, value: String| Line::of(Role::Muted, format!("{label:<14}")).then(Role::Text, value);
    let per_second = |grown: f64| format!("{} per second", rate(grown / seconds).trim_end_matches("/s"));
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
        fact("calls", per_second(delta.grown.calls)),
        fact("mean", or_dash(delta.mean_ms(), |ms| format!("{ms:.2} ms"))),
        fact("rows", per_second(delta.grown.rows)),
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
        rows: vec![target::plan_row(target, delta.key)],
        empty: String::new(),
        fixed_order: true,
    };
    let more = Section::table(format!("On demand ({})", context.keys.open), more);
    let text = text(state, delta.key.query).unwrap_or_else(|| "its text is being read".to_owned());
    Content {
        title: title.clone(),
        sections: vec![
            Section::lines(title, lines),
            Section::lines("Text", sql::lines(&text)).private(),
            more,
        ],
    }
}
