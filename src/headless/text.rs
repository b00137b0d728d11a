//! A report for people: line 2 of the screen, what was found, and every target. Without colours and frames, for logs and screen readers.

use super::report::{Report, Target, Told};
use crate::core::text::{counted, duration};

/// A span of so many seconds.
pub(super) fn lasting(seconds: f64) -> String {
    duration(crate::core::time::span_of(seconds))
}

/// How far a target can be believed.
pub(super) fn state(target: &Target) -> String {
    match (target.freshness, target.age_seconds) {
        ("fresh", Some(age)) => format!("fresh, {} old", lasting(age)),
        ("waiting", _) => "no answer yet".to_owned(),
        (freshness, Some(age)) => {
            format!("{}, its newest data is {} old", freshness.to_uppercase(), lasting(age))
        }
        (freshness, None) => format!("{}, it never answered", freshness.to_uppercase()),
    }
}

/// What nobody watches, or judges, of a target yet.
pub(super) fn not_yet(target: &Target) -> Vec<String> {
    let all = [("not read yet", &target.not_read_yet), ("not judged", &target.not_judged_yet)];
    let told = all.into_iter().filter(|(_, words)| !words.is_empty());
    told.map(|(what, words)| format!("{what}: {}", words.join(", "))).collect()
}

/// Everything, ending with a line break.
pub(super) fn text(report: &Report) -> String {
    let mut out = format!("{}\n", report.verdict);
    out.push_str(&format!("\nfindings ({})\n", report.findings.len() + report.findings_left_out));
    if report.findings.is_empty() {
        out.push_str("  nothing is past its threshold\n");
    }
    for told in &report.findings {
        out.push_str(&finding(told));
    }
    if report.findings_left_out > 0 {
        out.push_str(&format!("  and {} more\n", report.findings_left_out));
    }
    if !report.pending.is_empty() {
        out.push_str(&format!("\nnot yet for as long as their rules ask ({})\n", report.pending.len()));
        for told in &report.pending {
            out.push_str(&finding(told));
        }
    }
    out.push_str(&format!("\ntargets ({})\n", report.targets.len()));
    for target in &report.targets {
        let poll = target.poll_seconds.map_or(String::new(), |poll| format!(", poll {}", lasting(poll)));
        out.push_str(&format!(
            "  {:<16} {:<12} {}\n  {:<16} {}{poll}\n",
            target.name,
            target.system,
            target.address,
            "",
            state(target)
        ));
        for line in target.silence.iter().chain(&target.unread).chain(&not_yet(target)) {
            out.push_str(&format!("  {:<16} {line}\n", ""));
        }
    }
    out.push_str(&format!(
        "\n{}, watched for {}, {}\n",
        report.at,
        lasting(report.watched_seconds),
        counted(report.targets.len(), "target")
    ));
    out
}

fn finding(told: &Told) -> String {
    let tie = match (told.tie, told.depth) {
        (Some(tie), 1..) => format!("{}└ {tie}: ", "  ".repeat(told.depth - 1)),
        _ => String::new(),
    };
    let noted = told.noted_by.as_ref().map_or(String::new(), |who| format!(", noted by {who}"));
    let mut out = format!(
        "  {tie}{} for {}: {} [{} on {}{noted}]\n",
        told.word,
        lasting(told.lasted_seconds),
        told.sentence,
        told.rule,
        told.target
    );
    if told.depth == 0 && !told.next_step.is_empty() {
        out.push_str(&format!("    next: {}\n", told.next_step));
    }
    out
}
