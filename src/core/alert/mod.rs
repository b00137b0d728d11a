//! Rules turn what is seen into breaches; the book follows breaches over time as findings.
//!
//! A rule lives with its system (`core/postgres/rules`, …): one [`Rule`] with its defaults and how it judges, and its line in the list.

mod always;
mod book;
mod breach;
mod finding;
mod heard;
mod judge;
mod levels;
mod notes;
mod rule;
mod rulebook;
mod step;

pub use always::always_fires;
pub use book::AlertBook;
pub use breach::{Breach, Hit};
pub use finding::{Finding, Onset, Parted, Stage};
pub use heard::{Heard, Note, Until};
pub use judge::{Found, Judge, Judged, Missing, Rule, Unread, awaited, judge, look, unlearned, unread};
pub use levels::{Level, Levels};
pub use rule::{FindingKey, Grade, Need, RuleId, RuleSpec, RuleUnit};
pub use rulebook::{RuleSetting, Rulebook};
pub use step::{Remedy, Step};

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
    /// What the `severity` label of an alert says, by the words that teams use for it.
    #[must_use]
    pub fn of_label(label: &str) -> Self {
        match label.to_ascii_lowercase().as_str() {
            "critical" | "page" | "error" | "emergency" | "p1" => Self::Critical,
            "info" | "none" | "notice" | "debug" => Self::Info,
            _ => Self::Warning,
        }
    }

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
    /// Another system's rule says that something is wrong: behind what is measured here.
    Told,
    /// Something cannot be seen: behind what is seen to be wrong, for nobody can say that it is.
    Silent,
    /// A straight line says that something will run out. It is about the future: at most a warning, and never before what is.
    Forecast,
}
