//! Screen 8: Prometheus (targets down, rules that fire or fail, configured panels), and endpoints scraped by stacktop itself.

use crate::core::ids::TargetId;
use crate::core::metrics::{
    ALL_SERIES, Disk, Distribution, MetricKind, MetricsReading, MetricsRow, MetricsState, Quantile,
};
use crate::core::place::Screen;
use crate::core::prometheus::PrometheusRow;
use crate::core::row::RowKey;
use crate::core::world::{SystemState, TargetState};
use crate::panels::metrics::prometheus;
use crate::panels::metrics::target::{figure, heading, tone};
use crate::panels::panel::{Panel, PanelContext};
use crate::ui::content::{Cell, Column, Content, Line, Role, Row, Section, Table};
use crate::ui::format::{bytes, count, duration, or_dash, percent, rate, seconds};
use std::collections::BTreeMap;

/// Series of one family beyond this are not listed.
const MOST_SERIES: usize = 500;

/// File systems beyond this are not listed.
const MOST_DISKS: usize = 8;

/// The metrics screen.
#[derive(Clone, Copy, Debug)]
pub struct Metrics;

impl Panel for Metrics {
    fn screen(&self) -> Screen {
        Screen::Metrics
    }

    fn title(&self) -> &'static str {
        "metrics"
    }

    fn help(&self) -> &'static str {
        "Prometheus: targets down, rules that fire or fail, your panels; and scraped endpoints"
    }

    fn content(&self, context: PanelContext<'_>, path: &[RowKey]) -> Content {
        if let Some(RowKey::Metrics(target, MetricsRow::Family(name))) = path.last() {
            return family(context, target, name);
        }
        let mut sections = Vec::new();
        for target in context.world.targets() {
            match &target.system {
                SystemState::Prometheus(state) => prometheus::server(&mut sections, target, state, context),
                SystemState::Metrics(state) => endpoint(&mut sections, target, state, context),
                SystemState::Postgres(_) | SystemState::Redis(_) | SystemState::Search(_) => {}
            }
        }
        if sections.is_empty() {
            let line = Line::of(Role::Muted, "no Prometheus and no metrics endpoint is configured");
            sections.push(Section::lines("", vec![line]));
        }
        Content { title: String::new(), sections }
    }

    fn copy(&self, _context: PanelContext<'_>, _path: &[RowKey], row: &RowKey) -> Option<String> {
        match row {
            RowKey::Metrics(_, row) => Some(row.name().to_owned()),
            RowKey::Prometheus(_, PrometheusRow::Panel { title, .. }) => Some(title.clone()),
            RowKey::Prometheus(_, PrometheusRow::Rule { name, .. }) => Some(name.clone()),
            RowKey::Prometheus(_, PrometheusRow::Scraped { instance, .. }) => Some(instance.clone()),
            _ => None,
        }
    }
}

fn quantile(value: Option<Quantile>, milliseconds: bool) -> Cell {
    let scale = if milliseconds { 0.001 } else { 1.0 };
    match value {
        None => Cell::number(None, "—"),
        Some(Quantile::Value(value)) => Cell::number(Some(value), seconds(Some(value * scale))),
        Some(Quantile::Above(value)) => {
            Cell::number(Some(value), format!(">{}", seconds(Some(value * scale))))
        }
    }
}

fn endpoint(
    sections: &mut Vec<Section>,
    target: &TargetState,
    state: &MetricsState,
    context: PanelContext<'_>,
) {
    let role = tone(target, context);
    let Some(reading) = state.reading() else {
        sections.push(Section::lines("", vec![heading(target, String::new(), context)]));
        return;
    };
    let about = format!("{} samples, {}", count(reading.samples.len() as f64), bytes(reading.bytes as f64));
    let mut lines = vec![heading(target, about, context)];
    let golden = &state.golden;
    if golden.requests.is_some() || golden.p95.is_some() {
        let p95 = quantile(golden.p95, false).text;
        let text = format!(
            "requests {} · errors {} · 95 % within {p95}",
            or_dash(golden.requests, rate),
            or_dash(golden.errors, percent)
        );
        lines.push(Line::of(role, format!("{text:<56}")).spark(target.past(&state.requests, 60)));
    }
    if state.in_turn > 1 {
        let text = format!(
            "{} processes answer in turn here: requests are added up, all else is that of the last one",
            state.in_turn
        );
        lines.push(Line::of(Role::Note, text));
    }
    lines.extend(disks(context, state, role));
    if state.restarted {
        lines
            .push(Line::of(Role::Note, "another process answered than last time: no rates across a restart"));
    }
    if reading.truncated {
        let text =
            format!("there are more than {} samples: those beyond are left out", reading.samples.len());
        lines.push(Line::of(Role::Warning, text));
    }
    if let Some((line, why)) = reading.bad.first() {
        let text = format!("{} lines cannot be read; the first is line {line}: {why}", reading.bad_total);
        lines.push(Line::of(Role::Warning, text));
    }
    sections.push(Section {
        title: String::new(),
        lines,
        table: Some(families(target, state, reading, role)),
    });
}

