//! From the cluster's JSON to ours. Pure; every field is optional.

use crate::core::search::{
    ClusterHealth, Identity, IndexMark, Keeper, LifecycleError, SearchNode, UnassignedShard,
};
use serde_json::Value;

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
    "nodes/*/fs/data/*/total_in_bytes",
    "nodes/*/fs/data/*/available_in_bytes",
    "nodes/*/fs/data/*/low_watermark_free_space_in_bytes",
    "nodes/*/fs/data/*/high_watermark_free_space_in_bytes",
    "nodes/*/fs/data/*/flood_stage_free_space_in_bytes",
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
pub(super) const SHARDS: &[&str] =
    &["*/index", "*/shard", "*/prirep", "*/state", "*/unassigned.reason", "*/unassigned.details"];
pub(super) const ROUTING: &[&str] = &[
    "routing_nodes/unassigned/*/index",
    "routing_nodes/unassigned/*/shard",
    "routing_nodes/unassigned/*/primary",
    "routing_nodes/unassigned/*/unassigned_info/reason",
    "routing_nodes/unassigned/*/unassigned_info/details",
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
    "total_managed_indices",
];
const MASTER: &[&str] = &["indicators/master_is_stable/status", "indicators/master_is_stable/symptom"];

pub(super) const MARKS: &[&str] = &[
    "*/settings/index.uuid",
    "*/settings/index.number_of_replicas",
    "*/settings/index.auto_expand_replicas",
];

pub(super) fn word(value: &Value, pointer: &str) -> String {
    match value.pointer(pointer) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

pub(super) fn number(value: &Value, pointer: &str) -> Option<f64> {
    value.pointer(pointer)?.as_f64()
}

pub(super) fn whole(value: &Value, pointer: &str) -> Option<u64> {
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
    let mut list: Vec<SearchNode> = map.iter().map(|(id, node)| one(id, node)).collect();
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
    let disk = fullest(node);
    let size = |name: &str| disk.and_then(|disk| amount(disk, name));
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
        disk_total_bytes: size("/total_in_bytes"),
        disk_free_bytes: size("/available_in_bytes"),
        search_queue: number(node, "/thread_pool/search/queue"),
        write_queue: number(node, "/thread_pool/write/queue"),
        rejected_total: pools("rejected"),
        tripped_total: tripped,
        query_total: number(node, "/indices/search/query_total"),
        query_millis: number(node, "/indices/search/query_time_in_millis"),
        index_total: number(node, "/indices/indexing/index_total"),
        index_millis: number(node, "/indices/indexing/index_time_in_millis"),
        old_gc_millis: number(node, "/jvm/gc/collectors/old/collection_time_in_millis"),
        low_free_bytes: size("/low_watermark_free_space_in_bytes"),
        high_free_bytes: size("/high_watermark_free_space_in_bytes"),
        flood_free_bytes: size("/flood_stage_free_space_in_bytes"),
        marks_assumed: false,
    }
}

/// Bytes; below zero means that the machine does not tell.
fn amount(value: &Value, pointer: &str) -> Option<f64> {
    number(value, pointer).filter(|bytes| *bytes >= 0.0)
}

/// The fullest of a node's data paths decides: there the watermarks act. Where paths are not told, all of them together.
fn fullest(node: &Value) -> Option<&Value> {
    let share = |disk: &Value| {
        let total = amount(disk, "/total_in_bytes").filter(|total| *total > 0.0)?;
        Some(amount(disk, "/available_in_bytes")? / total)
    };
    let paths = node.pointer("/fs/data").and_then(Value::as_array).into_iter().flatten();
    let known = paths.filter_map(|disk| Some((share(disk)?, disk)));
    known.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, disk)| disk).or_else(|| node.pointer("/fs/total"))
}

/// What the node says about its master, where that is not well.
pub(super) fn master(body: &[u8]) -> Option<String> {
    let value = crate::sources::json::read(body, MASTER)?;
    let told = value.pointer("/indicators/master_is_stable")?;
    (word(told, "/status") != "green").then(|| word(told, "/symptom")).filter(|words| !words.is_empty())
}

