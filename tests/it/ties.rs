//! Ties that need two keys, or a counter beside the words: each holds where both ends are of one thing, and not where only the order fits.

mod changes;
mod checks;
mod copies;
mod leads;
mod load;
mod redis;
mod within;

use crate::pages::blocking::two_behind_one;
use crate::pages::world::{FIRST, Stage, payload, postgres, queue, redis, secs, session, target};
use stacktop::core::chain::Tie;
use stacktop::core::ids::SystemKind;
use stacktop::core::metrics::{MetricKind, MetricSample, MetricsReading};
use stacktop::core::part::{Part, Warm};
use stacktop::core::postgres::{DatabaseCounters, PostgresReading, SqlTable, Standby, Watched};
use stacktop::core::prometheus::{AlertingRule, PrometheusReading, RulesReading};
use stacktop::core::redis::{Evidence, Happened, QueueReading};
use stacktop::core::search::{ClusterHealth, SearchNode, SearchReading, Unassigned, UnassignedShard};
use stacktop::core::time::Now;
use stacktop::core::topology::{Depends, Topology};

/// How surely a finding of `effect` is tied to one of `cause`, and the words for that.
#[track_caller]
fn check(stage: &Stage, cause: &str, effect: &str, expected: Option<(Tie, &str)>) {
    let firing = stage.world.alerts.firing();
    let told: Vec<String> = firing.iter().map(|finding| finding.breach.rule.to_string()).collect();
    assert!([cause, effect].iter().all(|rule| told.iter().any(|found| found == rule)), "{told:?}");
    let effect = firing.iter().find(|finding| finding.breach.rule == effect).expect("it fires").key();
    let link = stage.world.chain.parent(&effect).filter(|link| link.cause.rule == cause);
    match expected {
        None => assert_eq!(link, None),
        Some((tie, words)) => {
            let evidence = &link.expect("a link").evidence;
            assert_eq!(evidence.tie, tie, "{evidence:?}");
            assert!(evidence.words.contains(words), "`{words}` is not in `{}`", evidence.words);
        }
    }
}

/// A queue that fails for this reason, with workers on these hosts.
fn failing(name: &str, reason: &str, hosts: &[&str]) -> QueueReading {
    let happened = Happened { completed: 1, failed: 60, reason: payload(reason), ..Happened::default() };
    let evidence = Evidence { workers: Some(2), ..Evidence::default() };
    let worker_hosts = hosts.iter().map(|host| (*host).to_owned()).collect();
    QueueReading { happened: Part::Ready(happened), evidence, worker_hosts, ..queue(name) }
}

/// Sessions of `pg` wait, all of them from 10.0.0.5, some perhaps of another application; and jobs fail.
fn waits(queues: &[QueueReading], others: &[&str]) -> Stage {
    let mut stage = Stage::with(&[
        ("cache", SystemKind::Redis),
        ("pg", SystemKind::Postgres),
        ("second", SystemKind::Postgres),
    ]);
    for second in FIRST..FIRST + 20 {
        let mut reading = two_behind_one();
        let Part::Ready(sessions) = &mut reading.sessions else { unreachable!("they are read") };
        for (pid, name) in (900..).zip(others) {
            let mut other = session(pid);
            (*name).clone_into(&mut other.application);
            sessions.push(other);
        }
        stage = stage.then(second, "pg", reading).then(second, "cache", redis(queues.to_vec()));
    }
    stage
}

const TIMEOUT: &str = "canceling statement due to lock timeout";

