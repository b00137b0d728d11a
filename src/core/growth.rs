//! What grows on a target by the day, and when it is full if it goes on like that: by what a Prometheus server remembers of its size, asked for
//! only while somebody looks. It is told on a page, and no rule looks at it. Pure.

use super::focus::Focus;
use super::forecast::per_day;
use super::ids::{SystemKind, TargetId};
use super::past::Instance;
use super::prometheus::{Range, RangeReading, SPANS};
use super::target::TargetState;
use super::world::World;
use std::time::Duration;

/// A size, as an exporter tells of it. `$at` stands for the labels of the instance; each series is one of what `what` names.
struct Size {
    kind: SystemKind,
    what: &'static str,
    /// What tells how many instances there are.
    metric: &'static str,
    expr: &'static str,
}

/// By postgres_exporter, redis_exporter and elasticsearch_exporter.
static SIZES: &[Size] = &[
    Size {
        kind: SystemKind::Postgres,
        what: "database",
        metric: "pg_database_size_bytes",
        expr: "topk(5, max by (datname) (pg_database_size_bytes{$at}))",
    },
    Size {
        kind: SystemKind::Redis,
        what: "memory",
        metric: "redis_memory_used_bytes",
        expr: "sum(redis_memory_used_bytes{$at})",
    },
    Size {
        kind: SystemKind::Search,
        what: "disk of node",
        metric: "elasticsearch_filesystem_data_size_bytes",
        expr: "topk(5, sum by (name) (elasticsearch_filesystem_data_size_bytes{$at} - elasticsearch_filesystem_data_available_bytes{$at}))",
    },
];

/// Further ahead nobody plans by a line through days.
const HORIZON_DAYS: f64 = 400.0;
/// Less in a day is not told.
const LEAST_BYTES: f64 = 1_048_576.0;
/// So much of the past is looked at.
const SPAN: Duration = SPANS[2];

/// What grows.
#[derive(Clone, Debug, PartialEq)]
pub struct Growth {
    /// What it is: "database shop".
    pub what: String,
    /// How large it is now, in bytes.
    pub bytes: f64,
    /// By how many bytes it grows in a day.
    pub per_day: f64,
    /// How large it can get, where that is known.
    pub limit: Option<f64>,
}

impl Growth {
    /// How long until it is full, where that is near enough to be said.
    #[must_use]
    pub fn full_in(&self) -> Option<Duration> {
        let days = (self.limit? - self.bytes).max(0.0) / self.per_day;
        (days < HORIZON_DAYS).then(|| Duration::from_secs_f64(days * 86_400.0))
    }
}

/// What `server`, a Prometheus, is asked of `target`.
fn wanted(target: &TargetState, server: &TargetState) -> Option<(&'static Size, Range)> {
    let size = SIZES.iter().find(|size| size.kind == target.kind)?;
    let expr = Instance::of(target, server)?.asked(size.expr, size.metric);
    Some((size, Range { expr, span: SPAN }))
}

/// What is asked while a target is looked at.
#[must_use]
pub fn asked(world: &World, target: &TargetState) -> Vec<(TargetId, Focus)> {
    let servers = world.targets().iter().filter(|server| server.system.prometheus().is_some());
    let ask = |server: &TargetState| Some((server.id.clone(), Focus::Range(wanted(target, server)?.1)));
    servers.filter_map(|server| ask(server)).collect()
}

/// What of `target` grows, the fastest first. Nothing where nothing is remembered or nothing grows.
#[must_use]
pub fn of(world: &World, target: &TargetState) -> Vec<Growth> {
    let read = |server: &TargetState| -> Option<Vec<Growth>> {
        let (size, range) = wanted(target, server)?;
        let series = server.system.prometheus()?.reading()?.range(&range.expr, range.span)?.series.ready()?;
        let grown = |(labels, values): &(String, Vec<f64>)| {
            let samples = RangeReading::samples(values);
            let name = labels.split_once('=').map_or("", |(_, name)| name);
            let per_day = per_day(&samples, range.step()).filter(|bytes| *bytes >= LEAST_BYTES)?;
            let bytes = samples.iter().rev().find_map(|value| *value)?;
            let what = format!("{} {name}", size.what).trim_end().to_owned();
            Some(Growth { what, bytes, per_day, limit: limit(target, name) })
        };
        Some(series.iter().filter_map(grown).collect())
    };
    let mut all = world.targets().iter().find_map(|server| read(server)).unwrap_or_default();
    all.sort_by(|one, other| other.per_day.total_cmp(&one.per_day));
    all
}

/// How large it can get, as the target itself says.
fn limit(target: &TargetState, name: &str) -> Option<f64> {
    let redis = target.system.redis().and_then(|state| state.reading()?.server.maxmemory_bytes);
    let node = || {
        let nodes = target.system.search()?.reading()?.nodes.ready()?;
        nodes.iter().find(|node| node.name == name)?.disk_total_bytes
    };
    redis.or_else(node)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn full(bytes: f64, per_day: f64, limit: Option<f64>, days: Option<f64>) {
        let growth = Growth { what: String::new(), bytes, per_day, limit };
        assert_eq!(growth.full_in().map(|left| left.as_secs_f64() / 86_400.0), days);
    }

    #[test]
    fn it_is_full_when_what_is_left_has_grown() {
        full(100.0, 10.0, Some(150.0), Some(5.0));
        full(150.0, 10.0, Some(150.0), Some(0.0));
        full(160.0, 10.0, Some(150.0), Some(0.0));
        full(100.0, 10.0, None, None);
        full(100.0, 0.1, Some(150.0), None);
    }
}
