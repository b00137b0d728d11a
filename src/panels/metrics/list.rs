//! Many endpoints: a row for each, which opens. What a screen cannot show is not made for it.

use crate::core::freshness::Freshness;
use crate::core::metrics::{MetricsRow, MetricsState};
use crate::core::row::RowKey;
use crate::core::world::{SystemState, TargetState};
use crate::panels::metrics::target::{quantile, tone};
use crate::panels::panel::PanelContext;
use crate::ui::content::{Cell, Column, Role, Row, Section, Table};
use crate::ui::format::{bytes, count, duration, or_dash, percent, rate};

/// So many endpoints are a list; fewer are shown with their families at once.
pub(super) const LISTED_FROM: usize = 5;

/// Every endpoint that is scraped.
pub(super) fn endpoints(context: PanelContext<'_>) -> impl Iterator<Item = (&TargetState, &MetricsState)> {
    context.world.targets().iter().filter_map(|target| match &target.system {
        SystemState::Metrics(state) => Some((&**target, &**state)),
        SystemState::Postgres(_)
        | SystemState::Redis(_)
        | SystemState::Search(_)
        | SystemState::Prometheus(_) => None,
    })
}

pub(super) fn section(endpoints: &[(&TargetState, &MetricsState)], context: PanelContext<'_>) -> Section {
    let table = Table {
        columns: vec![
            Column::flex("endpoint", 16, 0),
            Column::number("requests", 10, 0),
            Column::number("errors", 8, 0),
            Column::number("p95", 9, 1),
            Column::number("samples", 8, 2),
            Column::number("size", 9, 3),
            Column::flex("", 20, 1),
        ],
        rows: endpoints.iter().map(|(target, state)| row(target, state, context)).collect(),
        empty: String::new(),
        fixed_order: false,
    };
    Section::table(format!("Endpoints ({}; {} opens one)", endpoints.len(), context.keys.open), table)
}

fn row(target: &TargetState, state: &MetricsState, context: PanelContext<'_>) -> Row {
    let role = tone(target, context);
    let golden = &state.golden;
    let reading = state.reading();
    let samples = reading.map(|reading| reading.len() as f64);
    let size = reading.map(|reading| reading.bytes as f64);
    let cells = vec![
        Cell::of(Role::Strong, target.id.as_str()),
        Cell::number(golden.requests, or_dash(golden.requests, rate)).role(role),
        Cell::number(golden.errors, or_dash(golden.errors, percent)).role(role),
        quantile(golden.p95, false).role(role),
        Cell::number(samples, or_dash(samples, count)).role(role),
        Cell::number(size, or_dash(size, bytes)).role(role),
        note(target, state, context),
    ];
    Row::opens(RowKey::Metrics(target.id.clone(), MetricsRow::Endpoint), cells)
}

/// What is not as it should be.
fn note(target: &TargetState, state: &MetricsState, context: PanelContext<'_>) -> Cell {
    match target.freshness(context.now) {
        Freshness::Waiting => return Cell::of(Role::Muted, "waiting for the first answer"),
        Freshness::Late(age) if target.failure.is_none() => {
            return Cell::of(Role::Warning, format!("LATE, {} old", duration(age)));
        }
        Freshness::Late(_) | Freshness::Lost(_) => {
            return Cell::of(Role::Warning, target.silence(context.now));
        }
        Freshness::Fresh(_) => {}
    }
    let bad = state.reading().filter(|reading| reading.bad_total > 0);
    match bad {
        Some(reading) => Cell::of(Role::Warning, format!("{} lines cannot be read", reading.bad_total)),
        None if state.in_turn > 1 => Cell::of(Role::Note, format!("{} processes in turn", state.in_turn)),
        None if state.restarted => Cell::of(Role::Note, "another process answered than last time"),
        None => Cell::default(),
    }
}
