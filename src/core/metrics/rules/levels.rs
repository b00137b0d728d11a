//! The rules about what an application measures of itself: queries, its cache and its pools; and the levels that a team aims at, which are
//! off until somebody asks for them: a stack that is slower than another one's aim is not broken.

use super::parts::{Its, SUBJECT, row_of};
use crate::core::alert::RuleUnit::{Count, Ratio, Seconds};
use crate::core::alert::Triage::{Latency, Saturation};
use crate::core::alert::{Rule, RuleSpec};
use crate::core::metrics::{Distribution, MetricsReading, MetricsState, Operation, Quantile};
use crate::core::text::tidy;

pub(crate) static QUERY_P95: Rule<MetricsState> = Rule::new(
    RuleSpec::new(
        "metrics.query_p95",
        "95th percentile of the duration of database queries over the last minute, by the application's histogram",
        Seconds,
        Latency,
    )
    .clear(15).warning(0.5)
    .hold(10),
    |its, _| level(its, Operation::Query, "95th", |all| all.p95),
);

pub(crate) static SLOW_QUERIES: Rule<MetricsState> = Rule::new(
    RuleSpec::new(
        "metrics.slow_queries",
        "database queries a minute that take longer than 100 ms, by the application's histogram (pg_stat_statements tells means only)",
        Count,
        Latency,
    )
    .clear(15).critical(100.0)
    .hold(10),
    slow_queries,
);

pub(crate) static CACHE_HIT: Rule<MetricsState> = Rule::new(
    RuleSpec::new(
        "metrics.cache_hit",
        "less than this share of looks into the application's cache find something, over a minute",
        Ratio,
        Latency,
    )
    .warning(0.5)
    .hold(60),
    cache_hit,
);

/// How full a pool is.
pub static POOL: Rule<MetricsState> = Rule::new(
    RuleSpec::new(
        "metrics.pool",
        "connections of an application's pool in use against its limit",
        Ratio,
        Saturation,
    )
    .warning(0.8)
    .critical(0.9)
    .hold(10),
    pool,
);

/// How late an event loop is.
pub static EVENT_LOOP: Rule<MetricsState> = Rule::new(
    RuleSpec::new(
        "metrics.event_loop",
        "how late the event loop of an application is (Node): it computes, and answers nobody meanwhile",
        Seconds,
        Latency,
    )
    .clear(15)
    .warning(0.1)
    .critical(1.0)
    .hold(10)
    .root(),
    event_loop,
);

macro_rules! aims {
    ($($name:ident: $id:literal, $operation:ident $percent:literal $field:ident from $seconds:literal;)*) => {
        $(
            pub(crate) static $name: Rule<MetricsState> = Rule::new(
                RuleSpec::new(
                    $id,
                    concat!($percent, " percentile that is aimed at; off unless it is switched on"),
                    Seconds,
                    Latency,
                )
                .warning($seconds)
                .hold(60)
                .off(),
                |its, _| level(its, Operation::$operation, $percent, |all| all.$field),
            );
        )*
    };
}

aims! {
    SIMPLE_P50: "metrics.simple_query_p50", SimpleQuery "50th" p50 from 0.01;
    SIMPLE_P95: "metrics.simple_query_p95", SimpleQuery "95th" p95 from 0.05;
    SIMPLE_P99: "metrics.simple_query_p99", SimpleQuery "99th" p99 from 0.1;
    COMPLEX_P50: "metrics.complex_query_p50", ComplexQuery "50th" p50 from 0.05;
    COMPLEX_P95: "metrics.complex_query_p95", ComplexQuery "95th" p95 from 0.2;
    COMPLEX_P99: "metrics.complex_query_p99", ComplexQuery "99th" p99 from 0.5;
    CACHE_P50: "metrics.cache_p50", Cache "50th" p50 from 0.001;
    CACHE_P95: "metrics.cache_p95", Cache "95th" p95 from 0.005;
    CACHE_P99: "metrics.cache_p99", Cache "99th" p99 from 0.01;
    SEARCH_P50: "metrics.search_p50", Search "50th" p50 from 0.02;
    SEARCH_P95: "metrics.search_p95", Search "95th" p95 from 0.1;
    SEARCH_P99: "metrics.search_p99", Search "99th" p99 from 0.2;
    JOB_P50: "metrics.job_p50", Job "50th" p50 from 1.0;
    JOB_P95: "metrics.job_p95", Job "95th" p95 from 5.0;
    JOB_P99: "metrics.job_p99", Job "99th" p99 from 30.0;
    GET_P50: "metrics.get_p50", Get "50th" p50 from 0.05;
    GET_P95: "metrics.get_p95", Get "95th" p95 from 0.2;
    GET_P99: "metrics.get_p99", Get "99th" p99 from 0.5;
    POST_P50: "metrics.post_p50", Post "50th" p50 from 0.1;
    POST_P95: "metrics.post_p95", Post "95th" p95 from 0.5;
    POST_P99: "metrics.post_p99", Post "99th" p99 from 1.0;
}

