//! The rows that a search cluster has.

use super::action::TaskId;
use super::look::SearchLook;

/// What a row of a search cluster stands for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SearchRow {
    /// A node, by its id.
    Node(String),
    /// A copy of a shard that is on no node.
    Shard {
        /// The index.
        index: String,
        /// The number, as the server writes it.
        shard: String,
        /// Whether it is the primary.
        primary: bool,
    },
    /// Shards of one index that are on no node for one reason.
    Group {
        /// The decider that refuses, or how they became so.
        decider: String,
        /// The index.
        index: String,
    },
    /// An index that refuses writes after a full disk.
    Blocked(String),
    /// An index whose lifecycle step failed.
    Lifecycle(String),
    /// The switch of allocation.
    Allocation,
    /// Something that is read only while somebody looks at it.
    Look(SearchLook),
    /// A task.
    Task(TaskId),
    /// Something that a look lists, by its name.
    Listed(SearchLook, String),
}
