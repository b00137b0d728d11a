//! Names of things that are watched. Deliberately nothing about how to reach them.

use std::fmt;
use std::sync::Arc;

/// The name of one configured instance, unique in a run ("pg-main", "redis-queues").
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TargetId(Arc<str>);

impl TargetId {
    /// A target named `name`.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(Arc::from(name))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TargetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TargetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TargetId({})", self.0)
    }
}

/// The number of something that happened in this run, in the order in which it was noticed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventId(pub u64);

/// The kind of system that a target is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SystemKind {
    /// A PostgreSQL server, primary or standby.
    Postgres,
    /// A Redis (or Valkey) server, with the job queues in it.
    Redis,
    /// An Elasticsearch or OpenSearch cluster.
    Search,
    /// The HTTP interface of a Prometheus server.
    Prometheus,
    /// One `/metrics` endpoint, scraped by stacktop itself.
    Metrics,
}

impl SystemKind {
    /// Every kind, in the order in which screens list them.
    pub const ALL: [Self; 5] = [Self::Postgres, Self::Redis, Self::Search, Self::Prometheus, Self::Metrics];

    /// The short word for the status line.
    #[must_use]
    pub const fn short(self) -> &'static str {
        match self {
            Self::Postgres => "pg",
            Self::Redis => "redis",
            Self::Search => "es",
            Self::Prometheus => "prom",
            Self::Metrics => "metrics",
        }
    }

    /// The full name for sentences.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Postgres => "Postgres",
            Self::Redis => "Redis",
            Self::Search => "Elasticsearch",
            Self::Prometheus => "Prometheus",
            Self::Metrics => "metrics endpoint",
        }
    }
}
