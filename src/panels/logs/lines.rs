//! Lines that were asked for, and one of them with its labels. The page says what was asked.

use super::parts::{BACK, role_of};
use super::streams::of_stream;
use crate::core::ids::TargetId;
use crate::core::loki::{About, Asked, LogLine, LokiReading, LokiRow, Question, Window, logql};
use crate::core::part::Part;
use crate::core::row::RowKey;
use crate::core::text::counted;
use crate::panels::panel::PanelContext;
use crate::ui::content::{Cell, Column, Content, Line, Role, Row, Section, Table};
use crate::ui::text::clean_lines;
use chrono::{DateTime, FixedOffset};

/// Nanoseconds of a millisecond.
const MILLI: i64 = 1_000_000;
/// What a stream wrote around a line is what it wrote so long before and after it, in milliseconds.
const AROUND: i64 = 60_000;

/// What a row asks for.
pub(super) fn question(context: PanelContext<'_>, id: &TargetId, row: &LokiRow) -> Option<Question> {
    let state = context.target(id.as_str())?.system.loki()?;
    match row {
        LokiRow::Lines(question) => Some(question.clone()),
        LokiRow::Stream(name) => of_stream(state, name),
        LokiRow::Panel { title, .. } => {
            let query = state.settings.panel(title).filter(|query| logql::gives_lines(&query.expr))?;
            let lines = About::Query(query.expr.clone());
            Some(Question { about: title.clone(), lines, window: Window::Last(BACK) })
        }
        LokiRow::Line(..) => None,
    }
}

fn reading<'a>(context: PanelContext<'a>, id: &TargetId) -> Option<&'a LokiReading> {
    context.target(id.as_str())?.system.loki()?.reading()
}

fn found<'a>(context: PanelContext<'a>, id: &TargetId, line: (i64, u64)) -> Option<&'a LogLine> {
    let asked = reading(context, id)?.asked.iter();
    asked.filter_map(|asked| asked.lines.ready()).flatten().find(|found| (found.at, found.digest) == line)
}

/// The text of a line.
pub(super) fn text(context: PanelContext<'_>, id: &TargetId, line: (i64, u64)) -> Option<String> {
    found(context, id, line).map(|line| line.text.clone())
}

fn clock(at: i64, zone: FixedOffset, form: &str) -> String {
    DateTime::from_timestamp_nanos(at).with_timezone(&zone).format(form).to_string()
}

/// The page of what a row asks for.
pub(super) fn page(context: PanelContext<'_>, id: &TargetId, row: &LokiRow) -> Content {
    let Some(question) = question(context, id, row) else {
        let line = Line::of(Role::Muted, context.unread("what it asks for"));
        return Content { title: String::new(), sections: vec![Section::lines("", vec![line])] };
    };
    let title = format!("lines of {}", question.about);
    let asked = reading(context, id).and_then(|it| it.asked.iter().find(|asked| asked.question == question));
    let mut lines = vec![Line::of(Role::Muted, of_time(&question, context.zone))];
    let mut table = None;
    match asked {
        Some(asked) => {
            lines.extend(told(asked, context));
            table = asked.lines.ready().map(|all| list(id, all, context.zone));
        }
        None => lines.push(Line::of(Role::Muted, silence(context, id))),
    }
    Content { title: title.clone(), sections: vec![Section { title, lines, table }] }
}

/// Why there is no answer yet.
fn silence(context: PanelContext<'_>, id: &TargetId) -> String {
    match context.target(id.as_str()).filter(|target| target.failure.is_some()) {
        Some(target) => format!("{id}: {}", target.silence(context.now)),
        None => context.unread("the lines"),
    }
}

/// Of which time it is, in local time.
fn of_time(question: &Question, zone: FixedOffset) -> String {
    let at = |millis: i64| clock(millis.saturating_mul(MILLI), zone, "%Y-%m-%d %H:%M:%S");
    let time = |millis: i64| clock(millis.saturating_mul(MILLI), zone, "%H:%M:%S");
    match question.window {
        Window::Last(seconds) => format!("the last {} min, and what comes", seconds / 60),
        Window::Since(from) => format!("since {}, and what comes", at(from)),
        Window::Between(from, to) => format!("from {} to {}", at(from), time(to)),
    }
}

