//! Rules turn what is seen into signals; the book turns signals over time into findings.
//!
//! A rule lives with its system (`core/postgres/rules.rs`, …): a [`RuleSpec`] with its defaults and a line that emits a [`Signal`].

mod book;
mod rulebook;

pub use book::{AlertBook, Finding, Stage};
pub use rulebook::{RuleSetting, Rulebook};

use super::ids::TargetId;
use super::place::Place;
use std::time::Duration;

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing, nobody needs to act.
    Info,
    /// Somebody should look.
    Warning,
    /// Somebody must act.
    Critical,
}

impl Severity {
    /// The word shown beside the glyph; colour never stands alone.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Info => "note",
            Self::Warning => "WARN",
            Self::Critical => "CRIT",
        }
    }
}

/// The order of triage: what is looked at first among findings of equal severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Triage {
    /// A source is silent: nothing else can be believed.
    Silent,
    /// Users see errors.
    Errors,
    /// Something is blocked or full.
    Saturation,
    /// Something is slow.
    Latency,
    /// A copy is behind.
    Lag,
    /// Something is about to run out.
    Capacity,
    /// A straight line says that something will run out. It is about the future: at most a warning, and never before what is.
    Forecast,
}

/// What the numbers of a rule mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleUnit {
    /// A plain count.
    Count,
    /// 0–1.
    Ratio,
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// Events per second.
    PerSecond,
    /// There is no number: the state itself is the signal.
    State,
}

/// A rule with its defaults; every number can be changed in the configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleSpec {
    /// Its name in the configuration: `system.what`, unique.
    pub id: &'static str,
    /// What it means, in one sentence.
    pub help: &'static str,
    /// The unit of the thresholds.
    pub unit: RuleUnit,
    /// At or above this it is a warning. For rules that look for too little, the rule says so in its help and compares the other way.
    pub warning: Option<f64>,
    /// At or above this it is critical.
    pub critical: Option<f64>,
    /// How long it must hold before it is shown as firing.
    pub hold: Duration,
    /// Where it stands in triage.
    pub triage: Triage,
}

impl RuleSpec {
    /// Whether it looks for too little: its help says so, and its critical threshold is the lower one.
    #[must_use]
    pub fn less_is_worse(&self) -> bool {
        self.help.starts_with("less than ")
    }

    /// A rule in one line: `thresholds` are those of a warning and of a critical finding.
    #[must_use]
    pub const fn new(
        id: &'static str,
        help: &'static str,
        unit: RuleUnit,
        thresholds: (Option<f64>, Option<f64>),
        hold: Duration,
        triage: Triage,
    ) -> Self {
        Self { id, help, unit, warning: thresholds.0, critical: thresholds.1, hold, triage }
    }
}

/// One thing that is wrong right now, as one evaluation saw it.
#[derive(Clone, Debug, PartialEq)]
pub struct Signal {
    /// The rule that saw it.
    pub rule: &'static str,
    /// Where.
    pub target: TargetId,
    /// What exactly, stable over time: the key under which it is followed ("pid 4711", "queue emails").
    pub subject: String,
    /// How bad.
    pub severity: Severity,
    /// One sentence without its age: who does what to whom. Server text in it is already cleaned.
    pub sentence: String,
    /// How long the server says that it has been so, when it knows better than our first sight of it.
    pub observed_for: Option<Duration>,
    /// How many are hit (sessions waiting, jobs failed); breaks ties in the ranking.
    pub hit: u64,
    /// What may be done safely, least harm first; "look" is allowed.
    pub next_step: String,
    /// Where the details are.
    pub place: Place,
}
