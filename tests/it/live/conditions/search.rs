//! Conditions of a search cluster of two nodes: one of them is gone, and the disk of the other is past its flood stage.

use super::{Lookout, told};
use crate::live::search::Cluster;
use reqwest::Method;
use serde_json::{Value, json};
use stacktop::config::target::Connect;
use stacktop::config::url;
use std::process::Command;

/// The Java process of the node whose launcher this is.
fn signal(launcher: &str, signal: &str) {
    let status = Command::new("pkill").args([signal, "-P", launcher]).status();
    assert!(status.expect("pkill").success());
}

#[tokio::test(flavor = "multi_thread")]
async fn search_live_conditions_are_told_as_long_as_they_last() {
    let test = "search_live_conditions_are_told_as_long_as_they_last";
    let Some(cluster) = Cluster::open(test).await else { return };
    // Only the cluster of two nodes can lose one.
    let Ok(second) = std::env::var("STACKTOP_TEST_ES_NODE2_PID") else { return };
    let connect = Connect::Search(url::http(&cluster.url).expect("a URL"));
    let mut lookout = Lookout::new(vec![("search", connect)]).from("search.yellow", 5.0);
    let settings = json!({"settings": {"number_of_shards": 3, "number_of_replicas": 1}});
    cluster.send(Method::PUT, "/held", settings).await;
    lookout.settles().await;
    let full = marks(["90000gb", "89000gb", "88000gb", "10s"].map(Value::from));
    cluster.send(Method::PUT, "/_cluster/settings", full).await;
    // It answers no more, and the other lets it go.
    signal(&second, "-STOP");
    let rules = ["search.yellow", "search.read_only", "search.disk"];
    let lies = lookout.lasts("node_gone_and_flood_stage", &rules, &["BROKEN"]).await;
    signal(&second, "-CONT");
    let usual = marks([Value::Null, Value::Null, Value::Null, Value::Null]);
    cluster.send(Method::PUT, "/_cluster/settings", usual).await;
    cluster.send(Method::DELETE, "/held", Value::Null).await;
    let back = "/_cluster/health?wait_for_nodes=2&timeout=60s";
    let back = cluster.send(Method::GET, back, Value::Null).await;
    assert_eq!(back["timed_out"], false, "{back}");
    let mut report = String::new();
    told(&mut report, &lies);
    assert!(report.is_empty(), "\n{report}");
}

/// From where on a disk is full, and how often that is looked at.
fn marks([low, high, flood, each]: [Value; 4]) -> Value {
    let disk = "cluster.routing.allocation.disk.watermark";
    json!({"persistent": {format!("{disk}.low"): low, format!("{disk}.high"): high,
        format!("{disk}.flood_stage"): flood, "cluster.info.update.interval": each}})
}
