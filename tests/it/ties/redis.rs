//! Ties of what happened to a Redis server lately, and of children that failed.

use super::{check, failing};
use crate::pages::world::{FIRST, Stage, queue, queue_ref, redis, secs, target, warm_at};
use stacktop::core::chain::Tie;
use stacktop::core::ids::SystemKind;
use stacktop::core::part::{Gap, GapKind, Part};
use stacktop::core::redis::{Background, Evidence, QueueReading, RedisReading, SlowEntry, StuckParent};
use stacktop::core::topology::{Depends, Topology};

type Expected<'a> = Option<(Tie, &'a str)>;

/// `cache` from second `at` on is changed; `other` holds the queues, or `cache` does.
fn happened(place: &str, queues: &[QueueReading], change: impl Fn(u64, &mut RedisReading)) -> Stage {
    let mut stage = Stage::with(&[("cache", SystemKind::Redis), ("other", SystemKind::Redis)]);
    for second in 0..60 {
        for name in ["cache", "other"] {
            // A queue of which nothing is known yet is no condition that lasts.
            let there = name == place && second >= 20;
            let mut reading = redis(if there { queues.to_vec() } else { Vec::new() });
            name.clone_into(&mut reading.server.run_id);
            if name == "cache" {
                change(second, &mut reading);
            }
            stage = stage.then(FIRST + second, name, reading);
        }
    }
    stage
}

fn role(second: u64, reading: &mut RedisReading) {
    let role = if second < 15 { "master" } else { "slave" };
    role.clone_into(&mut reading.server.role);
    reading.server.link_up = Some(true);
    reading.server.errors_total = [("READONLY".to_owned(), 5.0 * second.saturating_sub(15) as f64)].into();
}

#[test]
fn writes_that_a_former_primary_refuses_are_certainly_of_its_new_role() {
    let stage = happened("cache", &[], role);
    let (cause, effect) = ("redis.reset", "redis.errors");
    check(&stage, cause, effect, Some((Tie::Certain, "says that it is a replica")));
    let stage = happened("cache", &[], |second, reading| {
        role(second, reading);
        // Another refusal has another cause.
        let refused = reading.server.errors_total.remove("READONLY").unwrap_or_default();
        reading.server.errors_total.insert("OOM".to_owned(), refused);
    });
    check(&stage, cause, effect, None);
}

fn restart(second: u64, reading: &mut RedisReading) {
    if second >= 15 {
        "anew".clone_into(&mut reading.server.run_id);
    }
}

#[test]
fn a_restart_lets_clients_of_that_server_go_and_of_no_other() {
    let check = |place: &str, reason: &str, expected: Expected<'_>| {
        let stage = happened(place, &[failing("mails", reason, &[])], restart);
        check(&stage, "redis.reset", "queue.failing", expected);
    };
    check("cache", "Connection is closed.", Some((Tie::Likely, "and cache began anew")));
    check("other", "Connection is closed.", None);
    check("cache", "the provider said no", None);
}

/// Background looks each ten seconds; the server is emptied in second 15.
fn flush(second: u64, reading: &mut RedisReading) {
    let flushes_total = Some(if second < 15 { 3.0 } else { 4.0 });
    let background = Background { flushes_total, ..Background::default() };
    reading.background = Some(warm_at(FIRST + second, background));
}

#[test]
fn jobs_whose_keys_are_gone_are_certainly_of_the_flush_of_their_server() {
    let check = |place: &str, reason: &str, expected: Expected<'_>| {
        let stage = happened(place, &[failing("mails", reason, &[])], flush);
        check(&stage, "redis.flushed", "queue.failing", expected);
    };
    let reason = "Missing key for job 7. moveToFinished";
    check("cache", reason, Some((Tie::Certain, "the server counted a flush")));
    check("other", reason, None);
    check("cache", "the provider said no", None);
}

/// A command that held `cache` for so long ended in second 15.
fn slow(millis: u64) -> impl Fn(u64, &mut RedisReading) {
    move |second, reading| {
        let entry = SlowEntry {
            id: 7,
            age: secs(second.saturating_sub(15)),
            took: std::time::Duration::from_millis(millis),
            command: "KEYS *".to_owned(),
            client: "10.0.0.9:1".to_owned(),
        };
        let slow = Part::Ready(if second < 15 { Vec::new() } else { vec![entry] });
        let background = Background { slow, ..Background::default() };
        reading.background = Some(warm_at(FIRST + second, background));
    }
}

#[test]
fn one_long_command_lets_the_locks_of_that_server_run_out() {
    let check = |place: &str, reason: &str, expected: Expected<'_>| {
        let stage = happened(place, &[failing("mails", reason, &[])], slow(40_000));
        check(&stage, "redis.slow_command", "queue.failing", expected);
    };
    let reason = "could not renew lock for job 7";
    check("cache", reason, Some((Tie::Likely, "and a command ran for 40")));
    check("other", reason, None);
    check("cache", "the provider said no", None);
    let waiting =
        |oldest: u64| QueueReading { waiting: 9, oldest_wait: Some(secs(oldest)), ..queue("mails") };
    let waits = |oldest: u64, expected: Expected<'_>| {
        let stage = happened("cache", &[waiting(oldest)], slow(40_000));
        self::check(&stage, "redis.slow_command", "queue.wait", expected);
    };
    waits(70, Some((Tie::Likely, "no worker was served")));
    // What waits for an hour does not wait for that.
    waits(3600, None);
}

