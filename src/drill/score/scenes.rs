//! Small scenes: a few targets, and what a look at each of them shows, second by second.

use super::incident::Small;
use super::parts::{blocked, host, postgres, queue, redis, service, session, since};
use crate::core::ids::SystemKind::{Metrics, Postgres, Redis, Search};
use crate::core::part::{Part, Warm};
use crate::core::postgres::{Archiver, Health, Pool, PooledDatabase, Pooler, PostgresReading, SessionState};
use crate::core::reading::Reading;
use crate::core::redis::{QueueReading, RedisServer};
use crate::core::search::{ClusterHealth, SearchNode, SearchReading, Unassigned, UnassignedShard};
use crate::core::time::Now;
use std::time::Duration;

/// In every scene it begins then.
pub(super) const BEGINS: u64 = 60;
/// The second of two faults begins then.
const SECOND: u64 = 90;

/// The four connections of a pool are held by sessions that do nothing, and clients wait.
pub(super) static POOL: Small = Small {
    targets: &[("db", Postgres, "10.1.0.5:5432"), ("shop", Metrics, "10.1.0.9:9100")],
    depends: &[],
    shows: |name, second, now| match name {
        "db" => {
            let held = since(second, BEGINS);
            let one = |pid| match held {
                Some(open) => session(pid, SessionState::IdleInTransaction, open),
                None => session(pid, SessionState::Idle, Duration::ZERO),
            };
            let pool = Pool {
                database: "shop".to_owned(),
                user: "shop".to_owned(),
                clients_active: 4,
                clients_waiting: if held.is_some() { 7 } else { 0 },
                servers_active: if held.is_some() { 4 } else { 1 },
                servers_idle: if held.is_some() { 0 } else { 3 },
                longest_wait: held.unwrap_or_default(),
                mode: "transaction".to_owned(),
            };
            let database = PooledDatabase {
                name: "shop".to_owned(),
                pool_size: 4,
                connections: 4,
                ..PooledDatabase::default()
            };
            let pooler = Pooler {
                address: "10.1.0.5:6432".to_owned(),
                pools: vec![pool],
                databases: vec![database],
                clients: Warm::new(
                    now,
                    (1..=4).map(|pid| (pid, "10.1.0.9:4000 (shop)".to_owned())).collect(),
                ),
            };
            let pooler = Part::Ready(Warm::new(now, pooler));
            Reading::Postgres(Box::new(PostgresReading { pooler, ..postgres((1..=4).map(one).collect()) }))
        }
        _ => service(second, BEGINS, true),
    },
};

/// A Redis without eviction is full: adds are refused, jobs and requests fail by that.
pub(super) static FULL: Small = Small {
    targets: &[("cache", Redis, "10.1.0.7:6379"), ("shop", Metrics, "10.1.0.9:9100")],
    depends: &[("shop", "cache")],
    shows: |name, second, now| match name {
        "cache" => {
            let full = since(second, BEGINS);
            let server = RedisServer {
                policy: Some("noeviction".to_owned()),
                maxmemory_bytes: Some(1e9),
                used_memory_bytes: Some(if full.is_some() { 9.99e8 } else { 6e8 }),
                errors_total: [("OOM".to_owned(), 5.0 * full.unwrap_or_default().as_secs_f64())].into(),
                ..RedisServer::default()
            };
            let reason = full.map_or("", |_| "OOM command not allowed when used memory > 'maxmemory'.");
            let added = 10.0 * second.min(BEGINS) as f64;
            let mails = QueueReading { added_total: Some(added), ..queue("mails", 2, reason) };
            redis(server, vec![mails], now)
        }
        _ => service(second, BEGINS, false),
    },
};

/// WAL cannot be archived, stays, and fills the disk of its host.
pub(super) static ARCHIVER: Small = Small {
    targets: &[("db", Postgres, "db1:5432"), ("node", Metrics, "db1:9100")],
    depends: &[],
    shows: |name, second, now| match name {
        "db" => {
            let fails = since(second, BEGINS);
            let archiver = Archiver {
                on: true,
                last_archived_seconds: Some(fails.map_or(3.0, |fails| 3.0 + fails.as_secs_f64())),
                last_failed_seconds: fails.map(|fails| fails.as_secs_f64() % 60.0),
                ..Archiver::default()
            };
            let health = Health { archiver: Part::Ready(archiver), ..Health::default() };
            let health = Part::Ready(Warm::new(now, health));
            Reading::Postgres(Box::new(PostgresReading { health, ..postgres(Vec::new()) }))
        }
        _ => host((0.7 + 0.004 * second.saturating_sub(BEGINS) as f64).min(0.985)),
    },
};

