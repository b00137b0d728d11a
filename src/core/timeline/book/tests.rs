//! The tests of the timeline.

use super::*;
use crate::core::alert::{Breach, Grade, Rulebook};
use crate::core::ids::SystemKind;
use crate::core::metrics::{MetricSample, MetricsReading};
use crate::core::part::{Part, Warm};
use crate::core::postgres::{BackendId, PgAction, PostgresReading, Session, Slots};
use crate::core::reading::Reading;
use crate::core::redis::{QueueReading, QueueRef, RedisAction, RedisReading};
use crate::core::report::PollReport;
use crate::core::search::{SearchNode, SearchReading};
use crate::core::world::{World, all_rules};

const SECOND: Duration = Duration::from_secs(1);

/// A world of one target, which reports at these seconds; what was told after the first report.
fn told(kind: SystemKind, readings: Vec<(u64, Reading)>) -> Vec<String> {
    let id = TargetId::new("one");
    let target = TargetState::new(id.clone(), kind, String::new(), SECOND, Now::example(0));
    let mut world = World::new(vec![target], Rulebook::defaults(&all_rules()));
    let mut words = Vec::new();
    for (index, (second, reading)) in readings.into_iter().enumerate() {
        report(&mut world, &id, second, reading);
        let news = world.timeline.take_news();
        assert!(index > 0 || news.is_empty(), "what was so at first is no change: {news:?}");
        let changes = news.iter().filter(|event| event.about.is_none());
        words.extend(changes.map(|event| format!("{}: {}", event.kind.word(), event.words)));
    }
    words
}

fn report(world: &mut World, id: &TargetId, second: u64, reading: Reading) {
    let at = Now::example(second);
    world.apply(PollReport::example(id.clone(), Ok(reading), at));
    world.evaluate(at);
}

#[track_caller]
fn check(kind: SystemKind, readings: Vec<(u64, Reading)>, expected: &[&str]) {
    assert_eq!(told(kind, readings), expected);
}

/// A server that began so many seconds after the start of the example.
fn postgres(started: i64, change: impl FnOnce(&mut PostgresReading)) -> Reading {
    let mut reading = PostgresReading::default();
    reading.server.started_micros = Now::example(0).wall.timestamp_micros() + started * 1_000_000;
    reading.server.version = "16.4".to_owned();
    reading.slots = Part::Ready(Slots { max: 100, reserved: 3, used: 1, synchronous: String::new() });
    change(&mut reading);
    Reading::Postgres(Box::new(reading))
}

#[test]
fn a_server_of_postgres() {
    let same = || postgres(-500, |_| {});
    check(SystemKind::Postgres, vec![(1, same()), (2, same())], &[]);
    check(
        SystemKind::Postgres,
        vec![(1, same()), (2, postgres(2, |_| {})), (3, postgres(2, |_| {}))],
        &["restart: the server was restarted (up since 2026-09-21 14:13:22Z by its own clock)"],
    );
    // It was up long before the other one was seen last.
    check(
        SystemKind::Postgres,
        vec![(1, same()), (2, postgres(-100, |_| {}))],
        &["other: another server answers here than before (up since 2026-09-21 14:11:40Z by its own clock)"],
    );
    let checkpointer = |pid: i32| {
        let id = BackendId { pid, backend_start_micros: 7 };
        let session = Session { id, backend_type: "checkpointer".to_owned(), ..Session::default() };
        postgres(-500, |reading| reading.sessions = Part::Ready(vec![session]))
    };
    check(
        SystemKind::Postgres,
        vec![(1, checkpointer(7)), (2, checkpointer(8)), (3, checkpointer(8))],
        &["crash: a process of the server died, and every session was ended with it"],
    );
    check(
        SystemKind::Postgres,
        vec![(1, same()), (2, postgres(-500, |reading| reading.server.in_recovery = true)), (3, same())],
        &["role: it is a standby now, and was a primary", "role: it is a primary now, and was a standby"],
    );
    let slots = |max: i64, synchronous: &str| {
        let slots = Slots { max, reserved: 3, used: 1, synchronous: synchronous.to_owned() };
        postgres(-500, |reading| reading.slots = Part::Ready(slots))
    };
    // What is not read for a while is not nothing meanwhile.
    check(
        SystemKind::Postgres,
        vec![
            (1, same()),
            (2, postgres(-500, |reading| reading.slots = Part::NotAsked)),
            (3, slots(200, "")),
            (4, slots(200, "ANY 1 (a, b)")),
            (5, slots(200, "")),
        ],
        &[
            "setting: max_connections: 100 became 200",
            "setting: synchronous_standby_names: nothing became ANY 1 (a, b)",
            "setting: synchronous_standby_names: ANY 1 (a, b) became nothing",
        ],
    );
}

