//! Every service level and alert rule that the stacks state is a shipped rule with its number.

use stacktop::core::alert::{Rulebook, Severity};
use stacktop::core::world::all_rules;
use std::time::Duration;

/// One row: the signal, the rule, its warning, its critical threshold, and whether it is on.
struct Row(&'static str, &'static str, Option<f64>, Option<f64>, bool);

const fn on(signal: &'static str, rule: &'static str, warning: Option<f64>, critical: Option<f64>) -> Row {
    Row(signal, rule, warning, critical, true)
}

/// A level that is aimed at: a stack that is slower than another one's aim is not broken.
const fn aim(signal: &'static str, rule: &'static str, seconds: f64) -> Row {
    Row(signal, rule, Some(seconds), None, false)
}

const ROWS: &[Row] = &[
    on("query latency p95", "metrics.query_p95", Some(0.5), None),
    on("slow queries a minute", "metrics.slow_queries", None, Some(100.0)),
    on("application cache", "metrics.cache_hit", Some(0.5), None),
    on("Postgres cache hit ratio", "postgres.cache_hit", Some(0.8), None),
    on("connections", "postgres.connections", Some(0.8), Some(0.9)),
    on("pool of PgBouncer", "pgbouncer.utilisation", Some(0.8), Some(0.9)),
    on("pool of an application", "metrics.pool", Some(0.8), Some(0.9)),
    on("burn rate of a budget of errors", "metrics.burn", Some(6.0), Some(14.4)),
    on("clients of Redis", "redis.clients", Some(0.8), Some(0.9)),
    on("replication lag", "postgres.replication_lag", Some(5.0), None),
    on("Redis memory", "redis.memory", Some(0.85), Some(0.95)),
    on("newest backup", "postgres.backup", None, Some(93_600.0)),
    on("blocked for", "postgres.blocked", Some(10.0), Some(60.0)),
    on("blocked sessions", "postgres.blocked_sessions", Some(3.0), Some(10.0)),
    on("idle in transaction", "postgres.idle_in_transaction", Some(60.0), Some(300.0)),
    on("dead letters", "queue.dead_letters", Some(0.0), Some(300.0)),
    on("jobs and no worker", "queue.no_worker", Some(5.0), Some(60.0)),
    on("Elasticsearch yellow", "search.yellow", Some(300.0), None),
    on("Elasticsearch red", "search.red", None, None),
    on("a source gives no data", "source.silent", None, None),
    aim("simple query p50", "metrics.simple_query_p50", 0.01),
    aim("simple query p95", "metrics.simple_query_p95", 0.05),
    aim("simple query p99", "metrics.simple_query_p99", 0.1),
    aim("complex query p50", "metrics.complex_query_p50", 0.05),
    aim("complex query p95", "metrics.complex_query_p95", 0.2),
    aim("complex query p99", "metrics.complex_query_p99", 0.5),
    aim("cache hit p50", "metrics.cache_p50", 0.001),
    aim("cache hit p95", "metrics.cache_p95", 0.005),
    aim("cache hit p99", "metrics.cache_p99", 0.01),
    aim("search p50", "metrics.search_p50", 0.02),
    aim("search p95", "metrics.search_p95", 0.1),
    aim("search p99", "metrics.search_p99", 0.2),
    aim("job processing p50", "metrics.job_p50", 1.0),
    aim("job processing p95", "metrics.job_p95", 5.0),
    aim("job processing p99", "metrics.job_p99", 30.0),
    aim("GET p50", "metrics.get_p50", 0.05),
    aim("GET p95", "metrics.get_p95", 0.2),
    aim("GET p99", "metrics.get_p99", 0.5),
    aim("POST p50", "metrics.post_p50", 0.1),
    aim("POST p95", "metrics.post_p95", 0.5),
    aim("POST p99", "metrics.post_p99", 1.0),
];

#[test]
fn every_threshold_of_the_stacks_is_a_shipped_rule() {
    let specs = all_rules();
    let book = Rulebook::defaults(&specs);
    for Row(signal, rule, warning, critical, on) in ROWS {
        let spec = specs.iter().find(|spec| spec.id == *rule);
        let spec = spec.unwrap_or_else(|| panic!("{signal}: there is no rule {rule}"));
        assert_eq!((spec.warning, spec.critical, spec.on), (*warning, *critical, *on), "{signal}: {rule}");
        assert!(spec.hold <= Duration::from_secs(60), "{signal}: {rule}");
        assert_eq!(book.get(spec.id).enabled, *on, "{signal}: {rule}");
        // The number is the one at which it is told, and just on its right side it is not.
        let worst = critical.map(|at| (at, Severity::Critical)).or(warning.map(|at| (at, Severity::Warning)));
        let Some((at, severity)) = worst.filter(|(at, _)| *on && *at > 0.0) else { continue };
        let (bad, better) = if spec.less_is_worse() { (at * 0.99, at) } else { (at, at * 0.99) };
        assert_eq!(book.grade(spec, bad).map(|grade| grade.severity), Some(severity), "{signal}: {rule}");
        assert_ne!(book.grade(spec, better).map(|grade| grade.severity), Some(severity), "{signal}: {rule}");
    }
}
