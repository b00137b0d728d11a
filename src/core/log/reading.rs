//! One look at a log, as data.

use crate::core::lines::Asked;
use crate::core::part::{Part, Warm};
use crate::core::whereabouts::Whereabouts;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What one look at a log told.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LogReading {
    /// How large the file is; nothing of a command.
    pub bytes: Option<u64>,
    /// How long ago the file was written to last; nothing of a command.
    pub written: Option<Duration>,
    /// Lines that came within a minute; nobody knows before a minute is over.
    pub lines: Part<Warm<u64>>,
    /// Those of them that say that they are errors.
    pub errors: Part<Warm<u64>>,
    /// The lines that somebody looks at. They stand in no recording: nobody asked for that.
    #[serde(skip)]
    pub asked: Vec<Asked>,
}

impl LogReading {
    /// Not known: nothing is changed there.
    #[must_use]
    pub const fn whereabouts(&self) -> Option<&Whereabouts> {
        None
    }
}
