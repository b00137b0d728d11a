//! Which queue, and in which of its states a job is.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The prefix that the libraries use where none is given; it goes without saying.
const USUAL_PREFIX: &str = "bull";

/// A queue in a Redis database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct QueueRef {
    /// The key prefix, without the colon (default `bull`; may hold `{}` and `:`).
    pub prefix: String,
    /// The queue's name.
    pub name: String,
}

impl QueueRef {
    /// The key of this queue with `suffix`: `prefix:name:suffix`.
    #[must_use]
    pub fn key(&self, suffix: &str) -> String {
        [&self.prefix, ":", &self.name, ":", suffix].concat()
    }
}

impl fmt::Display for QueueRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Queues of the same name below other prefixes are other queues.
        if self.prefix != USUAL_PREFIX {
            write!(f, "{}:", self.prefix)?;
        }
        f.write_str(&self.name)
    }
}

/// Where a job is, in the library's own words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum JobState {
    /// Waiting for a worker: in `wait`, or in `paused` while the queue is paused.
    #[default]
    Waiting,
    /// Waiting by priority (BullMQ 4 and newer).
    Prioritized,
    /// For later.
    Delayed,
    /// A worker has it.
    Active,
    /// A parent that waits for its children.
    WaitingChildren,
    /// Done.
    Completed,
    /// Given up.
    Failed,
    /// In no list of its queue.
    Lost,
}

impl JobState {
    /// Every state.
    pub const ALL: [Self; 8] = [
        Self::Waiting,
        Self::Prioritized,
        Self::Delayed,
        Self::Active,
        Self::WaitingChildren,
        Self::Completed,
        Self::Failed,
        Self::Lost,
    ];

    /// The word for people, keys of rows and the audit trail.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Prioritized => "prioritized",
            Self::Delayed => "delayed",
            Self::Active => "active",
            Self::WaitingChildren => "waiting-children",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Lost => "in no list",
        }
    }

    /// The state of this [`word`](Self::word).
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}
