//! From the cluster's JSON to ours. Pure; every field is optional.

use crate::core::search::{ClusterHealth, Identity, LifecycleError, SearchNode, UnassignedShard};
use serde_json::Value;

/// Rows of a list beyond this are not kept.
const MOST_ROWS: usize = 1000;

/// What is read of each answer.
pub(super) const IDENTITY: &[&str] = &["version/number", "version/distribution", "tagline", "cluster_name"];
pub(super) const VERSIONS: &[&str] = &["cluster_name", "nodes/*/version"];
pub(super) const HEALTH: &[&str] = &["*"];
pub(super) const NODES: &[&str] = &[
    "nodes/*/name",
    "nodes/*/roles/*",
    "nodes/*/jvm/uptime_in_millis",
    "nodes/*/jvm/mem/heap_used_percent",
    "nodes/*/jvm/gc/collectors/old/collection_time_in_millis",
    "nodes/*/os/cpu/percent",
    "nodes/*/os/cpu/load_average/1m",
    "nodes/*/fs/total/total_in_bytes",
    "nodes/*/fs/total/available_in_bytes",
    "nodes/*/fs/data/0/low_watermark_free_space_in_bytes",
    "nodes/*/fs/data/0/high_watermark_free_space_in_bytes",
    "nodes/*/fs/data/0/flood_stage_free_space_in_bytes",
    "nodes/*/thread_pool/search/queue",
    "nodes/*/thread_pool/search/rejected",
    "nodes/*/thread_pool/write/queue",
    "nodes/*/thread_pool/write/rejected",
    "nodes/*/breakers/*/tripped",
    "nodes/*/indices/search/query_total",
    "nodes/*/indices/search/query_time_in_millis",
    "nodes/*/indices/indexing/index_total",
    "nodes/*/indices/indexing/index_time_in_millis",
];
pub(super) const SHARDS: &[&str] = &["*/index", "*/shard", "*/prirep", "*/state", "*/unassigned.reason"];
pub(super) const EXPLANATION: &[&str] = &[
    "allocate_explanation",
    "node_allocation_decisions/*/deciders/*/decision",
    "node_allocation_decisions/*/deciders/*/decider",
    "node_allocation_decisions/*/deciders/*/explanation",
];
pub(super) const BLOCKS: &[&str] = &["*/settings/index.blocks.read_only_allow_delete"];
pub(super) const LIFECYCLE: &[&str] = &[
    "indices/*/policy",
    "indices/*/failed_step",
    "indices/*/step",
    "indices/*/step_info/reason",
    "indices/*/failed_step_retry_count",
];
pub(super) const ISM: &[&str] = &[
    "*/policy_id",
    "*/action/failed",
    "*/action/name",
    "*/retry_info/failed",
    "*/retry_info/consumed_retries",
    "*/info/cause",
    "*/info/message",
];

