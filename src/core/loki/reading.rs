//! One poll of a Loki server's HTTP interface, as data.

use super::levels::Tone;
use super::question::Question;
use crate::core::exact;
use crate::core::part::{Part, Warm};
use crate::core::prometheus::PanelReading;
use crate::core::whereabouts::Whereabouts;
use serde::{Deserialize, Serialize};

/// What one poll of a Loki server read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LokiReading {
    /// Whether it is ready; nothing where it does not say (behind a gateway).
    pub ready: Part<Readiness>,
    /// The labels of its streams of the last hour.
    pub labels: Part<Warm<Vec<String>>>,
    /// What it received within the last minute.
    pub received: Part<Warm<Received>>,
    /// Lines within the last minute that say that they are errors, by stream.
    pub errors: Part<Warm<Vec<Count>>>,
    /// The configured panels with numbers, in their order.
    pub panels: Vec<PanelReading>,
    /// The lines that somebody looks at. They stand in no recording: nobody asked for that.
    #[serde(skip)]
    pub asked: Vec<Asked>,
}

impl LokiReading {
    /// Not known: nothing is changed there.
    #[must_use]
    pub const fn whereabouts(&self) -> Option<&Whereabouts> {
        None
    }
}

/// What it says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readiness {
    /// Whether it takes and gives lines.
    pub ready: bool,
    /// Its words, where it does not.
    pub says: String,
}

/// What it received within a minute.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Received {
    /// The streams that were counted.
    pub selector: String,
    /// The label by which they are told apart; nothing where they are too many.
    pub label: Option<String>,
    /// Lines, by stream.
    pub streams: Vec<Count>,
}

impl Received {
    /// Lines of all streams.
    #[must_use]
    pub fn lines(&self) -> f64 {
        self.streams.iter().map(|count| count.lines).sum()
    }
}

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
    /// A digest of its stream and text: with its moment it is known again.
    pub digest: u64,
    /// The labels of its stream, and what Loki adds.
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
