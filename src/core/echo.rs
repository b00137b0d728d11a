//! What several tell is one row. And what comes back: a Prometheus reads our findings, a rule of it fires, and its Alertmanager holds the
//! alert. That alert is the finding that it is about, and no other one. Pure.

use super::alert::{AlertBook, Breach, Finding, FindingKey, Severity};
use super::alertmanager::{self, AlertmanagerReading, HeldAlert};
use super::ids::TargetId;
use super::postgres::{self, PostgresReading};
use super::prometheus::{self, AlertingRule, PrometheusReading};
use super::recipients;
use super::target::TargetState;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// The label that tells which stack a finding is of: two stacks may have a target of the same name, and tell one Prometheus.
pub const ENVIRONMENT: &str = "environment";
/// The labels by which a finding is told to others beside [`ENVIRONMENT`], and known again when it comes back.
pub const LABELS: [&str; 3] = ["rule", "target", "subject"];

/// The values of [`LABELS`] for a finding.
#[must_use]
pub fn labels(key: &FindingKey) -> [&str; 3] {
    [key.rule.as_str(), key.target.as_str(), &key.subject]
}

/// Readings of one kind, each with its target.
type Read<'a, R> = [(&'a TargetId, &'a R)];

/// Takes out of `breaches` what another one of them tells, too.
pub(super) fn once(
    breaches: &mut Vec<Breach>,
    (targets, alerts): (&[Arc<TargetState>], &AlertBook),
    (managers, sending, servers): (
        &Read<'_, AlertmanagerReading>,
        &Read<'_, PrometheusReading>,
        &Read<'_, PostgresReading>,
    ),
) {
    let whom = recipients::whom(targets);
    let told = alertmanager::told_by_its_prometheus(managers, sending, &whom);
    breaches.retain(|breach| {
        breach.rule != alertmanager::rules::ALERT.id()
            || !told.contains(&(&breach.target, breach.subject.clone()))
    });
    let kept = alertmanager::kept_back(managers, sending, &whom);
    for breach in breaches.iter_mut().filter(|breach| breach.rule == prometheus::ALERT.id()) {
        if let Some(words) = kept.get(&(&breach.target.clone(), breach.subject.clone())) {
            breach.severity = Severity::Info;
            breach.sentence.push_str(&format!(", {words}"));
        }
    }
    breaches.retain(|breach| !postgres::doubled(breach, servers));
    alertmanager::once(alertmanager::rules::ALERT.id(), breaches, managers);
    let read = |id: &TargetId| Some(targets.iter().find(|target| target.id == *id)?.seen?.wall);
    let lasts = |finding: &Finding| finding.ended().is_none();
    prometheus::once(breaches, |key| alerts.get(key).is_some_and(lasts), read);
}

