//! The rules about what will be full within days, by our own samples. They say what will be and not what is: a warning at most, and never first.
//! What is full within hours is told by rules of its own.

use super::alert::RuleUnit::Seconds;
use super::alert::Triage::Forecast;
use super::alert::{Breach, RuleSpec, Rulebook};
use super::growth::{self, Growth, SeenBy};
use super::ids::SystemKind;
use super::metrics::rules::DISK_LEFT;
use super::place::Screen;
use super::target::TargetState;
use super::text::{lasting, sized, tidy};
use super::time::Now;
use std::time::Duration;

const TWO_WEEKS: f64 = 14.0 * 86_400.0;

/// The memory of a Redis server.
pub const MEMORY_FULL_IN: RuleSpec = RuleSpec::new(
    "redis.memory_full_in",
    "less than this until a server has all the memory that it may have, by hours or days of own samples, at most a warning",
    Seconds,
    Forecast,
)
.warning(TWO_WEEKS)
.hold(60)
.clear(3600);

/// The disk of a node of a search cluster.
pub const NODE_FULL_IN: RuleSpec = RuleSpec::new(
    "search.disk_full_in",
    "less than this until the disk of a node makes indices read-only, or is full, by hours or days of own samples, at most a warning",
    Seconds,
    Forecast,
)
.warning(TWO_WEEKS)
.hold(60)
.clear(3600);

/// A file system of a host: that of a Postgres server as well.
pub const DISK_FULL_IN: RuleSpec = RuleSpec::new(
    "metrics.disk_full_in",
    "less than this until a file system is full, by hours or days of own samples, at most a warning (node_exporter)",
    Seconds,
    Forecast,
)
.warning(TWO_WEEKS)
.hold(60)
.clear(3600);

/// The rules about what will be full within days.
pub static GROWTH_RULES: &[RuleSpec] = &[MEMORY_FULL_IN, NODE_FULL_IN, DISK_FULL_IN];

/// Below this share of its limit nothing is near its end.
const FLOOR: f64 = 0.5;
/// A line says nothing of what is more than so many times as far ahead as it was seen: six hours tell of two days, two days of two weeks.
const AHEAD: u32 = 7;

/// What of `target` will be full soon if it goes on like this.
pub(super) fn full_in(target: &TargetState, rules: &Rulebook, now: Now) -> Vec<Breach> {
    let told = match target.kind {
        SystemKind::Redis if !evicts_by_design(target) => {
            let step = "look which queues keep jobs; raise maxmemory where the machine has it";
            (&MEMORY_FULL_IN, Screen::Queues, step)
        }
        SystemKind::Search => {
            (&NODE_FULL_IN, Screen::Search, "delete old indices, give the node room, or add one")
        }
        SystemKind::Metrics => (&DISK_FULL_IN, Screen::Metrics, "look what grows there, or give it room"),
        SystemKind::Redis
        | SystemKind::Postgres
        | SystemKind::Prometheus
        | SystemKind::Alertmanager
        | SystemKind::Loki
        | SystemKind::Log
        | SystemKind::Health
        | SystemKind::Probe => return Vec::new(),
    };
    let all = growth::seen_by_us(target, now).into_iter();
    all.filter_map(|growth| breach(target, &growth, told, rules)).collect()
}

/// A cache fills up and evicts keys for as long as it lives.
fn evicts_by_design(target: &TargetState) -> bool {
    let reading = target.system.redis().and_then(|state| state.reading());
    reading.is_some_and(|reading| {
        let evicts = reading.server.policy.as_deref().is_some_and(|policy| policy != "noeviction");
        evicts && reading.queues.ready().is_none_or(Vec::is_empty)
    })
}

fn breach(
    target: &TargetState,
    growth: &Growth,
    (spec, screen, step): (&RuleSpec, Screen, &str),
    rules: &Rulebook,
) -> Option<Breach> {
    let (limit, left) = growth.limit.zip(growth.full_in().filter(|left| !left.is_zero()))?;
    let SeenBy::Us(span) = growth.seen_by else { return None };
    if growth.bytes < limit.bytes * FLOOR || left > span * AHEAD || is_told(target, growth, rules) {
        return None;
    }
    let grade = rules.grade_on(spec, &[target.id.as_str()], left.as_secs_f64())?;
    let (what, per_day) = (tidy(&growth.what, 60), sized(growth.per_day));
    let sentence = format!(
        "{}: {what} {} ({}) in {}, at +{per_day} a day as seen for {}",
        target.id,
        limit.words(),
        sized(limit.bytes),
        lasting(left),
        growth::span(span)
    );
    let mut breach = Breach::new(spec, &target.id, screen, grade, (&*growth.what, sentence));
    breach.say(step);
    Some(breach)
}

