//! Search clusters: the verdict, nodes against their watermarks, shards on no node and why.

use super::world::{FIRST, Page, Stage, gap, ready, secs, target, warm_at};
use stacktop::core::focus::Focus;
use stacktop::core::ids::SystemKind;
use stacktop::core::part::Part;
use stacktop::core::place::Screen;
use stacktop::core::row::RowKey;
use stacktop::core::search::{
    Alias, ClusterHealth, Diagnosis, HotThreads, Identity, IndexRow, Indicator, Indices, LifecycleError,
    Names, PendingTask, Recovery, Repository, SearchLook, SearchLooks, SearchNode, SearchReading, SearchRow,
    SearchTask, Snapshot, SnapshotPolicy, Snapshots, TaskId, Tasks, Unassigned, UnassignedShard,
};
use stacktop::core::time::Now;
use stacktop::ui::content::Role;

const GIB: f64 = 1_073_741_824.0;

fn page(reading: SearchReading) -> Page {
    Stage::of(reading).page(Screen::Search)
}

fn cluster(status: &str) -> SearchReading {
    let identity = Identity {
        version: "8.15.0".to_owned(),
        product: "Elasticsearch".to_owned(),
        cluster: "logs".to_owned(),
    };
    let health = ClusterHealth {
        status: status.to_owned(),
        nodes: Some(3),
        active_shards: Some(20),
        active_ratio: Some(1.0),
        unassigned: Some(0),
        relocating: Some(0),
        initializing: Some(0),
        pending_tasks: Some(0),
        ..ClusterHealth::default()
    };
    SearchReading { identity: ready(identity), health: Part::Ready(health), ..SearchReading::default() }
}

fn node(node: SearchNode) -> SearchReading {
    let node = SearchNode { id: "n1".to_owned(), name: "node-1".to_owned(), ..node };
    SearchReading { nodes: ready(vec![node]), ..cluster("green") }
}

/// A node of 100 GiB with marks at 15, 10 and 5 GiB.
fn disk(free: f64) -> SearchReading {
    node(SearchNode {
        disk_total_bytes: Some(100.0 * GIB),
        disk_free_bytes: Some(free * GIB),
        low_free_bytes: Some(15.0 * GIB),
        high_free_bytes: Some(10.0 * GIB),
        flood_free_bytes: Some(5.0 * GIB),
        ..SearchNode::default()
    })
}

fn shard(index: &str, primary: bool, why: &str) -> UnassignedShard {
    UnassignedShard {
        index: index.to_owned(),
        shard: "0".to_owned(),
        primary,
        reason: "NODE_LEFT".to_owned(),
        why: why.to_owned(),
        ..UnassignedShard::default()
    }
}

fn away(shards: Vec<UnassignedShard>) -> SearchReading {
    SearchReading { unassigned: ready(Unassigned::of(shards)), ..cluster("red") }
}

#[test]
fn without_a_cluster_it_says_so() {
    Stage::empty().page(Screen::Search).says("no search cluster is configured");
}

#[test]
fn before_the_first_answer_it_waits() {
    Stage::waiting(SystemKind::Search)
        .page(Screen::Search)
        .says("es.example:1 · waiting for the first answer");
}

#[test]
fn a_cluster_that_never_answered_says_why() {
    Stage::silent(SystemKind::Search).page(Screen::Search).says("connection refused; start it");
}

#[test]
fn it_names_product_version_and_cluster() {
    page(cluster("green")).says("es Elasticsearch 8.15.0 · cluster logs");
}

#[test]
fn a_version_that_may_not_be_read_is_not_made_up() {
    page(SearchReading { identity: gap("no right"), ..cluster("green") })
        .says("its version is not permitted to be read");
}

#[test]
fn the_status_is_in_capitals_and_in_its_role() {
    let tone = |status: &str| page(cluster(status)).tone(&status.to_uppercase());
    assert_eq!(["green", "yellow", "red"].map(tone), [Role::Ok, Role::Warning, Role::Critical]);
}

#[test]
fn a_status_that_is_not_known_is_not_good() {
    assert_eq!(page(cluster("odd")).tone("ODD"), Role::Critical);
}

#[test]
fn nodes_and_shards_are_counted() {
    page(cluster("green")).says("3 nodes · 20 shards assigned (100 %)");
}

