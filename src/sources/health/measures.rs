//! Numbers and states that mean the same in every application, by their names: hit rates, pools, percentiles, circuit breakers, lists of
//! slow statements. Pure.

use super::leaves::repeated;
use super::spans::{of_text, plain, took, unit};
use crate::core::health::{self, Breaker, Measure, MeasureKind, SlowQuery};
use serde_json::{Map, Value};

/// More of one kind are not kept.
const MOST: usize = 60;
/// Slow statements that are kept.
const SLOW: usize = 20;

/// Names that say nothing of what a number is about.
const GENERAL: [&str; 15] = [
    "data",
    "checks",
    "components",
    "details",
    "entries",
    "results",
    "metrics",
    "stats",
    "statistics",
    "status",
    "performance",
    "health",
    "info",
    "services",
    "percentiles",
];

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) breakers: Vec<Breaker>,
    pub(super) measures: Vec<Measure>,
    /// What those are called that are told as nothing.
    pub(super) idle: Vec<String>,
    pub(super) slow: Vec<SlowQuery>,
}

/// Everything below `value`; `about` is what the document is about by its URL.
pub(super) fn of(value: &Value, about: &str) -> Found {
    let mut found = Found::default();
    let path: Vec<&str> = if about.is_empty() { Vec::new() } else { vec![about] };
    walk(value, &path, &mut found);
    found.breakers.truncate(MOST);
    found.measures.truncate(MOST);
    found.idle.truncate(MOST);
    found
}

