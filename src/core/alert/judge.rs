//! A rule is one descriptor, and judging is one loop: every rule of a system looks at its newest reading and tells what is wrong.

use super::breach::Breach;
use super::levels::Level;
use super::rule::{Grade, Need, RuleId, RuleSpec};
use super::{RuleSetting, Rulebook, Severity};
use crate::core::ids::TargetId;
use crate::core::part::{Gap, GapKind};
use crate::core::place::Screen;
use crate::core::time::Now;
use std::fmt;

/// A kind of system that rules judge.
pub trait Judged: Sized + 'static {
    /// What is read of it.
    type Reading;
    /// Where its findings are shown, unless a rule says otherwise.
    const SCREEN: Screen;

    /// Its rules, in the order in which they judge.
    fn rules() -> &'static [&'static Rule<Self>];

    /// The newest reading.
    fn newest(&self) -> Option<&Self::Reading>;

    /// The parts of this reading that are not there.
    fn missing(reading: &Self::Reading) -> Vec<Missing>;

    /// The parts that come later than the first reading and are not there yet, with what nobody watches before.
    #[must_use]
    fn awaited(_: &Self::Reading) -> Vec<(Need, &'static str)> {
        Vec::new()
    }

    /// The part that is judged by what is usual while that is not known yet, with what is not judged meanwhile.
    #[must_use]
    fn unlearned(&self) -> Option<(Need, &'static str)> {
        None
    }
}

/// A part of a reading that is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Which.
    pub part: Need,
    /// Why.
    pub gap: Gap,
    /// What nobody watches because of it, for people ("blocking"); empty where a rule of its own says that the part is not there.
    pub watches: &'static str,
}

impl Missing {
    /// Those of (part, why it is not there, what nobody watches then) that are not there. What a version or a service does not have is not
    /// missed.
    #[must_use]
    pub fn of(parts: &[(Need, Option<&Gap>, &'static str)]) -> Vec<Self> {
        let missed = |gap: &&Gap| gap.kind != GapKind::NotSupported;
        let found = |(part, gap, watches): &(Need, Option<&Gap>, &'static str)| {
            let gap = gap.filter(missed)?.clone();
            Some(Self { part: *part, gap, watches })
        };
        parts.iter().filter_map(found).collect()
    }
}

/// A part that could not be read, and what nobody watches because of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Why it is not there.
    pub gap: Gap,
    /// The rules that look at it.
    pub rules: Vec<RuleId>,
    /// The same for people; empty where a rule of its own says that the part is not there.
    pub watches: &'static str,
}

/// A rule about one kind of system, with how it judges a reading of it.
pub struct Rule<S: Judged> {
    /// What is told of it.
    pub spec: RuleSpec,
    /// Looks at the newest reading and tells what is wrong.
    pub judge: fn(&mut Judge<'_, S>, &S::Reading),
}

impl<S: Judged> Rule<S> {
    /// A rule that judges so.
    #[must_use]
    pub const fn new(spec: RuleSpec, judge: fn(&mut Judge<'_, S>, &S::Reading)) -> Self {
        Self { spec, judge }
    }

    /// A threshold that another rule looks at, or several servers together.
    #[must_use]
    pub const fn threshold(spec: RuleSpec) -> Self {
        Self { spec, judge: |_, _| {} }
    }

    /// Which it is.
    #[must_use]
    pub const fn id(&self) -> RuleId {
        self.spec.id
    }
}

impl<S: Judged> fmt::Debug for Rule<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.spec.fmt(f)
    }
}

/// What one rule has before it.
pub struct Judge<'a, S: Judged> {
    /// What is known of the target.
    pub state: &'a S,
    /// Which target.
    pub target: &'a TargetId,
    /// When it is judged.
    pub now: Now,
    rules: &'a Rulebook,
    spec: &'static RuleSpec,
    found: Vec<Breach>,
    levels: Vec<Level>,
}

