//! The rules about a search cluster.

pub(crate) mod nodes;
mod parts;
pub(crate) mod snapshots;

pub use nodes::{CPU, HEAP};

use super::{SearchNode, SearchReading, SearchRow, SearchState};
use crate::core::alert::RuleUnit::{PerSecond, Seconds, State};
use crate::core::alert::Triage::{Capacity, Errors};
use crate::core::alert::{Judged, Missing, Need, Remedy, Rule, RuleSpec, Severity, Step};
use crate::core::place::Screen;
use crate::core::rate::Lately;
use crate::core::row::RowKey;
use crate::core::text::{counted, tidy};
use parts::{
    ALLOCATION as ALLOCATION_PART, HEALTH, Its, LIFECYCLE as LIFECYCLE_PART, NODES, READ_ONLY as BLOCKS,
};

/// The rules of this system, in the order in which they judge.
pub static RULES: &[&Rule<SearchState>] = &[
    &NO_MASTER,
    &RED,
    &YELLOW,
    &NODE_LEFT,
    &nodes::HEAP,
    &nodes::CPU,
    &nodes::OLD_GC,
    &nodes::DISK,
    &READ_ONLY,
    &REJECTIONS,
    &BREAKER,
    &LIFECYCLE,
    &ALLOCATION,
    &snapshots::AGE,
    &snapshots::FAILING,
];

pub(crate) static NO_MASTER: Rule<SearchState> = Rule::new(
    RuleSpec::new(
        "search.no_master",
        "the cluster has no elected master: nothing can be written, created or moved",
        State,
        Errors,
    )
    .root(),
    no_master,
);

pub(crate) static RED: Rule<SearchState> = Rule::new(
    RuleSpec::new("search.red", "a primary shard is on no node: data is missing", State, Errors)
        .needs(&[HEALTH])
        .root(),
    red,
);

pub(crate) static YELLOW: Rule<SearchState> = Rule::new(
    RuleSpec::new("search.yellow", "a replica is on no node, for this long", Seconds, Capacity)
        .warning(300.0)
        .needs(&[HEALTH]),
    yellow,
);

pub(crate) static NODE_LEFT: Rule<SearchState> = Rule::new(
    RuleSpec::new(
        "search.node_left",
        "a node left, and shards that were on it are on no node",
        State,
        Capacity,
    )
    .hold(60)
    .needs(&[HEALTH])
    .root(),
    node_left,
);

pub(crate) static READ_ONLY: Rule<SearchState> = Rule::new(
    RuleSpec::new("search.read_only", "indices refuse writes after a full disk", State, Errors)
        .needs(&[BLOCKS])
        .root(),
    read_only,
);

pub(crate) static REJECTIONS: Rule<SearchState> = Rule::new(
    RuleSpec::new(
        "search.rejections",
        "searches or writes refused per second, over a minute",
        PerSecond,
        Errors,
    )
    .warning(0.1)
    .critical(10.0)
    .needs(&[NODES]),
    rejections,
);

pub(crate) static BREAKER: Rule<SearchState> = Rule::new(
    RuleSpec::new("search.breaker", "circuit breakers tripped per second, over a minute", PerSecond, Errors)
        .warning(0.01)
        .needs(&[NODES]),
    breaker,
);

pub(crate) static LIFECYCLE: Rule<SearchState> = Rule::new(
    RuleSpec::new("search.lifecycle", "a lifecycle step failed", State, Capacity).needs(&[LIFECYCLE_PART]),
    lifecycle,
);

pub(crate) static ALLOCATION: Rule<SearchState> = Rule::new(
    RuleSpec::new("search.allocation", "shard allocation is switched off", State, Capacity)
        .needs(&[ALLOCATION_PART])
        .root(),
    allocation,
);

impl Judged for SearchState {
    type Reading = SearchReading;
    const SCREEN: Screen = Screen::Search;

