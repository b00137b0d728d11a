//! Real Elasticsearch 7.17, 8.19, 9.2 and OpenSearch 2.19, one after the other: `tests/run` starts each and runs these tests on it.

use super::{Watch, server};
use reqwest::Method;
use serde_json::{Value, json};
use stacktop::config::target::Connect;
use stacktop::config::url;
use stacktop::core::focus::Focus;
use stacktop::core::part::{Gap, GapKind, Part};
use stacktop::core::search::{SearchLook, SearchNode, SearchReading};
use stacktop::core::world::SystemState;
use stacktop::sources::http::Http;
use std::time::Duration;

pub struct Cluster {
    http: Http,
    pub url: String,
}

impl Cluster {
    pub async fn open(test: &str) -> Option<Self> {
        let url = server(test, "STACKTOP_TEST_ES_URL")?;
        stacktop::sources::tls::install_provider();
        let http = Http::open(&url::http(&url).expect("a URL")).await.expect("a client");
        Some(Self { http, url })
    }

    /// A request with lines of JSON, until it is answered.
    pub async fn send_lines(&self, path: &str, lines: String) {
        let headers = [(reqwest::header::CONTENT_TYPE, "application/x-ndjson")];
        self.http.send(Method::POST, path, &headers, Some(lines)).await.expect("an answer");
    }

    /// OpenSearch lets nobody create an index while every disk is past its marks, and notices late that none is any more.
    pub async fn opened(&self) {
        let off = json!({"persistent": {"cluster.blocks.create_index": null}});
        self.send(Method::PUT, "/_cluster/settings", off).await;
    }

    pub async fn send(&self, method: Method, path: &str, body: Value) -> Value {
        let headers = [(reqwest::header::CONTENT_TYPE, "application/json")];
        let body = (!body.is_null()).then(|| body.to_string());
        let answer = self.http.send(method, path, &headers, body).await.expect("an answer");
        serde_json::from_slice(&answer.body).unwrap_or(Value::Null)
    }

    pub fn watch(&self) -> Watch {
        Watch::new(Connect::Search(url::http(&self.url).expect("a URL")))
    }
}

pub fn reading(watch: &Watch) -> &SearchReading {
    match &watch.world.targets()[0].system {
        SystemState::Search(state) => state.reading().expect("a reading"),
        other => panic!("{other:?}"),
    }
}

