//! The state of one target, by its kind: what each kind of system does with a reading, a gap and a break, and what its rules see.

use super::alert::{self, Breach, RuleSpec, Rulebook, Unread};
use super::ids::TargetId;
use super::metrics::MetricsState;
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

    /// Everything that is wrong with it at `now` by `rules`.
    pub(super) fn judge(&self, target: &TargetId, rules: &Rulebook, now: Now) -> Vec<Breach> {
        match self {
            Self::Postgres(state) => alert::judge(&**state, target, rules, now),
            Self::Redis(state) => alert::judge(&**state, target, rules, now),
            Self::Search(state) => alert::judge(&**state, target, rules, now),
            Self::Prometheus(state) => alert::judge(&**state, target, rules, now),
            Self::Metrics(state) => alert::judge(&**state, target, rules, now),
        }
    }

    /// The parts that were not read though they should have been, with the rules that look at them.
    pub(super) fn unread(&self) -> Vec<Unread> {
        match self {
            Self::Postgres(state) => alert::unread(&**state),
            Self::Redis(state) => alert::unread(&**state),
            Self::Search(state) => alert::unread(&**state),
            Self::Prometheus(state) => alert::unread(&**state),
            Self::Metrics(state) => alert::unread(&**state),
        }
    }
}

/// Every rule about a system that ships, system by system.
pub(super) fn rules() -> impl Iterator<Item = &'static RuleSpec> {
    let postgres = postgres::RULES.iter().map(|rule| &rule.spec);
    let redis = redis::RULES.iter().map(|rule| &rule.spec);
    let search = search::RULES.iter().map(|rule| &rule.spec);
    let prometheus = prometheus::RULES.iter().map(|rule| &rule.spec);
    let metrics = metrics::RULES.iter().map(|rule| &rule.spec);
    postgres.chain(redis).chain(search).chain(prometheus).chain(metrics)
}
