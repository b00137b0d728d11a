//! From a document, or a text, to what it says of an application's health. Pure; the shapes are those that frameworks are documented to
//! answer with, and everything in them is optional.

use super::leaves::{self, repeated};
use super::spans::plain as bare;
use super::{checks, measures};
use crate::core::health::{HealthCheck, HealthReading, Shape};
use crate::core::redact::{line, logins};
use crate::core::text::tidy;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use std::collections::HashMap;

/// Names of the moment that a document is about.
const MOMENTS: [&str; 9] = [
    "timestamp",
    "time",
    "checkedat",
    "lastchecked",
    "lastcheck",
    "updatedat",
    "finishedat",
    "generatedat",
    "date",
];

/// Ends of URLs that say nothing of what is behind them.
const GENERAL: [&str; 10] =
    ["health", "healthz", "deep", "ready", "readyz", "live", "livez", "status", "readiness", "liveness"];

/// Of a name so much is told.
const NAME_CHARS: usize = 120;

/// What a URL says that its document is about: `cache` of `/api/health/cache`.
pub(super) fn about(url: &str) -> &str {
    let place =
        url.split_once("://").map_or("", |(_, rest)| rest.split(['?', '#']).next().unwrap_or_default());
    let end = place.split('/').skip(1).filter(|part| !part.is_empty()).last().unwrap_or_default();
    if GENERAL.contains(&end) { "" } else { end }
}

/// What a document says; nothing where it says nothing of health at all. `at` is the time of its server.
pub(super) fn document(value: &Value, about: &str, at: DateTime<Utc>) -> Option<HealthReading> {
    let listed: Map<String, Value>;
    let fields = match value {
        Value::Object(fields) => unwrapped(fields),
        // Nothing but checks.
        Value::Array(list) if list.iter().any(Value::is_object) => {
            listed = Map::from_iter([("checks".to_owned(), value.clone())]);
            &listed
        }
        Value::Bool(flag) => return Some(worded(flag.to_string())),
        Value::String(text) => return Some(worded(repeated("", text))),
        Value::Null | Value::Number(_) | Value::Array(_) => return None,
    };
    if fields.is_empty() {
        return Some(HealthReading { shape: Shape::Plain, ..HealthReading::default() });
    }
    let (shape, mut found) = checks::of(fields);
    apart(&mut found);
    // Names alone: a key that is called like a word is one of them.
    let word = if shape == Shape::Names { None } else { checks::word(fields) };
    let measures::Found { mut breakers, mut measures, idle, slow } = measures::of(value, about);
    for breaker in &mut breakers {
        breaker.name = called(&breaker.name);
    }
    for measure in &mut measures {
        measure.of = called(&measure.of);
    }
    let idle = idle.iter().map(|name| called(name)).collect();
    let (values, truncated) = leaves::of(value);
    let moment = fields
        .iter()
        .find_map(|(name, value)| MOMENTS.contains(&bare(name).as_str()).then(|| moment(value)).flatten());
    // A page of an error of some framework has fields, too, and says nothing of health.
    if word.is_none() && found.is_empty() && measures.is_empty() && breakers.is_empty() {
        return values.iter().any(|value| value.leaf.number().is_some()).then(|| HealthReading {
            shape: Shape::Own,
            values,
            truncated,
            ..HealthReading::default()
        });
    }
    Some(HealthReading {
        shape,
        word,
        note: checks::note(fields),
        checks: found,
        breakers,
        measures,
        idle,
        slow,
        values,
        age: moment.and_then(|moment| (at - moment).to_std().ok()),
        truncated,
        ..HealthReading::default()
    })
}

/// A name as far as it may be repeated: names are a document's own, too, and one may be an address with its login.
fn called(name: &str) -> String {
    tidy(&line(name, &[""; 0]), NAME_CHARS)
}

/// Names that may be repeated, each once: of two checks that are called alike one would hide the other.
fn apart(checks: &mut [HealthCheck]) {
    let mut told: HashMap<String, usize> = HashMap::new();
    for check in checks {
        check.name = called(&check.name);
        let times = told.entry(check.name.clone()).or_default();
        *times += 1;
        if *times > 1 {
            check.name = format!("{} ({times})", check.name);
        }
    }
}

