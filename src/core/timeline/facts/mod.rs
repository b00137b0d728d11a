//! What of a target is compared from look to look: who answers, as what, with which settings. One file a system. What is known for the
//! first time is no change, part by part. Pure.

mod change;
mod metrics;
mod migrations;
mod postgres;
mod redis;
mod search;
mod versions;

pub(super) use change::Change;
pub(super) use redis::QueueSwitch;

use crate::core::part::Part;
use crate::core::place::Screen;
use crate::core::prometheus::PrometheusState;
use crate::core::system::SystemState;
use crate::core::time::Now;
use crate::core::timeline::event::Kind;
use change::{moved, on};
use metrics::MetricsFacts;
use postgres::PgFacts;
use redis::RedisFacts;
use search::SearchFacts;

/// What was known of a target at its newest look.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Facts {
    postgres: PgFacts,
    redis: RedisFacts,
    search: SearchFacts,
    prometheus: Option<String>,
    metrics: MetricsFacts,
    /// When the first and the newest look were.
    looks: Option<(Now, Now)>,
}

impl Facts {
    /// Takes in what a look at `at` saw; what is different than before.
    pub(super) fn follow(&mut self, system: &SystemState, at: Now) -> Vec<Change> {
        let (first, before) = self.looks.unwrap_or((at, at));
        self.looks = Some((first, at));
        // A target is of one system; of one that is not here nothing is followed.
        let none = Vec::new;
        let postgres = system.postgres().map_or_else(none, |state| self.postgres.follow(state, before, at));
        let redis = system.redis().map_or_else(none, |state| self.redis.follow(state, before, at));
        let search = system.search().map_or_else(none, |state| self.search.follow(state));
        let prometheus = system.prometheus().map_or_else(none, |state| self.prometheus(state));
        let metrics = system.metrics().map_or_else(none, |state| self.metrics.follow(state, first));
        [postgres, redis, search, prometheus, metrics].concat()
    }

    /// Queues that were paused or resumed since the look before.
    pub(super) fn switched(&mut self, system: &SystemState) -> Vec<QueueSwitch> {
        system.redis().map_or_else(Vec::new, |state| self.redis.switched(state))
    }

    fn prometheus(&mut self, state: &PrometheusState) -> Vec<Change> {
        let version = state.reading().and_then(|reading| match &reading.version {
            Part::Ready(version) => Some(version.clone()),
            Part::Unavailable(_) | Part::NotAsked => None,
        });
        let other = moved(&mut self.prometheus, version);
        let change = |(old, new)| {
            Change::new(Kind::Version, format!("version {old} became {new}"), on(Screen::Metrics))
        };
        other.map(change).into_iter().collect()
    }
}
