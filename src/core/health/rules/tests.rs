//! The tests of the rules about a health endpoint.

use super::super::{Bound, Breaker, HealthCheck, HealthField, HealthSettings, HealthValue, Leaf};
use super::*;
use crate::core::alert::{Rulebook, judge};
use crate::core::ids::TargetId;
use crate::core::time::Now;

fn told_with(settings: HealthSettings, readings: Vec<HealthReading>) -> Vec<(String, Severity, String)> {
    let mut state = HealthState::new(settings);
    let mut now = Now::example(0);
    for reading in readings {
        now = now.plus(Duration::from_secs(5));
        state.absorb(reading, now);
    }
    let rules = Rulebook::defaults(&RULES.iter().map(|rule| &rule.spec).collect::<Vec<_>>());
    let breaches = judge(&state, &TargetId::new("shop"), &rules, now);
    breaches.into_iter().map(|breach| (breach.rule.to_string(), breach.severity, breach.sentence)).collect()
}

/// What is told of the last of these documents.
#[track_caller]
fn check(readings: Vec<HealthReading>, expected: &[(&str, Severity, &str)]) {
    let told = told_with(HealthSettings::default(), readings);
    let told: Vec<_> = told.iter().map(|(rule, how, words)| (rule.as_str(), *how, words.as_str())).collect();
    assert_eq!(told, expected);
}

fn one(name: &str, word: &str, note: &str) -> HealthCheck {
    let (name, note) = (name.to_owned(), note.to_owned());
    HealthCheck { name, word: Some(word.to_owned()), note, latency: None }
}

fn says(status: u16, word: &str, checks: Vec<HealthCheck>) -> HealthReading {
    HealthReading { status, word: Some(word.to_owned()), checks, ..HealthReading::default() }
}

#[test]
fn a_check_that_is_down_is_told_instead_of_the_whole() {
    check(vec![says(200, "ok", vec![one("database", "up", "")])], &[]);
    let down = vec![one("database", "down", "connection refused"), one("redis", "up", "")];
    let words = "shop says that its check database is down: connection refused";
    check(vec![says(503, "error", down.clone())], &[("health.status", Severity::Critical, words)]);
    check(vec![says(200, "ok", down)], &[("health.status", Severity::Warning, words)]);
    // A check that is only degraded does not explain why all of it is down.
    let checks = vec![one("disk", "warn", "")];
    check(
        vec![says(503, "DOWN", checks)],
        &[
            ("health.status", Severity::Warning, "shop says that its check disk is degraded"),
            ("health.status", Severity::Critical, "shop is down by its health endpoint (503)"),
        ],
    );
}

#[test]
fn the_whole_is_told_where_no_check_says_why() {
    let words = "shop is down by its health endpoint (503 though it says \u{201c}UP\u{201d})";
    check(vec![says(503, "UP", vec![])], &[("health.status", Severity::Critical, words)]);
    let words = "shop is out of service by its health endpoint (500)";
    check(vec![says(500, "SERVER_IS_NOT_READY", vec![])], &[("health.status", Severity::Warning, words)]);
}

#[test]
fn what_is_gone_or_means_nothing_is_unknown() {
    let first = says(200, "ok", vec![one("database", "up", ""), one("redis", "up", "")]);
    let then = says(200, "ok", vec![one("database", "up", "")]);
    let words = "shop tells of check redis no more: how it is nobody knows";
    check(vec![first.clone(), then.clone()], &[("health.unknown", Severity::Warning, words)]);
    check(vec![first.clone(), then, first.clone()], &[]);
    // What is down may well say less.
    let bare =
        HealthReading { note: "no healthy upstream".to_owned(), status: 503, ..HealthReading::default() };
    let words = "shop is down by its health endpoint (503): no healthy upstream";
    check(vec![first, bare], &[("health.status", Severity::Critical, words)]);
    let words = "shop answers 200 and says \u{201c}purple\u{201d}: nobody can tell how it is";
    check(vec![says(200, "purple", vec![])], &[("health.unknown", Severity::Warning, words)]);
    let words = "shop says \u{201c}meh\u{201d} of its check search: nobody can tell how it is";
    check(
        vec![says(200, "ok", vec![one("search", "meh", "")])],
        &[("health.unknown", Severity::Info, words)],
    );
}

#[test]
fn what_comes_and_goes_is_a_note_and_still_unknown() {
    let with = || says(200, "ok", vec![one("database", "up", ""), one("job-7", "up", "")]);
    let without = || says(200, "ok", vec![one("database", "up", "")]);
    let words = "shop tells of check job-7 no more: how it is nobody knows";
    check(vec![with(), without(), with(), without()], &[("health.unknown", Severity::Warning, words)]);
    let words = "shop tells of check job-7 no more: it is only sometimes there (gone 2 times before); how it is nobody knows";
    let often = vec![with(), without(), with(), without(), with(), without()];
    check(often.clone(), &[("health.unknown", Severity::Info, words)]);
    check([often, vec![with()]].concat(), &[]);
}