/// `_cluster/state/routing_nodes`: shards on no node. With none of them the whole answer is empty.
pub(super) fn routing(value: &Value) -> Option<Vec<UnassignedShard>> {
    value.as_object()?;
    let rows = value.pointer("/routing_nodes/unassigned").and_then(Value::as_array).into_iter().flatten();
    let shard = |row: &Value| UnassignedShard {
        index: word(row, "/index"),
        shard: word(row, "/shard"),
        primary: row.get("primary").and_then(Value::as_bool) == Some(true),
        reason: word(row, "/unassigned_info/reason"),
        details: word(row, "/unassigned_info/details"),
        why: String::new(),
    };
    Some(rows.map(shard).collect())
}

/// `_cat/shards`: those on no node.
pub(super) fn shards(value: &Value) -> Option<Vec<UnassignedShard>> {
    let rows = value.as_array()?.iter();
    let away = rows.filter(|row| row.get("state").and_then(Value::as_str) == Some("UNASSIGNED"));
    let shard = |row: &Value| UnassignedShard {
        index: word(row, "/index"),
        shard: word(row, "/shard"),
        primary: word(row, "/prirep") == "p",
        reason: word(row, "/unassigned.reason"),
        details: word(row, "/unassigned.details"),
        why: String::new(),
    };
    Some(away.map(shard).collect())
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
            .map(|(index, _)| index.clone())
            .collect(),
    )
}

/// Settings of indices: who they are, and how many copies they want.
pub(super) fn marks(value: &Value) -> Option<Vec<IndexMark>> {
    let mark = |(index, found): (&String, &Value)| {
        let settings = found.get("settings")?;
        let text = |name: &str| settings.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let expand = text("index.auto_expand_replicas");
        Some(IndexMark {
            index: index.clone(),
            uuid: text("index.uuid"),
            replicas: text("index.number_of_replicas").parse().ok(),
            auto_expand: (!expand.is_empty() && expand != "false").then_some(expand),
        })
    };
    Some(value.as_object()?.iter().filter_map(mark).collect())
}

/// `_ilm/explain`: what fails. The server tries a failed step again each few minutes, and leaves the step ERROR meanwhile: as long as
/// it counts its tries, it has not succeeded. With nothing managed the whole answer is empty.
pub(super) fn lifecycle(value: &Value) -> Option<Vec<LifecycleError>> {
    let map = value.as_object()?.get("indices").and_then(Value::as_object);
    let failing = |state: &Value| {
        word(state, "/step") == "ERROR"
            || whole(state, "/failed_step_retry_count").is_some_and(|tries| tries > 0)
    };
    let error = |(index, state): (&String, &Value)| LifecycleError {
        index: index.clone(),
        policy: word(state, "/policy"),
        step: match word(state, "/failed_step") {
            step if step.is_empty() => word(state, "/step"),
            step => step,
        },
        reason: word(state, "/step_info/reason"),
        retries: whole(state, "/failed_step_retry_count"),
        keeper: Keeper::Ilm,
        stands: word(state, "/step") == "ERROR",
    };
    Some(map.into_iter().flatten().filter(|(_, state)| failing(state)).map(error).collect())
}

/// One page of `_plugins/_ism/explain`.
pub(super) struct IsmPage {
    /// What fails.
    pub(super) failing: Vec<LifecycleError>,
    /// Indices on this page.
    pub(super) seen: usize,
    /// Indices on all pages.
    pub(super) total: Option<usize>,
}

