//! The alerts screen, and what of an Alertmanager is a finding.

use super::world::{FIRST, Page, Stage, secs, target};
use stacktop::core::alert::Severity;
use stacktop::core::alertmanager::{
    AlertGroup, AlertmanagerReading, AlertmanagerRow, HeldAlert, HeldBy, Matcher, Silence, Status,
};
use stacktop::core::ids::SystemKind;
use stacktop::core::part::{Gap, GapKind, Part};
use stacktop::core::place::Screen;
use stacktop::core::prometheus::{AlertingRule, Alertmanagers, PrometheusReading, RulesReading};
use stacktop::core::row::RowKey;
use stacktop::ui::content::Role;

pub fn pairs(text: &str) -> Vec<(String, String)> {
    let pair = |pair: &str| pair.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    text.split(' ').filter_map(pair).collect()
}

pub fn alert(fingerprint: &str, labels: &str, held: Vec<HeldBy>) -> HeldAlert {
    HeldAlert {
        fingerprint: fingerprint.to_owned(),
        labels: pairs(labels),
        summary: "the disk is full".to_owned(),
        active_for: Some(secs(90)),
        held,
    }
}

pub fn silence() -> Silence {
    let matcher = Matcher { name: "host".into(), value: "b".into(), regex: false, equal: true };
    Silence {
        id: "s1".to_owned(),
        matchers: vec![matcher],
        author: "ana".to_owned(),
        comment: "a deploy".to_owned(),
        begins_in: None,
        ends_in: secs(3600),
        ends_at: "2026-09-21T15:15:00.000Z".to_owned(),
        over_for: None,
    }
}

/// Two alerts of one group, the second of them silenced.
pub fn reading() -> AlertmanagerReading {
    let group = AlertGroup {
        receiver: "night".to_owned(),
        labels: pairs("job=api"),
        alerts: vec![
            alert("f1", "alertname=DiskFull severity=critical host=a", vec![]),
            alert(
                "f2",
                "alertname=DiskFull severity=critical host=b",
                vec![HeldBy::Silence("s1".to_owned())],
            ),
        ],
    };
    AlertmanagerReading {
        status: Part::Ready(Status {
            version: "0.25.0".into(),
            cluster: "disabled".into(),
            ..Status::default()
        }),
        groups: Part::Ready(vec![group]),
        silences: Part::Ready(vec![silence()]),
        ..AlertmanagerReading::default()
    }
}

fn page() -> Page {
    Stage::of(reading()).page(Screen::Alerts)
}

fn opened(row: AlertmanagerRow) -> Page {
    Stage::of(reading()).opened(Screen::Alerts, &[RowKey::Alertmanager(target("am"), row)])
}

#[test]
fn without_one_it_says_so() {
    Stage::empty().page(Screen::Alerts).says("no Alertmanager is configured");
}

#[test]
fn one_that_never_answered_says_why() {
    Stage::silent(SystemKind::Alertmanager).page(Screen::Alerts).says("connection refused; start it");
}

#[test]
fn it_tells_its_version_and_counts() {
    page().says("am Alertmanager 0.25.0");
    page().says("1 active alert, 1 kept back, in 1 group, 1 silence");
}

#[test]
fn a_group_tells_who_is_notified_and_how_many_are_kept_back() {
    assert_eq!(page().row("DiskFull"), ["DiskFull", "job=api", "night", "1", "1", "1m30s"]);
    assert_eq!(page().role("DiskFull", "alerts"), Role::Critical);
}

#[test]
fn a_group_opens_to_its_alerts() {
    let group = opened(AlertmanagerRow::Group { receiver: "night".into(), labels: "job=api".into() });
    assert_eq!(group.firsts(), ["active", "silenced"]);
    group.says("silenced by ana for 1h00m more: a deploy");
}

#[test]
fn an_alert_opens_to_its_labels() {
    let alert = opened(AlertmanagerRow::Alert("f1".to_owned()));
    alert.says("active: nothing keeps it from people");
    alert.says("told to night");
    alert.says("host = a");
    opened(AlertmanagerRow::Alert("gone".to_owned())).says("this alert is over");
}

#[test]
fn a_silence_tells_what_it_keeps_quiet() {
    assert_eq!(page().row("in force"), ["in force", "host=\"b\"", "in 1h00m", "1", "ana", "a deploy"]);
    let silence = opened(AlertmanagerRow::Silence("s1".to_owned()));
    silence.says("made by ana: a deploy");
    silence.says("ends in 1h00m");
    silence.says("id s1, until 2026-09-21T15:15:00.000Z");
    assert_eq!(silence.firsts(), ["silenced"]);
}

