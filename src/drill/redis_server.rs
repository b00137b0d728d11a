//! What a look at the shop's Redis server itself would find.

use super::sim::Sim;
use crate::core::part::Part;
use crate::core::redis::{ClientGroup, CommandStat, ServerDetail, SlowEntry, StreamGroup};
use std::collections::BTreeMap;
use std::time::Duration;

/// The server in detail.
pub(super) fn detail(sim: &Sim) -> ServerDetail {
    let used = 2.1e8 + sim.backlog * 4000.0;
    let info = [
        ("used_memory", format!("{used:.0}")),
        ("used_memory_peak", "345000000".to_owned()),
        ("used_memory_rss", format!("{:.0}", used * 1.1)),
        ("maxmemory", "1070000000".to_owned()),
        ("maxmemory_policy", "noeviction".to_owned()),
        ("mem_fragmentation_ratio", "1.10".to_owned()),
        ("instantaneous_ops_per_sec", format!("{:.0}", 480.0 * sim.wave(22))),
        ("connected_clients", "31".to_owned()),
        ("maxclients", "10000".to_owned()),
        ("blocked_clients", "9".to_owned()),
        ("rejected_connections", "0".to_owned()),
        ("rdb_last_bgsave_status", "ok".to_owned()),
        ("rdb_changes_since_last_save", "1840".to_owned()),
        ("latest_fork_usec", "2100".to_owned()),
        ("role", "master".to_owned()),
    ];
    let told = sim.told;
    let command = |calls: f64, micros: f64| CommandStat {
        calls: (told * calls).floor(),
        micros: told * calls * micros,
        failed: 0.0,
        p99_micros: Some(micros * 4.0),
    };
    let group = |name: &str, count: usize, blocked: usize| ClientGroup {
        name: name.to_owned(),
        user: "default".to_owned(),
        count,
        blocked,
        output_bytes: 0.0,
        memory_bytes: 22_000.0 * count as f64,
        idle: Duration::from_secs(1),
        monitors: false,
    };
    ServerDetail {
        node: String::new(),
        info: info.map(|(name, value)| (name.to_owned(), value)).into(),
        commands: BTreeMap::from([
            ("evalsha".to_owned(), command(40.0, 42.0)),
            ("hget".to_owned(), command(210.0, 2.1)),
            ("get".to_owned(), command(150.0, 1.4)),
            ("bzpopmin".to_owned(), command(12.0, 5.0)),
        ]),
        keyspace: vec![(0, 6_210, 6_210), (1, 48_000, 47_100), (2, 7_450, 12)],
        slow: Part::Ready(vec![SlowEntry {
            id: 17,
            age: Duration::from_secs(4_000),
            took: Duration::from_millis(14),
            command: "SMEMBERS cart:all".to_owned(),
            client: "10.20.0.44:50112".to_owned(),
        }]),
        clients: Part::Ready(vec![
            group("bull:order-mails", 5, 5),
            group("shop-api", 22, 0),
            group("shop-web", 4, 4),
        ]),
        streams: Part::Ready(vec![StreamGroup {
            stream: "orders:log".to_owned(),
            length: 12_400,
            group: "billing".to_owned(),
            consumers: 2,
            pending: 3,
            lag: Some(7),
        }]),
    }
}
