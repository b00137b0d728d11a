//! The rules about a Prometheus server: what it watches is down, what it says fires, what it cannot evaluate.

use super::{AlertingRule, PanelReading, PromQuery, PrometheusState};
use crate::core::alert::{RuleSpec, RuleUnit, Rulebook, Severity, Signal, Triage};
use crate::core::ids::TargetId;
use crate::core::place::{Place, Screen};
use crate::core::text::tidy;
use crate::core::time::Now;
use std::collections::BTreeMap;
use std::time::Duration;

/// Alerts of one rule and severity beyond this are one finding that counts them.
const MOST_ALERTS: usize = 20;

/// Of one job's targets that are down so many are a finding each; the others are one that counts them.
const MOST_TARGETS: usize = 20;

const fn state(id: &'static str, help: &'static str, triage: Triage) -> RuleSpec {
    RuleSpec { id, help, unit: RuleUnit::State, warning: None, critical: None, hold: Duration::ZERO, triage }
}

/// The rules of this system with their defaults.
pub const RULES: &[RuleSpec] = &[
    state("prometheus.target_down", "Prometheus cannot scrape a target", Triage::Errors),
    state("prometheus.alert", "an alerting rule of Prometheus fires", Triage::Errors),
    state(
        "prometheus.rule_failing",
        "a rule cannot be evaluated: its alert would stay silent",
        Triage::Silent,
    ),
    state("prometheus.panel", "a configured PromQL panel is past its own threshold", Triage::Saturation),
    state("prometheus.panel_blind", "a configured PromQL panel cannot be evaluated", Triage::Errors),
];

/// Everything that is wrong with `target` at `now` by `rules`.
#[must_use]
pub fn signals(known: &PrometheusState, target: &TargetId, rules: &Rulebook, _now: Now) -> Vec<Signal> {
    let Some(reading) = known.reading() else {
        return Vec::new();
    };
    let mut list = Vec::new();
    let mut add =
        |rule: &'static str, subject: String, severity: Severity, sentence: String, age: Option<Duration>| {
            if rules.get(rule).enabled {
                list.push(Signal {
                    rule,
                    target: target.clone(),
                    subject,
                    severity,
                    sentence,
                    observed_for: age,
                    hit: 0,
                    next_step: "open the metrics screen".to_owned(),
                    place: Place { screen: Screen::Metrics, row: None },
                });
            }
        };
    let mut jobs: BTreeMap<&str, usize> = BTreeMap::new();
    for down in reading.targets.ready().into_iter().flatten().filter(|target| target.is_down()) {
        let told = jobs.entry(&down.job).or_default();
        *told += 1;
        if *told > MOST_TARGETS {
            continue;
        }
        let name = format!("{} of job {}", tidy(&down.instance, 40), tidy(&down.job, 30));
        let sentence = format!("{name} is down: {}", tidy(&down.last_error, 100));
        add("prometheus.target_down", name, Severity::Warning, sentence, None);
    }
    for (job, down) in jobs {
        if let Some(more @ 1..) = down.checked_sub(MOST_TARGETS) {
            let job = tidy(job, 30);
            let sentence = format!("{more} more targets of job {job} are down, {down} in all");
            add("prometheus.target_down", format!("{job} more"), Severity::Warning, sentence, None);
        }
    }
    let mut beyond: BTreeMap<(&str, &str, Severity), usize> = BTreeMap::new();
    for rule in reading.rules.ready().into_iter().flat_map(|rules| &rules.notable) {
        let name = tidy(&rule.name, 60);
        if !rule.error.is_empty() {
            let sentence = format!("rule {name} cannot be evaluated: {}", tidy(&rule.error, 100));
            add("prometheus.rule_failing", subject(rule), Severity::Warning, sentence, None);
        } else if let (Some(muted), "firing") = (&rule.muted, rule.state.as_str()) {
            let sentence = format!("{}, {muted}", firing(rule, &name));
            add("prometheus.alert", subject(rule), Severity::Info, sentence, rule.active_for);
        } else if rule.state == "firing" {
            let told = beyond.entry((&rule.group, &rule.name, severity(rule))).or_default();
            *told += 1;
            if *told <= MOST_ALERTS {
                add("prometheus.alert", subject(rule), severity(rule), firing(rule, &name), rule.active_for);
            }
        }
    }
    for ((group, name, severity), alerts) in beyond {
        if let Some(more @ 1..) = alerts.checked_sub(MOST_ALERTS) {
            let sentence = format!("Prometheus alert {} fires for {more} more", tidy(name, 60));
            add("prometheus.alert", format!("{group} {name} more"), severity, sentence, None);
        }
    }
    for panel in &reading.panels {
        judge(panel, known.settings.panel(&panel.title), &mut add);
    }
    list
}

/// A finding: its rule, subject, severity, sentence and how long it has been there.
type Add<'a> = dyn FnMut(&'static str, String, Severity, String, Option<Duration>) + 'a;