/// `_plugins/_ism/explain`: failed actions, also where only `info.cause` says so, and while they are tried again.
pub(super) fn ism(value: &Value) -> Option<IsmPage> {
    let rows: Vec<_> = value.as_object()?.iter().filter(|(_, state)| state.is_object()).collect();
    let failing = |state: &Value| {
        let failed = |pointer: &str| state.pointer(pointer).and_then(Value::as_bool) == Some(true);
        failed("/action/failed")
            || failed("/retry_info/failed")
            || state.pointer("/info/cause").is_some()
            || whole(state, "/retry_info/consumed_retries").is_some_and(|tries| tries > 0)
    };
    let error = |(index, state): &(&String, &Value)| LifecycleError {
        index: (*index).clone(),
        policy: word(state, "/policy_id"),
        step: word(state, "/action/name"),
        reason: match word(state, "/info/cause") {
            cause if cause.is_empty() => word(state, "/info/message"),
            cause => cause,
        },
        retries: whole(state, "/retry_info/consumed_retries"),
        keeper: Keeper::Ism,
        stands: state.pointer("/action/failed").and_then(Value::as_bool) == Some(true)
            || state.pointer("/retry_info/failed").and_then(Value::as_bool) == Some(true),
    };
    let total = whole(value, "/total_managed_indices").and_then(|total| usize::try_from(total).ok());
    let found = rows.iter().filter(|(_, state)| failing(state)).map(error).collect();
    Some(IsmPage { failing: found, seen: rows.len(), total })
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
    fn the_fullest_path_decides_and_minus_one_is_unknown() {
        let disk = |total: f64, free: f64| json!({"total_in_bytes": total, "available_in_bytes": free, "low_watermark_free_space_in_bytes": 15});
        let read = |data: Value, all: Value| {
            let answer = json!({"nodes": {"x": {"name": "n", "fs": {"data": data, "total": all}}}});
            let node = nodes(&pruned(NODES, answer)).expect("read").remove(0);
            (node.disk_total_bytes, node.disk_free_bytes, node.low_free_bytes)
        };
        let both = json!([disk(1000.0, 900.0), disk(100.0, 3.0)]);
        assert_eq!(read(both, disk(1100.0, 903.0)), (Some(100.0), Some(3.0), Some(15.0)));
        assert_eq!(read(json!([disk(-1.0, -1.0)]), disk(-1.0, -1.0)), (None, None, None));
        assert_eq!(
            read(json!([]), json!({"total_in_bytes": 10, "available_in_bytes": 4})),
            (Some(10.0), Some(4.0), None)
        );
    }

    #[test]
    fn shards_on_no_node_with_who_left() {
        let state = json!({"routing_nodes": {"unassigned": [
            {"index": "a", "shard": 1, "primary": true, "state": "UNASSIGNED",
             "unassigned_info": {"reason": "NODE_LEFT", "details": "node_left [n2id]", "delayed": true}}]}});
        let read = routing(&pruned(ROUTING, state)).expect("read");
        let shard = &read[0];
        assert_eq!((shard.index.as_str(), shard.shard.as_str(), shard.primary), ("a", "1", true));
        assert_eq!((shard.reason.as_str(), shard.details.as_str()), ("NODE_LEFT", "node_left [n2id]"));
        assert_eq!(routing(&json!({})), Some(Vec::new()));
    }

    #[test]
    fn failing_lifecycles_of_both_products() {
        let ilm = json!({"indices": {"logs": {"policy": "p", "step": "ERROR", "failed_step": "rollover",
            "failed_step_retry_count": 4, "step_info": {"reason": "no alias"}}}});
        let read = lifecycle(&pruned(LIFECYCLE, ilm)).expect("read");
        assert_eq!((read[0].step.as_str(), read[0].retries), ("rollover", Some(4)));
        // Tried again just now: not in the step ERROR, and failing all the same.
        let again = json!({"indices": {"logs": {"policy": "p", "step": "check-rollover-ready", "failed_step_retry_count": 5},
            "well": {"policy": "p", "step": "complete"}}});
        let read = lifecycle(&pruned(LIFECYCLE, again)).expect("read");
        assert_eq!(
            read.iter().map(|error| (error.index.as_str(), error.retries)).collect::<Vec<_>>(),
            [("logs", Some(5))]
        );
        assert_eq!(lifecycle(&json!({})), Some(Vec::new()));
        let ism_answer = json!({"total_managed_indices": 2, "a": {"policy_id": "p", "action": {"name": "rollover", "failed": false},
            "info": {"cause": "missing alias"}}, "b": {"action": {"failed": false}}});
        let page = ism(&pruned(ISM, ism_answer)).expect("read");
        assert_eq!((page.seen, page.total), (2, Some(2)));
        assert_eq!(page.failing.iter().map(|error| error.index.as_str()).collect::<Vec<_>>(), ["a"]);
    }
}
