//! Lines that were asked for, of a Loki or of logs that are read here, and one of them with its labels. The page says what was asked.

use super::parts::{BACK, role_of};
use super::streams::of_stream;
use crate::core::freshness::Freshness;
use crate::core::ids::TargetId;
use crate::core::lines::{About, Asked, LogLine, Question, Window};
use crate::core::log::LogRow;
use crate::core::loki::{LokiReading, LokiRow, logql};
use crate::core::part::Part;
use crate::core::row::RowKey;
use crate::core::text::counted;
use crate::panels::panel::PanelContext;
use crate::ui::content::{Cell, Column, Content, Line, Role, Row, Section, Table};
use crate::ui::format::duration;
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

/// What was asked for of a target, whichever kind it is of.
fn asked_of<'a>(context: PanelContext<'a>, id: &TargetId) -> &'a [Asked] {
    let Some(target) = context.target(id.as_str()) else { return &[] };
    let loki = target.system.loki().and_then(|state| state.reading()).map(|reading| &reading.asked[..]);
    let log = || target.system.log().and_then(|state| state.reading()).map(|reading| &reading.asked[..]);
    loki.or_else(log).unwrap_or_default()
}

fn found<'a>(context: PanelContext<'a>, row: &RowKey) -> Option<&'a LogLine> {
    let is = |line: &&LogLine| match row {
        RowKey::Loki(_, LokiRow::Line(at, digest)) => (line.at, line.digest) == (*at, *digest),
        RowKey::Log(_, LogRow::Line(digest)) => line.digest == *digest,
        _ => false,
    };
    let asked = asked_of(context, row.target()?).iter();
    asked.filter_map(|asked| asked.lines.ready()).flatten().find(is)
}

/// The text of a line.
pub(super) fn text(context: PanelContext<'_>, row: &RowKey) -> Option<String> {
    found(context, row).map(|line| line.text.clone())
}

fn clock(at: i64, zone: FixedOffset, form: &str) -> String {
    DateTime::from_timestamp_nanos(at).with_timezone(&zone).format(form).to_string()
}

/// The page of what is asked for of these targets: one list of all their lines.
pub(super) fn page(context: PanelContext<'_>, of: &[TargetId], question: Option<Question>) -> Content {
    let Some(question) = question else {
        let line = Line::of(Role::Muted, context.unread("what it asks for"));
        return Content { title: String::new(), sections: vec![Section::lines("", vec![line])] };
    };
    let title = format!("lines of {}", question.about);
    let mut lines = vec![Line::of(Role::Muted, of_time(&question, context.zone))];
    let mut table = None;
    for id in of {
        let name = if of.len() > 1 { format!("{id}: ") } else { String::new() };
        match asked_of(context, id).iter().find(|asked| asked.question == question) {
            Some(asked) => {
                lines.extend(told(&name, asked, context));
                if let Part::Ready(all) = &asked.lines {
                    table.get_or_insert_with(Vec::new).extend(all.iter().map(|line| (id, line)));
                }
            }
            None => lines.push(Line::of(Role::Warning, &name).then(Role::Muted, silence(context, id))),
        }
        if let Some(old) = stale(context, id) {
            lines.push(Line::of(Role::Stale, format!("{name}{old}")));
        }
    }
    if of.is_empty() {
        lines.push(Line::of(Role::Muted, "no log is named for it any more"));
    }
    let table = table.map(|mut all| {
        // Lines of one target stand as it has them; several are put together by time.
        if of.len() > 1 {
            all.sort_by_key(|(_, line)| std::cmp::Reverse(line.at));
        }
        list(context, &all)
    });
    Content { title: title.clone(), sections: vec![Section { title, lines, table }] }
}

/// What is said of lines whose target is silent.
fn stale(context: PanelContext<'_>, id: &TargetId) -> Option<String> {
    let target = context.target(id.as_str())?;
    match target.freshness(context.now) {
        Freshness::Lost(old) => Some(format!("STALE {}: {}", duration(old), target.silence(context.now))),
        Freshness::Waiting | Freshness::Fresh(_) | Freshness::Late(_) => None,
    }
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
fn told(name: &str, asked: &Asked, context: PanelContext<'_>) -> Vec<Line> {
    let mut lines = Vec::new();
    if !asked.query.is_empty() {
        let line = Line::of(Role::Muted, format!("{name}asked: ")).then(Role::Text, &asked.query);
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
            lines.push(Line::text(format!("{name}{}{more}{asking}", counted(all.len(), "line"))));
        }
        Part::Unavailable(gap) => lines.push(Line::of(Role::Warning, format!("{name}{}", gap.note))),
        Part::NotAsked => {
            lines.push(Line::of(Role::Muted, format!("{name}{}", context.unread("the lines"))));
        }
    }
    if let Some(left) = asked.left_out {
        let words = match (left.counted, left.more) {
            (0, _) => "lines came too fast: some are left out, and were not counted".to_owned(),
            (many, false) => {
                format!("lines came too fast: {} left out", counted(many, "line"))
            }
            (many, true) => format!("lines came too fast: at least {} left out", counted(many, "line")),
        };
        lines.push(Line::of(Role::Warning, format!("{name}{words}")));
    }
    lines
}

