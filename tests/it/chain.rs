//! The chain over small worlds: what is tied, how surely, and what is not tied though the order in time would fit.

use crate::pages::world::{FIRST, Stage, payload, queue, redis, secs, target};
use stacktop::core::chain::{Tie, edges};
use stacktop::core::ids::SystemKind;
use stacktop::core::part::{Gap, GapKind, Part, Warm};
use stacktop::core::redis::{Evidence, Happened, QueueReading, RedisReading, RedisServer};
use stacktop::core::search::{ClusterHealth, SearchNode, SearchReading, Unassigned, UnassignedShard};
use stacktop::core::time::Now;
use stacktop::core::verdict::Verdict;

/// How surely the first finding of `effect` is tied to one of `cause`, if it is.
fn tie(stage: &Stage, cause: &str, effect: &str) -> Option<Tie> {
    let firing = stage.world.alerts.firing();
    let told: Vec<String> = firing.iter().map(|finding| finding.breach.rule.to_string()).collect();
    for rule in [cause, effect] {
        assert!(told.iter().any(|found| found == rule), "{rule} does not fire, but {told:?}");
    }
    let effect = firing.iter().find(|finding| finding.breach.rule == effect)?.key();
    let link = stage.world.chain.parent(&effect).filter(|link| link.cause.rule == cause)?;
    Some(link.evidence.tie)
}

#[track_caller]
fn check(stage: &Stage, cause: &str, effect: &str, expected: Option<Tie>) {
    assert_eq!(tie(stage, cause, effect), expected, "{cause} → {effect}");
}

fn failing(reason: &str) -> QueueReading {
    let happened = Happened { completed: 1, failed: 60, reason: payload(reason), ..Happened::default() };
    let evidence = Evidence { workers: Some(2), ..Evidence::default() };
    QueueReading { happened: Part::Ready(happened), evidence, ..queue("mails") }
}

/// Jobs that fail for this reason on `cache`, while `pg` gives no data any more.
fn without_postgres(reason: &str) -> Stage {
    let stage = Stage::with(&[("cache", SystemKind::Redis), ("pg", SystemKind::Postgres)]);
    let mut stage = stage.then(FIRST, "cache", redis(vec![failing(reason)]));
    for second in 0..40 {
        stage = stage.fails(FIRST + second, "pg").then(FIRST + second, "cache", redis(vec![failing(reason)]));
    }
    stage
}

#[test]
fn an_error_that_names_the_address_of_a_silent_server_is_certain() {
    let stage = without_postgres("connect ECONNREFUSED pg.example:1");
    check(&stage, "source.silent", "queue.failing", Some(Tie::Certain));
}

#[test]
fn an_error_that_names_another_address_is_tied_to_nobody() {
    check(&without_postgres("connect ECONNREFUSED mail.example:25"), "source.silent", "queue.failing", None);
}

#[test]
fn an_error_that_names_no_address_is_tied_to_nobody() {
    check(&without_postgres("the provider said no"), "source.silent", "queue.failing", None);
}

/// A server at its limit that refuses writes, and a queue on it whose jobs fail.
fn full(policy: &str, reason: &str) -> Stage {
    let mut stage = Stage::waiting(SystemKind::Redis);
    for second in 0..30_u64 {
        let server = RedisServer {
            policy: Some(policy.to_owned()),
            maxmemory_bytes: Some(1000.0),
            used_memory_bytes: Some(999.0),
            run_id: "one".to_owned(),
            errors_total: [("OOM".to_owned(), 5.0 * second as f64)].into(),
            ..RedisServer::default()
        };
        let reading = RedisReading { server, ..redis(vec![failing(reason)]) };
        stage = stage.then(FIRST + second, "cache", reading);
    }
    stage
}

#[test]
fn writes_that_are_refused_for_want_of_memory_are_certainly_of_the_limit() {
    let stage = full("noeviction", "OOM command not allowed when used memory > 'maxmemory'.");
    check(&stage, "redis.memory", "redis.errors", Some(Tie::Certain));
}

#[test]
fn a_server_that_evicts_does_not_refuse_for_want_of_memory() {
    check(&full("allkeys-lru", "other"), "redis.memory", "redis.errors", None);
}

#[test]
fn jobs_that_fail_by_that_refusal_are_below_the_same_root() {
    let stage = full("noeviction", "OOM command not allowed when used memory > 'maxmemory'.");
    let firing = stage.world.alerts.firing();
    let jobs = firing.iter().find(|finding| finding.breach.rule == "queue.failing").expect("jobs fail");
    let (root, tie) = stage.world.chain.root(&jobs.key()).expect("a root");
    assert!(root.rule == "redis.memory" && tie == Tie::Certain, "{root:?}");
    let verdict = Verdict::over(&stage.world, Now::example(FIRST + 29));
    assert!(verdict.cause.is_some_and(|cause| cause.root.breach.rule == "redis.memory"));
}

