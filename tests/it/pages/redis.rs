//! One Redis server in detail, and the line above its queues.

use super::world::{FIRST, Page, Stage, gap, queue, redis, secs, target, warm};
use stacktop::core::ids::SystemKind;
use stacktop::core::part::{Gap, GapKind, Part, Warm};
use stacktop::core::place::Screen;
use stacktop::core::redis::{
    ClientGroup, ClusterReading, CommandStat, RedisReading, RedisRow, RedisServer, ServerDetail, SlowEntry,
    StreamGroup,
};
use stacktop::core::row::RowKey;
use stacktop::core::time::Now;
use stacktop::ui::content::Role;
use std::collections::BTreeMap;
use std::time::Duration;

fn detail(info: &[(&str, &str)]) -> ServerDetail {
    ServerDetail {
        node: String::new(),
        info: info.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        commands: BTreeMap::new(),
        keyspace: Vec::new(),
        slow: Part::NotAsked,
        clients: Part::NotAsked,
        streams: Part::NotAsked,
    }
}

fn of(detail: ServerDetail) -> RedisReading {
    RedisReading { detail: Some(warm(detail)), ..redis(Vec::new()) }
}

fn row(node: &str) -> RowKey {
    RowKey::Redis(target("cache"), RedisRow::Server(node.to_owned()))
}

fn opened(detail: ServerDetail) -> Page {
    Stage::of(of(detail)).opened(Screen::Queues, &[row("")])
}

fn told(info: &[(&str, &str)]) -> Page {
    opened(detail(info))
}

fn heading(server: RedisServer) -> Page {
    Stage::of(RedisReading { server, ..redis(Vec::new()) }).page(Screen::Queues)
}

fn master() -> RedisServer {
    RedisServer { version: "7.4.1".to_owned(), role: "master".to_owned(), ..RedisServer::default() }
}

fn cluster(cluster: ClusterReading) -> RedisReading {
    RedisReading { cluster: Some(cluster), ..redis(Vec::new()) }
}

fn whole() -> ClusterReading {
    let primary = |address: &str| (address.to_owned(), master());
    ClusterReading {
        ok: true,
        slots_ok: 16_384,
        nodes: 6,
        primaries: vec![primary("10.0.0.1:6379"), primary("10.0.0.2:6379")],
        ..ClusterReading::default()
    }
}

#[test]
fn without_a_target_it_says_so() {
    Stage::empty().page(Screen::Queues).says("no Redis target is configured");
}

#[test]
fn before_the_first_answer_it_waits() {
    Stage::waiting(SystemKind::Redis)
        .page(Screen::Queues)
        .says("cache.example:1 · waiting for the first answer");
}

#[test]
fn a_server_that_never_answered_says_why() {
    Stage::silent(SystemKind::Redis).page(Screen::Queues).says("connection refused; start it");
}

#[test]
fn it_names_version_and_role() {
    heading(master()).says("cache 7.4.1 primary · ");
}

#[test]
fn a_replica_is_called_one() {
    heading(RedisServer { role: "slave".to_owned(), ..master() }).says("7.4.1 replica");
}

#[test]
fn what_info_does_not_tell_is_a_dash_and_no_zero() {
    heading(master()).says("memory — · — ops · hits — · — clients");
}

#[test]
fn memory_without_a_limit_says_so() {
    heading(RedisServer { used_memory_bytes: Some(2048.0), ..master() }).says("memory 2.0 KiB (no limit)");
}

#[test]
fn memory_is_a_share_of_its_limit() {
    let server = RedisServer { used_memory_bytes: Some(512.0), maxmemory_bytes: Some(1024.0), ..master() };
    heading(server).says("memory 512 B (50 % of the limit)");
}

#[test]
fn one_client_is_no_clients() {
    heading(RedisServer { clients: Some(1), ..master() }).says(" · 1 client · ");
}

