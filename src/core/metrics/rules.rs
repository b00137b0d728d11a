//! The rules about a `/metrics` endpoint.

use super::{MetricsState, Quantile};
use crate::core::alert::{RuleSpec, RuleUnit, Rulebook, Severity, Signal, Triage};
use crate::core::ids::TargetId;
use crate::core::place::{Place, Screen};
use crate::core::text::{lasting, sized, tidy};
use crate::core::time::Now;
use std::time::Duration;

/// The rules of this system with their defaults.
pub const RULES: &[RuleSpec] = &[
    RuleSpec {
        id: "metrics.errors",
        help: "share of requests answered with a 5xx status",
        unit: RuleUnit::Ratio,
        warning: Some(0.01),
        critical: Some(0.05),
        hold: Duration::from_secs(10),
        triage: Triage::Errors,
    },
    RuleSpec {
        id: "metrics.latency_p95",
        help: "95th percentile of request durations over the last minute",
        unit: RuleUnit::Seconds,
        warning: Some(0.5),
        critical: None,
        hold: Duration::from_secs(10),
        triage: Triage::Latency,
    },
    RuleSpec {
        id: "metrics.disk",
        help: "how full a file system is, in bytes or inodes (node_exporter)",
        unit: RuleUnit::Ratio,
        warning: Some(0.9),
        critical: Some(0.97),
        hold: Duration::from_secs(10),
        triage: Triage::Saturation,
    },
    RuleSpec {
        id: "metrics.disk_error",
        help: "a file system that the kernel cannot read (node_exporter)",
        unit: RuleUnit::State,
        warning: None,
        critical: None,
        hold: Duration::from_secs(10),
        triage: Triage::Errors,
    },
    RuleSpec {
        id: "metrics.disk_left",
        help: "less than this until a file system is full, at most a warning (node_exporter)",
        unit: RuleUnit::Seconds,
        warning: Some(14_400.0),
        critical: None,
        hold: Duration::from_secs(60),
        triage: Triage::Forecast,
    },
    RuleSpec {
        id: "metrics.bad_lines",
        help: "lines of the exposition that cannot be read",
        unit: RuleUnit::Count,
        warning: Some(1.0),
        critical: None,
        hold: Duration::ZERO,
        triage: Triage::Capacity,
    },
    RuleSpec {
        id: "metrics.truncated",
        help: "the exposition has more samples than are kept",
        unit: RuleUnit::State,
        warning: None,
        critical: None,
        hold: Duration::ZERO,
        triage: Triage::Silent,
    },
];

/// Takes in what is wrong: rule, subject, severity if it is, sentence, next step.
type Of<'a> = dyn FnMut(&'static str, &str, Option<Severity>, String, &str) + 'a;

fn about_disks(state: &MetricsState, target: &TargetId, rules: &Rulebook, of: &mut Of<'_>) {
    for (place, disk) in state.disks.iter() {
        let name = tidy(place, 40);
        if disk.failed {
            let sentence = format!("{target}: {name} cannot be read: its device or its server fails");
            let severity = rules.get("metrics.disk_error").enabled.then_some(Severity::Warning);
            of("metrics.disk_error", place, severity, sentence, "look into the kernel's log (dmesg)");
            continue;
        }
        if let Some(inodes) = disk.inodes.filter(|_| !disk.read_only) {
            let sentence = format!("{target}: {name} has {:.1} % of its inodes in use", inodes * 100.0);
            let subject = format!("{place} inodes");
            let step = "find the folder of many small files (du --inodes)";
            of("metrics.disk", &subject, rules.grade("metrics.disk", inodes), sentence, step);
        }
        if !disk.may_fill_up(place) {
            continue;
        }
        let sentence =
            format!("{target}: {name} is {:.1} % full, {} left", disk.used() * 100.0, sized(disk.free));
        let severity = rules.grade("metrics.disk", disk.used());
        of("metrics.disk", place, severity, sentence, "look what grows there, or give it room");
        let Some(left) = disk.left() else { continue };
        let severity = rules.get("metrics.disk_left").foresee(left.as_secs_f64());
        let sentence = format!("{target}: if it goes on like this, {name} is full in {}", lasting(left));
        of("metrics.disk_left", place, severity, sentence, "look what grows there, or give it room");
    }
}

/// Everything that is wrong with `target` at `now` by `rules`.
#[must_use]
pub fn signals(state: &MetricsState, target: &TargetId, rules: &Rulebook, _now: Now) -> Vec<Signal> {
    let Some(reading) = state.reading() else {
        return Vec::new();
    };
    let mut list = Vec::new();
    let mut of =
        |rule: &'static str, subject: &str, severity: Option<Severity>, sentence: String, step: &str| {
            list.extend(severity.map(|severity| Signal {
                rule,
                target: target.clone(),
                subject: subject.to_owned(),
                severity,
                sentence,
                observed_for: None,
                hit: 0,
                next_step: step.to_owned(),
                place: Place { screen: Screen::Metrics, row: None },
            }));
        };
    about_disks(state, target, rules, &mut of);
    let mut add = |rule: &'static str, severity: Option<Severity>, sentence: String, step: &str| {
        of(rule, "endpoint", severity, sentence, step);
    };
    if let Some(share) = state.golden.errors {
        let sentence = format!("{target} answers {:.1} % of its requests with 5xx", share * 100.0);
        add("metrics.errors", rules.grade("metrics.errors", share), sentence, "look at what it depends on");
    }
    if let Some(p95) = state.golden.p95 {
        let (seconds, word) = match p95 {
            Quantile::Value(seconds) => (seconds, ""),
            Quantile::Above(seconds) => (seconds, "more than "),
        };
        let sentence = format!("{target}: 5 % of requests take {word}{:.0} ms or longer", seconds * 1000.0);
        let severity = rules.grade("metrics.latency_p95", seconds);
        add("metrics.latency_p95", severity, sentence, "look at what it depends on");
    }
    if let Some(named) = state.unnamed()
        && rules.get("metrics.bad_lines").enabled
    {
        let sentence = format!("{target}: `requests` names {}, and there is no such family", tidy(named, 60));
        let step = "mend `requests` in the configuration; the families stand on the metrics screen";
        add("metrics.bad_lines", Some(Severity::Warning), sentence, step);
    }
    if reading.truncated && rules.get("metrics.truncated").enabled {
        let sentence = format!(
            "{target} has more than {} samples; those beyond are left out (requests and disks are kept)",
            reading.len()
        );
        let step = "let Prometheus scrape it, or ask it for fewer families";
        add("metrics.truncated", Some(Severity::Warning), sentence, step);
    }
    if let Some((line, why)) = reading.bad.first() {
        let sentence = format!(
            "{} lines of {target}'s exposition cannot be read; the first is line {line}: {why}",
            reading.bad_total
        );
        let severity = rules.grade("metrics.bad_lines", reading.bad_total as f64);
        add("metrics.bad_lines", severity, sentence, "mend the exporter; the other lines are used");
    }
    list
}