#[test]
fn who_waits_on_the_host_of_the_workers_is_likely_theirs() {
    let check = |queues: &[QueueReading], others: &[&str], expected: Option<(Tie, &str)>| {
        check(&waits(queues, others), "postgres.blocked", "queue.failing", expected);
    };
    let here = Some((Tie::Likely, "waits for a lock, from 10.0.0.5 where its workers run"));
    check(&[failing("mails", "boom", &["10.0.0.5"])], &[], here);
    check(&[failing("mails", "boom", &["10.0.0.6"])], &[], None);
    check(&[failing("mails", "boom", &[])], &[], None);
    // Behind loopback everybody is at home.
    check(&[failing("mails", "boom", &["127.0.0.1"])], &[], None);
    // Of a host that others use, too, the words of the failures have to fit as well.
    check(&[failing("mails", "boom", &["10.0.0.5"])], &["reports"], None);
    check(&[failing("mails", "boom", &["10.0.0.5"]), failing("b", "no", &["10.0.0.5"])], &[], None);
    let both = Some((Tie::Likely, "and its jobs fail by \u{201c}lock timeout\u{201d}"));
    check(&[failing("mails", TIMEOUT, &["10.0.0.5"])], &["reports"], both);
}

#[test]
fn a_timeout_names_a_server_only_where_no_other_could_be_meant() {
    let mut stage = waits(&[failing("mails", TIMEOUT, &[])], &[]);
    let alone = Some((Tie::Likely, "pg is the only server on which sessions wait"));
    check(&stage, "postgres.blocked", "queue.failing", alone);
    stage = stage.then(FIRST + 20, "second", two_behind_one());
    check(&stage, "postgres.blocked", "queue.failing", None);
}

/// A service whose requests fail, at second `at`.
fn erring(at: u64) -> MetricsReading {
    let sample = |code: &str, value: f64| MetricSample {
        name: "http_requests_total".to_owned(),
        labels: vec![("code".to_owned(), code.to_owned())],
        value,
    };
    let gone = (at - FIRST) as f64;
    let kinds = [("http_requests_total".to_owned(), MetricKind::Counter)];
    let samples = [sample("200", 1000.0 + 50.0 * gone), sample("503", 50.0 * gone)];
    MetricsReading { bytes: 99, ..MetricsReading::of(&samples, &kinds.into()) }
}

/// A service whose cache found so many keys and missed so many.
fn cache(hits: f64, misses: f64) -> MetricsReading {
    let sample = |name: &str, value: f64| MetricSample { name: name.to_owned(), labels: Vec::new(), value };
    let kinds = ["cache_hits_total", "cache_misses_total"].map(|name| (name.to_owned(), MetricKind::Counter));
    let samples = [sample("cache_hits_total", hits), sample("cache_misses_total", misses)];
    MetricsReading { bytes: 99, ..MetricsReading::of(&samples, &kinds.into()) }
}

/// `checkout` answers with errors while `cache` and `other` are gone, and sessions wait on `pg`.
fn checkout(depends_on: &str) -> Stage {
    let mut stage = Stage::with(&[
        ("checkout", SystemKind::Metrics),
        ("cache", SystemKind::Redis),
        ("pg", SystemKind::Postgres),
    ]);
    let because = "c.toml:3:1 says so".to_owned();
    let said = Depends { service: "Checkout".to_owned(), on: target(depends_on), because };
    stage.world.topology = Topology::new(vec![said]);
    stage = stage.then(FIRST, "cache", redis(Vec::new()));
    for second in FIRST..FIRST + 60 {
        stage = stage.then(second, "pg", two_behind_one()).fails(second, "cache");
        stage = stage.then(second, "checkout", erring(second));
    }
    stage
}

#[test]
fn what_a_service_is_said_to_depend_on_may_be_its_cause_and_nothing_else() {
    let on_cache = Some((Tie::Likely, "checkout depends on cache (c.toml:3:1 says so)"));
    check(&checkout("cache"), "source.silent", "metrics.errors", on_cache);
    check(&checkout("cache"), "postgres.blocked", "metrics.errors", None);
    let on_pg = Some((Tie::Likely, "2 sessions on pg wait for locks, and checkout depends on it"));
    check(&checkout("pg"), "postgres.blocked", "metrics.errors", on_pg);
    check(&checkout("pg"), "source.silent", "metrics.errors", None);
    check(&checkout("nothing"), "source.silent", "metrics.errors", None);
}

