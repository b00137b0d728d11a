//! The rules about a Redis server and the job queues in it.

mod queues;
mod scene;

use super::held::{not_whole, serves_nobody};
use super::{RedisReading, RedisState, twice};
use crate::core::alert::{RuleSpec, RuleUnit, Rulebook, Severity, Signal, Triage};
use crate::core::ids::TargetId;
use crate::core::text::{sized, tidy};
use crate::core::time::Now;
use scene::Scene;
use std::time::Duration;

/// The rules of this system with their defaults.
pub const RULES: &[RuleSpec] = &[
    RuleSpec::new(
        "redis.memory",
        "memory in use against maxmemory",
        RuleUnit::Ratio,
        (Some(0.85), Some(0.95)),
        Duration::from_secs(10),
        Triage::Capacity,
    ),
    RuleSpec::new(
        "redis.serves_nobody",
        "the server loads its data, or one script holds it",
        RuleUnit::State,
        (None, None),
        Duration::ZERO,
        Triage::Errors,
    ),
    RuleSpec::new(
        "redis.cluster",
        "a cluster in which slots are not served",
        RuleUnit::State,
        (None, None),
        Duration::ZERO,
        Triage::Errors,
    ),
    RuleSpec::new(
        "queue.generations",
        "workers and producers of generations that do not see each other's jobs",
        RuleUnit::State,
        (None, None),
        Duration::from_secs(20),
        Triage::Errors,
    ),
    RuleSpec::new(
        "redis.eviction_policy",
        "a server with job queues may evict keys: jobs can vanish",
        RuleUnit::State,
        (None, None),
        Duration::ZERO,
        Triage::Capacity,
    ),
    RuleSpec::new(
        "redis.evictions",
        "keys evicted",
        RuleUnit::PerSecond,
        (Some(0.1), None),
        Duration::from_secs(10),
        Triage::Errors,
    ),
    RuleSpec::new(
        "redis.clients",
        "connected clients against maxclients",
        RuleUnit::Ratio,
        (Some(0.8), Some(0.9)),
        Duration::from_secs(10),
        Triage::Saturation,
    ),
    RuleSpec::new(
        "redis.rejected",
        "connections refused because of maxclients",
        RuleUnit::PerSecond,
        (Some(0.01), Some(1.0)),
        Duration::ZERO,
        Triage::Errors,
    ),
    RuleSpec::new(
        "redis.errors",
        "writes refused: OOM, READONLY, MISCONF or NOREPLICAS replies",
        RuleUnit::PerSecond,
        (Some(0.01), Some(1.0)),
        Duration::ZERO,
        Triage::Errors,
    ),
    RuleSpec::new(
        "redis.persistence",
        "the last save to disk failed",
        RuleUnit::State,
        (None, None),
        Duration::ZERO,
        Triage::Capacity,
    ),
    RuleSpec::new(
        "redis.replica_link",
        "a replica has lost its primary",
        RuleUnit::State,
        (None, None),
        Duration::from_secs(5),
        Triage::Lag,
    ),
    RuleSpec::new(
        "queue.no_worker",
        "jobs wait and nobody works on them, for this long",
        RuleUnit::Seconds,
        (Some(5.0), Some(60.0)),
        Duration::ZERO,
        Triage::Saturation,
    ),
    RuleSpec::new(
        "queue.dead_letters",
        "failed jobs (or a dead-letter queue) are growing, for this long",
        RuleUnit::Seconds,
        (Some(0.0), Some(300.0)),
        Duration::ZERO,
        Triage::Errors,
    ),
    RuleSpec::new(
        "queue.failing",
        "share of the jobs that ended within five minutes and failed, kept or not; of at least three failures",
        RuleUnit::Ratio,
        (Some(0.25), Some(0.9)),
        Duration::ZERO,
        Triage::Errors,
    ),
    RuleSpec::new(
        "queue.wait",
        "how long the next job in line has been ready",
        RuleUnit::Seconds,
        (Some(60.0), Some(600.0)),
        Duration::from_secs(5),
        Triage::Latency,
    ),
    RuleSpec::new(
        "queue.paused",
        "a paused queue holds jobs",
        RuleUnit::State,
        (None, None),
        Duration::from_secs(5),
        Triage::Capacity,
    ),
    RuleSpec::new(
        "queue.stalled",
        "jobs in progress have lost their worker and nobody brings them back, for this long",
        RuleUnit::Seconds,
        (Some(90.0), None),
        Duration::ZERO,
        Triage::Errors,
    ),
    RuleSpec::new(
        "queue.scheduler",
        "a scheduler makes no more jobs: how late its next one is",
        RuleUnit::Seconds,
        (Some(60.0), None),
        Duration::ZERO,
        Triage::Errors,
    ),
    RuleSpec::new(
        "queue.stranded",
        "jobs are in the list of a pause that is over: nobody will take them",
        RuleUnit::State,
        (None, None),
        Duration::from_secs(5),
        Triage::Saturation,
    ),
];

