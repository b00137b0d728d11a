//! What a row stands for: its identity, never its place. Each system says which rows it has.

use super::ids::{EventId, TargetId};
use super::metrics::MetricsRow;
use super::postgres::{BackendId, PgRow};
use super::prometheus::PrometheusRow;
use super::redis::{QueueRef, RedisRow};
use super::search::SearchRow;
use std::mem::discriminant;

/// The identity of a row.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RowKey {
    /// A finding on the overview.
    Finding {
        /// Its rule.
        rule: &'static str,
        /// Where it was found.
        target: TargetId,
        /// What it is about there.
        subject: String,
    },
    /// A target itself.
    Target(TargetId),
    /// Something of a Postgres server.
    Postgres(TargetId, PgRow),
    /// Something of a Redis server and its queues.
    Redis(TargetId, RedisRow),
    /// Something of a search cluster.
    Search(TargetId, SearchRow),
    /// Something of a Prometheus server.
    Prometheus(TargetId, PrometheusRow),
    /// Something of an endpoint.
    Metrics(TargetId, MetricsRow),
    /// Something that happened.
    Event(EventId),
    /// Several rows of a table that have one value in one column.
    Counted(Counted),
}

/// What a row stands for that counts others.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Counted {
    /// Which table: the words of its heading that stay.
    pub table: String,
    /// The target that all of its rows belong to, if they do.
    pub target: Option<TargetId>,
    /// The column's heading.
    pub column: String,
    /// The value, compared whole; empty for rows that have none.
    pub value: String,
}

impl RowKey {
    /// The row of a backend, the same on every screen.
    #[must_use]
    pub fn backend(target: &TargetId, id: BackendId) -> Self {
        Self::Postgres(target.clone(), PgRow::Backend(id))
    }

    /// The row of a prepared transaction.
    #[must_use]
    pub fn prepared(target: &TargetId, gid: &str) -> Self {
        Self::Postgres(target.clone(), PgRow::Prepared(gid.to_owned()))
    }

    /// The row of a queue.
    #[must_use]
    pub fn of_queue(target: &TargetId, queue: &QueueRef) -> Self {
        Self::Redis(target.clone(), RedisRow::Queue(queue.clone()))
    }

    /// The target that it belongs to.
    #[must_use]
    pub const fn target(&self) -> Option<&TargetId> {
        match self {
            Self::Finding { target, .. }
            | Self::Target(target)
            | Self::Postgres(target, _)
            | Self::Redis(target, _)
            | Self::Search(target, _)
            | Self::Prometheus(target, _)
            | Self::Metrics(target, _) => Some(target),
            Self::Counted(counted) => counted.target.as_ref(),
            Self::Event(_) => None,
        }
    }

    /// What it is of a Postgres server, if it is of one.
    #[must_use]
    pub const fn postgres(&self) -> Option<(&TargetId, &PgRow)> {
        match self {
            Self::Postgres(target, row) => Some((target, row)),
            _ => None,
        }
    }

    /// What it is of a Redis server, if it is of one.
    #[must_use]
    pub const fn redis(&self) -> Option<(&TargetId, &RedisRow)> {
        match self {
            Self::Redis(target, row) => Some((target, row)),
            _ => None,
        }
    }

    /// The queue that it is, or is of.
    #[must_use]
    pub const fn queue(&self) -> Option<&QueueRef> {
        match self {
            Self::Redis(_, row) => row.queue(),
            _ => None,
        }
    }

    /// Whether it stands for several rows.
    #[must_use]
    pub const fn is_counted(&self) -> bool {
        matches!(self, Self::Counted(_))
    }

    /// Whether both stand for the same kind of thing, on whichever target.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Postgres(_, a), Self::Postgres(_, b)) => discriminant(a) == discriminant(b),
            (Self::Redis(_, a), Self::Redis(_, b)) => discriminant(a) == discriminant(b),
            (Self::Search(_, a), Self::Search(_, b)) => discriminant(a) == discriminant(b),
            (Self::Prometheus(_, a), Self::Prometheus(_, b)) => discriminant(a) == discriminant(b),
            (Self::Metrics(_, a), Self::Metrics(_, b)) => discriminant(a) == discriminant(b),
            (a, b) => discriminant(a) == discriminant(b),
        }
    }
}
