//! What else an application tells of itself: how long its queries, searches and jobs take, whether its cache is hit, how full its pools
//! are. Found once among the samples of an endpoint by their names, which say the unit, too: what tells no unit is not judged. Pure.

use super::layout::{Layout, Named};
use super::{MetricKind, MetricsReading};
use std::collections::BTreeMap;

/// What an application does and measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// Every database query.
    Query,
    /// Those that it calls simple.
    SimpleQuery,
    /// Those that it calls complex.
    ComplexQuery,
    /// A look into its cache.
    Cache,
    /// A search.
    Search,
    /// A job of a queue.
    Job,
    /// A request that reads.
    Get,
    /// A request that writes.
    Post,
}

impl Operation {
    /// As sentences name it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Query => "database queries",
            Self::SimpleQuery => "simple queries",
            Self::ComplexQuery => "complex queries",
            Self::Cache => "looks into the cache",
            Self::Search => "searches",
            Self::Job => "jobs",
            Self::Get => "GET requests",
            Self::Post => "POST requests",
        }
    }

    /// Where a part of a family is meant, what one of its labels must say.
    const fn label(self) -> Option<&'static str> {
        match self {
            Self::SimpleQuery => Some("=\"simple\""),
            Self::ComplexQuery => Some("=\"complex\""),
            Self::Get => Some("method=\"get\""),
            Self::Post => Some("method=\"post\""),
            Self::Query | Self::Cache | Self::Search | Self::Job => None,
        }
    }

    /// Whether a series with these labels is one of it.
    #[must_use]
    pub(super) fn has(self, labels: &str) -> bool {
        self.label().is_none_or(|wanted| labels.to_lowercase().contains(wanted))
    }

    /// Whether a histogram of this name measures it; requests are found by another way.
    fn measured_by(self, family: &str) -> bool {
        let has = |parts: &[&str]| parts.iter().any(|part| family.contains(part));
        match self {
            Self::Query | Self::SimpleQuery | Self::ComplexQuery => {
                has(&["query", "queries", "db_client_operation", "sql"])
                    && !has(&["search", "elastic", "dns"])
            }
            Self::Cache => has(&["cache", "redis"]) && !has(&["invalidat", "refresh", "rebuild"]),
            Self::Search => has(&["search"]) && !has(&["research", "index"]),
            Self::Job => has(&["job"]) && !has(&["wait", "delay", "queue_time", "lag"]),
            Self::Get | Self::Post => false,
        }
    }
}

/// Families of servers and exporters: what they measure is about themselves, and no application's.
const SERVERS: [&str; 22] = [
    "alertmanager_",
    "caddy_",
    "container_",
    "cortex_",
    "elasticsearch_",
    "etcd_",
    "go_",
    "grafana_",
    "http_",
    "jvm_",
    "kube",
    "loki_",
    "mimir_",
    "node_",
    "pg_",
    "prometheus_",
    "promhttp_",
    "redis_",
    "tempo_",
    "thanos_",
    "traefik_",
    "process_",
];

fn is_of_an_application(name: &str) -> bool {
    !SERVERS.iter().any(|server| name.starts_with(server))
}

/// Seconds in the unit that a name tells.
pub(super) fn unit(family: &str) -> Option<f64> {
    let ends = |units: &[&str]| units.iter().any(|unit| family.ends_with(unit));
    if ends(&["_seconds", "_sec"]) {
        Some(1.0)
    } else if ends(&["_ms", "_msec", "_millis", "_milliseconds"]) {
        Some(0.001)
    } else if ends(&["_us", "_usec", "_microseconds"]) {
        Some(0.000_001)
    } else {
        None
    }
}

/// A histogram that measures an operation.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Measured {
    pub(super) operation: Operation,
    pub(super) family: String,
    /// Seconds in its unit.
    pub(super) unit: f64,
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
}

#[derive(Clone, Debug, Default, PartialEq)]
struct PoolPlaces {
    used: Vec<usize>,
    most: Option<usize>,
}

