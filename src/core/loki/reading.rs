//! One poll of a Loki server's HTTP interface, as data.

use crate::core::lines::{Asked, Count};
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