fn word(value: &Value, pointer: &str) -> String {
    match value.pointer(pointer) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

fn number(value: &Value, pointer: &str) -> Option<f64> {
    value.pointer(pointer)?.as_f64()
}

fn whole(value: &Value, pointer: &str) -> Option<u64> {
    value.pointer(pointer)?.as_u64()
}

/// `GET /`.
pub(super) fn identity(value: &Value) -> Option<Identity> {
    let version = value.pointer("/version/number")?.as_str()?.to_owned();
    let open = word(value, "/version/distribution") == "opensearch"
        || word(value, "/tagline").contains("OpenSearch");
    let product = if open { "OpenSearch" } else { "Elasticsearch" }.to_owned();
    Some(Identity { version, product, cluster: word(value, "/cluster_name") })
}

/// `_nodes`: the version of any node.
pub(super) fn version_of_nodes(value: &Value) -> Option<Identity> {
    let node = value.get("nodes")?.as_object()?.values().next()?;
    Some(Identity {
        version: node.get("version")?.as_str()?.to_owned(),
        product: "Elasticsearch".to_owned(),
        cluster: word(value, "/cluster_name"),
    })
}

/// `_cluster/health`.
pub(super) fn health(value: &Value) -> Option<ClusterHealth> {
    Some(ClusterHealth {
        status: value.get("status")?.as_str()?.to_owned(),
        nodes: whole(value, "/number_of_nodes"),
        data_nodes: whole(value, "/number_of_data_nodes"),
        active_shards: whole(value, "/active_shards"),
        relocating: whole(value, "/relocating_shards"),
        initializing: whole(value, "/initializing_shards"),
        unassigned: whole(value, "/unassigned_shards"),
        pending_tasks: whole(value, "/number_of_pending_tasks"),
        active_ratio: number(value, "/active_shards_percent_as_number").map(|percent| percent / 100.0),
    })
}

/// `_nodes/stats`.
pub(super) fn nodes(value: &Value) -> Option<Vec<SearchNode>> {
    let map = value.get("nodes")?.as_object()?;
    let mut list: Vec<SearchNode> = map.iter().take(MOST_ROWS).map(|(id, node)| one(id, node)).collect();
    list.sort_by(|a, b| a.name.cmp(&b.name));
    Some(list)
}

fn one(id: &str, node: &Value) -> SearchNode {
    let pools = |what: &str| {
        let parts: Vec<f64> = ["search", "write"]
            .iter()
            .filter_map(|pool| number(node, &format!("/thread_pool/{pool}/{what}")))
            .collect();
        (!parts.is_empty()).then(|| parts.iter().sum())
    };
    let tripped: Option<f64> = node
        .get("breakers")
        .and_then(Value::as_object)
        .map(|all| all.values().filter_map(|breaker| breaker.get("tripped")?.as_f64()).sum());
    let watermark = |name: &str| number(node, &format!("/fs/data/0/{name}"));
    SearchNode {
        id: id.to_owned(),
        name: word(node, "/name"),
        roles: node
            .get("roles")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|role| role.as_str().map(str::to_owned))
            .collect(),
        uptime_millis: number(node, "/jvm/uptime_in_millis"),
        heap_ratio: number(node, "/jvm/mem/heap_used_percent").map(|percent| percent / 100.0),
        // -1 where the machine does not tell.
        cpu_ratio: number(node, "/os/cpu/percent").filter(|cpu| *cpu >= 0.0).map(|percent| percent / 100.0),
        load: number(node, "/os/cpu/load_average/1m"),
        disk_total_bytes: number(node, "/fs/total/total_in_bytes"),
        disk_free_bytes: number(node, "/fs/total/available_in_bytes"),
        search_queue: number(node, "/thread_pool/search/queue"),
        write_queue: number(node, "/thread_pool/write/queue"),
        rejected_total: pools("rejected"),
        tripped_total: tripped,
        query_total: number(node, "/indices/search/query_total"),
        query_millis: number(node, "/indices/search/query_time_in_millis"),
        index_total: number(node, "/indices/indexing/index_total"),
        index_millis: number(node, "/indices/indexing/index_time_in_millis"),
        old_gc_millis: number(node, "/jvm/gc/collectors/old/collection_time_in_millis"),
        low_free_bytes: watermark("low_watermark_free_space_in_bytes"),
        high_free_bytes: watermark("high_watermark_free_space_in_bytes"),
        flood_free_bytes: watermark("flood_stage_free_space_in_bytes"),
    }
}

/// `_cat/shards`: those on no node, primaries first.
pub(super) fn shards(value: &Value) -> Option<Vec<UnassignedShard>> {
    Some(
        value
            .as_array()?
            .iter()
            .filter(|row| row.get("state").and_then(Value::as_str) == Some("UNASSIGNED"))
            .take(MOST_ROWS)
            .map(|row| UnassignedShard {
                index: word(row, "/index"),
                shard: word(row, "/shard"),
                primary: word(row, "/prirep") == "p",
                reason: word(row, "/unassigned.reason"),
                why: String::new(),
            })
            .collect(),
    )
}

