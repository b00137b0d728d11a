//! The Redis server in detail, read only while somebody looks: commands, slow log, clients, keyspace, and what INFO says besides.

use crate::core::exact;
use crate::core::part::{Part, Warm};
use crate::core::rate::LEAST_WINDOW;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// Everything about one server at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServerDetail {
    /// Address of the primary of a cluster that it is; empty where it is one server.
    pub node: String,
    /// The fields of INFO, by their own names.
    pub info: BTreeMap<String, String>,
    /// Commands with their counters.
    pub commands: BTreeMap<String, CommandStat>,
    /// Logical databases: number, keys, keys with an end.
    pub keyspace: Vec<(u32, u64, u64)>,
    /// The slow log, newest first.
    pub slow: Part<Vec<SlowEntry>>,
    /// Connected clients, grouped.
    pub clients: Part<Vec<ClientGroup>>,
    /// Consumer groups of streams, the furthest behind first.
    pub streams: Part<Vec<StreamGroup>>,
}

/// A consumer group of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamGroup {
    /// The stream's key.
    pub stream: String,
    /// Entries in it.
    pub length: u64,
    /// The group's name.
    pub group: String,
    /// Its consumers.
    pub consumers: u64,
    /// Entries that were given to a consumer and not acknowledged.
    pub pending: u64,
    /// Entries that were not given to anybody yet; none where the server cannot tell.
    pub lag: Option<u64>,
}

impl ServerDetail {
    /// A field of INFO as a number.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<f64> {
        self.info.get(name)?.parse().ok()
    }
}

/// Counters of one command; they grow until they are reset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CommandStat {
    /// Times executed.
    #[serde(with = "exact")]
    pub calls: f64,
    /// Microseconds spent.
    #[serde(with = "exact")]
    pub micros: f64,
    /// Times it failed or was rejected.
    #[serde(with = "exact")]
    pub failed: f64,
    /// The 99th percentile of its duration in microseconds, since the start (7 and later).
    #[serde(with = "exact")]
    pub p99_micros: Option<f64>,
}

/// One entry of the slow log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SlowEntry {
    /// Its number: entries are told apart by it.
    pub id: i64,
    /// How long ago.
    pub age: Duration,
    /// How long it took, waiting and answering not counted.
    pub took: Duration,
    /// The command and its first argument; the others can hold payloads and secrets.
    pub command: String,
    /// Address or name of the client.
    pub client: String,
}

/// Clients that belong together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClientGroup {
    /// Name, else the address without its port.
    pub name: String,
    /// Its user.
    pub user: String,
    /// How many.
    pub count: usize,
    /// Of those, in a blocking command.
    pub blocked: usize,
    /// Bytes of their output buffers.
    #[serde(with = "exact")]
    pub output_bytes: f64,
    /// Bytes of all their memory.
    #[serde(with = "exact")]
    pub memory_bytes: f64,
    /// The shortest time since one of them did something.
    pub idle: Duration,
    /// Somebody left MONITOR running: every command is copied to it.
    pub monitors: bool,
}

/// What a command did between two looks.
#[derive(Clone, Debug, PartialEq)]
pub struct CommandRate {
    /// Its name.
    pub name: String,
    /// Times per second.
    pub calls_per_second: f64,
    /// Its share of all time spent in commands, 0–1.
    pub share: f64,
    /// Mean microseconds a call.
    pub mean_micros: f64,
    /// The 99th percentile since the start.
    pub p99_micros: Option<f64>,
    /// Failures per second.
    pub failed_per_second: f64,
}

/// What commands did between `old` and `new`, the most time first. Nothing when the counters fell.
#[must_use]
pub fn command_rates(old: &Warm<ServerDetail>, new: &Warm<ServerDetail>) -> Vec<CommandRate> {
    let elapsed = new.read_at.since(old.read_at);
    if elapsed < LEAST_WINDOW {
        return Vec::new();
    }
    let seconds = elapsed.as_secs_f64();
    let mut rates: Vec<CommandRate> = new
        .commands
        .iter()
        .filter_map(|(name, now)| {
            let before = old.commands.get(name).copied().unwrap_or_default();
            let calls = now.calls - before.calls;
            let micros = now.micros - before.micros;
            (calls > 0.0 && micros >= 0.0).then(|| CommandRate {
                name: name.clone(),
                calls_per_second: calls / seconds,
                share: micros,
                mean_micros: micros / calls,
                p99_micros: now.p99_micros,
                failed_per_second: (now.failed - before.failed).max(0.0) / seconds,
            })
        })
        .collect();
    let total: f64 = rates.iter().map(|rate| rate.share).sum();
    for rate in &mut rates {
        rate.share = if total > 0.0 { rate.share / total } else { 0.0 };
    }
    rates.sort_by(|a, b| b.share.total_cmp(&a.share));
    rates
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::time::Now;

    fn detail(second: u64, calls: f64, micros: f64) -> Warm<ServerDetail> {
        let stat = CommandStat { calls, micros, ..CommandStat::default() };
        let detail = ServerDetail {
            node: String::new(),
            info: BTreeMap::new(),
            commands: BTreeMap::from([
                ("get".to_owned(), stat),
                ("info".to_owned(), CommandStat { calls: 1.0, micros: 300.0, ..CommandStat::default() }),
            ]),
            keyspace: Vec::new(),
            slow: Part::NotAsked,
            clients: Part::NotAsked,
            streams: Part::NotAsked,
        };
        Warm::new(Now::example(second), detail)
    }

    #[test]
    fn rates_between_two_looks_and_none_after_a_reset() {
        let rates = command_rates(&detail(0, 100.0, 1000.0), &detail(10, 200.0, 3000.0));
        assert_eq!(rates.len(), 1, "what did nothing is not shown");
        assert_eq!((rates[0].calls_per_second, rates[0].mean_micros, rates[0].share), (10.0, 20.0, 1.0));
        assert_eq!(command_rates(&detail(0, 100.0, 1000.0), &detail(10, 5.0, 20.0)), []);
    }
}
