//! What Prometheus remembers: the page of a configured panel or of any metric, over an hour, a day and six days; and the list of all metrics.
//! It is asked only while it is looked at.

use crate::core::alert::RuleUnit;
use crate::core::focus::Focus;
use crate::core::ids::TargetId;
use crate::core::prometheus::{PrometheusRow, PrometheusState, Range, RangeReading, SPANS, graphed};
use crate::core::row::RowKey;
use crate::core::text::counted;
use crate::panels::panel::PanelContext;
use crate::ui::content::{Cell, Column, Content, Line, Role, Row, Section, Table};
use crate::ui::graph::{Graph, Graphs, lasts};
use std::sync::Arc;

/// So many lines are drawn of one expression.
const MOST: usize = 4;

/// What a page graphs: what it is called, the expression, and which of its series is meant.
struct Graphed<'a> {
    title: &'a str,
    expr: String,
    labels: &'a str,
    unit: &'a str,
}

fn graphed_by<'a>(state: &'a PrometheusState, row: &'a PrometheusRow) -> Option<Graphed<'a>> {
    match row {
        PrometheusRow::Panel { title, labels } => {
            let query = state.settings.panel(title)?;
            Some(Graphed { title, expr: query.expr.clone(), labels, unit: query.unit.trim() })
        }
        PrometheusRow::Metric(name) => {
            Some(Graphed { title: name, expr: graphed(name), labels: "", unit: "" })
        }
        PrometheusRow::Scraped { .. } | PrometheusRow::Rule { .. } | PrometheusRow::Names => None,
    }
}

/// What is asked while the page of `row` is open.
pub(super) fn focus(context: PanelContext<'_>, id: &TargetId, row: &PrometheusRow) -> Vec<(TargetId, Focus)> {
    if matches!(row, PrometheusRow::Names) {
        return vec![(id.clone(), Focus::MetricNames)];
    }
    let state = context.target(id.as_str()).and_then(|target| target.system.prometheus());
    let Some(graphed) = state.and_then(|state| graphed_by(state, row)) else { return Vec::new() };
    let range = |span| Focus::Range(Range { expr: graphed.expr.clone(), span });
    SPANS.into_iter().map(|span| (id.clone(), range(span))).collect()
}

/// The page of `row`.
pub(super) fn page(context: PanelContext<'_>, id: &TargetId, row: &PrometheusRow) -> Option<Content> {
    let state = context.target(id.as_str())?.system.prometheus()?;
    if matches!(row, PrometheusRow::Names) {
        return Some(names(context, id, state));
    }
    let graphed = graphed_by(state, row)?;
    let mut sections = vec![Section::lines("", vec![Line::of(Role::Muted, &graphed.expr)])];
    for span in SPANS {
        let read = state.reading().and_then(|reading| reading.range(&graphed.expr, span));
        let what = format!("the last {}", lasts(span));
        let lines = match read {
            Some(reading) => drawn(reading, &graphed, &what),
            None => vec![Line::of(Role::Muted, context.unread(&what))],
        };
        sections.push(Section::lines("", lines));
    }
    Some(Content { title: graphed.title.to_owned(), sections })
}

/// The graphs of one span, or why there are none.
fn drawn(reading: &RangeReading, graphed: &Graphed<'_>, what: &str) -> Vec<Line> {
    let Some(all) = reading.series.ready() else {
        let note = reading.series.gap().map_or("nothing was read", |gap| gap.note.as_str());
        return vec![Line::of(Role::Warning, format!("{what}: {note}"))];
    };
    if all.is_empty() {
        return vec![Line::of(Role::Muted, format!("{what}: Prometheus knows of no series"))];
    }
    // The one that was chosen first.
    let mut sorted: Vec<&(String, Vec<f64>)> = all.iter().collect();
    sorted.sort_by_key(|(labels, _)| labels != graphed.labels);
    let graph = |(labels, values): &&(String, Vec<f64>)| {
        let unit = if graphed.unit.is_empty() { String::new() } else { format!(" ({})", graphed.unit) };
        let name = if labels.is_empty() { graphed.title } else { labels };
        Graph {
            name: format!("{name}{unit}"),
            unit: RuleUnit::Count,
            samples: RangeReading::samples(values),
            ours_from: None,
        }
    };
    let graphs: Vec<Graph> = sorted.iter().take(MOST).map(graph).collect();
    let mut lines = Vec::new();
    if let Some(first) = graphs.first() {
        let span = reading.range.span;
        let line = Line::of(Role::Strong, format!("{} ", first.name)).then(Role::Muted, first.words(span));
        let spark = Some(first.samples.clone());
        let graphs = Some(Arc::new(Graphs { graphs, span, began: None, large: true }));
        lines.push(Line { spark, graphs, ..line });
    }
    if all.len() > MOST || reading.cut {
        let more = if reading.cut { "and more" } else { "in all" };
        let text = format!(
            "{} {more}; the {MOST} largest are drawn, side by side where there is room",
            counted_series(all.len())
        );
        lines.push(Line::of(Role::Muted, text));
    }
    lines
}

fn counted_series(many: usize) -> String {
    if many == 1 { "1 series".to_owned() } else { format!("{many} series") }
}

/// Every metric by its name.
fn names(context: PanelContext<'_>, id: &TargetId, state: &PrometheusState) -> Content {
    let title = "all metrics".to_owned();
    let known = state.reading().map(|reading| &reading.names);
    let lines = match known.and_then(|names| names.gap()) {
        Some(gap) => vec![Line::of(Role::Warning, format!("its metrics are not known: {}", gap.note))],
        None if known.is_some_and(|names| names.ready().is_some()) => Vec::new(),
        None => vec![Line::of(Role::Muted, context.unread("the names of its metrics"))],
    };
    let all = known.and_then(|names| names.ready()).map_or(&[][..], Vec::as_slice);
    let row = |name: &String| {
        let key = RowKey::Prometheus(id.clone(), PrometheusRow::Metric(name.clone()));
        Row::opens(key, vec![Cell::of(Role::Strong, name), Cell::of(Role::Muted, graphed(name))]).brief()
    };
    let table = Table {
        columns: vec![Column::flex("metric", 30, 0), Column::flex("graphed as", 30, 1)],
        rows: all.iter().map(row).collect(),
        empty: String::new(),
        fixed_order: false,
    };
    let heading = format!("{} of {id}; {} graphs one", counted(all.len(), "metric"), context.keys.open);
    let sections = if all.is_empty() {
        vec![Section::lines("", lines)]
    } else {
        vec![Section { title: heading, lines, table: Some(table) }]
    };
    Content { title, sections }
}
