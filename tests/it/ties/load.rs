//! Ties of load on a database: WAL that is written, statements that got slower, vacuums, temporary files.

use super::check;
use crate::pages::blocking::two_behind_one;
use crate::pages::world::{FIRST, Stage, postgres, secs, session, session_in, statement, target, warm_at};
use stacktop::core::alert::{RuleSetting, Rulebook};
use stacktop::core::around::coincident;
use stacktop::core::chain::Tie;
use stacktop::core::ids::SystemKind;
use stacktop::core::metrics::{MetricKind, MetricSample, MetricsReading};
use stacktop::core::part::{Part, Warm};
use stacktop::core::postgres::{
    DatabaseCounters, Health, Pool, PooledDatabase, Pooler, PostgresReading, Sender, SessionState, Spill,
    SqlTable, Standby, StatementCounters, StatementKey, Statements, Watched,
};
use stacktop::core::time::Now;
use stacktop::core::timeline::Kind;
use stacktop::core::topology::{Depends, Topology};
use stacktop::core::world::{TargetState, World, all_rules};

type Expected<'a> = Option<(Tie, &'a str)>;

/// Targets at these addresses.
pub fn at(targets: &[(&str, SystemKind, &str)]) -> Stage {
    let mut stage = Stage::empty();
    let new = |(name, kind, address): &(&str, SystemKind, &str)| {
        TargetState::new(target(name), *kind, (*address).to_owned(), secs(1), Now::example(FIRST))
    };
    stage.world = World::new(targets.iter().map(new).collect(), Rulebook::defaults(&all_rules()));
    stage
}

fn sample(name: &str, labels: &[(&str, &str)], value: f64) -> MetricSample {
    let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    MetricSample { name: name.to_owned(), labels, value }
}

/// A host whose only disk is this full.
pub fn disk(used: f64) -> MetricsReading {
    let of = [("device", "/dev/sda1"), ("fstype", "ext4"), ("mountpoint", "/")];
    let kinds = ["size", "avail", "free"].map(|name| format!("node_filesystem_{name}_bytes"));
    let values = [1e12, 1e12 * (1.0 - used), 1e12 * (1.0 - used)];
    let samples: Vec<MetricSample> =
        kinds.iter().zip(values).map(|(name, value)| sample(name, &of, value)).collect();
    let kinds = kinds.into_iter().map(|name| (name, MetricKind::Gauge)).collect();
    MetricsReading { bytes: 99, ..MetricsReading::of(&samples, &kinds) }
}

/// A session spills `most` bytes on `pg` from second `spills` on, and from second `full` on the disk of `node` is full.
fn spilled(host: &str, most: f64, spills: u64, full: u64) -> Stage {
    let address = format!("{host}:9100");
    let mut stage = at(&[("pg", SystemKind::Postgres, "db1:5432"), ("node", SystemKind::Metrics, &address)]);
    for second in (0..200).step_by(5) {
        let at = FIRST + second;
        let bytes = if second >= spills { most } else { 0.0 };
        let health = Health { spills: Part::Ready(vec![Spill { pid: 7, bytes }]), ..Health::default() };
        let health = Part::Ready(warm_at(at, health));
        let mut runs = session(7);
        runs.query_age = Some(secs(second.saturating_sub(spills)));
        let reading = PostgresReading { health, ..postgres(vec![runs]) };
        stage = stage.then(at, "pg", reading).then(at, "node", disk(if second >= full { 0.98 } else { 0.5 }));
    }
    stage
}

#[test]
fn temporary_files_fill_the_disk_of_their_own_host() {
    let check = |host: &str, most: f64, spills: u64, full: u64, expected: Expected<'_>| {
        check(&spilled(host, most, spills, full), "postgres.temp_files", "metrics.disk", expected);
    };
    check("db1", 3e11, 20, 60, Some((Tie::Likely, "both are on db1, and it takes 30 % of that disk")));
    check("db2", 3e11, 20, 60, None);
    // It was full long before.
    check("db1", 3e11, 120, 20, None);
    // Enough to be told, and next to nothing on a disk of this size; or more than it holds: another disk of that host is full.
    check("db1", 2e10, 20, 60, None);
    check("db1", 2e12, 20, 60, None);
}

