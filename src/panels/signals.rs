//! The golden signals of every system, one line each: what a healthy stack looks like at a glance.

use crate::core::freshness::Freshness;
use crate::core::history::Series;
use crate::core::metrics::{MetricsState, Quantile};
use crate::core::postgres::PostgresState;
use crate::core::prometheus::PrometheusState;
use crate::core::redis::RedisState;
use crate::core::search::SearchState;
use crate::core::text::counted;
use crate::core::world::{SystemState, TargetState};
use crate::panels::panel::PanelContext;
use crate::ui::content::{Line, Role, Section};
use crate::ui::format::{bytes, count, duration, or_dash, percent, rate, seconds, several};

/// Columns of a sparkline.
const SPARK: usize = 40;
/// The text before the sparkline.
const TEXT: usize = 62;

/// One line for each target that ever answered.
pub(super) fn section(context: PanelContext<'_>) -> Section {
    let lines: Vec<Line> =
        context.world.targets().iter().filter_map(|target| line(target, context)).collect();
    let title = if lines.is_empty() { "" } else { "Signals" };
    Section::lines(title, lines)
}

fn line(target: &TargetState, context: PanelContext<'_>) -> Option<Line> {
    let (text, past) = match &target.system {
        SystemState::Postgres(state) => postgres(state)?,
        SystemState::Redis(state) => redis(state)?,
        SystemState::Search(state) => search(state)?,
        SystemState::Prometheus(state) => (prometheus(state)?, None),
        SystemState::Metrics(state) => metrics(state)?,
    };
    // Numbers of before are never shown as those of now: their age goes first.
    let (role, text) = match target.freshness(context.now) {
        Freshness::Late(age) | Freshness::Lost(age) => {
            (Role::Stale, format!("{} old · {text}", duration(age)))
        }
        Freshness::Waiting | Freshness::Fresh(_) => (Role::Text, text),
    };
    let line = Line::of(Role::Strong, format!("{:<16}", crate::ui::text::cut(target.id.as_str(), 15)));
    Some(match past {
        Some(past) => line.then(role, format!("{text:<TEXT$}")).spark(target.past(past, SPARK)),
        None => line.then(role, text),
    })
}

type Told<'a> = (String, Option<&'a Series>);

fn postgres(state: &PostgresState) -> Option<Told<'_>> {
    let reading = state.reading()?;
    if let Some(standby) = reading.standby.ready().filter(|_| reading.server.in_recovery) {
        let text = if standby.behind_bytes == Some(0.0) {
            "copy, caught up".to_owned()
        } else {
            let staleness = seconds(standby.staleness_seconds);
            format!("copy {} behind, {staleness} old", or_dash(standby.behind_bytes, bytes))
        };
        return Some((text, Some(&state.histories.lag_bytes)));
    }
    let used = reading.slots.ready().map(|slots| slots.used as f64 / slots.usable().max(1) as f64);
    let waiting = state.waiting().map(|waiting| waiting as f64);
    let text = format!(
        "{} tx · hits {} · connections {} · {} waiting for locks",
        or_dash(state.rates.transactions, rate),
        or_dash(state.rates.hit_ratio, percent),
        or_dash(used, percent),
        or_dash(waiting, count)
    );
    Some((text, Some(&state.histories.transactions)))
}

fn redis(state: &RedisState) -> Option<Told<'_>> {
    let reading = state.reading()?;
    let queues = reading.queues.ready().map_or(&[][..], Vec::as_slice);
    let backlog: u64 =
        queues.iter().filter(|queue| queue.dead_letter.is_none()).map(|queue| queue.backlog()).sum();
    let dead: u64 = queues.iter().map(|queue| queue.dead()).sum();
    let text = format!(
        "{} ops · memory {} · {}, {} waiting, {} failed",
        or_dash(reading.server.ops_per_second, rate),
        or_dash(reading.server.used_memory_bytes, bytes),
        several(queues.len(), "queue"),
        count(backlog as f64),
        count(dead as f64)
    );
    Some((text, Some(&state.ops)))
}

fn search(state: &SearchState) -> Option<Told<'_>> {
    let reading = state.reading()?;
    let status = reading.health.ready().map_or("status not known", |health| health.status.as_str());
    let text = format!(
        "{status} · {} shard searches, mean {} · heap {}",
        or_dash(state.rates.queries, rate),
        or_dash(state.rates.query_ms, |ms| format!("{ms:.1} ms")),
        or_dash(state.heap.last(), percent)
    );
    Some((text, Some(&state.queries)))
}

fn prometheus(state: &PrometheusState) -> Option<String> {
    let reading = state.reading()?;
    // What could not be read is not zero.
    let targets = reading.targets.ready().map_or_else(
        || "targets not known".to_owned(),
        |all| {
            let down = all.iter().filter(|target| target.is_down()).count();
            format!("{}, {down} down", several(all.len(), "target"))
        },
    );
    let rules = reading.rules.ready().map_or_else(
        || "rules not known".to_owned(),
        |rules| format!("{} firing", counted(rules.firing(), "rule")),
    );
    Some(format!("{targets} · {rules}"))
}

fn metrics(state: &MetricsState) -> Option<Told<'_>> {
    let reading = state.reading()?;
    let golden = &state.golden;
    if golden.requests.is_none() {
        return Some((several(count(reading.len() as f64), "sample"), None));
    }
    let p95 = match golden.p95 {
        Some(Quantile::Value(value)) => seconds(Some(value)),
        Some(Quantile::Above(value)) => format!("more than {}", seconds(Some(value))),
        None => "—".to_owned(),
    };
    let errors = or_dash(golden.errors, percent);
    let text = format!("{} requests · errors {errors} · p95 {p95}", or_dash(golden.requests, rate));
    Some((text, Some(&state.requests)))
}