/// A standby that is far behind and has ended so many statements each second, while jobs fail for this reason.
fn standby(conflicts: f64, reason: &str) -> Stage {
    let mut stage = Stage::with(&[("cache", SystemKind::Redis), ("pg", SystemKind::Postgres)]);
    for second in FIRST..FIRST + 30 {
        let count = DatabaseCounters {
            name: "shop".to_owned(),
            conflicts: conflicts * (second - FIRST) as f64,
            ..DatabaseCounters::default()
        };
        let behind = Standby { behind_bytes: Some(2e9), staleness_seconds: Some(9.0), ..Standby::default() };
        let reading = PostgresReading {
            databases: Part::Ready(vec![count]),
            standby: Part::Ready(behind),
            ..postgres(Vec::new())
        };
        stage = stage.then(second, "pg", reading).then(
            second,
            "cache",
            redis(vec![failing("mails", reason, &[])]),
        );
    }
    stage
}

#[test]
fn a_conflict_with_recovery_is_certain_where_the_standby_counts_it() {
    let text = "canceling statement due to conflict with recovery";
    let (cause, effect) = ("postgres.replication_lag", "queue.failing");
    let counted = Some((Tie::Certain, "pg ended 29 statements for that within a minute"));
    check(&standby(1.0, text), cause, effect, counted);
    check(&standby(0.0, text), cause, effect, Some((Tie::Likely, "conflict with recovery")));
    check(&standby(1.0, "the provider said no"), cause, effect, None);
}

/// Clusters of two nodes that are yellow; from `es` the node `b` has gone, if `named` the cluster says so.
fn yellow(named: bool) -> Stage {
    let mut stage = Stage::with(&[("es", SystemKind::Search), ("other", SystemKind::Search)]);
    for second in (FIRST..FIRST + 900).step_by(10) {
        for name in ["es", "other"] {
            let now = Now::example(second);
            let away = second >= FIRST + 300;
            let node = |id: &str| SearchNode {
                id: id.to_owned(),
                name: format!("node-{id}"),
                ..SearchNode::default()
            };
            let mut nodes = vec![node("a"), node("b")];
            if away && name == "es" {
                nodes.truncate(1);
            }
            let details = if named && name == "es" { "node_left [b]" } else { "" };
            let shard = UnassignedShard {
                index: "products".to_owned(),
                reason: "NODE_LEFT".to_owned(),
                details: details.to_owned(),
                ..UnassignedShard::default()
            };
            let status = if away { "yellow" } else { "green" }.to_owned();
            let reading = SearchReading {
                health: Part::Ready(ClusterHealth {
                    status,
                    unassigned: Some(1),
                    ..ClusterHealth::default()
                }),
                nodes: Part::Ready(Warm::new(now, nodes)),
                unassigned: Part::Ready(Warm::new(
                    now,
                    if away { Unassigned::of(vec![shard]) } else { Unassigned::default() },
                )),
                ..SearchReading::default()
            };
            stage = stage.then(second, name, reading);
        }
    }
    stage
}

#[test]
fn shards_of_a_node_that_left_are_certainly_of_that() {
    let stage = yellow(true);
    let firing = stage.world.alerts.firing();
    let of = |name: &str| {
        let mut all = firing.iter().filter(|finding| finding.breach.target == target(name));
        let yellow = all.find(|finding| finding.breach.rule == "search.yellow").expect("it is yellow");
        stage.world.chain.parent(&yellow.key()).map(|link| (link.evidence.tie, link.evidence.words.clone()))
    };
    let words = "the cluster says node_left [b] of 1 shard, and node-b is not among its nodes any more";
    assert_eq!(of("es"), Some((Tie::Certain, words.to_owned())));
    assert_eq!(of("other"), None);
    let left = firing.iter().find(|finding| finding.breach.rule == "search.node_left").expect("it is told");
    assert_eq!(left.since.mono, Now::example(FIRST + 300).mono, "since it was not there");
    let unnamed = yellow(false);
    assert!(unnamed.world.alerts.firing().iter().all(|finding| finding.breach.rule != "search.node_left"));
}

