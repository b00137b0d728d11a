//! Shards on their way, indices, aliases and data streams.

use crate::core::part::{Gap, GapKind, Part};
use crate::core::search::{Alias, IndexRow, Indices, MOST_INDICES, Names, Recovery, Stream};
use crate::sources::http::Http;
use crate::sources::search::decode::{whole, word};
use crate::sources::search::questions;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const RECOVERIES: &str = "/_cat/recovery?active_only=true&format=json&bytes=b\
    &h=index,shard,time,type,stage,source_node,target_node,bytes_recovered,bytes_total";
const RECOVERIES_READ: &[&str] = &[
    "*/index",
    "*/shard",
    "*/time",
    "*/type",
    "*/stage",
    "*/source_node",
    "*/target_node",
    "*/bytes_recovered",
    "*/bytes_total",
];
const INDICES: &str = "/_cat/indices?format=json&bytes=b&expand_wildcards=all\
    &h=health,status,index,uuid,pri,rep,docs.count,docs.deleted,store.size,creation.date";
const INDICES_READ: &[&str] = &[
    "*/health",
    "*/status",
    "*/index",
    "*/uuid",
    "*/pri",
    "*/rep",
    "*/docs.count",
    "*/docs.deleted",
    "*/store.size",
    "*/creation.date",
];
const ALIASES: &str = "/_cat/aliases?format=json&h=alias,index,filter,is_write_index&expand_wildcards=all";
const ALIASES_READ: &[&str] = &["*/alias", "*/index", "*/filter", "*/is_write_index"];
/// From the state that the master holds: no node is asked for statistics.
const CLOSED: &str = "/_cluster/state/metadata?filter_path=metadata.indices.*.state";
const CLOSED_READ: &[&str] = &["metadata/indices/*/state"];
const STREAMS: &str = "/_data_stream";
const STREAMS_READ: &[&str] = &[
    "data_streams/*/name",
    "data_streams/*/status",
    "data_streams/*/generation",
    "data_streams/*/template",
    "data_streams/*/ilm_policy",
    "data_streams/*/indices/*/index_name",
];

/// A number that `_cat` writes as text.
fn counted(row: &Value, name: &str) -> Option<u64> {
    row.get(name)?.as_str()?.parse().ok()
}

