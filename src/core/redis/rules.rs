//! The rules about a Redis server and the job queues in it.

pub(crate) mod ends;
pub(crate) mod lately;
mod parts;
pub(crate) mod queues;
pub(crate) mod server;

pub use server::MEMORY;

use super::{RedisReading, RedisState};
use crate::core::alert::{Judged, Missing, Rule};
use crate::core::place::Screen;

/// The rules of this system, in the order in which they judge.
pub static RULES: &[&Rule<RedisState>] = &[
    &server::MEMORY,
    &server::SERVES_NOBODY,
    &server::CLUSTER,
    &queues::GENERATIONS,
    &server::EVICTION_POLICY,
    &server::EVICTIONS,
    &server::CLIENTS,
    &server::REJECTED,
    &server::ERRORS,
    &server::PERSISTENCE,
    &server::REPLICA_LINK,
    &server::REPLICA_LAG,
    &server::REPLICA_STATE,
    &lately::RESET,
    &lately::FLUSHED,
    &lately::SLOW_COMMAND,
    &queues::NO_WORKER,
    &ends::DEAD_LETTERS,
    &ends::FAILING,
    &queues::WAIT,
    &queues::PAUSED,
    &queues::STALLED,
    &queues::SCHEDULER,
    &queues::STRANDED,
    &ends::PARENTS,
    &ends::LOST_CHILDREN,
    &ends::THROWN_AWAY,
];

impl Judged for RedisState {
    type Reading = RedisReading;
    const SCREEN: Screen = Screen::Queues;

    fn rules() -> &'static [&'static Rule<Self>] {
        RULES
    }

    fn newest(&self) -> Option<&RedisReading> {
        self.reading()
    }

    fn missing(reading: &RedisReading) -> Vec<Missing> {
        parts::missing(reading)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::alert::{Rulebook, Severity, judge};
    use crate::core::ids::TargetId;
    use crate::core::part::{Part, Warm};
    use crate::core::redis::QueueReading;
    use crate::core::redis::{Evidence, Happened, Masks, QueueRef, RedisServer};
    use crate::core::time::Now;
    use crate::core::world::all_rules;

    fn queue(failed: u64, waiting: u64) -> QueueReading {
        QueueReading {
            queue: QueueRef { prefix: "bull".into(), name: "emails".into() },
            evidence: Evidence { workers: Some(0), ..Evidence::default() },
            failed,
            waiting,
            ..QueueReading::default()
        }
    }

    fn rules_of(readings: &[(u64, QueueReading)], ask: u64) -> Vec<(&'static str, Severity)> {
        let mut state = RedisState::default();
        for (second, queue) in readings {
            let queues = Part::Ready(vec![Warm::new(Now::example(*second), queue.clone())]);
            state.absorb(RedisReading { queues, ..RedisReading::default() }, Now::example(*second));
        }
        let rules = Rulebook::defaults(&all_rules());
        let list = judge(&state, &TargetId::new("redis"), &rules, Now::example(ask));
        list.iter().map(|breach| (breach.rule.as_str(), breach.severity)).collect()
    }

    #[test]
    fn nobody_working_gets_critical_after_a_minute() {
        let list = [(0, queue(0, 3))];
        assert_eq!(rules_of(&list, 1), []);
        assert_eq!(rules_of(&list, 10), [("queue.no_worker", Severity::Warning)]);
        assert_eq!(rules_of(&list, 61), [("queue.no_worker", Severity::Critical)]);
    }

    #[test]
    fn a_static_pile_of_failures_is_no_finding_and_growth_is() {
        assert_eq!(rules_of(&[(0, queue(500, 0)), (10, queue(500, 0))], 10), []);
        let grown = [(0, queue(500, 0)), (10, queue(501, 0))];
        assert_eq!(rules_of(&grown, 10), [("queue.dead_letters", Severity::Warning)]);
    }

    #[test]
    fn a_queue_that_keeps_no_failure_is_broken_all_the_same() {
        let happened = |failed, completed| {
            let reason = Masks::default().payload("the provider said no".to_owned());
            Part::Ready(Happened { completed, failed, reason, ..Happened::default() })
        };
        let with = |failed, completed| QueueReading { happened: happened(failed, completed), ..queue(0, 0) };
        assert_eq!(rules_of(&[(0, with(2, 0))], 1), []);
        assert_eq!(rules_of(&[(0, with(300, 0))], 1), [("queue.failing", Severity::Critical)]);
        assert_eq!(rules_of(&[(0, with(300, 400))], 1), [("queue.failing", Severity::Warning)]);
        assert_eq!(rules_of(&[(0, with(30, 400))], 1), []);
        let added = |total: f64| QueueReading { added_total: Some(total), ..queue(0, 0) };
        assert_eq!(rules_of(&[(0, added(1.0)), (2, added(9.0))], 3), [("queue.failing", Severity::Info)]);
    }

    #[test]
    fn a_pile_that_is_gone_says_that_it_recovers() {
        let mut state = RedisState::default();
        for (second, failed) in [(0, 5), (10, 8), (22, 0)] {
            let queues = Part::Ready(vec![Warm::new(Now::example(second), queue(failed, 0))]);
            state.absorb(RedisReading { queues, ..RedisReading::default() }, Now::example(second));
        }
        let rules = Rulebook::defaults(&all_rules());
        let list = judge(&state, &TargetId::new("redis"), &rules, Now::example(22));
        let sentences: Vec<&str> = list.iter().map(|breach| breach.sentence.as_str()).collect();
        assert_eq!(sentences, ["queue emails: 0 failed jobs, recovering, clear since 12 s"]);
    }

    #[test]
    fn the_eviction_policy_matters_only_with_queues() {
        let server = RedisServer {
            policy: Some("allkeys-lru".into()),
            maxmemory_bytes: Some(1e9),
            used_memory_bytes: Some(0.9e9),
            ..RedisServer::default()
        };
        let mut state = RedisState::default();
        let queues = Part::Ready(vec![Warm::new(Now::example(0), queue(0, 0))]);
        state.absorb(RedisReading { server, queues, ..RedisReading::default() }, Now::example(0));
        let rules = Rulebook::defaults(&all_rules());
        let found: Vec<_> = judge(&state, &TargetId::new("r"), &rules, Now::example(1))
            .iter()
            .map(|breach| breach.rule)
            .collect();
        assert_eq!(found, ["redis.memory", "redis.eviction_policy"]);
    }

    #[track_caller]
    fn replica(state: &str, behind_bytes: f64, expected: &[(&str, Severity)]) {
        let mut reading = RedisReading::default();
        reading.server.replicas.push(crate::core::redis::RedisReplica {
            address: "10.0.0.2:6379".to_owned(),
            state: state.to_owned(),
            behind_bytes,
        });
        let mut redis = RedisState::default();
        let now = crate::core::time::Now::example(0);
        redis.absorb(reading, now);
        let told = judge(&redis, &TargetId::new("r"), &Rulebook::defaults(&all_rules()), now);
        let found: Vec<_> = told.iter().map(|breach| (breach.rule.as_str(), breach.severity)).collect();
        assert_eq!(found, expected, "{told:?}");
    }

    #[test]
    fn a_replica_that_is_behind_or_not_in_step_is_told_by_its_primary() {
        replica("online", 1000.0, &[]);
        replica("online", 1e8, &[("redis.replica_lag", Severity::Warning)]);
        replica("online", 2e9, &[("redis.replica_lag", Severity::Critical)]);
        replica("wait_bgsave", 2e9, &[("redis.replica_state", Severity::Warning)]);
    }
}