#[test]
fn one_node_is_no_nodes() {
    let mut reading = cluster("green");
    if let Part::Ready(health) = &mut reading.health {
        (health.nodes, health.active_shards) = (Some(1), Some(1));
    }
    page(reading).says(" · 1 node · 1 shard assigned");
}

#[test]
fn what_the_cluster_does_not_tell_is_a_dash_and_no_zero() {
    let health = ClusterHealth { status: "green".to_owned(), ..ClusterHealth::default() };
    page(SearchReading { health: Part::Ready(health), ..cluster("green") })
        .says("— nodes · — shards assigned (—) · — on no node · — moving · — being built");
}

#[test]
fn tasks_that_wait_for_the_master_are_told() {
    let mut reading = cluster("green");
    if let Part::Ready(health) = &mut reading.health {
        health.pending_tasks = Some(4);
    }
    page(reading).says("pending tasks   4");
}

#[test]
fn no_waiting_task_is_not_told() {
    page(cluster("green")).says_not("pending tasks");
}

#[test]
fn a_cluster_without_a_master_says_that_first() {
    let page =
        page(SearchReading { no_master: Some("master not discovered".to_owned()), ..cluster("green") });
    page.says("NO MASTER: master not discovered");
    page.says_not("GREEN");
}

#[test]
fn health_that_may_not_be_read_says_why() {
    page(SearchReading { health: gap("monitor: no right"), ..cluster("green") }).says("monitor: no right");
}

#[test]
fn a_question_that_is_late_says_since_when() {
    page(SearchReading { waiting: vec![("nodes".to_owned(), secs(12))], ..cluster("green") })
        .says("nodes: asked 12 s ago, no answer yet; what stands here is older");
}

#[test]
fn what_was_left_out_is_said() {
    page(SearchReading { limits: vec!["only 100 nodes are read".to_owned()], ..cluster("green") })
        .says("only 100 nodes are read");
}

#[test]
fn one_reading_gives_no_rate_and_no_zero() {
    page(cluster("green")).says("shard searches  — · mean — each");
}

#[test]
fn searches_are_told_per_second_of_the_nodes_own_time() {
    let at = |second, total: f64| {
        let node_of = SearchNode {
            name: "node-1".to_owned(),
            query_total: Some(total),
            query_millis: Some(total * 2.0),
            uptime_millis: Some(1e9 + second as f64 * 1000.0),
            ..SearchNode::default()
        };
        SearchReading { nodes: Part::Ready(warm_at(second, vec![node_of])), ..cluster("green") }
    };
    Stage::of(at(FIRST, 0.0))
        .then(FIRST + 10, "es", at(FIRST + 10, 100.0))
        .page(Screen::Search)
        .says("10/s · mean 2.0 ms each");
}

#[test]
fn nodes_that_may_not_be_read_say_why() {
    page(SearchReading { nodes: gap("nodes: no right"), ..cluster("green") }).says("nodes: no right");
}

#[test]
fn no_node_is_said_to_be_none() {
    page(SearchReading { nodes: ready(Vec::new()), ..cluster("green") }).says("no node is visible");
}

#[test]
fn what_a_node_does_not_tell_is_a_dash() {
    let page = page(node(SearchNode::default()));
    assert_eq!(page.row("node-1")[1..], ["—"; 10]);
}

#[test]
fn a_nodes_disk_is_shown_by_share_and_by_what_is_free() {
    let page = page(disk(40.0));
    assert_eq!(
        (page.cell("node-1", "disk"), page.cell("node-1", "free")),
        ("60 %".to_owned(), "40 GiB".to_owned())
    );
}

#[track_caller]
fn mark(free: f64, words: &str, role: Role) {
    let page = page(disk(free));
    assert_eq!(
        (page.cell("node-1", "watermark"), page.role("node-1", "watermark")),
        (words.to_owned(), role)
    );
}

#[test]
fn a_disk_above_all_marks_is_ok() {
    mark(40.0, "ok", Role::Ok);
}

#[test]
fn a_disk_at_its_mark_is_not_past_it() {
    mark(15.0, "ok", Role::Ok);
}

#[test]
fn a_disk_past_the_low_mark_is_worth_a_look() {
    mark(14.9, "past low", Role::Note);
}

#[test]
fn a_disk_past_the_high_mark_is_a_warning() {
    mark(9.9, "past high", Role::Warning);
}

