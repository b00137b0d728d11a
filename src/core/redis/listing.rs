//! Jobs of a queue page by page, or by a text that they hold.

use super::{JobState, Payload, QueueRef};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Jobs on a page.
pub const JOBS_A_PAGE: u64 = 500;

/// A search ends with so many hits.
pub const HITS: usize = 200;

/// Which jobs of a queue are listed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Listing {
    /// A page of those in a state: what ended last, or comes next, first.
    State {
        /// Which state.
        state: JobState,
        /// So many stand before the page.
        offset: u64,
    },
    /// Those that hold a text in id, name, reason or data, whatever their state.
    Text(String),
}

/// Jobs that are listed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobPage {
    /// Which queue.
    pub queue: QueueRef,
    /// Which of its jobs.
    pub listing: Listing,
    /// The jobs.
    pub jobs: Vec<PageJob>,
    /// How many there are that might be listed.
    pub there: u64,
    /// How many of them were looked at.
    pub looked_at: u64,
    /// How many hold fields that are too large to be looked into.
    pub too_large: u64,
    /// Nothing more will be looked at.
    pub whole: bool,
}

/// A job on a page.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PageJob {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Where it is.
    pub state: JobState,
    /// How long ago it ended; of one that has not, how long ago it was added.
    pub age: Option<Duration>,
    /// What there is to say: why it failed, when it is due, where the text stands.
    pub note: Payload,
    /// Its hash is gone.
    pub ghost: bool,
}
