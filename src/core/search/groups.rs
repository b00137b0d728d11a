//! Shards on no node, grouped by the decider that refuses and by index: what that means in plain words, and the one thing that fits. Pure.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The one thing that helps shards of a group, and takes nothing away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// Try those once more that the cluster has given up.
    RetryFailed,
    /// Want no more copies than there are nodes for.
    Replicas,
    /// Switch allocation on again.
    Allocate,
    /// Nothing from here: what helps is done elsewhere, or waited for.
    Elsewhere,
}

/// Shards of one index that one decider keeps on no node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardGroup {
    /// The decider that refuses on most nodes; how they became so where none is known.
    pub decider: String,
    /// Their index.
    pub index: String,
    /// So many shards.
    pub shards: usize,
    /// So many of them are primaries.
    pub primaries: usize,
    /// One of them: its number.
    pub shard: String,
    /// Whether that is the primary.
    pub primary: bool,
    /// The server's own words.
    pub why: String,
}

/// The deciders that an explanation names, those that refuse on most nodes first ("same_shard (1 of 3 nodes): …; filter: …").
#[must_use]
pub fn deciders(why: &str) -> Vec<&str> {
    why.split("; ")
        .filter_map(|piece| {
            let end = piece.find([':', '('])?;
            let word = piece[..end].trim_end();
            let plain = |c: char| c.is_ascii_lowercase() || c == '_';
            (!word.is_empty() && word.chars().all(plain)).then_some(word)
        })
        .collect()
}

/// Those of them that refuse on every node.
#[must_use]
pub fn everywhere(why: &str) -> Vec<&str> {
    let everywhere = |decider: &&str| {
        let told = why.split("; ").find_map(|piece| piece.strip_prefix(decider)?.strip_prefix(" ("));
        let nodes = told.and_then(|told| told.split_once(" of "));
        nodes.is_none_or(|(some, all)| all.split(' ').next() == Some(some))
    };
    deciders(why).into_iter().filter(everywhere).collect()
}

/// What a decider (or, where none is known, the way they became so) means, and what fits.
#[must_use]
pub fn plain(decider: &str) -> (&'static str, Fit) {
    match decider {
        "max_retry" => ("the cluster tried five times and gave up", Fit::RetryFailed),
        "same_shard" => ("it wants more copies than there are nodes for", Fit::Replicas),
        "enable" => ("allocation of such shards is switched off", Fit::Allocate),
        "disk_threshold" => ("no disk has room below its watermark: free disk or add a node", Fit::Elsewhere),
        "filter" => {
            ("no node fits the index's or the cluster's allocation filters: look at them", Fit::Elsewhere)
        }
        "awareness" => ("a zone has too few nodes for its copies: add a node there", Fit::Elsewhere),
        "data_tier" => ("no node is of the tier that the index wants: add one or change it", Fit::Elsewhere),
        "shards_limit" => ("each node holds as many shards as it may: add a node", Fit::Elsewhere),
        "node_version" => ("it cannot be copied to nodes of an older version: update them", Fit::Elsewhere),
        "throttling" | "concurrent_rebalance" => {
            ("its turn comes later: others are built now", Fit::Elsewhere)
        }
        "replica_after_primary_active" => ("it waits for its primary", Fit::Elsewhere),
        "node_shutdown" => ("the nodes that could take it are being shut down", Fit::Elsewhere),
        "snapshot_in_progress" | "restore_in_progress" => {
            ("a snapshot or a restore holds it", Fit::Elsewhere)
        }
        "ALLOCATION_FAILED" => ("building it failed", Fit::RetryFailed),
        "NODE_LEFT" => ("the node that held it left: bring it back", Fit::Elsewhere),
        "NODE_RESTARTING" => ("its node restarts", Fit::Elsewhere),
        "INDEX_CREATED" | "CLUSTER_RECOVERED" | "REPLICA_ADDED" => {
            ("it was never on a node since then", Fit::Elsewhere)
        }
        _ => ("", Fit::Elsewhere),
    }
}

/// A shard on no node, as far as it decides its group: index, number, whether it is the primary, how it became so, why it still is.
pub(super) type Away<'a> = (&'a str, &'a str, bool, &'a str, &'a str);

/// All groups of these shards, primaries first, then the largest.
pub(super) fn groups<'a>(away: impl Iterator<Item = Away<'a>>) -> Vec<ShardGroup> {
    let mut found: BTreeMap<(&str, &str), ShardGroup> = BTreeMap::new();
    for (index, shard, primary, reason, why) in away {
        let decider = deciders(why).first().copied().unwrap_or(reason);
        let group = found.entry((decider, index)).or_insert_with(|| ShardGroup {
            decider: decider.to_owned(),
            index: index.to_owned(),
            shard: shard.to_owned(),
            primary,
            why: why.to_owned(),
            ..ShardGroup::default()
        });
        group.shards += 1;
        group.primaries += usize::from(primary);
    }
    let mut list: Vec<ShardGroup> = found.into_values().collect();
    list.sort_by_key(|group| (group.primaries == 0, std::cmp::Reverse(group.shards)));
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(why: &str, expected: &[&str]) {
        assert_eq!(deciders(why), expected);
    }

    #[test]
    fn deciders_are_those_that_the_explanation_names() {
        check("same_shard: a copy is already there", &["same_shard"]);
        check(
            "awareness (2 of 3 nodes): there are [2] copies; same_shard (1 of 3 nodes): a copy is there",
            &["awareness", "same_shard"],
        );
        check("cannot allocate because all found copies are stale: no", &[]);
        check("", &[]);
    }

    #[test]
    fn who_refuses_on_every_node_is_told_apart() {
        assert_eq!(everywhere("enable: no; same_shard: there"), ["enable", "same_shard"]);
        let some = "enable (3 of 3 nodes): no; same_shard (1 of 3 nodes): there";
        assert_eq!(everywhere(some), ["enable"]);
    }

    #[test]
    fn groups_are_of_one_decider_and_one_index_primaries_first() {
        let away: [Away<'_>; 4] = [
            ("a", "0", false, "NODE_LEFT", "same_shard: there"),
            ("a", "1", false, "NODE_LEFT", "same_shard: there"),
            ("b", "0", true, "NODE_LEFT", ""),
            ("b", "1", false, "ALLOCATION_FAILED", "max_retry: gave up"),
        ];
        let told: Vec<_> = groups(away.into_iter())
            .into_iter()
            .map(|group| (group.decider, group.index, group.shards, group.primaries))
            .collect();
        let row = |decider: &str, index: &str, shards, primaries| {
            (decider.to_owned(), index.to_owned(), shards, primaries)
        };
        assert_eq!(
            told,
            [row("NODE_LEFT", "b", 1, 1), row("same_shard", "a", 2, 0), row("max_retry", "b", 1, 0)]
        );
    }

    #[test]
    fn what_is_not_known_has_no_words_and_no_act() {
        assert_eq!(plain("some_new_decider"), ("", Fit::Elsewhere));
        assert_eq!(plain("max_retry").1, Fit::RetryFailed);
    }
}