/// `pg` writes far more WAL from second 300 on, and from 330 on a copy is behind: one that `pg` feeds, or the server `copy`.
fn burst(fed: bool, system: &str, paused: bool) -> Stage {
    let mut stage = Stage::with(&[("pg", SystemKind::Postgres), ("copy", SystemKind::Postgres)]);
    let mut position = 0.0;
    for second in (0..420_u64).step_by(5) {
        let at = FIRST + second;
        position += 5.0 * 1_048_576.0 * if second >= 300 { 80.0 } else { 2.0 };
        let behind = if second >= 330 { 2e9 } else { 0.0 };
        let health = Health { wal_position: Some(position), ..Health::default() };
        let mut primary =
            PostgresReading { health: Part::Ready(warm_at(at, health)), ..postgres(Vec::new()) };
        primary.server.system = Some("7".to_owned());
        let bytes = if fed { behind } else { 0.0 };
        let sender = Sender {
            name: "reports".to_owned(),
            state: "streaming".to_owned(),
            replay_bytes: Some(bytes),
            replay_seconds: Some(9.0),
            ..Sender::default()
        };
        primary.senders = Part::Ready(vec![sender]);
        let standby = Standby {
            behind_bytes: Some(if fed { 0.0 } else { behind }),
            staleness_seconds: Some(9.0),
            paused,
            ..Standby::default()
        };
        let mut copy = PostgresReading { standby: Part::Ready(standby), ..postgres(Vec::new()) };
        (copy.server.in_recovery, copy.server.system) = (true, Some(system.to_owned()));
        stage = stage.then(at, "pg", primary).then(at, "copy", copy);
    }
    stage
}

#[test]
fn a_burst_of_wal_is_what_its_own_copies_fall_behind_by() {
    let check = |fed: bool, system: &str, paused: bool, expected: Expected<'_>| {
        let stage = burst(fed, system, paused);
        check(&stage, "postgres.wal_burst", "postgres.replication_lag", expected);
    };
    check(true, "", false, Some((Tie::Likely, "pg feeds it")));
    check(false, "7", false, Some((Tie::Likely, "copy is a copy of pg")));
    check(false, "8", false, None);
    check(false, "7", true, None);
}

/// Two wait behind the backend 10 of `pg`, which is an autovacuum worker that runs this; a database there, or of `other`, is old.
fn vacuum(query: &str, old: &str) -> Stage {
    let mut stage = Stage::with(&[("pg", SystemKind::Postgres), ("other", SystemKind::Postgres)]);
    for second in FIRST..FIRST + 20 {
        for name in ["pg", "other"] {
            let mut reading = if name == "pg" { two_behind_one() } else { postgres(Vec::new()) };
            if let Part::Ready(sessions) = &mut reading.sessions {
                for session in sessions.iter_mut().filter(|session| session.id.pid == 10) {
                    "autovacuum worker".clone_into(&mut session.backend_type);
                    session.state = SessionState::Active;
                    session.query = statement(query);
                }
            }
            let age = if name == old { 600_000_000 } else { 100 };
            let database = DatabaseCounters {
                name: "shop".to_owned(),
                xid_age: Some(age),
                multixact_age: Some(1),
                ..DatabaseCounters::default()
            };
            reading.databases = Part::Ready(vec![database]);
            stage = stage.then(second, name, reading);
        }
    }
    stage
}

#[test]
fn who_waits_for_a_vacuum_against_wraparound_waits_for_the_age_of_that_server() {
    let check = |query: &str, old: &str, expected: Expected<'_>| {
        check(&vacuum(query, old), "postgres.wraparound", "postgres.blocked", expected);
    };
    let text = "autovacuum: VACUUM public.accounts (to prevent wraparound)";
    check(text, "pg", Some((Tie::Certain, "pid 10 runs")));
    check(text, "other", None);
    check("autovacuum: VACUUM public.accounts", "pg", None);
    let stage = vacuum(text, "pg");
    let firing = stage.world.alerts.firing();
    let blocked = firing.iter().find(|one| one.breach.rule == "postgres.blocked").expect("they wait");
    let words = format!("pid 10 ({text}) blocks 2 sessions");
    assert_eq!(blocked.breach.sentence, words);
}

/// A row of a look at `topic`, found at the first second.
fn watched(topic: &str, row: &[(&str, &str)]) -> Watched {
    let table = SqlTable {
        at: Now::example(FIRST),
        took: secs(0),
        place: String::new(),
        columns: row.iter().map(|(column, _)| (*column).to_owned()).collect(),
        rows: vec![row.iter().map(|(_, text)| Some((*text).to_owned())).collect()],
        truncated: false,
    };
    Watched { topic: topic.to_owned(), table: Part::Ready(Warm::new(Now::example(FIRST), table)) }
}

fn overdue(why: &str) -> Watched {
    let row = [("table", "public.orders"), ("dead", "50000"), ("of_due_point", "4"), ("vacuum", why)];
    watched("tables", &row)
}

/// The hold of a rule is over at once.
fn at_once(stage: &mut Stage, rule: &str) {
    let spec = all_rules().into_iter().find(|spec| spec.id == rule).expect("a rule");
    let setting = RuleSetting { hold: secs(0), ..stage.world.rules.get(spec.id) };
    assert!(stage.world.rules.set_on(rule, "pg", setting));
}