/// How long an operation takes at a percentile that its histogram knows.
fn level(
    its: &mut Its<'_>,
    operation: Operation,
    percent: &str,
    pick: fn(&Distribution) -> Option<Quantile>,
) {
    let state = its.state;
    for level in state.levels(operation) {
        let (value, word) = match pick(&level.spread) {
            Some(Quantile::Value(value)) => (value, ""),
            Some(Quantile::Above(value)) => (value, "more than "),
            None => continue,
        };
        let Some(grade) = its.level(&level.family, value) else { continue };
        let (what, name, ms) = (operation.words(), tidy(&level.family, 50), value * 1000.0);
        let sentence =
            format!("{}: the {percent} percentile of {what} is {word}{ms:.0} ms ({name})", its.target);
        let row = row_of(its.target, level);
        its.tell(grade, level.family.clone(), sentence)
            .look("look at what is slow (queries, search, queues)")
            .row(row);
    }
}

fn slow_queries(its: &mut Its<'_>, _: &MetricsReading) {
    let Some((per_minute, bound)) = its.state.slow_queries() else { return };
    let Some(grade) = its.level(SUBJECT, per_minute) else { return };
    let ms = bound * 1000.0;
    let sentence = format!("{}: {per_minute:.0} queries a minute took longer than {ms:.0} ms", its.target);
    its.tell(grade, SUBJECT, sentence).look("look at the slowest statements (queries)");
}

fn event_loop(its: &mut Its<'_>, _: &MetricsReading) {
    let Some(late) = its.state.signs.late else { return };
    let Some(grade) = its.grade(late) else { return };
    let sentence = format!("{}: its event loop is {:.0} ms late: it computes", its.target, late * 1000.0);
    its.tell(grade, SUBJECT, sentence).say("profile it: large JSON, synchronous work, a loop over all rows");
}

fn cache_hit(its: &mut Its<'_>, _: &MetricsReading) {
    let Some(share) = its.state.cache_hit else { return };
    let Some(grade) = its.level("cache", share) else { return };
    let share = share * 100.0;
    let sentence =
        format!("{}: {share:.0} % of looks into its cache found something, over a minute", its.target);
    its.tell(grade, "cache", sentence).look("look for evictions, a flush, or keys that changed");
}

