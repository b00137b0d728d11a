//! The rules about an Alertmanager: what it tells of, the alert that must always be there, deliveries that fail, its own configuration.

use super::told::more;
use super::{AlertmanagerReading, AlertmanagerRow, AlertmanagerState, HeldAlert};
use crate::core::alert::RuleUnit::{Count, State};
use crate::core::alert::Triage::{Errors, Silent, Told};
use crate::core::alert::always_fires;
use crate::core::alert::{Judge, Judged, Missing, Need, Rule, RuleSpec, Severity};
use crate::core::place::Screen;
use crate::core::row::RowKey;
use crate::core::text::{counted, tidy};
use std::collections::BTreeMap;

/// Alerts of one name and severity beyond this are one finding that counts them.
const MOST_ALERTS: usize = 20;

const GROUPS: Need = Need("groups");
const STATUS: Need = Need("status");
const COUNTERS: Need = Need("counters");

/// The rules of this system, in the order in which they judge.
pub static RULES: &[&Rule<AlertmanagerState>] = &[&ALERT, &ALWAYS, &DELIVERY, &CONFIGURATION, &CLUSTER];

pub(crate) static ALERT: Rule<AlertmanagerState> = Rule::new(
    RuleSpec::new(
        "alertmanager.alert",
        "an alert is active that no watched Prometheus tells of",
        State,
        Told,
    )
    .needs(&[GROUPS]),
    alert,
);

pub(crate) static ALWAYS: Rule<AlertmanagerState> = Rule::new(
    RuleSpec::new(
        "alertmanager.always",
        "the alert that must always fire (Watchdog, DeadMansSwitch) is gone: others would not come, either",
        State,
        Silent,
    )
    .needs(&[GROUPS])
    // After its own restart it knows of no alert until Prometheus sends it again, a minute and an evaluation later.
    .hold(180),
    always,
);

pub(crate) static DELIVERY: Rule<AlertmanagerState> = Rule::new(
    RuleSpec::new(
        "alertmanager.delivery",
        "notifications to an integration fail: requests that failed within a minute",
        Count,
        Silent,
    )
    .warning(1.0)
    .over(60)
    // Its own next try may be a minute and a half away.
    .clear(60)
    .needs(&[COUNTERS]),
    delivery,
);

pub(crate) static CONFIGURATION: Rule<AlertmanagerState> = Rule::new(
    RuleSpec::new(
        "alertmanager.configuration",
        "its configuration cannot be loaded: it runs with the one before, and does not start again with this one",
        State,
        Errors,
    )
    .needs(&[COUNTERS]),
    configuration,
);

pub(crate) static CLUSTER: Rule<AlertmanagerState> = Rule::new(
    RuleSpec::new(
        "alertmanager.cluster",
        "the cluster does not settle: notifications may come late or twice",
        State,
        Errors,
    )
    .needs(&[STATUS])
    // That is how it begins.
    .hold(120),
    cluster,
);

impl Judged for AlertmanagerState {
    type Reading = AlertmanagerReading;
    const SCREEN: Screen = Screen::Alerts;

    fn rules() -> &'static [&'static Rule<Self>] {
        RULES
    }

    fn newest(&self) -> Option<&AlertmanagerReading> {
        self.reading()
    }

    fn missing(reading: &AlertmanagerReading) -> Vec<Missing> {
        Missing::of(&[
            (GROUPS, reading.groups.gap(), "its alerts"),
            (STATUS, reading.status.gap(), "its cluster"),
            (COUNTERS, reading.counters.gap(), "failing notifications"),
        ])
    }
}

type Its<'a> = Judge<'a, AlertmanagerState>;