/// A cluster with such shards on no node (whether they are primaries, and why), and with allocation as it is said, beside another that has
/// the same shards.
fn away(status: &str, allocation: &str, shards: &[(bool, &str)]) -> Stage {
    let named = ["one", "other"];
    let mut stage = Stage::with(&named.map(|name| (name, SystemKind::Search)));
    for second in [0_u64, 400] {
        for name in named {
            let now = Now::example(FIRST + second);
            let off = Some(allocation.to_owned()).filter(|_| name == "one");
            let health = ClusterHealth {
                status: status.to_owned(),
                unassigned: Some(shards.len() as u64),
                ..Default::default()
            };
            let shard = |(at, (primary, why)): (usize, &(bool, &str))| UnassignedShard {
                index: format!("i{at}"),
                primary: *primary,
                why: (*why).to_owned(),
                ..UnassignedShard::default()
            };
            let shards = Unassigned::of(shards.iter().enumerate().map(shard).collect());
            let reading = SearchReading {
                health: Part::Ready(health),
                nodes: Part::Ready(vec![SearchNode::default()]).warm(now),
                allocation: Part::Ready(Warm::new(now, off)),
                unassigned: Part::Ready(Warm::new(now, shards)),
                ..SearchReading::default()
            };
            stage = stage.then(FIRST + second, name, reading);
        }
    }
    stage
}

/// How sure it is that the setting keeps the shards of its cluster; those of another are never of it.
#[track_caller]
fn switched_off(status: &str, allocation: &str, shards: &[(bool, &str)], expected: Option<Tie>) {
    let stage = away(status, allocation, shards);
    let firing = stage.world.alerts.firing();
    let of = |name: &str| {
        let mut all = firing.iter().filter(|finding| finding.breach.target == target(name));
        let rule = format!("search.{status}");
        let finding = all.find(|finding| finding.breach.rule == rule.as_str()).expect("it is told");
        stage.world.chain.parent(&finding.key()).map(|link| (link.cause.target.clone(), link.evidence.tie))
    };
    assert_eq!(of("one"), expected.map(|tie| (target("one"), tie)), "{status} {allocation} {shards:?}");
    assert_eq!(of("other"), None, "another cluster's setting is none of its business");
}

/// A cluster was red for a primary that fits no filter, and replicas that were switched off were told to be the cause, and to mend it.
#[test]
fn shards_are_of_allocation_that_is_off_where_the_cluster_says_so_of_them() {
    let off = "enable: allocations are forbidden";
    let both = "enable: allocations are forbidden; same_shard: a copy is there";
    let filter = "filter: no node matches";
    switched_off("yellow", "none", &[(false, off)], Some(Tie::Certain));
    switched_off("yellow", "primaries", &[(false, both)], Some(Tie::Likely));
    switched_off("yellow", "none", &[(false, filter)], None);
    switched_off("red", "none", &[(true, off), (false, off)], Some(Tie::Certain));
    switched_off("red", "primaries", &[(true, filter), (false, off), (false, off)], None);
    switched_off("red", "none", &[(true, "")], Some(Tie::Likely));
    switched_off("red", "primaries", &[(true, ""), (false, "")], None);
}

#[test]
fn a_queue_without_a_worker_leaves_its_own_jobs_lying_and_no_others() {
    let idle = |name: &str, workers| {
        let evidence = Evidence { workers: Some(workers), ..Evidence::default() };
        QueueReading { waiting: 9, evidence, oldest_wait: Some(secs(90)), ..queue(name) }
    };
    let mut stage = Stage::waiting(SystemKind::Redis);
    for second in 0..20 {
        stage = stage.then(FIRST + second, "cache", redis(vec![idle("mails", 0), idle("slow", 1)]));
    }
    check(&stage, "queue.no_worker", "queue.wait", None);
}

#[test]
fn what_cannot_be_seen_explains_nothing() {
    let gap = Part::Unavailable(Gap::new(GapKind::TimedOut, "no answer"));
    let reading = RedisReading { queues: gap, ..redis(Vec::new()) };
    let stage = Stage::of(reading);
    assert!(
        stage.world.alerts.firing().iter().all(|finding| stage.world.chain.parent(&finding.key()).is_none())
    );
}

#[test]
fn every_edge_says_what_would_withdraw_it_and_is_not_between_one_rule_alone() {
    for edge in edges() {
        assert!(!edge.verb.is_empty() && !edge.withdrawn_by.is_empty());
        assert!(edge.causes.iter().any(|cause| !edge.effects.contains(cause)), "{edge:?}");
    }
}