#[test]
fn a_disk_at_flood_stage_is_critical() {
    mark(4.9, "FLOOD STAGE", Role::Critical);
}

#[test]
fn a_node_without_marks_is_not_said_to_be_ok() {
    let page = page(node(SearchNode { disk_free_bytes: Some(GIB), ..SearchNode::default() }));
    assert_eq!(page.cell("node-1", "watermark"), "—");
}

#[test]
fn a_full_heap_is_graded_by_its_rule() {
    let role = |heap| {
        page(node(SearchNode { heap_ratio: Some(heap), ..SearchNode::default() })).role("node-1", "heap")
    };
    assert_eq!((role(0.5), role(0.99)), (Role::Text, Role::Critical));
}

#[test]
fn no_shard_away_has_no_section() {
    page(SearchReading { unassigned: ready(Unassigned::of(Vec::new())), ..cluster("green") })
        .says_not("Shards on no node");
}

#[test]
fn shards_away_are_counted_by_kind() {
    let page = page(away(vec![shard("a", true, ""), shard("b", false, ""), shard("c", false, "")]));
    assert!(page.titles().contains(&"Shards on no node: 1 primary and 2 replicas"), "{:?}", page.titles());
}

#[test]
fn a_primary_away_is_critical_and_a_replica_a_warning() {
    let page = page(away(vec![shard("a", true, ""), shard("b", false, "")]));
    assert_eq!((page.role("a", "copy"), page.role("b", "copy")), (Role::Critical, Role::Warning));
}

#[test]
fn a_shard_of_one_index_names_the_index() {
    page(away(vec![shard("a", true, "no disk")])).says("1 shard of a: no disk");
}

#[test]
fn shards_of_several_indices_count_them() {
    page(away(vec![shard("a", true, "no disk"), shard("b", true, "no disk")]))
        .says("2 shards of 2 indices: no disk");
}

#[test]
fn a_shard_that_is_not_explained_says_so() {
    let page = page(away(vec![shard("a", true, "")]));
    assert_eq!(page.cell("a", "and stays so because"), "(not explained yet)");
}

#[test]
fn more_reasons_than_are_told_are_counted() {
    let reasons = ["1", "2", "3", "4", "5", "6", "7"].map(|why| shard(why, true, why)).to_vec();
    page(away(reasons)).says("and 2 more reasons");
}

#[test]
fn one_more_reason_is_no_reasons() {
    let reasons = ["1", "2", "3", "4", "5", "6"].map(|why| shard(why, true, why)).to_vec();
    page(away(reasons)).says("and 1 more reason\n");
}

#[test]
fn of_very_many_shards_the_first_are_listed_and_all_judged() {
    let all = (0..1001).map(|number| shard(&format!("i{number}"), true, "x")).collect();
    page(away(all)).says("the first 1000 are listed, all are judged");
}

#[test]
fn shards_that_may_not_be_read_say_why() {
    page(SearchReading { unassigned: gap("_cat/shards: no right"), ..cluster("red") })
        .says("_cat/shards: no right");
}

#[test]
fn an_index_that_refuses_writes_is_named() {
    let page = page(SearchReading { read_only: ready(vec!["logs-1".to_owned()]), ..cluster("green") });
    assert_eq!(page.role("logs-1", "is so"), Role::Critical);
    page.says("logs-1 | refuses writes: a disk was full");
}

#[test]
fn a_lifecycle_that_fails_says_where_and_why() {
    let failed = LifecycleError {
        index: "logs-1".to_owned(),
        policy: "hot".to_owned(),
        step: "rollover".to_owned(),
        reason: "no alias".to_owned(),
        stands: true,
        ..LifecycleError::default()
    };
    let stage = |failed| page(SearchReading { lifecycle: ready(vec![failed]), ..cluster("green") });
    stage(failed.clone()).says("logs-1 | its lifecycle fails at rollover: no alias | hot | —");
    stage(LifecycleError { stands: false, retries: Some(3), ..failed })
        .says("logs-1 | its lifecycle is tried again at rollover: no alias | hot | 3");
}

