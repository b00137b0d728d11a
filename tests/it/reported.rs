//! Situations in which similar tools were reported to be wrong (alert inhibition, grouping, correlation, health reports), played here.

use crate::pages::blocking::two_behind_one;
use crate::pages::world::{FIRST, Stage, payload, queue, redis, redis_at, target};
use stacktop::core::ids::SystemKind;
use stacktop::core::part::{Part, Warm};
use stacktop::core::prometheus::{AlertingRule, PrometheusReading, RulesReading};
use stacktop::core::redis::{Evidence, Happened, QueueReading, RedisReading, RedisServer};
use stacktop::core::search::{ClusterHealth, SearchNode, SearchReading, Unassigned, UnassignedShard};
use stacktop::core::time::Now;
use stacktop::core::timeline::Kind;
use stacktop::core::verdict::{Overall, Verdict};

fn failing(reason: &str) -> QueueReading {
    let happened = Happened { completed: 1, failed: 60, reason: payload(reason), ..Happened::default() };
    let evidence = Evidence { workers: Some(2), ..Evidence::default() };
    QueueReading { happened: Part::Ready(happened), evidence, ..queue("mails") }
}

/// The rule of what explains the first finding of `effect`, where it fires and something does.
fn cause_of(stage: &Stage, effect: &str) -> Option<String> {
    let firing = stage.world.alerts.firing();
    let key = firing.iter().find(|finding| finding.breach.rule == effect)?.key();
    stage.world.chain.parent(&key).map(|link| link.cause.rule.to_string())
}

fn fires(stage: &Stage, rule: &str) -> bool {
    stage.world.alerts.firing().iter().any(|finding| finding.breach.rule == rule)
}

const TIMEOUT: &str = "canceling statement due to lock timeout";

/// Sessions wait and jobs fail by that; then so many seconds in which nobody waits and jobs go on failing.
fn released(after: u64) -> Stage {
    let mut stage = Stage::with(&[("cache", SystemKind::Redis), ("pg", SystemKind::Postgres)]);
    for second in FIRST..FIRST + 20 {
        stage = stage.then(second, "pg", two_behind_one());
        stage = stage.then(second, "cache", redis(vec![failing(TIMEOUT)]));
    }
    for second in FIRST + 20..FIRST + 20 + after {
        stage = stage.then(second, "pg", crate::pages::world::postgres(Vec::new()));
        stage = stage.then(second, "cache", redis(vec![failing(TIMEOUT)]));
    }
    stage
}

/// An alert stayed inhibited for hours after the alert that inhibited it was over.
#[test]
fn what_outlives_its_cause_stands_by_itself_at_once() {
    assert_eq!(cause_of(&released(0), "queue.failing").as_deref(), Some("postgres.blocked"));
    let stage = released(1);
    assert!(!fires(&stage, "postgres.blocked") && fires(&stage, "queue.failing"));
    assert_eq!(cause_of(&stage, "queue.failing"), None);
    let verdict = Verdict::over(&stage.world, Now::example(stage.second));
    assert!(verdict.lead.is_some_and(|lead| lead.breach.rule == "queue.failing") && verdict.cause.is_none());
}

/// New alerts were put below an incident that was resolved.
#[test]
fn what_begins_after_a_cause_is_over_is_not_put_below_it() {
    let mut stage = Stage::with(&[("cache", SystemKind::Redis), ("pg", SystemKind::Postgres)]);
    stage = stage.then(FIRST, "pg", two_behind_one()).then(FIRST, "cache", redis(Vec::new()));
    for second in FIRST + 1..FIRST + 30 {
        stage = stage.then(second, "pg", crate::pages::world::postgres(Vec::new()));
        stage = stage.then(second, "cache", redis(vec![failing(TIMEOUT)]));
    }
    assert!(fires(&stage, "queue.failing"));
    assert_eq!(cause_of(&stage, "queue.failing"), None);
}

/// An alert that ended while another suppressed it was never told to be over, and stayed open for ever.
#[test]
fn what_ends_below_a_cause_that_goes_on_is_told_to_be_over() {
    let mut stage = released(0);
    for second in FIRST + 20..FIRST + 200 {
        stage = stage.then(second, "pg", two_behind_one()).then(second, "cache", redis(vec![queue("mails")]));
    }
    assert!(fires(&stage, "postgres.blocked") && !fires(&stage, "queue.failing"));
    let ended = stage.world.timeline.events().filter(|event| event.kind == Kind::Ended);
    let rules: Vec<&str> = ended.filter_map(|event| Some(event.about.as_ref()?.rule.as_str())).collect();
    assert!(rules.contains(&"queue.failing"), "{rules:?}");
}