/// Whether the rule about the next hours tells of the same file system.
fn is_told(target: &TargetState, growth: &Growth, rules: &Rulebook) -> bool {
    let Some(state) = target.system.metrics() else { return false };
    let place = growth.what.strip_prefix(growth::DISK_AT).unwrap_or_default();
    let disk = state.disks.iter().find(|(known, _)| *known == place);
    let left = disk.and_then(|(_, disk)| disk.left()).map(|left: Duration| left.as_secs_f64());
    left.is_some_and(|left| rules.grade_on(&DISK_LEFT.spec, &[target.id.as_str()], left).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::alert::RuleSetting;
    use crate::core::ids::TargetId;
    use crate::core::metrics::{MetricKind, MetricSample, MetricsReading};
    use crate::core::part::Part;
    use crate::core::part::Warm;
    use crate::core::reading::Reading;
    use crate::core::redis::{QueueReading, RedisReading, RedisServer};
    use crate::core::report::PollReport;
    use crate::core::search::{SearchNode, SearchReading};
    use crate::core::sizes::SizesAt;
    use crate::core::verdict::{Overall, Verdict};
    use crate::core::world::{World, all_rules};
    use std::collections::BTreeMap;

    const GIB: f64 = 1_073_741_824.0;
    const HOUR: u64 = 3600;
    /// The moment that it is.
    const AT: u64 = 200 * HOUR;

    fn report(reading: Reading, at: Now) -> PollReport {
        PollReport::example(TargetId::new("it"), Ok(reading), at)
    }

    /// A world in which `what` of `of` was so many GiB so many hours ago, and this is read now, for two minutes.
    fn world(
        reading: &Reading,
        (what, of): (&str, &str),
        hours: u64,
        gib: impl Fn(f64) -> f64,
        rules: Rulebook,
    ) -> World {
        let now = Now::example(AT);
        let second = Duration::from_secs(1);
        let state = TargetState::new(TargetId::new("it"), reading.kind(), "h:1".to_owned(), second, now);
        let mut world = World::new(vec![state], rules);
        let half = |half: u64| SizesAt {
            at: Now::example(AT - half * 1800).wall,
            target: "it".to_owned(),
            of: of.to_owned(),
            bytes: BTreeMap::from([(what.to_owned(), (gib(half as f64 / 2.0) * GIB) as u64)]),
        };
        world.recall_sizes((0..=hours * 2).map(half).collect(), now);
        for second in 0..=120 {
            let now = Now::example(AT + second);
            world.apply(report(reading.clone(), now));
            world.evaluate(now);
        }
        world
    }

    fn redis(used: f64, most: Option<f64>, policy: &str, queues: usize) -> Reading {
        let server = RedisServer {
            run_id: "r".to_owned(),
            used_memory_bytes: Some(used * GIB),
            maxmemory_bytes: most.map(|most| most * GIB),
            policy: Some(policy.to_owned()),
            ..RedisServer::default()
        };
        let queue = || Warm::new(Now::example(AT), QueueReading::default());
        let queues = Part::Ready((0..queues).map(|_| queue()).collect());
        Reading::Redis(Box::new(RedisReading { server, queues, ..RedisReading::default() }))
    }

    fn told(world: &World, rule: &str) -> Vec<String> {
        let all = world.alerts.firing().into_iter().filter(|finding| finding.breach.rule == rule);
        all.map(|finding| finding.breach.sentence.clone()).collect()
    }

    fn without_when(told: Vec<String>) -> Vec<String> {
        let cut = |words: String| words.rsplit_once(" in ").map(|(what, _)| what.to_owned());
        told.into_iter().filter_map(cut).collect()
    }

    /// Whether a Redis of 8 GiB that may have 10 is told of, which grew so over so many hours.
    #[track_caller]
    fn memory(why: &str, reading: &Reading, hours: u64, gib: impl Fn(f64) -> f64, expected: bool) {
        let world = world(reading, ("memory", "r"), hours, gib, Rulebook::defaults(&all_rules()));
        assert_eq!(!told(&world, "redis.memory_full_in").is_empty(), expected, "{why}");
    }

    #[test]
    fn what_is_full_within_two_weeks_is_told_by_what_was_seen_long_enough() {
        let now = redis(8.0, Some(10.0), "noeviction", 1);
        let a_day = |gib: f64| move |ago: f64| 8.0 - ago / 24.0 * gib;
        memory("four days left, of three", &now, 72, a_day(0.5), true);
        memory("forty days left", &now, 72, a_day(0.05), false);
        memory("half a day left, of six hours", &now, 6, a_day(4.0), true);
        memory("four days left, of six hours", &now, 6, a_day(0.5), false);
        memory("five hours", &now, 5, a_day(4.0), false);
        memory("it came to rest", &now, 72, |ago| 8.0 - (ago - 40.0).max(0.0) / 24.0, false);
        memory("it shrinks", &now, 72, |ago| 8.0 + ago / 24.0, false);
        let of_many = redis(8.0, Some(40.0), "noeviction", 1);
        memory("less than half of it", &of_many, 72, a_day(4.0), false);
        memory("nothing limits it", &redis(8.0, None, "noeviction", 1), 72, a_day(0.5), false);
        memory("a cache", &redis(8.0, Some(10.0), "allkeys-lru", 0), 72, a_day(0.5), false);
        memory("jobs in what evicts", &redis(8.0, Some(10.0), "allkeys-lru", 1), 72, a_day(0.5), true);
        let other = world(&now, ("memory", "another run"), 72, a_day(0.5), Rulebook::defaults(&all_rules()));
        assert_eq!(told(&other, "redis.memory_full_in"), Vec::<String>::new(), "it was started anew");
    }

    #[test]
    fn it_is_a_warning_behind_all_that_is_and_can_differ_or_be_off() {
        let now = redis(8.0, Some(10.0), "noeviction", 0);
        let grows = |ago: f64| 8.0 - ago / 24.0 * 0.5;
        let with = |rules: Rulebook| world(&now, ("memory", "r"), 72, grows, rules);
        let mut low = Rulebook::defaults(&all_rules());
        let kept = low.get(MEMORY_FULL_IN.id);
        // Whatever threshold somebody gives it, it is no state.
        low.set("redis.memory_full_in", RuleSetting { critical: Some(1e9), ..kept.clone() });
        let world = with(low);
        assert_eq!(
            told(&world, "redis.memory_full_in"),
            ["it: memory is full (10 GiB) in 3d23h, at +512 MiB a day as seen for 3 d"]
        );
        let verdict = Verdict::over(&world, Now::example(AT + 120));
        assert_eq!((verdict.overall, verdict.lead), (Overall::Ok, None), "nothing is bad yet");
        let mut off = Rulebook::defaults(&all_rules());
        off.set("redis.memory_full_in", RuleSetting { enabled: false, ..kept.clone() });
        assert_eq!(told(&with(off), "redis.memory_full_in"), Vec::<String>::new());
        let mut other = Rulebook::defaults(&all_rules());
        assert!(other.set_on("redis.memory_full_in", "it", RuleSetting { warning: Some(86_400.0), ..kept }));
        assert_eq!(told(&with(other), "redis.memory_full_in"), Vec::<String>::new());
    }

    #[test]
    fn a_node_is_at_its_end_where_its_indices_become_read_only() {
        let node = |flood: Option<f64>, assumed: bool| {
            let node = SearchNode {
                id: "n1".to_owned(),
                name: "es-1".to_owned(),
                roles: vec!["data".to_owned()],
                disk_total_bytes: Some(100.0 * GIB),
                disk_free_bytes: Some(20.0 * GIB),
                flood_free_bytes: flood.map(|free| free * GIB),
                marks_assumed: assumed,
                ..SearchNode::default()
            };
            let nodes = Part::Ready(vec![node]).warm(Now::example(AT));
            let reading = Reading::Search(Box::new(SearchReading { nodes, ..SearchReading::default() }));
            let rules = Rulebook::defaults(&all_rules());
            let world =
                world(&reading, ("disk of node es-1", "n1"), 72, |ago| 80.0 - ago / 24.0 * 5.0, rules);
            without_when(told(&world, "search.disk_full_in"))
        };
        let grows = "it: disk of node es-1 is";
        assert_eq!(node(Some(5.0), false), [format!("{grows} at its flood stage (95 GiB)")]);
        assert_eq!(node(Some(5.0), true), [format!("{grows} full (100 GiB)")]);
        assert_eq!(node(None, false), [format!("{grows} full (100 GiB)")]);
    }

    #[test]
    fn a_file_system_is_told_of_once() {
        let labels = |name: &str, value: f64| MetricSample {
            name: name.to_owned(),
            labels: [("device", "/dev/sda1"), ("mountpoint", "/srv"), ("fstype", "ext4")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec(),
            value,
        };
        let samples = [
            labels("node_filesystem_size_bytes", 100.0 * GIB),
            labels("node_filesystem_free_bytes", 20.0 * GIB),
            labels("node_filesystem_avail_bytes", 20.0 * GIB),
        ];
        let reading = MetricsReading::of(&samples, &BTreeMap::<String, MetricKind>::new());
        let reading = Reading::Metrics(Box::new(reading));
        let rules = Rulebook::defaults(&all_rules());
        let world = world(&reading, ("disk at /srv", "/dev/sda1"), 72, |ago| 80.0 - ago / 24.0 * 5.0, rules);
        assert_eq!(
            without_when(told(&world, "metrics.disk_full_in")),
            ["it: disk at /srv is full (100 GiB)"]
        );
    }
}