#[test]
fn shards_away_are_grouped_by_decider_and_index_with_what_fits() {
    let page = page(away(vec![
        shard("a", false, "same_shard (2 of 2 nodes): a copy of this shard is already there"),
        shard("b", true, "max_retry: shard has exceeded the maximum number of retries [5]"),
        shard("c", false, "some_new_decider: it says so"),
    ]));
    let of = |decider: &str| page.row(decider)[1..].to_vec();
    assert_eq!(
        of("max_retry"),
        ["b", "1", "1", "the cluster tried five times and gave up", "try them again"]
    );
    assert_eq!(of("same_shard")[3..], ["it wants more copies than there are nodes for", "fewer copies"]);
    assert_eq!(of("some_new_decider")[3..], ["some_new_decider: it says so", ""]);
}

#[test]
fn of_very_many_groups_the_first_are_listed_and_all_counted() {
    let all = (0..250).map(|number| shard(&format!("i{number}"), true, "x")).collect();
    page(away(all)).says("the first 200 of 250 groups are listed");
}

fn tasks(found: Tasks) -> Page {
    let looks = SearchLooks { tasks: ready(found), ..SearchLooks::default() };
    let stage = Stage::of(SearchReading { looks, ..node(SearchNode::default()) });
    stage.opened(Screen::Search, &[look(SearchLook::Tasks)])
}

fn look(look: SearchLook) -> RowKey {
    RowKey::Search(target("es"), SearchRow::Look(look))
}

#[test]
fn tasks_are_told_with_node_client_and_whether_they_can_end() {
    let running = SearchTask {
        task: TaskId {
            id: "n1:7".to_owned(),
            action: "indices:data/write/reindex".to_owned(),
            start_millis: 1,
        },
        node: "n1".to_owned(),
        running_nanos: 90_000_000_000,
        cancellable: Some(true),
        client: "shop".to_owned(),
        description: "reindex from [a] to [b]".to_owned(),
        ..SearchTask::default()
    };
    let page = tasks(Tasks { running: vec![running], total: 1, pending: Part::Ready(Vec::new()) });
    page.says("1m30s | data/write/reindex | node-1 | shop | 0 | yes | reindex from [a] to [b]");
    page.says("nothing waits for the master");
    assert_eq!(page.role("data/write/reindex", "runs for"), Role::Warning);
}

#[test]
fn nothing_that_runs_is_said_and_what_waits_for_the_master_is_listed() {
    let waits = PendingTask {
        priority: "URGENT".to_owned(),
        source: "create-index [a]".to_owned(),
        waiting_millis: 1500,
        ..PendingTask::default()
    };
    let page = tasks(Tasks { pending: Part::Ready(vec![waits]), ..Tasks::default() });
    page.says("no search, reindexing or bulk write runs");
    page.says("waits 1.5 s · URGENT · create-index [a]");
}

#[test]
fn a_look_is_read_while_it_is_open_only() {
    let stage = Stage::of(cluster("green"));
    assert_eq!(stage.focus(Screen::Search, &[]), []);
    assert_eq!(stage.focus(Screen::Search, &[look(SearchLook::Tasks)]), [Focus::Cluster(SearchLook::Tasks)]);
    stage.opened(Screen::Search, &[look(SearchLook::Tasks)]).says("reading tasks");
}

#[test]
fn allocation_that_is_switched_off_is_said() {
    page(SearchReading { allocation: ready(Some("none".to_owned())), ..cluster("green") })
        .says("cluster.routing.allocation.enable is none");
}

#[test]
fn allocation_as_it_should_be_is_no_news() {
    page(SearchReading { allocation: ready(None), ..cluster("green") }).says_not("allocation");
}

#[test]
fn what_is_not_read_beside_is_said_with_its_reason() {
    page(SearchReading { lifecycle: gap("read_ilm: no right"), ..cluster("green") })
        .says("lifecycles are not read: read_ilm: no right");
}

#[test]
fn old_numbers_are_late_and_then_stale() {
    let stage = |second| Stage::of(cluster("green")).at(FIRST + second).page(Screen::Search);
    stage(9).says("LATE, 9.0 s old");
    stage(90).says("STALE 1m30s");
}

fn opened(which: SearchLook, looks: SearchLooks) -> Page {
    let reading = SearchReading { looks, ..node(SearchNode::default()) };
    Stage::of(reading).opened(Screen::Search, &[look(which)])
}

#[test]
fn every_look_says_what_it_is_while_nothing_was_read() {
    for which in SearchLook::ALL {
        opened(which.clone(), SearchLooks::default()).says(&format!("reading {}", which.title()));
    }
}