    fn rules() -> &'static [&'static Rule<Self>] {
        RULES
    }

    fn newest(&self) -> Option<&SearchReading> {
        self.reading()
    }

    fn missing(reading: &SearchReading) -> Vec<Missing> {
        parts::missing(reading)
    }

    fn awaited(reading: &SearchReading) -> Vec<(Need, &'static str)> {
        parts::awaited(reading)
    }
}

/// What is about the cluster itself, and not about one of its nodes or indices.
const SUBJECT: &str = "cluster";

/// Why shards are unassigned: the most frequent reason over all of them (of what is red that of the primaries, whatever keeps their copies),
/// and the nodes that left.
fn reason(reading: &SearchReading, state: &SearchState) -> String {
    let Some(away) = reading.unassigned.ready() else { return String::new() };
    let most = away.causes.iter().rev().max_by_key(|cause| cause.primaries);
    let Some(first) = most else { return String::new() };
    let mut parts = Vec::new();
    match away.left.as_slice() {
        [] => {}
        [one] => parts.push(format!("node {} left", tidy(state.name(one), 30))),
        [one, more @ ..] => {
            parts.push(format!("node {} and {} others left", tidy(state.name(one), 30), more.len()));
        }
    }
    let of = match (first.shards == away.total, first.indices) {
        (true, _) => String::new(),
        (false, 0 | 1) => format!("{} of them ", first.shards),
        (false, _) => format!("{} of them, of ", first.shards),
    };
    parts.push(format!("{of}{}: {}", tidy(&first.of(), 30), tidy(&first.why, 220)));
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

fn no_master(its: &mut Its<'_>, reading: &SearchReading) {
    let Some((words, grade)) = reading.no_master.as_ref().zip(its.state(Severity::Critical)) else { return };
    let sentence = format!("{} has no master, it says {}", its.target, tidy(words, 240));
    its.tell(grade, SUBJECT, sentence)
        .say("start the missing master nodes; their logs say why none is elected");
}

/// How many shards are on no node: in words, and as a number.
fn away(reading: &SearchReading) -> (String, u64) {
    let count = reading.health.ready().and_then(|health| health.unassigned).unwrap_or(0);
    let told = reading.unassigned.ready().filter(|away| away.total > 0);
    (told.map_or_else(|| counted(count as usize, "shard"), |away| away.counted()), count)
}

fn is(reading: &SearchReading, status: &str) -> bool {
    reading.health.ready().is_some_and(|health| health.status == status)
}

fn red(its: &mut Its<'_>, reading: &SearchReading) {
    let Some(grade) = its.state(Severity::Critical).filter(|_| is(reading, "red")) else { return };
    let since = its.state.not_green_since.map(|at| its.now.since(at));
    let (shards, hit) = away(reading);
    let sentence = format!("{} is red: {shards} on no node{}", its.target, reason(reading, its.state));
    let breach = its.tell(grade, SUBJECT, sentence).since(since).hits(hit, "shard");
    breach.look("look why the primaries are on no node");
}

fn yellow(its: &mut Its<'_>, reading: &SearchReading) {
    if !is(reading, "yellow") {
        return;
    }
    let since = its.state.not_green_since.map(|at| its.now.since(at));
    let alone = is_alone(reading);
    let by_time = its.grade(since.unwrap_or_default().as_secs_f64()).filter(|_| !alone);
    let Some(grade) = by_time.or_else(|| its.state(Severity::Info)) else { return };
    let (shards, hit) = away(reading);
    let sentence = format!("{} is yellow: {shards} on no node{}", its.target, reason(reading, its.state));
    let step = if alone {
        "it has one data node: set number_of_replicas to 0, or add a node"
    } else if reading.unassigned.ready().is_some_and(|away| !away.left.is_empty()) {
        "bring the missing node back, or look why"
    } else {
        "look why they are on no node"
    };
    its.tell(grade, SUBJECT, sentence).since(since).hits(hit, "shard").look(step);
}

/// The cluster names the node that took the shards along; when it left is known where it was seen before.
fn node_left(its: &mut Its<'_>, reading: &SearchReading) {
    let Some(away) = reading.unassigned.ready().filter(|away| away.total > 0) else { return };
    for id in &away.left {
        let Some(grade) = its.state(Severity::Warning) else { return };
        let name = tidy(its.state.name(id), 40);
        let since = its.state.gone_since(id).map(|at| its.now.since(at));
        let sentence = format!("node {name} left {}, and shards that were on it are on no node", its.target);
        its.tell(grade, format!("node {name}"), sentence)
            .since(since)
            .say("bring it back, or look why it left");
    }
}

fn read_only(its: &mut Its<'_>, reading: &SearchReading) {
    let Some(full) = reading.read_only.ready() else { return };
    let Some((first, grade)) = full.first().zip(its.state(Severity::Critical)) else { return };
    let refuse = if full.len() == 1 { "1 index of".to_owned() } else { format!("{} indices of", full.len()) };
    let verb = if full.len() == 1 { "refuses" } else { "refuse" };
    let sentence = format!("{refuse} {} {verb} writes after a full disk ({})", its.target, tidy(first, 40));
    let row = RowKey::Search(its.target.clone(), SearchRow::Blocked(first.clone()));
    let act = |why: &str| Step::Act(Remedy::Unblock, format!("({why})"));
    let step = match reading.nodes.ready() {
        Some(nodes) if nodes.iter().any(SearchNode::is_unwatched) => {
            act("the cluster's disk thresholds are off, and it may not go by itself")
        }
        Some(nodes) if nodes.iter().all(|node| node.past_its_marks().is_none()) => {
            act("every disk is within its marks")
        }
        Some(_) | None => {
            let words = "free disk; the block goes by itself below the high watermark (7.4 and newer)";
            Step::Say(words.to_owned())
        }
    };
    its.tell(grade, SUBJECT, sentence).hits(full.len(), "index").row(row).step(step);
}

fn rejections(its: &mut Its<'_>, _: &SearchReading) {
    lately(its, &its.state.rejected, "refused", "request");
}

fn breaker(its: &mut Its<'_>, _: &SearchReading) {
    lately(its, &its.state.tripped, "tripped", "circuit breaker");
}

/// Who is refused tries again now and then: that is one condition for as long as it happened within the last minute.
fn lately(its: &mut Its<'_>, lately: &Lately, verb: &str, what: &str) {
    let Some((since, rate)) = lately.since().zip(lately.per_second()) else { return };
    let Some(grade) = its.grade(rate) else { return };
    let count = counted(lately.times() as usize, what);
    let sentence = format!("{} {verb} {count} within a minute", its.target);
    let lasts = its.now.since(since);
    its.tell(grade, SUBJECT, sentence).since(Some(lasts)).look("look at heap, queues and hot nodes");
}

fn lifecycle(its: &mut Its<'_>, reading: &SearchReading) {
    for failed in reading.lifecycle.ready().into_iter().flatten() {
        let Some(grade) = its.state(Severity::Warning) else { return };
        let again = failed.retries.map_or(String::new(), |count| format!(", tried again {}", times(count)));
        let sentence = format!(
            "the lifecycle of {} fails at {}: {}{again}",
            tidy(&failed.index, 40),
            tidy(&failed.step, 30),
            tidy(&failed.reason, 80)
        );
        let row = RowKey::Search(its.target.clone(), SearchRow::Lifecycle(failed.index.clone()));
        its.tell(grade, &failed.index, sentence).row(row).step(Step::act(Remedy::RetryStep));
    }
}

fn allocation(its: &mut Its<'_>, reading: &SearchReading) {
    let mode = reading.allocation.ready().and_then(|mode| mode.as_ref());
    let Some((mode, grade)) = mode.zip(its.state(Severity::Warning)) else { return };
    let what = match mode.as_str() {
        "primaries" => "no replicas",
        "new_primaries" => "nothing but primaries of new indices",
        _ => "no shards",
    };
    let setting = "cluster.routing.allocation.enable";
    let sentence = format!("{} allocates {what}: {setting} is {}", its.target, tidy(mode, 20));
    let row = RowKey::Search(its.target.clone(), SearchRow::Allocation);
    its.tell(grade, SUBJECT, sentence).row(row).step(Step::act(Remedy::Allocate));
}

fn times(count: u64) -> String {
    match count {
        1 => "once".to_owned(),
        count => format!("{count} times"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::alert::{Rulebook, judge};
    use crate::core::ids::TargetId;
    use crate::core::part::Part;
    use crate::core::search::{ClusterHealth, Unassigned, UnassignedShard};
    use crate::core::time::Now;
    use crate::core::world::all_rules;

    const GIB: f64 = 1_073_741_824.0;

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
        let list = judge(&state, &TargetId::new("es"), &rules, Now::example(lasted));
        list.iter().map(|breach| (breach.rule.as_str(), breach.severity)).collect()
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

    #[test]
    fn a_node_that_collects_most_of_the_time_is_told_while_it_does() {
        let at = |second: u64, millis: f64| {
            let node = SearchNode { id: "n".into(), old_gc_millis: Some(millis), ..SearchNode::default() };
            let nodes = Part::Ready(vec![node]).warm(Now::example(second));
            SearchReading { nodes, ..SearchReading::default() }
        };
        let rules = Rulebook::defaults(&all_rules());
        let mut state = SearchState::default();
        let mut told = |second: u64, millis: f64| {
            state.absorb(at(second, millis), Now::example(second));
            let list = judge(&state, &TargetId::new("es"), &rules, Now::example(second));
            list.iter().map(|breach| (breach.rule.as_str(), breach.severity)).collect::<Vec<_>>()
        };
        assert_eq!(told(0, 9000.0), []);
        assert_eq!(told(10, 9500.0), [], "half a second of ten");
        assert_eq!(told(20, 12_500.0), [("search.old_gc", Severity::Warning)]);
        assert_eq!(told(30, 24_500.0), [("search.old_gc", Severity::Critical)]);
        assert_eq!(told(95, 24_500.0), [], "over a minute ago");
    }

    #[test]
    fn marks_that_may_be_off_make_nothing_critical() {
        let node = SearchNode {
            disk_total_bytes: Some(1000.0),
            disk_free_bytes: Some(10.0),
            low_free_bytes: Some(150.0),
            flood_free_bytes: Some(50.0),
            marks_assumed: true,
            ..SearchNode::default()
        };
        assert_eq!(found("green", node, 1), [("search.disk", Severity::Warning)]);
    }

    /// What is red was told by what keeps the most shards: copies.
    #[test]
    fn what_is_red_is_told_by_what_keeps_its_primaries() {
        let shard = |index: &str, primary: bool, why: &str| UnassignedShard {
            index: index.to_owned(),
            primary,
            why: why.to_owned(),
            ..UnassignedShard::default()
        };
        let told = |status: &str| {
            let away = Unassigned::of(vec![
                shard("a", false, "enable: no"),
                shard("b", false, "enable: no"),
                shard("c", status == "red", "filter: no"),
            ]);
            let health = ClusterHealth { status: status.to_owned(), ..ClusterHealth::default() };
            let now = Now::example(0);
            let reading = SearchReading {
                health: Part::Ready(health),
                unassigned: Part::Ready(away).warm(now),
                ..SearchReading::default()
            };
            let mut state = SearchState::default();
            state.absorb(reading, now);
            let list = judge(&state, &TargetId::new("es"), &Rulebook::defaults(&all_rules()), now);
            list.first().map(|breach| breach.sentence.clone()).unwrap_or_default()
        };
        assert_eq!(told("red"), "es is red: 1 primary and 2 replicas on no node (1 of them c: filter: no)");
        assert_eq!(
            told("yellow"),
            "es is yellow: 3 replicas on no node (2 of them, of 2 indices: enable: no)"
        );
    }
}