/// The findings about alerts that are nothing but one of `known`, of this `environment`, told by somebody else.
pub(super) fn echoes(
    targets: &[Arc<TargetState>],
    environment: &str,
    known: impl Iterator<Item = FindingKey>,
) -> HashSet<FindingKey> {
    let tells = |target: &Arc<TargetState>| {
        target.system.prometheus().is_some() || target.system.alertmanager().is_some()
    };
    if !targets.iter().any(tells) {
        return HashSet::new();
    }
    let known: Vec<FindingKey> = known.collect();
    let known: HashSet<[&str; 3]> = known.iter().map(labels).collect();
    let ours = |label: &dyn Fn(&str) -> String| {
        let values = LABELS.map(label);
        label(ENVIRONMENT) == environment && known.contains(&values.each_ref().map(String::as_str))
    };
    let mut found = HashSet::new();
    for target in targets {
        let mut tell = |rule, subject: String| {
            found.insert(FindingKey { rule, target: target.id.clone(), subject });
        };
        if let Some(reading) = target.system.prometheus().and_then(|state| state.reading()) {
            let notable = reading.rules.ready().into_iter().flat_map(|rules| &rules.notable);
            let mut names: BTreeMap<(&str, &str), bool> = BTreeMap::new();
            for rule in notable.filter(|rule| rule.state == "firing") {
                let echo = ours(&|name| label_of(rule, name));
                *names.entry((&rule.group, &rule.name)).or_insert(true) &= echo;
                if echo {
                    tell(prometheus::ALERT.id(), rule.subject());
                }
            }
            // Those that are counted are told where all of their name are.
            for ((group, name), _) in names.into_iter().filter(|(_, all)| *all) {
                tell(prometheus::ALERT.id(), prometheus::more(group, name));
            }
        }
        if let Some(reading) = target.system.alertmanager().and_then(|state| state.reading()) {
            let mut names: BTreeMap<&str, bool> = BTreeMap::new();
            let all: Vec<&HeldAlert> = reading.alerts().collect();
            for alert in all {
                let echo = ours(&|name| alert.label(name).to_owned());
                *names.entry(alert.name()).or_insert(true) &= echo;
                if echo {
                    tell(alertmanager::rules::ALERT.id(), alert.fingerprint.clone());
                }
            }
            for (name, _) in names.into_iter().filter(|(_, all)| *all) {
                tell(alertmanager::rules::ALERT.id(), alertmanager::more(name));
            }
        }
    }
    found
}

fn label_of(rule: &AlertingRule, name: &str) -> String {
    let found = rule.all_labels.iter().find(|(label, _)| label == name);
    found.map_or_else(String::new, |(_, value)| value.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::alert::{Parted, Rulebook};
    use crate::core::ids::SystemKind;
    use crate::core::part::Part;
    use crate::core::prometheus::RulesReading;
    use crate::core::reading::Reading;
    use crate::core::report::PollReport;
    use crate::core::time::Now;
    use crate::core::world::{World, all_rules};
    use std::time::Duration;

    const SECOND: Duration = Duration::from_secs(1);

    fn report(world: &mut World, name: &str, second: u64, reading: Reading) {
        let at = Now::example(second);
        world.apply(PollReport::example(TargetId::new(name), Ok(reading), at));
    }

    /// The alert that a Prometheus makes of a finding that we told it.
    fn alert(second: u64) -> Reading {
        let label = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let labels = vec![label("rule", "source.silent"), label("target", "api"), label("subject", "silent")];
        let rule = AlertingRule {
            group: "stacktop".to_owned(),
            name: "Finding".to_owned(),
            state: "firing".to_owned(),
            severity: "critical".to_owned(),
            active_for: Some(Duration::from_secs(second)),
            all_labels: labels,
            ..AlertingRule::default()
        };
        let rules = RulesReading { total: 1, alerting: 1, notable: vec![rule] };
        let reading = PrometheusReading { rules: Part::Ready(rules), ..PrometheusReading::default() };
        Reading::Prometheus(Box::new(reading))
    }

    #[test]
    fn an_alert_that_another_row_tells_has_not_ended() {
        let state = |name: &str, kind: SystemKind| {
            TargetState::new(TargetId::new(name), kind, String::new(), SECOND, Now::example(0))
        };
        let targets = vec![state("api", SystemKind::Metrics), state("prom", SystemKind::Prometheus)];
        let mut world = World::new(targets, Rulebook::defaults(&all_rules()));
        let mut told = Vec::new();
        for second in 1..=400 {
            report(&mut world, "prom", second, alert(second));
            // It is silent for a while.
            if !(60..200).contains(&second) {
                report(&mut world, "api", second, Reading::Metrics(Box::default()));
            }
            world.evaluate(Now::example(second));
            let news = world.timeline.take_news().into_iter();
            let news =
                news.filter(|event| event.target.as_ref().is_some_and(|target| target.as_str() == "prom"));
            told.extend(
                news.filter(|event| event.about.is_some())
                    .map(|event| (event.word(), event.parted, event.is_seen_over())),
            );
        }
        assert_eq!(told, [("joined", Some(Parted::Joined), false), ("began", None, false)]);
    }
}
