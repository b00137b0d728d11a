//! What one poll of one target read: one shape per kind of system. The shapes live with their systems.

use super::ids::SystemKind;
use super::metrics::MetricsReading;
use super::part::Gap;
use super::postgres::PostgresReading;
use super::prometheus::PrometheusReading;
use super::redis::RedisReading;
use super::search::SearchReading;
use super::whereabouts::Whereabouts;
use serde::{Deserialize, Serialize};

/// A typed result of a poll.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// The parts of a search cluster or a Prometheus server that could not be read; the other systems examine rights for themselves.
    #[must_use]
    pub fn gaps(&self) -> Vec<(&'static str, &Gap)> {
        match self {
            Self::Search(reading) => [
                ("identity", reading.identity.gap()),
                ("health", reading.health.gap()),
                ("nodes", reading.nodes.gap()),
                ("unassigned", reading.unassigned.gap()),
                ("read-only", reading.read_only.gap()),
                ("lifecycle", reading.lifecycle.gap()),
                ("allocation", reading.allocation.gap()),
            ]
            .into_iter()
            .filter_map(|(part, gap)| Some((part, gap?)))
            .collect(),
            Self::Prometheus(reading) => [("targets", reading.targets.gap()), ("rules", reading.rules.gap())]
                .into_iter()
                .filter_map(|(part, gap)| Some((part, gap?)))
                .collect(),
            Self::Postgres(_) | Self::Redis(_) | Self::Metrics(_) => Vec::new(),
        }
    }

    /// Where the server is, by what came with its connection; `None` for systems in which nothing is changed.
    #[must_use]
    pub fn whereabouts(&self) -> Option<&Whereabouts> {
        match self {
            Self::Postgres(reading) => Some(&reading.server.whereabouts),
            Self::Redis(reading) => Some(&reading.whereabouts),
            Self::Search(_) | Self::Prometheus(_) | Self::Metrics(_) => None,
        }
    }

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