#[test]
fn a_field_that_comes_back_is_judged_again() {
    let field = HealthField {
        name: "lag".to_owned(),
        pointer: "/lag".to_owned(),
        above: Bound { warning: Some(10.0), critical: None },
        ..HealthField::default()
    };
    let settings = HealthSettings { fields: vec![field] };
    let reading = |leaf: Option<Leaf>| {
        let value = |leaf| HealthValue { pointer: "/lag".to_owned(), leaf };
        HealthReading { values: leaf.map(value).into_iter().collect(), ..says(200, "ok", vec![]) }
    };
    let (there, none) = (|| reading(Some(Leaf::Number(12.0))), || reading(None));
    let null = || reading(Some(Leaf::Nothing));
    let last = |readings: Vec<HealthReading>| {
        let told = told_with(settings.clone(), readings);
        told.into_iter().map(|(_, severity, words)| (severity, words)).collect::<Vec<_>>()
    };
    let one = |severity, words: &str| vec![(severity, words.to_owned())];
    let lag = || one(Severity::Warning, "shop: lag is 12 (threshold 10)");
    assert_eq!(last(vec![there(), null(), there()]), lag());
    let gone = "shop: lag (/lag) is not there: how it is nobody knows";
    assert_eq!(last(vec![there(), none()]), one(Severity::Warning, gone));
    let gone = "shop: lag (/lag) is no number: it is only sometimes there (gone 2 times before); how it is nobody knows";
    let night = vec![there(), null(), there(), none(), there(), null()];
    assert_eq!(last(night.clone()), one(Severity::Info, gone));
    assert_eq!(last([night, vec![there()]].concat()), lag());
    // It never was there: the pointer may be wrong.
    let gone = "shop: lag (/lag) is not there: how it is nobody knows";
    assert_eq!(last(vec![none(), none(), none()]), one(Severity::Warning, gone));
}

#[test]
fn breakers_and_measures_are_judged() {
    let breaker = |name: &str, word: &str| Breaker { name: name.to_owned(), word: word.to_owned() };
    let measure = |kind, of: &str, value: f64| Measure {
        kind,
        of: of.to_owned(),
        queries: of == "queries",
        value,
        percent: false,
        ratio: false,
    };
    let reading = HealthReading {
        breakers: vec![breaker("redis", "OPEN"), breaker("mail", "HALF_OPEN"), breaker("pg", "CLOSED")],
        measures: vec![
            measure(MeasureKind::HitRate, "cache", 0.31),
            measure(MeasureKind::P95, "queries", 0.8),
            measure(MeasureKind::P95, "render", 0.8),
            measure(MeasureKind::PoolUse, "db", 95.0),
        ],
        age: Some(Duration::from_secs(600)),
        took: Duration::from_secs(3),
        ..says(200, "ok", vec![HealthCheck { latency: Some(2.5), ..one("database", "up", "") }])
    };
    check(
        vec![reading],
        &[
            (
                "health.breaker",
                Severity::Critical,
                "shop: its circuit breaker redis is open: what is behind it is not asked",
            ),
            (
                "health.breaker",
                Severity::Warning,
                "shop: its circuit breaker mail is half open: it tries what is behind it again",
            ),
            ("health.query_p95", Severity::Warning, "shop: its 95th percentile of queries is 800 ms"),
            ("health.cache_hit", Severity::Warning, "shop: its hit rate of cache is 31 %"),
            ("health.pool", Severity::Critical, "shop: 95 % of its pool of db is in use"),
            ("health.old", Severity::Warning, "shop: what its health endpoint answers is 10m00s old"),
            (
                "health.latency",
                Severity::Warning,
                "shop: its health endpoint takes 3.0 s to answer, 2.5 s of it by its check database",
            ),
        ],
    );
}

#[test]
fn configured_fields_are_judged_and_missed() {
    let field = |name: &str, pointer: &str| HealthField {
        name: name.to_owned(),
        pointer: pointer.to_owned(),
        below: Bound { warning: Some(0.5), critical: None },
        ..HealthField::default()
    };
    let role =
        HealthField { expect: Some("primary".to_owned()), below: Bound::default(), ..field("role", "/role") };
    let settings = HealthSettings {
        fields: vec![field("fresh", "/fresh"), field("left", "/left"), field("text", "/text"), role],
    };
    let at = |pointer: &str, leaf| HealthValue { pointer: pointer.to_owned(), leaf };
    let values = vec![
        at("/fresh", Leaf::Number(0.25)),
        at("/text", Leaf::Text("much".to_owned())),
        at("/role", Leaf::Text("replica".to_owned())),
    ];
    let told = told_with(settings, vec![HealthReading { values, ..says(200, "ok", vec![]) }]);
    let words: Vec<&str> = told.iter().map(|(.., words)| words.as_str()).collect();
    assert_eq!(
        words,
        [
            "shop: left (/left) is not there: how it is nobody knows",
            "shop: text (/text) is no number: how it is nobody knows",
            "shop: fresh is 0.25 (threshold 0.5)",
            "shop: role is \u{201c}replica\u{201d}, not \u{201c}primary\u{201d}",
        ]
    );
}