fn redis(run: &str, up: u64, change: impl FnOnce(&mut RedisReading)) -> Reading {
    let mut reading = RedisReading::default();
    reading.server.run_id = run.to_owned();
    reading.server.uptime = Some(SECOND * u32::try_from(up).expect("small"));
    reading.server.role = "master".to_owned();
    change(&mut reading);
    Reading::Redis(Box::new(reading))
}

fn queues(second: u64, queues: &[(&str, bool)]) -> Reading {
    let queue = |(name, paused): &(&str, bool)| {
        let queue = QueueRef { prefix: "bull".to_owned(), name: (*name).to_owned() };
        Warm::new(Now::example(second), QueueReading { queue, paused: *paused, ..QueueReading::default() })
    };
    redis("a", 500, |reading| reading.queues = Part::Ready(queues.iter().map(queue).collect()))
}

#[test]
fn a_server_of_redis() {
    check(
        SystemKind::Redis,
        vec![(1, redis("a", 500, |_| {})), (4, redis("b", 2, |_| {}))],
        &["restart: the server was restarted (up for 2.0 s)"],
    );
    check(
        SystemKind::Redis,
        vec![
            (1, redis("a", 500, |_| {})),
            (4, redis("b", 900, |reading| reading.server.role = "slave".to_owned())),
        ],
        &[
            "other: another server answers here than before (up for 15m00s)",
            "role: it is a replica now, and was a primary",
        ],
    );
    let policy = |policy: &str, limit| {
        redis("a", 500, |reading| {
            reading.server.policy = Some(policy.to_owned());
            reading.server.used_memory_bytes = Some(1.0);
            reading.server.maxmemory_bytes = limit;
        })
    };
    check(
        SystemKind::Redis,
        vec![
            (1, policy("noeviction", None)),
            (2, redis("a", 501, |_| {})),
            (3, policy("allkeys-lru", Some(1024.0))),
        ],
        &[
            "setting: maxmemory: no limit became 1.0 KiB",
            "setting: maxmemory-policy: noeviction became allkeys-lru",
        ],
    );
}

