//! What is told afterwards: the verdict, what was found with what explains it, what was done, and what happened when, as one text for people
//! and one for programs. Constants, data and addresses are hidden in both, whatever the screen shows.

use crate::actions::audit::{AuditLine, Phase};
use crate::app::model::Model;
use crate::app::msg::{Effect, FileText};
use crate::app::verdict::verdict;
use crate::core::alert::Finding;
use crate::core::ids::TargetId;
use crate::core::text::{counted, lasting};
use crate::core::time::Now;
use crate::core::timeline::Event;
use crate::panels::panel::PanelContext;
use crate::ui::veil;
use chrono::{Offset, Utc};
use serde_json::{Value, json};
use std::path::Path;

/// Asks for both files to be written where tables are exported to.
pub fn incident(model: &Model) -> Vec<Effect> {
    let name = format!("incident-{}", model.seen().now.wall.format("%Y%m%dT%H%M%SZ"));
    let report = report(model);
    let files = vec![
        FileText { name: format!("{name}.md"), text: markdown(&report) },
        FileText { name: format!("{name}.json"), text: format!("{report:#}\n") },
    ];
    let folder = Path::new(&model.audit_place).with_file_name("exports");
    vec![Effect::Export { folder, files }]
}

/// All of it as data; every text that a server may have written is masked.
fn report(model: &Model) -> Value {
    let seen = model.seen();
    let mut events: Vec<&Event> = seen.events().filter(|event| !event.kept).collect();
    events.sort_by_key(|event| event.at.mono);
    let findings = seen.findings().0;
    // Whoever reads it may be elsewhere.
    let utc = PanelContext { zone: Utc.fix(), ..seen };
    json!({
        "at": stamp(seen.now),
        "environment": model.arming.environment,
        "production": model.is_production(),
        "verdict": told(&verdict(utc).plain()),
        "findings": findings.into_iter().map(|finding| found(model, finding)).collect::<Vec<_>>(),
        "actions": model.audit.lines.iter().map(acted).collect::<Vec<_>>(),
        "actions_not_read": unread(model),
        "timeline": events.into_iter().map(happened).collect::<Vec<_>>(),
    })
}

/// Why not all that was done from here is told; nothing where it is.
fn unread(model: &Model) -> String {
    let lines = match model.audit.unreadable {
        0 => None,
        many => Some(format!("{} of the audit trail cannot be read", counted(many, "line"))),
    };
    let trouble = model.audit.trouble.as_deref().map(told);
    trouble.into_iter().chain(lines).collect::<Vec<_>>().join("; ")
}

fn told(text: &str) -> String {
    veil::text(text)
}