fn list(context: PanelContext<'_>, all: &[(&TargetId, &LogLine)]) -> Table {
    let zone = context.zone;
    let is_log = |id: &TargetId| context.target(id.as_str()).is_some_and(|it| it.system.log().is_some());
    let row = |(id, line): &(&TargetId, &LogLine)| {
        let role = role_of(line.tone());
        let (key, stream) = if is_log(id) {
            // One of several files.
            let file = line.label("file");
            let name = if file.is_empty() { id.as_str() } else { file };
            (RowKey::Log((*id).clone(), LogRow::Line(line.digest)), name)
        } else {
            (RowKey::Loki((*id).clone(), LokiRow::Line(line.at, line.digest)), stream(line))
        };
        let time = if line.dated { clock(line.at, zone, "%H:%M:%S%.3f") } else { String::new() };
        let cells = vec![
            Cell::of(Role::Muted, time),
            Cell::of(role, line.level()),
            Cell::of(Role::Muted, stream),
            Cell::of(role, &line.text),
        ];
        Row::opens(key, cells)
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
pub(super) fn one(context: PanelContext<'_>, id: &TargetId, row: &RowKey) -> Content {
    let Some(line) = found(context, row) else {
        let gone = Line::of(Role::Muted, "this line is no longer among those that were asked for");
        return Content { title: "line".to_owned(), sections: vec![Section::lines("", vec![gone])] };
    };
    let at = if line.dated {
        format!(
            "{} local, {}",
            clock(line.at, context.zone, "%Y-%m-%d %H:%M:%S%.6f"),
            DateTime::from_timestamp_nanos(line.at).format("%H:%M:%S%.6fZ")
        )
    } else {
        "it says no time with a zone".to_owned()
    };
    let text = clean_lines(&line.text).into_iter().map(|text| Line::of(role_of(line.tone()), text));
    let labels = line.labels.iter().map(|(name, value)| Line::text(format!("{name} = {value}"))).collect();
    let whole = std::iter::once(Line::of(Role::Muted, at)).chain(text).collect();
    let mut sections = vec![Section::lines("Line", whole)];
    if matches!(row, RowKey::Log(..)) {
        sections.extend(around_in(context, id, line));
    } else {
        sections.push(Section::lines("Labels", labels));
        sections.extend(around(context, id, line));
    }
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
    let about = format!("{} around {}", stream(line), clock(line.at, context.zone, "%H:%M:%S"));
    let row = LokiRow::Lines(Question { about, lines: About::Query(selector.clone()), window: minute(line) });
    let what = format!("what {selector} wrote a minute before and after it");
    Some(closer(context, RowKey::Loki(id.clone(), row), what))
}

/// What the same log holds just before and after.
fn around_in(context: PanelContext<'_>, id: &TargetId, line: &LogLine) -> Option<Section> {
    if !line.dated {
        return None;
    }
    let LogRow::Lines(all) = LogRow::all(id.as_str()) else { return None };
    let about = format!("{id} around {}", clock(line.at, context.zone, "%H:%M:%S"));
    let row = LogRow::Lines(Question { about, window: minute(line), ..all });
    let what = format!("what {id} holds of a minute before and after it");
    Some(closer(context, RowKey::Log(id.clone(), row), what))
}

/// A minute before and after a line.
const fn minute(line: &LogLine) -> Window {
    let at = line.at / MILLI;
    Window::Between(at - AROUND, at + AROUND)
}

fn closer(context: PanelContext<'_>, row: RowKey, what: String) -> Section {
    let cells = vec![Cell::of(Role::Accent, &context.keys.open), Cell::text(what)];
    let table = Table {
        columns: vec![Column::fixed("", 9, 0), Column::flex("look closer", 40, 0)],
        rows: vec![Row::opens(row, cells)],
        empty: String::new(),
        fixed_order: true,
    };
    Section::table("", table)
}