#[test]
fn how_queues_are_found_is_said() {
    heading(master()).says(" · found by SCAN");
}

#[test]
fn a_server_without_queues_says_what_to_do() {
    heading(master()).says("no queue was found; name prefixes or queues in the configuration");
}

#[test]
fn queues_that_may_not_be_read_say_why_and_are_not_none() {
    let page =
        Stage::of(RedisReading { queues: gap("SCAN: no right"), ..redis(Vec::new()) }).page(Screen::Queues);
    page.says("SCAN: no right");
    page.says_not("no queue was found");
}

#[test]
fn old_numbers_are_late_and_then_stale() {
    let at = |second| Stage::of(redis(vec![queue("a")])).at(FIRST + second).page(Screen::Queues);
    at(9).says("cache LATE, 9.0 s old · ");
    at(90).says("cache STALE, 1m30s old · ");
}

#[test]
fn the_server_itself_is_a_row_that_opens() {
    assert_eq!(heading(master()).key("the server itself"), row(""));
}

#[test]
fn of_a_cluster_each_primary_is_a_row() {
    let page = Stage::of(cluster(whole())).page(Screen::Queues);
    assert_eq!(page.firsts(), ["10.0.0.1:6379", "10.0.0.2:6379"]);
}

#[test]
fn a_whole_cluster_is_ok() {
    Stage::of(cluster(whole())).page(Screen::Queues).says("ok, 16384 of 16384 slots served, 6 nodes known");
}

#[test]
fn a_cluster_without_all_slots_fails() {
    let untold = Some(Gap::new(GapKind::NotPermitted, "the state of the cluster is not known (NOPERM)"));
    let page =
        Stage::of(cluster(ClusterReading { untold, slots_ok: 0, nodes: 0, ..whole() })).page(Screen::Queues);
    page.says("cluster the state of the cluster is not known (NOPERM)");
    assert!(!page.text().contains("0 of 16384"), "{}", page.text());
    let page = Stage::of(cluster(ClusterReading { ok: false, slots_ok: 10, ..whole() })).page(Screen::Queues);
    assert_eq!(page.tone("FAILING: slots are not served"), Role::Critical);
}

#[test]
fn a_cluster_that_misses_a_primary_is_not_whole_and_says_why() {
    let missing = vec![("10.0.0.3:6379".to_owned(), "timed out".to_owned())];
    let page = Stage::of(cluster(ClusterReading { missing, ..whole() })).page(Screen::Queues);
    page.says("NOT WHOLE");
    page.says("not there: timed out");
}

#[test]
fn an_opened_server_is_asked_for() {
    use stacktop::core::focus::Focus;
    let focus = Stage::of(redis(Vec::new())).focus(Screen::Queues, &[row("")]);
    assert_eq!(focus, [Focus::Server { node: String::new() }]);
}

#[test]
fn an_opened_server_is_being_read() {
    Stage::of(redis(Vec::new())).opened(Screen::Queues, &[row("")]).says("reading the server's details");
}

#[test]
fn an_opened_primary_that_is_gone_says_why() {
    let missing = vec![("10.0.0.3:6379".to_owned(), "timed out".to_owned())];
    let stage = Stage::of(cluster(ClusterReading { missing, ..whole() }));
    stage.opened(Screen::Queues, &[row("10.0.0.3:6379")]).says("it is not there: timed out");
}

#[test]
fn details_of_one_primary_are_not_shown_for_another() {
    let other = ServerDetail { node: "10.0.0.1:6379".to_owned(), ..detail(&[]) };
    let reading = RedisReading { detail: Some(warm(other)), ..cluster(whole()) };
    Stage::of(reading).opened(Screen::Queues, &[row("10.0.0.2:6379")]).says("reading the server's details");
}

#[test]
fn memory_is_told_against_maxmemory() {
    told(&[("used_memory", "512"), ("maxmemory", "1024"), ("maxmemory_policy", "noeviction")])
        .says("memory        512 B 50 % of maxmemory, peak —, policy noeviction");
}

