//! The numbers that are drawn over the last quarter of an hour: a few of each system, on a grid of time that is the same for all of them, so
//! that several stand below one axis. Small on purpose: a stack of a hundred targets keeps them all. Pure.

use super::alert::{RuleId, RuleUnit};
use super::history::millis;
use super::ids::SystemKind;
use super::metrics::Quantile;
use super::redis::QueueReading;
use super::system::SystemState;
use super::time::Now;
use std::collections::VecDeque;
use std::time::Duration;

/// How far back they reach, and how wide a column is.
pub const QUARTER: Duration = Duration::from_secs(15 * 60);
/// Finer than any interval of a system that changes quickly needs at the width of a screen.
pub const STEP: Duration = Duration::from_secs(5);
/// So many columns there are.
pub const COLUMNS: usize = 180;

/// One number of a system.
#[derive(Debug)]
pub struct TraceSpec {
    kind: SystemKind,
    /// What it is, as it is written beside its target.
    pub name: &'static str,
    /// Its unit.
    pub unit: RuleUnit,
    /// The findings that it shows: beginnings of the names of rules. An empty one is of all: the traffic, last of its kind.
    rules: &'static [&'static str],
    of: fn(&SystemState) -> Option<f64>,
}

impl TraceSpec {
    /// The kind of system that it is of.
    #[must_use]
    pub const fn kind(&self) -> SystemKind {
        self.kind
    }
}

/// All of them; of each kind those that show a single finding first.
pub static TRACES: &[TraceSpec] = &[
    TraceSpec {
        kind: SystemKind::Postgres,
        name: "sessions waiting for locks",
        unit: RuleUnit::Count,
        rules: &[
            "postgres.blocked",
            "postgres.idle_in_transaction",
            "postgres.deadlocks",
            "postgres.long_transaction",
        ],
        of: |state| state.postgres()?.waiting().map(|count| count as f64),
    },
    TraceSpec {
        kind: SystemKind::Postgres,
        name: "connections",
        unit: RuleUnit::Count,
        rules: &["postgres.connections", "postgres.time_left"],
        of: |state| state.postgres()?.histories.connections.last(),
    },
    TraceSpec {
        kind: SystemKind::Postgres,
        name: "behind",
        unit: RuleUnit::Bytes,
        rules: &["postgres.replication", "postgres.synchronous"],
        of: |state| state.postgres()?.histories.lag_bytes.last(),
    },
    TraceSpec {
        kind: SystemKind::Postgres,
        name: "transactions",
        unit: RuleUnit::PerSecond,
        rules: &[""],
        of: |state| state.postgres()?.histories.transactions.last(),
    },
    TraceSpec {
        kind: SystemKind::Redis,
        name: "jobs waiting",
        unit: RuleUnit::Count,
        rules: &[
            "queue.wait",
            "queue.no_worker",
            "queue.paused",
            "queue.stranded",
            "queue.generations",
            "queue.s",
        ],
        of: |state| queued(state, |queue| queue.dead_letter.is_none().then(|| queue.backlog())),
    },
    TraceSpec {
        kind: SystemKind::Redis,
        name: "jobs failed",
        unit: RuleUnit::Count,
        rules: &["queue.failing", "queue.dead_letters"],
        of: |state| queued(state, |queue| Some(queue.dead())),
    },
    TraceSpec {
        kind: SystemKind::Redis,
        name: "memory",
        unit: RuleUnit::Bytes,
        rules: &["redis.memory", "redis.evictions", "redis.errors"],
        of: |state| state.redis()?.memory.last(),
    },
    TraceSpec {
        kind: SystemKind::Redis,
        name: "commands",
        unit: RuleUnit::PerSecond,
        rules: &[""],
        of: |state| state.redis()?.ops.last(),
    },
    TraceSpec {
        kind: SystemKind::Search,
        name: "fullest heap",
        unit: RuleUnit::Ratio,
        rules: &["search.heap", "search.breaker", "search.old_gc"],
        of: |state| state.search()?.heap.last(),
    },
    TraceSpec {
        kind: SystemKind::Search,
        name: "shard searches",
        unit: RuleUnit::PerSecond,
        rules: &[""],
        of: |state| state.search()?.queries.last(),
    },
    TraceSpec {
        kind: SystemKind::Metrics,
        name: "answered with 5xx",
        unit: RuleUnit::Ratio,
        rules: &["metrics.errors"],
        of: |state| state.metrics()?.golden.errors,
    },
    TraceSpec {
        kind: SystemKind::Metrics,
        name: "95th percentile",
        unit: RuleUnit::Seconds,
        rules: &["metrics.latency_p95"],
        of: |state| match state.metrics()?.golden.p95? {
            Quantile::Value(seconds) | Quantile::Above(seconds) => Some(seconds),
        },
    },
    TraceSpec {
        kind: SystemKind::Metrics,
        name: "requests",
        unit: RuleUnit::PerSecond,
        rules: &[""],
        of: |state| state.metrics()?.golden.requests,
    },
    TraceSpec {
        kind: SystemKind::Alertmanager,
        name: "active alerts",
        unit: RuleUnit::Count,
        rules: &[""],
        of: |state| state.alertmanager()?.active.last(),
    },
    TraceSpec {
        kind: SystemKind::Loki,
        name: "errors a minute",
        unit: RuleUnit::Count,
        rules: &["loki.errors"],
        of: |state| state.loki()?.errors_now(),
    },
    TraceSpec {
        kind: SystemKind::Loki,
        name: "lines a minute",
        unit: RuleUnit::Count,
        rules: &[""],
        of: |state| state.loki()?.lines_now(),
    },
    TraceSpec {
        kind: SystemKind::Log,
        name: "errors a minute",
        unit: RuleUnit::Count,
        rules: &["log.errors"],
        of: |state| state.log()?.errors_now(),
    },
    TraceSpec {
        kind: SystemKind::Log,
        name: "lines a minute",
        unit: RuleUnit::Count,
        rules: &[""],
        of: |state| state.log()?.lines_now(),
    },
    TraceSpec {
        kind: SystemKind::Health,
        name: "time to answer",
        unit: RuleUnit::Seconds,
        rules: &[""],
        of: |state| state.health()?.latency.last(),
    },
    TraceSpec {
        kind: SystemKind::Probe,
        name: "time to answer",
        unit: RuleUnit::Seconds,
        rules: &[""],
        of: |state| state.probe()?.latency.last(),
    },
];

