//! The rules that are about stacktop's own sources: silence, a server that is full, parts that nobody can read.

use super::alert::RuleUnit::State;
use super::alert::{Breach, Grade, RuleId, RuleSpec, Rulebook, Severity, Triage, Unread};
use super::freshness::Freshness;
use super::part::{Gap, GapKind};
use super::place::Screen;
use super::report::PollErrorKind;
use super::target::TargetState;
use super::time::Now;

/// A source that gives no data.
pub const SILENT: RuleSpec = RuleSpec::new(
    "source.silent",
    "a source gives no data: late when a poll failed or is overdue, lost after four intervals (and 30 s)",
    State,
    Triage::Silent,
);

/// A server that takes nobody any more.
pub const FULL: RuleSpec = RuleSpec::new(
    "source.full",
    "a server refuses newcomers because every place is taken",
    State,
    Triage::Saturation,
);

/// A part that nobody can read.
pub const UNREAD: RuleSpec = RuleSpec::new(
    "source.unread",
    "a source answers, but a part of it cannot be read (a right is missing, a catalog is locked): nobody watches that part",
    State,
    Triage::Silent,
);

/// The rules that are about stacktop's own sources.
pub static SOURCE_RULES: &[RuleSpec] = &[SILENT, FULL, UNREAD];

fn enabled(rules: &Rulebook, rule: RuleId, target: &TargetState) -> bool {
    rules.on(rule, &[target.id.as_str()]).enabled
}

fn breach(target: &TargetState, rule: &RuleSpec, severity: Severity, about: (&str, String)) -> Breach {
    let grade = Grade { severity, value: None, threshold: None };
    Breach::new(rule, &target.id, Screen::Overview, grade, about)
}

/// What nobody watches of a source that answers: one finding for each reason.
pub(super) fn unread(target: &TargetState, parts: &[Unread], rules: &Rulebook) -> Vec<Breach> {
    let wanted = |part: &&Unread| {
        !part.watches.is_empty() && part.rules.iter().any(|rule| enabled(rules, *rule, target))
    };
    let mut reasons: Vec<(&Gap, Vec<&str>)> = Vec::new();
    for part in parts.iter().filter(wanted).filter(|_| enabled(rules, UNREAD.id, target)) {
        match reasons.iter_mut().find(|(gap, _)| **gap == part.gap) {
            Some((_, watches)) => watches.push(part.watches),
            None => reasons.push((&part.gap, vec![part.watches])),
        }
    }
    let told = |(gap, watches): (&Gap, Vec<&str>)| {
        let sentence = format!("{}: {}, so nobody watches {}", target.id, gap.note, watches.join(", "));
        let mut breach = breach(target, &UNREAD, Severity::Warning, (watches[0], sentence));
        breach.say(match gap.kind {
            GapKind::NotPermitted => "`stacktop doctor` says what to grant",
            GapKind::NotSupported | GapKind::TimedOut | GapKind::Failed => "see the server's log",
        });
        breach
    };
    reasons.into_iter().map(told).collect()
}

/// A server that takes nobody any more is broken for everybody, whatever else is known of it.
pub(super) fn full(target: &TargetState, rules: &Rulebook) -> Option<Breach> {
    let failure = target.failure.as_ref().filter(|failure| failure.kind == PollErrorKind::Full)?;
    enabled(rules, FULL.id, target).then(|| {
        let sentence = format!("{} refuses newcomers: {}", target.id, failure.message);
        let mut breach = breach(target, &FULL, Severity::Critical, ("full", sentence));
        breach.say(failure.remedy.clone().unwrap_or_else(|| "end clients that are not needed".to_owned()));
        breach
    })
}

/// A source that gives no data.
pub(super) fn silence(
    target: &TargetState,
    freshness: Freshness,
    rules: &Rulebook,
    now: Now,
) -> Option<Breach> {
    if !enabled(rules, SILENT.id, target) {
        return None;
    }
    let severity = match freshness {
        Freshness::Waiting | Freshness::Fresh(_) => return None,
        Freshness::Late(_) => Severity::Warning,
        Freshness::Lost(_) => Severity::Critical,
    };
    // What mends a wrong password is not what mends a stopped server.
    let remedy = target.failure.as_ref().and_then(|failure| failure.remedy.clone());
    let sentence = format!("no data from {}: {}", target.id, target.silence(now));
    let mut breach = breach(target, &SILENT, severity, ("silent", sentence));
    breach
        .since(Some(freshness.age()))
        .say(remedy.unwrap_or_else(|| "check that it runs and can be reached".to_owned()));
    Some(breach)
}
