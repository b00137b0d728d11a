//! The rules that are about stacktop's own sources: silence, a server that is full, parts that nobody can read.

use super::alert::{RuleSpec, RuleUnit, Rulebook, Severity, Signal, Triage};
use super::freshness::Freshness;
use super::part::{Gap, GapKind, Unread};
use super::place::{Place, Screen};
use super::report::PollErrorKind;
use super::target::TargetState;
use super::time::Now;
use std::time::Duration;

/// The rules that are about stacktop's own sources.
pub const SOURCE_RULES: &[RuleSpec] = &[
    RuleSpec {
        id: "source.silent",
        help: "a source gives no data: late when a poll failed or is overdue, lost after four intervals (and 30 s)",
        unit: RuleUnit::State,
        warning: None,
        critical: None,
        hold: Duration::ZERO,
        triage: Triage::Silent,
    },
    RuleSpec {
        id: "source.full",
        help: "a server refuses newcomers because every place is taken",
        unit: RuleUnit::State,
        warning: None,
        critical: None,
        hold: Duration::ZERO,
        triage: Triage::Saturation,
    },
    RuleSpec {
        id: "source.unread",
        help: "a source answers, but a part of it cannot be read (a right is missing, a catalog is locked): nobody watches that part",
        unit: RuleUnit::State,
        warning: None,
        critical: None,
        hold: Duration::ZERO,
        triage: Triage::Silent,
    },
];

/// What nobody watches of a source that answers: one finding for each reason.
pub(super) fn unread_signals(target: &TargetState, parts: &[Unread], rules: &Rulebook) -> Vec<Signal> {
    let wanted =
        |part: &&Unread| !part.watches.is_empty() && part.rules.iter().any(|rule| rules.get(rule).enabled);
    let mut reasons: Vec<(&Gap, Vec<&str>)> = Vec::new();
    for part in parts.iter().filter(wanted).filter(|_| rules.get("source.unread").enabled) {
        match reasons.iter_mut().find(|(gap, _)| **gap == part.gap) {
            Some((_, watches)) => watches.push(part.watches),
            None => reasons.push((&part.gap, vec![part.watches])),
        }
    }
    let signal = |(gap, watches): (&Gap, Vec<&str>)| Signal {
        rule: "source.unread",
        target: target.id.clone(),
        subject: watches[0].to_owned(),
        severity: Severity::Warning,
        sentence: format!("{}: {}, so nobody watches {}", target.id, gap.note, watches.join(", ")),
        observed_for: None,
        hit: 0,
        next_step: match gap.kind {
            GapKind::NotPermitted => "`stacktop doctor` says what to grant".to_owned(),
            GapKind::NotSupported | GapKind::TimedOut | GapKind::Failed => "see the server's log".to_owned(),
        },
        place: Place { screen: Screen::Overview, row: None },
    };
    reasons.into_iter().map(signal).collect()
}

/// A server that takes nobody any more is broken for everybody, whatever else is known of it.
pub(super) fn full_signal(target: &TargetState, rules: &Rulebook) -> Option<Signal> {
    let failure = target.failure.as_ref().filter(|failure| failure.kind == PollErrorKind::Full)?;
    rules.get("source.full").enabled.then(|| Signal {
        rule: "source.full",
        target: target.id.clone(),
        subject: "full".to_owned(),
        severity: Severity::Critical,
        sentence: format!("{} refuses newcomers: {}", target.id, failure.message),
        observed_for: None,
        hit: 0,
        next_step: failure.remedy.clone().unwrap_or_else(|| "end clients that are not needed".to_owned()),
        place: Place { screen: Screen::Overview, row: None },
    })
}

pub(super) fn silence_signal(
    target: &TargetState,
    freshness: Freshness,
    rules: &Rulebook,
    now: Now,
) -> Option<Signal> {
    if !rules.get("source.silent").enabled {
        return None;
    }
    let severity = match freshness {
        Freshness::Waiting | Freshness::Fresh(_) => return None,
        Freshness::Late(_) => Severity::Warning,
        Freshness::Lost(_) => Severity::Critical,
    };
    // What mends a wrong password is not what mends a stopped server.
    let remedy = target.failure.as_ref().and_then(|failure| failure.remedy.clone());
    Some(Signal {
        rule: "source.silent",
        target: target.id.clone(),
        subject: "silent".to_owned(),
        severity,
        sentence: format!("no data from {}: {}", target.id, target.silence(now)),
        observed_for: Some(freshness.age()),
        hit: 0,
        next_step: remedy.unwrap_or_else(|| "check that it runs and can be reached".to_owned()),
        place: Place { screen: Screen::Overview, row: None },
    })
}