#[test]
fn queues_that_are_switched_and_by_whom() {
    check(
        SystemKind::Redis,
        vec![
            (1, queues(1, &[("a", false), ("b", true)])),
            (2, queues(2, &[("a", true), ("b", true), ("c", true)])),
            (3, queues(3, &[("a", true), ("b", false), ("c", true)])),
        ],
        &[
            "paused: queue a was paused, not by this stacktop",
            "resumed: queue b was resumed, not by this stacktop",
        ],
    );
    let many =
        |paused| [("a", paused), ("b", paused), ("c", paused), ("d", paused), ("e", paused), ("f", paused)];
    check(
        SystemKind::Redis,
        vec![(1, queues(1, &many(false))), (2, queues(2, &many(true)))],
        &["paused: 6 queues were paused, not by this stacktop: a, b, c, d, e, …"],
    );
    let id = TargetId::new("one");
    let target = TargetState::new(id.clone(), SystemKind::Redis, String::new(), SECOND, Now::example(0));
    let mut world = World::new(vec![target], Rulebook::defaults(&all_rules()));
    report(&mut world, &id, 1, queues(1, &[("a", false), ("b", false)]));
    let pause = |name: &str| {
        let queue = QueueRef { prefix: "bull".to_owned(), name: name.to_owned() };
        Action::Redis { target: id.clone(), act: RedisAction::Pause { queue } }
    };
    world.timeline.asked(&pause("a"), Now::example(2));
    world.timeline.asked(&pause("b"), Now::example(2));
    world.timeline.done(&pause("b"), &Err(ActionError::Refused("read-only".to_owned())), Now::example(2));
    report(&mut world, &id, 3, queues(3, &[("a", true), ("b", true)]));
    let words: Vec<&str> = world.timeline.events().take(2).map(|event| event.words.as_str()).collect();
    assert_eq!(
        words,
        ["queue b was paused, not by this stacktop", "queue a was paused, from here"],
        "what was refused was not done from here"
    );
}

#[test]
fn a_cluster_of_search() {
    let cluster = |second: u64, nodes: &[(&str, f64)], allocation: Option<&str>| {
        let node = |(name, up): &(&str, f64)| SearchNode {
            id: (*name).to_owned(),
            name: format!("node-{name}"),
            uptime_millis: Some(*up),
            ..SearchNode::default()
        };
        let at = Now::example(second);
        Reading::Search(Box::new(SearchReading {
            nodes: Part::Ready(Warm::new(at, nodes.iter().map(node).collect())),
            allocation: Part::Ready(Warm::new(at, allocation.map(str::to_owned))),
            ..SearchReading::default()
        }))
    };
    check(
        SystemKind::Search,
        vec![
            (1, cluster(1, &[("a", 1e6), ("b", 1e6)], None)),
            (2, cluster(2, &[("a", 1.001e6), ("c", 500.0)], Some("none"))),
            (3, cluster(3, &[("a", 100.0), ("c", 1500.0)], None)),
        ],
        &[
            "setting: cluster.routing.allocation.enable: all became none",
            "nodes: node-b left the cluster, which has 2 nodes now",
            "nodes: node-c joined the cluster, which has 2 nodes now",
            "setting: cluster.routing.allocation.enable: none became all",
            "restart: node-a began anew",
        ],
    );
}

#[test]
fn an_endpoint() {
    let wall = |second: u64| Now::example(second).wall.timestamp() as f64;
    let scrape = |start: f64, version: &str| {
        let sample = |name: &str, labels: &[(&str, &str)], value| MetricSample {
            name: name.to_owned(),
            labels: labels.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect(),
            value,
        };
        let samples = [
            sample("process_start_time_seconds", &[], start),
            sample("shop_build_info", &[("version", version), ("commit", "abc")], 1.0),
            sample("jobs_info", &[("queue", "mails")], 1.0),
            sample("requests", &[("app_version", version), ("code", "200")], 1.0),
            sample("requests", &[("app_version", version), ("code", "500")], 1.0),
            sample("errors", &[("app_version", version)], 1.0),
        ];
        Reading::Metrics(Box::new(MetricsReading::of(&samples, &BTreeMap::new())))
    };
    let old = wall(0) - 900.0;
    check(
        SystemKind::Metrics,
        vec![
            (1, scrape(old, "1.4.1")),
            (6, scrape(old, "1.4.1")),
            (11, scrape(wall(9), "1.4.2")),
            (16, scrape(wall(9), "1.4.1")),
        ],
        &[
            "restart: another process answers, which began at 2026-09-21 14:13:29Z",
            "version: shop_build_info: version 1.4.2 (revision abc) is there for the first time",
            "version: app_version 1.4.2 is there for the first time",
        ],
    );
    // A second worker behind the same address is new only to us.
    check(SystemKind::Metrics, vec![(1, scrape(old, "1")), (6, scrape(old + 60.0, "1"))], &[]);
}

