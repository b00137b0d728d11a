//! The rules about a search cluster.

use super::{SearchNode, SearchReading, SearchState};
use crate::core::alert::{RuleSpec, RuleUnit, Rulebook, Severity, Signal, Triage};
use crate::core::ids::TargetId;
use crate::core::place::{Place, Screen};
use crate::core::text::{counted, sized, tidy};
use crate::core::time::Now;
use std::time::Duration;

const NOW: Duration = Duration::ZERO;
const GIB: f64 = 1_073_741_824.0;

/// The rules of this system with their defaults.
pub const RULES: &[RuleSpec] = &[
    RuleSpec::new(
        "search.no_master",
        "the cluster has no elected master: nothing can be written, created or moved",
        RuleUnit::State,
        (None, None),
        NOW,
        Triage::Errors,
    ),
    RuleSpec::new(
        "search.red",
        "a primary shard is on no node: data is missing",
        RuleUnit::State,
        (None, None),
        NOW,
        Triage::Errors,
    ),
    RuleSpec::new(
        "search.yellow",
        "a replica is on no node, for this long",
        RuleUnit::Seconds,
        (Some(300.0), None),
        NOW,
        Triage::Capacity,
    ),
    RuleSpec::new(
        "search.heap",
        "heap in use",
        RuleUnit::Ratio,
        (Some(0.85), Some(0.95)),
        Duration::from_secs(30),
        Triage::Saturation,
    ),
    RuleSpec::new(
        "search.cpu",
        "CPU of a node",
        RuleUnit::Ratio,
        (Some(0.9), None),
        Duration::from_secs(60),
        Triage::Saturation,
    ),
    RuleSpec::new(
        "search.disk",
        "a node's disk is past a watermark",
        RuleUnit::State,
        (None, None),
        NOW,
        Triage::Capacity,
    ),
    RuleSpec::new(
        "search.read_only",
        "indices refuse writes after a full disk",
        RuleUnit::State,
        (None, None),
        NOW,
        Triage::Errors,
    ),
    RuleSpec::new(
        "search.rejections",
        "searches or writes refused",
        RuleUnit::PerSecond,
        (Some(0.1), Some(10.0)),
        NOW,
        Triage::Errors,
    ),
    RuleSpec::new(
        "search.breaker",
        "circuit breakers tripped",
        RuleUnit::PerSecond,
        (Some(0.01), None),
        NOW,
        Triage::Errors,
    ),
    RuleSpec::new(
        "search.lifecycle",
        "a lifecycle step failed",
        RuleUnit::State,
        (None, None),
        NOW,
        Triage::Capacity,
    ),
    RuleSpec::new(
        "search.allocation",
        "shard allocation is switched off",
        RuleUnit::State,
        (None, None),
        NOW,
        Triage::Capacity,
    ),
];

struct Scene<'a> {
    target: &'a TargetId,
    rules: &'a Rulebook,
    list: Vec<Signal>,
}

impl Scene<'_> {
    fn add(
        &mut self,
        rule: &'static str,
        subject: &str,
        severity: Option<Severity>,
        sentence: String,
        step: &str,
    ) {
        if let Some(severity) = severity.filter(|_| self.rules.get(rule).enabled) {
            self.list.push(Signal {
                rule,
                target: self.target.clone(),
                subject: subject.to_owned(),
                severity,
                sentence,
                observed_for: None,
                hit: 0,
                next_step: step.to_owned(),
                place: Place { screen: Screen::Search, row: None },
            });
        }
    }
}

/// Everything that is wrong with `target` at `now` by `rules`.
#[must_use]
pub fn signals(state: &SearchState, target: &TargetId, rules: &Rulebook, now: Now) -> Vec<Signal> {
    let Some(reading) = state.reading() else {
        return Vec::new();
    };
    let mut scene = Scene { target, rules, list: Vec::new() };
    cluster(&mut scene, reading, state, now);
    for node in reading.nodes.ready().into_iter().flatten() {
        one(&mut scene, node);
    }
    for (rule, rate, what) in [
        ("search.rejections", state.rates.rejected, "refuses searches or writes"),
        ("search.breaker", state.rates.tripped, "trips circuit breakers"),
    ] {
        if let Some(rate) = rate {
            let sentence = format!("{target} {what}, {rate:.1} per second");
            scene.add(
                rule,
                "cluster",
                rules.grade(rule, rate),
                sentence,
                "look at heap, queues and hot nodes",
            );
        }
    }
    scene.list
}

/// Why shards are unassigned: the most frequent reason over all of them, and the nodes that left.
fn reason(reading: &SearchReading, state: &SearchState) -> String {
    let Some(away) = reading.unassigned.ready() else { return String::new() };
    let Some(first) = away.causes.first() else { return String::new() };
    let mut parts = Vec::new();
    match away.left.as_slice() {
        [] => {}
        [one] => parts.push(format!("node {} left", tidy(state.name(one), 30))),
        [one, more @ ..] => {
            parts.push(format!("node {} and {} others left", tidy(state.name(one), 30), more.len()));
        }
    }
    let of = if first.shards == away.total { String::new() } else { format!("{} of them ", first.shards) };
    parts.push(format!("{of}{}: {}", tidy(&first.index, 30), tidy(&first.why, 220)));
    format!(" ({})", parts.join("; "))
}