/// The fields that count: those of an envelope `{"success": true, "data": {…}}` are inside it.
fn unwrapped(fields: &Map<String, Value>) -> &Map<String, Value> {
    let says = |fields: &Map<String, Value>| fields.get("status").is_some_and(Value::is_string);
    let inner = ["data", "health", "result"]
        .iter()
        .filter_map(|name| fields.get(*name)?.as_object())
        .find(|inner| says(inner));
    inner.filter(|_| !says(fields)).unwrap_or(fields)
}

fn worded(word: String) -> HealthReading {
    HealthReading { shape: Shape::Plain, word: Some(word), ..HealthReading::default() }
}

/// A time as RFC 3339, or seconds or milliseconds since 1970.
fn moment(value: &Value) -> Option<DateTime<Utc>> {
    if let Some(text) = value.as_str() {
        return DateTime::parse_from_rfc3339(text.trim()).ok().map(|moment| moment.to_utc());
    }
    let number = value.as_f64().filter(|number| *number > 1e9)?;
    let millis = if number > 1e11 { number } else { number * 1000.0 };
    DateTime::from_timestamp_millis(millis as i64)
}

/// What a text says: one word, lines of checks as Kubernetes writes them, or the green page of Rails.
pub(super) fn plain(text: &str, told: String) -> HealthReading {
    let mut found: Vec<HealthCheck> = text.lines().filter_map(marked).collect();
    if text.trim().lines().count() > 1 {
        found.extend(text.lines().filter_map(pair));
    }
    if !found.is_empty() {
        apart(&mut found);
        return HealthReading { shape: Shape::Lines, checks: found, ..HealthReading::default() };
    }
    let trimmed = text.trim();
    let page = trimmed.starts_with('<');
    let colour = ["green", "red"].into_iter().find(|colour| {
        page && text.replace(' ', "").to_ascii_lowercase().contains(&format!("background-color:{colour}"))
    });
    // Of `default: PASSED Application is running (0.2s)` the word is the first one behind the name.
    let words = trimmed.split_once(": ").map_or(trimmed, |(_, rest)| rest);
    let whole = (!page && trimmed.lines().count() == 1).then(|| tidy(trimmed, 40));
    let known = |word: &String| crate::core::health::standing(word) != crate::core::health::Standing::Unknown;
    // Behind several names there are several words.
    let alone = trimmed.lines().count() == 1 && trimmed.matches(": ").count() <= 1;
    let first = words
        .split_whitespace()
        .next()
        .filter(|_| alone)
        .map(|word| tidy(word.trim_end_matches([',', ':']), 40));
    let word = match colour {
        Some(colour) => Some(colour.to_owned()),
        None if page => None,
        None => whole.clone().filter(known).or_else(|| first.filter(known)).or(whole),
    };
    let note = if word.as_deref() == Some(trimmed) { String::new() } else { told };
    let note = if note.is_empty() && word.is_none() { tidy(trimmed, 60) } else { note };
    HealthReading {
        shape: Shape::Plain,
        word: word.filter(|word| !word.is_empty()),
        note,
        ..HealthReading::default()
    }
}

/// `redis: FAIL`: a line of several, where it says something that is known.
fn pair(line: &str) -> Option<HealthCheck> {
    let (name, rest) = line.trim().split_once(": ")?;
    let word = tidy(rest.split_whitespace().next()?.trim_end_matches([',', ';', '.']), 40);
    let known = crate::core::health::standing(&word) != crate::core::health::Standing::Unknown;
    let note = if rest.trim() == word { String::new() } else { repeated("", rest) };
    known.then(|| HealthCheck { name: tidy(&logins(name), 80), word: Some(word), note, latency: None })
}

