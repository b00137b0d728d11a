//! One alert is one finding: what a Prometheus that is watched tells of is not told again by its Alertmanager.

use super::{AlertmanagerReading, HeldAlert};
use crate::core::ids::TargetId;
use crate::core::prometheus::{AlertingRule, PrometheusReading};
use std::collections::HashSet;

/// What the findings of these Alertmanagers are about that one of these Prometheus servers tells of itself.
pub(crate) fn told_by_its_prometheus<'a>(
    managers: &[(&'a TargetId, &AlertmanagerReading)],
    servers: &[&PrometheusReading],
) -> HashSet<(&'a TargetId, String)> {
    let notable = servers.iter().filter_map(|reading| reading.rules.ready()).flat_map(|rules| &rules.notable);
    let firing: Vec<&AlertingRule> =
        notable.filter(|rule| rule.state == "firing" && !rule.all_labels.is_empty()).collect();
    let mut told = HashSet::new();
    for (id, reading) in managers {
        for alert in reading.alerts().filter(|alert| firing.iter().any(|rule| is(alert, rule))) {
            told.insert((*id, alert.fingerprint.clone()));
            told.insert((*id, more(alert.name())));
        }
    }
    told
}

/// What the finding is about that counts further alerts of this name.
pub(super) fn more(name: &str) -> String {
    format!("{name} more")
}

/// Whether `alert` is what this rule has sent: the Alertmanager may have labels more (external ones), and none less.
fn is(alert: &HeldAlert, rule: &AlertingRule) -> bool {
    rule.all_labels.iter().all(|(name, value)| alert.label(name) == value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(text: &str) -> Vec<(String, String)> {
        let pair = |pair: &str| pair.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
        text.split(' ').filter_map(pair).collect()
    }

    #[track_caller]
    fn check(alert: &str, rule: &str, expected: bool) {
        let alert = HeldAlert { labels: labels(alert), ..HeldAlert::default() };
        let rule = AlertingRule { all_labels: labels(rule), ..AlertingRule::default() };
        assert_eq!(is(&alert, &rule), expected);
    }

    #[test]
    fn an_alert_is_the_one_with_all_labels_of_the_rule() {
        check("alertname=A host=x cluster=eu", "alertname=A host=x", true);
        check("alertname=A host=x", "alertname=A host=x", true);
        check("alertname=A", "alertname=A host=x", false);
        check("alertname=A host=y", "alertname=A host=x", false);
    }
}
