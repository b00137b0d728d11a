//! The rows that a Redis server and its queues have on any screen.

use super::listing::Listing;
use super::queue::{JobState, QueueRef};

/// What a row of a Redis server stands for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RedisRow {
    /// The server; of a cluster, the one with this address.
    Server(String),
    /// A queue.
    Queue(QueueRef),
    /// One job; its state where the row says it.
    Job(QueueRef, String, Option<JobState>),
    /// Jobs of a queue that failed alike, by what they have in common.
    FailedAlike(QueueRef, String),
    /// A page of a queue's jobs, or those that hold a text.
    Jobs(QueueRef, Listing),
    /// A worker of a queue, by its address.
    Worker(QueueRef, String),
    /// The run times of the jobs of one name.
    RunTimes(QueueRef, String),
    /// A scheduler of a queue.
    Scheduler(QueueRef, String),
    /// An event of a queue.
    Event(QueueRef, String),
    /// A consumer group of a stream: stream and group.
    Stream(String, String),
    /// A command of the server's statistics.
    Command(String),
    /// An entry of the slow log.
    Slow(i64),
    /// Connections of one name and user.
    Clients(String, String),
    /// A database by its number.
    Database(u32),
}

impl RedisRow {
    /// The queue that it is, or is of.
    #[must_use]
    pub const fn queue(&self) -> Option<&QueueRef> {
        match self {
            Self::Queue(queue)
            | Self::Job(queue, ..)
            | Self::FailedAlike(queue, _)
            | Self::Jobs(queue, _)
            | Self::Worker(queue, _)
            | Self::RunTimes(queue, _)
            | Self::Scheduler(queue, _)
            | Self::Event(queue, _) => Some(queue),
            Self::Server(_)
            | Self::Stream(..)
            | Self::Command(_)
            | Self::Slow(_)
            | Self::Clients(..)
            | Self::Database(_) => None,
        }
    }
}
