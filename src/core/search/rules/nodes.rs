//! The rules about the nodes of a search cluster.

use super::parts::{Its, NODES};
use crate::core::alert::RuleUnit::{Ratio, State};
use crate::core::alert::Triage::{Capacity, Saturation};
use crate::core::alert::{Rule, RuleSpec, Severity};
use crate::core::search::{SearchNode, SearchReading, SearchState};
use crate::core::text::{sized, tidy};

const GIB: f64 = 1_073_741_824.0;

/// The share of a node's heap in use.
pub static HEAP: Rule<SearchState> = Rule::new(
    RuleSpec::new("search.heap", "heap in use", Ratio, Saturation)
        .warning(0.85)
        .critical(0.95)
        .hold(30)
        .needs(&[NODES])
        .root(),
    heap,
);

/// The share of a node's CPU in use.
pub static CPU: Rule<SearchState> = Rule::new(
    RuleSpec::new("search.cpu", "CPU of a node", Ratio, Saturation).warning(0.9).hold(60).needs(&[NODES]),
    cpu,
);

pub(crate) static OLD_GC: Rule<SearchState> = Rule::new(
    RuleSpec::new(
        "search.old_gc",
        "share of the last minute that a node spent with the old generation of its heap, and answered nobody",
        Ratio,
        Saturation,
    )
    .warning(0.1)
    .critical(0.5)
    .needs(&[NODES])
    .root(),
    old_gc,
);

pub(crate) static DISK: Rule<SearchState> = Rule::new(
    RuleSpec::new("search.disk", "a node's disk is past a watermark", State, Capacity).needs(&[NODES]).root(),
    disk,
);

fn nodes(reading: &SearchReading) -> impl Iterator<Item = &SearchNode> {
    reading.nodes.ready().into_iter().flatten()
}

fn percent(ratio: f64) -> f64 {
    (ratio * 100.0).round()
}

fn heap(its: &mut Its<'_>, reading: &SearchReading) {
    for node in nodes(reading) {
        let Some(heap) = node.heap_ratio else { continue };
        let Some(grade) = its.level(&node.id, heap) else { continue };
        let sentence = format!("node {} has {} % of its heap in use", tidy(&node.name, 30), percent(heap));
        its.tell(grade, &node.id, sentence).look("look for large queries and fielddata");
    }
}

fn old_gc(its: &mut Its<'_>, reading: &SearchReading) {
    for node in nodes(reading) {
        let spent = its.state.collecting.get(&node.id).and_then(crate::core::rate::Lately::per_second);
        let Some((share, grade)) =
            spent.and_then(|millis| Some((millis / 1000.0, its.grade(millis / 1000.0)?)))
        else {
            continue;
        };
        let name = tidy(&node.name, 30);
        let share = percent(share);
        let sentence = format!(
            "node {name} spent {share} % of the last minute collecting garbage of its old generation"
        );
        its.tell(grade, format!("{} gc", node.id), sentence).look("look for large queries and fielddata");
    }
}

fn cpu(its: &mut Its<'_>, reading: &SearchReading) {
    for node in nodes(reading) {
        let Some(cpu) = node.cpu_ratio else { continue };
        let Some(grade) = its.level(&node.id, cpu) else { continue };
        let sentence = format!("the CPU of node {} is at {} %", tidy(&node.name, 30), percent(cpu));
        its.tell(grade, &node.id, sentence).look("look at its hot threads");
    }
}

fn disk(its: &mut Its<'_>, reading: &SearchReading) {
    for node in nodes(reading) {
        let Some(free) = node.disk_free_bytes else { continue };
        let told = if node.is_unwatched() { unmarked(node, free) } else { marked(node, free) };
        let Some((severity, sentence)) = told else { continue };
        let Some(grade) = its.state(severity) else { return };
        its.tell(grade, &node.id, sentence).say("free disk or add a node");
    }
}

fn marked(node: &SearchNode, free: f64) -> Option<(Severity, String)> {
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
        return None;
    };
    let name = tidy(&node.name, 30);
    let sentence = format!("the disk of node {name} is past its {mark} ({} free)", sized(free));
    if !node.marks_assumed {
        return Some((severity, sentence));
    }
    // Nothing is said to be read-only, or to be moved, by marks that may be off.
    let mark = mark.split(':').next().unwrap_or(mark);
    let sentence = format!(
        "the disk of node {name} is past the usual {mark} ({} free); whether the cluster acts on it is not known: its settings are \
         not read",
        sized(free)
    );
    Some((severity.min(Severity::Warning), sentence))
}

/// The disk of a node whose server does not watch it (its thresholds are off): nothing is made read-only before it is full.
fn unmarked(node: &SearchNode, free: f64) -> Option<(Severity, String)> {
    let used = node.disk_ratio().filter(|_| !node.is_frozen())?;
    let severity = if used > 0.99 && free < GIB {
        Severity::Critical
    } else if used > 0.95 && free < 10.0 * GIB {
        Severity::Warning
    } else {
        return None;
    };
    let sentence = format!(
        "the disk of node {} has {} free, and the cluster's own disk thresholds are off: nothing stops it from filling up",
        tidy(&node.name, 30),
        sized(free)
    );
    Some((severity, sentence))
}
