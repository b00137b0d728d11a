//! What the configuration says of a target, as far as its state, its rules and its pages need it. It stays with the target: a reading is
//! data of the outside only.

use super::ids::SystemKind;
use super::metrics::MetricsSettings;
use super::postgres::PostgresSettings;
use super::prometheus::PrometheusSettings;
use super::redis::RedisSettings;

/// The settings of one target, by its kind.
#[derive(Clone, Debug, PartialEq)]
pub enum SystemSettings {
    /// Of a PostgreSQL server.
    Postgres(PostgresSettings),
    /// Of a Redis server and its queues.
    Redis(RedisSettings),
    /// Of a search cluster: there are none.
    Search,
    /// Of a Prometheus server.
    Prometheus(PrometheusSettings),
    /// Of one `/metrics` endpoint.
    Metrics(MetricsSettings),
}

impl SystemSettings {
    /// The kind of system that they are for.
    #[must_use]
    pub const fn kind(&self) -> SystemKind {
        match self {
            Self::Postgres(_) => SystemKind::Postgres,
            Self::Redis(_) => SystemKind::Redis,
            Self::Search => SystemKind::Search,
            Self::Prometheus(_) => SystemKind::Prometheus,
            Self::Metrics(_) => SystemKind::Metrics,
        }
    }
}

/// What holds where nothing is configured.
impl From<SystemKind> for SystemSettings {
    fn from(kind: SystemKind) -> Self {
        match kind {
            SystemKind::Postgres => Self::Postgres(PostgresSettings::default()),
            SystemKind::Redis => Self::Redis(RedisSettings::default()),
            SystemKind::Search => Self::Search,
            SystemKind::Prometheus => Self::Prometheus(PrometheusSettings::default()),
            SystemKind::Metrics => Self::Metrics(MetricsSettings::default()),
        }
    }
}
