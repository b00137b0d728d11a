//! The rules about a Prometheus server: what it watches is down, what it says fires, what it cannot evaluate.

use super::{AlertingRule, PrometheusState};
use crate::core::alert::{RuleSpec, RuleUnit, Rulebook, Severity, Signal, Triage};
use crate::core::ids::TargetId;
use crate::core::place::{Place, Screen};
use crate::core::text::{counted, tidy};
use crate::core::time::Now;
use std::time::Duration;

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
                    next_step: "open the metrics screen (8)".to_owned(),
                    place: Place { screen: Screen::Metrics, row: None },
                });
            }
        };
    for down in reading.targets.ready().into_iter().flatten().filter(|target| target.is_down()) {
        let name = format!("{} of job {}", tidy(&down.instance, 40), tidy(&down.job, 30));
        let sentence = format!("{name} is down: {}", tidy(&down.last_error, 100));
        add("prometheus.target_down", name, Severity::Warning, sentence, None);
    }
    for rule in reading.rules.ready().into_iter().flat_map(|rules| &rules.notable) {
        let name = tidy(&rule.name, 60);
        if !rule.error.is_empty() {
            let sentence = format!("rule {name} cannot be evaluated: {}", tidy(&rule.error, 100));
            add("prometheus.rule_failing", name, Severity::Warning, sentence, None);
        } else if rule.state == "firing" {
            let sentence = firing(rule, &name);
            add("prometheus.alert", name, severity(rule), sentence, rule.active_for);
        }
    }
    for panel in &reading.panels {
        if let Some(gap) = panel.series.gap() {
            let sentence =
                format!("panel {} watches nothing: {}", tidy(&panel.title, 40), tidy(&gap.note, 100));
            add("prometheus.panel_blind", panel.title.clone(), Severity::Warning, sentence, None);
        }
        for (labels, value) in panel.series.ready().into_iter().flatten() {
            let past = |threshold: Option<f64>| threshold.is_some_and(|threshold| *value >= threshold);
            let severity = match (past(panel.critical), past(panel.warning)) {
                (true, _) => Severity::Critical,
                (false, true) => Severity::Warning,
                (false, false) => continue,
            };
            let sentence =
                format!("{} is {value:.2}{} ({})", tidy(&panel.title, 40), panel.unit, tidy(labels, 60));
            add("prometheus.panel", format!("{} {labels}", panel.title), severity, sentence, None);
        }
    }
    list
}

fn severity(rule: &AlertingRule) -> Severity {
    match rule.severity.to_ascii_lowercase().as_str() {
        "critical" | "page" | "error" | "emergency" | "p1" => Severity::Critical,
        "info" | "none" | "notice" | "debug" => Severity::Info,
        _ => Severity::Warning,
    }
}

fn firing(rule: &AlertingRule, name: &str) -> String {
    let many = if rule.alerts > 1 { format!(" ({})", counted(rule.alerts, "alert")) } else { String::new() };
    if rule.summary.is_empty() {
        format!("Prometheus alert {name} fires{many}")
    } else {
        format!("Prometheus alert {name} fires{many}: {}", tidy(&rule.summary, 100))
    }
}
