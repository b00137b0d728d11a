//! What the operator is looking at, so that a source reads details only while somebody sees them.

use super::lines::Question;
use super::postgres::Look;
use super::prometheus::Range;
use super::redis::{Listing, QueueRef};
use super::search::SearchLook;

/// Details wanted from a target with its next polls.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Focus {
    /// The texts of these statements (Postgres `queryid`s) are on the screen.
    StatementTexts(Vec<i64>),
    /// A look at a Postgres server is open.
    Look(Look),
    /// A look at a search cluster is open.
    Cluster(SearchLook),
    /// The past of an expression (Prometheus).
    Range(Range),
    /// The names of all metrics (Prometheus).
    MetricNames,
    /// A Redis server in detail.
    Server {
        /// Address of a primary of a cluster; empty where it is one server.
        node: String,
    },
    /// A page of a queue's failed jobs, newest first.
    FailedJobs {
        /// Which queue.
        queue: QueueRef,
        /// How many newer ones to skip.
        offset: u64,
        /// At most this many.
        limit: u64,
    },
    /// The first jobs of every state of a queue that have not ended.
    OpenJobs {
        /// Which queue.
        queue: QueueRef,
    },
    /// A page of a queue's jobs, or those that hold a text.
    Jobs {
        /// Which queue.
        queue: QueueRef,
        /// Which of its jobs.
        listing: Listing,
    },
    /// What is read of a queue only while somebody looks.
    More {
        /// Which queue.
        queue: QueueRef,
    },
    /// One job with everything about it.
    Job {
        /// Which queue.
        queue: QueueRef,
        /// Which job: its id, as bytes read lossily.
        id: String,
    },
    /// Lines of a log.
    Lines(Question),
}

impl Focus {
    /// The statements whose texts are on the screen.
    #[must_use]
    pub fn statements(&self) -> &[i64] {
        match self {
            Self::StatementTexts(ids) => ids,
            _ => &[],
        }
    }

    /// The queue that is looked at, if it is one.
    #[must_use]
    pub const fn queue(&self) -> Option<&QueueRef> {
        match self {
            Self::FailedJobs { queue, .. }
            | Self::OpenJobs { queue }
            | Self::Jobs { queue, .. }
            | Self::More { queue }
            | Self::Job { queue, .. } => Some(queue),
            Self::Server { .. }
            | Self::StatementTexts(_)
            | Self::Look(_)
            | Self::Cluster(_)
            | Self::Lines(_)
            | Self::Range(_)
            | Self::MetricNames => None,
        }
    }

    /// The look, if it is one.
    #[must_use]
    pub const fn look(&self) -> Option<&Look> {
        match self {
            Self::Look(look) => Some(look),
            _ => None,
        }
    }

    /// The range, if it is one.
    #[must_use]
    pub const fn range(&self) -> Option<&Range> {
        match self {
            Self::Range(range) => Some(range),
            _ => None,
        }
    }

    /// The lines that are asked for, if it is that.
    #[must_use]
    pub const fn lines(&self) -> Option<&Question> {
        match self {
            Self::Lines(question) => Some(question),
            _ => None,
        }
    }

    /// The look at a search cluster, if it is one.
    #[must_use]
    pub const fn cluster(&self) -> Option<&SearchLook> {
        match self {
            Self::Cluster(look) => Some(look),
            _ => None,
        }
    }
}
