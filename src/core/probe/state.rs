//! What follows from several tries of one probe: how long they took.

use super::{ProbeReading, ProbeSettings};
use crate::core::history::Series;
use crate::core::time::Now;
use std::sync::Arc;

/// The latest try and those before it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProbeState {
    /// The newest try that was answered, and when.
    pub latest: Option<(Now, Arc<ProbeReading>)>,
    /// How long they took, in seconds.
    pub latency: Series,
    /// What is configured of it.
    pub settings: ProbeSettings,
}

impl ProbeState {
    /// One that was not tried yet.
    #[must_use]
    pub fn new(settings: ProbeSettings) -> Self {
        Self { settings, ..Self::default() }
    }

    /// The newest try that was answered.
    #[must_use]
    pub fn reading(&self) -> Option<&ProbeReading> {
        self.latest.as_ref().map(|(_, reading)| &**reading)
    }

    /// Takes in a new try.
    pub fn absorb(&mut self, reading: ProbeReading, now: Now) {
        self.latency.push(now, Some(reading.took.as_secs_f64()));
        self.latest = Some((now, Arc::new(reading)));
    }

    /// Nobody was running for a while: nothing is known of that time.
    pub fn interrupt(&mut self) {
        self.latency.interrupt();
    }

    /// Notes that a try was not answered: the history gets an explicit gap.
    pub fn gap(&mut self, now: Now) {
        self.latency.push(now, None);
    }
}
