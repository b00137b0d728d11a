//! Looks at a search cluster: what is read only while somebody looks at it, as data.

use super::action::TaskId;
use super::looked::{HotThreads, Indicator, Indices, Names, Recovery, Snapshots};
use crate::core::part::{Part, Warm};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What is looked at.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum SearchLook {
    /// Searches and changes that run, and what waits for the master.
    Tasks,
    /// Shards on their way.
    Recoveries,
    /// Indices by what is wrong and by size.
    Indices,
    /// Aliases and data streams.
    Names,
    /// Snapshots and what makes them.
    Snapshots,
    /// The server's own diagnosis.
    Diagnosis,
    /// What the threads of a node are at, by its id.
    HotThreads(String),
}

impl SearchLook {
    /// Every look at the cluster as a whole, in the order of the screen.
    pub const ALL: [Self; 6] =
        [Self::Tasks, Self::Recoveries, Self::Indices, Self::Names, Self::Snapshots, Self::Diagnosis];

    /// Its title.
    #[must_use]
    pub const fn title(&self) -> &'static str {
        match self {
            Self::Tasks => "tasks",
            Self::Recoveries => "recoveries",
            Self::Indices => "indices",
            Self::Names => "aliases",
            Self::Snapshots => "snapshots",
            Self::Diagnosis => "diagnosis",
            Self::HotThreads(_) => "hot threads",
        }
    }

    /// What it answers.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        match self {
            Self::Tasks => {
                "searches, reindexing and bulk writes that run, the longest first; what waits for the master"
            }
            Self::Recoveries => "shards on their way: how far, from where, to where",
            Self::Indices => "by what is wrong, then by size; documents, growth, age",
            Self::Names => "aliases that point nowhere or take no writes; data streams",
            Self::Snapshots => "the newest of each repository, and what makes them by itself",
            Self::Diagnosis => {
                "what the server says is wrong, what follows, and what it advises (8.7 and newer)"
            }
            Self::HotThreads(_) => "what the busiest threads of this node are at, sampled for half a second",
        }
    }

    /// It is asked again this often while somebody looks.
    #[must_use]
    pub const fn each(&self) -> Duration {
        Duration::from_secs(match self {
            Self::Tasks | Self::Recoveries => 5,
            Self::HotThreads(_) => 15,
            Self::Indices | Self::Names | Self::Diagnosis => 60,
            Self::Snapshots => 120,
        })
    }
}

/// What looks brought: each stays as it was read last.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SearchLooks {
    /// What runs.
    pub tasks: Part<Warm<Tasks>>,
    /// What is on its way.
    pub recoveries: Part<Warm<Vec<Recovery>>>,
    /// The indices.
    pub indices: Part<Warm<Indices>>,
    /// Aliases and data streams.
    pub names: Part<Warm<Names>>,
    /// Snapshots.
    pub snapshots: Part<Warm<Snapshots>>,
    /// The server's own diagnosis, with its advice.
    pub diagnosis: Part<Warm<Vec<Indicator>>>,
    /// Threads of the node that was looked at last.
    pub hot: Part<Warm<HotThreads>>,
}

/// Tasks beyond these are counted and not listed.
pub const MOST_TASKS: usize = 500;

/// What runs, the longest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tasks {
    /// Those that nobody else began: the first [`MOST_TASKS`].
    pub running: Vec<SearchTask>,
    /// So many of those there are.
    pub total: usize,
    /// What waits for the master or is being done by it, in its order.
    pub pending: Part<Vec<PendingTask>>,
}

/// A search or a change that runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchTask {
    /// Who it is.
    pub task: TaskId,
    /// The node that coordinates it, by its id.
    pub node: String,
    /// What it does, in the server's words: the query, the indices.
    pub description: String,
    /// For how long, in nanoseconds by the clock of its node.
    pub running_nanos: u64,
    /// Whether it can be asked to end; not told by every version.
    pub cancellable: Option<bool>,
    /// It was asked to end.
    pub cancelled: bool,
    /// What its client calls itself.
    pub client: String,
    /// Parts of it that run on their own.
    pub children: usize,
}

/// Something that the master has to do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingTask {
    /// Its turn.
    pub order: u64,
    /// Its priority.
    pub priority: String,
    /// What it is about.
    pub source: String,
    /// It is being done now.
    pub executing: bool,
    /// For how long it has waited, milliseconds.
    pub waiting_millis: u64,
}
