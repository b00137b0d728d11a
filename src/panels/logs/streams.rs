//! What a Loki receives: lines and errors a minute by stream, and the team's own panels.

use super::parts::{BACK, role_of};
use crate::core::freshness::Freshness;
use crate::core::lines::{About, Count, Question, Tone, Window};
use crate::core::loki::{LokiReading, LokiRow, LokiState, Received, logql};
use crate::core::part::{Part, Warm};
use crate::core::row::RowKey;
use crate::core::text::counted;
use crate::core::world::TargetState;
use crate::panels::own;
use crate::panels::panel::PanelContext;
use crate::ui::content::{Cell, Column, Line, Role, Row, Section, Table};
use crate::ui::format::{age, count, duration};
use std::collections::BTreeMap;

/// Columns of a sparkline.
const SPARK: usize = 30;
/// What a stream without a name is called.
pub(super) const UNNAMED: &str = "(no name)";

pub(super) fn server(
    sections: &mut Vec<Section>,
    target: &TargetState,
    state: &LokiState,
    context: PanelContext<'_>,
) {
    let line = Line::of(Role::Strong, format!("{} ", target.id));
    let Some(reading) = state.reading() else {
        let line = match target.failure {
            Some(_) => line.then(Role::Warning, target.silence(context.now)),
            None => line.then(Role::Muted, format!("{} · waiting for the first answer", target.address)),
        };
        sections.push(Section::lines("", vec![line]));
        return;
    };
    let line = match &reading.ready {
        Part::Ready(ready) if ready.ready => line.then(Role::Ok, "ready"),
        Part::Ready(ready) => line.then(Role::Warning, format!("not ready: {}", ready.says)),
        Part::Unavailable(gap) => line.then(Role::Muted, &gap.note),
        Part::NotAsked => line,
    };
    let line = match target.freshness(context.now) {
        Freshness::Late(old) => line.then(Role::Warning, format!(" · LATE, {} old", duration(old))),
        Freshness::Lost(old) => {
            line.then(Role::Stale, format!(" · STALE {}: {}", duration(old), target.silence(context.now)))
        }
        Freshness::Waiting | Freshness::Fresh(_) => line,
    };
    let mut lines = vec![line];
    match &reading.received {
        Part::Ready(received) => {
            let old = age(context.now.since(received.read_at));
            lines.push(Line::text(numbers(state)).then(Role::Muted, format!(", counted {old} ago")));
            lines.push(asked(received));
        }
        Part::Unavailable(gap) => lines.push(Line::of(Role::Warning, &gap.note)),
        Part::NotAsked => lines.push(Line::of(Role::Muted, context.unread("what it receives"))),
    }
    if let Some(gap) = reading.errors.gap().filter(|gap| reading.received.gap() != Some(gap)) {
        lines.push(Line::of(Role::Note, format!("errors are not known: {}", gap.note)));
    }
    sections.push(Section::lines("", lines));
    sections.extend(streams(target, state, reading, context));
    sections.extend(panels(target, state, reading));
}

/// Lines and errors in a sentence.
pub(super) fn numbers(state: &LokiState) -> String {
    let lines =
        state.lines_now().map_or_else(|| "lines: not known".to_owned(), |all| counted(count(all), "line"));
    let errors = match state.errors_now() {
        Some(errors) => counted(count(errors), "error"),
        None => "errors not known".to_owned(),
    };
    format!("{lines} a minute, {errors}")
}

/// What was asked, where it is not simply everything.
fn asked(received: &Received) -> Line {
    let label = received.label.as_deref();
    if received.selector.is_empty() {
        return Line::of(Role::Muted, "no stream got a line within the last hour");
    }
    let by = label.map_or_else(
        || "too many streams to be told apart".to_owned(),
        |label| format!("streams by {label}"),
    );
    let of = match label {
        Some(label) if received.selector == logql::every(label) => String::new(),
        _ => format!(", of {}", received.selector),
    };
    Line::of(Role::Muted, format!("{by}{of}"))
}

