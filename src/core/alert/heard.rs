//! That somebody has taken note of a finding: who, why, and until when it stands behind the others. It hides nothing.

use super::{FindingKey, Severity};
use crate::core::time::Now;

/// Until when.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Until {
    /// Acknowledged: somebody is at it, as long as it lasts.
    Over,
    /// Snoozed until it is clear.
    Clear,
    /// Snoozed until then.
    Then(Now),
}

/// Somebody has taken note.
#[derive(Clone, Debug, PartialEq)]
pub struct Heard {
    /// The operator's user name on this machine.
    pub who: String,
    /// What the operator wrote; empty for nothing.
    pub note: String,
    /// When.
    pub at: Now,
    /// Until when.
    pub until: Until,
}

/// A note as it is kept for runs to come, and for stacktops that run beside this one.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    /// The rule of the finding.
    pub rule: String,
    /// Where.
    pub target: String,
    /// What exactly.
    pub subject: String,
    /// How bad it was then.
    pub severity: Severity,
    /// What was noted; nothing where it holds no more.
    pub heard: Option<Heard>,
}

impl Note {
    /// About the finding of `key`.
    #[must_use]
    pub fn of(key: &FindingKey, severity: Severity, heard: Option<Heard>) -> Self {
        Self {
            rule: key.rule.to_string(),
            target: key.target.to_string(),
            subject: key.subject.clone(),
            severity,
            heard,
        }
    }
}

impl Heard {
    /// What is said of it in front of the sentence of the finding.
    #[must_use]
    pub fn word(&self, now: Now) -> String {
        match self.until {
            Until::Over => "acknowledged".to_owned(),
            Until::Clear => "snoozed until clear".to_owned(),
            Until::Then(end) => {
                let minutes = end.since(now).as_secs().div_ceil(60);
                format!("snoozed, {minutes} min left")
            }
        }
    }

    /// Whether it holds at `now`, while the finding is there.
    #[must_use]
    pub fn holds(&self, now: Now) -> bool {
        match self.until {
            Until::Over | Until::Clear => true,
            Until::Then(end) => !now.reached(end),
        }
    }
}