/// A cluster of two nodes, of which the second goes.
pub(super) static NODE: Small = Small {
    targets: &[("search", Search, "10.1.0.8:9200")],
    depends: &[],
    shows: |_, second, now| cluster(second >= BEGINS, "node_left [b]", now),
};

/// The workers of a queue go; what they had begun stays where it is, and so does what is due.
pub(super) static WORKERS: Small = Small {
    targets: &[("cache", Redis, "10.1.0.7:6379")],
    depends: &[],
    shows: |_, second, now| {
        let gone = since(second, BEGINS);
        let mails = QueueReading {
            waiting: gone.map_or(2, |gone| 2 + gone.as_secs()),
            active: 3,
            stalled: if gone.is_some_and(|gone| gone.as_secs() > 30) { 3 } else { 0 },
            late: gone.into_iter().map(|gone| ("nightly".to_owned(), gone)).collect(),
            added_total: Some(second as f64),
            oldest_wait: gone,
            ..queue("mails", if gone.is_some() { 0 } else { 3 }, "")
        };
        redis(RedisServer::default(), vec![mails, queue("reports", 2, "")], now)
    },
};

/// Sessions of the shop wait for a lock; half a minute later, and apart from that, a Redis cannot save. What has been so for long has
/// nothing to do with either: a cluster that is yellow, and a transaction that was prepared and forgotten.
pub(super) static TWO: Small = Small {
    targets: &[
        ("db", Postgres, "10.1.0.5:5432"),
        ("shop", Metrics, "10.1.0.9:9100"),
        ("cache", Redis, "10.1.0.7:6379"),
        ("search", Search, "10.1.0.8:9200"),
        ("archive", Postgres, "10.1.0.6:5432"),
    ],
    depends: &[],
    shows: |name, second, now| match name {
        "db" => {
            let waited = since(second, BEGINS);
            let reading =
                waited.map_or_else(|| postgres(Vec::new()), |waited| blocked(1, &[2, 3, 4, 5], waited));
            Reading::Postgres(Box::new(reading))
        }
        "shop" => service(second, BEGINS, false),
        "cache" => {
            let fails = since(second, SECOND);
            let server = RedisServer {
                rdb_ok: Some(fails.is_none()),
                errors_total: [("MISCONF".to_owned(), 3.0 * fails.unwrap_or_default().as_secs_f64())].into(),
                ..RedisServer::default()
            };
            let reason = fails.map_or("", |_| "MISCONF Redis is configured to save RDB snapshots");
            redis(server, vec![queue("mails", 2, reason)], now)
        }
        "search" => cluster(true, "", now),
        _ => {
            let age = Duration::from_secs(9 * 86_400 + second);
            let left = ("left".to_owned(), "batch".to_owned(), "archive".to_owned(), age);
            let health = Health { prepared: Part::Ready(vec![left]), ..Health::default() };
            let health = Part::Ready(Warm::new(now, health));
            Reading::Postgres(Box::new(PostgresReading { health, ..postgres(Vec::new()) }))
        }
    },
};

/// A cluster of the nodes `a` and `b`; where `yellow` a replica is on no node, and where the cluster says why, `b` is not there.
fn cluster(yellow: bool, details: &str, now: Now) -> Reading {
    let node =
        |id: &str| SearchNode { id: id.to_owned(), name: format!("node-{id}"), ..SearchNode::default() };
    let mut nodes = vec![node("a"), node("b")];
    if yellow && !details.is_empty() {
        nodes.truncate(1);
    }
    let shard = UnassignedShard {
        index: "products".to_owned(),
        reason: if details.is_empty() { "INDEX_CREATED" } else { "NODE_LEFT" }.to_owned(),
        details: details.to_owned(),
        ..UnassignedShard::default()
    };
    let away = if yellow { Unassigned::of(vec![shard]) } else { Unassigned::default() };
    let health = ClusterHealth {
        status: if yellow { "yellow" } else { "green" }.to_owned(),
        unassigned: Some(u64::from(yellow)),
        ..ClusterHealth::default()
    };
    Reading::Search(Box::new(SearchReading {
        health: Part::Ready(health),
        nodes: Part::Ready(Warm::new(now, nodes)),
        unassigned: Part::Ready(Warm::new(now, away)),
        ..SearchReading::default()
    }))
}
