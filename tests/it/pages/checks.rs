//! Health endpoints on the metrics screen: what each says, what is unknown, and the page of one.

use super::world::{FIRST, Page, Stage, secs, target};
use stacktop::core::health::{
    Bound, Breaker, HealthCheck, HealthField, HealthReading, HealthRow, HealthSettings, HealthValue, Leaf,
    Measure, MeasureKind, SlowQuery, Unit,
};
use stacktop::core::ids::SystemKind;
use stacktop::core::place::Screen;
use stacktop::core::row::RowKey;
use stacktop::core::settings::SystemSettings;
use stacktop::ui::content::Role;
use std::time::Duration;

fn check(name: &str, word: &str, note: &str) -> HealthCheck {
    HealthCheck {
        name: name.to_owned(),
        word: Some(word.to_owned()),
        note: note.to_owned(),
        latency: Some(0.012),
    }
}

fn reading() -> HealthReading {
    let at = |pointer: &str, leaf| HealthValue { pointer: pointer.to_owned(), leaf };
    HealthReading {
        status: 503,
        took: Duration::from_millis(40),
        word: Some("error".to_owned()),
        checks: vec![
            check("database", "down", "ECONNREFUSED"),
            check("redis", "up", ""),
            check("mail", "meh", ""),
        ],
        breakers: vec![Breaker { name: "search".to_owned(), word: "OPEN".to_owned() }],
        measures: vec![Measure {
            kind: MeasureKind::HitRate,
            of: "cache".to_owned(),
            queries: false,
            value: 0.31,
            percent: false,
            ratio: false,
        }],
        slow: vec![SlowQuery { text: "SELECT pg_sleep(1)".to_owned(), took: Some(1.0), times: Some(3.0) }],
        values: vec![
            at("/checks/database/status", Leaf::Text("down".to_owned())),
            at("/checks/redis/status", Leaf::Text("up".to_owned())),
            at("/slow", Leaf::Many(1)),
            at("/cache/hitRate", Leaf::Number(0.31)),
        ],
        age: Some(secs(30)),
        ..HealthReading::default()
    }
}

fn opened(stage: &Stage, row: HealthRow) -> Page {
    stage.opened(Screen::Metrics, &[RowKey::Health(target("web"), row)])
}

#[test]
fn what_is_not_known_of_a_share_and_what_is_idle_is_said() {
    let mut night = reading();
    night.measures[0].value = 1.0;
    night.idle = vec!["queries p95".to_owned()];
    let page = opened(&Stage::of(night), HealthRow::Endpoint);
    page.says("1: all of it, or 1 %? It does not say, and is not judged");
    page.says("nothing: no traffic");
}

#[test]
fn a_row_each_with_its_checks_below() {
    let page = Stage::of(reading()).page(Screen::Metrics);
    assert_eq!(page.firsts(), ["web", "database", "redis", "mail", "search"]);
    assert_eq!((page.cell("web", "says"), page.role("web", "says")), ("DOWN".to_owned(), Role::Critical));
    page.says("DOWN (503) · 2 of 3 checks not up · 1 breaker not closed · cache hit rate 31 %");
    assert_eq!(page.cell("database", "says"), "DOWN");
    assert_eq!(
        (page.cell("mail", "says"), page.role("mail", "says")),
        ("unknown: meh".to_owned(), Role::Note)
    );
    page.says("ECONNREFUSED");
}

#[test]
fn one_that_never_answered_is_unknown_and_says_why() {
    let page = Stage::silent(SystemKind::Health).page(Screen::Metrics);
    assert_eq!((page.cell("web", "says"), page.role("web", "says")), ("unknown".to_owned(), Role::Note));
    page.says("connection refused; start it");
}

#[test]
fn what_it_said_before_is_old_when_it_fails() {
    let page = Stage::of(reading()).fails(FIRST + 40, "web").page(Screen::Metrics);
    assert_eq!((page.cell("web", "says"), page.role("web", "says")), ("40 s old".to_owned(), Role::Stale));
}

#[test]
fn a_check_that_is_gone_is_unknown_and_never_absent() {
    let fine = |checks| HealthReading {
        status: 200,
        word: Some("ok".to_owned()),
        checks,
        ..HealthReading::default()
    };
    let stage = Stage::of(fine(vec![check("database", "up", ""), check("redis", "up", "")]));
    let stage = stage.then(FIRST + 10, "web", fine(vec![check("database", "up", "")]));
    let page = stage.page(Screen::Metrics);
    assert_eq!(page.cell("redis", "says"), "unknown");
    page.says("1 of 2 checks not up");
    let whole = opened(&stage, HealthRow::Endpoint);
    whole.says("unknown for 0 s: check redis was there and is gone");
    opened(&stage, HealthRow::Check("redis".to_owned())).says("unknown: it is told of no more");
}

#[test]
fn its_page_tells_everything() {
    let field = |name: &str, pointer: &str| HealthField {
        name: name.to_owned(),
        pointer: pointer.to_owned(),
        unit: Unit::Ratio,
        below: Bound { warning: Some(0.5), critical: None },
        ..HealthField::default()
    };
    let fields = vec![field("hits", "/cache/hitRate"), field("none", "/nowhere")];
    let stage = Stage::configured(SystemSettings::Health(HealthSettings { fields }), reading());
    let page = opened(&stage, HealthRow::Endpoint);
    for words in [
        "recognised as its own JSON, answered in 40 ms",
        "what it says is 30 s old by its own time",
        "cache hit rate               31.0 %",
        "hits                         31 %",
        "unknown: /nowhere is not there",
        "1.0 s | 3 | SELECT pg_sleep(1)",
        "/slow | 1 value",
        "/checks/redis/status | up",
    ] {
        page.says(words);
    }
    let page = opened(&stage, HealthRow::Check("database".to_owned()));
    page.says("DOWN (it says \u{201c}down\u{201d})");
    page.says("/checks/database/status | down");
    page.says_not("/checks/redis/status");
    opened(&stage, HealthRow::Breaker("search".to_owned())).says("OPEN");
}

#[test]
fn of_many_only_what_is_not_up_is_listed() {
    let names: Vec<String> = (0..40).map(|number| format!("web-{number:02}")).collect();
    let targets: Vec<(&str, SystemKind)> =
        names.iter().map(|name| (name.as_str(), SystemKind::Health)).collect();
    let mut stage = Stage::with(&targets);
    for (index, name) in names.iter().enumerate() {
        let bad = index == 17;
        let redis = if bad { check("redis", "down", "refused") } else { check("redis", "up", "") };
        let checks = vec![check("database", "up", ""), redis];
        let (status, word) = if bad { (503, "error") } else { (200, "ok") };
        let reading =
            HealthReading { status, word: Some(word.to_owned()), checks, ..HealthReading::default() };
        stage = stage.then(FIRST, name, reading);
    }
    let firsts = stage.page(Screen::Metrics).firsts();
    assert_eq!(firsts.len(), 41);
    assert_eq!(&firsts[..2], ["web-17", "redis"]);
}
