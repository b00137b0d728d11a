//! What a poll of the shop's search cluster would say.

use super::sim::Sim;
use crate::core::part::Part;
use crate::core::search::{ClusterHealth, Identity, SearchNode, SearchReading, Unassigned, UnassignedShard};
use crate::core::time::Now;

fn node(sim: &Sim, index: u64) -> SearchNode {
    let total = 5e11;
    SearchNode {
        id: format!("node-{index}"),
        name: format!("catalogue-{index}"),
        roles: vec!["data".to_owned(), "master".to_owned()],
        uptime_millis: Some(9e8 + sim.told * 1000.0),
        heap_ratio: Some(0.48 + 0.1 * sim.wave(30 + index)),
        cpu_ratio: Some(0.18 * sim.wave(33 + index)),
        load: Some(1.1),
        disk_total_bytes: Some(total),
        disk_free_bytes: Some(total * 0.44),
        search_queue: Some(0.0),
        write_queue: Some(0.0),
        rejected_total: Some(0.0),
        tripped_total: Some(0.0),
        query_total: Some((sim.counters.searches / 3.0).floor()),
        query_millis: Some(sim.counters.searches * 0.7),
        index_total: Some((sim.counters.commits / 9.0).floor()),
        index_millis: Some(sim.counters.commits * 0.08),
        old_gc_millis: Some(310.0),
        low_free_bytes: Some(total * 0.15),
        high_free_bytes: Some(total * 0.10),
        flood_free_bytes: Some(total * 0.05),
        marks_assumed: false,
    }
}

/// The cluster.
pub(super) fn reading(sim: &Sim, now: Now) -> SearchReading {
    let away = sim.node_away();
    let count: u64 = if away { 2 } else { 3 };
    let shard = |number: u64| UnassignedShard {
        index: "products".to_owned(),
        shard: number.to_string(),
        primary: false,
        reason: "NODE_LEFT".to_owned(),
        details: "node_left [node-3]".to_owned(),
        why: "same_shard: a copy of this shard is already on each node that is left".to_owned(),
    };
    SearchReading {
        identity: Part::Ready(Identity {
            version: "8.19.0".to_owned(),
            product: "Elasticsearch".to_owned(),
            cluster: "catalogue".to_owned(),
        })
        .warm(now),
        health: Part::Ready(ClusterHealth {
            status: if away { "yellow" } else { "green" }.to_owned(),
            nodes: Some(count),
            data_nodes: Some(count),
            active_shards: Some(if away { 18 } else { 24 }),
            relocating: Some(0),
            initializing: Some(0),
            unassigned: Some(if away { 6 } else { 0 }),
            pending_tasks: Some(0),
            active_ratio: Some(if away { 0.75 } else { 1.0 }),
        }),
        nodes: Part::Ready((1..=count).map(|index| node(sim, index)).collect::<Vec<_>>()).warm(now),
        unassigned: Part::Ready(if away {
            Unassigned::of((0..6).map(shard).collect())
        } else {
            Unassigned::default()
        })
        .warm(now),
        read_only: Part::Ready(Vec::new()).warm(now),
        lifecycle: Part::Ready(Vec::new()).warm(now),
        allocation: Part::Ready(None).warm(now),
        ..SearchReading::default()
    }
}