/// `checkout` answers with errors or finds little in its cache, and depends on this.
fn cached(depends_on: &str) -> Stage {
    let mut stage = Stage::with(&[("checkout", SystemKind::Metrics), ("cache", SystemKind::Redis)]);
    let because = "it is said".to_owned();
    let said = Depends { service: "checkout".to_owned(), on: target(depends_on), because };
    stage.world.topology = Topology::new(vec![said]);
    for second in 0..200 {
        let mut reading = redis(Vec::new());
        flush(second, &mut reading);
        stage = stage.then(FIRST + second, "cache", reading);
        let hits = if second < 15 { 50.0 } else { 5.0 };
        let looks = second.saturating_sub(15) as f64;
        let hits = 50.0 * second.min(15) as f64 + hits * looks;
        stage = stage.then(FIRST + second, "checkout", super::cache(hits, 50.0 * looks));
    }
    stage
}

#[test]
fn a_cache_that_finds_little_is_of_the_flush_of_its_own_server() {
    let (cause, effect) = ("redis.flushed", "metrics.cache_hit");
    check(&cached("cache"), cause, effect, Some((Tie::Likely, "which counted a flush")));
    check(&cached("nothing"), cause, effect, None);
}

/// Parents of `orders` wait for failed children of the queue `of`; `mails` fails.
fn flow(of: &str) -> Stage {
    let stuck =
        StuckParent { parent: "12".to_owned(), child: queue_ref(of), failed: 2, ..StuckParent::default() };
    let evidence = Evidence { workers: Some(2), ..Evidence::default() };
    let parents =
        QueueReading { waiting_children: 3, stuck: Part::Ready(vec![stuck]), evidence, ..queue("orders") };
    let mut stage = Stage::waiting(SystemKind::Redis);
    for second in 0..80 {
        let mut queues = vec![failing("mails", "boom", &[])];
        if second >= 10 {
            queues.push(parents.clone());
        }
        stage = stage.then(FIRST + second, "cache", redis(queues));
    }
    stage
}

#[test]
fn parents_wait_for_the_queue_whose_jobs_are_their_children() {
    let words = "2 child jobs of mails are among the failed ones";
    check(&flow("mails"), "queue.failing", "queue.parents", Some((Tie::Certain, words)));
    check(&flow("letters"), "queue.failing", "queue.parents", None);
    let stage = flow("mails");
    let firing = stage.world.alerts.firing();
    let told = firing.iter().find(|one| one.breach.rule == "queue.parents").expect("it is told");
    assert_eq!(
        told.breach.sentence,
        "queue orders: 1 parent job waits for children that failed (12 for 2 jobs of mails)"
    );
}

#[test]
fn children_that_may_not_be_looked_at_are_said_and_are_not_none() {
    let found = || {
        let stuck = StuckParent {
            parent: "12".to_owned(),
            child: queue_ref("mails"),
            failed: 1,
            ..StuckParent::default()
        };
        Part::Ready(vec![stuck])
    };
    let check = |first: Part<Vec<StuckParent>>, then: Part<Vec<StuckParent>>, unread: bool, told: usize| {
        let mut stage = Stage::waiting(SystemKind::Redis);
        for second in 0..120 {
            let stuck = if second < 60 { first.clone() } else { then.clone() };
            let evidence = Evidence { workers: Some(2), ..Evidence::default() };
            let orders = QueueReading { waiting_children: 3, stuck, evidence, ..queue("orders") };
            stage = stage.then(FIRST + second, "cache", redis(vec![orders]));
        }
        let firing = stage.world.alerts.firing();
        let words = "parents that wait in vain for children";
        let says = firing
            .iter()
            .any(|one| one.breach.rule == "source.unread" && one.breach.sentence.contains(words));
        assert_eq!(says, unread, "{firing:?}");
        assert_eq!(
            firing.iter().filter(|one| one.breach.rule == "queue.parents").count(),
            told,
            "{firing:?}"
        );
    };
    let none = || Part::Ready(Vec::new());
    let refused = || Part::Unavailable(Gap::new(GapKind::NotPermitted, "no right"));
    check(none(), none(), false, 0);
    check(refused(), refused(), true, 0);
    check(found(), none(), false, 0);
    // What was found and may not be looked at any more is not over.
    check(found(), refused(), true, 1);
}

#[test]
fn a_server_that_refuses_says_to_how_many_queues_nothing_is_added() {
    let mut stage = Stage::waiting(SystemKind::Redis);
    for second in 0..90_u64 {
        let busy = QueueReading { added_total: Some(10.0 * second.min(40) as f64), ..queue("mails") };
        let quiet = QueueReading { added_total: Some(5.0), ..queue("reports") };
        let at = FIRST + second;
        let mut reading = crate::pages::world::redis_at(at, vec![busy, quiet]);
        reading.server.errors_total = [("OOM".to_owned(), 5.0 * second.saturating_sub(40) as f64)].into();
        stage = stage.then(at, "cache", reading);
    }
    let firing = stage.world.alerts.firing();
    let told = firing.iter().find(|one| one.breach.rule == "redis.errors").expect("it is told");
    assert!(
        told.breach.sentence.ends_with("; nothing is added to 1 queue any more"),
        "{}",
        told.breach.sentence
    );
}