/// A transaction is open on `place` in `database`, and a table of `pg`, in the database shop, is overdue for this reason.
fn held_back(place: &str, database: &str, why: &str) -> Stage {
    let mut stage = Stage::with(&[("pg", SystemKind::Postgres), ("other", SystemKind::Postgres)]);
    at_once(&mut stage, "postgres.table_overdue");
    for second in FIRST..FIRST + 10 {
        for name in ["pg", "other"] {
            let mut open = session_in(7, SessionState::IdleInTransaction);
            (open.state_age, open.xmin_age) = (Some(secs(4000)), Some(90_000));
            database.clone_into(&mut open.database);
            let sessions = if name == place { vec![open] } else { Vec::new() };
            let mut reading = postgres(sessions);
            if name == "pg" {
                reading.watched = vec![overdue(why)];
            }
            stage = stage.then(second, name, reading);
        }
    }
    stage
}

#[test]
fn what_is_open_in_a_database_keeps_its_dead_rows() {
    let check = |place: &str, database: &str, why: &str, expected: Expected<'_>| {
        let stage = held_back(place, database, why);
        check(&stage, "postgres.idle_in_transaction", "postgres.table_overdue", expected);
    };
    let due = "overdue: due at the next round of autovacuum";
    check("pg", "shop", due, Some((Tie::Likely, "needs rows as they were 90000 transactions ago")));
    check("pg", "wiki", due, None);
    check("other", "shop", due, None);
    check("pg", "shop", "overdue: autovacuum is off for this table", None);
}

const SLOW: &str = "SELECT * FROM orders WHERE customer = $1";

/// What is about a statement that gets slower on `pg` in second 600.
struct Slow<'a> {
    /// Which application runs it.
    application: &'a str,
    /// What `checkout` is said to depend on.
    depends_on: &'a str,
    /// Since when requests to `checkout` take long.
    requests: u64,
    /// Backends of the pool that run it, of four.
    of_pool: i32,
    /// Why tables are overdue.
    table: &'a str,
}

const USUAL: Slow<'static> =
    Slow { application: "web", depends_on: "", requests: 600, of_pool: 0, table: "public.items" };

fn statements(second: u64) -> Statements {
    let key = StatementKey { user: 1, database: 1, query: 7, toplevel: true };
    let slow = second.saturating_sub(600) as f64;
    let calls = 10.0 * second as f64;
    let exec_ms = 10.0 * (30.0 * (second as f64 - slow) + 300.0 * slow);
    let counters = StatementCounters { calls, exec_ms, ..StatementCounters::default() };
    Statements { rows: vec![(key, counters)], evictions: None }
}

/// Requests that take 50 ms, and from second `slow` on 0.9 s.
fn durations(second: u64, slow: u64) -> MetricsReading {
    let long = second.saturating_sub(slow) as f64;
    let quick = second as f64 - long;
    let family = "http_request_duration_seconds";
    let bucket = |le: &str, count| sample(&format!("{family}_bucket"), &[("le", le)], count * 10.0);
    let samples = [bucket("0.1", quick), bucket("1", quick + long), bucket("+Inf", quick + long)];
    MetricsReading {
        bytes: 99,
        ..MetricsReading::of(&samples, &[(family.to_owned(), MetricKind::Histogram)].into())
    }
}

fn slow(about: &Slow<'_>) -> Stage {
    let mut stage = Stage::with(&[("pg", SystemKind::Postgres), ("checkout", SystemKind::Metrics)]);
    let because = "it is said".to_owned();
    let said = Depends { service: "checkout".to_owned(), on: target(about.depends_on), because };
    stage.world.topology = Topology::new(vec![said]);
    at_once(&mut stage, "postgres.table_overdue");
    for second in (0..800).step_by(5) {
        let at = FIRST + second;
        let session = |pid: i32| {
            let mut one = session(pid);
            let runs = pid <= about.of_pool.max(1);
            one.query_id = Some(if runs { 7 } else { 8 });
            one.query = statement(if runs { SLOW } else { "SELECT 1" });
            about.application.clone_into(&mut one.application);
            one
        };
        let pool = Pool {
            database: "shop".to_owned(),
            user: "app".to_owned(),
            clients_waiting: 3,
            longest_wait: secs(60),
            ..Pool::default()
        };
        let pooler = Pooler {
            address: "pg:6432".to_owned(),
            pools: if about.of_pool > 0 && second >= 700 { vec![pool] } else { Vec::new() },
            databases: vec![PooledDatabase { name: "shop".to_owned(), ..PooledDatabase::default() }],
            clients: warm_at(at, (1..=4).map(|pid| (pid, format!("10.0.0.{pid} (web)"))).collect()),
        };
        let row = [
            ("table", about.table),
            ("dead", "50000"),
            ("of_due_point", "4"),
            ("vacuum", "overdue: due at the next round of autovacuum"),
        ];
        let reading = PostgresReading {
            statements: Part::Ready(warm_at(at, statements(second))),
            pooler: Part::Ready(warm_at(at, pooler)),
            watched: vec![watched("tables", &row)],
            ..postgres((1..=4).map(session).collect())
        };
        stage = stage.then(at, "pg", reading).then(at, "checkout", durations(second, about.requests));
    }
    stage
}

