//! One alert is one finding: what a Prometheus that is watched tells of is not told again by its Alertmanager.

use super::{AlertmanagerReading, HeldAlert, HeldBy};
use crate::core::alert::{Breach, RuleId};
use crate::core::ids::TargetId;
use crate::core::prometheus::{AlertingRule, PrometheusReading};
use crate::core::text::tidy;
use std::collections::{BTreeSet, HashMap, HashSet};

/// Whom a server tells of its alerts, as far as that is known.
#[derive(Debug, Default)]
pub(crate) struct ToldTo<'a> {
    /// Those in which its alerts are looked for.
    pub likely: Vec<&'a TargetId>,
    /// These, and all that may be one of them by another address.
    pub all: Vec<&'a TargetId>,
}

/// Of each server, by its name, whom it tells.
pub(crate) type Whom<'a> = HashMap<&'a TargetId, ToldTo<'a>>;

/// What the findings of these Alertmanagers are about that one of these Prometheus servers, which tells `whom`, tells of itself.
pub(crate) fn told_by_its_prometheus<'a>(
    managers: &[(&'a TargetId, &AlertmanagerReading)],
    servers: &[(&TargetId, &PrometheusReading)],
    whom: &Whom<'_>,
) -> HashSet<(&'a TargetId, String)> {
    let mut told = HashSet::new();
    for (id, reading) in managers {
        let tells = |server: &TargetId| whom.get(server).is_none_or(|whom| whom.likely.contains(id));
        let servers = servers.iter().filter(|(server, _)| tells(server));
        let firing: Vec<&AlertingRule> = servers.flat_map(|(_, reading)| firing(reading)).collect();
        let all: Vec<&HeldAlert> = reading.alerts().collect();
        for rule in &firing {
            // Servers of two regions may send alerts that differ by an external label only: which of them is meant nobody knows.
            let mut fits = all.iter().filter(|alert| is(alert, rule));
            if let (Some(only), None) = (fits.next(), fits.next()) {
                told.insert((*id, only.fingerprint.clone()));
            }
        }
        // Those that are counted are hidden where all of their name are told.
        let names: BTreeSet<&str> = all.iter().map(|alert| alert.name()).collect();
        for name in names {
            let mut alike = all.iter().filter(|alert| alert.name() == name);
            if alike.all(|alert| told.contains(&(*id, alert.fingerprint.clone()))) {
                told.insert((*id, more(name)));
            }
        }
    }
    told
}

/// The alerts of a server that fire, each with its labels.
fn firing(reading: &PrometheusReading) -> impl Iterator<Item = &AlertingRule> {
    let notable = reading.rules.ready().into_iter().flat_map(|rules| &rules.notable);
    notable.filter(|rule| rule.state == "firing" && !rule.all_labels.is_empty())
}

/// The one alert that a rule has sent, where only one can be it.
#[must_use]
pub fn sent_by<'a>(reading: &'a AlertmanagerReading, rule: &AlertingRule) -> Option<&'a HeldAlert> {
    let mut fits = reading.alerts().filter(|alert| !rule.all_labels.is_empty() && is(alert, rule));
    match (fits.next(), fits.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}

