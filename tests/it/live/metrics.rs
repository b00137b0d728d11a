//! A real Prometheus, and expositions of real exporters.

use super::{Watch, server};
use stacktop::config::target::{Connect, HttpConnect, PromQuery, PrometheusConnect};
use stacktop::config::url;
use stacktop::core::focus::Focus;
use stacktop::core::metrics::{MetricKind, MetricsReading};
use stacktop::core::part::Part;
use stacktop::core::prometheus::{PrometheusReading, Range, SPANS};
use stacktop::core::reading::Reading;
use stacktop::core::report::PollErrorKind;
use stacktop::core::time::Clock;
use stacktop::core::world::SystemState;
use stacktop::runtime::clock::SystemClock;
use stacktop::sources::Source;
use stacktop::sources::http::Http;
use stacktop::sources::prometheus::PrometheusSource;
use std::time::Duration;

fn http(url: &str) -> HttpConnect {
    url::http(url).expect("a URL")
}

fn query(title: &str, expr: &str) -> PromQuery {
    PromQuery { title: title.into(), expr: expr.into(), unit: String::new(), warning: None, critical: None }
}

#[tokio::test]
async fn targets_down_rules_firing_and_failing_and_panels() {
    let test = "targets_down_rules_firing_and_failing_and_panels";
    let Some(url) = server(test, "STACKTOP_TEST_PROMETHEUS_URL") else { return };
    let queries = vec![query("up", "up"), query("one", "scalar(vector(1))"), query("broken", "sum(")];
    let mut watch = Watch::new(Connect::Prometheus(PrometheusConnect {
        http: http(&url),
        alertmanager: None,
        queries,
        past: Vec::new(),
    }));
    // Prometheus evaluates its rules and scrapes its targets once a second.
    for _ in 0..40 {
        watch.poll().await.expect("a poll");
        let SystemState::Prometheus(state) = &watch.world.targets()[0].system else { panic!("another kind") };
        let reading = state.reading().expect("a reading");
        let targets = reading.targets.ready().map(Vec::len);
        let scraped = reading.panels[0].series.ready().map(Vec::len) == targets;
        let noticed =
            watch.verdict().contains("cannot be evaluated") && watch.verdict().contains("AlwaysFiring");
        if scraped && noticed {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let SystemState::Prometheus(state) = &watch.world.targets()[0].system else { panic!("another kind") };
    let reading = state.reading().expect("a reading");
    assert!(reading.version.ready().is_some());
    let down: Vec<&str> = reading
        .targets
        .ready()
        .expect("targets")
        .iter()
        .filter(|target| target.is_down())
        .map(|target| target.job.as_str())
        .collect();
    assert_eq!(down, ["nobody-there"]);
    let rules = reading.rules.ready().expect("rules");
    assert_eq!(rules.total, 3);
    assert!(
        rules.notable.iter().any(|rule| rule.name == "AlwaysFiring" && rule.state == "firing"),
        "{rules:?}"
    );
    assert!(rules.notable.iter().any(|rule| rule.name == "Failing" && !rule.error.is_empty()), "{rules:?}");
    let targets = reading.targets.ready().map(Vec::len).expect("targets");
    assert!(targets >= 3, "{targets}");
    assert_eq!(reading.panels[0].series.ready().map(Vec::len), Some(targets));
    assert_eq!(reading.panels[1].series.ready(), Some(&vec![(String::new(), 1.0)]));
    let gap = reading.panels[2].series.gap().expect("a reason");
    assert!(gap.note.contains("parse error"), "{gap:?}");
}

#[tokio::test]
async fn expositions_of_real_exporters_are_read_without_loss() {
    let test = "expositions_of_real_exporters_are_read_without_loss";
    let all = ["STACKTOP_TEST_METRICS_URL", "STACKTOP_TEST_METRICS2_URL", "STACKTOP_TEST_METRICS3_URL"];
    for variable in all {
        let Some(url) = server(test, variable) else { continue };
        let body = reqwest_body(&url).await;
        let expected = body.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()).count();
        let mut watch = Watch::new(Connect::Metrics(http(&url)));
        watch.poll().await.expect("a poll");
        tokio::time::sleep(super::RATES).await;
        watch.poll().await.expect("a poll");
        let SystemState::Metrics(state) = &watch.world.targets()[0].system else { panic!("another kind") };
        let reading = state.reading().expect("a reading");
        assert_eq!(reading.bad_total, 0, "{:?}", reading.bad);
        // The number of series of a live exporter moves from scrape to scrape: the same body must give the same number.
        let scanned = stacktop::sources::metrics::scan::scan(&body);
        assert_eq!((scanned.samples.len(), scanned.bad_total), (expected, 0));
        assert!(!reading.is_empty());
        assert!(reading.layout.families().any(|(_, kind)| kind == MetricKind::Counter));
        assert!(reading.layout.samples().any(|sample| state.rate(sample).is_some()));
    }
}

/// A silence in a real Alertmanager: the alert is told as silenced, with who and why, and is critical again when that is over.
#[tokio::test]
async fn what_the_alertmanager_silences_is_told_as_such() {
    let test = "what_the_alertmanager_silences_is_told_as_such";
    let Some(url) = server(test, "STACKTOP_TEST_PROMETHEUS_URL") else { return };
    let Some(alertmanager) = server(test, "STACKTOP_TEST_ALERTMANAGER_URL") else { return };
    let manager = Http::open(&http(&alertmanager)).await.expect("a client");
    let json = [(reqwest::header::CONTENT_TYPE, "application/json")];
    let ends = (chrono::Utc::now() + chrono::Duration::seconds(300)).to_rfc3339();
    let body = format!(
        r#"{{"matchers":[{{"name":"alertname","value":"AlwaysFiring","isRegex":false}}],"startsAt":"2020-01-01T00:00:00Z","endsAt":"{ends}","createdBy":"ana","comment":"a deploy"}}"#
    );
    let answer =
        manager.send(reqwest::Method::POST, "/api/v2/silences", &json, Some(body)).await.expect("an answer");
    let id =
        String::from_utf8(answer.body.to_vec()).expect("text").split('"').nth(3).expect("an id").to_owned();
    let connect = |alertmanager| {
        Connect::Prometheus(PrometheusConnect {
            http: http(&url),
            alertmanager,
            queries: Vec::new(),
            past: Vec::new(),
        })
    };
    let mut watch = Watch::new(connect(Some(http(&alertmanager))));
    let told = async |watch: &mut Watch| {
        watch.poll().await.expect("a poll");
        let SystemState::Prometheus(state) = &watch.world.targets()[0].system else { panic!("another kind") };
        let reading = state.reading().expect("a reading");
        let alert =
            reading.rules.ready().expect("rules").notable.iter().find(|rule| rule.name == "AlwaysFiring");
        alert.map(|alert| alert.muted.clone())
    };
    let mut muted = None;
    // Prometheus sends an alert again after a minute, where the Alertmanager was not there the first time.
    for _ in 0..180 {
        muted = told(&mut watch).await.flatten();
        if muted.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let muted = muted.expect("the silence is told");
    assert!(muted.starts_with("silenced by ana until 20") && muted.ends_with(": a deploy"), "{muted}");
    assert!(!watch.verdict().starts_with("BROKEN"), "{}", watch.verdict());
    let ended = manager.send(reqwest::Method::DELETE, &format!("/api/v2/silence/{id}"), &[], None).await;
    assert!(ended.expect("an answer").status.is_success());
    let mut again = false;
    for _ in 0..60 {
        again = told(&mut watch).await == Some(None);
        if again {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    assert!(again && watch.verdict().contains("AlwaysFiring"), "{}", watch.verdict());
    // One that cannot be asked hides nothing, and is said.
    let mut blind = Watch::new(connect(Some(http("http://127.0.0.1:9"))));
    assert_eq!(told(&mut blind).await, Some(None));
    let SystemState::Prometheus(state) = &blind.world.targets()[0].system else { panic!("another kind") };
    assert!(state.reading().expect("a reading").muted.gap().is_some());
}

async fn reqwest_body(url: &str) -> String {
    let client = Http::open(&http(url)).await.expect("a client");
    let answer = client.get("", &[]).await.expect("an answer");
    String::from_utf8(answer.body.to_vec()).expect("text")
}

#[tokio::test]
async fn servers_of_another_kind_are_told_apart() {
    let test = "servers_of_another_kind_are_told_apart";
    let Some(prometheus) = server(test, "STACKTOP_TEST_PROMETHEUS_URL") else { return };
    let Some(exporter) = server(test, "STACKTOP_TEST_METRICS2_URL") else { return };
    let Some(redis) = server(test, "STACKTOP_TEST_REDIS_URL") else { return };
    let as_prometheus = |url: &str| {
        Connect::Prometheus(PrometheusConnect {
            http: http(url),
            alertmanager: None,
            queries: Vec::new(),
            past: Vec::new(),
        })
    };
    let nobody = HttpConnect::plain("http://127.0.0.1:9".into());
    for (connect, kind) in [
        (as_prometheus(exporter.trim_end_matches("/metrics")), PollErrorKind::WrongServer),
        (as_prometheus(&redis.replace("redis://", "http://")), PollErrorKind::WrongServer),
        (Connect::Metrics(http(&format!("{prometheus}/graph"))), PollErrorKind::WrongServer),
        (Connect::Search(http(&prometheus)), PollErrorKind::WrongServer),
        (Connect::Metrics(nobody), PollErrorKind::Unreachable),
    ] {
        let shown = format!("{connect:?}");
        let error = Watch::new(connect).poll().await.expect_err("a mistake");
        assert_eq!(error.kind, kind, "{shown}: {error:?}");
    }
}

#[tokio::test]
async fn https_needs_the_right_ca_and_the_right_name() {
    let test = "https_needs_the_right_ca_and_the_right_name";
    let Some(url) = server(test, "STACKTOP_TEST_HTTPS_URL") else { return };
    let Some(ca) = server(test, "STACKTOP_TEST_HTTPS_CA") else { return };
    let with = |url: &str, ca: Option<&str>| {
        Watch::new(Connect::Metrics(HttpConnect { root_cert: ca.map(Into::into), ..http(url) }))
    };
    let mut trusted = with(&url, Some(&ca));
    trusted.poll().await.expect("its CA is known");
    let SystemState::Metrics(state) = &trusted.world.targets()[0].system else { panic!("another kind") };
    assert_eq!(state.reading().map(MetricsReading::len), Some(1));
    let error = with(&url, None).poll().await.expect_err("nobody knows this CA");
    assert_eq!(error.kind, PollErrorKind::Tls, "{error:?}");
    assert!(error.remedy.is_some_and(|remedy| remedy.contains("`ca`")));
    let plain = with(&url.replace("https://", "http://"), None).poll().await.expect_err("it speaks TLS");
    assert!(matches!(plain.kind, PollErrorKind::WrongServer | PollErrorKind::Failed), "{plain:?}");
    let missing = with(&url, Some("/nowhere/ca.pem")).poll().await.expect_err("no such file");
    assert_eq!(missing.kind, PollErrorKind::Configuration);
    assert!(missing.message.contains("/nowhere/ca.pem"), "{missing:?}");
}

/// The past of an expression and the names of all metrics, of a real Prometheus: asked while somebody looks, one question after the other.
#[tokio::test]
async fn what_a_real_prometheus_remembers() {
    let test = "what_a_real_prometheus_remembers";
    let Some(url) = server(test, "STACKTOP_TEST_PROMETHEUS_URL") else { return };
    let mut source = PrometheusSource::new(http(&url).into());
    let ranges = SPANS.map(|span| Range { expr: "up".to_owned(), span });
    let wrong = Range { expr: "sum(".to_owned(), span: SPANS[0] };
    let mut focus: Vec<Focus> = ranges.iter().cloned().map(Focus::Range).collect();
    focus.extend([Focus::Range(wrong.clone()), Focus::MetricNames]);
    let clock = SystemClock::start();
    let mut reading = PrometheusReading::default();
    for _ in 0..20 {
        let Ok(Reading::Prometheus(read)) = source.poll(clock.now(), &focus).await else {
            panic!("no reading")
        };
        reading = *read;
        if reading.ranges.len() == 4 && reading.names.ready().is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let targets = reading.targets.ready().map(Vec::len).expect("targets");
    for range in &ranges {
        let read = reading.range(&range.expr, range.span).expect("an answer");
        let series = read.series.ready().expect("series");
        assert_eq!(series.len(), targets, "{range:?}");
        assert!(series.iter().all(|(_, values)| values.len() == range.columns()), "{range:?}");
        let newest = series[0].1.last().copied();
        assert!(range.span > SPANS[0] || newest == Some(1.0), "{newest:?}");
    }
    let refused = reading.range(&wrong.expr, wrong.span).and_then(|read| read.series.gap());
    assert!(refused.is_some_and(|gap| gap.note.contains("parse error")), "{refused:?}");
    assert!(reading.names.ready().is_some_and(|names| names.iter().any(|name| name == "up")));
    let Ok(Reading::Prometheus(unseen)) = source.poll(clock.now(), &[]).await else { panic!("no reading") };
    assert!(unseen.ranges.is_empty() && unseen.names == Part::NotAsked, "nobody looks any more");
}
