//! A deduplication id whose holder is gone.

use crate::core::text::{counted, tidy};
use serde::{Deserialize, Serialize};

/// A deduplication id that no job will free: its library throws every further job of that id away.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostHolder {
    /// The deduplication id.
    pub id: String,
    /// The id of the job that holds it, whose keys are gone.
    pub holder: String,
    /// Jobs that were thrown away for it, as far as events were read.
    pub thrown: u64,
}

impl LostHolder {
    /// What it does to whom, in words.
    #[must_use]
    pub fn words(&self) -> String {
        let thrown = usize::try_from(self.thrown).unwrap_or(usize::MAX);
        let verb = if thrown == 1 { "was" } else { "were" };
        format!(
            "{} {verb} thrown away: deduplication id {} is held by job {}, which no longer exists",
            counted(thrown, "job"),
            tidy(&self.id, 40),
            tidy(&self.holder, 40)
        )
    }
}