fn queued(state: &SystemState, count: impl Fn(&QueueReading) -> Option<u64>) -> Option<f64> {
    let queues = state.redis()?.reading()?.queues.ready()?;
    (!queues.is_empty()).then(|| queues.iter().filter_map(|queue| count(queue)).sum::<u64>() as f64)
}

/// The numbers of one target.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Traces {
    /// By their place among all.
    kept: Vec<(usize, Quarter)>,
}

impl Traces {
    /// Takes in what is known at `now`; nothing is while its target fails.
    pub(super) fn push(&mut self, kind: SystemKind, state: Option<&SystemState>, now: Now) {
        for (place, spec) in TRACES.iter().enumerate().filter(|(_, spec)| spec.kind == kind) {
            let value = state.and_then(spec.of).filter(|value| value.is_finite());
            match self.kept.iter_mut().find(|(known, _)| *known == place) {
                Some((_, quarter)) => quarter.push(now, value),
                None if value.is_some() => {
                    let mut quarter = Quarter::default();
                    quarter.push(now, value);
                    self.kept.push((place, quarter));
                    self.kept.sort_by_key(|(place, _)| *place);
                }
                None => {}
            }
        }
    }

    /// Nobody was running for a while.
    pub(super) fn interrupt(&mut self) {
        for (_, quarter) in &mut self.kept {
            quarter.known = false;
        }
    }

    /// Those that were ever known, in their order.
    pub fn all(&self) -> impl Iterator<Item = (&'static TraceSpec, &Quarter)> {
        self.kept.iter().filter_map(|(place, quarter)| Some((TRACES.get(*place)?, quarter)))
    }

    /// The one of this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Quarter> {
        self.all().find(|(spec, _)| spec.name == name).map(|(_, quarter)| quarter)
    }

    /// The one that shows a finding of `rule` best; without a rule the traffic.
    #[must_use]
    pub fn of(&self, rule: Option<RuleId>) -> Option<(&'static TraceSpec, &Quarter)> {
        let name = rule.map_or("", |rule| rule.as_str());
        self.all().find(|(spec, _)| spec.rules.iter().any(|beginning| name.starts_with(beginning)))
    }
}

/// The last quarter of an hour of one number, a mean a column. A column that nobody saw is none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Quarter {
    /// The place of the newest column on the grid.
    newest: u64,
    /// Half the bytes of what it is made from: nobody sees the difference in a graph.
    means: VecDeque<Option<f32>>,
    sum: f64,
    count: u32,
    /// The newest sample was one.
    known: bool,
}

