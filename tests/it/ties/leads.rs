//! Who leads where another system's alert and what is seen here stand beside each other.

use crate::pages::blocking::two_behind_one;
use crate::pages::world::{FIRST, Stage, postgres, secs};
use stacktop::core::alertmanager::{AlertGroup, AlertmanagerReading, HeldAlert};
use stacktop::core::ids::SystemKind;
use stacktop::core::part::Part;
use stacktop::core::postgres::{DatabaseCounters, PostgresReading, Sender};
use stacktop::core::prometheus::{AlertingRule, PrometheusReading, RulesReading};
use stacktop::core::time::Now;
use stacktop::core::verdict::{Overall, Verdict};

const NAMED: [(&str, &str); 2] = [("datname", "shop"), ("severity", "critical")];
const ELSEWHERE: [(&str, &str); 2] = [("service", "payroll"), ("severity", "critical")];

fn labels(labels: &[(&str, &str)], name: &str) -> Vec<(String, String)> {
    let named = std::iter::once(("alertname", name)).chain(labels.iter().copied());
    named.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// A critical alert of Prometheus with these labels that fired so many seconds ago, and this server.
fn beside(labels_of: &[(&str, &str)], age: u64, pg: &PostgresReading) -> Stage {
    let mut stage = Stage::with(&[("pg", SystemKind::Postgres), ("prom", SystemKind::Prometheus)]);
    for second in 0..30 {
        let alert = AlertingRule {
            name: "LocksEverywhere".to_owned(),
            state: "firing".to_owned(),
            severity: "critical".to_owned(),
            all_labels: labels(labels_of, "LocksEverywhere"),
            active_for: Some(secs(age + second)),
            ..AlertingRule::default()
        };
        let rules = RulesReading { total: 1, notable: vec![alert], ..RulesReading::default() };
        let told = PrometheusReading { rules: Part::Ready(rules), ..PrometheusReading::default() };
        let at = FIRST + second;
        stage = stage.then(at, "pg", pg.clone()).then(at, "prom", told);
    }
    stage
}

fn shop(mut reading: PostgresReading) -> PostgresReading {
    let shop = DatabaseCounters { name: "shop".to_owned(), ..DatabaseCounters::default() };
    reading.databases = Part::Ready(vec![shop]);
    reading
}

/// The state, the rule that leads, that of its cause, and the rules beside it; the list begins with the same root.
#[track_caller]
fn check(stage: &Stage, lead: &str, cause: Option<&str>, others: &[&str]) {
    let verdict = Verdict::over(&stage.world, Now::example(stage.second));
    assert_eq!(verdict.overall, Overall::Broken);
    let told = verdict.lead.expect("a lead").breach.rule;
    assert_eq!(told.as_str(), lead);
    assert_eq!(verdict.cause.map(|cause| cause.root.breach.rule.as_str()), cause);
    let beside: Vec<&str> = verdict.others.iter().map(|other| other.breach.rule.as_str()).collect();
    assert_eq!(beside, others);
    let firing = stage.world.alerts.firing();
    let first = stage.world.chain.branches(&firing)[0].finding.breach.rule;
    assert_eq!(first.as_str(), cause.unwrap_or(lead), "the list and the sentence begin with one root");
}

const ALERT: &str = "prometheus.alert";
const BLOCKED: &str = "postgres.blocked";

#[test]
fn a_lock_tree_with_victims_leads_before_somebody_elses_alert() {
    check(&beside(&ELSEWHERE, 60, &shop(two_behind_one())), BLOCKED, None, &[ALERT]);
    // It fired long before anybody waited: what it names is not its cause.
    check(&beside(&NAMED, 60, &shop(two_behind_one())), BLOCKED, None, &[ALERT]);
    // What it is tied to leads by the alert's weight, and is its cause.
    check(&beside(&NAMED, 1, &shop(two_behind_one())), ALERT, Some(BLOCKED), &[]);
    // Alone it leads.
    check(&beside(&ELSEWHERE, 60, &postgres(Vec::new())), ALERT, None, &[]);
}

#[test]
fn what_hits_nobody_yet_does_not_hide_a_critical_alert() {
    let copy = Sender {
        name: "reports".to_owned(),
        replay_bytes: Some(1e6),
        replay_seconds: Some(9.0),
        ..Sender::default()
    };
    let behind = PostgresReading { senders: Part::Ready(vec![copy]), ..postgres(Vec::new()) };
    check(&beside(&ELSEWHERE, 60, &behind), ALERT, None, &["postgres.replication_lag"]);
}

#[test]
fn an_alert_that_only_an_alertmanager_holds_is_tied_by_its_labels() {
    let held = |labels_of: &[(&str, &str)], age: u64| {
        let alert = HeldAlert {
            fingerprint: "f1".to_owned(),
            labels: labels(labels_of, "LocksEverywhere"),
            active_for: Some(secs(age)),
            ..HeldAlert::default()
        };
        let group = AlertGroup { alerts: vec![alert], ..AlertGroup::default() };
        let told = AlertmanagerReading { groups: Part::Ready(vec![group]), ..AlertmanagerReading::default() };
        let mut stage = Stage::with(&[("pg", SystemKind::Postgres), ("am", SystemKind::Alertmanager)]);
        for at in FIRST..FIRST + 30 {
            stage = stage.then(at, "pg", shop(two_behind_one())).then(at, "am", told.clone());
        }
        stage
    };
    check(&held(&ELSEWHERE, 60), BLOCKED, None, &["alertmanager.alert"]);
    check(&held(&NAMED, 1), "alertmanager.alert", Some(BLOCKED), &[]);
}