/// `_cluster/allocation/explain`: the first decider that says no, else the explanation as a whole.
pub(super) fn explanation(value: &Value) -> String {
    let deciders = value
        .get("node_allocation_decisions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|node| node.get("deciders")?.as_array());
    let refused =
        deciders.flatten().find(|decider| decider.get("decision").and_then(Value::as_str) == Some("NO"));
    match refused {
        Some(decider) => {
            let explanation = word(decider, "/explanation");
            // What follows in brackets names ids and settings; the sentence itself stands before them.
            let short = explanation.split(" [").next().unwrap_or_default();
            format!("{}: {short}", word(decider, "/decider"))
        }
        None => word(value, "/allocate_explanation"),
    }
}

/// Indices with `index.blocks.read_only_allow_delete`.
pub(super) fn read_only(value: &Value) -> Option<Vec<String>> {
    let blocked = |settings: &Value| {
        let setting = settings.get("settings")?.get("index.blocks.read_only_allow_delete")?;
        (setting == "true" || setting == &Value::Bool(true)).then_some(())
    };
    Some(
        value
            .as_object()?
            .iter()
            .filter(|(_, settings)| blocked(settings).is_some())
            .take(MOST_ROWS)
            .map(|(index, _)| index.clone())
            .collect(),
    )
}

/// `_ilm/explain?only_errors=true`; an index that is being tried again is failing too.
pub(super) fn lifecycle(value: &Value) -> Option<Vec<LifecycleError>> {
    let map = value.get("indices")?.as_object()?;
    Some(
        map.iter()
            .take(MOST_ROWS)
            .map(|(index, state)| LifecycleError {
                index: index.clone(),
                policy: word(state, "/policy"),
                step: match word(state, "/failed_step") {
                    step if step.is_empty() => word(state, "/step"),
                    step => step,
                },
                reason: word(state, "/step_info/reason"),
                retries: whole(state, "/failed_step_retry_count"),
            })
            .collect(),
    )
}

/// `_plugins/_ism/explain`: failed actions, also where only `info.cause` says so.
pub(super) fn ism(value: &Value) -> Option<Vec<LifecycleError>> {
    Some(
        value
            .as_object()?
            .iter()
            .filter(|(_, state)| {
                let failed = |pointer: &str| state.pointer(pointer).and_then(Value::as_bool) == Some(true);
                failed("/action/failed")
                    || failed("/retry_info/failed")
                    || state.pointer("/info/cause").is_some()
            })
            .take(MOST_ROWS)
            .map(|(index, state)| LifecycleError {
                index: index.clone(),
                policy: word(state, "/policy_id"),
                step: word(state, "/action/name"),
                reason: match word(state, "/info/cause") {
                    cause if cause.is_empty() => word(state, "/info/message"),
                    cause => cause,
                },
                retries: whole(state, "/retry_info/consumed_retries"),
            })
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::json;
    use serde_json::json;

    /// As it is read: only what is asked for is there.
    #[expect(clippy::needless_pass_by_value, reason = "made for it")]
    fn pruned(paths: &[&'static str], data: Value) -> Value {
        json::read(data.to_string().as_bytes(), paths).expect("JSON")
    }

    #[test]
    fn products_are_told_apart() {
        let open =
            json!({"version": {"number": "2.19.0", "distribution": "opensearch"}, "cluster_name": "c"});
        assert_eq!(identity(&pruned(IDENTITY, open)).expect("read").product, "OpenSearch");
        let elastic = json!({"version": {"number": "7.17.0"}, "tagline": "You Know, for Search"});
        assert_eq!(identity(&pruned(IDENTITY, elastic)).expect("read").product, "Elasticsearch");
        assert_eq!(identity(&json!({"ok": true})), None);
    }

    #[test]
    fn absent_fields_stay_absent() {
        let read = nodes(&pruned(
            NODES,
            json!({"nodes": {"x": {"name": "n1", "os": {"cpu": {"percent": -1}},
            "thread_pool": {"write": {"queue": 2, "rejected": 5}}}}}),
        ))
        .expect("read");
        assert_eq!(read[0].cpu_ratio, None);
        assert_eq!(read[0].heap_ratio, None);
        assert_eq!(
            (read[0].write_queue, read[0].rejected_total, read[0].tripped_total),
            (Some(2.0), Some(5.0), None)
        );
        assert_eq!(health(&json!({"status": "green"})).expect("read").unassigned, None);
    }

    #[test]
    fn explanations_name_the_decider_that_says_no() {
        let value = json!({"allocate_explanation": "cannot allocate", "node_allocation_decisions": [{"deciders": [
            {"decider": "filter", "decision": "YES", "explanation": "ok"},
            {"decider": "same_shard", "decision": "NO", "explanation": "a copy is already there [[x][0]]"}]}]});
        assert_eq!(explanation(&pruned(EXPLANATION, value)), "same_shard: a copy is already there");
        assert_eq!(explanation(&json!({"allocate_explanation": "delayed"})), "delayed");
    }

    #[test]
    fn failing_lifecycles_of_both_products() {
        let ilm = json!({"indices": {"logs": {"policy": "p", "step": "ERROR", "failed_step": "rollover",
            "failed_step_retry_count": 4, "step_info": {"reason": "no alias"}}}});
        let read = lifecycle(&pruned(LIFECYCLE, ilm)).expect("read");
        assert_eq!((read[0].step.as_str(), read[0].retries), ("rollover", Some(4)));
        let ism_answer = json!({"total_managed_indices": 2, "a": {"policy_id": "p", "action": {"name": "rollover", "failed": false},
            "info": {"cause": "missing alias"}}, "b": {"action": {"failed": false}}});
        let read = ism(&pruned(ISM, ism_answer)).expect("read");
        assert_eq!(read.iter().map(|error| error.index.as_str()).collect::<Vec<_>>(), ["a"]);
    }
}