#[test]
fn a_statement_that_got_slower_is_why_its_own_service_takes_longer() {
    let check = |about: &Slow<'_>, expected: Expected<'_>| {
        check(&slow(about), "postgres.statement_slower", "metrics.latency_p95", expected);
    };
    let named = Some((Tie::Likely, "1 session named checkout run it now"));
    check(&Slow { application: "checkout", ..USUAL }, named);
    check(&USUAL, None);
    let depends = Some((Tie::Likely, "checkout depends on pg (it is said)"));
    check(&Slow { depends_on: "pg", ..USUAL }, depends);
    // Requests took long already, long before.
    check(&Slow { application: "checkout", requests: 300, ..USUAL }, None);
}

#[test]
fn a_statement_that_got_slower_fills_the_pool_only_where_most_of_it_runs_it() {
    let check = |of_pool: i32, expected: Expected<'_>| {
        let stage = slow(&Slow { of_pool, ..USUAL });
        check(&stage, "postgres.statement_slower", "pgbouncer.waiting", expected);
    };
    check(3, Some((Tie::Likely, "3 of the 4 backends that the pool uses run it")));
    check(2, None);
}

#[test]
fn dead_rows_slow_down_the_statements_that_name_their_table() {
    let check = |table: &str, expected: Expected<'_>| {
        let stage = slow(&Slow { table, ..USUAL });
        check(&stage, "postgres.table_overdue", "postgres.statement_slower", expected);
    };
    check("public.orders", Some((Tie::Likely, "the statement names orders")));
    check("public.order", None);
    check("public.customers", None);
}

/// A migration of this name was applied in second 700, and since then a call of the slow statement takes long and touches so many blocks.
fn migrated(name: &str, blocks: f64) -> Stage {
    let mut stage = Stage::with(&[("pg", SystemKind::Postgres)]);
    for second in (0..900_u64).step_by(5) {
        let at = FIRST + second;
        let key = StatementKey { user: 1, database: 1, query: 7, toplevel: true };
        let slow = second.saturating_sub(700) as f64;
        let quick = second as f64 - slow;
        let counters = StatementCounters {
            calls: 10.0 * second as f64,
            exec_ms: 10.0 * (30.0 * quick + 300.0 * slow),
            hit: 10.0 * (50.0 * quick + blocks * slow),
            ..StatementCounters::default()
        };
        let mut one = session(1);
        (one.query_id, one.query) = (Some(7), statement(SLOW));
        let statements = Statements { rows: vec![(key, counters)], evictions: None };
        let columns = ["tool", "table", "migration", "applied_seconds", "written", "problem"];
        let row = ["Prisma", "public._prisma_migrations", name, "1", "then", ""];
        let table = SqlTable {
            at: Now::example(at),
            took: secs(0),
            place: String::new(),
            columns: columns.map(str::to_owned).to_vec(),
            rows: if second >= 700 {
                vec![row.map(|cell| Some(cell.to_owned())).to_vec()]
            } else {
                Vec::new()
            },
            truncated: false,
        };
        // It is looked at now and then.
        let read_at = if second >= 700 { FIRST + 700 } else { FIRST };
        let table = Part::Ready(Warm::new(Now::example(read_at), table));
        let reading = PostgresReading {
            statements: Part::Ready(warm_at(at, statements)),
            watched: vec![Watched { topic: "migrations".to_owned(), table }],
            ..postgres(vec![one])
        };
        stage = stage.then(at, "pg", reading);
    }
    stage
}

#[test]
fn a_migration_of_its_table_is_why_a_statement_runs_by_another_plan() {
    let (cause, effect) = ("source.changed", "postgres.statement_slower");
    let words = "both are of orders, and a call touches";
    check(&migrated("20261129_drop_index_of_orders", 900.0), cause, effect, Some((Tie::Likely, words)));
    for stage in [migrated("20261129_payroll", 900.0), migrated("20261129_drop_index_of_orders", 55.0)] {
        let firing = stage.world.alerts.firing();
        let slower = firing.iter().find(|one| one.breach.rule == effect).expect("it is slower");
        assert!(firing.iter().all(|one| one.breach.rule != cause), "what explains nothing is not told");
        // It stands beside it, and is not called a cause.
        let beside: Vec<Kind> = coincident(&stage.world, slower).iter().map(|event| event.kind).collect();
        assert_eq!(beside, [Kind::Migrated]);
    }
}