/// Findings over time, by second: what fires on target `one`, with its severity.
struct Told {
    timeline: Timeline,
    book: AlertBook,
    rules: Rulebook,
}

impl Told {
    fn begin() -> Self {
        let specs: Vec<_> = all_rules();
        Self { timeline: Timeline::default(), book: AlertBook::default(), rules: Rulebook::defaults(&specs) }
    }

    fn at(&mut self, second: u64, firing: &[(&'static str, Severity, u64)]) -> Vec<String> {
        let now = Now::example(second);
        let one = TargetId::new("one");
        let breach = |(rule, severity, for_seconds): &(&'static str, Severity, u64)| {
            let spec = all_rules().into_iter().find(|spec| spec.id == *rule).expect("a rule");
            let grade = Grade { severity: *severity, value: None, threshold: None };
            let about = ("it", format!("{rule} is bad"));
            let mut breach = Breach::new(spec, &one, Screen::Queries, grade, about);
            breach.since((*for_seconds > 0).then(|| Duration::from_secs(*for_seconds)));
            breach.hits(1_u64, "session");
            breach
        };
        let breaches = firing.iter().map(breach).collect();
        let triage = |_| crate::core::alert::Triage::Errors;
        self.book.observe(breaches, &self.rules, triage, |_| false, now);
        self.timeline.judge(&self.book, [&one].into_iter(), |_| RuleUnit::Count, now);
        self.timeline.take_news().iter().map(|event| line(event)).collect()
    }
}

fn line(event: &Event) -> String {
    let lasted = event.lasted.map_or_else(String::new, |lasted| format!(" [{}]", lasting(lasted)));
    let least = event.about.as_ref().is_some_and(|about| about.at_least);
    format!("{}: {}{lasted}{}", event.kind.word(), event.words, if least { " at least" } else { "" })
}

const BLOCKED: &str = "postgres.blocked";
const PREPARED: &str = "postgres.prepared";

#[test]
fn a_finding_begins_gets_worse_and_ends() {
    let mut told = Told::begin();
    let none = Vec::<String>::new();
    assert_eq!(told.at(1, &[]), none);
    assert_eq!(
        told.at(60, &[(BLOCKED, Severity::Warning, 12)]),
        ["began: postgres.blocked is bad (for 12 s by then)"]
    );
    assert_eq!(told.at(61, &[(BLOCKED, Severity::Warning, 13)]), none);
    assert_eq!(told.at(108, &[(BLOCKED, Severity::Critical, 60)]), ["worse: postgres.blocked is bad"]);
    assert_eq!(told.at(109, &[(BLOCKED, Severity::Warning, 61)]), none, "better is not over");
    assert_eq!(told.at(110, &[(BLOCKED, Severity::Critical, 62)]), none, "it was as bad before");
    assert_eq!(told.at(148, &[]), ["ended: postgres.blocked is bad [1m40s]"]);
    assert_eq!(told.at(150, &[]), none, "what begins again soon belongs to it");
    assert_eq!(
        told.at(170, &[]),
        ["all clear: all clear after 1m40s: postgres.blocked is bad (1m40s) [1m40s]"]
    );
    assert_eq!(told.timeline.events().next().map(|event| event.at), Some(Now::example(148)));
    assert_eq!(told.at(200, &[]), none, "it is told once");
}

#[test]
fn what_is_there_at_first_is_no_change_and_its_end_is_one() {
    let mut told = Told::begin();
    let none = Vec::<String>::new();
    let chronic = (PREPARED, Severity::Warning, 0);
    let silent = ("source.silent", Severity::Critical, 0);
    assert_eq!(told.at(1, &[chronic, silent, (BLOCKED, Severity::Critical, 90)]), none);
    assert_eq!(told.at(11, &[chronic, silent]), ["ended: postgres.blocked is bad [1m40s]"]);
    // What was there before is not waited for: it may be there for ever.
    assert_eq!(
        told.at(30, &[chronic, silent]),
        [
            "all clear: over after 1m40s: postgres.blocked is bad (1m40s); 2 that were there before go on [1m40s]"
        ]
    );
    assert_eq!(told.at(61, &[silent]), ["ended: postgres.prepared is bad [1m00s] at least"]);
    assert_eq!(told.at(90, &[silent]), none, "that a warning of before ended ends no incident");
    told.at(500, &[silent, (BLOCKED, Severity::Warning, 2)]);
    told.at(508, &[silent]);
    let words = told.at(530, &[silent]);
    assert!(words.len() == 1 && words[0].contains("over after 10 s: postgres.blocked"), "{words:?}");
}

#[test]
fn what_had_to_hold_since_the_first_look_may_be_older() {
    let mut told = Told::begin();
    // A rule with a hold of ten seconds.
    let errors = ("metrics.errors", Severity::Critical, 0);
    assert_eq!(told.at(1, &[errors]), Vec::<String>::new());
    assert_eq!(
        told.at(11, &[errors]),
        ["began: metrics.errors is bad (for 10 s by then, or longer) at least"]
    );
    // It swings: it is over once it was clear for a while, and then since the beginning of that.
    assert_eq!(told.at(21, &[]), Vec::<String>::new());
    assert_eq!(told.at(36, &[])[0], "ended: metrics.errors is bad [20 s] at least");
}

#[test]
fn an_incident_is_summed_up_with_what_was_done_from_here_and_no_cause() {
    let mut told = Told::begin();
    told.at(1, &[]);
    told.at(100, &[("metrics.errors", Severity::Critical, 10), (BLOCKED, Severity::Warning, 20)]);
    let backend = BackendId { pid: 4918, backend_start_micros: 5 };
    let action = Action::Postgres {
        target: TargetId::new("one"),
        act: PgAction::Terminate { backend, promise: crate::core::postgres::Promise::default() },
    };
    told.timeline.asked(&action, Now::example(130));
    let found = Verification { settled: true, sentence: "released 9".to_owned() };
    told.timeline.looked(&action, &Ok(found), Now::example(131));
    told.at(132, &[("metrics.errors", Severity::Critical, 42)]);
    told.at(180, &[]);
    let words = told.at(200, &[]);
    assert_eq!(
        words[1..],
        ["all clear: all clear after 1m40s: metrics.errors is bad (1m30s); postgres.blocked is bad (52 s); \
             from here: terminate_backend pid 4918 after 50 s (released 9) [1m40s]"]
    );
    // What is done later belongs to another one.
    told.timeline.asked(&action, Now::example(201));
    told.at(210, &[(BLOCKED, Severity::Warning, 1), ("metrics.errors", Severity::Warning, 1)]);
    told.at(211, &[]);
    let words = told.at(230, &[]).pop().expect("it is over");
    assert!(!words.contains("from here"), "{words}");
}

#[test]
fn only_so_much_is_kept_and_what_an_earlier_run_kept_stands_before_it() {
    let mut timeline = Timeline::default();
    let event = |second: u64| Event::new(Kind::Reset, None, Now::example(second), &format!("at {second}"));
    for second in 0..2500 {
        timeline.push(event(second));
    }
    assert_eq!((timeline.events().count(), timeline.take_news().len()), (MOST, MOST));
    timeline.recall(vec![event(9)]);
    assert_eq!(timeline.events().filter(|event| event.kept).count(), 0, "there is no room");
    let mut timeline = Timeline::default();
    timeline.push(event(10));
    timeline.recall(vec![event(8), event(9)]);
    let told: Vec<_> = timeline.events().map(|event| (event.words.as_str(), event.kept)).collect();
    assert_eq!(told, [("at 10", false), ("at 9", true), ("at 8", true)]);
    assert_eq!(timeline.take_news().len(), 1, "what was kept is no news");
}