/// A line for each file system, the fullest first.
fn disks(context: PanelContext<'_>, state: &MetricsState, role: Role) -> Vec<Line> {
    let mut all: Vec<_> = state.disks.iter().collect();
    all.sort_by(|(_, a), (_, b)| b.used().total_cmp(&a.used()));
    let line = |(place, disk): (&str, &Disk)| {
        let end = disk
            .left()
            .map_or(String::new(), |left| format!(", full in {} if it goes on like this", duration(left)));
        if disk.failed {
            return Line::of(Role::Muted, format!("disk {place:<20} ")).then(Role::Warning, "cannot be read");
        }
        let inodes = disk.inodes.filter(|_| !disk.read_only).unwrap_or_default();
        let used = if disk.may_fill_up(place) { disk.used() } else { 0.0 };
        let worry = context.graded("metrics.disk", Some(used.max(inodes)), role);
        let inodes =
            if inodes >= 0.5 { format!(", {} of its inodes", percent(inodes)) } else { String::new() };
        let kind = if disk.read_only { ", read-only" } else { "" };
        let text = format!(
            "{} of {}, {} left{inodes}{kind}{end}",
            percent(disk.used()),
            bytes(disk.size),
            bytes(disk.free)
        );
        Line::of(Role::Muted, format!("disk {place:<20} ")).then(worry, text)
    };
    all.into_iter().take(MOST_DISKS).map(line).collect()
}

fn families(target: &TargetState, state: &MetricsState, reading: &MetricsReading, role: Role) -> Table {
    let mut all: BTreeMap<&str, (MetricKind, usize, f64, bool)> = BTreeMap::new();
    for sample in &reading.samples {
        let (name, kind) = reading.family(&sample.name);
        let entry = all.entry(name).or_insert((kind, 0, 0.0, false));
        let histogram = matches!(kind, MetricKind::Histogram | MetricKind::Summary);
        if histogram && !sample.name.ends_with("_count") {
            continue;
        }
        entry.1 += 1;
        if kind == MetricKind::Counter || histogram {
            if let Some(rate) = state.rates.get(&(sample.name.clone(), sample.series(""))) {
                entry.2 += rate;
                entry.3 = true;
            }
        } else {
            // What is no number is in no sum; alone it is shown as it is.
            if entry.3 && entry.2.is_nan() {
                entry.2 = sample.value;
            } else if !entry.3 || !sample.value.is_nan() {
                entry.2 += sample.value;
            }
            entry.3 = true;
        }
    }
    let rows = all
        .into_iter()
        .map(|(name, (kind, series, sum, known))| {
            let spread = state.distributions.get(&(name.to_owned(), ALL_SERIES.to_owned()));
            let value = known.then_some(sum);
            let text = match kind {
                MetricKind::Counter | MetricKind::Histogram | MetricKind::Summary => or_dash(value, rate),
                MetricKind::Gauge | MetricKind::Untyped if series == 1 => or_dash(value, figure),
                MetricKind::Gauge | MetricKind::Untyped => format!("Σ {}", or_dash(value, figure)),
            };
            let mut cells = vec![
                Cell::of(Role::Strong, name),
                Cell::of(Role::Muted, kind.word()),
                Cell::number(Some(series as f64), series.to_string()).role(role),
                Cell::number(value, text).role(role),
            ];
            cells.extend(spread_cells(spread, name));
            Row::opens(RowKey::Metrics(target.id.clone(), MetricsRow::Family(name.to_owned())), cells)
        })
        .collect();
    Table {
        columns: vec![
            Column::flex("family", 30, 0),
            Column::fixed("kind", 10, 3),
            Column::number("series", 7, 1),
            Column::number("now", 12, 0),
            Column::number("p50", 9, 2),
            Column::number("p95", 9, 0),
            Column::number("p99", 9, 2),
        ],
        rows,
        empty: "no family".to_owned(),
        fixed_order: false,
    }
}