#[test]
fn without_maxmemory_it_is_told_against_the_machine() {
    told(&[("used_memory", "512"), ("maxmemory", "0"), ("total_system_memory", "2048")])
        .says("25 % of the machine's memory; no maxmemory is set");
}

#[test]
fn memory_that_is_swapped_out_is_a_warning() {
    let page = told(&[("used_memory", "1000"), ("used_memory_rss", "800")]);
    assert_eq!(page.tone("less than is in use, so it is swapped out"), Role::Warning);
}

#[test]
fn memory_that_is_resident_is_not_called_swapped() {
    told(&[("used_memory", "1000"), ("used_memory_rss", "950")]).says_not("swapped");
}

#[test]
fn traffic_is_told_in_bytes() {
    told(&[("instantaneous_input_kbps", "2")]).says("2.0 KiB/s in, — out");
}

#[test]
fn a_snapshot_that_failed_is_critical() {
    let page = told(&[("rdb_last_bgsave_status", "err"), ("rdb_changes_since_last_save", "12")]);
    assert_eq!(page.tone("last err, 12 changes since"), Role::Critical);
}

#[test]
fn a_snapshot_that_worked_is_not() {
    assert_eq!(told(&[("rdb_last_bgsave_status", "ok")]).tone("last ok"), Role::Text);
}

#[test]
fn append_only_is_told_only_where_it_is_on() {
    told(&[("aof_enabled", "0")]).says_not("append only");
    told(&[("aof_enabled", "1"), ("aof_last_write_status", "ok")]).says("append only   write ok");
}

#[test]
fn a_write_of_append_only_that_failed_is_critical() {
    let page = told(&[("aof_enabled", "1"), ("aof_last_write_status", "err")]);
    assert_eq!(page.tone("write err"), Role::Critical);
}

#[test]
fn a_replica_tells_of_its_link() {
    let info = [
        ("role", "slave"),
        ("master_host", "db"),
        ("master_port", "6379"),
        ("master_link_status", "up"),
        ("master_last_io_seconds_ago", "3"),
    ];
    told(&info).says("replica of db:6379, link up, heard 3 s ago");
}

#[test]
fn a_replica_whose_link_is_down_is_critical() {
    let page = told(&[("role", "slave"), ("master_link_status", "down")]);
    assert_eq!(page.tone("link down"), Role::Critical);
}

#[test]
fn a_primary_lists_its_replicas_and_how_far_behind_they_are() {
    let info = [
        ("role", "master"),
        ("master_repl_offset", "3072"),
        ("repl_backlog_histlen", "4096"),
        ("slave0", "ip=10.0.0.2,port=6379,state=online,offset=1024,lag=1"),
    ];
    let page = told(&info);
    page.says("10.0.0.2:6379 online, 2.0 KiB behind (the backlog holds 4.0 KiB), heard 1 s ago");
    assert_eq!(page.tone("2.0 KiB behind"), Role::Text);
}

#[test]
fn a_replica_further_behind_than_the_backlog_is_a_warning() {
    let info = [
        ("master_repl_offset", "9216"),
        ("repl_backlog_histlen", "4096"),
        ("slave0", "ip=a,port=1,state=online,offset=1024,lag=1"),
    ];
    assert_eq!(told(&info).tone("behind (the backlog"), Role::Warning);
}

#[test]
fn a_replica_that_does_not_say_where_it_is_is_not_said_to_have_all() {
    let page = told(&[("master_repl_offset", "3072"), ("slave0", "ip=a,port=1,state=wait_bgsave")]);
    page.says("— behind");
    page.says_not("0 B behind");
}

#[test]
fn commands_need_a_second_look() {
    told(&[]).says("waiting for a second look, to compare");
}

