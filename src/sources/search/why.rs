//! Why shards are on no node: one explanation for each group of like shards, the deciders that say no over all nodes. Pure.

use crate::core::search::UnassignedShard;
use crate::core::text::tidy;
use serde_json::Value;
use std::collections::BTreeMap;

/// What is read of `_cluster/allocation/explain`.
pub(super) const EXPLANATION: &[&str] = &[
    "allocate_explanation",
    "can_allocate",
    "node_allocation_decisions/*/deciders/*/decision",
    "node_allocation_decisions/*/deciders/*/decider",
    "node_allocation_decisions/*/deciders/*/explanation",
];

/// So much of one decider's words is kept.
const MOST_WORDS: usize = 240;
/// So many deciders are told.
const MOST_DECIDERS: usize = 3;

/// Shards that are away for the same reason: their index, whether they are primaries, and how they became so.
pub(super) type Group = (String, bool, String);

/// The group of a shard.
pub(super) fn group(shard: &UnassignedShard) -> Group {
    (shard.index.clone(), shard.primary, shard.reason.clone())
}

/// One shard of each group, primaries first, then the largest groups.
pub(super) fn groups(shards: &[UnassignedShard]) -> Vec<(Group, &UnassignedShard)> {
    let mut found: BTreeMap<Group, (usize, &UnassignedShard)> = BTreeMap::new();
    for shard in shards {
        found.entry(group(shard)).or_insert((0, shard)).0 += 1;
    }
    let mut list: Vec<_> = found.into_iter().collect();
    list.sort_by_key(|((_, primary, _), (count, _))| (!*primary, std::cmp::Reverse(*count)));
    list.into_iter().map(|(group, (_, shard))| (group, shard)).collect()
}

/// What the deciders say over all nodes: those that refuse on most nodes first. What follows in double brackets names shards and ids.
pub(super) fn explanation(value: &Value) -> String {
    let nodes =
        value.get("node_allocation_decisions").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let word =
        |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut refused: BTreeMap<String, (usize, String)> = BTreeMap::new();
    for node in nodes {
        for decider in node.get("deciders").and_then(Value::as_array).into_iter().flatten() {
            if word(decider, "decision") == "NO" {
                let words = word(decider, "explanation");
                let short = words.split(" [[").next().unwrap_or_default().to_owned();
                refused.entry(word(decider, "decider")).or_insert((0, short)).0 += 1;
            }
        }
    }
    if refused.is_empty() {
        return tidy(&word(value, "allocate_explanation"), MOST_WORDS);
    }
    let mut list: Vec<_> = refused.into_iter().collect();
    list.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
    let one = |(decider, (count, words)): &(String, (usize, String))| {
        let whom =
            if nodes.len() == 1 { String::new() } else { format!(" ({count} of {} nodes)", nodes.len()) };
        format!("{decider}{whom}: {}", tidy(words, MOST_WORDS))
    };
    let mut told: Vec<String> = list.iter().take(MOST_DECIDERS).map(one).collect();
    if list.len() > MOST_DECIDERS {
        told.push(format!("+{} deciders", list.len() - MOST_DECIDERS));
    }
    told.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn no(decider: &str, words: &str) -> Value {
        json!({"decider": decider, "decision": "NO", "explanation": words})
    }

    #[test]
    fn deciders_are_told_over_all_nodes_with_their_details() {
        let zones = "there are [2] copies of this shard and [2] values for attribute [zone] ([a, b] from nodes in the cluster)";
        let value = json!({"allocate_explanation": "cannot allocate", "node_allocation_decisions": [
            {"deciders": [no("same_shard", "a copy is already allocated to this node [[x][0], node[a]]")]},
            {"deciders": [no("awareness", zones), {"decider": "filter", "decision": "YES", "explanation": "ok"}]},
            {"deciders": [no("awareness", zones)]}]});
        let read = crate::sources::json::read(value.to_string().as_bytes(), EXPLANATION).expect("JSON");
        assert_eq!(
            explanation(&read),
            format!(
                "awareness (2 of 3 nodes): {zones}; same_shard (1 of 3 nodes): a copy is already allocated to this node"
            )
        );
        assert_eq!(explanation(&json!({"allocate_explanation": "delayed"})), "delayed");
    }

    #[test]
    fn one_of_each_kind_is_explained_primaries_first() {
        let shard = |index: &str, primary: bool| UnassignedShard {
            index: index.to_owned(),
            primary,
            reason: "NODE_LEFT".to_owned(),
            ..UnassignedShard::default()
        };
        let shards = [shard("a", false), shard("b", false), shard("b", false), shard("a", true)];
        let order: Vec<(String, bool)> =
            groups(&shards).into_iter().map(|((index, primary, _), _)| (index, primary)).collect();
        assert_eq!(order, [("a".to_owned(), true), ("b".to_owned(), false), ("a".to_owned(), false)]);
    }
}