/// Only copies are missing that a cluster of one node can never place, and no node left: development, or a setting that asks too much.
fn is_alone(reading: &SearchReading) -> bool {
    let one = reading.health.ready().is_some_and(|health| health.data_nodes == Some(1));
    one && reading.unassigned.ready().is_some_and(|away| {
        let lost = |reason: &str| matches!(reason, "NODE_LEFT" | "ALLOCATION_FAILED" | "NODE_RESTARTING");
        away.total > 0
            && away.primaries == 0
            && away.left.is_empty()
            && !away.shards.iter().any(|shard| lost(&shard.reason))
    })
}

fn cluster(scene: &mut Scene<'_>, reading: &SearchReading, state: &SearchState, now: Now) {
    let target = scene.target;
    if let Some(words) = &reading.no_master {
        let sentence = format!("{target} has no master, it says {}", tidy(words, 240));
        let step = "start the missing master nodes; their logs say why none is elected";
        scene.add("search.no_master", "cluster", Some(Severity::Critical), sentence, step);
    }
    if let Some(health) = reading.health.ready() {
        let told = reading.unassigned.ready().filter(|away| away.total > 0);
        let shards = told
            .map_or_else(|| counted(health.unassigned.unwrap_or(0) as usize, "shard"), |away| away.counted());
        let since = state.not_green_since.map(|at| now.since(at));
        let before = scene.list.len();
        let why = reason(reading, state);
        if health.status == "red" {
            let sentence = format!("{target} is red: {shards} on no node{why}");
            let step = "look why the primaries are on no node";
            scene.add("search.red", "cluster", Some(Severity::Critical), sentence, step);
        } else if health.status == "yellow" {
            let lasted = since.unwrap_or_default().as_secs_f64();
            let alone = is_alone(reading);
            let severity =
                scene.rules.grade("search.yellow", lasted).filter(|_| !alone).or(Some(Severity::Info));
            let sentence = format!("{target} is yellow: {shards} on no node{why}");
            let step = if alone {
                "it has one data node: set number_of_replicas to 0, or add a node"
            } else if reading.unassigned.ready().is_some_and(|away| !away.left.is_empty()) {
                "bring the missing node back, or look why"
            } else {
                "look why they are on no node"
            };
            scene.add("search.yellow", "cluster", severity, sentence, step);
        }
        if let Some(signal) = scene.list.get_mut(before) {
            signal.observed_for = since;
            signal.hit = health.unassigned.unwrap_or(0);
        }
    }
    let full = reading.read_only.ready().map_or(&[][..], |full| full.as_slice());
    if let Some(first) = full.first() {
        let sentence = format!(
            "{} of {target} refuse writes after a full disk ({})",
            if full.len() == 1 { "1 index".to_owned() } else { format!("{} indices", full.len()) },
            tidy(first, 40)
        );
        let step = "free disk; the block goes by itself below the high watermark (7.4 and newer)";
        scene.add("search.read_only", "cluster", Some(Severity::Critical), sentence, step);
    }
    for failed in reading.lifecycle.ready().into_iter().flatten() {
        let again = failed.retries.map_or(String::new(), |count| format!(", tried again {}", times(count)));
        let sentence = format!(
            "the lifecycle of {} fails at {}: {}{again}",
            tidy(&failed.index, 40),
            tidy(&failed.step, 30),
            tidy(&failed.reason, 80)
        );
        scene.add(
            "search.lifecycle",
            &failed.index,
            Some(Severity::Warning),
            sentence,
            "mend the cause, then retry the step",
        );
    }
    if let Some(mode) = reading.allocation.ready().and_then(|mode| mode.as_ref()) {
        let sentence =
            format!("{target} allocates no shards: cluster.routing.allocation.enable is {}", tidy(mode, 20));
        scene.add(
            "search.allocation",
            "cluster",
            Some(Severity::Warning),
            sentence,
            "set it back to all when maintenance is over",
        );
    }
}

fn times(count: u64) -> String {
    match count {
        1 => "once".to_owned(),
        count => format!("{count} times"),
    }
}

