//! The rules that are about stacktop's own sources: silence, a server that is full, parts that nobody can read.

use super::alert::RuleUnit::{Seconds, State};
use super::alert::{Breach, Grade, RuleId, RuleSpec, Rulebook, Severity, Triage, Unread};
use super::freshness::Freshness;
use super::part::{Gap, GapKind};
use super::place::Screen;
use super::report::PollErrorKind;
use super::target::TargetState;
use super::text::lasting;
use super::time::Now;
use super::timeline::{Deed, Event};
use crate::core::time::span_of;

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

/// A clock that is not ours.
pub const CLOCK: RuleSpec = RuleSpec::new(
    "source.clock",
    "by how much the clock of a server differs from ours: ages that are counted between clocks are wrong by that",
    Seconds,
    Triage::Capacity,
)
.warning(5.0)
.hold(60)
.clear(60)
.root();

/// What was done from here, while somebody suffers from it.
pub const OURS: RuleSpec = RuleSpec::new(
    "source.ours",
    "something was done from here that explains what is found",
    State,
    Triage::Capacity,
)
.root();

/// Another version, process or migration, while jobs fail in a new way since, or a statement runs by another plan.
pub const CHANGED: RuleSpec = RuleSpec::new(
    "source.changed",
    "another version, process or migration came, and that explains what is found",
    State,
    Triage::Capacity,
)
.root();

/// The rules that are about stacktop's own sources.
pub static SOURCE_RULES: &[RuleSpec] = &[SILENT, FULL, UNREAD, CLOCK, OURS, CHANGED];

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

/// By how many seconds the clock of a server is ahead of ours, where it tells its time.
pub(super) fn clock_of(target: &TargetState) -> Option<f64> {
    let postgres = target.system.postgres().and_then(|state| state.reading()?.clock);
    postgres.or_else(|| target.system.redis().and_then(|state| state.reading()?.clock))
}

/// A clock that is not ours: one of the two is wrong.
pub(super) fn clock(target: &TargetState, rules: &Rulebook) -> Option<Breach> {
    let ahead = clock_of(target)?;
    let grade = rules.grade_on(&CLOCK, &[target.id.as_str()], ahead.abs())?;
    let way = if ahead > 0.0 { "ahead of" } else { "behind" };
    let by = lasting(span_of(ahead.abs()));
    let sentence = format!("the clock of {} is {by} {way} ours: ages between the two are wrong", target.id);
    let mut breach = Breach::new(&CLOCK, &target.id, Screen::Overview, grade, ("clock", sentence));
    breach.say("set both by NTP (chronyc tracking, timedatectl)");
    Some(breach)
}

/// What was done from here; `again` of the jobs that were made to run have failed since.
pub(super) fn ours(
    target: &TargetState,
    deed: &Deed,
    again: usize,
    rules: &Rulebook,
    now: Now,
) -> Option<Breach> {
    enabled(rules, OURS.id, target).then(|| {
        let sentence = format!("done from here: {}", deed.words);
        let mut breach = breach(target, &OURS, Severity::Info, (deed.subject.as_str(), sentence));
        let breach_of = breach.since(Some(now.since(deed.at))).hits(again, "job");
        breach_of.look("see the timeline and the audit trail");
        breach
    })
}

/// What changed.
pub(super) fn changed(target: &TargetState, event: &Event, rules: &Rulebook, now: Now) -> Option<Breach> {
    enabled(rules, CHANGED.id, target).then(|| {
        let sentence = format!("changed on {}: {}", target.id, event.words);
        let mut breach = breach(target, &CHANGED, Severity::Info, (event.words.as_str(), sentence));
        breach.since(Some(now.since(event.at))).look("the version before, and what it did with these jobs");
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