/// Labels that both alerts lacked counted as equal, so that one alert suppressed all others.
#[test]
fn what_has_no_name_on_either_side_does_not_match() {
    let mut stage = Stage::with(&[("cache", SystemKind::Redis), ("pg", SystemKind::Postgres)]);
    let mut reading = two_behind_one();
    let Part::Ready(sessions) = &mut reading.sessions else { unreachable!("they are read") };
    for session in sessions {
        session.application.clear();
        session.client.clear();
    }
    let nameless = QueueReading { worker_hosts: vec![String::new()], ..failing("boom") };
    for second in FIRST..FIRST + 20 {
        stage = stage.then(second, "pg", reading.clone());
        stage = stage.then(second, "cache", redis(vec![nameless.clone()]));
    }
    assert!(fires(&stage, "postgres.blocked") && fires(&stage, "queue.failing"));
    assert_eq!(cause_of(&stage, "queue.failing"), None);
}

/// An alert suppressed itself, or two suppressed each other, and nobody was told.
#[test]
fn nothing_is_its_own_cause_and_every_way_up_ends() {
    let mut stage = released(0);
    stage = stage.then(FIRST + 20, "pg", two_behind_one());
    for finding in stage.world.alerts.firing() {
        let path = stage.world.chain.path(&finding.key());
        assert!(path.iter().all(|link| link.cause != finding.key() && link.cause != link.effect));
    }
    assert!(!stage.world.chain.is_empty());
}

/// An alert that is for information only woke somebody, for nothing else was wrong.
#[test]
fn an_alert_for_information_is_a_note_and_wakes_nobody() {
    let mut stage = Stage::waiting(SystemKind::Prometheus);
    let alert = AlertingRule {
        name: "CPUThrottlingHigh".to_owned(),
        state: "firing".to_owned(),
        severity: "info".to_owned(),
        ..AlertingRule::default()
    };
    for second in FIRST..FIRST + 20 {
        let rules =
            Part::Ready(RulesReading { total: 1, notable: vec![alert.clone()], ..RulesReading::default() });
        stage = stage.then(second, "prom", PrometheusReading { rules, ..PrometheusReading::default() });
    }
    assert_eq!(Verdict::over(&stage.world, Now::example(stage.second)).overall, Overall::Ok);
    assert!(fires(&stage, "prometheus.alert"));
}

/// An incident was closed as a whole when one of the things in it recovered.
#[test]
fn one_queue_that_recovers_leaves_the_other_as_it_is() {
    let mut stage = Stage::waiting(SystemKind::Redis);
    let other = || QueueReading { queue: crate::pages::world::queue_ref("letters"), ..failing("boom") };
    for second in FIRST..FIRST + 200 {
        let first = if second < FIRST + 20 { failing("boom") } else { queue("mails") };
        stage = stage.then(second, "cache", redis(vec![first, other()]));
    }
    let firing = stage.world.alerts.firing();
    let failing: Vec<&str> = firing
        .iter()
        .filter(|finding| finding.breach.rule == "queue.failing")
        .map(|finding| finding.breach.subject.as_str())
        .collect();
    assert_eq!(failing, ["queue bull:letters"]);
    assert!(firing[0].since.mono <= Now::example(FIRST + 5).mono, "it keeps its own beginning");
}

/// Incidents could not be put below one another: many failures, each with its own, and what is behind all of them.
#[test]
fn causes_of_causes_are_followed_to_the_root() {
    let mut stage = Stage::waiting(SystemKind::Redis);
    let reason = "OOM command not allowed when used memory > 'maxmemory'.";
    let letters = QueueReading {
        waiting: 50,
        dead_letter: Some(stacktop::core::redis::DeadLetter { source: Some("mails".to_owned()) }),
        ..queue("mails-dlq")
    };
    for second in 0..90_u64 {
        let server = RedisServer {
            policy: Some("noeviction".to_owned()),
            maxmemory_bytes: Some(1000.0),
            used_memory_bytes: Some(999.0),
            run_id: "one".to_owned(),
            errors_total: [("OOM".to_owned(), 5.0 * second as f64)].into(),
            ..RedisServer::default()
        };
        let letters =
            QueueReading { waiting: 50 + second, added_total: Some(second as f64), ..letters.clone() };
        let reading = RedisReading { server, ..redis_at(FIRST + second, vec![failing(reason), letters]) };
        stage = stage.then(FIRST + second, "cache", reading);
    }
    let firing = stage.world.alerts.firing();
    let letters = firing.iter().find(|finding| finding.breach.rule == "queue.dead_letters").expect("letters");
    let path = stage.world.chain.path(&letters.key());
    let rules: Vec<String> = path.iter().map(|link| link.cause.rule.to_string()).collect();
    assert_eq!(rules, ["queue.failing", "redis.memory"]);
}

