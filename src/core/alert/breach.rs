//! What is past a rule right now: the numbers beside the sentence, who is hit, and what may be done.

use super::Severity;
use super::rule::{Grade, RuleId, RuleSpec};
use super::step::Step;
use crate::core::alert::FindingKey;
use crate::core::ids::TargetId;
use crate::core::place::{Place, Screen};
use crate::core::row::RowKey;
use crate::core::text::counted;
use std::time::Duration;

/// Who is hit by something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hit {
    /// How many. Breaks ties in the ranking.
    pub count: u64,
    /// One of them ("session", "job").
    pub what: &'static str,
}

impl Hit {
    /// `9 sessions`; nothing where nobody is hit.
    #[must_use]
    pub fn words(self) -> String {
        if self.count == 0 || self.what.is_empty() {
            String::new()
        } else {
            counted(usize::try_from(self.count).unwrap_or(usize::MAX), self.what)
        }
    }
}

/// One thing that is past a rule right now, as one evaluation saw it.
#[derive(Clone, Debug, PartialEq)]
pub struct Breach {
    /// The rule that saw it.
    pub rule: RuleId,
    /// Where.
    pub target: TargetId,
    /// What exactly, stable over time: the key under which it is followed ("pid 4711", "queue emails").
    pub subject: String,
    /// How bad.
    pub severity: Severity,
    /// What was measured, in the unit of the rule.
    pub value: Option<f64>,
    /// The threshold that it is past.
    pub threshold: Option<f64>,
    /// One sentence without its age: who does what to whom. Server text in it is already cleaned.
    pub sentence: String,
    /// How long the server says that it has been so, when it knows better than our first sight of it.
    pub observed_for: Option<Duration>,
    /// Who is hit.
    pub hit: Hit,
    /// What may be done safely, least harm first.
    pub step: Step,
    /// Where the details are.
    pub place: Place,
}

impl Breach {
    /// A breach of `rule`, in one sentence.
    #[must_use]
    pub fn new(
        rule: &RuleSpec,
        target: &TargetId,
        screen: Screen,
        grade: Grade,
        (subject, sentence): (impl Into<String>, String),
    ) -> Self {
        Self {
            rule: rule.id,
            target: target.clone(),
            subject: subject.into(),
            severity: grade.severity,
            value: grade.value,
            threshold: grade.threshold,
            sentence,
            observed_for: None,
            hit: Hit::default(),
            step: Step::default(),
            place: Place { screen, row: None },
        }
    }

    /// Under which it is followed.
    #[must_use]
    pub fn key(&self) -> FindingKey {
        FindingKey { rule: self.rule, target: self.target.clone(), subject: self.subject.clone() }
    }

    /// The server says that it has been so for this long.
    pub const fn since(&mut self, observed_for: Option<Duration>) -> &mut Self {
        self.observed_for = observed_for;
        self
    }

    /// So many of these are hit.
    pub fn hits(&mut self, count: impl TryInto<u64>, what: &'static str) -> &mut Self {
        self.hit = Hit { count: count.try_into().unwrap_or(u64::MAX), what };
        self
    }

    /// What may be done.
    pub fn step(&mut self, step: Step) -> &mut Self {
        self.step = step;
        self
    }

    /// Done elsewhere than here.
    pub fn say(&mut self, words: impl Into<String>) -> &mut Self {
        self.step(Step::Say(words.into()))
    }

    /// Something to look at.
    pub fn look(&mut self, words: impl Into<String>) -> &mut Self {
        self.step(Step::Look(words.into()))
    }

    /// It is shown there.
    pub fn on(&mut self, screen: Screen) -> &mut Self {
        self.place.screen = screen;
        self
    }

    /// This row shows it.
    pub fn row(&mut self, row: RowKey) -> &mut Self {
        self.place.row = Some(row);
        self
    }
}
