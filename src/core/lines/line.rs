//! Lines of a log as they were asked for, and lines as they are counted.

use super::levels::Tone;
use super::question::Question;
use crate::core::exact;
use crate::core::part::Part;
use serde::{Deserialize, Serialize};

/// Lines of a stream within a minute.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Count {
    /// The stream; empty where it has no name.
    pub name: String,
    /// How many.
    #[serde(with = "exact")]
    pub lines: f64,
}

/// Lines that were asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// By which question.
    pub question: Question,
    /// How that was put to the server; empty while that is not known.
    pub query: String,
    /// Why these streams.
    pub why: String,
    /// The lines, the newest first.
    pub lines: Part<Vec<LogLine>>,
    /// There are older ones of the same question.
    pub more: bool,
    /// Lines that came too fast to be read, if any: how many, where that is known.
    pub left_out: Option<LeftOut>,
    /// It is being asked.
    pub asking: bool,
}

/// Lines that came too fast to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// How many were counted.
    pub counted: u64,
    /// Some could not be counted.
    pub more: bool,
}

/// A line, cleaned, and masked by the rules of its target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogLine {
    /// When it was written, in nanoseconds since 1970.
    pub at: i64,
    /// Whether it says so itself; else it is when the line before it was written, as far as that is known.
    pub dated: bool,
    /// A digest of its stream and text: with its moment it is known again.
    pub digest: u64,
    /// The labels of its stream, and what is found in it.
    pub labels: Vec<(String, String)>,
    /// What it says.
    pub text: String,
}

impl LogLine {
    /// The value of a label; empty where it has none of this name.
    #[must_use]
    pub fn label(&self, name: &str) -> &str {
        self.labels.iter().find(|(label, _)| label == name).map_or("", |(_, value)| value)
    }

    /// The word for its level.
    #[must_use]
    pub fn level(&self) -> &str {
        match self.label("level") {
            "" => self.label("detected_level"),
            word => word,
        }
    }

    /// How bad it says that it is.
    #[must_use]
    pub fn tone(&self) -> Tone {
        Tone::of(self.level())
    }
}