fn stamp(at: Now) -> String {
    at.wall.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn found(model: &Model, finding: &Finding) -> Value {
    let seen = model.seen();
    let (breach, key) = (&finding.breach, finding.key());
    let cause = seen.chain().parent(&key).map(|link| {
        let sentence = seen.finding(&link.cause).map_or_else(String::new, |it| it.sentence(seen.now));
        json!({
            "rule": link.cause.rule.to_string(),
            "target": link.cause.target.as_str(),
            "sentence": told(&sentence),
            "tie": link.evidence.tie.word(),
            "evidence": told(&format!("{} ({})", link.verb, link.evidence.words)),
        })
    });
    let end = finding.ended();
    let lasted = end.map_or_else(|| finding.lasted(seen.now), |end| end.since(finding.since));
    json!({
        "rule": breach.rule.to_string(),
        "target": breach.target.as_str(),
        "severity": breach.severity.word(),
        "sentence": told(&finding.sentence(seen.now)),
        "since": stamp(finding.since),
        "until": end.map(stamp),
        "lasted_seconds": lasted.as_secs(),
        "lasted": lasting(lasted),
        "hit": breach.hit.words(),
        "next": told(&breach.step.words()),
        "noted": finding.heard.as_ref().map(|heard| format!("{} by {}: {}", heard.word(seen.now), heard.who, told(&heard.note))),
        "cause": cause,
    })
}

fn acted(line: &AuditLine) -> Value {
    let phase = match line.phase {
        Phase::Intent => "intent",
        Phase::Refused => "refused",
        Phase::Outcome => "outcome",
        Phase::Verified => "verified",
        Phase::Left | Phase::Unknown => "unknown",
    };
    json!({
        "at": line.at,
        "phase": phase,
        "who": line.who,
        "host": line.host,
        "action": line.action,
        "target": line.target,
        "identity": told(&line.identity),
        "result": told(&line.result),
    })
}

fn happened(event: &Event) -> Value {
    json!({
        "at": stamp(event.at),
        "what": event.word(),
        "target": event.target.as_ref().map(TargetId::as_str),
        "words": told(&event.words),
        "lasted_seconds": event.lasted.map(|lasted| lasted.as_secs()),
    })
}

/// The same for people: what is in it is what the data says, in the same order.
fn markdown(report: &Value) -> String {
    let text = |value: &Value, field: &str| plain(value[field].as_str().unwrap_or_default());
    let each = |field: &str| report[field].as_array().cloned().unwrap_or_default();
    let mut lines = vec![
        format!("# Incident, {}, {}", text(report, "environment"), text(report, "at")),
        text(report, "verdict"),
        "## Findings, worst first".to_owned(),
    ];
    let mut list = Vec::new();
    for finding in each("findings") {
        let until = finding["until"].as_str().map_or_else(String::new, |until| format!(", until {until}"));
        list.push(format!(
            "- **{}** {} ({} on {}; since {}{until}, {})",
            text(&finding, "severity"),
            text(&finding, "sentence"),
            text(&finding, "rule"),
            text(&finding, "target"),
            text(&finding, "since"),
            text(&finding, "lasted"),
        ));
        let cause = &finding["cause"];
        if !cause.is_null() {
            list.push(format!(
                "  - {}: {} on {}: {}",
                text(cause, "tie"),
                text(cause, "sentence"),
                text(cause, "target"),
                text(cause, "evidence"),
            ));
        }
        for (field, label) in [("hit", "hit"), ("next", "next step"), ("noted", "noted")] {
            let words = text(&finding, field);
            list.extend((!words.is_empty()).then(|| format!("  - {label}: {words}")));
        }
    }
    lines.push(or_nothing(&list, "Nothing is past its threshold."));
    lines.push("## What was done from here".to_owned());
    let acts: Vec<String> = each("actions")
        .iter()
        .map(|act| {
            let words = ["at", "phase", "who", "action", "target", "identity", "result"]
                .map(|field| text(act, field));
            format!("- {}", words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" "))
        })
        .collect();
    let unread = text(report, "actions_not_read");
    if unread.is_empty() {
        lines.push(or_nothing(&acts, "Nothing."));
    } else {
        lines.push(format!("Not all of it could be read: {unread}."));
        lines.push(acts.join("\n"));
    }
    lines.push("## What happened, oldest first".to_owned());
    let events: Vec<String> = each("timeline")
        .iter()
        .map(|event| {
            let target = text(event, "target");
            let target = if target.is_empty() { target } else { format!(" {target}") };
            format!("- {} {}{target}: {}", text(event, "at"), text(event, "what"), text(event, "words"))
        })
        .collect();
    lines.push(or_nothing(&events, "Nothing changed while it was watched."));
    lines.push(
        "Constants of statements, data of jobs and addresses of people are hidden. Times are UTC.".to_owned(),
    );
    lines.join("\n\n") + "\n"
}

fn or_nothing(list: &[String], nothing: &str) -> String {
    if list.is_empty() { nothing.to_owned() } else { list.join("\n") }
}

/// A text on one line that Markdown shows as it is.
fn plain(text: &str) -> String {
    let mut shown = String::new();
    for sign in text.trim().chars() {
        if matches!(sign, '|' | '\\' | '`' | '*' | '_' | '<' | '[' | ']') {
            shown.push('\\');
        }
        shown.push(if sign.is_control() { ' ' } else { sign });
    }
    shown
}