fn one(scene: &mut Scene<'_>, node: &SearchNode) {
    let rules = scene.rules;
    let name = tidy(&node.name, 30);
    let percent = |ratio: f64| (ratio * 100.0).round();
    if let Some(heap) = node.heap_ratio {
        let sentence = format!("node {name} has {} % of its heap in use", percent(heap));
        scene.add(
            "search.heap",
            &node.id,
            rules.grade("search.heap", heap),
            sentence,
            "look for large queries and fielddata",
        );
    }
    if let Some(cpu) = node.cpu_ratio {
        let sentence = format!("the CPU of node {name} is at {} %", percent(cpu));
        scene.add(
            "search.cpu",
            &node.id,
            rules.grade("search.cpu", cpu),
            sentence,
            "look at its hot threads",
        );
    }
    let Some(free) = node.disk_free_bytes else { return };
    if node.low_free_bytes.is_none() && node.flood_free_bytes.is_none() {
        unmarked(scene, node, free);
        return;
    }
    let below = |mark: Option<f64>| mark.is_some_and(|mark| free < mark);
    let (severity, mark) = if below(node.flood_free_bytes) && node.is_frozen() {
        (Severity::Warning, "flood stage for frozen data")
    } else if below(node.flood_free_bytes) {
        (Severity::Critical, "flood stage: its indices are made read-only")
    } else if below(node.high_free_bytes) {
        (Severity::Warning, "high watermark: shards are moved away")
    } else if below(node.low_free_bytes) {
        (Severity::Info, "low watermark: no new shards are put there")
    } else {
        return;
    };
    let sentence = format!("the disk of node {name} is past its {mark} ({} free)", sized(free));
    scene.add("search.disk", &node.id, Some(severity), sentence, "free disk or add a node");
}

/// The disk of a node whose server does not watch it (its thresholds are off): nothing is made read-only before it is full.
fn unmarked(scene: &mut Scene<'_>, node: &SearchNode, free: f64) {
    let Some(used) = node.disk_ratio().filter(|_| node.holds_data() && !node.is_frozen()) else { return };
    let severity = if used > 0.99 && free < GIB {
        Severity::Critical
    } else if used > 0.95 && free < 10.0 * GIB {
        Severity::Warning
    } else {
        return;
    };
    let name = tidy(&node.name, 30);
    let sentence = format!(
        "the disk of node {name} has {} free, and the cluster's own disk thresholds are off: nothing stops it from filling up",
        sized(free)
    );
    scene.add("search.disk", &node.id, Some(severity), sentence, "free disk or add a node");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::part::Part;
    use crate::core::search::ClusterHealth;
    use crate::core::world::all_rules;

    fn found(status: &str, node: SearchNode, lasted: u64) -> Vec<(&'static str, Severity)> {
        let reading = SearchReading {
            health: Part::Ready(ClusterHealth {
                status: status.into(),
                unassigned: Some(3),
                ..ClusterHealth::default()
            }),
            nodes: Part::Ready(vec![node]).warm(Now::example(0)),
            ..SearchReading::default()
        };
        let mut state = SearchState::default();
        state.absorb(reading.clone(), Now::example(0));
        state.absorb(reading, Now::example(lasted));
        let rules = Rulebook::defaults(&all_rules());
        let list = signals(&state, &TargetId::new("es"), &rules, Now::example(lasted));
        list.iter().map(|signal| (signal.rule, signal.severity)).collect()
    }

    #[test]
    fn yellow_is_a_note_first_and_red_is_critical_at_once() {
        let calm = SearchNode::default;
        assert_eq!(found("green", calm(), 10), []);
        assert_eq!(found("yellow", calm(), 10), [("search.yellow", Severity::Info)]);
        assert_eq!(found("yellow", calm(), 301), [("search.yellow", Severity::Warning)]);
        assert_eq!(found("red", calm(), 1), [("search.red", Severity::Critical)]);
    }

    #[test]
    fn the_disk_is_held_against_the_servers_own_watermarks() {
        let node = |free| SearchNode {
            disk_free_bytes: Some(free),
            low_free_bytes: Some(300.0),
            high_free_bytes: Some(200.0),
            flood_free_bytes: Some(100.0),
            ..SearchNode::default()
        };
        assert_eq!(found("green", node(301.0), 1), []);
        assert_eq!(found("green", node(250.0), 1), [("search.disk", Severity::Info)]);
        assert_eq!(found("green", node(150.0), 1), [("search.disk", Severity::Warning)]);
        assert_eq!(found("green", node(50.0), 1), [("search.disk", Severity::Critical)]);
        let frozen = SearchNode { roles: vec!["data_frozen".into()], ..node(50.0) };
        assert_eq!(found("green", frozen, 1), [("search.disk", Severity::Warning)]);
    }

    #[test]
    fn a_disk_that_the_server_does_not_watch_is_told_when_it_is_nearly_full() {
        let node = |free: f64, roles: &[&str]| SearchNode {
            disk_total_bytes: Some(200.0 * GIB),
            disk_free_bytes: Some(free * GIB),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            ..SearchNode::default()
        };
        assert_eq!(found("green", node(12.0, &["data"]), 1), []);
        assert_eq!(found("green", node(8.0, &["data"]), 1), [("search.disk", Severity::Warning)]);
        assert_eq!(found("green", node(0.5, &["data"]), 1), [("search.disk", Severity::Critical)]);
        assert_eq!(found("green", node(0.5, &["master"]), 1), []);
    }
}
