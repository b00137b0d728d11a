//! The parts of a reading that rules look at, and what nobody can say while one of them is not there.

use crate::core::alert::{Judge, Missing, Need};
use crate::core::part::Part;
use crate::core::search::{SearchReading, SearchState};

/// What a rule about a search cluster has before it.
pub(super) type Its<'a> = Judge<'a, SearchState>;

pub(super) const HEALTH: Need = Need("health");
pub(super) const NODES: Need = Need("nodes");
pub(super) const READ_ONLY: Need = Need("blocks of indices");
pub(super) const LIFECYCLE: Need = Need("lifecycle");
pub(super) const ALLOCATION: Need = Need("allocation");
pub(super) const POLICIES: Need = Need("snapshot policies");

/// The parts of this reading that could not be read. Without a master there is one finding for all of it; what was found before stays, as
/// old as it is.
pub(super) fn missing(reading: &SearchReading) -> Vec<Missing> {
    let words = |words: &'static str| if reading.no_master.is_some() { "" } else { words };
    Missing::of(&[
        (HEALTH, reading.health.gap(), words("the status of its shards")),
        (NODES, reading.nodes.gap(), words("memory, load, disks and rejections of its nodes")),
        (READ_ONLY, reading.read_only.gap(), words("indices that cannot be written")),
        (LIFECYCLE, reading.lifecycle.gap(), words("the lifecycle of its indices")),
        (ALLOCATION, reading.allocation.gap(), words("why shards are not assigned")),
        (POLICIES, reading.policies.gap(), words("whether its snapshots are made")),
    ])
}

/// The parts that are asked beside the first reading, and did not come yet.
pub(super) fn awaited(reading: &SearchReading) -> Vec<(Need, &'static str)> {
    let all = [
        (NODES, reading.nodes == Part::NotAsked, "memory, load, disks and rejections of its nodes"),
        (READ_ONLY, reading.read_only == Part::NotAsked, "indices that cannot be written"),
        (LIFECYCLE, reading.lifecycle == Part::NotAsked, "the lifecycle of its indices"),
        (POLICIES, matches!(reading.policies, Part::NotAsked), "whether its snapshots are made"),
    ];
    all.into_iter().filter(|(_, waits, _)| *waits).map(|(need, _, watches)| (need, watches)).collect()
}