/// An alert with these labels beside sessions that wait on `pg` and a queue without a worker.
fn alerted(name: &str, labels: &[(&str, &str)]) -> Stage {
    let mut stage = Stage::with(&[
        ("pg", SystemKind::Postgres),
        ("cache", SystemKind::Redis),
        ("prom", SystemKind::Prometheus),
    ]);
    let alert = AlertingRule {
        name: name.to_owned(),
        state: "firing".to_owned(),
        severity: "warning".to_owned(),
        all_labels: labels.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect(),
        ..AlertingRule::default()
    };
    for second in FIRST..FIRST + 60 {
        let evidence = Evidence { workers: Some(0), ..Evidence::default() };
        let lone = QueueReading { waiting: 9, oldest_wait: Some(secs(90)), evidence, ..queue("mails") };
        let rules =
            Part::Ready(RulesReading { total: 1, notable: vec![alert.clone()], ..RulesReading::default() });
        let mut reading = two_behind_one();
        reading.databases =
            Part::Ready(vec![DatabaseCounters { name: "shop".to_owned(), ..DatabaseCounters::default() }]);
        stage = stage.then(second, "pg", reading).then(second, "cache", redis(vec![lone]));
        stage = stage.then(second, "prom", PrometheusReading { rules, ..PrometheusReading::default() });
    }
    stage
}

#[test]
fn an_alert_is_one_row_with_what_its_labels_name() {
    let check = |name: &str, labels: &[(&str, &str)], cause: &str, expected: Option<(Tie, &str)>| {
        check(&alerted(name, labels), cause, "prometheus.alert", expected);
    };
    let (blocked, lone) = ("postgres.blocked", "queue.no_worker");
    check("Backlog", &[("queue", "mails")], lone, Some((Tie::Certain, "label queue is mails")));
    check("Backlog", &[("queue", "letters")], lone, None);
    let likely = |words| Some((Tie::Likely, words));
    check(
        "PgLocksHigh",
        &[("instance", "pg.example:9187")],
        blocked,
        likely("it tells of \u{201c}lock\u{201d}"),
    );
    check("PgLocksHigh", &[("datname", "shop")], blocked, likely("label datname is shop"));
    check("PgLocksHigh", &[("datname", "wiki")], blocked, None);
    check("PgLocksHigh", &[("instance", "db9.example:9187")], blocked, None);
    // The server fits, the kind of trouble does not.
    check("PgBackupOld", &[("instance", "pg.example:9187")], blocked, None);
}

/// Jobs of a queue on `cache` fail because an index is read-only; so it is on `es`, and another cluster may be watched, too.
fn blocked_index(clusters: &[&str], depends: bool) -> Stage {
    let mut kinds = vec![("cache", SystemKind::Redis)];
    kinds.extend(clusters.iter().map(|name| (*name, SystemKind::Search)));
    let mut stage = Stage::with(&kinds);
    if depends {
        let said =
            Depends { service: "mails".to_owned(), on: target("es"), because: "it is said".to_owned() };
        stage.world.topology = Topology::new(vec![said]);
    }
    let reason = "cluster_block_exception: index [products] blocked by: [FORBIDDEN/12/index read-only]";
    for second in FIRST..FIRST + 20 {
        for name in clusters {
            let indices = if *name == "es" { vec!["products".to_owned()] } else { Vec::new() };
            let reading = SearchReading {
                health: Part::Ready(ClusterHealth { status: "green".to_owned(), ..ClusterHealth::default() }),
                read_only: Part::Ready(Warm::new(Now::example(second), indices)),
                ..SearchReading::default()
            };
            stage = stage.then(second, name, reading);
        }
        stage = stage.then(second, "cache", redis(vec![failing("mails", reason, &[])]));
    }
    stage
}

