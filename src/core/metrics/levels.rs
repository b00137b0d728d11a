//! What else an application tells of itself: whether its cache is hit, how full its pools are. Found once among the samples of an endpoint by
//! their names. Pure.

use super::layout::{Layout, Named};
use super::operation::is_of_an_application;
use super::{MetricKind, MetricsReading};
use std::collections::BTreeMap;

/// Parts of the names of gauges that are about a pool of connections.
const POOLS: [&str; 4] = ["pool", "db_client_connection", "hikaricp_connections", "jdbc_connections"];

/// A pool of memory is no pool of connections.
fn is_of_memory(name: &str) -> bool {
    name.contains("memory_pool") || name.contains("_bytes") || name.contains("buffer_pool")
}

/// How full a pool is.
#[derive(Clone, Debug, PartialEq)]
pub struct PoolUse {
    /// Its name: what its gauges have in common, and their labels.
    pub name: String,
    /// Connections in use.
    pub used: f64,
    /// Connections that it may have.
    pub most: f64,
    /// Who waits for one.
    pub waiting: f64,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct PoolPlaces {
    used: Vec<usize>,
    most: Option<usize>,
    waiting: Option<usize>,
    /// What is open and what of that is idle: where nothing else tells what is in use.
    open: Option<usize>,
    idle: Option<usize>,
}

impl PoolPlaces {
    fn used(&self, value: impl Fn(usize) -> f64) -> Option<f64> {
        if self.used.is_empty() {
            return Some((value(self.open?) - value(self.idle?)).max(0.0));
        }
        Some(self.used.iter().map(|place| value(*place)).sum())
    }
}

/// What of an endpoint's samples tells of service levels.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Levels {
    /// The samples that count hits and misses of the cache.
    hits: Vec<usize>,
    misses: Vec<usize>,
    pools: BTreeMap<String, PoolPlaces>,
}

impl Levels {
    /// What there is among these samples.
    pub(super) fn of(layout: &Layout) -> Self {
        let mut levels = Self::default();
        for sample in layout.samples() {
            let name = sample.name().to_lowercase();
            if sample.counts() && name.contains("cache") && is_of_an_application(&name) {
                match looked_up(&name, sample) {
                    Some(true) => levels.hits.push(sample.index()),
                    Some(false) => levels.misses.push(sample.index()),
                    None => {}
                }
            } else if POOLS.iter().any(|pool| name.contains(pool)) && !is_of_memory(&name) {
                levels.pool(&name, sample);
            }
        }
        levels.pools.retain(|_, places| places.most.is_some() && places.used(|_| 0.0).is_some());
        levels
    }

    /// One gauge of a pool. How many connections are open is no limit: a pool that grows is not full.
    fn pool(&mut self, name: &str, sample: Named<'_>) {
        let (_, kind) = sample.family();
        if !matches!(kind, MetricKind::Gauge | MetricKind::Untyped) {
            return;
        }
        let state = sample.label("state").map(str::to_lowercase);
        let name = ["_connections", "_count", "_usage"]
            .iter()
            .fold(name, |name, end| name.strip_suffix(end).unwrap_or(name));
        let end = |ends: &[&str]| ends.iter().find_map(|end| name.strip_suffix(end));
        let key = |stem: &str, except: &str| {
            let stem = stem.strip_suffix("_connections").unwrap_or(stem);
            let labels = sample.series(except);
            if labels.is_empty() { stem.to_owned() } else { format!("{stem} {labels}") }
        };
        if let Some(stem) = end(&["_max", "_limit", "_capacity", "_max_size"]) {
            self.pools.entry(key(stem, "")).or_default().most = Some(sample.index());
        } else if let Some(stem) = end(&["_active", "_in_use", "_used", "_busy", "_acquired", "_borrowed"]) {
            self.pools.entry(key(stem, "")).or_default().used.push(sample.index());
        } else if let Some(stem) = end(&["_waiting", "_pending", "_pending_acquires", "_pending_requests"]) {
            self.pools.entry(key(stem, "")).or_default().waiting = Some(sample.index());
        } else if let Some(stem) = end(&["_total", "_open", "_size"]) {
            self.pools.entry(key(stem, "")).or_default().open = Some(sample.index());
        } else if let Some(stem) = end(&["_idle", "_free"]) {
            self.pools.entry(key(stem, "")).or_default().idle = Some(sample.index());
        } else if state.is_some_and(|state| matches!(state.as_str(), "used" | "active" | "in_use" | "busy")) {
            self.pools.entry(key(name, "state")).or_default().used.push(sample.index());
        }
    }

    /// Hits and misses counted so far; nothing where one of both is not counted.
    pub(super) fn cache(&self, reading: &MetricsReading) -> Option<(f64, f64)> {
        let sum = |places: &[usize]| places.iter().map(|place| reading.value(*place)).sum::<f64>();
        let counted = !self.hits.is_empty() && !self.misses.is_empty();
        counted.then(|| (sum(&self.hits), sum(&self.misses)))
    }

