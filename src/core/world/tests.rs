//! The tests of the world.

use super::*;
use crate::core::alert::{Judged, unread};
use crate::core::ids::SystemKind;
use crate::core::part::{Gap, GapKind, Part, Warm};
use crate::core::postgres::Look;
use crate::core::postgres::{Looked, WATCHES, Watched};
use crate::core::postgres::{Pool, PooledDatabase, Pooler, PostgresReading, PostgresState};
use crate::core::prometheus::PanelReading;
use crate::core::prometheus::{PrometheusReading, PrometheusState};
use crate::core::reading::Reading;
use crate::core::redis::{Background, ClusterReading, Evidence, QueueReading, RedisReading, RedisState};
use crate::core::search::{SearchReading, SearchState};
use std::time::Duration;

fn gap<T>() -> Part<T> {
    Part::Unavailable(Gap::new(GapKind::TimedOut, "no answer"))
}

/// A poll of the target named `name` that is polled each second.
fn report_of(name: &str, at: Now, reading: Reading) -> PollReport {
    PollReport::example(TargetId::new(name), Ok(reading), at)
}

/// Without all of its parts a system has so many rules of which nobody can say anything.
#[track_caller]
fn check_unread<S: Judged>(state: &S, count: usize) {
    let mut blind: Vec<RuleId> = unread(state).into_iter().flat_map(|part| part.rules).collect();
    blind.sort_unstable();
    blind.dedup();
    assert_eq!(blind.len(), count, "{blind:?}");
    let needy = S::rules().iter().filter(|rule| !rule.spec.needs.is_empty());
    let deaf: Vec<RuleId> = needy.map(|rule| rule.id()).filter(|id| !blind.contains(id)).collect();
    assert_eq!(deaf, Vec::<RuleId>::new(), "need a part that is never told to be missing");
}

#[test]
fn a_rule_without_its_part_is_unread() {
    let now = Now::example(0);
    let mut postgres = PostgresState::default();
    let looked = Looked { look: Look::Panel("p".to_owned()), table: gap(), asking: false };
    let reading = PostgresReading {
        sessions: gap(),
        locks: gap(),
        databases: gap(),
        slots: gap(),
        senders: gap(),
        standby: gap(),
        replication_slots: gap(),
        statements: gap(),
        health: gap(),
        pooler: gap(),
        looks: vec![looked],
        watched: WATCHES.map(|topic| Watched { topic: topic.to_owned(), table: gap() }).to_vec(),
        ..PostgresReading::default()
    };
    postgres.absorb(reading, now);
    check_unread(&postgres, 36);
    let mut redis = RedisState::default();
    let untold = Some(Gap::new(GapKind::NotPermitted, "INFO"));
    let background = Background { slow: gap(), ..Background::default() };
    let background = Some(Warm::new(now, background));
    let alone = ClusterReading { untold: untold.clone(), ..ClusterReading::default() };
    let cluster = Some(alone);
    redis.absorb(RedisReading { queues: gap(), untold, background, cluster, ..RedisReading::default() }, now);
    check_unread(&redis, 24);
    let mut search = SearchState::default();
    let reading = SearchReading {
        health: gap(),
        nodes: gap(),
        read_only: gap(),
        lifecycle: gap(),
        allocation: gap(),
        policies: gap(),
        ..SearchReading::default()
    };
    search.absorb(reading, now);
    check_unread(&search, 14);
    let mut prometheus = PrometheusState::default();
    let panels = vec![PanelReading { series: gap(), ..PanelReading::default() }];
    prometheus.absorb(
        PrometheusReading { targets: gap(), rules: gap(), panels, ..PrometheusReading::default() },
        now,
    );
    check_unread(&prometheus, 5);
}

#[test]
fn a_rule_has_one_name_and_is_declared_once() {
    let ids: Vec<RuleId> = all_rules().iter().map(|spec| spec.id).collect();
    let unique: std::collections::BTreeSet<RuleId> = ids.iter().copied().collect();
    assert_eq!(unique.len(), ids.len());
}

