//! One edge: a mechanism by which one finding brings about another.

use super::known::Known;
use crate::core::alert::{Finding, RuleId};

/// How sure a tie is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tie {
    /// It is so at the same time and in the same place, and nobody says more: told together, and never called a cause.
    Coincident,
    /// Names match, the order fits, there is a mechanism, and nothing speaks against it.
    Likely,
    /// A server says so: by a process id, its own decider, an error text that names the address, the counter of exactly that refusal.
    Certain,
}

impl Tie {
    /// The word that is printed with it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Coincident => "coincident",
            Self::Likely => "likely",
            Self::Certain => "certain",
        }
    }
}

/// Whether both are of one target.
pub(super) fn together(cause: &Finding, effect: &Finding) -> bool {
    cause.breach.target == effect.breach.target
}

/// What ties a cause to an effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// How sure.
    pub tie: Tie,
    /// What matched on both sides, in one sentence.
    pub words: String,
}

impl Evidence {
    /// A server says so.
    pub fn certain(words: impl Into<String>) -> Option<Self> {
        Some(Self { tie: Tie::Certain, words: words.into() })
    }

    /// It fits, and nothing speaks against it.
    pub fn likely(words: impl Into<String>) -> Option<Self> {
        Some(Self { tie: Tie::Likely, words: words.into() })
    }
}

/// A mechanism between findings of some rules and findings of others.
#[derive(Clone, Copy)]
pub struct Edge {
    /// What the cause does to the effect ("keeps waiting").
    pub verb: &'static str,
    /// Rules whose findings may be the cause.
    pub causes: &'static [RuleId],
    /// Rules whose findings may be the effect.
    pub effects: &'static [RuleId],
    /// What would show that it is not so.
    pub withdrawn_by: &'static str,
    /// Whether something ties these two together.
    pub ties: fn(&Known<'_>, &Finding, &Finding) -> Option<Evidence>,
}

impl std::fmt::Debug for Edge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Edge").field("verb", &self.verb).finish_non_exhaustive()
    }
}