const fn grid(now: Now) -> u64 {
    millis(now.mono) / millis(STEP)
}

impl Quarter {
    fn push(&mut self, now: Now, sample: Option<f64>) {
        let place = grid(now);
        let passed = if self.means.is_empty() { 1 } else { place.saturating_sub(self.newest) };
        if passed > 0 {
            // A sample stands for the time since the one before it.
            let between = sample.filter(|_| self.known).map(|value| value as f32);
            let missing = usize::try_from(passed - 1).unwrap_or(COLUMNS).min(COLUMNS);
            self.means.extend(std::iter::repeat_n(between, missing));
            self.means.push_back(None);
            (self.newest, self.sum, self.count) = (place, 0.0, 0);
        }
        if let Some(value) = sample {
            self.sum += value;
            self.count += 1;
            if let Some(mean) = self.means.back_mut() {
                *mean = Some((self.sum / f64::from(self.count)) as f32);
            }
        }
        self.known = sample.is_some();
        let over = self.means.len().saturating_sub(COLUMNS);
        self.means.drain(..over);
    }

    /// The [`COLUMNS`] before `now`, oldest first. Of a target that still answers (`fresh`) the newest value holds until the next one.
    #[must_use]
    pub fn columns(&self, now: Now, fresh: bool) -> Vec<Option<f64>> {
        let passed = usize::try_from(grid(now).saturating_sub(self.newest)).unwrap_or(COLUMNS).min(COLUMNS);
        let newest = self.means.back().copied().flatten().filter(|_| fresh);
        let mut columns: Vec<Option<f32>> = self.means.iter().copied().collect();
        columns.extend(std::iter::repeat_n(newest, passed));
        let missing = COLUMNS.saturating_sub(columns.len());
        let over = columns.len().saturating_sub(COLUMNS);
        let shown = columns.into_iter().skip(over).map(|mean| mean.map(f64::from));
        std::iter::repeat_n(None, missing).chain(shown).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The newest columns, a digit each and a blank for none.
    #[track_caller]
    fn draws(samples: &[(u64, f64)], now: u64, fresh: bool, expected: &str) {
        let mut quarter = Quarter::default();
        for (second, value) in samples {
            quarter.push(Now::example(*second), (*value >= 0.0).then_some(*value));
        }
        let columns = quarter.columns(Now::example(now), fresh);
        assert_eq!(columns.len(), COLUMNS);
        let text: String = columns.iter().map(|v| v.map_or(" ".to_owned(), |v| format!("{v:.0}"))).collect();
        assert_eq!(text.trim_start(), expected);
    }

    #[test]
    fn a_column_is_a_mean_and_a_gap_is_as_wide_as_it_was_long() {
        draws(&[(0, 2.0), (2, 4.0), (5, 7.0)], 5, true, "37");
        draws(&[(0, 2.0), (20, 4.0)], 20, true, "24444");
        draws(&[(0, 2.0), (5, -1.0), (20, 4.0)], 20, true, "2   4");
        draws(&[(0, 2.0)], 12, true, "222");
        draws(&[(0, 2.0)], 12, false, "2  ");
        draws(&[(0, 2.0), (5, -1.0)], 12, true, "2  ");
    }

    #[test]
    fn it_reaches_a_quarter_of_an_hour_back() {
        let samples: Vec<(u64, f64)> = (0..2000).map(|second| (second, (second / 5 % 10) as f64)).collect();
        let mut quarter = Quarter::default();
        for (second, value) in &samples {
            quarter.push(Now::example(*second), Some(*value));
        }
        let columns = quarter.columns(Now::example(1999), true);
        assert!(columns.iter().all(Option::is_some));
        assert_eq!((columns[0], columns[COLUMNS - 1]), (Some(0.0), Some(9.0)));
        quarter.push(Now::example(1_000_000), Some(1.0));
        assert_eq!(quarter.means.len(), COLUMNS);
        assert_eq!(STEP * u32::try_from(COLUMNS).expect("few"), QUARTER);
    }

    #[test]
    fn every_kind_ends_with_what_shows_all() {
        for spec in TRACES {
            let last = TRACES.iter().rfind(|other| other.kind == spec.kind).expect("there is one");
            assert_eq!(last.rules, [""], "{}", spec.name);
            for beginning in spec.rules {
                let known = crate::core::world::all_rules();
                assert!(known.iter().any(|rule| rule.id.as_str().starts_with(beginning)), "{beginning}");
            }
        }
    }
}
