//! Shards that are on no node, as data: all of them counted and judged, and why they are. Pure.

use super::groups::{self, ShardGroup};
use crate::core::text::counted;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Shards beyond this are counted and not listed.
pub const MOST_SHARDS: usize = 1000;

/// Groups of shards beyond these are counted and not listed.
pub const MOST_GROUPS: usize = 200;

/// Every shard that is on no node: all of them counted and judged, the first of them listed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Unassigned {
    /// All of them.
    pub total: usize,
    /// The primaries among them.
    pub primaries: usize,
    /// Why, the most frequent first.
    pub causes: Vec<Cause>,
    /// By decider and index, primaries first, then the largest: the first [`MOST_GROUPS`].
    pub groups: Vec<ShardGroup>,
    /// So many groups there are.
    pub grouped: usize,
    /// The nodes that left and took them along, by id.
    pub left: Vec<String>,
    /// The first [`MOST_SHARDS`], primaries first.
    pub shards: Vec<UnassignedShard>,
}

/// Why some shards are on no node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cause {
    /// In the server's words: the deciders that refuse, else how they became so.
    pub why: String,
    /// So many shards.
    pub shards: usize,
    /// So many of them are primaries.
    #[serde(default)]
    pub primaries: usize,
    /// Of so many indices.
    pub indices: usize,
    /// One of them.
    pub index: String,
}

impl Cause {
    /// Whether this decider is among those that refuse.
    #[must_use]
    pub fn is_by(&self, decider: &str) -> bool {
        groups::deciders(&self.why).contains(&decider)
    }

    /// Whether it is the only one that refuses on every node: without it they find a place.
    #[must_use]
    pub fn is_by_alone(&self, decider: &str) -> bool {
        groups::everywhere(&self.why) == [decider]
    }

    /// Whose shards these are: an index, or how many.
    #[must_use]
    pub fn of(&self) -> String {
        match self.indices {
            0 | 1 => self.index.clone(),
            count => format!("{count} indices"),
        }
    }
}

impl Unassigned {
    /// Of all shards on no node.
    #[must_use]
    pub fn of(mut all: Vec<UnassignedShard>) -> Self {
        all.sort_by(|a, b| (!a.primary, &a.index, &a.shard).cmp(&(!b.primary, &b.index, &b.shard)));
        let mut causes: BTreeMap<&str, (usize, usize, BTreeSet<&str>)> = BTreeMap::new();
        let mut left = BTreeSet::new();
        for shard in &all {
            let why = if shard.why.is_empty() { &shard.reason } else { &shard.why };
            let cause = causes.entry(why).or_default();
            cause.0 += 1;
            cause.1 += usize::from(shard.primary);
            cause.2.insert(&shard.index);
            // "node_left [id]" (7.17 and newer)
            let gone = shard.details.split_once("node_left [").and_then(|(_, rest)| rest.split(']').next());
            left.extend(gone.map(str::to_owned));
        }
        let cause = |(why, (shards, primaries, indices)): (&str, (usize, usize, BTreeSet<&str>))| Cause {
            why: why.to_owned(),
            shards,
            primaries,
            indices: indices.len(),
            index: indices.first().copied().unwrap_or_default().to_owned(),
        };
        let mut causes: Vec<Cause> = causes.into_iter().map(cause).collect();
        causes.sort_by_key(|cause| std::cmp::Reverse(cause.shards));
        let mut groups = groups::groups(all.iter().map(UnassignedShard::as_away));
        let grouped = groups.len();
        groups.truncate(MOST_GROUPS);
        let (total, primaries) = (all.len(), all.iter().filter(|shard| shard.primary).count());
        let left = left.into_iter().collect();
        all.truncate(MOST_SHARDS);
        Self { total, primaries, causes, groups, grouped, left, shards: all }
    }

    /// "2 primaries and 1 replica".
    #[must_use]
    pub fn counted(&self) -> String {
        let kind = |count: usize, one: &str, many: &str| match count {
            0 => None,
            1 => Some(format!("1 {one}")),
            count => Some(format!("{count} {many}")),
        };
        let parts = [
            kind(self.primaries, "primary", "primaries"),
            kind(self.total - self.primaries, "replica", "replicas"),
        ];
        match parts {
            [Some(primaries), Some(replicas)] => format!("{primaries} and {replicas}"),
            [Some(only), None] | [None, Some(only)] => only,
            [None, None] => counted(0, "shard"),
        }
    }
}

/// A shard that is on no node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UnassignedShard {
    /// Its index.
    pub index: String,
    /// Its number.
    pub shard: String,
    /// A primary: data cannot be read or written.
    pub primary: bool,
    /// How it became unassigned, as the server says (`NODE_LEFT`, …).
    pub reason: String,
    /// What it adds to that (`node_left [id]`).
    pub details: String,
    /// Why it still is, from the allocation explanation; empty where that was not asked.
    pub why: String,
}

impl UnassignedShard {
    fn as_away(&self) -> groups::Away<'_> {
        (&self.index, &self.shard, self.primary, &self.reason, &self.why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_judged_before_it_is_cut() {
        let shard = |number: usize| UnassignedShard {
            index: format!("i{number:05}"),
            primary: number == 19_999,
            why: if number.is_multiple_of(2) {
                "filter: no node fits"
            } else {
                "same_shard: a copy is there"
            }
            .to_owned(),
            details: if number == 7 { "node_left [abc], details" } else { "" }.to_owned(),
            ..UnassignedShard::default()
        };
        let read = Unassigned::of((0..20_001).map(shard).collect());
        assert_eq!((read.total, read.primaries, read.shards.len()), (20_001, 1, MOST_SHARDS));
        assert!(read.shards[0].primary, "primaries first");
        assert_eq!(read.counted(), "1 primary and 20000 replicas");
        assert_eq!(read.left, ["abc"]);
        let causes: Vec<_> =
            read.causes.iter().map(|cause| (cause.why.as_str(), cause.shards, cause.indices)).collect();
        assert_eq!(
            causes,
            [("filter: no node fits", 10_001, 10_001), ("same_shard: a copy is there", 10_000, 10_000)]
        );
    }
}
