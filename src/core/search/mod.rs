//! What is known of a Search target: the reading of one poll, the state that follows from several, and its rules. Pure.

mod action;
mod groups;
mod look;
mod looked;
mod reading;
mod row;
pub(crate) mod rules;
mod settings;
mod state;
mod unassigned;

pub use action::{ALLOCATION, BLOCK, IndexId, Keeper, REPLICAS, Request, SearchAction, TaskId, segment};
pub use groups::{Fit, ShardGroup, deciders, plain};
pub use look::{MOST_TASKS, PendingTask, SearchLook, SearchLooks, SearchTask, Tasks};
pub use looked::{
    Alias, Diagnosis, HotThreads, IndexRow, Indicator, Indices, MOST_INDICES, MOST_LINES, Names, Recovery,
    Repository, Snapshot, SnapshotPolicy, Snapshots, Stream,
};
pub use reading::*;
pub use row::SearchRow;
pub use rules::{CPU, HEAP, RULES};
pub use settings::SearchSettings;
pub use state::{SearchRates, SearchState};
pub use unassigned::{Cause, MOST_GROUPS, MOST_SHARDS, Unassigned, UnassignedShard};
