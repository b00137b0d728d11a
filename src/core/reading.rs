//! What one poll of one target read: one shape per kind of system. The shapes live with their systems.

use super::ids::SystemKind;
use super::metrics::MetricsReading;
use super::postgres::PostgresReading;
use super::prometheus::PrometheusReading;
use super::redis::RedisReading;
use super::search::SearchReading;

/// A typed result of a poll.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// A PostgreSQL server.
    Postgres(Box<PostgresReading>),
    /// A Redis server and its queues.
    Redis(Box<RedisReading>),
    /// A search cluster.
    Search(Box<SearchReading>),
    /// A Prometheus server.
    Prometheus(Box<PrometheusReading>),
    /// One exposition.
    Metrics(Box<MetricsReading>),
}

impl Reading {
    /// The kind of system that it describes.
    #[must_use]
    pub const fn kind(&self) -> SystemKind {
        match self {
            Self::Postgres(_) => SystemKind::Postgres,
            Self::Redis(_) => SystemKind::Redis,
            Self::Search(_) => SystemKind::Search,
            Self::Prometheus(_) => SystemKind::Prometheus,
            Self::Metrics(_) => SystemKind::Metrics,
        }
    }
}
