//! What can be done to a job queue, and how a queue and its jobs are named.

use std::fmt;

/// A queue in a Redis database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
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
        format!("{}:{}:{suffix}", self.prefix, self.name)
    }
}

impl fmt::Display for QueueRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// One change to a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueueAction {
    /// Move these failed jobs back to waiting, each only if it is still failed.
    Retry {
        /// Which queue.
        queue: QueueRef,
        /// Which jobs, frozen when the operator chose them.
        ids: Vec<String>,
    },
}

impl QueueAction {
    /// The verb for the audit trail.
    #[must_use]
    pub const fn verb(&self) -> &'static str {
        match self {
            Self::Retry { .. } => "retry_jobs",
        }
    }

    /// What is sent, for people and for the audit trail.
    #[must_use]
    pub fn statement(&self) -> String {
        match self {
            Self::Retry { queue, ids } => format!(
                "EVALSHA retry.lua on {}: each of {} ids, only if it is still in `failed`",
                queue.key("failed"),
                ids.len()
            ),
        }
    }

    /// The pinned identity, for people and for the audit trail.
    #[must_use]
    pub fn identity(&self) -> String {
        match self {
            Self::Retry { queue, ids } => {
                format!("queue {}:{} jobs {}", queue.prefix, queue.name, ids.join(","))
            }
        }
    }
}
