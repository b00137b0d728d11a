//! What is done to real clusters: blocks, copies, allocation, shards that were given up, tasks. What a test sets for the whole cluster it
//! puts back, also when it fails. Lifecycles are not in these builds: `tests/it/search_acts.rs` fakes them.

use super::search::{Cluster, reading, until};
use super::{Watch, server};
use futures_util::FutureExt;
use reqwest::Method;
use serde_json::{Value, json};
use stacktop::core::action::{Action, ActionError, Preview, Refusal, Verdict};
use stacktop::core::focus::Focus;
use stacktop::core::ids::TargetId;
use stacktop::core::place::Screen;
use stacktop::core::row::RowKey;
use stacktop::core::search::{SearchAction, SearchLook, SearchRow};
use stacktop::panels::panel;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::time::Duration;

const DISK: &str = "cluster.routing.allocation.disk.watermark";
const ENABLE: &str = "cluster.routing.allocation.enable";

/// Runs a test and then puts the cluster's settings back and deletes its index, also when it failed.
async fn restored(cluster: &Cluster, index: &str, test: impl Future<Output = ()>) {
    let ended = AssertUnwindSafe(test).catch_unwind().await;
    let names = ["low", "high", "flood_stage"].map(|name| format!("{DISK}.{name}"));
    let mut off = json!({ENABLE: null, "cluster.info.update.interval": null});
    for name in names {
        off[name] = Value::Null;
    }
    cluster.send(Method::PUT, "/_cluster/settings", json!({"persistent": off, "transient": off})).await;
    cluster.send(Method::DELETE, &format!("/{index}"), Value::Null).await;
    if let Err(panic) = ended {
        std::panic::resume_unwind(panic);
    }
}

async fn create(cluster: &Cluster, index: &str, settings: Value) {
    cluster.opened().await;
    let answer = cluster
        .send(Method::PUT, &format!("/{index}?wait_for_active_shards=0"), json!({"settings": settings}))
        .await;
    assert_eq!(answer["acknowledged"], true, "{answer}");
}

async fn setting(cluster: &Cluster, index: &str, name: &str) -> Value {
    let answer =
        cluster.send(Method::GET, &format!("/{index}/_settings?flat_settings=true"), Value::Null).await;
    answer[index]["settings"][name].clone()
}

/// What the row offers under this letter.
fn offered(watch: &Watch, row: SearchRow, letter: char) -> Result<(Action, Preview), Refusal> {
    let row = RowKey::Search(TargetId::new("it"), row);
    let offers = panel(Screen::Search).offers(watch.context(), &[], &row, &[]);
    let offer = offers.into_iter().find(|offer| offer.letter == letter);
    offer.map_or_else(|| Err(Refusal::new("no such offer")), |offer| offer.choice)
}