    /// How full each pool is.
    pub(super) fn pools(&self, reading: &MetricsReading) -> Vec<PoolUse> {
        let pool = |(name, places): (&String, &PoolPlaces)| {
            let most = reading.value(places.most?);
            let used = places.used(|place| reading.value(place))?;
            let waiting = places.waiting.map_or(0.0, |place| reading.value(place));
            (most > 0.0).then(|| PoolUse { name: name.clone(), used, most, waiting })
        };
        self.pools.iter().filter_map(pool).collect()
    }
}

/// Whether a counter of a cache counts hits (or misses), by its name or one of its labels.
fn looked_up(name: &str, sample: Named<'_>) -> Option<bool> {
    if name.contains("hit") {
        return Some(true);
    }
    if name.contains("miss") {
        return Some(false);
    }
    sample.labels().find_map(|(_, value)| match value.to_lowercase().as_str() {
        "hit" => Some(true),
        "miss" => Some(false),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::metrics::MetricSample;

    /// A sample: its name, labels and value.
    type Given<'a> = (&'a str, &'a [(&'a str, &'a str)], f64);

    fn reading(samples: &[Given<'_>], kind: MetricKind) -> MetricsReading {
        let sample = |(name, labels, value): &Given<'_>| MetricSample {
            name: (*name).to_owned(),
            labels: labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            value: *value,
        };
        let kinds = samples.iter().map(|(name, ..)| {
            let family = name.strip_suffix("_bucket").or_else(|| name.strip_suffix("_total"));
            (family.unwrap_or(name).to_owned(), kind)
        });
        MetricsReading::of(&samples.iter().map(sample).collect::<Vec<_>>(), &kinds.collect())
    }

    #[track_caller]
    fn cache(samples: &[Given<'_>], expected: Option<(f64, f64)>) {
        let reading = reading(samples, MetricKind::Counter);
        assert_eq!(Levels::of(&reading.layout).cache(&reading), expected, "{samples:?}");
    }

    #[test]
    fn a_cache_tells_hits_and_misses_by_name_or_label() {
        cache(&[("cache_hits_total", &[], 7.0), ("cache_misses_total", &[], 3.0)], Some((7.0, 3.0)));
        let (hit, miss): (&[_], &[_]) = (&[("result", "hit")], &[("result", "miss")]);
        cache(
            &[("app_cache_requests_total", hit, 5.0), ("app_cache_requests_total", miss, 1.0)],
            Some((5.0, 1.0)),
        );
        cache(&[("cache_hits_total", &[], 7.0)], None);
        cache(&[("pg_cache_hits_total", &[], 7.0), ("pg_cache_misses_total", &[], 3.0)], None);
    }

    #[track_caller]
    fn pool(samples: &[Given<'_>], expected: &[(&str, f64, f64)]) {
        let reading = reading(samples, MetricKind::Gauge);
        let found = Levels::of(&reading.layout).pools(&reading);
        let found: Vec<_> = found.iter().map(|pool| (pool.name.as_str(), pool.used, pool.most)).collect();
        assert_eq!(found, expected, "{samples:?}");
    }

    #[test]
    fn a_pool_is_full_against_its_limit_and_not_against_what_is_open() {
        pool(&[("db_pool_active", &[], 4.0), ("db_pool_max", &[], 5.0)], &[("db_pool", 4.0, 5.0)]);
        pool(
            &[("hikaricp_connections_pool_active", &[], 4.0), ("hikaricp_connections_pool_max", &[], 5.0)],
            &[("hikaricp_connections_pool", 4.0, 5.0)],
        );
        pool(
            &[
                ("db_pool_connections_in_use", &[("pool", "a")], 9.0),
                ("db_pool_connections_max", &[("pool", "a")], 10.0),
                ("db_pool_connections_max", &[("pool", "b")], 10.0),
            ],
            &[("db_pool pool=\"a\"", 9.0, 10.0)],
        );
        pool(
            &[
                ("db_client_connections_usage", &[("state", "used")], 3.0),
                ("db_client_connections_usage", &[("state", "idle")], 2.0),
                ("db_client_connections_max", &[], 5.0),
            ],
            &[("db_client", 3.0, 5.0)],
        );
        pool(&[("db_pool_active", &[], 4.0), ("db_pool_total", &[], 4.0)], &[]);
        pool(
            &[("hikaricp_connections_active", &[], 9.0), ("hikaricp_connections_max", &[], 10.0)],
            &[("hikaricp", 9.0, 10.0)],
        );
        let node = [
            ("pg_pool_total_count", &[][..], 9.0),
            ("pg_pool_idle_count", &[], 2.0),
            ("pg_pool_max", &[], 10.0),
        ];
        pool(&node, &[("pg_pool", 7.0, 10.0)]);
        pool(&node[..2], &[]);
        pool(&[("knex_pool_used", &[], 4.0), ("knex_pool_max", &[], 5.0)], &[("knex_pool", 4.0, 5.0)]);
    }

    #[test]
    fn a_pool_of_memory_is_no_pool_of_connections() {
        let pool: &[(&str, &str)] = &[("pool", "eden")];
        let memory: [Given<'_>; 2] =
            [("jvm_memory_pool_bytes_used", pool, 480.0), ("jvm_memory_pool_bytes_max", pool, 500.0)];
        let reading = reading(&memory, MetricKind::Gauge);
        assert_eq!(Levels::of(&reading.layout).pools(&reading), []);
    }
}