#[test]
fn silences_tell_how_they_stand() {
    let soon = Silence { id: "s2".into(), ends_in: secs(300), ..silence() };
    let waits = Silence { id: "s3".into(), begins_in: Some(secs(900)), ..silence() };
    let over = Silence { id: "s4".into(), ends_in: secs(0), over_for: Some(secs(120)), ..silence() };
    let all = vec![soon, silence(), waits, over];
    let page =
        Stage::of(AlertmanagerReading { silences: Part::Ready(all), ..reading() }).page(Screen::Alerts);
    assert_eq!(page.role("ends soon", "ends"), Role::Text);
    for (word, ends) in [("ends soon", "in 5m00s"), ("in 15m00s", "in 1h00m"), ("over", "2m00s ago")] {
        assert_eq!(page.cell(word, "ends"), ends);
    }
    // One that is over is none that there is.
    page.says("in 1 group, 3 silences");
    let ended = Silence { id: "s5".into(), ends_in: secs(10), ..silence() };
    let all = AlertmanagerReading { silences: Part::Ready(vec![ended]), ..reading() };
    let page = Stage::of(all).at(FIRST + 12).page(Screen::Alerts);
    assert_eq!(page.cell("ends now", "ends"), "now", "it is over by the next answer");
}

#[test]
fn ages_go_on_between_two_answers() {
    let later = || Stage::of(reading()).at(FIRST + 30);
    assert_eq!(later().page(Screen::Alerts).row("DiskFull")[5], "2m00s");
    later().page(Screen::Alerts).says("in 59m30s");
    let of = |row| later().opened(Screen::Alerts, &[RowKey::Alertmanager(target("am"), row)]);
    of(AlertmanagerRow::Alert("f1".to_owned())).says("for 2m00s");
    of(AlertmanagerRow::Silence("s1".to_owned())).says("ends in 59m30s");
}

#[test]
fn the_alert_that_must_always_fire_is_counted_apart() {
    let mut reading = reading();
    if let Part::Ready(groups) = &mut reading.groups {
        groups[0].alerts.push(alert("f3", "alertname=Watchdog severity=critical", vec![]));
    }
    let page = Stage::of(reading).page(Screen::Alerts);
    page.says("1 active alert, 1 kept back, in 1 group, 1 that must always fire, 1 silence");
}

#[test]
fn silences_that_cannot_be_read_are_no_silences() {
    let gap = Gap::new(GapKind::NotPermitted, "the silences may not be read");
    let page =
        Stage::of(AlertmanagerReading { silences: Part::Unavailable(gap), ..reading() }).page(Screen::Alerts);
    page.says("the silences may not be read");
    page.says_not("silence,");
}

/// What a stack tells of an alert that its Alertmanager has, when its Prometheus tells of one with these labels.
fn findings(of_prometheus: &str) -> Vec<String> {
    let mut stage = Stage::with(&[("prom", SystemKind::Prometheus), ("am", SystemKind::Alertmanager)]);
    let firing = AlertingRule {
        name: "DiskFull".to_owned(),
        state: "firing".to_owned(),
        severity: "critical".to_owned(),
        all_labels: pairs(of_prometheus),
        ..AlertingRule::default()
    };
    let rules = RulesReading { total: 1, notable: vec![firing], ..RulesReading::default() };
    let prometheus = PrometheusReading { rules: Part::Ready(rules), ..PrometheusReading::default() };
    for second in [FIRST, FIRST + 1] {
        stage = stage.then(second, "prom", prometheus.clone()).then(second, "am", reading());
    }
    let firing = stage.world.alerts.firing();
    firing.iter().map(|finding| format!("{} {}", finding.breach.target, finding.breach.rule)).collect()
}

#[test]
fn what_the_alertmanager_silences_is_no_finding_of_its_prometheus_that_is_bad() {
    let mut stage = Stage::with(&[("prom", SystemKind::Prometheus), ("am", SystemKind::Alertmanager)]);
    let firing = AlertingRule {
        name: "DiskFull".to_owned(),
        state: "firing".to_owned(),
        severity: "critical".to_owned(),
        all_labels: pairs("alertname=DiskFull host=b"),
        ..AlertingRule::default()
    };
    let rules = RulesReading { total: 1, notable: vec![firing], ..RulesReading::default() };
    let prometheus = PrometheusReading { rules: Part::Ready(rules), ..PrometheusReading::default() };
    let mut silenced = reading();
    if let Part::Ready(groups) = &mut silenced.groups {
        groups[0].alerts.remove(0);
    }
    for second in [FIRST, FIRST + 1] {
        stage = stage.then(second, "prom", prometheus.clone()).then(second, "am", silenced.clone());
    }
    let firing = stage.world.alerts.firing();
    assert_eq!(firing.len(), 1, "{firing:?}");
    assert_eq!(firing[0].breach.severity, Severity::Info);
    let words = &firing[0].breach.sentence;
    assert!(words.ends_with(", silenced by ana: a deploy"), "{words}");
}

/// Two Alertmanagers that name these members.
fn members(names: [&[&str]; 2]) -> usize {
    let mut stage = Stage::with(&[("am", SystemKind::Alertmanager), ("am-2", SystemKind::Alertmanager)]);
    for second in [FIRST, FIRST + 1] {
        for (name, names) in ["am", "am-2"].into_iter().zip(names) {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            let status = Part::Ready(Status { peers: names.len(), names, ..Status::default() });
            stage = stage.then(second, name, AlertmanagerReading { status, ..reading() });
        }
    }
    stage.world.alerts.firing().len()
}