#[test]
fn the_words_of_a_cluster_name_it_where_no_other_could_be_meant() {
    let (cause, effect) = ("search.read_only", "queue.failing");
    let certain = Some((Tie::Certain, "its jobs fail by cluster_block_exception"));
    check(&blocked_index(&["es"], false), cause, effect, certain);
    check(&blocked_index(&["es", "other"], false), cause, effect, None);
    check(&blocked_index(&["es", "other"], true), cause, effect, certain);
}

#[test]
fn a_full_server_refuses_the_jobs_of_its_own_queues() {
    let reason = "OOM command not allowed when used memory > 'maxmemory'.";
    let check = |of: &str, expected: Option<(Tie, &str)>| {
        let mut stage = Stage::with(&[("cache", SystemKind::Redis), ("sessions", SystemKind::Redis)]);
        for second in FIRST..FIRST + 30 {
            let mut full =
                redis(if of == "sessions" { vec![failing("mails", reason, &[])] } else { Vec::new() });
            full.server.policy = Some("noeviction".to_owned());
            (full.server.maxmemory_bytes, full.server.used_memory_bytes) = (Some(1000.0), Some(999.0));
            let other = redis(if of == "cache" { vec![failing("mails", reason, &[])] } else { Vec::new() });
            stage = stage.then(second, "sessions", full).then(second, "cache", other);
        }
        self::check(&stage, "redis.memory", "queue.failing", expected);
    };
    check("sessions", Some((Tie::Certain, "OOM command not allowed")));
    check("cache", None);
}

/// A server on which a look at `topic` found this row, beside a queue that fails for `reason`; and perhaps another server.
fn refused(topic: &str, row: &[(&str, &str)], reason: &str, alone: bool) -> Stage {
    let mut targets = vec![("pg", SystemKind::Postgres), ("cache", SystemKind::Redis)];
    if !alone {
        targets.push(("second", SystemKind::Postgres));
    }
    let table = SqlTable {
        at: Now::example(FIRST),
        took: secs(0),
        place: String::new(),
        columns: row.iter().map(|(column, _)| (*column).to_owned()).collect(),
        rows: vec![row.iter().map(|(_, text)| Some((*text).to_owned())).collect()],
        truncated: false,
    };
    let table = Part::Ready(Warm::new(Now::example(FIRST), table));
    let watched = vec![Watched { topic: topic.to_owned(), table }];
    let mut stage = Stage::with(&targets);
    for second in FIRST..FIRST + 20 {
        stage = stage
            .then(second, "pg", PostgresReading { watched: watched.clone(), ..postgres(Vec::new()) })
            .then(second, "cache", redis(vec![failing("mails", reason, &[])]));
    }
    stage
}

#[test]
fn an_insert_that_is_refused_names_the_table_or_the_sequence() {
    let missing = "the current period has no partition: its inserts fail";
    let partition = |reason: &str, alone: bool, expected: Option<(Tie, &str)>| {
        let row = [("parent", "public.audit_logs"), ("key", "range of at"), ("problem", missing)];
        check(
            &refused("partitions", &row, reason, alone),
            "postgres.partition_missing",
            "queue.failing",
            expected,
        );
    };
    let words = "no partition of relation \"audit_logs\"";
    let reason = format!("error: {words} found for row");
    partition(&reason, true, Some((Tie::Certain, words)));
    // Another server may have a table of that name.
    partition(&reason, false, Some((Tie::Likely, words)));
    partition("no partition of relation \"audit_logs_old\" found for row", true, None);
    partition("duplicate key value", true, None);
    let sequence = |reason: &str, expected: Option<(Tie, &str)>| {
        let row = [("sequence", "public.orders_id_seq"), ("used_ratio", "1"), ("numbers_left", "0")];
        check(&refused("sequences", &row, reason, true), "postgres.sequence", "queue.failing", expected);
    };
    let words = "reached maximum value of sequence \"orders_id_seq\"";
    sequence(&format!("nextval: {words} (2147483647)"), Some((Tie::Certain, words)));
    sequence("nextval: reached maximum value of sequence \"users_id_seq\"", None);
}