#[test]
fn only_what_reported_is_judged_and_silence_is_noticed_by_the_clock() {
    let second_long = Duration::from_secs(1);
    let start = Now::example(100);
    let target = |name: &str| {
        TargetState::new(TargetId::new(name), SystemKind::Redis, String::new(), second_long, start)
    };
    let mut world = World::new(vec![target("a"), target("b")], Rulebook::defaults(&all_rules()));
    let report = |name: &str, at: Now| {
        let queue = QueueReading { waiting: 3, ..Default::default() };
        let evidence = Evidence { workers: Some(0), ..Default::default() };
        let queue = QueueReading { evidence, ..queue };
        let queues = Part::Ready(vec![Warm::new(at, queue)]);
        let reading = RedisReading { queues, ..Default::default() };
        report_of(name, at, Reading::Redis(Box::new(reading)))
    };
    let mut look = |second: u64, reporting: &[&str]| {
        let now = Now::example(second);
        for name in reporting {
            world.apply(report(name, now));
            world.evaluate(now);
        }
        world.evaluate(now);
        let told = |finding: &&crate::core::alert::Finding| {
            format!("{} {} {}", finding.breach.target, finding.breach.rule, finding.breach.severity.word())
        };
        let mut list: Vec<String> = world.alerts.firing().iter().map(told).collect();
        list.sort();
        list
    };
    assert_eq!(look(101, &["a", "b"]), Vec::<String>::new());
    let warns = ["a queue.no_worker WARN", "b queue.no_worker WARN"];
    assert_eq!(look(112, &["a", "b"]), warns);
    // A minute later only one of them gave news: of the other nobody knows that it still is so.
    let later = look(162, &["a"]);
    assert_eq!(later, ["a queue.no_worker CRIT", "b queue.no_worker WARN", "b source.silent CRIT"]);
    assert_eq!(look(163, &["b"])[1], "b queue.no_worker CRIT");
}

#[test]
fn a_copy_of_the_world_is_one_of_pointers() {
    let start = Now::example(100);
    let target = |name: &str| {
        let second_long = Duration::from_secs(1);
        TargetState::new(TargetId::new(name), SystemKind::Metrics, String::new(), second_long, start)
    };
    let mut world = World::new(vec![target("a"), target("b")], Rulebook::defaults(&all_rules()));
    world.apply(report_of("a", start, Reading::Metrics(Box::default())));
    let frozen = world.clone();
    world.apply(report_of("a", start.plus(Duration::from_secs(1)), Reading::Metrics(Box::default())));
    let same = |index: usize| Arc::ptr_eq(&world.targets()[index], &frozen.targets()[index]);
    assert_eq!([same(0), same(1)], [false, true]);
    assert_eq!(frozen.targets()[0].seen, Some(start), "what is frozen stays");
}

#[test]
fn what_could_not_be_read_is_not_over() {
    let id = TargetId::new("pg");
    let second_long = Duration::from_secs(1);
    let state =
        TargetState::new(id.clone(), SystemKind::Postgres, String::new(), second_long, Now::example(100));
    let mut world = World::new(vec![state], Rulebook::defaults(&all_rules()));
    let mut at = |second: u64, pooler: Part<Pooler>| {
        let pooler = pooler.warm(Now::example(second));
        let at = Now::example(second);
        let reading = PostgresReading { pooler, ..PostgresReading::default() };
        world.apply(report_of("pg", at, Reading::Postgres(Box::new(reading))));
        world.evaluate(at);
        let firing = world.alerts.firing();
        firing.iter().map(|finding| finding.sentence(at)).collect::<Vec<_>>()
    };
    let pool = Pool {
        database: "app".into(),
        clients_waiting: 3,
        longest_wait: second_long * 60,
        ..Pool::default()
    };
    let pooler = |pools| Pooler {
        address: "127.0.0.1:6432".into(),
        pools,
        databases: vec![PooledDatabase { name: "app".into(), ..PooledDatabase::default() }],
        clients: Warm::new(Now::example(100), std::collections::BTreeMap::new()),
    };
    let found = at(101, Part::Ready(pooler(vec![pool])));
    assert!(found.len() == 1 && found[0].contains("3 clients waiting"), "{found:?}");
    let found = at(111, gap());
    assert!(
        found.iter().any(|line| line.contains("3 clients") && line.ends_with("(as of 10 s ago)")),
        "{found:?}"
    );
    assert_eq!(at(112, Part::Ready(pooler(Vec::new()))), Vec::<String>::new());
}