fn alert(its: &mut Its<'_>, reading: &AlertmanagerReading) {
    let mut all: BTreeMap<(&str, Severity), usize> = BTreeMap::new();
    let active = |alert: &&HeldAlert| alert.held.is_empty() && !always_fires(alert.name());
    for alert in reading.alerts().filter(active) {
        let severity = Severity::of_label(alert.label("severity"));
        let told = all.entry((alert.name(), severity)).or_default();
        *told += 1;
        let (true, Some(grade)) = (*told <= MOST_ALERTS, its.state(severity)) else { continue };
        let row = RowKey::Alertmanager(its.target.clone(), AlertmanagerRow::Alert(alert.fingerprint.clone()));
        its.tell(grade, &alert.fingerprint, sentence(alert)).since(alert.active_for).row(row).look(STEP);
    }
    for ((name, severity), alerts) in all {
        let (Some(beyond @ 1..), Some(grade)) = (alerts.checked_sub(MOST_ALERTS), its.state(severity)) else {
            continue;
        };
        let sentence = format!("alert {} is active for {beyond} more", tidy(name, 60));
        its.tell(grade, more(name), sentence).look(STEP);
    }
}

const STEP: &str = "open the alerts screen";

fn sentence(alert: &HeldAlert) -> String {
    let others = alert.others();
    let labels = if others.is_empty() { String::new() } else { format!(" ({})", tidy(&others, 60)) };
    let name = tidy(alert.name(), 60);
    if alert.summary.is_empty() {
        return format!("alert {name} is active{labels}");
    }
    format!("alert {name} is active{labels}: {}", tidy(&alert.summary, 100))
}

fn always(its: &mut Its<'_>, _: &AlertmanagerReading) {
    let state = its.state;
    for (name, since) in state.missed() {
        let Some(grade) = its.state(Severity::Critical) else { return };
        let name = tidy(name, 60);
        let sentence = format!(
            "the alert {name}, which must always fire, is gone: what sends alerts here may be down or cut off"
        );
        let gone = its.now.since(since);
        its.tell(grade, name, sentence)
            .since(Some(gone))
            .say("look whether Prometheus runs, evaluates its rules and reaches this Alertmanager");
    }
}

fn delivery(its: &mut Its<'_>, _: &AlertmanagerReading) {
    let state = its.state;
    for (name, failing) in &state.failing {
        let Some(grade) = its.grade(failing.times()) else { continue };
        let name = tidy(name, 40);
        let count = counted(failing.times() as usize, "request");
        let since = failing.since().map(|since| its.now.since(since));
        its.tell(grade, &name, format!("notifications by {name} fail: {count} within a minute"))
            .since(since)
            .say("its log says why: an address, a token or a certificate; until then nobody is told by it");
    }
}

fn configuration(its: &mut Its<'_>, reading: &AlertmanagerReading) {
    if reading.counters.ready().and_then(|counters| counters.loaded) != Some(false) {
        return;
    }
    let Some(grade) = its.state(Severity::Warning) else { return };
    let sentence = "its configuration cannot be loaded; the one before is in force until it is started again";
    its.tell(grade, "configuration", sentence.to_owned())
        .say("`amtool check-config FILE` says what is wrong in it");
}

fn cluster(its: &mut Its<'_>, reading: &AlertmanagerReading) {
    let Some(status) = reading.status.ready().filter(|status| status.cluster == "settling") else { return };
    let Some(grade) = its.state(Severity::Warning) else { return };
    let peers = counted(status.peers, "member");
    its.tell(grade, "cluster", format!("its cluster of {peers} does not settle"))
        .say("look whether the members reach each other on the cluster's port (9094)");
}

#[cfg(test)]
mod tests {
    use super::super::{AlertGroup, Counters, HeldBy, Status};
    use super::*;
    use crate::core::alert::{Rulebook, judge};
    use crate::core::ids::TargetId;
    use crate::core::part::Part;
    use crate::core::time::Now;
    use std::time::Duration;

    fn held(name: &str, more: &[(&str, &str)], held: Vec<HeldBy>) -> HeldAlert {
        let more = more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        HeldAlert {
            fingerprint: format!("{name}{}", more.len()),
            labels: std::iter::once(("alertname".to_owned(), name.to_owned())).chain(more).collect(),
            active_for: Some(Duration::from_secs(90)),
            held,
            ..HeldAlert::default()
        }
    }