/// What these servers, which tell `whom`, tell of that their Alertmanagers keep from people, and in which words: what is silenced makes nothing
/// bad. Where one Alertmanager tells people of it, it is told; what one keeps back that is not told of it counts for nothing.
pub(crate) fn kept_back<'a>(
    managers: &[(&TargetId, &AlertmanagerReading)],
    servers: &[(&'a TargetId, &PrometheusReading)],
    whom: &Whom<'_>,
) -> HashMap<(&'a TargetId, String), String> {
    let mut kept = HashMap::new();
    for (id, reading) in servers {
        let whom = whom.get(id);
        let is_likely = |manager: &TargetId| whom.is_none_or(|whom| whom.likely.contains(&manager));
        let may_be = |manager: &TargetId| whom.is_none_or(|whom| whom.all.contains(&manager));
        let all: Vec<(bool, &AlertmanagerReading, Vec<&HeldAlert>)> = managers
            .iter()
            .filter(|(manager, _)| may_be(manager))
            .map(|(manager, by)| (is_likely(manager), *by, by.alerts().collect()))
            .collect();
        for rule in firing(reading).filter(|rule| rule.muted.is_none()) {
            let fits: Vec<(bool, &AlertmanagerReading, &HeldAlert)> = all
                .iter()
                .flat_map(|(likely, by, list)| list.iter().map(move |alert| (*likely, *by, *alert)))
                .filter(|(_, _, alert)| is(alert, rule))
                .collect();
            let first = fits.iter().find(|(likely, ..)| *likely);
            let held = fits.iter().all(|(_, _, alert)| !alert.held.is_empty());
            if let Some((_, by, alert)) = first.filter(|_| held) {
                kept.insert((*id, rule.subject()), words(by, alert));
            }
        }
    }
    kept
}

/// What keeps an alert back.
fn words(reading: &AlertmanagerReading, alert: &HeldAlert) -> String {
    match alert.held.first() {
        Some(HeldBy::Silence(id)) => match reading.silence(id) {
            Some(silence) => {
                format!("silenced by {}: {}", tidy(&silence.author, 40), tidy(&silence.comment, 60))
            }
            None => "silenced".to_owned(),
        },
        Some(HeldBy::Alert(_)) => "inhibited by another alert".to_owned(),
        Some(HeldBy::Interval(name)) => format!("muted by the interval {}", tidy(name, 40)),
        None => String::new(),
    }
}

/// Of the members of one cluster each has every alert: the first of them tells it.
pub(crate) fn once(
    alert: RuleId,
    breaches: &mut Vec<Breach>,
    managers: &[(&TargetId, &AlertmanagerReading)],
) {
    let members = |id: &TargetId| {
        let (_, reading) = managers.iter().find(|(other, _)| *other == id)?;
        reading.status.ready().map(|status| status.names.clone()).filter(|names| names.len() > 1)
    };
    let mut told: HashSet<(Vec<String>, String)> = HashSet::new();
    breaches.retain(|breach| {
        let members = (breach.rule == alert).then(|| members(&breach.target)).flatten();
        members.is_none_or(|names| told.insert((names, breach.subject.clone())))
    });
}

/// What the finding is about that counts further alerts of this name.
pub(crate) fn more(name: &str) -> String {
    format!("{name} more")
}

/// Whether `alert` is what this rule has sent: the Alertmanager may have labels more (external ones), and none less.
fn is(alert: &HeldAlert, rule: &AlertingRule) -> bool {
    rule.all_labels.iter().all(|(name, value)| alert.label(name) == value)
}

#[cfg(test)]
mod tests {
    use super::super::AlertGroup;
    use super::*;
    use crate::core::part::Part;
    use crate::core::prometheus::RulesReading;

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

    /// How many alerts are taken for told when a server tells of `DiskFull` on host a, and these are in the Alertmanager.
    #[track_caller]
    fn told(alerts: &[&str], expected: &[&str]) {
        let alert = |text: &&str| HeldAlert {
            fingerprint: (*text).to_owned(),
            labels: labels(text),
            ..HeldAlert::default()
        };
        let group = AlertGroup { alerts: alerts.iter().map(alert).collect(), ..AlertGroup::default() };
        let manager =
            AlertmanagerReading { groups: Part::Ready(vec![group]), ..AlertmanagerReading::default() };
        let rule = AlertingRule {
            state: "firing".to_owned(),
            all_labels: labels("alertname=DiskFull host=a"),
            ..AlertingRule::default()
        };
        let rules = Part::Ready(RulesReading { total: 1, notable: vec![rule], ..RulesReading::default() });
        let server = PrometheusReading { rules, ..PrometheusReading::default() };
        let id = TargetId::new("am");
        let mut found: Vec<String> =
            told_by_its_prometheus(&[(&id, &manager)], &[(&TargetId::new("prom"), &server)], &Whom::new())
                .into_iter()
                .map(|(_, what)| what)
                .collect();
        found.sort();
        assert_eq!(found, expected);
        // Who is not told of it has another one.
        let (prom, nobody) = (TargetId::new("prom"), ToldTo::default());
        let whom = Whom::from([(&prom, nobody)]);
        assert!(told_by_its_prometheus(&[(&id, &manager)], &[(&prom, &server)], &whom).is_empty());
        assert!(kept_back(&[(&id, &manager)], &[(&prom, &server)], &whom).is_empty());
    }

    #[test]
    fn only_what_is_surely_the_same_is_told_elsewhere() {
        let ours = "alertname=DiskFull host=a cluster=eu";
        told(&[ours], &["DiskFull more", ours]);
        // Which of the two it is nobody knows.
        told(&[ours, "alertname=DiskFull host=a cluster=us"], &[]);
        // Those that are counted are told by nobody else.
        told(&[ours, "alertname=DiskFull host=b"], &[ours]);
    }

    #[test]
    fn an_alert_is_the_one_with_all_labels_of_the_rule() {
        check("alertname=A host=x cluster=eu", "alertname=A host=x", true);
        check("alertname=A host=x", "alertname=A host=x", true);
        check("alertname=A", "alertname=A host=x", false);
        check("alertname=A host=y", "alertname=A host=x", false);
    }
}
