//! Shards on no node, blocked indices, failed lifecycles, tasks, the switch of allocation.

use crate::pages::world::{FIRST, Offers, Stage, gap, ready, target};
use stacktop::core::action::Action;
use stacktop::core::part::Part;
use stacktop::core::place::Screen;
use stacktop::core::row::RowKey;
use stacktop::core::search::{
    ClusterHealth, IndexId, IndexMark, Keeper, LifecycleError, SearchAction, SearchLooks, SearchNode,
    SearchReading, SearchRow, SearchTask, TaskId, Tasks, Unassigned, UnassignedShard,
};

const GIB: f64 = 1_073_741_824.0;

/// A cluster of one data node of 100 GiB with 50 GiB free, in which something is wrong with the index `logs`.
fn cluster() -> SearchReading {
    let health = ClusterHealth {
        status: "yellow".to_owned(),
        data_nodes: Some(1),
        unassigned: Some(1),
        ..ClusterHealth::default()
    };
    SearchReading {
        health: Part::Ready(health),
        nodes: ready(vec![node(50.0)]),
        marks: ready(vec![mark(Some(1))]),
        ..SearchReading::default()
    }
}

fn node(free: f64) -> SearchNode {
    SearchNode {
        id: "n1".to_owned(),
        name: "node-1".to_owned(),
        disk_total_bytes: Some(100.0 * GIB),
        disk_free_bytes: Some(free * GIB),
        low_free_bytes: Some(15.0 * GIB),
        high_free_bytes: Some(10.0 * GIB),
        flood_free_bytes: Some(5.0 * GIB),
        ..SearchNode::default()
    }
}

fn mark(replicas: Option<u64>) -> IndexMark {
    IndexMark { index: "logs".to_owned(), uuid: "u1".to_owned(), replicas, auto_expand: None }
}

fn index() -> IndexId {
    IndexId { name: "logs".to_owned(), uuid: "u1".to_owned() }
}

fn on(reading: SearchReading, row: SearchRow) -> Offers {
    Stage::of(reading).offers(Screen::Search, &RowKey::Search(target("es"), row))
}

#[track_caller]
fn act(offers: &Offers, letter: char) -> SearchAction {
    match offers.choice(letter).0 {
        Action::Search { act, .. } => act,
        Action::Postgres { .. } | Action::Redis { .. } | Action::Alertmanager { .. } => {
            panic!("it is an action on a cluster")
        }
    }
}

fn away(primary: bool, why: &str) -> SearchReading {
    let shard = UnassignedShard {
        index: "logs".to_owned(),
        shard: "0".to_owned(),
        primary,
        reason: "NODE_LEFT".to_owned(),
        why: why.to_owned(),
        ..UnassignedShard::default()
    };
    SearchReading { unassigned: ready(Unassigned::of(vec![shard])), ..cluster() }
}

fn shard(primary: bool) -> SearchRow {
    SearchRow::Shard { index: "logs".to_owned(), shard: "0".to_owned(), primary }
}

const GAVE_UP: &str = "max_retry: shard has exceeded the maximum number of retries [5]";
const CROWDED: &str = "same_shard: a copy of this shard is already allocated to this node";

#[test]
fn what_was_given_up_can_be_tried_again_and_nothing_else_helps() {
    let offers = on(away(true, GAVE_UP), shard(true));
    assert_eq!((offers.letters(), offers.open()), ("rna".to_owned(), "r".to_owned()));
    assert_eq!(
        act(&offers, 'r'),
        SearchAction::RetryFailed { index: index(), shard: "0".to_owned(), primary: true }
    );
    assert!(offers.fact('r', "not").contains("none is made empty"));
    assert!(offers.fact('r', "it takes").contains("`manage`"));
}

#[test]
fn a_group_offers_what_its_shards_do() {
    let row = SearchRow::Group { decider: "max_retry".to_owned(), index: "logs".to_owned() };
    assert_eq!(on(away(true, GAVE_UP), row).open(), "r");
}

#[test]
fn a_shard_that_was_not_given_up_is_not_tried_again() {
    on(away(false, CROWDED), shard(false)).refuses(
        'r',
        "this is for shards that the cluster has given up; here same_shard: it wants more copies than there are nodes for",
    );
}

