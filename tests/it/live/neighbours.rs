//! Two servers of one kind on one host: whose past it is that an exporter tells, and which Alertmanager an alert is in. Real servers, exporters,
//! Alertmanagers, and a real Prometheus of our own that names them.

use super::conditions::cluster::free_port;
use super::happened::{connection, own, run};
use super::server;
use super::several::{Several, answers, prometheus, spawn};
use serde_json::json;
use stacktop::config::target::{Connect, PrometheusConnect};
use stacktop::config::url;
use stacktop::core::alert::Severity;
use stacktop::core::ids::TargetId;
use stacktop::core::past;
use stacktop::core::place::Screen;
use stacktop::core::prometheus::PrometheusRow;
use stacktop::core::row::RowKey;
use stacktop::panels::panel;
use std::process::Command;
use std::time::Duration;

/// Columns of a quarter of an hour in which we have seen nothing ourselves.
const UNSEEN: [Option<f64>; 180] = [None; 180];

fn prometheus_at(port: u16) -> Connect {
    let http = url::http(&format!("http://127.0.0.1:{port}")).expect("a URL");
    Connect::Prometheus(PrometheusConnect { http, alertmanager: None, queries: Vec::new(), past: Vec::new() })
}

fn jobs(ports: &[u16]) -> String {
    let targets: Vec<String> = ports.iter().map(|port| format!("'127.0.0.1:{port}'")).collect();
    format!("scrape_configs: [{{job_name: all, static_configs: [{{targets: [{}]}}]}}]\n", targets.join(", "))
}