/// What of an endpoint's samples tells of service levels.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Levels {
    pub(super) measured: Vec<Measured>,
    /// The samples that count hits and misses of the cache.
    hits: Vec<usize>,
    misses: Vec<usize>,
    pools: BTreeMap<String, PoolPlaces>,
}

impl Levels {
    /// What there is among these samples.
    pub(super) fn of(layout: &Layout) -> Self {
        let mut levels = Self { measured: measured(layout), ..Self::default() };
        for sample in layout.samples() {
            let name = sample.name().to_lowercase();
            if sample.counts() && name.contains("cache") && is_of_an_application(&name) {
                match looked_up(&name, sample) {
                    Some(true) => levels.hits.push(sample.index()),
                    Some(false) => levels.misses.push(sample.index()),
                    None => {}
                }
            } else if name.contains("pool") || name.starts_with("db_client_connection") {
                levels.pool(&name, sample);
            }
        }
        levels.pools.retain(|_, places| !places.used.is_empty() && places.most.is_some());
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
            let used = places.used.iter().map(|place| reading.value(*place)).sum();
            (most > 0.0).then(|| PoolUse { name: name.clone(), used, most })
        };
        self.pools.iter().filter_map(pool).collect()
    }
}

/// Names under which Node's libraries tell how late the event loop is, in seconds: the worst of what was since the last scrape first.
const LOOP_LAG: [&str; 5] = [
    "nodejs_eventloop_lag_p99_seconds",
    "nodejs_eventloop_delay_p99_seconds",
    "nodejs_eventloop_delay_p99",
    "nodejs_eventloop_lag_seconds",
    "nodejs_eventloop_delay_mean_seconds",
];

/// Where the gauge is that tells how late the event loop is.
pub(super) fn loop_lag(layout: &Layout) -> Option<usize> {
    LOOP_LAG.iter().find_map(|name| {
        let gauge = |sample: &Named<'_>| sample.name() == *name && !sample.counts();
        layout.samples().find(gauge).map(Named::index)
    })
}

fn measured(layout: &Layout) -> Vec<Measured> {
    let all = [
        Operation::Query,
        Operation::SimpleQuery,
        Operation::ComplexQuery,
        Operation::Cache,
        Operation::Search,
        Operation::Job,
    ];
    let histograms = layout.families().filter(|(_, kind)| *kind == MetricKind::Histogram);
    let of = |family: &str| {
        let name = family.to_lowercase();
        let unit = unit(&name).filter(|_| is_of_an_application(&name));
        let family = family.to_owned();
        let fits = all.into_iter().filter(move |operation| operation.measured_by(&name));
        unit.into_iter().flat_map(move |unit| {
            fits.clone().map({
                let family = family.clone();
                move |operation| Measured { operation, family: family.clone(), unit }
            })
        })
    };
    histograms.flat_map(|(family, _)| of(family).collect::<Vec<_>>()).collect()
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
    fn measures(family: &str, expected: &[Operation]) {
        let name = format!("{family}_bucket");
        let samples: [Given<'_>; 2] = [(&name, &[("le", "1")], 1.0), (&name, &[("le", "+Inf")], 1.0)];
        let reading = reading(&samples, MetricKind::Histogram);
        let found: Vec<Operation> =
            Levels::of(&reading.layout).measured.iter().map(|found| found.operation).collect();
        assert_eq!(found, expected, "{family}");
    }

    #[test]
    fn operations_are_known_by_the_names_of_their_histograms() {
        use Operation::{Cache, ComplexQuery, Job, Query, Search, SimpleQuery};
        let queries = [Query, SimpleQuery, ComplexQuery];
        measures("db_query_duration_seconds", &queries);
        measures("prisma_client_queries_duration_histogram_ms", &queries);
        measures("app_search_duration_seconds", &[Search]);
        measures("job_processing_duration_seconds", &[Job]);
        measures("job_wait_seconds", &[]);
        measures("cache_lookup_duration_seconds", &[Cache]);
        measures("prometheus_engine_query_duration_seconds", &[]);
        measures("db_query_duration", &[]);
        measures("db_query_rows", &[]);
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
    }
}
