//! The state of one target, by its kind: what each kind of system does with a reading, a gap and a break, and what its rules see.

use super::alert::{Rulebook, Signal};
use super::ids::TargetId;
use super::metrics::MetricsState;
use super::part::Unread;
use super::postgres::PostgresState;
use super::prometheus::PrometheusState;
use super::reading::Reading;
use super::redis::RedisState;
use super::search::SearchState;
use super::settings::SystemSettings;
use super::time::Now;
use super::{metrics, postgres, prometheus, redis, search};

/// The state of one target, by its kind.
#[derive(Clone, Debug, PartialEq)]
pub enum SystemState {
    /// A PostgreSQL server.
    Postgres(Box<PostgresState>),
    /// A Redis server and its queues.
    Redis(Box<RedisState>),
    /// A search cluster.
    Search(Box<SearchState>),
    /// A Prometheus server.
    Prometheus(Box<PrometheusState>),
    /// One `/metrics` endpoint.
    Metrics(Box<MetricsState>),
}

impl SystemState {
    /// An empty state for a target with these settings.
    #[must_use]
    pub fn new(settings: SystemSettings) -> Self {
        match settings {
            SystemSettings::Postgres(settings) => Self::Postgres(Box::new(PostgresState::new(settings))),
            SystemSettings::Redis(settings) => Self::Redis(Box::new(RedisState::new(settings))),
            SystemSettings::Search => Self::Search(Box::default()),
            SystemSettings::Prometheus(settings) => {
                Self::Prometheus(Box::new(PrometheusState::new(settings)))
            }
            SystemSettings::Metrics(settings) => Self::Metrics(Box::new(MetricsState::new(settings))),
        }
    }

    pub(super) fn absorb(&mut self, reading: Reading, now: Now) -> bool {
        match (self, reading) {
            (Self::Postgres(state), Reading::Postgres(reading)) => state.absorb(*reading, now),
            (Self::Redis(state), Reading::Redis(reading)) => state.absorb(*reading, now),
            (Self::Search(state), Reading::Search(reading)) => state.absorb(*reading, now),
            (Self::Prometheus(state), Reading::Prometheus(reading)) => state.absorb(*reading, now),
            (Self::Metrics(state), Reading::Metrics(reading)) => state.absorb(*reading, now),
            (
                Self::Postgres(_) | Self::Redis(_) | Self::Search(_) | Self::Prometheus(_) | Self::Metrics(_),
                _,
            ) => return false,
        }
        true
    }

    pub(super) fn gap(&mut self, now: Now) {
        match self {
            Self::Postgres(state) => state.gap(now),
            Self::Redis(state) => state.gap(now),
            Self::Search(state) => state.gap(now),
            Self::Prometheus(state) => state.gap(now),
            Self::Metrics(state) => state.gap(now),
        }
    }

    /// Nobody was running for a while: what is counted from poll to poll begins anew.
    pub(super) fn interrupt(&mut self) {
        match self {
            Self::Postgres(state) => state.interrupt(),
            Self::Redis(state) => state.interrupt(),
            Self::Search(state) => state.interrupt(),
            Self::Metrics(state) => state.interrupt(),
            Self::Prometheus(state) => state.interrupt(),
        }
    }

    pub(super) fn signals(&self, target: &TargetId, rules: &Rulebook, now: Now) -> Vec<Signal> {
        match self {
            Self::Postgres(state) => postgres::signals(state, target, rules, now),
            Self::Redis(state) => redis::signals(state, target, rules, now),
            Self::Search(state) => search::signals(state, target, rules, now),
            Self::Prometheus(state) => prometheus::signals(state, target, rules, now),
            Self::Metrics(state) => metrics::signals(state, target, rules, now),
        }
    }

    /// The parts that were not read though they should have been, with the rules that look at them.
    pub(super) fn unread(&self) -> Vec<Unread> {
        match self {
            Self::Postgres(state) => state.reading().map(postgres::unread),
            Self::Redis(state) => state.reading().map(redis::unread),
            Self::Search(state) => state.reading().map(search::unread),
            Self::Prometheus(state) => state.reading().map(prometheus::unread),
            Self::Metrics(_) => None,
        }
        .unwrap_or_default()
    }
}