/// One configured panel.
fn judge(panel: &PanelReading, query: Option<&PromQuery>, add: &mut Add<'_>) {
    if let Some(gap) = panel.series.gap() {
        let sentence = format!("panel {} watches nothing: {}", tidy(&panel.title, 40), tidy(&gap.note, 100));
        add("prometheus.panel_blind", panel.title.clone(), Severity::Warning, sentence, None);
    }
    if let Some(cut) = &panel.cut {
        let sentence = format!("panel {}: {cut}", tidy(&panel.title, 40));
        add("prometheus.panel_blind", format!("{} cut", panel.title), Severity::Warning, sentence, None);
    }
    let Some(query) = query else { return };
    for (labels, value) in panel.series.ready().into_iter().flatten() {
        let Some(severity) = query.grade(*value) else { continue };
        let sentence =
            format!("{} is {value:.2}{} ({})", tidy(&panel.title, 40), query.unit, tidy(labels, 60));
        add("prometheus.panel", format!("{} {labels}", panel.title), severity, sentence, None);
    }
}

fn severity(rule: &AlertingRule) -> Severity {
    match rule.severity.to_ascii_lowercase().as_str() {
        "critical" | "page" | "error" | "emergency" | "p1" => Severity::Critical,
        "info" | "none" | "notice" | "debug" => Severity::Info,
        _ => Severity::Warning,
    }
}

/// What tells an alert from all others of the server.
fn subject(rule: &AlertingRule) -> String {
    let about = if rule.labels.is_empty() { &rule.query } else { &rule.labels };
    format!("{} {} {} {}", rule.group, rule.name, rule.severity, about)
}

fn firing(rule: &AlertingRule, name: &str) -> String {
    let labels =
        if rule.labels.is_empty() { String::new() } else { format!(" ({})", tidy(&rule.labels, 60)) };
    if rule.summary.is_empty() {
        format!("Prometheus alert {name} fires{labels}")
    } else {
        format!("Prometheus alert {name} fires{labels}: {}", tidy(&rule.summary, 100))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::part::Part;
    use crate::core::prometheus::{PrometheusReading, RulesReading, ScrapeTarget};

    fn told(notable: Vec<AlertingRule>) -> Vec<Signal> {
        let rules = Part::Ready(RulesReading { total: notable.len(), notable });
        let mut state = PrometheusState::default();
        state.absorb(PrometheusReading { rules, ..PrometheusReading::default() }, Now::example(0));
        signals(&state, &TargetId::new("p"), &Rulebook::defaults(&[RULES].concat()), Now::example(0))
    }

    fn alert(group: &str, labels: &str, severity: &str, state: &str) -> AlertingRule {
        AlertingRule {
            group: group.to_owned(),
            name: "HighErrors".to_owned(),
            labels: labels.to_owned(),
            severity: severity.to_owned(),
            state: state.to_owned(),
            ..AlertingRule::default()
        }
    }

    #[test]
    fn alerts_of_one_name_are_apart_and_none_hides_another() {
        let list = told(vec![
            alert("a", "host=x", "warning", "firing"),
            alert("a", "host=x", "critical", "firing"),
            alert("a", "host=y", "critical", "pending"),
            alert("b", "host=x", "warning", "firing"),
        ]);
        let mut subjects: Vec<&str> = list.iter().map(|signal| signal.subject.as_str()).collect();
        subjects.sort_unstable();
        subjects.dedup();
        assert_eq!(subjects.len(), 3, "{subjects:?}");
        assert_eq!(list.iter().filter(|signal| signal.severity == Severity::Critical).count(), 1);
    }

    #[test]
    fn what_is_silenced_is_told_and_makes_nothing_bad() {
        let muted = AlertingRule {
            muted: Some("silenced by ana".to_owned()),
            ..alert("a", "host=x", "critical", "firing")
        };
        let list = told(vec![muted]);
        assert_eq!((list.len(), list[0].severity), (1, Severity::Info));
        assert!(list[0].sentence.ends_with(", silenced by ana"), "{}", list[0].sentence);
    }

    #[test]
    fn a_job_whose_targets_are_all_down_is_a_few_findings() {
        let target = |n: usize| ScrapeTarget {
            job: if n < 3000 { "node".to_owned() } else { "api".to_owned() },
            instance: format!("host-{n}"),
            health: "down".to_owned(),
            ..ScrapeTarget::default()
        };
        let targets = Part::Ready((0..3001).map(target).collect());
        let mut state = PrometheusState::default();
        state.absorb(PrometheusReading { targets, ..PrometheusReading::default() }, Now::example(0));
        let list =
            signals(&state, &TargetId::new("p"), &Rulebook::defaults(&[RULES].concat()), Now::example(0));
        assert_eq!(list.len(), 22);
        let said = |words: &str| list.iter().any(|signal| signal.sentence.contains(words));
        assert!(
            said("2980 more targets of job node are down, 3000 in all")
                && said("host-3000 of job api is down")
        );
    }

    #[test]
    fn a_flood_of_alerts_is_counted() {
        let list = told((0..50).map(|n| alert("a", &format!("host={n}"), "critical", "firing")).collect());
        assert_eq!(list.len(), 21);
        assert!(list.iter().any(|signal| signal.sentence == "Prometheus alert HighErrors fires for 30 more"));
    }
}