#[test]
fn a_copy_too_many_is_wanted_no_more() {
    let offers = on(away(false, CROWDED), shard(false));
    assert_eq!(offers.letters(), "nra");
    assert_eq!(act(&offers, 'n'), SearchAction::Replicas { index: index(), from: 1, to: 0 });
    assert_eq!(offers.title('n'), "Set number_of_replicas of logs from 1 to 0");
    assert_eq!(offers.fact('n', "safety"), "each shard exists once: a node that is lost takes data along");
}

#[test]
fn as_many_copies_as_there_are_nodes_stay_wanted() {
    let three = vec![node(50.0), node(50.0), node(50.0)];
    let mut reading = SearchReading { nodes: ready(three), ..away(false, CROWDED) };
    on(reading.clone(), shard(false)).refuses(
        'n',
        "it wants 1 copy beside the primary, and there are 3 data nodes: their number is not the reason",
    );
    reading.marks = ready(vec![mark(Some(4))]);
    assert_eq!(
        act(&on(reading, shard(false)), 'n'),
        SearchAction::Replicas { index: index(), from: 4, to: 2 }
    );
}

#[test]
fn a_primary_is_not_helped_by_fewer_copies() {
    on(away(true, CROWDED), shard(true))
        .refuses('n', "this is the primary: without it the data is missing, however few copies are wanted");
}

#[test]
fn copies_that_the_cluster_counts_by_itself_are_left_alone() {
    let auto = IndexMark { auto_expand: Some("0-all".to_owned()), ..mark(Some(1)) };
    on(SearchReading { marks: ready(vec![auto]), ..away(false, CROWDED) }, shard(false))
        .refuses('n', "the cluster sets that number by itself (auto_expand_replicas is 0-all)");
}

#[test]
fn an_index_that_nobody_knows_is_left_alone() {
    let words = "which index that is has not been read yet, and another one may have its name; wait for the next poll";
    on(SearchReading { marks: Part::NotAsked, ..away(true, GAVE_UP) }, shard(true)).refuses('r', words);
    on(SearchReading { marks: gap("403"), ..away(true, GAVE_UP) }, shard(true)).refuses(
        'r',
        "which index that is cannot be read: 403; it takes the index privilege `view_index_metadata`",
    );
}

#[test]
fn allocation_is_switched_on_where_it_is_off() {
    let off = |mode: Option<&str>| SearchReading { allocation: ready(mode.map(str::to_owned)), ..cluster() };
    let offers = on(off(Some("none")), SearchRow::Allocation);
    assert_eq!(act(&offers, 'a'), SearchAction::Allocate { mode: "none".to_owned() });
    on(off(None), SearchRow::Allocation).refuses(
        'a',
        "allocation is on for the whole cluster; an index may have it off for itself: index.routing.allocation.enable",
    );
    on(SearchReading { allocation: gap("403"), ..cluster() }, SearchRow::Allocation)
        .refuses('a', "what allocation is switched to is not known: 403");
}

fn blocked(free: f64) -> Offers {
    let reading = SearchReading {
        read_only: ready(vec!["logs".to_owned()]),
        nodes: ready(vec![node(free)]),
        ..cluster()
    };
    on(reading, SearchRow::Blocked("logs".to_owned()))
}

#[test]
fn a_block_is_taken_off_where_every_disk_has_room() {
    let offers = blocked(50.0);
    assert_eq!(act(&offers, 'u'), SearchAction::Unblock { index: index() });
    assert_eq!(
        offers.choice('u').1.statement,
        "PUT /logs/_settings?master_timeout=10s&timeout=10s {\"index.blocks.read_only_allow_delete\":null}"
    );
}

#[test]
fn a_block_stays_while_a_disk_is_past_its_marks_with_the_figures() {
    let remedy = "free disk or add a node first: then the block goes by itself (7.4 and newer)";
    let flood = "the disk of node node-1 is past its flood stage: 4.0 GiB free, 5.0 GiB are wanted";
    let high = "the disk of node node-1 is past its high watermark: 9.0 GiB free, 10 GiB are wanted";
    blocked(4.0).refuses('u', &format!("{flood}; {remedy}"));
    blocked(9.0).refuses('u', &format!("{high}; {remedy}"));
    assert_eq!(blocked(12.0).open(), "u", "past the low watermark only");
}