/// What is remembered of `number` of a target: the newest value. Asked until each range was answered.
async fn remembered(seen: &mut Several, target: &str, number: &str) -> Option<f64> {
    seen.poll(&[]).await;
    for _ in 0..60 {
        let asked = past::asked(&seen.world, seen.target(target), &[number], seen.now());
        seen.poll(&asked).await;
        let reading =
            seen.target("prom").system.prometheus().and_then(|state| state.reading()).expect("it answers");
        let answered = asked.iter().all(|(_, focus)| {
            let range = focus.range().expect("a range");
            reading.range(&range.expr, range.span).is_some_and(|read| read.series.ready().is_some())
        });
        if !asked.is_empty() && answered {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let (columns, _) = past::before(&seen.world, seen.target(target), number, &UNSEEN)?;
    columns.iter().rev().find_map(|value| *value)
}

fn port_of(url: &str) -> u16 {
    let authority = url.split("://").nth(1).expect("a URL").split('/').next().expect("an authority");
    authority.rsplit_once(':').expect("a port").1.parse().expect("a number")
}

/// What is remembered, once it is.
async fn comes(seen: &mut Several, target: &str, number: &str) -> f64 {
    for _ in 0..40 {
        if let Some(found) = remembered(seen, target, number).await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    panic!("nothing is remembered of {number} of {target}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_postgres_servers_on_one_host_each_has_its_own_past() {
    let test = "of_two_postgres_servers_on_one_host_each_has_its_own_past";
    let Some(has) = server(test, "STACKTOP_TEST_PG_URL") else { return };
    let Some(exporter) = server(test, "STACKTOP_TEST_METRICS_URL") else { return };
    let Some(lacks) = server(test, "STACKTOP_TEST_PG13_URL") else { return };
    let (folder, late) = (tempfile::tempdir().expect("a folder"), free_port());
    let (_prometheus, at) = prometheus(folder.path(), &jobs(&[port_of(&exporter), late])).await;
    let pg = |url: &str| Connect::Postgres(url::postgres(url).expect("a URL"));
    let beside = "from before stacktop began nothing is known: no exporter tells lacks from has on its host";
    // Where one alone is watched, too: who else is on the host nobody here knows.
    let mut one = Several::new(vec![("has", pg(&has)), ("prom", prometheus_at(at))]);
    comes(&mut one, "has", "connections").await;
    let mut one = Several::new(vec![("lacks", pg(&lacks)), ("prom", prometheus_at(at))]);
    assert_eq!(remembered(&mut one, "lacks", "connections").await, None);
    let both = || vec![("has", pg(&has)), ("lacks", pg(&lacks)), ("prom", prometheus_at(at))];
    let mut two = Several::new(both());
    two.poll(&[]).await;
    let said = |seen: &Several, name: &str| {
        past::unknown(&seen.world, seen.target(name), &["connections"], seen.now())
    };
    for name in ["has", "lacks"] {
        let words = said(&two, name).expect("it was not asked yet");
        assert_eq!(words, "reading what prom remembers from before stacktop began");
    }
    comes(&mut two, "has", "connections").await;
    assert_eq!(said(&two, "has"), None);
    assert_eq!(remembered(&mut two, "lacks", "connections").await, None);
    assert_eq!(said(&two, "lacks").as_deref(), Some(beside));
    // An exporter of its own tells its own, and neither is their sum.
    let _exporter = spawn(
        Command::new("prometheus-postgres-exporter")
            .env("DATA_SOURCE_NAME", format!("{lacks}?sslmode=disable"))
            .arg(format!("--web.listen-address=127.0.0.1:{late}")),
    );
    answers(late).await;
    let mut two = Several::new(both());
    for (name, url) in [("lacks", &lacks), ("has", &has)] {
        let told = comes(&mut two, name, "connections").await;
        let client = super::client(url).await;
        let count = "SELECT count(*)::float8 FROM pg_stat_activity WHERE datname IS NOT NULL";
        let real: f64 = client.query_one(count, &[]).await.expect("a row").get(0);
        // Others come and go on them meanwhile.
        assert!(told >= 1.0 && (told - real).abs() <= 40.0, "{name}: {told}, {real} now");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_redis_servers_on_one_host_each_has_its_own_past() {
    let test = "of_two_redis_servers_on_one_host_each_has_its_own_past";
    if server(test, "STACKTOP_TEST_PROMETHEUS_URL").is_none() {
        return;
    }
    let (Some(has), Some(lacks)) = (own(test), own(test)) else { return };
    let mut client = connection(&has.url).await;
    run(&mut client, &["SET", "large", &"x".repeat(30_000_000)]).await;
    let mut client = connection(&lacks.url).await;
    run(&mut client, &["SET", "larger", &"x".repeat(60_000_000)]).await;
    let (folder, early, late) = (tempfile::tempdir().expect("a folder"), free_port(), free_port());
    let exporter = |url: &str, port: u16| {
        let mut command = Command::new("prometheus-redis-exporter");
        spawn(command.args(["-redis.addr", url, "-web.listen-address", &format!("127.0.0.1:{port}")]))
    };
    let _early = exporter(&has.url, early);
    answers(early).await;
    let (_prometheus, at) = prometheus(folder.path(), &jobs(&[early, late])).await;
    let redis = |url: &str| Connect::Redis(url::redis(url).expect("a URL"));
    let near = |found: f64, mib: f64| (found / 1_048_576.0 - mib).abs() < 12.0;
    let mut one = Several::new(vec![("lacks", redis(&lacks.url)), ("prom", prometheus_at(at))]);
    let mut other = Several::new(vec![("has", redis(&has.url)), ("prom", prometheus_at(at))]);
    let found = comes(&mut other, "has", "memory").await;
    assert!(near(found, 32.0), "{found}");
    assert_eq!(remembered(&mut one, "lacks", "memory").await, None);
    let both = || vec![("has", redis(&has.url)), ("lacks", redis(&lacks.url)), ("prom", prometheus_at(at))];
    let mut two = Several::new(both());
    assert!(near(comes(&mut two, "has", "memory").await, 32.0));
    assert_eq!(remembered(&mut two, "lacks", "memory").await, None);
    let _late = exporter(&lacks.url, late);
    answers(late).await;
    let mut two = Several::new(both());
    let found = comes(&mut two, "lacks", "memory").await;
    assert!(near(found, 62.0), "{found}");
    assert!(near(comes(&mut two, "has", "memory").await, 32.0));
}

/// The alert that both may have.
fn row(seen: &Several) -> Option<RowKey> {
    let reading = seen.target("prom").system.prometheus()?.reading()?;
    let rule =
        reading.rules.ready()?.notable.iter().find(|rule| rule.name == "Shared" && rule.state == "firing")?;
    let (group, name, labels) = (rule.group.clone(), rule.name.clone(), rule.labels.clone());
    Some(RowKey::Prometheus(TargetId::new("prom"), PrometheusRow::Rule { group, name, labels }))
}

/// Whether an Alertmanager has it, and whether it keeps it back.
fn held(seen: &Several, name: &str) -> Option<bool> {
    let reading = seen.target(name).system.alertmanager()?.reading()?;
    reading.alerts().find(|alert| alert.name() == "Shared").map(|alert| !alert.held.is_empty())
}

/// What silencing it would be done to.
fn chosen(seen: &Several) -> Result<String, String> {
    let row = row(seen).expect("it fires");
    let offers = panel(Screen::Metrics).offers(seen.context(), &[], &row, &[]);
    let offer = offers.into_iter().find(|offer| offer.letter == 's').expect("an offer");
    offer.choice.map(|(action, _)| action.target().to_string()).map_err(|refusal| refusal.sentence())
}

/// The sentence about it, and how bad it is.
fn finding(seen: &Several) -> Option<(Severity, String)> {
    let all = seen.world.alerts.firing().into_iter();
    let mut all = all.filter(|finding| {
        finding.breach.target.as_str() == "prom" && finding.breach.sentence.contains("Shared")
    });
    all.next().map(|finding| (finding.severity(), finding.breach.sentence.clone()))
}

async fn silenced(port: u16) {
    let (from, until) = (chrono::Utc::now(), chrono::Utc::now() + chrono::Duration::seconds(600));
    let matchers = json!([{"name": "alertname", "value": "Shared", "isRegex": false}]);
    let body = json!({"matchers": matchers, "createdBy": "ana", "comment": "a deploy",
        "startsAt": from.to_rfc3339(), "endsAt": until.to_rfc3339()});
    post(port, "/api/v2/silences", &body.to_string()).await;
}

async fn post(port: u16, path: &str, body: &str) {
    let client = reqwest::Client::new();
    let request =
        client.post(format!("http://127.0.0.1:{port}{path}")).header("content-type", "application/json");
    let answer = request.body(body.to_owned()).send().await.expect("an answer");
    assert!(answer.status().is_success(), "{path}: {}", answer.status());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_is_in_the_alertmanager_that_its_prometheus_names() {
    let test = "an_alert_is_in_the_alertmanager_that_its_prometheus_names";
    if server(test, "STACKTOP_TEST_ALERTMANAGER_URL").is_none() {
        return;
    }
    stacktop::sources::tls::install_provider();
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("am.yml"), "route: {receiver: none}\nreceivers: [{name: none}]\n")
        .expect("written");
    let manager = |name: &str, port: u16| {
        spawn(
            Command::new("prometheus-alertmanager")
                .arg(format!("--config.file={}", folder.path().join("am.yml").display()))
                .arg(format!("--storage.path={}", folder.path().join(name).display()))
                .arg("--cluster.listen-address=")
                .arg(format!("--web.listen-address=127.0.0.1:{port}")),
        )
    };
    let (ours, theirs) = (free_port(), free_port());
    let (_ours, _theirs) = (manager("ours", ours), manager("theirs", theirs));
    answers(ours).await;
    answers(theirs).await;
    let rules =
        "groups: [{name: shared, rules: [{alert: Shared, expr: vector(1), labels: {severity: critical}}]}]\n";
    std::fs::write(folder.path().join("rules.yml"), rules).expect("written");
    let config = |told: &str| {
        format!(
            "rule_files: [rules.yml]\nalerting: {{alertmanagers: [{{static_configs: [{{targets: [{told}]}}]}}]}}\n"
        )
    };
    let (_prometheus, at) = prometheus(folder.path(), &config(&format!("'127.0.0.1:{ours}'"))).await;
    // Somebody else's Prometheus told it of an alert with the same labels.
    let ends = chrono::Utc::now() + chrono::Duration::seconds(600);
    let alert =
        json!([{"labels": {"alertname": "Shared", "severity": "critical"}, "endsAt": ends.to_rfc3339()}]);
    post(theirs, "/api/v2/alerts", &alert.to_string()).await;
    let am = |port: u16| {
        Connect::Alertmanager(url::http_base(&format!("http://127.0.0.1:{port}")).expect("a URL"))
    };
    let mut seen =
        Several::new(vec![("theirs", am(theirs)), ("ours", am(ours)), ("prom", prometheus_at(at))]);
    let has = |seen: &Several| {
        row(seen).is_some() && held(seen, "ours").is_some() && held(seen, "theirs").is_some()
    };
    seen.until("the alert in both", has).await;
    assert_eq!(chosen(&seen).as_deref(), Ok("ours"));
    // What somebody silences in the other one goes on here.
    silenced(theirs).await;
    seen.until("the silence of theirs", |seen| held(seen, "theirs") == Some(true)).await;
    seen.until("the finding", |seen| finding(seen).is_some()).await;
    let (severity, words) = finding(&seen).expect("it fires");
    assert!(severity == Severity::Critical && !words.contains("silenced"), "{severity:?} {words}");
    silenced(ours).await;
    seen.until("the silence of ours", |seen| held(seen, "ours") == Some(true)).await;
    seen.until("a note", |seen| finding(seen).is_none_or(|(severity, _)| severity == Severity::Info)).await;
    // Once it tells both, nobody picks one.
    let both = config(&format!("'127.0.0.1:{theirs}', '127.0.0.1:{ours}'"));
    let file = folder.path().join("prometheus.yml");
    std::fs::write(file, format!("global: {{scrape_interval: 1s, evaluation_interval: 1s}}\n{both}"))
        .expect("written");
    post(at, "/-/reload", "").await;
    let names = |seen: &Several| {
        let reading = seen.target("prom").system.prometheus().and_then(|state| state.reading());
        reading.and_then(|reading| reading.alertmanagers.ready()).map_or(0, |managers| managers.told.len())
    };
    seen.until("both are named", |seen| names(seen) == 2).await;
    let refused = chosen(&seen).expect_err("two");
    assert!(
        refused.starts_with("2 Alertmanagers that know nothing of each other have this alert: theirs, ours"),
        "{refused}"
    );
}
