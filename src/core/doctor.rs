//! What `stacktop doctor` finds: per feature whether it works with the rights that there are, and what would make it work.

use crate::core::part::{Gap, GapKind, Part};

/// How a feature stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It works.
    Works,
    /// It does not, and nothing is hidden by that: an action that is not permitted, a nicety that is not set up.
    Missing,
    /// What is to be watched cannot be read: refused.
    Refused,
    /// What is to be watched cannot be read, or nobody can tell whether it can.
    Unknown,
    /// Nobody can tell whether an action is permitted; it would say so.
    Untried,
}

impl Standing {
    /// The word that stands before the feature.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Works => "ok",
            Self::Missing => "MISSING",
            Self::Refused => "REFUSED",
            Self::Unknown | Self::Untried => "unknown",
        }
    }

    /// Something that should be seen is not.
    #[must_use]
    pub const fn is_blind(self) -> bool {
        matches!(self, Self::Refused | Self::Unknown)
    }
}

/// One feature on one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What it is for the operator: "statements of other sessions".
    pub feature: String,
    /// How it stands.
    pub standing: Standing,
    /// What was found.
    pub found: String,
    /// The line that would make it work: a GRANT, an ACL rule, a setting.
    pub remedy: Option<String>,
}

impl Check {
    /// A feature that works.
    pub fn fine(feature: impl Into<String>, found: impl Into<String>) -> Self {
        Self { feature: feature.into(), standing: Standing::Works, found: found.into(), remedy: None }
    }

    /// A feature that does not work, and the remedy.
    pub fn missing(feature: impl Into<String>, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        let remedy = Some(remedy.into());
        Self { feature: feature.into(), standing: Standing::Missing, found: found.into(), remedy }
    }

    /// Something that should be watched and may not be read, and the remedy.
    pub fn refused(feature: impl Into<String>, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { standing: Standing::Refused, ..Self::missing(feature, found, remedy) }
    }

    /// Something of which nobody can tell whether it works.
    pub fn unknown(feature: impl Into<String>, found: impl Into<String>) -> Self {
        Self { feature: feature.into(), standing: Standing::Unknown, found: found.into(), remedy: None }
    }

    /// A part of a reading, by what came of it.
    pub fn part<T>(feature: &str, part: &Part<T>) -> Option<Self> {
        match part {
            Part::Ready(_) => Some(Self::fine(feature, "it is read")),
            Part::NotAsked => None,
            Part::Unavailable(gap) => Some(Self::gap(feature, gap)),
        }
    }

    /// A part that could not be read.
    #[must_use]
    pub fn gap(feature: &str, gap: &Gap) -> Self {
        match gap.kind {
            GapKind::NotPermitted => {
                Self { standing: Standing::Refused, ..Self::unknown(feature, gap.note.clone()) }
            }
            GapKind::NotSupported => {
                Self { standing: Standing::Missing, ..Self::unknown(feature, gap.note.clone()) }
            }
            GapKind::TimedOut | GapKind::Failed => Self::unknown(feature, gap.note.clone()),
        }
    }

    /// It works.
    #[must_use]
    pub const fn works(&self) -> bool {
        matches!(self.standing, Standing::Works)
    }
}

/// Everything about one target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Feature by feature.
    pub checks: Vec<Check>,
    /// Lines that set up the rights from nothing, to be copied.
    pub setup: Vec<String>,
}

impl Report {
    /// Of a target that answers: the parts that could not be read, by their names.
    pub fn answers<'a>(parts: impl IntoIterator<Item = (&'static str, Option<&'a Gap>)>) -> Self {
        let gaps = parts.into_iter().filter_map(|(part, gap)| Some(Check::gap(part, gap?)));
        let checks = std::iter::once(Check::fine("connection", "it answers")).chain(gaps).collect();
        Self { checks, setup: Vec::new() }
    }
}