fn walk<'a>(value: &'a Value, path: &[&'a str], found: &mut Found) {
    match value {
        Value::Object(fields) => {
            found.measures.extend(pool(fields, path));
            for (name, value) in fields {
                let inner = [path, &[name.as_str()]].concat();
                match kind(name, path) {
                    // A pool is there without traffic, too.
                    Some(kind) if is_nothing(value) && kind != MeasureKind::PoolUse => {
                        found.idle.push(kind.of(&about(path)));
                    }
                    Some(kind) => found.measures.extend(measure(kind, name, value, path)),
                    None => {}
                }
                found.breakers.extend(breaker(value, &inner));
                if let (Some(list), true) = (value.as_array(), plain(name).contains("slow")) {
                    found.slow.extend(list.iter().take(SLOW).filter_map(slow));
                } else {
                    walk(value, &inner, found);
                }
            }
        }
        Value::Array(list) => {
            for entry in list.iter().take(MOST) {
                let name = entry.get("name").and_then(Value::as_str);
                let inner: Vec<&str> = path.iter().copied().chain(name).collect();
                walk(entry, &inner, found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// What stands at the end of a path is about the names in it that say something.
fn about(path: &[&str]) -> String {
    let telling = |name: &&&str| !GENERAL.contains(&plain(name).as_str());
    path.iter().filter(telling).copied().collect::<Vec<_>>().join(" ")
}

fn is_of_queries(path: &[&str]) -> bool {
    let words = ["quer", "sql", "database", "postgres"];
    path.iter()
        .map(|name| plain(name))
        .any(|name| name == "db" || words.iter().any(|word| name.contains(word)))
}

fn number(value: &Value) -> Option<(f64, bool)> {
    match value {
        Value::Number(number) => Some((number.as_f64()?, false)),
        Value::String(text) => {
            let bare = text.trim().trim_end_matches('%').trim_end();
            Some((bare.parse().ok()?, text.contains('%')))
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
    .filter(|(number, _)| number.is_finite() && *number >= 0.0)
}

/// Whether nothing is told: `null`, or what comes of a division by no request.
fn is_nothing(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(|text| text.trim().eq_ignore_ascii_case("nan"))
}

/// What a number of this name is.
fn kind(name: &str, path: &[&str]) -> Option<MeasureKind> {
    let whole = plain(name);
    let (bare, _) = unit(&whole);
    let shares = |ends: &[&str]| ends.iter().any(|end| whole.ends_with(end));
    let quantile = |word: &str| {
        bare.strip_prefix(word).is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
            || bare.ends_with(word)
    };
    let in_path = path.iter().any(|name| plain(name).contains("pool"));
    match () {
        () if shares(&[
            "hitrate",
            "hitratio",
            "hitpercent",
            "hitpercentage",
            "hitratepercent",
            "hitratepct",
        ]) =>
        {
            Some(MeasureKind::HitRate)
        }
        () if in_path
            && shares(&["utilization", "utilisation", "utilizationpercent", "usagepercent", "usage"]) =>
        {
            Some(MeasureKind::PoolUse)
        }
        () if quantile("p50") => Some(MeasureKind::P50),
        () if quantile("p95") => Some(MeasureKind::P95),
        () if quantile("p99") => Some(MeasureKind::P99),
        () => None,
    }
}

fn measure(kind: MeasureKind, name: &str, value: &Value, path: &[&str]) -> Option<Measure> {
    let whole = plain(name);
    let (_, seconds) = unit(&whole);
    let shares = |ends: &[&str]| ends.iter().any(|end| whole.ends_with(end));
    let (value, percent) = match (kind.is_share(), value) {
        (false, Value::String(text)) => (of_text(text)?, false),
        (false, value) => (number(value)?.0 * seconds, false),
        (true, value) => number(value)?,
    };
    let percent = percent || (kind.is_share() && shares(&["percent", "percentage", "pct"]));
    let queries = is_of_queries(path) || is_of_queries(&[name]);
    let ratio = !percent && kind.is_share() && shares(&["ratio", "fraction"]);
    // More than all of it is no ratio, whatever its name says.
    let ratio = ratio && value <= 1.0;
    Some(Measure { kind, of: about(path), queries, value, percent, ratio })
}

/// The share of a pool that is in use, where it tells both its limit and how much of that is taken.
fn pool(fields: &Map<String, Value>, path: &[&str]) -> Option<Measure> {
    let named = |name: &&str| ["pool", "connection"].iter().any(|word| plain(name).contains(word));
    path.iter().find(|name| named(name))?;
    let first = |names: &[&str]| {
        fields.iter().find_map(|(name, value)| {
            names.contains(&plain(name).as_str()).then(|| number(value).map(|(number, _)| number)).flatten()
        })
    };
    let shares = ["utilization", "utilisation", "utilizationpercent", "usage", "usagepercent"];
    if first(&shares).is_some() {
        return None;
    }
    let most = first(&["max", "limit", "maxsize", "maxconnections", "maximum", "poolsize", "maxpoolsize"])?;
    let used = first(&[
        "active",
        "used",
        "inuse",
        "busy",
        "acquired",
        "borrowed",
        "checkedout",
        "activeconnections",
    ])
    .or_else(|| {
        Some(first(&["total", "totalcount", "size"])? - first(&["idle", "idlecount", "available"])?)
    })?;
    (most > 0.0 && used >= 0.0).then(|| Measure {
        kind: MeasureKind::PoolUse,
        of: about(path),
        queries: false,
        // Never taken for a share in percent: more than all is all.
        value: (used / most).min(1.0),
        percent: false,
        ratio: true,
    })
}

/// A state below something that is called a breaker.
fn breaker(value: &Value, path: &[&str]) -> Option<Breaker> {
    let word = value.as_str().filter(|word| health::breaker(word).is_some())?;
    let is = |name: &&str| ["breaker", "circuit"].iter().any(|word| plain(name).contains(word));
    let at = path.iter().position(is)?;
    let said = |name: &&&str| !matches!(plain(name).as_str(), "state" | "status" | "details" | "value");
    let below: Vec<&str> = path[at + 1..].iter().filter(said).copied().collect();
    // `redis.circuitBreaker.state`, or `circuitBreakers.redis`.
    let name = if below.is_empty() { about(&path[..at]) } else { below.join(" ") };
    let name = if name.is_empty() { path[at].to_owned() } else { name };
    Some(Breaker { name, word: word.to_owned() })
}

fn slow(entry: &Value) -> Option<SlowQuery> {
    if let Some(text) = entry.as_str() {
        return Some(SlowQuery { text: repeated("", text), took: None, times: None });
    }
    let fields = entry.as_object()?;
    let named = |names: &[&str]| {
        fields.iter().find(|(name, _)| names.contains(&plain(name).as_str())).map(|(_, value)| value)
    };
    let text = named(&["query", "sql", "statement", "text", "q", "name", "operation"])?.as_str()?;
    let mean = || {
        fields.iter().find_map(|(name, value)| {
            let plain = plain(name);
            let (bare, seconds) = unit(&plain);
            let is = matches!(
                bare,
                "mean" | "avg" | "average" | "meantime" | "avgtime" | "meanexectime" | "exectime"
            );
            is.then(|| value.as_f64().map(|value| value * seconds)).flatten()
        })
    };
    Some(SlowQuery {
        text: repeated("", text),
        took: took(fields).or_else(mean),
        times: named(&["count", "calls", "times"]).and_then(Value::as_f64),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// What is found, as `kind of = value`.
    #[track_caller]
    fn check(document: &Value, at: &str, expected: &[&str]) {
        let found = of(document, at);
        let measure = |one: &Measure| {
            let sign = if one.percent { " %" } else { "" };
            let queries = if one.queries { " of queries" } else { "" };
            format!("{} {} = {:.3}{sign}{queries}", one.kind.words(), one.of, one.value)
        };
        let breaker = |one: &Breaker| format!("breaker {} = {}", one.name, one.word);
        let slow = |one: &SlowQuery| format!("slow {} {:?} {:?}", one.text, one.took, one.times);
        let measures = found.measures.iter().map(measure);
        let told: Vec<String> =
            measures.chain(found.breakers.iter().map(breaker)).chain(found.slow.iter().map(slow)).collect();
        let told: Vec<String> =
            told.into_iter().chain(found.idle.iter().map(|name| format!("idle {name}"))).collect();
        assert_eq!(told, expected);
    }

    #[test]
    fn numbers_are_known_by_their_names() {
        check(&json!({"cache": {"hitRate": 0.87, "hits": 10}}), "", &["hit rate cache = 0.870"]);
        check(&json!({"hit_ratio": "87.5%"}), "cache", &["hit rate cache = 87.500 %"]);
        check(&json!({"cacheHitRatePct": 12}), "", &["hit rate  = 12.000 %"]);
        check(
            &json!({"queries": {"p50": 4, "p95": 620, "p99Ms": 900}}),
            "",
            &[
                "p50 queries = 0.004 of queries",
                "p95 queries = 0.620 of queries",
                "p99 queries = 0.900 of queries",
            ],
        );
        check(&json!({"percentiles": {"p95": "1.5s"}}), "queries", &["p95 queries = 1.500 of queries"]);
        check(&json!({"render": {"latency_p95_seconds": 0.25}}), "", &["p95 render = 0.250"]);
        check(&json!({"p950": 4, "chirp": 3}), "", &[]);
    }

    #[test]
    fn without_traffic_there_is_no_percentile() {
        let night = json!({"queries": {"p95": null, "p99": "NaN"}, "cache": {"hitRate": null},
            "pool": {"utilization": null}});
        check(&night, "", &["idle queries p95", "idle queries p99", "idle cache hit rate"]);
    }

    #[test]
    fn a_pool_is_used_against_its_limit() {
        check(&json!({"pool": {"active": 18, "max": 20}}), "", &["pool in use pool = 0.900"]);
        check(
            &json!({"pool": {"totalCount": 10, "idleCount": 4, "max": 20}}),
            "",
            &["pool in use pool = 0.300"],
        );
        check(
            &json!({"connectionPool": {"utilization": 95, "active": 9, "max": 10}}),
            "",
            &["pool in use connectionPool = 95.000"],
        );
        // Without its limit nobody knows how full it is.
        check(&json!({"pool": {"total": 10, "idle": 4}}), "", &[]);
        check(&json!({"cpu": {"usage": 0.9}}), "", &[]);
    }

    #[test]
    fn breakers_are_named_after_what_they_guard() {
        check(
            &json!({"circuitBreakers": {"redis": "OPEN", "db": {"state": "CLOSED", "failures": 0}}}),
            "",
            &["breaker redis = OPEN", "breaker db = CLOSED"],
        );
        check(
            &json!({"redis": {"circuitBreaker": {"state": "HALF_OPEN"}}}),
            "",
            &["breaker redis = HALF_OPEN"],
        );
        check(&json!({"circuitBreaker": "closed"}), "", &["breaker circuitBreaker = closed"]);
        check(&json!({"breakers": [{"name": "mail", "state": "open"}]}), "", &["breaker mail = open"]);
        let spring = json!({"components": {"circuitBreakers": {"status": "UNKNOWN", "details":
            {"billing": {"status": "CIRCUIT_OPEN", "details": {"failureRate": "50%", "state": "OPEN"}}}}}});
        check(&spring, "", &["breaker billing = OPEN"]);
        check(&json!({"door": {"state": "open"}}), "", &[]);
    }

    #[test]
    fn slow_statements_are_listed() {
        let document = json!({"slowQueries": [
            {"query": "SELECT 1", "durationMs": 1200, "calls": 3},
            {"sql": "SELECT 2", "avg_ms": 250},
            "SELECT 3"]});
        check(
            &document,
            "",
            &[
                "slow SELECT 1 Some(1.2) Some(3.0)",
                "slow SELECT 2 Some(0.25) None",
                "slow SELECT 3 None None",
            ],
        );
    }
}
