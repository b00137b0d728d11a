//! What comes back: a Prometheus reads our findings, a rule of it fires, and its Alertmanager holds the alert. That alert is the finding
//! that it is about, and no other one: it is told as one row. Pure.

use super::alert::FindingKey;
use super::alertmanager;
use super::alertmanager::HeldAlert;
use super::prometheus;
use super::prometheus::AlertingRule;
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