#[test]
fn commands_are_listed_by_their_share_of_the_time() {
    let at = |second, calls: f64| {
        let stat = CommandStat { calls, micros: calls * 20.0, ..CommandStat::default() };
        let detail = ServerDetail { commands: BTreeMap::from([("get".to_owned(), stat)]), ..detail(&[]) };
        RedisReading { detail: Some(Warm::new(Now::example(second), detail)), ..redis(Vec::new()) }
    };
    let stage = Stage::of(at(FIRST, 0.0)).then(FIRST + 10, "cache", at(FIRST + 10, 100.0));
    let page = stage.opened(Screen::Queues, &[row("")]);
    assert_eq!(page.row("get"), ["get", "100 %", "10/s", "20 µs", "—", "0/s"]);
}

#[test]
fn the_slow_log_is_listed() {
    let entry = SlowEntry {
        id: 7,
        age: secs(90),
        took: Duration::from_millis(250),
        command: "KEYS *".to_owned(),
        client: "10.0.0.9:5".to_owned(),
    };
    let page = opened(ServerDetail { slow: Part::Ready(vec![entry]), ..detail(&[]) });
    assert_eq!(page.row("KEYS *"), ["1m30s", "250 ms", "KEYS *", "10.0.0.9:5"]);
}

#[test]
fn an_empty_slow_log_says_so() {
    opened(ServerDetail { slow: Part::Ready(Vec::new()), ..detail(&[]) }).says("nothing slow was noted");
}

#[test]
fn a_slow_log_that_may_not_be_read_is_not_said_to_be_empty() {
    let page = opened(ServerDetail { slow: gap("SLOWLOG: no right"), ..detail(&[]) });
    page.says("SLOWLOG: no right");
    page.says_not("nothing slow was noted");
}

#[test]
fn clients_that_may_not_be_read_are_not_said_to_be_none() {
    let page = opened(ServerDetail { clients: gap("CLIENT LIST: no right"), ..detail(&[]) });
    page.says("CLIENT LIST: no right");
}

#[test]
fn a_client_whose_answers_pile_up_is_a_warning() {
    let slow = ClientGroup { name: "web".to_owned(), count: 2, output_bytes: 2e6, ..ClientGroup::default() };
    let page = opened(ServerDetail { clients: Part::Ready(vec![slow]), ..detail(&[]) });
    assert_eq!(page.role("web", "output"), Role::Warning);
}

#[test]
fn a_forgotten_monitor_is_told() {
    let monitor = ClientGroup { name: "web".to_owned(), monitors: true, ..ClientGroup::default() };
    opened(ServerDetail { clients: Part::Ready(vec![monitor]), ..detail(&[]) })
        .says("somebody left MONITOR running");
}

#[test]
fn streams_are_listed_with_how_far_behind_their_groups_are() {
    let group = StreamGroup {
        stream: "orders".to_owned(),
        group: "billing".to_owned(),
        length: 9,
        consumers: 2,
        pending: 3,
        lag: Some(4),
    };
    let page = opened(ServerDetail { streams: Part::Ready(vec![group]), ..detail(&[]) });
    assert_eq!(page.row("orders"), ["orders", "billing", "9", "4", "3", "2"]);
}

#[test]
fn a_group_whose_lag_is_not_known_shows_a_dash() {
    let group = StreamGroup { stream: "orders".to_owned(), lag: None, ..StreamGroup::default() };
    let page = opened(ServerDetail { streams: Part::Ready(vec![group]), ..detail(&[]) });
    assert_eq!(page.cell("orders", "behind"), "—");
}

#[test]
fn no_stream_has_no_section() {
    opened(ServerDetail { streams: Part::Ready(Vec::new()), ..detail(&[]) }).says_not("treams");
}

#[test]
fn databases_are_listed_by_number() {
    let page = opened(ServerDetail { keyspace: vec![(3, 1200, 7)], ..detail(&[]) });
    assert_eq!(page.row("db3"), ["db3", "1.2k", "7"]);
}
