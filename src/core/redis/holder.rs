//! Ids for which a library throws every further job away, for nothing will free them.

use crate::core::text::{counted, tidy};
use serde::{Deserialize, Serialize};

/// An id that no job will free: its library throws every further job of that id away.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostHolder {
    /// The deduplication id; where `stray`, the id of a job.
    pub id: String,
    /// The id of the job that holds it, whose keys are gone; where `stray`, the same id: the job has keys.
    pub holder: String,
    /// It is the id of a job that is kept and stands in no list of its queue: nothing will run it, end it or remove it.
    #[serde(default)]
    pub stray: bool,
    /// Jobs that were thrown away for it, as far as events were read.
    pub thrown: u64,
}

impl LostHolder {
    /// What it does to whom, in words.
    #[must_use]
    pub fn words(&self) -> String {
        let thrown = usize::try_from(self.thrown).unwrap_or(usize::MAX);
        let verb = if thrown == 1 { "was" } else { "were" };
        let jobs = counted(thrown, "job");
        if self.stray {
            let (whose, id) = (if thrown == 1 { "its" } else { "their" }, tidy(&self.id, 40));
            return format!(
                "{jobs} {verb} thrown away: job {id} has {whose} id and stands in no list, so that nothing runs it"
            );
        }
        format!(
            "{} {verb} thrown away: deduplication id {} is held by job {}, which no longer exists",
            jobs,
            tidy(&self.id, 40),
            tidy(&self.holder, 40)
        )
    }
}