/// Polls until the row offers it.
async fn until_offered(watch: &mut Watch, row: &SearchRow, letter: char) -> Action {
    let mut why = String::new();
    for _ in 0..80 {
        watch.poll().await.expect("a poll");
        match offered(watch, row.clone(), letter) {
            Ok((action, _)) => return action,
            Err(refusal) => why = refusal.sentence(),
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    panic!("`{letter}` is not offered: {why}");
}

fn act(action: &Action) -> SearchAction {
    match action {
        Action::Search { act, .. } => act.clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn search_live_3a_a_block_is_refused_above_the_mark_and_taken_off_below_it() {
    let test = "search_live_3a_a_block_is_refused_above_the_mark_and_taken_off_below_it";
    let Some(cluster) = Cluster::open(test).await else { return };
    let index = "stacktop-blocked";
    Box::pin(restored(&cluster, index, async {
        create(&cluster, index, json!({"number_of_shards": 1, "number_of_replicas": 0})).await;
        let block = async || {
            let set = json!({"index.blocks.read_only_allow_delete": true});
            cluster.send(Method::PUT, &format!("/{index}/_settings"), set).await
        };
        let name = "index.blocks.read_only_allow_delete";
        let row = SearchRow::Blocked(index.to_owned());
        block().await;
        // Newer servers take it off by themselves now and then, as soon as no disk is full.
        let mut tries = 0;
        let action = loop {
            let mut watch = cluster.watch();
            let action = until_offered(&mut watch, &row, 'u').await;
            let outcome = watch.act(action.clone()).await.expect("an outcome");
            if outcome.verdict == Verdict::Done {
                assert_eq!(watch.audited(), ["intent", "outcome", "verified"]);
                break action;
            }
            tries += 1;
            assert!(tries < 5 && outcome.verdict == Verdict::Nothing, "{outcome:?}");
            block().await;
        };
        assert_eq!(setting(&cluster, index, name).await, Value::Null);
        // Once more: there is no block.
        let watch = cluster.watch();
        let outcome = watch.act(action.clone()).await.expect("an outcome");
        assert_eq!(outcome.verdict, Verdict::Nothing, "{outcome:?}");
        assert!(outcome.summary.contains("is not blocked any more"), "{outcome:?}");
        // Past the flood stage it is neither offered nor, once chosen, sent.
        let full = json!({"persistent": {format!("{DISK}.low"): "90000gb", format!("{DISK}.high"): "89000gb",
            format!("{DISK}.flood_stage"): "88000gb"}});
        let answer = cluster.send(Method::PUT, "/_cluster/settings", full).await;
        assert_eq!(answer["acknowledged"], true, "{answer}");
        block().await;
        let mut watch = cluster.watch();
        let why = loop {
            watch.poll().await.expect("a poll");
            let refusal = offered(&watch, row.clone(), 'u').expect_err("a disk is full").sentence();
            if refusal.contains("flood stage") {
                break refusal;
            }
            // Until the settings are read the usual marks are assumed.
            let known = ["not read", "any more", "watermark"].iter().any(|words| refusal.contains(words));
            assert!(known, "{refusal}");
            tokio::time::sleep(Duration::from_millis(250)).await;
        };
        assert!(why.contains(" free, ") && why.contains("are wanted"), "{why}");
        let refused = watch.act(action.clone()).await.expect_err("a disk is full");
        assert!(matches!(&refused, ActionError::Refused(why) if why.contains("flood stage")), "{refused:?}");
        assert_eq!(setting(&cluster, index, name).await, "true");
        // Another index by that name is another index.
        cluster.send(Method::DELETE, &format!("/{index}"), Value::Null).await;
        create(&cluster, index, json!({"number_of_shards": 1, "number_of_replicas": 0})).await;
        block().await;
        let outcome = watch.act(action).await.expect("an outcome");
        assert!(outcome.summary.contains("another one has its name"), "{outcome:?}");
        assert_eq!(setting(&cluster, index, name).await, "true");
    }))
    .await;
}

#[tokio::test]
async fn search_live_3b_an_index_wants_no_more_copies_than_there_are_nodes() {
    let test = "search_live_3b_an_index_wants_no_more_copies_than_there_are_nodes";
    let Some(cluster) = Cluster::open(test).await else { return };
    let index = "stacktop-copies";
    restored(&cluster, index, async {
        create(&cluster, index, json!({"number_of_shards": 1, "number_of_replicas": 4})).await;
        // Before its primary is on a node, that is what a copy waits for.
        let ready = "wait_for_no_initializing_shards=true&timeout=20s";
        cluster.send(Method::GET, &format!("/_cluster/health/{index}?{ready}"), Value::Null).await;
        let mut watch = cluster.watch();
        let row = SearchRow::Group { decider: "same_shard".to_owned(), index: index.to_owned() };
        let action = until_offered(&mut watch, &row, 'n').await;
        let SearchAction::Replicas { from: 4, to, .. } = act(&action) else { panic!("{action:?}") };
        let nodes = reading(&watch).nodes.ready().expect("nodes").len() as u64;
        assert_eq!(to, nodes - 1);
        let outcome = watch.act(action.clone()).await.expect("an outcome");
        assert_eq!(outcome.verdict, Verdict::Done, "{outcome:?}");
        assert_eq!(setting(&cluster, index, "index.number_of_replicas").await, to.to_string());
        let again = watch.act(action).await.expect("an outcome");
        assert_eq!(again.summary, format!("{index} wants {to} by now: nothing was done"));
        until(&mut watch, "every copy on a node", 30, |reading| {
            let away = reading.unassigned.ready();
            away.is_some_and(|away| away.shards.iter().all(|shard| shard.index != index))
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn search_live_3c_allocation_is_switched_on_again() {
    let test = "search_live_3c_allocation_is_switched_on_again";
    let Some(cluster) = Cluster::open(test).await else { return };
    let index = "stacktop-unplaced";
    restored(&cluster, index, async {
        let off = json!({"persistent": {ENABLE: "none"}});
        cluster.send(Method::PUT, "/_cluster/settings", off).await;
        create(&cluster, index, json!({"number_of_shards": 1, "number_of_replicas": 0})).await;
        let mut watch = cluster.watch();
        let row = SearchRow::Group { decider: "enable".to_owned(), index: index.to_owned() };
        let action = until_offered(&mut watch, &row, 'a').await;
        let stale = Action::Search {
            target: TargetId::new("it"),
            act: SearchAction::Allocate { mode: "primaries".to_owned() },
        };
        let outcome = watch.act(stale).await.expect("an outcome");
        assert_eq!(outcome.summary, format!("{ENABLE} is none by now: nothing was done"));
        let outcome = watch.act(action).await.expect("an outcome");
        assert_eq!(outcome.verdict, Verdict::Done, "{outcome:?}");
        let answer = cluster.send(Method::GET, "/_cluster/settings?flat_settings=true", Value::Null).await;
        assert!(answer["persistent"][ENABLE].is_null() && answer["transient"][ENABLE].is_null(), "{answer}");
        until(&mut watch, "the shard on a node", 30, |reading| {
            reading
                .unassigned
                .ready()
                .is_some_and(|away| away.shards.iter().all(|shard| shard.index != index))
        })
        .await;
    })
    .await;
}

/// Where the shard of an index would be on the node `n1`.
async fn shard_folder(cluster: &Cluster, index: &str) -> Option<PathBuf> {
    let uuid = setting(cluster, index, "index.uuid").await.as_str()?.to_owned();
    let stats = cluster.send(Method::GET, "/_nodes/n1/stats/fs", Value::Null).await;
    let node = stats["nodes"].as_object()?.values().next()?.clone();
    let path = node["fs"]["data"][0]["path"].as_str()?.to_owned();
    Some(PathBuf::from(path).join("indices").join(uuid).join("0"))
}

#[tokio::test]
async fn search_live_3d_a_shard_that_was_given_up_is_tried_again() {
    let test = "search_live_3d_a_shard_that_was_given_up_is_tried_again";
    let Some(cluster) = Cluster::open(test).await else { return };
    let index = "stacktop-given-up";
    restored(&cluster, index, async {
        let settings = json!({"number_of_shards": 1, "number_of_replicas": 0, "routing.allocation.enable": "none",
            "routing.allocation.require._name": "n1", "allocation.max_retries": 1});
        create(&cluster, index, settings).await;
        let folder = shard_folder(&cluster, index).await.expect("its folder");
        // A file where the folder of the shard has to be: it cannot be built.
        std::fs::create_dir_all(folder.parent().expect("a folder")).expect("a folder");
        std::fs::write(&folder, "in the way").expect("written beside the server's own data");
        let on = json!({"index.routing.allocation.enable": "all"});
        cluster.send(Method::PUT, &format!("/{index}/_settings"), on).await;
        let mut watch = cluster.watch();
        let row = SearchRow::Group { decider: "max_retry".to_owned(), index: index.to_owned() };
        let action = until_offered(&mut watch, &row, 'r').await;
        // With the folder around it, which is not the server's own.
        std::fs::remove_dir_all(folder.parent().expect("a folder")).expect("out of the way");
        let outcome = watch.act(action.clone()).await.expect("an outcome");
        assert_eq!(outcome.verdict, Verdict::Done, "{outcome:?}");
        until(&mut watch, "the shard on a node", 30, |reading| {
            reading.unassigned.ready().is_some_and(|away| away.shards.iter().all(|shard| shard.index != index))
        })
        .await;
        let again = watch.act(action).await.expect("an outcome");
        assert_eq!(again.summary, format!("shard 0 of {index} is on a node by now: nothing was done"));
    })
    .await;
}

/// So many documents, and searches over all of them in one request, keep a node busy for a while, one after the other.
const DOCUMENTS: usize = 5000;
const SEARCHES: usize = 20_000;

#[tokio::test(flavor = "multi_thread")]
async fn search_live_3e_a_task_is_cancelled_and_no_other_one() {
    let test = "search_live_3e_a_task_is_cancelled_and_no_other_one";
    let Some(cluster) = Cluster::open(test).await else { return };
    let Some(url) = server(test, "STACKTOP_TEST_ES_URL") else { return };
    assert_eq!(url, cluster.url);
    let index = "stacktop-searched";
    restored(&cluster, index, async {
        create(&cluster, index, json!({"number_of_shards": 1, "number_of_replicas": 0})).await;
        let documents = (0..DOCUMENTS).map(|n| format!("{{\"index\":{{}}}}\n{{\"n\":{n}}}\n")).collect();
        cluster.send_lines(&format!("/{index}/_bulk?refresh=true"), documents).await;
        let head = json!({"index": index, "request_cache": false});
        let each =
            json!({"terms": {"field": "n", "size": DOCUMENTS}, "aggs": {"b": {"avg": {"field": "n"}}}});
        let one = format!("{head}\n{}\n", json!({"size": 0, "aggs": {"a": each}}));
        let other = Cluster::open(test).await.expect("a second client");
        let searching = tokio::spawn(async move {
            let path = "/_msearch?max_concurrent_searches=1&filter_path=took";
            other.send_lines(path, one.repeat(SEARCHES)).await;
        });
        let mut watch = cluster.watch();
        let focus = [Focus::Cluster(SearchLook::Tasks)];
        let mut found = None;
        for _ in 0..100 {
            watch.poll_with(&focus).await.expect("a poll");
            let tasks = reading(&watch).looks.tasks.ready().map(|tasks| tasks.running.clone());
            let mut tasks = tasks.unwrap_or_default().into_iter();
            // One whose client went away may stay for ever (OpenSearch 2.19).
            found = tasks.find(|task| task.task.action.ends_with("msearch") && !task.cancelled);
            if found.is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        let found = found.expect("the searches run");
        assert!(found.description.len() < 2000, "a task of many searches says megabytes of itself");
        let (action, preview) =
            offered(&watch, SearchRow::Task(found.task.clone()), 'k').expect("it can be asked to end");
        assert!(preview.statement.starts_with("POST /_tasks/"), "{preview:?}");
        // The same number with another start is another task.
        let mut stranger = found.task.clone();
        stranger.start_millis -= 1;
        let other =
            Action::Search { target: TargetId::new("it"), act: SearchAction::CancelTask { task: stranger } };
        let outcome = watch.act(other).await.expect("an outcome");
        assert_eq!(outcome.verdict, Verdict::Nothing, "{outcome:?}");
        assert!(!searching.is_finished(), "it goes on");
        let outcome = watch.act(action.clone()).await.expect("an outcome");
        assert_eq!(outcome.verdict, Verdict::Done, "{outcome:?}");
        tokio::time::timeout(Duration::from_secs(20), searching).await.expect("it ends").expect("no panic");
        let outcome = watch.act(action).await.expect("an outcome");
        assert_eq!(outcome.summary, format!("task {} is gone: nothing was done", found.task.id));
    })
    .await;
}
