//! Jobs of a queue as they are read: lists of them, and one with everything about it.

use super::{JobState, Payload, QueueRef};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// A page of a queue's failed jobs, newest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FailedPage {
    /// Which queue.
    pub queue: QueueRef,
    /// How many newer ones were skipped.
    pub offset: u64,
    /// The jobs.
    pub jobs: Vec<FailedJob>,
}

/// A failed job in a list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FailedJob {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Why it failed.
    pub reason: Payload,
    /// Attempts made.
    pub attempts: Option<u64>,
    /// Attempts allowed.
    pub attempts_allowed: Option<u64>,
    /// How long ago it failed.
    pub age: Option<Duration>,
    /// How long the last run took.
    pub ran_for: Option<Duration>,
    /// The topmost place of the application's own code in its newest stack; empty where that is not known.
    pub frame: String,
    /// Its deduplication id.
    pub deduplication: Option<String>,
    /// The newer job that has this deduplication id now.
    pub twin: Option<String>,
    /// Its hash is gone: only the id is left, and running it would run nothing.
    pub ghost: bool,
}

/// Jobs of a queue that have not ended, the first few of each state: those that run, and those that come next.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct JobList {
    /// Which queue.
    pub queue: QueueRef,
    /// The jobs, state by state.
    pub jobs: Vec<ListedJob>,
}

/// A job in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ListedJob {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Where it is.
    pub state: JobState,
    /// How long it has been running (active), or since it was added.
    pub age: Option<Duration>,
    /// When its time comes (delayed); zero when that is over.
    pub due_in: Option<Duration>,
    /// How long its worker's lock still holds (active); none when there is no lock: it is stalled.
    pub lock: Option<Duration>,
    /// The worker that has it, where workers have names.
    pub worker: String,
    /// Its priority; the lower the sooner, none where it has none.
    pub priority: Option<u64>,
    /// Its hash is gone.
    pub ghost: bool,
}

/// One job with everything about it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct JobDetail {
    /// Which queue.
    pub queue: QueueRef,
    /// Its id.
    pub id: String,
    /// Where it is now: failed, waiting, active, …
    pub state: String,
    /// Its fields.
    pub fields: BTreeMap<String, Payload>,
    /// Fields that were too large to read, with their sizes in bytes.
    pub too_large: Vec<(String, u64)>,
    /// Its newest log lines.
    pub logs: Vec<Payload>,
    /// Its parent and its children, as far as they were read: how they are related, and their keys.
    pub links: Vec<(Kin, String)>,
}

/// A job to be, that waits for the end of the one that has its deduplication id (`keepLastIfActive`): it goes with that one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextJob {
    /// Which queue.
    pub queue: QueueRef,
    /// The id of the job for whose end it waits.
    pub behind: String,
    /// Its name.
    pub name: String,
}

/// How another job is related to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kin {
    /// It waits for this one.
    Parent,
    /// A child that failed.
    Failed,
    /// A child that failed, and for which its parent does not care.
    Ignored,
    /// A child that no longer exists: its parent waits for it in vain.
    Gone,
    /// A child that has not ended.
    Awaited,
    /// A child that had not ended, of which nobody could see whether it still exists.
    Unseen,
    /// A child that is done.
    Done,
}

impl Kin {
    /// In words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Parent => "parent",
            Self::Failed => "child, failed",
            Self::Ignored => "child, failed, ignored",
            Self::Gone => "child, gone",
            Self::Awaited => "child, awaited",
            Self::Unseen => "child, not looked at",
            Self::Done => "child, done",
        }
    }
}
