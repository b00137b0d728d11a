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

/// A part that could not be read, and what nobody watches because of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Why it is not there.
    pub gap: Gap,
    /// The rules that look at it.
    pub rules: &'static [&'static str],
    /// The same for people ("blocking"); empty where a rule of its own says that the part is not there.
    pub watches: &'static str,
}

/// Every part that should have been read and was not, from (its gap, the rules that look at it, what those watch). What a version or a
/// service does not have is not missed.
#[must_use]
pub fn unread(parts: &[(Option<&Gap>, &'static [&'static str], &'static str)]) -> Vec<Unread> {
    let missed = |gap: &&Gap| gap.kind != GapKind::NotSupported;
    let found = |(gap, rules, watches): &(Option<&Gap>, &'static [&'static str], &'static str)| {
        gap.filter(missed).map(|gap| Unread { gap: gap.clone(), rules, watches })
    };
    parts.iter().filter_map(found).collect()
}

impl<T> From<Result<T, Gap>> for Part<T> {
    fn from(result: Result<T, Gap>) -> Self {
        match result {
            Ok(value) => Self::Ready(value),
            Err(gap) => Self::Unavailable(gap),
        }
    }
}