fn pool(its: &mut Its<'_>, _: &MetricsReading) {
    for pool in its.state.pools() {
        let Some(grade) = its.level(&pool.name, pool.used / pool.most) else { continue };
        let (used, most, name) = (pool.used, pool.most, tidy(&pool.name, 60));
        let waiting = if pool.waiting >= 1.0 {
            format!(", and {:.0} wait for one", pool.waiting)
        } else {
            String::new()
        };
        let sentence =
            format!("{}: {used:.0} of {most:.0} connections of pool {name} are in use{waiting}", its.target);
        its.tell(grade, pool.name, sentence).look("look for what holds them (blocking, slow queries)");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::alert::{Breach, RuleSetting, Rulebook, Severity, judge};
    use crate::core::ids::TargetId;
    use crate::core::metrics::{MetricKind, MetricSample};
    use crate::core::time::Now;
    use crate::core::world::all_rules;

    fn sample(name: &str, labels: &[(&str, &str)], value: f64) -> MetricSample {
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        MetricSample { name: name.to_owned(), labels, value }
    }

    /// So many observations up to 100 ms, up to a second, and in all.
    fn histogram(family: &str, labels: &[(&str, &str)], counts: [f64; 3]) -> Vec<MetricSample> {
        let bucket = |(le, count): (&str, f64)| {
            let labels: Vec<_> = labels.iter().copied().chain([("le", le)]).collect();
            sample(&format!("{family}_bucket"), &labels, count)
        };
        ["0.1", "1", "+Inf"].into_iter().zip(counts).map(bucket).collect()
    }

    /// What is told after a minute in which these grew from nothing to what they are, of (rule, severity).
    fn told(samples: &[MetricSample], on: &[&'static str]) -> Vec<Breach> {
        let mut kinds = std::collections::BTreeMap::new();
        for sample in samples {
            let (name, kind) = match sample.name.strip_suffix("_bucket") {
                Some(family) => (family, MetricKind::Histogram),
                None if sample.name.ends_with("_total") => (sample.name.as_str(), MetricKind::Counter),
                None => (sample.name.as_str(), MetricKind::Gauge),
            };
            kinds.insert(name.to_owned(), kind);
        }
        let mut rules = Rulebook::defaults(&all_rules());
        for spec in all_rules().into_iter().filter(|spec| on.contains(&spec.id.as_str())) {
            let setting = RuleSetting { enabled: true, ..rules.get(spec.id) };
            assert!(rules.set(spec.id.as_str(), setting));
        }
        let mut state = MetricsState::default();
        for step in 0..=6_u32 {
            let share = f64::from(step) / 6.0;
            let grown = samples.iter().map(|sample| {
                let gauge = kinds.get(&sample.name) == Some(&MetricKind::Gauge);
                let value = if gauge { sample.value } else { sample.value * share };
                MetricSample { value, ..sample.clone() }
            });
            let reading = MetricsReading::of(&grown.collect::<Vec<_>>(), &kinds);
            state.absorb(reading, Now::example(u64::from(step) * 10));
        }
        judge(&state, &TargetId::new("api"), &rules, Now::example(60))
    }

    #[track_caller]
    fn check(samples: &[MetricSample], on: &[&'static str], expected: &[(&str, Severity)]) {
        let told = told(samples, on);
        let found: Vec<_> = told.iter().map(|breach| (breach.rule.as_str(), breach.severity)).collect();
        assert_eq!(found, expected, "{told:?}");
    }

    #[test]
    fn queries_are_judged_by_what_their_histogram_knows() {
        let queries = |counts| histogram("db_query_duration_seconds", &[], counts);
        check(&queries([960.0, 1000.0, 1000.0]), &[], &[]);
        let slow = [("metrics.slow_queries", Severity::Critical)];
        check(&queries([9000.0, 9600.0, 9600.0]), &[], &slow);
        check(&queries([900.0, 930.0, 1101.0]), &[], &[("metrics.query_p95", Severity::Warning), slow[0]]);
        let sentence = told(&queries([900.0, 930.0, 1101.0]), &[])[1].sentence.clone();
        assert_eq!(sentence, "api: 201 queries a minute took longer than 100 ms");
        // Five observations have no percentile.
        check(&queries([0.0, 0.0, 5.0]), &[], &[]);
    }

    #[test]
    fn a_cache_that_finds_little_is_told_and_a_pool_at_its_limit() {
        let cache =
            |hits, misses| [sample("cache_hits_total", &[], hits), sample("cache_misses_total", &[], misses)];
        check(&cache(600.0, 500.0), &[], &[]);
        check(&cache(400.0, 500.0), &[], &[("metrics.cache_hit", Severity::Warning)]);
        check(&cache(4.0, 50.0), &[], &[]);
        let pool = |used| [sample("db_pool_active", &[], used), sample("db_pool_max", &[], 10.0)];
        check(&pool(7.0), &[], &[]);
        check(&pool(8.0), &[], &[("metrics.pool", Severity::Warning)]);
        check(&pool(9.0), &[], &[("metrics.pool", Severity::Critical)]);
    }

    #[test]
    fn aims_are_judged_where_somebody_switches_them_on() {
        let requests = |method: &str| {
            histogram("http_request_duration_seconds", &[("method", method)], [50.0, 100.0, 100.0])
        };
        check(&requests("GET"), &[], &[("metrics.latency_p95", Severity::Warning)]);
        let on = ["metrics.get_p95", "metrics.post_p95"];
        let latency = ("metrics.latency_p95", Severity::Warning);
        check(&requests("GET"), &on, &[latency, ("metrics.get_p95", Severity::Warning)]);
        check(&requests("POST"), &on, &[latency, ("metrics.post_p95", Severity::Warning)]);
        let jobs = histogram("job_duration_seconds", &[], [50.0, 60.0, 100.0]);
        check(&jobs, &["metrics.job_p50"], &[]);
        check(&jobs, &["metrics.search_p50", "metrics.job_p99"], &[]);
    }
}
