//! Many endpoints: a row for each, which opens. What a screen cannot show is not made for it.

use crate::core::freshness::Freshness;
use crate::core::metrics::{MetricsRow, MetricsState};
use crate::core::row::RowKey;
use crate::core::text::counted;
use crate::core::world::TargetState;
use crate::panels::metrics::target::{quantile, tone};
use crate::panels::panel::PanelContext;
use crate::ui::content::{Cell, Column, Role, Row};
use crate::ui::format::{bytes, count, duration, percent, rate};

/// So many endpoints are a list; fewer are shown with their families at once.
pub(super) const LISTED_FROM: usize = 5;

/// Every endpoint that is scraped.
pub(super) fn endpoints(
    context: PanelContext<'_>,
) -> impl Iterator<Item = (&TargetState, &MetricsState)> + Clone {
    context.targets().filter_map(|target| Some((target, target.system.metrics()?)))
}

/// What a list of endpoints shows.
pub(super) fn columns() -> Vec<Column> {
    vec![
        Column::flex("endpoint", 16, 0),
        Column::number("requests", 10, 0).changing(),
        Column::number("errors", 8, 0).changing(),
        Column::number("p95", 9, 1).changing(),
        Column::number("samples", 8, 2),
        Column::number("size", 9, 3),
        Column::flex("", 20, 1),
    ]
}

pub(super) fn row(target: &TargetState, state: &MetricsState, context: PanelContext<'_>) -> Row {
    let role = tone(target, context);
    let golden = &state.golden;
    let reading = state.reading();
    let samples = reading.map(|reading| reading.len() as f64);
    let size = reading.map(|reading| reading.bytes as f64);
    let cells = vec![
        Cell::of(Role::Strong, target.id.as_str()),
        Cell::figure(golden.requests, rate).role(role),
        Cell::figure(golden.errors, percent).role(role),
        quantile(golden.p95, false).role(role),
        Cell::figure(samples, count).role(role),
        Cell::figure(size, bytes).role(role),
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
        Some(reading) => {
            let lines = counted(reading.bad_total, "line");
            Cell::of(Role::Warning, format!("{lines} cannot be read"))
        }
        None if state.in_turn > 1 => Cell::of(Role::Note, format!("{} processes in turn", state.in_turn)),
        None if state.restarted => Cell::of(Role::Note, "another process answered than last time"),
        None => Cell::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::alert::Rulebook;
    use crate::core::ids::{SystemKind, TargetId};
    use crate::core::metrics::{MetricSample, MetricsReading};
    use crate::core::place::Screen;
    use crate::core::reading::Reading;
    use crate::core::report::PollReport;
    use crate::core::scope::Scope;
    use crate::core::time::Now;
    use crate::core::world::{World, all_rules};
    use crate::panels::panel;
    use crate::panels::panel::Keys;
    use chrono::{Offset, Utc};
    use std::collections::BTreeMap;
    use std::time::Duration;

    const FIVE: Duration = Duration::from_secs(5);

    /// The metrics screen of so many endpoints below `path`: the kinds of the rows of each section.
    fn rows(count: usize, path: &[RowKey]) -> Vec<(&'static str, usize)> {
        let now = Now::example(0);
        let id = |number: usize| TargetId::new(&format!("shop-{number}"));
        let state = |number| TargetState::new(id(number), SystemKind::Metrics, String::new(), FIVE, now);
        let mut world = World::new((0..count).map(state).collect(), Rulebook::defaults(&all_rules()));
        let sample =
            |name: &str| MetricSample { name: name.to_owned(), value: 1.0, ..MetricSample::default() };
        for number in 0..count {
            let reading = MetricsReading::of(&[sample("one"), sample("two")], &BTreeMap::new());
            let reading = Ok(Reading::Metrics(Box::new(reading)));
            world.apply(PollReport::example(id(number), reading, now));
        }
        let keys = Keys::default();
        let seen = PanelContext {
            keys: &keys,
            world: &world,
            scope: &Scope::All,
            now,
            live: true,
            zone: Utc.fix(),
            who: "ana",
            arming: None,
        };
        let content = panel(Screen::Metrics).content(seen, path);
        let tables = content.sections.into_iter().filter_map(|section| section.table);
        let kind = |row: &Row| match &row.key {
            RowKey::Metrics(_, MetricsRow::Endpoint) => "endpoint",
            RowKey::Metrics(_, MetricsRow::Family(_)) => "family",
            RowKey::Metrics(_, MetricsRow::Series(..)) => "series",
            RowKey::Group(_) => "group",
            other => panic!("{other:?}"),
        };
        tables.map(|table| (kind(&table.rows[0]), table.rows.len())).collect()
    }

    #[test]
    fn few_endpoints_are_shown_with_their_families_and_many_are_a_list_that_opens() {
        assert_eq!(rows(2, &[]), [("family", 2), ("family", 2)]);
        assert_eq!(rows(LISTED_FROM, &[]), [("endpoint", LISTED_FROM)]);
        let of = |row| RowKey::Metrics(TargetId::new("shop-3"), row);
        let opened = of(MetricsRow::Endpoint);
        assert_eq!(rows(100, std::slice::from_ref(&opened)), [("family", 2)]);
        let family = of(MetricsRow::Family("one".to_owned()));
        assert_eq!(rows(100, &[opened, family]), [("series", 1)]);
    }
}