/// Everything that is wrong with `target` at `now` by `rules`.
#[must_use]
pub fn signals(state: &RedisState, target: &TargetId, rules: &Rulebook, now: Now) -> Vec<Signal> {
    let Some(reading) = state.reading() else {
        return Vec::new();
    };
    let mut scene = Scene { target, rules, now, twice: twice(reading), list: Vec::new() };
    server(&mut scene, reading, state);
    queues::all(&mut scene, reading, state);
    scene.list
}

fn server(scene: &mut Scene<'_>, reading: &RedisReading, state: &RedisState) {
    let (server, target, rules) = (&reading.server, scene.target, scene.rules);
    if let Some((sentence, step)) = serves_nobody(target, reading, state.busy_since, scene.now) {
        scene.server("redis.serves_nobody", Some(Severity::Critical), sentence, step);
    }
    if let (Some(used), Some(most)) = (server.used_memory_bytes, server.maxmemory_bytes) {
        let share = used / most;
        let sentence = format!("{target} uses {:.0} % of its {} memory", share * 100.0, sized(most));
        scene.server(
            "redis.memory",
            rules.grade("redis.memory", share),
            sentence,
            "look which queues keep jobs",
        );
    }
    if let Some(sentence) = reading.cluster.as_ref().and_then(|cluster| not_whole(target, cluster)) {
        scene.server("redis.cluster", Some(Severity::Critical), sentence, "redis-cli --cluster check");
    }
    let queues = reading.queues.ready().map_or(0, Vec::len);
    if let Some(policy) = server.policy.as_deref().filter(|policy| *policy != "noeviction" && queues > 0) {
        let limited = server.maxmemory_bytes.is_some();
        let severity = if limited { Severity::Warning } else { Severity::Info };
        let sentence = format!("{target} holds job queues but its maxmemory-policy is {}", tidy(policy, 30));
        let step = "make room, then maxmemory-policy noeviction (a full server refuses writes)";
        scene.server("redis.eviction_policy", Some(severity), sentence, step);
    }
    if let Some(rate) = state.rates.evicted {
        let sentence = format!("{target} evicts {rate:.1} keys per second");
        scene.server("redis.evictions", rules.grade("redis.evictions", rate), sentence, "raise maxmemory");
    }
    if let (Some(clients), Some(most)) = (server.clients, server.maxclients.filter(|most| *most > 0)) {
        let share = clients as f64 / most as f64;
        let sentence = format!("{target} has {clients} of {most} possible clients");
        scene.server(
            "redis.clients",
            rules.grade("redis.clients", share),
            sentence,
            "find who leaks connections",
        );
    }
    if let Some(rate) = state.rates.rejected {
        let sentence = format!("{target} refuses {rate:.1} connections per second");
        scene.server(
            "redis.rejected",
            rules.grade("redis.rejected", rate),
            sentence,
            "find who leaks connections",
        );
    }
    for word in ["OOM", "READONLY", "MISCONF", "NOREPLICAS"] {
        if let Some(rate) = state.rates.errors.get(word) {
            let sentence = format!("{target} refuses writes with {word}, {rate:.1} per second");
            scene.server(
                "redis.errors",
                rules.grade("redis.errors", *rate),
                sentence,
                "look at memory, disk and role",
            );
        }
    }
    if server.rdb_ok == Some(false) || server.aof_ok == Some(false) {
        let what = if server.rdb_ok == Some(false) { "snapshot" } else { "append-only file" };
        let sentence = format!("{target} could not write its {what} to disk");
        scene.server(
            "redis.persistence",
            Some(Severity::Critical),
            sentence,
            "look at the disk and at Redis's log",
        );
    }
    if server.link_up == Some(false) {
        let sentence = format!("{target} is a replica and has lost its primary");
        scene.server("redis.replica_link", Some(Severity::Critical), sentence, "look at the primary");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::part::{Part, Warm};
    use crate::core::redis::QueueReading;
    use crate::core::redis::{Evidence, Happened, Masks, QueueRef, RedisServer};
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
        let list = signals(&state, &TargetId::new("redis"), &rules, Now::example(ask));
        list.iter().map(|signal| (signal.rule, signal.severity)).collect()
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
        let list = signals(&state, &TargetId::new("redis"), &rules, Now::example(22));
        let sentences: Vec<&str> = list.iter().map(|signal| signal.sentence.as_str()).collect();
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
        let found: Vec<_> =
            signals(&state, &TargetId::new("r"), &rules, Now::example(1)).iter().map(|s| s.rule).collect();
        assert_eq!(found, ["redis.memory", "redis.eviction_policy"]);
    }
}