    /// What is told of these readings, ten seconds apart: rule, severity, sentence.
    fn told(readings: Vec<AlertmanagerReading>) -> Vec<(String, Severity, String)> {
        let mut state = AlertmanagerState::default();
        let mut now = Now::example(0);
        for reading in readings {
            now = now.plus(Duration::from_secs(10));
            state.absorb(reading, now);
        }
        let rules = Rulebook::defaults(&RULES.iter().map(|rule| &rule.spec).collect::<Vec<_>>());
        let found = judge(&state, &TargetId::new("am"), &rules, now);
        found.into_iter().map(|breach| (breach.rule.to_string(), breach.severity, breach.sentence)).collect()
    }

    fn of(alerts: Vec<HeldAlert>) -> AlertmanagerReading {
        let group = AlertGroup { alerts, ..AlertGroup::default() };
        AlertmanagerReading { groups: Part::Ready(vec![group]), ..AlertmanagerReading::default() }
    }

    #[test]
    fn what_nothing_keeps_from_people_is_told() {
        let alerts = vec![
            held("Full", &[("severity", "page"), ("host", "a")], vec![]),
            held("Quiet", &[], vec![HeldBy::Silence("s".to_owned())]),
            held("Watchdog", &[("severity", "none")], vec![]),
        ];
        let expected =
            ("alertmanager.alert".to_owned(), Severity::Critical, "alert Full is active (host=a)".to_owned());
        assert_eq!(told(vec![of(alerts)]), [expected]);
    }

    #[test]
    fn many_alerts_of_one_name_are_counted() {
        let mut alerts: Vec<HeldAlert> = (0..23).map(|_| held("Full", &[], vec![])).collect();
        for (number, alert) in alerts.iter_mut().enumerate() {
            alert.fingerprint = format!("{number:02}");
        }
        let all = told(vec![of(alerts)]);
        assert_eq!(all.len(), 21);
        assert_eq!(all[20].2, "alert Full is active for 3 more");
    }

    #[test]
    fn an_alert_in_two_groups_is_one() {
        let mut reading = of(vec![held("Full", &[], vec![])]);
        if let Part::Ready(groups) = &mut reading.groups {
            groups.push(groups[0].clone());
        }
        assert_eq!(told(vec![reading]).len(), 1);
    }

    #[test]
    fn the_alert_that_must_always_fire_is_missed() {
        let gone = told(vec![of(vec![held("Watchdog", &[], vec![])]), of(vec![])]);
        assert_eq!((gone[0].0.as_str(), gone[0].1), ("alertmanager.always", Severity::Critical));
        assert_eq!(told(vec![of(vec![])]), []);
        // Groups that could not be read tell nothing of it.
        let unread = AlertmanagerReading::default();
        assert_eq!(told(vec![of(vec![held("Watchdog", &[], vec![])]), unread]), []);
    }

    #[test]
    fn what_it_says_of_itself_is_told() {
        let counted = |failed: f64, loaded| AlertmanagerReading {
            counters: Part::Ready(Counters {
                loaded,
                failed: BTreeMap::from([("slack".to_owned(), failed)]),
            }),
            status: Part::Ready(Status { cluster: "settling".to_owned(), peers: 3, ..Status::default() }),
            ..AlertmanagerReading::default()
        };
        let all = told(vec![counted(4.0, Some(true)), counted(5.0, Some(false))]);
        let words: Vec<&str> = all.iter().map(|(_, _, sentence)| sentence.as_str()).collect();
        assert_eq!(
            words,
            [
                "notifications by slack fail: 1 request within a minute",
                "its configuration cannot be loaded; the one before is in force until it is started again",
                "its cluster of 3 members does not settle",
            ]
        );
        assert_eq!(told(vec![counted(4.0, None), counted(4.0, None)]).len(), 1);
    }
}
