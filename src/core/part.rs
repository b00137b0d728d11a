//! A reading is made of parts that fail one by one. Absent is never zero, and it always has a reason.

/// Why a part of a reading is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GapKind {
    /// The role or user may not see it; the note names the right that is missing.
    NotPermitted,
    /// This version or service does not have it.
    NotSupported,
    /// It did not answer within its own time.
    TimedOut,
    /// It answered with an error.
    Failed,
}

/// A part that could not be read, with a sentence for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The class of the reason.
    pub kind: GapKind,
    /// One sentence: what is missing and what would mend it. Never a secret.
    pub note: String,
}

impl Gap {
    /// A gap of `kind` with its sentence.
    pub fn new(kind: GapKind, note: impl Into<String>) -> Self {
        Self { kind, note: note.into() }
    }
}

/// One part of a reading.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum Part<T> {
    /// It was read.
    Ready(T),
    /// It could not be read.
    Unavailable(Gap),
    /// Nobody asked for it (not needed now, or its turn comes later).
    #[default]
    NotAsked,
}

impl<T> Part<T> {
    /// The value, if it was read.
    pub const fn ready(&self) -> Option<&T> {
        match self {
            Self::Ready(value) => Some(value),
            Self::Unavailable(_) | Self::NotAsked => None,
        }
    }

    /// The reason, if it could not be read.
    pub const fn gap(&self) -> Option<&Gap> {
        match self {
            Self::Unavailable(gap) => Some(gap),
            Self::Ready(_) | Self::NotAsked => None,
        }
    }
}

/// The rules of every part that could not be read this time, from (its gap, the rules that look at it). What may not be read or does
/// not exist will not come back by itself: nothing is kept for it.
#[must_use]
pub fn unread(parts: &[(Option<&Gap>, &[&'static str])]) -> Vec<&'static str> {
    let passing = |gap: &&Gap| matches!(gap.kind, GapKind::TimedOut | GapKind::Failed);
    parts
        .iter()
        .filter(|(gap, _)| gap.as_ref().is_some_and(passing))
        .flat_map(|(_, rules)| *rules)
        .copied()
        .collect()
}

impl<T> From<Result<T, Gap>> for Part<T> {
    fn from(result: Result<T, Gap>) -> Self {
        match result {
            Ok(value) => Self::Ready(value),
            Err(gap) => Self::Unavailable(gap),
        }
    }
}