#[test]
fn a_look_that_this_server_lacks_says_so() {
    let looks =
        SearchLooks { diagnosis: gap("not available on this server (400)"), ..SearchLooks::default() };
    opened(SearchLook::Diagnosis, looks).says("not available on this server (400)");
}

#[test]
fn a_shard_on_its_way_tells_how_far_and_between_whom() {
    let way = Recovery {
        index: "logs".to_owned(),
        shard: "2".to_owned(),
        kind: "peer".to_owned(),
        stage: "index".to_owned(),
        from: "node-1".to_owned(),
        to: "node-2".to_owned(),
        done_bytes: Some(5 << 30),
        total_bytes: Some(20 << 30),
        time: "3.1m".to_owned(),
    };
    let looks = SearchLooks { recoveries: ready(vec![way]), ..SearchLooks::default() };
    opened(SearchLook::Recoveries, looks)
        .says("logs | 2 | index | 25 % | 5.0 GiB | 20 GiB | node-1 | node-2 | 3.1m");
    let none = SearchLooks { recoveries: ready(Vec::new()), ..SearchLooks::default() };
    opened(SearchLook::Recoveries, none).says("no shard is on its way");
}

#[test]
fn indices_are_told_with_what_they_grow_by() {
    let row = |bytes| IndexRow {
        index: "logs".to_owned(),
        uuid: "u".to_owned(),
        health: "yellow".to_owned(),
        bytes: Some(bytes),
        primaries: Some(1),
        ..IndexRow::default()
    };
    let at = |second, bytes| {
        let found = Indices { list: vec![row(bytes)], total: 2, closed: 1, bytes };
        let indices = Part::Ready(warm_at(second, found));
        SearchReading { looks: SearchLooks { indices, ..SearchLooks::default() }, ..cluster("green") }
    };
    let page = Stage::of(at(FIRST, 1 << 30)).then(FIRST + 60, "es", at(FIRST + 60, 2 << 30));
    let page = page.opened(Screen::Search, &[look(SearchLook::Indices)]);
    page.says("2 indices, 1 closed, 2.0 GiB");
    page.says("1 are listed: what is wrong, then the largest");
    assert_eq!(
        (page.cell("logs", "size"), page.cell("logs", "grows/h")),
        ("2.0 GiB".to_owned(), "+60 GiB".to_owned())
    );
    assert_eq!(
        (page.role("logs", "health"), page.cell("logs", "documents")),
        (Role::Warning, "—".to_owned())
    );
}

#[test]
fn an_alias_that_takes_no_writes_is_told_and_streams_that_are_not_there_too() {
    let alias = |alias: &str, writes: &[&str]| Alias {
        alias: alias.to_owned(),
        indices: vec!["a".to_owned(), "b".to_owned()],
        filtered: true,
        writes: writes.iter().map(|index| (*index).to_owned()).collect(),
        ..Alias::default()
    };
    let found =
        Names { aliases: vec![alias("tenant-1", &[]), alias("tenant-2", &["a"])], streams: Part::NotAsked };
    let page = opened(SearchLook::Names, SearchLooks { names: ready(found), ..SearchLooks::default() });
    page.says("# Aliases: 2, 1 with trouble");
    page.says("tenant-1 | 2 indices | filtered | — | it has no write index: writes to it are refused");
    page.says("tenant-2 | 2 indices | filtered | a | ok");
}

