//! One try of a probe, as data.

use crate::core::whereabouts::Whereabouts;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What one try of a probe found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeReading {
    /// How long it took: to connect, or until the whole answer was there.
    pub took: Duration,
    /// The status of the answer, where it is one of HTTP.
    pub status: Option<u16>,
    /// The certificate that was shown, where the way is encrypted.
    pub certificate: Option<Certificate>,
    /// The version that it says it is of.
    pub version: String,
    /// What was looked at.
    pub looks: Vec<Look>,
}

/// A certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Whose it is.
    pub subject: String,
    /// Until it ends, in seconds; less than nothing when that is over.
    pub left_seconds: i64,
    /// From its beginning to its end, in seconds, where that is known.
    #[serde(default)]
    pub lasts_seconds: Option<i64>,
}

/// Thresholds are for certificates that last at least this long. One of six days is renewed when three are left.
const LONG_SECONDS: f64 = 56.0 * 86_400.0;

impl Certificate {
    /// How many times shorter it lasts than one that thresholds are for: 1 for most, 8 for one of a week.
    #[must_use]
    pub fn shortness(&self) -> f64 {
        self.lasts_seconds.map_or(1.0, |lasts| LONG_SECONDS / (lasts as f64).clamp(1.0, LONG_SECONDS))
    }

    /// What is left of it, as it is held against thresholds: in proportion to how long it lasts at all.
    #[must_use]
    pub fn judged_seconds(&self) -> f64 {
        self.left_seconds as f64 * self.shortness()
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// What.
    pub name: String,
    /// Whether it is as it should be.
    pub fine: bool,
    /// What was found.
    pub found: String,
}

impl ProbeReading {
    /// Not known: nothing is changed there.
    #[must_use]
    pub const fn whereabouts(&self) -> Option<&Whereabouts> {
        None
    }

    /// Whether everything is as it should be.
    #[must_use]
    pub fn is_fine(&self) -> bool {
        self.looks.iter().all(|look| look.fine)
    }
}