impl<S: Judged> Judge<'_, S> {
    /// Which rule judges.
    #[must_use]
    pub const fn id(&self) -> RuleId {
        self.spec.id
    }

    /// How bad `value` is by this rule. It is followed also while nothing is wrong with it: a finding about `subject` shows what was
    /// before. For numbers that are there at every look, and of which a target has few.
    pub fn level(&mut self, subject: &str, value: f64) -> Option<Grade> {
        self.levels.push(Level { rule: self.spec.id, subject: subject.to_owned(), value });
        self.grade(value)
    }

    /// How bad `value` is by this rule; nothing while it is switched off.
    #[must_use]
    pub fn grade(&self, value: f64) -> Option<Grade> {
        self.rules.grade_on(self.spec, &[self.target.as_str()], value)
    }

    /// How bad `value` is by another rule that only holds a threshold.
    #[must_use]
    pub fn grade_by(&self, rule: &Rule<S>, value: f64) -> Option<Grade> {
        self.rules.grade_on(&rule.spec, &[self.target.as_str()], value)
    }

    /// The same for a part of the target that has a name of its own (a copy), which may have thresholds of its own.
    #[must_use]
    pub fn grade_of(&self, rule: &Rule<S>, part: &str, value: f64) -> Option<Grade> {
        self.rules.grade_on(&rule.spec, &[part, self.target.as_str()], value)
    }

    /// How another rule is set, for the threshold that it holds.
    #[must_use]
    pub fn setting(&self, rule: &Rule<S>) -> RuleSetting {
        self.rules.on(rule.spec.id, &[self.target.as_str()])
    }

    /// As bad as that, by its state; nothing while the rule is switched off.
    #[must_use]
    pub fn state(&self, severity: Severity) -> Option<Grade> {
        let setting = self.rules.on(self.spec.id, &[self.target.as_str()]);
        setting.enabled.then_some(Grade { severity, value: None, threshold: None })
    }

    /// Whether an earlier rule told something of this subject.
    #[must_use]
    pub fn is_told(&self, subject: &str) -> bool {
        self.found.iter().any(|breach| breach.subject == subject)
    }

    /// Tells what is wrong, where it is as bad as `grade`. What else is known of it is added to what comes back.
    pub fn tell(&mut self, grade: Grade, subject: impl Into<String>, sentence: String) -> &mut Breach {
        let breach = Breach::new(self.spec, self.target, S::SCREEN, grade, (subject, sentence));
        self.found.push(breach);
        let last = self.found.len() - 1;
        &mut self.found[last]
    }
}

impl<S: Judged> fmt::Debug for Judge<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Judge")
            .field("target", self.target)
            .field("found", &self.found)
            .finish_non_exhaustive()
    }
}

/// What the rules found in a reading.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// What is wrong.
    pub breaches: Vec<Breach>,
    /// The numbers that are followed, wrong or not.
    pub levels: Vec<Level>,
}

/// Everything that is wrong with `target` at `now`.
#[must_use]
pub fn judge<S: Judged>(state: &S, target: &TargetId, rules: &Rulebook, now: Now) -> Vec<Breach> {
    look(state, target, rules, now).breaches
}

/// The same, with the numbers that are followed.
#[must_use]
pub fn look<S: Judged>(state: &S, target: &TargetId, rules: &Rulebook, now: Now) -> Found {
    let Some((first, reading)) = S::rules().first().zip(state.newest()) else {
        return Found::default();
    };
    let (found, levels) = (Vec::new(), Vec::new());
    let mut judge = Judge { state, target, now, rules, spec: &first.spec, found, levels };
    for rule in S::rules() {
        judge.spec = &rule.spec;
        (rule.judge)(&mut judge, reading);
    }
    Found { breaches: judge.found, levels: judge.levels }
}

/// What nobody watches of the newest reading before its turn has come, with the rules that look at it.
#[must_use]
pub fn awaited<S: Judged>(state: &S) -> Vec<(Vec<RuleId>, &'static str)> {
    let Some(reading) = state.newest() else { return Vec::new() };
    S::awaited(reading).into_iter().map(with_rules::<S>).collect()
}

/// What cannot be judged yet, for it takes longer than two looks to know what is usual, with the rules that judge it. What is never there
/// to be judged is not among it.
#[must_use]
pub fn unlearned<S: Judged>(state: &S) -> Option<(Vec<RuleId>, &'static str)> {
    state.newest()?;
    state.unlearned().map(with_rules::<S>)
}

/// The rules that look at a part, and what is told of it.
fn with_rules<S: Judged>((part, watches): (Need, &'static str)) -> (Vec<RuleId>, &'static str) {
    let needs = |rule: &&&Rule<S>| rule.spec.needs.contains(&part);
    (S::rules().iter().filter(needs).map(|rule| rule.id()).collect(), watches)
}

/// The parts of the newest reading that should have been read and were not, with the rules that look at them.
#[must_use]
pub fn unread<S: Judged>(state: &S) -> Vec<Unread> {
    let Some(reading) = state.newest() else { return Vec::new() };
    let blind = |missing: Missing| {
        let needs = |rule: &&&Rule<S>| rule.spec.needs.contains(&missing.part);
        let rules = S::rules().iter().filter(needs).map(|rule| rule.id()).collect();
        Unread { gap: missing.gap, rules, watches: missing.watches }
    };
    S::missing(reading).into_iter().map(blind).collect()
}