/// What was asked, and what came of it.
fn told(asked: &Asked, context: PanelContext<'_>) -> Vec<Line> {
    let mut lines = Vec::new();
    if !asked.query.is_empty() {
        let line = Line::of(Role::Muted, "asked: ").then(Role::Text, &asked.query);
        lines.push(if asked.why.is_empty() {
            line
        } else {
            line.then(Role::Muted, format!(" ({})", asked.why))
        });
    }
    match &asked.lines {
        Part::Ready(all) => {
            let more = if asked.more { ", the newest; there are more" } else { ", the newest first" };
            let asking = if asked.asking { ", asking again" } else { "" };
            lines.push(Line::text(format!("{}{more}{asking}", counted(all.len(), "line"))));
        }
        Part::Unavailable(gap) => lines.push(Line::of(Role::Warning, &gap.note)),
        Part::NotAsked => lines.push(Line::of(Role::Muted, context.unread("the lines"))),
    }
    if let Some(left) = asked.left_out {
        let words = match (left.counted, left.more) {
            (0, _) => "lines came too fast: some are left out, and were not counted".to_owned(),
            (many, false) => {
                format!("lines came too fast: {} left out", counted(many, "line"))
            }
            (many, true) => format!("lines came too fast: at least {} left out", counted(many, "line")),
        };
        lines.push(Line::of(Role::Warning, words));
    }
    lines
}

fn list(id: &TargetId, all: &[LogLine], zone: FixedOffset) -> Table {
    let row = |line: &LogLine| {
        let role = role_of(line.tone());
        Row::opens(
            RowKey::Loki(id.clone(), LokiRow::Line(line.at, line.digest)),
            vec![
                Cell::of(Role::Muted, clock(line.at, zone, "%H:%M:%S%.3f")),
                Cell::of(role, line.level()),
                Cell::of(Role::Muted, stream(line)),
                Cell::of(role, &line.text),
            ],
        )
    };
    Table {
        columns: vec![
            Column::fixed("time", 12, 0),
            Column::fixed("level", 7, 1),
            Column::fixed("stream", 18, 2),
            Column::flex("line", 40, 0).below(),
        ],
        rows: all.iter().map(row).collect(),
        empty: "no line".to_owned(),
        fixed_order: true,
    }
}

/// The short name of a line's stream.
fn stream(line: &LogLine) -> &str {
    let names: Vec<String> = line.labels.iter().map(|(name, _)| name.clone()).collect();
    let main = logql::main_label(&names).unwrap_or_default().to_owned();
    line.label(&main)
}

/// One line with its labels, and a way to what its stream wrote around it.
pub(super) fn one(context: PanelContext<'_>, id: &TargetId, key: (i64, u64)) -> Content {
    let Some(line) = found(context, id, key) else {
        let gone = Line::of(Role::Muted, "this line is no longer among those that were asked for");
        return Content { title: "line".to_owned(), sections: vec![Section::lines("", vec![gone])] };
    };
    let at = format!(
        "{} local, {}",
        clock(line.at, context.zone, "%Y-%m-%d %H:%M:%S%.6f"),
        DateTime::from_timestamp_nanos(line.at).format("%H:%M:%S%.6fZ")
    );
    let text = clean_lines(&line.text).into_iter().map(|text| Line::of(role_of(line.tone()), text));
    let labels = line.labels.iter().map(|(name, value)| Line::text(format!("{name} = {value}"))).collect();
    let mut sections = vec![
        Section::lines("Line", std::iter::once(Line::of(Role::Muted, at)).chain(text).collect()),
        Section::lines("Labels", labels),
    ];
    sections.extend(around(context, id, line));
    Content { title: "line".to_owned(), sections }
}

/// What the same stream wrote just before and after.
fn around(context: PanelContext<'_>, id: &TargetId, line: &LogLine) -> Option<Section> {
    let known = reading(context, id)?.labels.ready()?;
    // What Loki adds to a line is no label of its stream; and where each level is a stream, what led to an error is in another one.
    let is_level = |name: &str| matches!(name, "level" | "detected_level" | "severity");
    let of =
        line.labels.iter().filter(|(name, _)| !is_level(name) && known.iter().any(|label| label == name));
    let selector = logql::with(of.map(|(name, value)| (name.as_str(), value.as_str())));
    if selector == "{}" {
        return None;
    }
    let at = line.at / MILLI;
    let window = Window::Between(at - AROUND, at + AROUND);
    let about = format!("{} around {}", stream(line), clock(line.at, context.zone, "%H:%M:%S"));
    let row = LokiRow::Lines(Question { about, lines: About::Query(selector.clone()), window });
    let cells = vec![
        Cell::of(Role::Accent, &context.keys.open),
        Cell::text(format!("what {selector} wrote a minute before and after it")),
    ];
    let table = Table {
        columns: vec![Column::fixed("", 9, 0), Column::flex("look closer", 40, 0)],
        rows: vec![Row::opens(RowKey::Loki(id.clone(), row), cells)],
        empty: String::new(),
        fixed_order: true,
    };
    Some(Section::table("", table))
}