#[test]
fn members_of_one_cluster_tell_an_alert_once() {
    assert_eq!(members([&["a", "b"], &["a", "b"]]), 1);
    // Two that stand alone, or are of two clusters, may have alerts of two stacks.
    assert_eq!(members([&[], &[]]), 2);
    assert_eq!(members([&["a"], &["b"]]), 2);
    assert_eq!(members([&["a", "b"], &["c", "d"]]), 2);
}

#[test]
fn an_alert_is_told_once() {
    assert_eq!(findings("alertname=DiskFull host=a"), ["prom prometheus.alert"]);
    let both = findings("alertname=DiskFull host=c");
    assert!(both.contains(&"am alertmanager.alert".to_owned()) && both.len() == 2, "{both:?}");
}

/// An alert with the labels of a finding is that finding; with others it is one of its own.
#[test]
fn an_alert_that_comes_back_is_one_row_with_its_finding() {
    let labels = |subject: &str, of: &str| -> Vec<(String, String)> {
        [
            ("alertname", "StacktopFinding"),
            ("environment", of),
            ("rule", "source.silent"),
            ("severity", "critical"),
            ("subject", subject),
            ("target", "pg"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    };
    let rows = |subject: &str, of: &str| {
        let rule = AlertingRule {
            group: "stacktop".to_owned(),
            name: "StacktopFinding".to_owned(),
            labels: format!("subject={subject}"),
            state: "firing".to_owned(),
            severity: "critical".to_owned(),
            all_labels: labels(subject, of),
            ..AlertingRule::default()
        };
        let prometheus = PrometheusReading {
            rules: Part::Ready(RulesReading { total: 1, alerting: 1, notable: vec![rule] }),
            ..PrometheusReading::default()
        };
        let alert =
            HeldAlert { fingerprint: "f1".to_owned(), labels: labels(subject, of), ..HeldAlert::default() };
        let group = AlertGroup { alerts: vec![alert], ..AlertGroup::default() };
        let manager =
            AlertmanagerReading { groups: Part::Ready(vec![group]), ..AlertmanagerReading::default() };
        let mut stage = Stage::with(&[
            ("pg", SystemKind::Postgres),
            ("prom", SystemKind::Prometheus),
            ("am", SystemKind::Alertmanager),
        ]);
        "shop".clone_into(&mut stage.world.environment);
        let stage = stage.fails(FIRST, "pg").then(FIRST, "prom", prometheus).then(FIRST, "am", manager);
        let firing = stage.world.alerts.firing();
        assert!(firing.iter().any(|finding| finding.breach.target == target("pg")), "{firing:?}");
        firing
            .iter()
            .map(|finding| finding.breach.rule.as_str())
            .filter(|rule| matches!(*rule, "prometheus.alert" | "alertmanager.alert"))
            .count()
    };
    assert_eq!(rows("silent", "shop"), 0);
    assert_eq!(rows("another", "shop"), 1);
    // Another stack that tells the same Prometheus has a target of the same name: that is no echo.
    assert_eq!(rows("silent", "billing"), 1);
    assert_eq!(rows("silent", ""), 1);
}

#[test]
fn an_alert_that_has_fired_for_weeks_does_not_lead() {
    let fired = |fingerprint: &str, labels: &str, days: u64| HeldAlert {
        active_for: Some(secs(60 + days * 86_400)),
        ..alert(fingerprint, labels, vec![])
    };
    let group = AlertGroup {
        alerts: vec![
            fired("old", "alertname=Old severity=critical", 21),
            fired("new", "alertname=New severity=warning", 0),
        ],
        ..AlertGroup::default()
    };
    let reading = AlertmanagerReading { groups: Part::Ready(vec![group]), ..reading() };
    let stage = Stage::of(reading.clone()).then(FIRST + 1, "am", reading);
    let firing: Vec<String> =
        stage.world.alerts.firing().iter().map(|finding| finding.breach.subject.clone()).collect();
    assert_eq!(firing, ["new", "old"]);
}

#[test]
fn whom_a_prometheus_tells_and_nobody_watches_is_named_with_what_to_write() {
    let told = |url: &str| {
        let managers = Alertmanagers { told: vec![url.to_owned()], dropped: 0 };
        PrometheusReading { alertmanagers: Part::Ready(managers), ..PrometheusReading::default() }
    };
    let words = "tells https://alerts.internal/am of its alerts, which is not watched: [[alertmanager]] url = \"https://alerts.internal/am\"";
    let stage = Stage::of(told("https://alerts.internal/am"));
    stage.page(Screen::Alerts).says(words);
    stage.page(Screen::Metrics).says(words);
    let both = || Stage::with(&[("prom", SystemKind::Prometheus), ("am", SystemKind::Alertmanager)]);
    let known = both().then(FIRST, "prom", told("http://am.example:1")).then(FIRST, "am", reading());
    known.page(Screen::Alerts).says_not("is not watched");
    let other = both().then(FIRST, "prom", told("http://other:9093")).then(FIRST, "am", reading());
    other.page(Screen::Alerts).says("http://other:9093");
}