fn streams(
    target: &TargetState,
    state: &LokiState,
    reading: &LokiReading,
    context: PanelContext<'_>,
) -> Option<Section> {
    let received = reading.received.ready().filter(|received| !received.streams.is_empty())?;
    let errors: Option<BTreeMap<&str, f64>> = reading.errors.ready().map(by_name);
    let mut rows = Vec::new();
    let mut list: Vec<(&str, f64)> =
        received.streams.iter().map(|count| (count.name.as_str(), count.lines)).collect();
    // An expression of the team's own may name streams in another way.
    for name in errors.iter().flatten().map(|(name, _)| *name) {
        if list.iter().all(|(known, _)| *known != name) {
            list.push((name, f64::NAN));
        }
    }
    let of = |name: &str| errors.as_ref().map(|errors| errors.get(name).copied().unwrap_or(0.0));
    list.sort_by(|(a, x), (b, y)| {
        let worse = of(b).unwrap_or(0.0).total_cmp(&of(a).unwrap_or(0.0));
        worse.then(y.total_cmp(x)).then(a.cmp(b))
    });
    for (name, lines) in list {
        let errors = of(name);
        let tone = if errors.unwrap_or(0.0) > 0.0 { role_of(Tone::Error) } else { Role::Text };
        let shown = if name.is_empty() { UNNAMED } else { name };
        rows.push(Row::opens(
            RowKey::Loki(target.id.clone(), LokiRow::Stream(name.to_owned())),
            vec![
                Cell::text(shown),
                Cell::figure(Some(lines).filter(|lines| lines.is_finite()), count),
                Cell::figure(errors, count).role(tone),
                Cell::spark(
                    state.tally.errors_of(name).map(|series| target.past(series, SPARK)).unwrap_or_default(),
                ),
            ],
        ));
    }
    let table = Table {
        columns: vec![
            Column::flex("stream", 24, 0),
            Column::number("lines/min", 9, 0).changing(),
            Column::number("errors/min", 10, 0).changing(),
            Column::fixed("errors before", 30, 1),
        ],
        rows,
        empty: String::new(),
        fixed_order: false,
    };
    Some(Section::table(format!("Streams ({} shows the lines)", context.keys.open), table))
}

fn by_name(errors: &Warm<Vec<Count>>) -> BTreeMap<&str, f64> {
    errors.iter().map(|count| (count.name.as_str(), count.lines)).collect()
}

/// The panels of the configuration: numbers as rows, lines behind a row.
fn panels(target: &TargetState, state: &LokiState, reading: &LokiReading) -> Option<Section> {
    let mut rows = Vec::new();
    for query in &state.settings.panels {
        let key = |labels: &str| {
            let row = LokiRow::Panel { title: query.title.clone(), labels: labels.to_owned() };
            RowKey::Loki(target.id.clone(), row)
        };
        let plain = |role, words: &str| vec![Cell::text(&query.title), Cell::of(role, words)];
        if logql::gives_lines(&query.expr) {
            let mut cells = plain(Role::Muted, &query.expr);
            cells.extend([Cell::of(Role::Accent, "lines"), Cell::default()]);
            rows.push(Row::opens(key(""), cells));
            continue;
        }
        let found = reading.panels.iter().find(|panel| panel.title == query.title).map(|panel| &panel.series);
        let series = match found {
            Some(Part::Ready(series)) if !series.is_empty() => series,
            other => {
                let (role, words) = match other {
                    Some(Part::Unavailable(gap)) => (Role::Warning, gap.note.as_str()),
                    Some(Part::Ready(_)) => (Role::Muted, "no series"),
                    Some(Part::NotAsked) | None => (Role::Muted, "not evaluated yet"),
                };
                let mut cells = plain(role, words);
                cells.extend([Cell::default(), Cell::default()]);
                rows.push(Row::flat(key(""), cells));
                continue;
            }
        };
        for (labels, value) in series {
            let tone = own::tone(query.grade(*value), Role::Text);
            let past = state.panels.get(&(query.title.clone(), labels.clone()));
            let figure = if value.fract() == 0.0 { count(*value) } else { format!("{value:.2}") };
            let mut cells = plain(Role::Muted, labels);
            cells.extend([
                Cell::number(Some(*value), format!("{figure}{}", query.unit)).role(tone),
                Cell::spark(past.map(|series| target.past(series, SPARK)).unwrap_or_default()),
            ]);
            rows.push(Row::flat(key(labels), cells));
        }
    }
    if rows.is_empty() {
        return None;
    }
    Some(Section::table("Your panels", own::table(rows)))
}

/// What a stream's row opens.
pub(super) fn of_stream(state: &LokiState, name: &str) -> Option<Question> {
    let received = state.reading()?.received.ready()?;
    let selector = match (&received.label, name) {
        (Some(label), name) if !name.is_empty() => logql::within(&received.selector, label, name),
        _ => received.selector.clone(),
    };
    if selector.is_empty() {
        return None;
    }
    let about = if name.is_empty() { UNNAMED } else { name }.to_owned();
    Some(Question { about, lines: About::Query(selector), window: Window::Last(BACK) })
}