#[test]
fn a_block_is_not_taken_off_over_disks_that_nobody_knows() {
    let reading = SearchReading { read_only: ready(vec!["logs".to_owned()]), nodes: gap("403"), ..cluster() };
    on(reading, SearchRow::Blocked("logs".to_owned())).refuses(
        'u',
        "the disks of the nodes are not read: a full one would block it again; it takes the cluster privilege `monitor`",
    );
}

fn lifecycle(stands: bool, keeper: Keeper) -> Offers {
    let failed = LifecycleError {
        index: "logs".to_owned(),
        policy: "hot".to_owned(),
        step: "shrink".to_owned(),
        reason: "no node".to_owned(),
        stands,
        keeper,
        retries: None,
    };
    on(SearchReading { lifecycle: ready(vec![failed]), ..cluster() }, SearchRow::Lifecycle("logs".to_owned()))
}

#[test]
fn a_step_that_stands_still_is_tried_again_by_who_keeps_it() {
    for keeper in [Keeper::Ilm, Keeper::Ism] {
        let offers = lifecycle(true, keeper);
        assert_eq!(
            act(&offers, 's'),
            SearchAction::RetryStep { index: index(), step: "shrink".to_owned(), keeper }
        );
        assert_eq!(offers.fact('s', "it failed by"), "no node");
    }
}

#[test]
fn a_step_that_is_being_tried_again_is_left_alone() {
    lifecycle(false, Keeper::Ilm).refuses(
        's',
        "the cluster is trying that step again by itself just now; wait whether it fails again",
    );
}

fn task(change: SearchTask) -> Offers {
    let id =
        TaskId { id: "n1:7".to_owned(), action: "indices:data/write/reindex".to_owned(), start_millis: 5 };
    let found = SearchTask { task: id.clone(), node: "n1".to_owned(), ..change };
    let tasks = Tasks { running: vec![found], total: 1, ..Tasks::default() };
    let looks = SearchLooks { tasks: ready(tasks), ..SearchLooks::default() };
    on(SearchReading { looks, ..cluster() }, SearchRow::Task(id))
}

#[test]
fn a_task_is_cancelled_with_what_it_has_written_told() {
    let offers = task(SearchTask { cancellable: Some(true), ..SearchTask::default() });
    assert_eq!(offers.title('k'), "Cancel task n1:7");
    assert_eq!(offers.fact('k', "lost"), "what it has written so far stays written; the rest is not done");
    assert_eq!(offers.fact('k', "node"), "node-1");
}

#[test]
fn a_task_that_cannot_end_or_was_asked_to_is_left_alone() {
    task(SearchTask::default()).refuses('k', "this task cannot be asked to end: only waiting helps");
    task(SearchTask { cancellable: Some(true), cancelled: true, ..SearchTask::default() })
        .refuses('k', "it was asked to end already, and does so at its next check");
}

#[test]
fn a_cluster_without_a_master_changes_nothing() {
    let reading = SearchReading { no_master: Some("none".to_owned()), ..cluster() };
    on(reading, SearchRow::Allocation).refuses(
        'a',
        "the cluster has no master, and changes nothing without one; start the missing master nodes",
    );
}

#[test]
fn what_was_seen_too_long_ago_is_not_acted_on() {
    let row = RowKey::Search(target("es"), shard(true));
    Stage::of(away(true, GAVE_UP)).at(FIRST + 20).offers(Screen::Search, &row).refuses(
        'r',
        "its source is late, and this was so 20 s ago: it may be otherwise now; wait until the source answers again",
    );
    let stage = Stage::of(away(true, GAVE_UP)).at(400);
    stage
        .offers(Screen::Search, &row)
        .refuses('r', "the data is too old to act on; wait until the source answers again");
}

#[test]
fn a_node_offers_nothing() {
    assert_eq!(on(cluster(), SearchRow::Node("n1".to_owned())).letters(), "");
}
