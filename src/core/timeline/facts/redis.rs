//! What of a Redis server is compared: its run, its role, its version, its settings by INFO, the primaries of a cluster, and which queues
//! are paused. Pure.

use super::change::{Change, Settings, moved, on, set};
use crate::core::place::{Place, Screen};
use crate::core::redis::{QueueRef, RedisReading, RedisServer, RedisState};
use crate::core::text::{duration, sized};
use crate::core::time::Now;
use crate::core::timeline::event::Kind;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The time that a server has been up is told in whole seconds, and was read a moment ago.
const SLACK: Duration = Duration::from_secs(3);

/// A queue that was paused, or resumed.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::core::timeline) struct QueueSwitch {
    pub(in crate::core::timeline) queue: QueueRef,
    pub(in crate::core::timeline) paused: bool,
}

/// What was known of one server.
#[derive(Clone, Debug, Default, PartialEq)]
struct Node {
    run: Option<String>,
    role: Option<String>,
    version: Option<String>,
    settings: Settings,
}

/// What was known at the newest look.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct RedisFacts {
    /// By address in a cluster; else one without a name.
    nodes: BTreeMap<String, Node>,
    primaries: Option<BTreeSet<String>>,
    /// Whether each queue is paused.
    queues: BTreeMap<QueueRef, bool>,
}

impl RedisFacts {
    pub(super) fn follow(&mut self, state: &RedisState, before: Now, at: Now) -> Vec<Change> {
        let Some(reading) = state.reading() else { return Vec::new() };
        let since = at.since(before);
        let Some(cluster) = &reading.cluster else {
            // Without INFO nothing is known of it.
            if reading.untold.is_some() || reading.busy {
                return Vec::new();
            }
            return self.nodes.entry(String::new()).or_default().follow("", &reading.server, since);
        };
        let mut changes = Vec::new();
        for (address, server) in &cluster.primaries {
            changes.extend(self.nodes.entry(address.clone()).or_default().follow(address, server, since));
        }
        // A primary that does not answer is still one.
        let there = cluster.primaries.iter().map(|(address, _)| address.clone());
        let all: BTreeSet<String> =
            there.chain(cluster.missing.iter().map(|(address, _)| address.clone())).collect();
        if let Some((old, new)) = moved(&mut self.primaries, Some(all)) {
            changes.extend(primaries(&old, &new));
        }
        changes
    }

    /// Queues that are paused and were not, or the other way round.
    pub(super) fn switched(&mut self, state: &RedisState) -> Vec<QueueSwitch> {
        let Some(queues) = state.reading().and_then(|reading: &RedisReading| reading.queues.ready()) else {
            return Vec::new();
        };
        let mut switched = Vec::new();
        for queue in queues {
            match self.queues.get_mut(&queue.queue) {
                Some(paused) if *paused != queue.paused => {
                    *paused = queue.paused;
                    switched.push(QueueSwitch { queue: queue.queue.clone(), paused: queue.paused });
                }
                Some(_) => {}
                None => {
                    self.queues.insert(queue.queue.clone(), queue.paused);
                }
            }
        }
        // Those that are gone and come back are new.
        if self.queues.len() > queues.len() {
            let there: BTreeSet<&QueueRef> = queues.iter().map(|queue| &queue.queue).collect();
            self.queues.retain(|queue, _| there.contains(queue));
        }
        switched
    }
}

impl Node {
    fn follow(&mut self, address: &str, server: &RedisServer, since: Duration) -> Vec<Change> {
        let told = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let named = |words: String| if address.is_empty() { words } else { format!("{address}: {words}") };
        let place = || on(Screen::Queues);
        let mut changes = Vec::new();
        if moved(&mut self.run, told(&server.run_id)).is_some() {
            let up = server.uptime.map_or_else(String::new, |up| format!(" (up for {})", duration(up)));
            // It was up already when the one before was seen.
            let (kind, words) = if server.uptime.is_some_and(|up| up > since + SLACK) {
                (Kind::Another, "another server answers here than before")
            } else {
                (Kind::Restarted, "the server was restarted")
            };
            changes.push(Change::new(kind, named(format!("{words}{up}")), place()));
        }
        if let Some((old, new)) = moved(&mut self.role, told(&server.role)) {
            let word = |role: &str| match role {
                "master" => "a primary".to_owned(),
                "slave" => "a replica".to_owned(),
                other => other.to_owned(),
            };
            let words = format!("it is {} now, and was {}", word(&new), word(&old));
            changes.push(Change::new(Kind::Role, named(words), place()));
        }
        if let Some((old, new)) = moved(&mut self.version, told(&server.version)) {
            changes.push(Change::new(Kind::Version, named(format!("version {old} became {new}")), place()));
        }
        let mut settings = set(&mut self.settings, self::settings(server), &place());
        for change in &mut settings {
            change.words = named(std::mem::take(&mut change.words));
        }
        changes.extend(settings);
        changes
    }
}

/// What INFO tells of the configuration. Where it tells of memory at all, no limit is one, too.
fn settings(server: &RedisServer) -> Settings {
    let limit = server.maxmemory_bytes.map_or_else(|| "no limit".to_owned(), sized);
    Settings::from([
        ("maxmemory", server.used_memory_bytes.map(|_| limit)),
        ("maxmemory-policy", server.policy.clone()),
        ("maxclients", server.maxclients.map(|most| most.to_string())),
    ])
}

fn primaries(old: &BTreeSet<String>, new: &BTreeSet<String>) -> Option<Change> {
    let list = |one: &BTreeSet<String>, other: &BTreeSet<String>| {
        one.difference(other).cloned().collect::<Vec<_>>().join(", ")
    };
    let (gone, come) = (list(old, new), list(new, old));
    let words = match (gone.is_empty(), come.is_empty()) {
        (false, false) => format!("primaries: {come} came, {gone} is none any more"),
        (true, false) => format!("primaries: {come} came"),
        (false, true) => format!("primaries: {gone} is none any more"),
        (true, true) => return None,
    };
    Some(Change::new(Kind::Nodes, words, Place { screen: Screen::Queues, row: None }))
}