#[test]
fn the_newest_snapshot_tells_its_age_and_a_policy_that_fails_why() {
    // The example's clock stands in 2026 or so: what is told is an age.
    let now = stacktop::core::time::Now::example(FIRST).wall.timestamp_millis();
    let newest = Snapshot {
        name: "nightly-7".to_owned(),
        state: "PARTIAL".to_owned(),
        start_millis: Some(now - 7_200_000),
        failed: 3,
    };
    let before = Snapshot { name: "nightly-6".to_owned(), failed: 1, ..newest.clone() };
    let repository = |name: &str, newest| Repository { name: name.to_owned(), kind: "s3".to_owned(), newest };
    let policy = SnapshotPolicy {
        name: "nightly".to_owned(),
        success_millis: Some(now - 11_220_000),
        failure_millis: Some(now - 3_600_000),
        failure: "no room".to_owned(),
        next_millis: Some(now - 60_000),
        ..SnapshotPolicy::default()
    };
    let found = Snapshots {
        repositories: vec![
            repository("store", Part::Ready(vec![newest, before])),
            repository("empty", Part::Ready(Vec::new())),
            repository("sixth", Part::NotAsked),
        ],
        policies: Part::Ready(vec![policy]),
    };
    let page =
        opened(SearchLook::Snapshots, SearchLooks { snapshots: ready(found), ..SearchLooks::default() });
    page.says("store | s3 | nightly-7 | PARTIAL | 2h00m ago | 3 shards");
    page.says("store | s3 | nightly-6 | PARTIAL | 2h00m ago | 1 shard");
    page.says("empty | s3 | it holds none");
    page.says("sixth | s3 | not read: the first five are");
    assert_eq!(
        (page.role("nightly", "state"), page.cell("nightly", "newest good")),
        (Role::Critical, "3h07m ago".to_owned())
    );
    assert_eq!(
        (page.cell("nightly", "next"), page.cell("nightly", "why it failed")),
        ("late 1m00s".to_owned(), "no room".to_owned())
    );
}

#[test]
fn how_old_the_newest_snapshot_is_is_told_where_a_policy_makes_them() {
    let now = Now::example(FIRST).wall.timestamp_millis();
    let policy = |name: &str, hours: i64, failed: bool| SnapshotPolicy {
        name: name.to_owned(),
        success_millis: Some(now - hours * 3_600_000),
        failure_millis: failed.then_some(now - 60_000),
        ..SnapshotPolicy::default()
    };
    let told = |policies: Vec<SnapshotPolicy>| {
        let reading = SearchReading { policies: ready(policies), ..SearchReading::default() };
        Stage::of(reading).page(Screen::Search)
    };
    told(vec![policy("nightly", 3, false)]).says("nightly · newest 3h00m ago");
    let page = told(vec![policy("hourly", 1, false), policy("nightly", 30, true)]);
    page.says("nightly · newest 1d6h ago · the last one failed · 1 more");
    assert_eq!(page.tone("the last one failed"), Role::Warning);
    told(Vec::new()).says_not("· newest");
}

#[test]
fn the_servers_own_diagnosis_is_told_with_its_advice() {
    let advice = Diagnosis {
        cause: "a full disk".to_owned(),
        action: "free it".to_owned(),
        help: "https://x".to_owned(),
    };
    let found = Indicator {
        name: "disk".to_owned(),
        status: "red".to_owned(),
        symptom: "1 node is out of disk".to_owned(),
        impacts: vec!["nothing can be written".to_owned()],
        diagnoses: vec![advice],
    };
    let looks = SearchLooks { diagnosis: ready(vec![found.clone()]), ..SearchLooks::default() };
    let page = opened(SearchLook::Diagnosis, looks);
    page.says("# disk\nRED 1 node is out of disk\nthen  nothing can be written\nwhy   a full disk\ndo    free it\nmore  https://x");
    let well = Indicator { name: "ilm".to_owned(), status: "green".to_owned(), ..Indicator::default() };
    let main = |report| page_of_report(report);
    main(vec![found, well.clone()]).says("it says         RED: disk · 1 node is out of disk");
    main(vec![well]).says_not("it says");
}

fn page_of_report(report: Vec<Indicator>) -> Page {
    page(SearchReading { report: ready(report), ..cluster("green") })
}

#[test]
fn a_node_opens_what_its_threads_are_at_and_never_those_of_another() {
    let row = |id: &str| RowKey::Search(target("es"), SearchRow::Node(id.to_owned()));
    let hot =
        HotThreads { node: "n1".to_owned(), lines: vec!["100% cpu usage by thread 'search'".to_owned()] };
    let looks = SearchLooks { hot: ready(hot), ..SearchLooks::default() };
    let stage = Stage::of(SearchReading { looks, ..node(SearchNode::default()) });
    stage.opened(Screen::Search, &[row("n1")]).says("100% cpu usage by thread 'search'");
    stage.opened(Screen::Search, &[row("n2")]).says("reading hot threads");
    assert_eq!(
        stage.focus(Screen::Search, &[row("n2")]),
        [Focus::Cluster(SearchLook::HotThreads("n2".to_owned()))]
    );
}
