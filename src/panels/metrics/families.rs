//! The families of an endpoint as a list, and one of them with its series.

use crate::core::ids::TargetId;
use crate::core::metrics::{Distribution, MetricKind, MetricsReading, MetricsRow, MetricsState, Quantile};
use crate::core::row::RowKey;
use crate::core::time::Now;
use crate::core::world::TargetState;
use crate::panels::metrics::target::{figure, measured, quantile};
use crate::panels::panel::PanelContext;
use crate::ui::content::{Cell, Column, Content, Role, Row, Section, Table};
use crate::ui::format::{count, or_dash, rate, whole};

/// Series of one family beyond this are not listed.
const MOST_SERIES: usize = 500;

/// What is added up of one family.
#[derive(Clone, Copy, Default)]
struct Sum {
    series: usize,
    value: f64,
    known: bool,
}

impl Sum {
    /// A rate or value of one series more. One series that is not a number takes nothing from the others; alone it is shown as it is.
    fn add(&mut self, value: f64) {
        if self.known && self.value.is_nan() {
            self.value = value;
        } else if !self.known || !value.is_nan() {
            self.value += value;
        }
        self.known = true;
    }
}

/// The families of an endpoint.
pub(super) fn families(
    target: &TargetState,
    state: &MetricsState,
    reading: &MetricsReading,
    (role, now): (Role, Now),
) -> Table {
    let mut sums = vec![Sum::default(); reading.layout.families().len()];
    for (sample, value) in reading.samples() {
        let (_, kind) = sample.family();
        let Some(sum) = sums.get_mut(sample.family_index()) else { continue };
        let histogram = matches!(kind, MetricKind::Histogram | MetricKind::Summary);
        if histogram && !sample.name().ends_with("_count") {
            continue;
        }
        sum.series += 1;
        if kind == MetricKind::Counter || histogram {
            if let Some(rate) = state.rate(sample) {
                sum.value += rate;
                sum.known = true;
            }
        } else {
            sum.add(value);
        }
    }
    let mut all: Vec<_> = reading.layout.families().zip(sums).collect();
    all.sort_by_key(|((name, _), _)| *name);
    let rows = all
        .into_iter()
        .map(|((name, kind), sum)| {
            let value = sum.known.then_some(sum.value);
            let text = match kind {
                MetricKind::Counter | MetricKind::Histogram | MetricKind::Summary => or_dash(value, rate),
                MetricKind::Gauge | MetricKind::Untyped if sum.series == 1 => {
                    or_dash(value, |value| measured(name, value, now))
                }
                MetricKind::Gauge | MetricKind::Untyped => {
                    format!("sum {}", or_dash(value, |value| measured(name, value, now)))
                }
            };
            let mut cells = vec![
                Cell::of(Role::Strong, name),
                Cell::of(Role::Muted, kind.word()),
                Cell::figure(Some(sum.series as f64), whole).role(role),
                Cell::number(value, text).role(role),
            ];
            cells.extend(spread_cells(state.spread(name).as_ref(), name));
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
        Some(Quantile::Value(value)) => Cell::figure(Some(value), figure),
        Some(Quantile::Above(value)) => Cell::number(Some(value), format!(">{}", figure(value))),
        None => Cell::default(),
    };
    [cell(|d| d.p50), cell(|d| d.p95), cell(|d| d.p99)]
}

pub(super) fn family(context: PanelContext<'_>, id: &TargetId, name: &str) -> Content {
    let title = name.to_owned();
    let state = context.target(id.as_str()).and_then(|target| target.system.metrics());
    let Some((state, reading)) = state.and_then(|state| Some((state, state.reading()?))) else {
        return Content { title, sections: Vec::new() };
    };
    let kind = reading.layout.families().find(|(family, _)| *family == name);
    let kind = kind.map_or(MetricKind::Untyped, |(_, kind)| kind);
    let rows: Vec<Row> = if kind == MetricKind::Histogram {
        let series = state.spreads(name).into_iter().take(MOST_SERIES);
        series
            .map(|(labels, spread)| {
                let mut cells = vec![Cell::text(&labels), Cell::figure(Some(spread.count), count)];
                cells.extend(spread_cells(Some(&spread), name));
                Row::flat(RowKey::Metrics(id.clone(), MetricsRow::Series(name.to_owned(), labels)), cells)
            })
            .collect()
    } else {
        let samples = reading.samples().filter(|(sample, _)| sample.family().0 == name).take(MOST_SERIES);
        samples
            .map(|(sample, value)| {
                let labels = sample.series("");
                let grown = state.rate(sample);
                // `_sum` and `_count` of a summary have the same labels.
                let suffix = sample.name().strip_prefix(name).unwrap_or_default();
                let shown = match (labels.is_empty(), suffix) {
                    (true, _) => sample.name().to_owned(),
                    (false, "" | "_total") => labels.clone(),
                    (false, suffix) => format!("{suffix} {labels}"),
                };
                let cells = vec![
                    Cell::text(shown),
                    Cell::number(Some(value), measured(sample.name(), value, context.now)),
                    Cell::figure(grown, rate),
                    Cell::default(),
                    Cell::default(),
                ];
                let series = MetricsRow::Series(sample.name().to_owned(), labels);
                Row::flat(RowKey::Metrics(id.clone(), series), cells)
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