fn spread_cells(spread: Option<&Distribution>, family: &str) -> [Cell; 3] {
    // Only times are shown as times.
    let milliseconds = family.ends_with("_ms") || family.ends_with("_milliseconds");
    let time = milliseconds || family.contains("seconds");
    let cell = |pick: fn(&Distribution) -> Option<Quantile>| match spread.and_then(pick) {
        Some(value) if time => quantile(Some(value), milliseconds),
        Some(Quantile::Value(value)) => Cell::number(Some(value), figure(value)),
        Some(Quantile::Above(value)) => Cell::number(Some(value), format!(">{}", figure(value))),
        None => Cell::default(),
    };
    [cell(|d| d.p50), cell(|d| d.p95), cell(|d| d.p99)]
}

fn family(context: PanelContext<'_>, id: &TargetId, name: &str) -> Content {
    let title = name.to_owned();
    let state = context.world.target(id.as_str()).and_then(|target| match &target.system {
        SystemState::Metrics(state) => Some(state),
        SystemState::Postgres(_)
        | SystemState::Redis(_)
        | SystemState::Search(_)
        | SystemState::Prometheus(_) => None,
    });
    let Some((state, reading)) = state.and_then(|state| Some((state, state.reading()?))) else {
        return Content { title, sections: Vec::new() };
    };
    let samples = reading.samples.iter().filter(|sample| reading.family(&sample.name).0 == name);
    let (_, kind) = reading.family(name);
    let rows: Vec<Row> = if kind == MetricKind::Histogram {
        let series = state.distributions.iter().filter(|((family, _), _)| family == name);
        series
            .take(MOST_SERIES)
            .map(|((_, labels), spread)| {
                let mut cells =
                    vec![Cell::text(labels), Cell::number(Some(spread.count), count(spread.count))];
                cells.extend(spread_cells(Some(spread), name));
                Row::flat(
                    RowKey::Metrics(id.clone(), MetricsRow::Series(name.to_owned(), labels.clone())),
                    cells,
                )
            })
            .collect()
    } else {
        samples
            .take(MOST_SERIES)
            .map(|sample| {
                let labels = sample.series("");
                let grown = state.rates.get(&(sample.name.clone(), labels.clone())).copied();
                // `_sum` and `_count` of a summary have the same labels.
                let suffix = sample.name.strip_prefix(name).unwrap_or_default();
                let shown = match (labels.is_empty(), suffix) {
                    (true, _) => sample.name.clone(),
                    (false, "" | "_total") => labels.clone(),
                    (false, suffix) => format!("{suffix} {labels}"),
                };
                let cells = vec![
                    Cell::text(shown),
                    Cell::number(Some(sample.value), figure(sample.value)),
                    Cell::number(grown, or_dash(grown, rate)),
                    Cell::default(),
                    Cell::default(),
                ];
                Row::flat(RowKey::Metrics(id.clone(), MetricsRow::Series(sample.name.clone(), labels)), cells)
            })
            .collect()
    };
    let histogram = kind == MetricKind::Histogram;
    let table = Table {
        columns: vec![
            Column::flex("series", 30, 0),
            Column::number(if histogram { "n, 1 min" } else { "value" }, 12, 0),
            Column::number(if histogram { "p50" } else { "rate" }, 10, 0),
            Column::number(if histogram { "p95" } else { "" }, 10, 0),
            Column::number(if histogram { "p99" } else { "" }, 10, 1),
        ],
        rows,
        empty: "nothing yet: quantiles need two scrapes ten seconds apart".to_owned(),
        fixed_order: false,
    };
    let sections = vec![Section::table(format!("{name} ({})", kind.word()), table)];
    Content { title, sections }
}