fn field(row: &Value, name: &str) -> String {
    row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

pub(super) async fn recoveries(http: &Http) -> Part<Vec<Recovery>> {
    questions::part(http, RECOVERIES, RECOVERIES_READ, on_their_way).await
}

fn on_their_way(value: &Value) -> Option<Vec<Recovery>> {
    let none = |name: String| if name == "n/a" { String::new() } else { name };
    let one = |row: &Value| Recovery {
        index: field(row, "index"),
        shard: field(row, "shard"),
        kind: field(row, "type"),
        stage: field(row, "stage"),
        from: none(field(row, "source_node")),
        to: field(row, "target_node"),
        done_bytes: counted(row, "bytes_recovered"),
        total_bytes: counted(row, "bytes_total"),
        time: field(row, "time"),
    };
    Some(value.as_array()?.iter().map(one).collect())
}

pub(super) async fn indices(http: &Http) -> Part<Indices> {
    questions::part(http, INDICES, INDICES_READ, by_trouble_and_size).await
}

fn by_trouble_and_size(value: &Value) -> Option<Indices> {
    let one = |row: &Value| IndexRow {
        index: field(row, "index"),
        uuid: field(row, "uuid"),
        health: field(row, "health"),
        closed: row.get("status").and_then(Value::as_str) == Some("close"),
        primaries: counted(row, "pri"),
        replicas: counted(row, "rep"),
        documents: counted(row, "docs.count"),
        deleted: counted(row, "docs.deleted"),
        bytes: counted(row, "store.size"),
        created_millis: row.get("creation.date").and_then(Value::as_str).and_then(|at| at.parse().ok()),
    };
    let mut list: Vec<IndexRow> = value.as_array()?.iter().map(one).collect();
    let rank = |row: &IndexRow| match row.health.as_str() {
        "red" => 0,
        "yellow" => 1,
        _ => 2,
    };
    list.sort_by_key(|row| (rank(row), std::cmp::Reverse(row.bytes)));
    let (total, closed) = (list.len(), list.iter().filter(|row| row.closed).count());
    let bytes = list.iter().filter_map(|row| row.bytes).sum();
    list.truncate(MOST_INDICES);
    Some(Indices { list, total, closed, bytes })
}

pub(super) async fn names(http: &Http) -> Part<Names> {
    let (aliases, closed, streams) = tokio::join!(
        questions::part(http, ALIASES, ALIASES_READ, |value| Some(value.clone())),
        questions::of_master(http, CLOSED, CLOSED_READ, closed),
        questions::of_master(http, STREAMS, STREAMS_READ, streams),
    );
    // Without the right to the cluster's state nothing is said to be closed.
    let closed = closed.ready().cloned().unwrap_or_default();
    match aliases.map(|rows| over_indices(&rows, &closed)) {
        Part::Ready(Some(aliases)) => Part::Ready(Names { aliases, streams }),
        Part::Ready(None) => Part::Unavailable(Gap::new(GapKind::Failed, "the aliases are not understood")),
        Part::Unavailable(gap) => Part::Unavailable(gap),
        Part::NotAsked => Part::NotAsked,
    }
}

fn closed(value: &Value) -> Option<BTreeSet<String>> {
    let all = value.pointer("/metadata/indices").and_then(Value::as_object);
    let closed = all.into_iter().flatten().filter(|(_, index)| word(index, "/state") == "close");
    value.as_object().map(|_| closed.map(|(name, _)| name.clone()).collect())
}

/// The rows of `_cat/aliases`, each alias once; what is wrong first.
fn over_indices(rows: &Value, closed: &BTreeSet<String>) -> Option<Vec<Alias>> {
    let mut found: BTreeMap<String, Alias> = BTreeMap::new();
    for row in rows.as_array()? {
        let (name, index) = (field(row, "alias"), field(row, "index"));
        let alias = found.entry(name.clone()).or_insert_with(|| Alias { alias: name, ..Alias::default() });
        alias.closed += usize::from(closed.contains(&index));
        alias.filtered |= field(row, "filter") == "*";
        match field(row, "is_write_index").as_str() {
            "true" => alias.writes.push(index.clone()),
            "false" => alias.refuses += 1,
            _ => {}
        }
        alias.indices.push(index);
    }
    let mut list: Vec<Alias> = found.into_values().collect();
    list.sort_by_key(|alias| alias.trouble().is_none());
    Some(list)
}

fn streams(value: &Value) -> Option<Vec<Stream>> {
    let one = |stream: &Value| {
        let indices = stream.get("indices").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        Stream {
            name: field(stream, "name"),
            status: field(stream, "status"),
            writes: indices.last().map(|index| field(index, "index_name")).unwrap_or_default(),
            indices: indices.len(),
            generation: whole(stream, "/generation"),
            template: field(stream, "template"),
            policy: field(stream, "ilm_policy"),
        }
    };
    Some(value.as_object()?.get("data_streams").and_then(Value::as_array)?.iter().map(one).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::json;
    use serde_json::json;

    #[expect(clippy::needless_pass_by_value, reason = "made for it")]
    fn pruned(paths: &[&'static str], data: Value) -> Value {
        json::read(data.to_string().as_bytes(), paths).expect("JSON")
    }

    #[test]
    fn what_is_wrong_stands_first_and_then_the_largest() {
        let row = |index: &str, health: &str, bytes: Option<&str>| {
            json!({"index": index, "health": health, "status": "open",
            "pri": "1", "rep": "0", "store.size": bytes, "creation.date": "1700000000000", "uuid": index})
        };
        let rows = json!([row("small", "green", Some("10")), row("large", "green", Some("99")), row("ill", "red", None),
            {"index": "shut", "status": "close", "health": ""}]);
        let read = by_trouble_and_size(&pruned(INDICES_READ, rows)).expect("rows");
        let names: Vec<&str> = read.list.iter().map(|row| row.index.as_str()).collect();
        assert_eq!(names, ["ill", "large", "small", "shut"]);
        assert_eq!((read.total, read.closed, read.bytes), (4, 1, 109));
        assert_eq!((read.list[0].bytes, read.list[1].created_millis), (None, Some(1_700_000_000_000)));
    }

    #[track_caller]
    fn alias(rows: Value, trouble: Option<&str>) {
        let closed = BTreeSet::from(["shut".to_owned()]);
        let list = over_indices(&pruned(ALIASES_READ, rows), &closed).expect("rows");
        assert_eq!(list.len(), 1);
        assert_eq!(list[0].trouble(), trouble);
    }

    #[test]
    fn an_alias_is_judged_over_all_that_it_points_to() {
        let row = |index: &str, writes: &str| json!({"alias": "tenant", "index": index, "filter": "*", "is_write_index": writes});
        alias(json!([row("a", "-")]), None);
        alias(json!([row("a", "true"), row("b", "false")]), None);
        let none = "it has no write index: writes to it are refused";
        alias(json!([row("a", "false")]), Some(none));
        alias(json!([row("a", "-"), row("b", "-")]), Some(none));
        alias(
            json!([row("a", "true"), row("b", "true")]),
            Some("it has more than one write index: writes to it are refused"),
        );
        alias(json!([row("shut", "-")]), Some("it points nowhere: every index behind it is closed"));
    }

    #[test]
    fn a_stream_writes_to_its_newest_index() {
        let answer = json!({"data_streams": [{"name": "logs", "status": "GREEN", "generation": 2, "template": "t", "ilm_policy": "hot",
            "indices": [{"index_name": ".ds-logs-1", "index_uuid": "x"}, {"index_name": ".ds-logs-2"}]}]});
        let read = streams(&pruned(STREAMS_READ, answer)).expect("streams");
        assert_eq!(
            (read[0].writes.as_str(), read[0].indices, read[0].generation),
            (".ds-logs-2", 2, Some(2))
        );
    }

    #[test]
    fn a_shard_that_nobody_gives_has_no_source() {
        let row = json!([{"index": "a", "shard": "0", "type": "existing_store", "stage": "index", "source_node": "n/a",
            "target_node": "n1", "bytes_recovered": "5", "bytes_total": "10", "time": "1.2s"}]);
        let read = on_their_way(&pruned(RECOVERIES_READ, row)).expect("rows");
        assert_eq!((read[0].from.as_str(), read[0].done_bytes, read[0].total_bytes), ("", Some(5), Some(10)));
    }
}