/// A cluster whose shards are on no node, for this reason, beside a disk that is nearly full.
fn red(why: &str, free: f64) -> Stage {
    let mut stage = Stage::with(&[("es", SystemKind::Search)]);
    for second in (FIRST..FIRST + 200).step_by(5) {
        let now = Now::example(second);
        let shard = UnassignedShard {
            index: "products".to_owned(),
            primary: true,
            reason: "ALLOCATION_FAILED".to_owned(),
            why: why.to_owned(),
            ..UnassignedShard::default()
        };
        let node = SearchNode {
            id: "a".to_owned(),
            name: "node-a".to_owned(),
            disk_total_bytes: Some(1e12),
            disk_free_bytes: Some(free),
            low_free_bytes: Some(1.5e11),
            high_free_bytes: Some(1e11),
            flood_free_bytes: Some(5e10),
            ..SearchNode::default()
        };
        let health =
            ClusterHealth { status: "red".to_owned(), unassigned: Some(1), ..ClusterHealth::default() };
        let reading = SearchReading {
            health: Part::Ready(health),
            nodes: Part::Ready(Warm::new(now, vec![node])),
            unassigned: Part::Ready(Warm::new(now, Unassigned::of(vec![shard]))),
            ..SearchReading::default()
        };
        stage = stage.then(second, "es", reading);
    }
    stage
}

/// A health report said red without a diagnosis when a disk was full.
#[test]
fn shards_that_a_full_disk_keeps_from_their_node_are_of_that_disk_and_no_others_are() {
    let stage = red("disk_threshold: the node is above the low watermark", 6e10);
    assert!(fires(&stage, "search.disk"));
    assert_eq!(cause_of(&stage, "search.red").as_deref(), Some("search.disk"));
    let stage = red("filter: no node has the attribute that the index asks for", 6e10);
    assert!(fires(&stage, "search.disk") && fires(&stage, "search.red"));
    assert_eq!(cause_of(&stage, "search.red"), None);
}

/// A router was down, and each of the thirteen behind it was a row of its own.
#[test]
fn servers_that_are_silent_together_are_not_called_each_others_cause() {
    let mut stage = Stage::with(&[("pg", SystemKind::Postgres), ("cache", SystemKind::Redis)]);
    stage = stage.then(FIRST, "pg", two_behind_one()).then(FIRST, "cache", redis(Vec::new()));
    for second in FIRST + 1..FIRST + 60 {
        stage = stage.fails(second, "pg").fails(second, "cache");
    }
    let silent =
        stage.world.alerts.firing().into_iter().filter(|finding| finding.breach.rule == "source.silent");
    let targets: Vec<_> = silent.map(|finding| finding.breach.target.clone()).collect();
    assert!(targets.contains(&target("pg")) && targets.contains(&target("cache")), "{targets:?}");
    assert!(stage.world.chain.links().all(|link| link.effect.rule != "source.silent"));
}

/// Twenty-five queues whose workers were one process were twenty-five alarms when it was gone.
#[test]
fn queues_without_workers_are_one_sentence() {
    let idle = |n: usize| {
        let evidence = Evidence { workers: Some(0), ..Evidence::default() };
        QueueReading { waiting: 3, evidence, ..queue(&format!("q{n}")) }
    };
    let mut stage = Stage::with(&[("cache", SystemKind::Redis)]);
    for second in FIRST..FIRST + 70 {
        stage = stage.then(second, "cache", redis_at(second, (0..25).map(idle).collect()));
    }
    let firing = stage.world.alerts.firing();
    let told: Vec<&str> = firing
        .iter()
        .filter(|finding| finding.breach.rule == "queue.no_worker")
        .map(|finding| &*finding.breach.sentence)
        .collect();
    assert!(told.len() == 1 && told[0].starts_with("25 queues"), "{told:?}");
}
