//! Finds targets where nobody configured any: the environment, a compose file in this folder, the well-known ports of this machine.
//!
//! The next place is asked only while everything found so far is on this machine: a stack elsewhere is never mixed with a local one.

mod compose;
mod environment;
mod found;

use super::defaults::{default_interval, free_name};
use super::libpq;
pub use super::surroundings::Surroundings;
use super::target::{
    Connect, DEFAULT_TIMEOUT, HttpAuth, HttpConnect, Locality, PrometheusConnect, RedisConnect, TargetConfig,
};
use crate::config::systems::SYSTEMS;
use crate::core::ids::{SystemKind, TargetId};
use found::Found;
use std::collections::BTreeSet;
use std::time::Duration;

/// Everything that can be found, with a line in `trail` for each place looked at.
///
/// # Errors
/// When a place holds something that cannot be understood (a bad `DATABASE_URL`).
pub(super) fn targets(around: &Surroundings, trail: &mut Vec<String>) -> Result<Vec<TargetConfig>, String> {
    let mut list: Vec<TargetConfig> = Vec::new();
    let places = [environment::find, compose::find, ports];
    for look in places {
        if !list.iter().all(TargetConfig::is_local) {
            trail.push("a target is elsewhere: nothing on this machine is added to it".to_owned());
            break;
        }
        let known: BTreeSet<SystemKind> = list.iter().map(TargetConfig::kind).collect();
        for found in look(around, trail)? {
            let mut target = TargetConfig {
                id: TargetId::new(""),
                chosen_because: found.because,
                interval: Duration::ZERO,
                timeout: DEFAULT_TIMEOUT,
                read_only: false,
                locality: found.locality,
                connect: found.connect,
            };
            let kind = target.kind();
            if known.contains(&kind) {
                continue;
            }
            let names: BTreeSet<String> = list.iter().map(|target| target.id.to_string()).collect();
            let name =
                found.name.filter(|name| !names.contains(name)).unwrap_or_else(|| free_name(kind, &names));
            target.id = TargetId::new(&name);
            target.interval = default_interval(kind);
            trail.push(format!(
                "{name}: {} at {}, because {}",
                kind.name(),
                target.address(),
                target.chosen_because
            ));
            list.push(target);
        }
    }
    Ok(list)
}

#[expect(clippy::unnecessary_wraps, reason = "one signature for every place that is looked at")]
fn ports(around: &Surroundings, trail: &mut Vec<String>) -> Result<Vec<Found>, String> {
    let mut found = Vec::new();
    let mut closed = Vec::new();
    for (port, kind) in SYSTEMS.iter().filter_map(|system| Some((system.port?, system.kind))) {
        let socket = around.socket(port).filter(|_| kind == SystemKind::Postgres);
        if socket.is_some() || around.answers(port) {
            let because = socket.map_or_else(
                || format!("port {port} of this machine answers"),
                |folder| format!("a server listens in {}", folder.display()),
            );
            found.push(Found {
                connect: on_this_machine(around, kind, port),
                because,
                locality: Locality::ByEvidence,
                name: None,
            });
        } else {
            closed.push(port.to_string());
        }
    }
    if !closed.is_empty() {
        trail.push(format!("nothing answers on this machine's ports {}", closed.join(", ")));
    }
    Ok(found)
}

/// How a system on this machine's `port` is reached with nothing else known.
fn on_this_machine(around: &Surroundings, kind: SystemKind, port: u16) -> Connect {
    let http = || HttpConnect {
        url: format!("http://127.0.0.1:{port}"),
        auth: HttpAuth::None,
        root_cert: None,
        client: None,
        headers: Vec::new(),
        others: Vec::new(),
        pin: None,
        requests: None,
    };
    match kind {
        SystemKind::Postgres => libpq::on_this_machine(around, port).map_or_else(
            |why| Connect::Unusable {
                kind,
                why: format!("what the PG* variables say cannot be used: {why}"),
            },
            Connect::Postgres,
        ),
        SystemKind::Redis => {
            Connect::Redis(RedisConnect { host: "127.0.0.1".to_owned(), port, ..RedisConnect::default() })
        }
        SystemKind::Search => Connect::Search(http()),
        SystemKind::Prometheus => {
            Connect::Prometheus(PrometheusConnect { http: http(), alertmanager: None, queries: Vec::new() })
        }
        SystemKind::Metrics => Connect::Metrics(http()),
    }
}