/// `[+]etcd ok`, `[-]etcd failed: reason withheld`.
fn marked(line: &str) -> Option<HealthCheck> {
    let (word, rest) = match line.trim().split_at_checked(3)? {
        ("[+]", rest) => ("ok", rest),
        ("[-]", rest) => ("failed", rest),
        _ => return None,
    };
    let (name, note) = rest.trim().split_once(' ').unwrap_or((rest.trim(), ""));
    let note = if word == "ok" { String::new() } else { repeated("", note) };
    Some(HealthCheck { name: name.to_owned(), word: Some(word.to_owned()), note, latency: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::health::Standing;
    use serde_json::json;
    use std::time::Duration;

    fn at() -> DateTime<Utc> {
        "2026-01-02T03:04:05Z".parse().expect("a time")
    }

    fn told(reading: &HealthReading) -> Vec<String> {
        let check = |check: &HealthCheck| {
            let took = check.latency.map_or(String::new(), |took| format!(" {took:.3}"));
            let note = if check.note.is_empty() { String::new() } else { format!(": {}", check.note) };
            format!("{} {}{took}{note}", check.name, check.standing().word())
        };
        reading.checks.iter().map(check).collect()
    }

    /// What a document is taken for: its shape, its standing with that status, and its checks.
    #[track_caller]
    fn check(document: &Value, status: u16, shape: Shape, whole: Standing, checks: &[&str]) {
        let read = super::document(document, "", at()).expect("it is one");
        let reading = HealthReading { status, ..read };
        assert_eq!((reading.shape, reading.standing()), (shape, whole), "{reading:?}");
        assert_eq!(told(&reading), checks);
    }

    #[test]
    fn a_name_is_told_once_and_without_its_login() {
        let document = json!({"status": "UP", "checks": [
            {"name": "db", "status": "UP"}, {"name": "db", "status": "DOWN"},
            {"name": "redis://ana:geheim@cache:1", "status": "UP"}]});
        check(
            &document,
            200,
            Shape::MicroProfile,
            Standing::Up,
            &["db up", "db (2) DOWN", "redis://•••@cache:1 up"],
        );
        let pools =
            json!({"status": "UP", "pool": {"postgres://ana:geheim@db/shop": {"max": 10, "active": 3}}});
        let read = super::document(&pools, "", at()).expect("it is one");
        let told = format!("{:?} {:?}", read.measures, read.values);
        assert!(!told.contains("geheim") && told.contains("•••@db"), "{told}");
    }

    #[test]
    fn spring_boot() {
        let document = json!({"status": "DOWN", "groups": ["liveness"], "components": {
            "broker": {"status": "UP", "components": {"us1": {"status": "UP", "details": {"version": "1.0.2"}}}},
            "db": {"status": "DOWN", "details": {"error": "java.net.ConnectException: refused"}},
            "diskSpace": {"status": "UP", "details": {"free": 250_981_711_872_u64}}}});
        check(
            &document,
            503,
            Shape::Spring,
            Standing::Down,
            &["broker up", "broker/us1 up", "db DOWN: java.net.ConnectException: refused", "diskSpace up"],
        );
        check(&json!({"status": "OUT_OF_SERVICE"}), 503, Shape::Own, Standing::OutOfService, &[]);
        // Version 1.
        let old = json!({"status": "UP", "db": {"status": "UP", "database": "H2"}});
        check(&old, 200, Shape::Own, Standing::Up, &["db up"]);
    }

    #[test]
    fn asp_net() {
        let document = json!({"status": "Unhealthy", "totalDuration": "00:00:51.8415331", "entries": {
            "storage": {"data": {}, "description": "no such host", "duration": "00:00:23.2322776", "status": "Degraded"},
            "cosmosdb": {"data": {}, "duration": "00:00:00.2694373", "exception": "refused", "status": "Unhealthy"}}});
        check(
            &document,
            503,
            Shape::AspNet,
            Standing::Down,
            &["storage degraded 23.232: no such host", "cosmosdb DOWN 0.269: refused"],
        );
        let written = json!({"status": "Healthy", "results": {"a": {"status": "Healthy", "description": null, "data": {}}}});
        check(&written, 200, Shape::AspNet, Standing::Up, &["a up"]);
    }

    #[test]
    fn terminus() {
        let document = json!({"status": "error", "info": {"database": {"status": "up"}},
            "error": {"redis": {"status": "down", "message": "Could not connect"}},
            "details": {"database": {"status": "up"}, "redis": {"status": "down", "message": "Could not connect"}}});
        check(
            &document,
            503,
            Shape::Terminus,
            Standing::Down,
            &["database up", "redis DOWN: Could not connect"],
        );
        let godaddy = json!({"status": "ok", "info": {"version": "1.0.0"}, "details": {"version": "1.0.0"}});
        check(&godaddy, 200, Shape::Own, Standing::Up, &[]);
        let failed = json!({"status": "error", "error": [{"message": "no database"}], "details": [{"message": "no database"}]});
        check(&failed, 503, Shape::Own, Standing::Down, &[]);
        assert_eq!(
            super::document(&failed, "", at()).map(|reading| reading.note).as_deref(),
            Some("no database")
        );
    }

    #[test]
    fn health_json() {
        let document = json!({"status": "warn", "version": "1", "checks": {
            "cassandra:responseTime": [{"componentId": "dfd6", "componentType": "datastore", "observedValue": 250,
                "observedUnit": "ms", "status": "pass", "time": "2018-01-17T03:36:48Z", "output": ""}],
            "cpu:utilization": [{"nodeId": 1, "status": "warn", "observedValue": 85, "observedUnit": "percent"},
                {"nodeId": 2, "status": "pass", "observedValue": 60, "observedUnit": "percent"}],
            "uptime": [{"observedValue": 1_209_600.245, "observedUnit": "s", "status": "pass"}]}});
        check(
            &document,
            200,
            Shape::HealthJson,
            Standing::Degraded,
            &[
                "cassandra:responseTime up 0.250",
                "cpu:utilization/1 degraded",
                "cpu:utilization/2 up",
                "uptime up 1209600.245",
            ],
        );
    }

    #[test]
    fn lists_names_and_what_only_fails() {
        let micro = json!({"status": "DOWN", "checks": [{"name": "db", "status": "DOWN", "data": {"error": "refused"}}]});
        check(&micro, 503, Shape::MicroProfile, Standing::Down, &["db DOWN: refused"]);
        let spatie = json!({"finishedAt": 1_767_323_045, "checkResults": [
            {"name": "Database", "label": "Database", "notificationMessage": "", "shortSummary": "ok", "status": "ok", "meta": []}]});
        check(&spatie, 200, Shape::Own, Standing::Up, &["Database up: ok"]);
        let go = json!({"goroutine-threshold": "OK", "upstream-dns": "lookup db: no such host"});
        check(
            &go,
            503,
            Shape::Names,
            Standing::Down,
            &["goroutine-threshold up", "upstream-dns DOWN: lookup db: no such host"],
        );
        let django = json!({"Cache backend: default": "working", "DatabaseBackend": "working"});
        check(&django, 200, Shape::Names, Standing::Up, &["Cache backend: default up", "DatabaseBackend up"]);
        let bare =
            json!([{"name": "db", "status": "pass"}, {"name": "mq", "status": "fail", "output": "no route"}]);
        check(&bare, 200, Shape::MicroProfile, Standing::Down, &["db up", "mq DOWN: no route"]);
        // Another list has no known shape: what its entries say can be named by pointers.
        let other = super::document(&json!([{"name": "db"}, "x"]), "", at()).expect("a document");
        assert_eq!((other.shape, other.word, other.checks.len()), (Shape::Own, None, 0));
        assert_eq!(other.values.len(), 3);
        let failures = json!({"status": "Service Unavailable", "timestamp": "2026-01-02T03:04:05Z", "failures": {"rabbitmq": "no route"}});
        check(&failures, 503, Shape::Own, Standing::Down, &["rabbitmq DOWN: no route"]);
    }

    #[test]
    fn what_express_applications_write_by_hand() {
        let deep = json!({"status": "degraded", "timestamp": "2026-01-02T03:03:05.000Z", "checks": {
            "database": {"status": "healthy", "latency": 12}, "redis": {"status": "unhealthy", "error": "ECONNREFUSED 127.0.0.1:6379"},
            "elasticsearch": true, "queue": "ok"}});
        check(
            &deep,
            200,
            Shape::Own,
            Standing::Degraded,
            &["database up 0.012", "redis DOWN: ECONNREFUSED 127.0.0.1:6379", "elasticsearch up", "queue up"],
        );
        assert_eq!(
            super::document(&deep, "", at()).and_then(|reading| reading.age),
            Some(Duration::from_secs(60))
        );
        let wrapped = json!({"success": true, "data": {"status": "ok", "services": {"redis": false}}});
        check(&wrapped, 200, Shape::Own, Standing::Up, &["redis DOWN"]);
        let flags =
            json!({"ok": true, "database": {"connected": false, "error": "timeout"}, "maintenance": false});
        check(&flags, 200, Shape::Own, Standing::Up, &["database DOWN: timeout"]);
        let other = json!({"status": "ok", "memory": {"available": 12345}, "replication": {"state": "streaming"},
            "pool": {"available": "12 GB"}, "redis": {"connected": 12}});
        check(&other, 200, Shape::Own, Standing::Up, &[]);
        let uptime = json!({"app_version": "fc12f05", "database_reachable": true, "redis_reachable": false, "queued_jobs": 12});
        check(&uptime, 200, Shape::Own, Standing::Down, &["database_reachable up", "redis_reachable DOWN"]);
        let nested = json!({"sensu": {"Sensu": {"output": "Connection error", "status": 2}}, "uchiwa": "ok"});
        check(
            &nested,
            200,
            Shape::Own,
            Standing::Unknown,
            &["sensu/Sensu unknown: Connection error", "uchiwa up"],
        );
        let zammad = json!({"healthy": false, "message": "channel: refused", "issues": ["channel"]});
        check(&zammad, 200, Shape::Own, Standing::Down, &[]);
        check(&json!({}), 503, Shape::Plain, Standing::Down, &[]);
        check(&json!({}), 200, Shape::Plain, Standing::Up, &[]);
        let breakers =
            json!({"status": "ok", "circuitBreakers": {"redis": {"state": "OPEN", "healthy": false}}});
        check(&breakers, 200, Shape::Own, Standing::Up, &[]);
        let numbers = json!({"cache": {"hitRate": 0.3}});
        check(&numbers, 200, Shape::Own, Standing::Unknown, &[]);
    }

    #[test]
    fn what_says_nothing_of_health_is_none() {
        for document in [json!({"message": "Not Found"}), json!([1]), json!(null), json!(7)] {
            assert!(super::document(&document, "", at()).is_none(), "{document}");
        }
        assert_eq!(
            super::document(&json!("OK"), "", at()).and_then(|reading| reading.word).as_deref(),
            Some("OK")
        );
    }

    #[test]
    fn texts() {
        let check = |text: &str, status, expected: Standing| {
            let reading = HealthReading { status, ..plain(text, String::new()) };
            assert_eq!(reading.standing(), expected, "{text}: {reading:?}");
        };
        check("OK\n", 200, Standing::Up);
        check("SERVER_IS_READY", 200, Standing::Up);
        check("SERVER_IS_SHUTTING_DOWN", 500, Standing::OutOfService);
        check("default: PASSED Application is running (0s)", 200, Standing::Up);
        check("Healthy", 200, Standing::Up);
        check("", 204, Standing::Up);
        check("", 503, Standing::Down);
        check(
            "<!DOCTYPE html><html><body style=\"background-color: green\"></body></html>",
            200,
            Standing::Up,
        );
        check("<html><title>Log in</title></html>", 200, Standing::Unknown);
        check("welcome", 200, Standing::Unknown);
        check("no healthy upstream", 503, Standing::Down);
        check("database: ok\nredis: FAIL\n", 200, Standing::Down);
        check("database: ok\nredis: ok\n", 200, Standing::Up);
        check("database: ok, redis: down", 200, Standing::Down);
        let lines =
            plain("[+]ping ok\n[-]etcd failed: reason withheld\nhealthz check failed\n", String::new());
        assert_eq!(told(&lines), ["ping up", "etcd DOWN: failed: reason withheld"]);
    }

    #[test]
    fn a_url_says_what_is_behind_it() {
        for (url, expected) in [
            ("http://h:3000/api/health/cache", "cache"),
            ("http://h/api/health/deep?full=1", ""),
            ("http://h/healthz/", ""),
            ("http://h", ""),
        ] {
            assert_eq!(about(url), expected, "{url}");
        }
    }
}