pub async fn until(watch: &mut Watch, what: &str, seconds: u64, done: impl Fn(&SearchReading) -> bool) {
    for _ in 0..seconds * 2 {
        watch.poll().await.expect("a poll");
        if done(reading(watch)) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    panic!("{what} did not come: {:?}", reading(watch));
}

#[tokio::test]
async fn search_live_1_reads_identity_nodes_and_rates() {
    let Some(cluster) = Cluster::open("search_live_1_reads_identity_nodes_and_rates").await else { return };
    let flavour = std::env::var("STACKTOP_TEST_ES_FLAVOUR").expect("named by tests/run");
    let (product, version) = flavour.split_once('-').expect("product-version");
    let settings = json!({"settings": {"number_of_shards": 1, "number_of_replicas": 0}});
    cluster.send(Method::PUT, "/counted", settings).await;
    let mut watch = cluster.watch();
    watch.poll().await.expect("a poll");
    for n in 0..20 {
        cluster.send(Method::POST, "/counted/_doc?refresh=true", json!({"n": n})).await;
        cluster.send(Method::POST, "/counted/_search", json!({"query": {"match_all": {}}})).await;
    }
    tokio::time::sleep(super::RATES).await;
    watch.poll().await.expect("a poll");
    let SystemState::Search(state) = &watch.world.targets()[0].system else { panic!("another kind") };
    let reading = state.reading().expect("a reading");
    let identity = reading.identity.ready().expect("an identity");
    assert_eq!(identity.version, version, "{identity:?}");
    assert_eq!(identity.product.to_lowercase(), product);
    assert_eq!(identity.cluster, "stacktop-tests");
    let node = &reading.nodes.ready().expect("nodes")[0];
    assert!(node.heap_ratio.is_some_and(|heap| heap > 0.0 && heap < 1.0), "{node:?}");
    assert!(node.disk_ratio().is_some_and(|disk| disk > 0.0 && disk < 1.0), "{node:?}");
    assert!(node.low_free_bytes > node.flood_free_bytes, "{node:?}");
    assert!(state.rates.indexed.is_some_and(|rate| rate > 0.0), "{:?}", state.rates);
    assert!(state.rates.queries.is_some_and(|rate| rate > 0.0), "{:?}", state.rates);
    // What these builds lack costs its part only.
    assert!(reading.lifecycle.ready().is_some() || reading.lifecycle.gap().is_some());
    cluster.send(Method::DELETE, "/counted", Value::Null).await;
}

#[tokio::test]
async fn search_live_2_a_copy_that_fits_nowhere_is_yellow_with_its_reason() {
    let test = "search_live_2_a_copy_that_fits_nowhere_is_yellow_with_its_reason";
    let Some(cluster) = Cluster::open(test).await else { return };
    // More copies than there can be nodes.
    let settings = json!({"settings": {"number_of_shards": 2, "number_of_replicas": 3}});
    cluster.send(Method::PUT, "/crowded", settings).await;
    let mut watch = cluster.watch();
    until(&mut watch, "yellow", 30, |reading| {
        let yellow = reading.health.ready().is_some_and(|health| health.status == "yellow");
        yellow
            && reading
                .unassigned
                .ready()
                .is_some_and(|shards| shards.shards.iter().any(|shard| !shard.why.is_empty()))
    })
    .await;
    let shards = reading(&watch).unassigned.ready().expect("shards").clone();
    cluster.send(Method::DELETE, "/crowded", Value::Null).await;
    assert!(shards.shards.iter().all(|shard| shard.index == "crowded" && !shard.primary), "{shards:?}");
    assert!(shards.shards[0].why.contains("same_shard"), "{shards:?}");
    until(&mut watch, "green again", 30, |reading| {
        reading.health.ready().is_some_and(|health| health.status == "green")
    })
    .await;
}

#[tokio::test]
async fn search_live_3_indices_that_refuse_writes_are_named() {
    let Some(cluster) = Cluster::open("search_live_3_indices_that_refuse_writes_are_named").await else {
        return;
    };
    let settings = json!({"settings": {"number_of_shards": 1, "number_of_replicas": 0}});
    cluster.send(Method::PUT, "/filled", settings).await;
    let disk = "cluster.routing.allocation.disk.watermark";
    let marks = |low: Value, high: Value, flood: Value, every: Value| {
        json!({"persistent": {format!("{disk}.low"): low, format!("{disk}.high"): high,
            format!("{disk}.flood_stage"): flood, "cluster.info.update.interval": every}})
    };
    let full = marks(json!("90000gb"), json!("89000gb"), json!("88000gb"), json!("10s"));
    let answer = cluster.send(Method::PUT, "/_cluster/settings", full).await;
    assert_eq!(answer["acknowledged"], true, "{answer}");
    let mut seen = Vec::new();
    for _ in 0..60 {
        // A new watch each time: blocks are read each half minute only.
        let mut watch = cluster.watch();
        watch.poll().await.expect("a poll");
        seen = reading(&watch).read_only.ready().into_iter().flatten().cloned().collect();
        if !seen.is_empty() {
            let verdict = watch.verdict();
            let flood = reading(&watch)
                .nodes
                .ready()
                .is_some_and(|nodes| nodes.iter().any(|node| node.disk_free_bytes < node.flood_free_bytes));
            // The same disk, which the cluster does not watch any more.
            let watched =
                |on: Value| json!({"persistent": {"cluster.routing.allocation.disk.threshold_enabled": on}});
            cluster.send(Method::PUT, "/_cluster/settings", watched(json!(false))).await;
            let mut watch = cluster.watch();
            watch.poll().await.expect("a poll");
            let unwatched =
                reading(&watch).nodes.ready().is_some_and(|nodes| nodes.iter().all(SearchNode::is_unwatched));
            let off: String =
                watch.world.alerts.findings().iter().map(|finding| finding.breach.sentence.clone()).collect();
            cluster.send(Method::PUT, "/_cluster/settings", watched(Value::Null)).await;
            cluster
                .send(
                    Method::PUT,
                    "/_cluster/settings",
                    marks(Value::Null, Value::Null, Value::Null, Value::Null),
                )
                .await;
            cluster.send(Method::DELETE, "/filled", Value::Null).await;
            assert!(unwatched, "{off}");
            assert!(flood, "the node is past its flood stage");
            // Beside shards that the same disk keeps from their node, the disk is told as the cause of both.
            let told = ["writes after a full disk", "its indices are made read-only"];
            assert!(told.iter().any(|words| verdict.contains(words)), "{verdict}");
            assert!(!off.contains("watermark") && !off.contains("flood"), "{off}");
            return;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    cluster
        .send(Method::PUT, "/_cluster/settings", marks(Value::Null, Value::Null, Value::Null, Value::Null))
        .await;
    panic!("no index became read-only: {seen:?}");
}

/// Every look on a real cluster: what a flavour lacks is "not available", everything else is read.
#[tokio::test]
async fn search_live_3f_looks_are_read_or_not_available() {
    let Some(cluster) = Cluster::open("search_live_3f_looks_are_read_or_not_available").await else { return };
    let indices = ["stacktop-looked-1", "stacktop-looked-2"];
    cluster.opened().await;
    let settings = json!({"settings": {"number_of_shards": 1, "number_of_replicas": 0}});
    for index in indices {
        cluster.send(Method::PUT, &format!("/{index}"), settings.clone()).await;
    }
    let alias = |alias: &str, index: &str| {
        json!({"add": {"alias": alias, "index": index,
        "filter": {"term": {"tenant": 7}}}})
    };
    let actions: Vec<Value> = indices.iter().map(|index| alias("stacktop-tenant", index)).collect();
    let answer = cluster.send(Method::POST, "/_aliases", json!({"actions": actions})).await;
    let mut watch = cluster.watch();
    watch.poll().await.expect("a poll");
    let node = reading(&watch).nodes.ready().expect("nodes")[0].id.clone();
    let all = SearchLook::ALL.into_iter().chain([SearchLook::HotThreads(node)]);
    let focus: Vec<Focus> = all.map(Focus::Cluster).collect();
    for _ in 0..80 {
        watch.poll_with(&focus).await.expect("a poll");
        let looks = &reading(&watch).looks;
        let read = looks.tasks != Part::NotAsked
            && looks.recoveries != Part::NotAsked
            && looks.indices != Part::NotAsked
            && looks.names != Part::NotAsked
            && looks.snapshots != Part::NotAsked
            && looks.diagnosis != Part::NotAsked
            && looks.hot != Part::NotAsked;
        if read {
            break;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    for index in indices {
        cluster.send(Method::DELETE, &format!("/{index}"), Value::Null).await;
    }
    assert_eq!(answer["acknowledged"], true, "{answer}");
    let looks = &reading(&watch).looks;
    assert!(looks.tasks.ready().is_some_and(|tasks| tasks.pending.ready().is_some()), "{:?}", looks.tasks);
    assert!(looks.recoveries.ready().is_some(), "{:?}", looks.recoveries);
    let found = looks.indices.ready().expect("indices");
    let row = found.list.iter().find(|row| row.index == indices[0]).expect("the index");
    assert!(row.health == "green" && !row.uuid.is_empty() && row.created_millis.is_some(), "{row:?}");
    let names = looks.names.ready().expect("names");
    let tenant = names.aliases.iter().find(|alias| alias.alias == "stacktop-tenant").expect("the alias");
    assert!(tenant.filtered && tenant.indices.len() == 2, "{tenant:?}");
    assert_eq!(tenant.trouble(), Some("it has no write index: writes to it are refused"));
    assert!(looks.hot.ready().is_some_and(|hot| !hot.lines.is_empty()), "{:?}", looks.hot);
    let lacks = |gap: Option<&Gap>| gap.is_none_or(|gap| gap.kind == GapKind::NotSupported);
    assert!(lacks(names.streams.gap()), "{:?}", names.streams);
    assert!(lacks(looks.diagnosis.gap()) && lacks(reading(&watch).report.gap()), "{:?}", looks.diagnosis);
    let snapshots = looks.snapshots.ready().expect("no repository, and no error");
    assert!(lacks(snapshots.policies.gap()), "{snapshots:?}");
    let flavour = std::env::var("STACKTOP_TEST_ES_FLAVOUR").expect("named by tests/run");
    let newer = flavour.starts_with("elasticsearch-8") || flavour.starts_with("elasticsearch-9");
    assert_eq!(looks.diagnosis.ready().is_some(), newer, "{:?}", looks.diagnosis);
}

#[tokio::test(flavor = "multi_thread")]
async fn search_live_0_a_stopped_server_is_marked_and_comes_back() {
    let test = "search_live_0_a_stopped_server_is_marked_and_comes_back";
    let Some(url) = server(test, "STACKTOP_TEST_ES_URL") else { return };
    let Some(pid) = server(test, "STACKTOP_TEST_FREEZE_ES_PID") else { return };
    crate::pty::freeze(&[("search", url, pid)]);
}

#[tokio::test]
async fn search_live_4_a_killed_node_turns_the_cluster_yellow() {
    let Some(cluster) = Cluster::open("search_live_4_a_killed_node_turns_the_cluster_yellow").await else {
        return;
    };
    // Only the cluster of two nodes can lose one.
    let Ok(launcher) = std::env::var("STACKTOP_TEST_ES_NODE2_PID") else { return };
    let settings = json!({"settings": {"number_of_shards": 3, "number_of_replicas": 1}});
    cluster.send(Method::PUT, "/halved", settings).await;
    let mut watch = cluster.watch();
    until(&mut watch, "green on two nodes", 60, |reading| {
        reading.health.ready().is_some_and(|health| health.status == "green" && health.nodes == Some(2))
    })
    .await;
    let killed =
        std::process::Command::new("pkill").args(["-KILL", "-P", &launcher]).status().expect("pkill");
    assert!(killed.success());
    until(&mut watch, "the loss", 60, |reading| {
        let shards = reading.unassigned.ready().map_or(0, |shards| {
            shards.shards.iter().filter(|shard| shard.reason == "NODE_LEFT" && !shard.primary).count()
        });
        shards == 3 && reading.health.ready().is_some_and(|health| health.status == "yellow")
    })
    .await;
    assert!(watch.verdict().contains("yellow"), "{}", watch.verdict());
    cluster.send(Method::DELETE, "/halved", Value::Null).await;
}

/// The master of a real cluster of two is killed: the other node says so, and line 2 with its words.
#[tokio::test]
async fn search_lost_master_is_broken_in_the_nodes_own_words() {
    let test = "search_lost_master_is_broken_in_the_nodes_own_words";
    let Some(cluster) = Cluster::open(test).await else { return };
    let Ok(second) = std::env::var("STACKTOP_TEST_ES_NODE2_PID") else { return };
    assert!(!second.is_empty());
    let Some(first) = server(test, "STACKTOP_TEST_FREEZE_ES_PID") else { return };
    let (host, port) = cluster.url.rsplit_once(':').expect("a port");
    let other = format!("{host}:{}", port.parse::<u16>().expect("a number") + 1);
    let mut watch = Watch::new(Connect::Search(url::http(&other).expect("a URL")));
    until(&mut watch, "a whole cluster", 60, |reading| {
        reading.health.ready().is_some_and(|health| health.nodes == Some(2))
    })
    .await;
    let killed = std::process::Command::new("pkill").args(["-KILL", "-P", &first]).status().expect("pkill");
    assert!(killed.success());
    let began = std::time::Instant::now();
    loop {
        watch.poll().await.expect("the node that is left answers");
        if watch.verdict().starts_with("BROKEN") {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{}", watch.verdict());
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    eprintln!("told after {:?}: {}", began.elapsed(), watch.verdict());
    assert!(watch.verdict().contains("master_not_discovered"), "{}", watch.verdict());
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "two intervals of five seconds: {:?}",
        began.elapsed()
    );
    assert!(reading(&watch).unassigned.gap().is_some(), "nothing old stands as new");
}
