//! A reading is made of parts that fail one by one. Absent is never zero, and it always has a reason.
//!
//! A part that is not read at every poll is [`Warm`]. Its source keeps it and hands it on with every reading, by pointer and with the
//! moment when it was read, until it is read again: whoever follows it over time tells a new look by that moment.

use super::time::Now;
use serde::{Deserialize, Serialize};
use std::ops::Deref;
use std::sync::Arc;

/// Why a part of a reading is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub enum Part<T> {
    /// It was read.
    Ready(T),
    /// It could not be read.
    Unavailable(Gap),
    /// Nobody asked for it (not needed now, or its turn comes later).
    #[default]
    NotAsked,
}

/// A value that is not read at every poll, and when it was read. A clone is a pointer to the same value; what comes from a file points to
/// a value of its own.
#[derive(Debug, Serialize, Deserialize)]
pub struct Warm<T> {
    /// When it was read.
    pub read_at: Now,
    value: Arc<T>,
}

impl<T> Warm<T> {
    /// What was read at `read_at`.
    pub fn new(read_at: Now, value: T) -> Self {
        Self { read_at, value: Arc::new(value) }
    }
}

impl<T> Clone for Warm<T> {
    fn clone(&self) -> Self {
        Self { read_at: self.read_at, value: Arc::clone(&self.value) }
    }
}

impl<T> Deref for Warm<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<'a, T> IntoIterator for &'a Warm<Vec<T>> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.value.iter()
    }
}

impl<T: PartialEq> PartialEq for Warm<T> {
    fn eq(&self, other: &Self) -> bool {
        self.read_at == other.read_at && (Arc::ptr_eq(&self.value, &other.value) || self.value == other.value)
    }
}

impl<T> Part<T> {
    /// The same part of another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Part<U> {
        match self {
            Self::Ready(value) => Part::Ready(change(value)),
            Self::Unavailable(gap) => Part::Unavailable(gap),
            Self::NotAsked => Part::NotAsked,
        }
    }

    /// The same part as one that was read at `now` and will not be read at every poll.
    pub fn warm(self, now: Now) -> Part<Warm<T>> {
        self.map(|value| Warm::new(now, value))
    }

    /// Takes in a newer look; while nobody looks, what was read before still holds.
    pub fn renew(&mut self, newer: Self) {
        match newer {
            Self::NotAsked => {}
            Self::Ready(_) | Self::Unavailable(_) => *self = newer,
        }
    }

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

impl<T> Part<Warm<T>> {
    /// When it was read, if it was.
    #[must_use]
    pub fn read_at(&self) -> Option<Now> {
        self.ready().map(|warm| warm.read_at)
    }
}

impl<T> From<Result<T, Gap>> for Part<T> {
    fn from(result: Result<T, Gap>) -> Self {
        match result {
            Ok(value) => Self::Ready(value),
            Err(gap) => Self::Unavailable(gap),
        }
    }
}
