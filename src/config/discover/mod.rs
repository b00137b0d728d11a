//! Finds targets where nobody configured any: the environment, a compose file and a `.env` in this folder, running containers, the well-known ports of
//! this machine.
//!
//! The next place is asked only while everything found so far is on this machine: a stack elsewhere is never mixed with a local one.

mod compose;
mod containers;
mod depends;
mod dotenv;
mod engine;
mod environment;
mod found;

use super::defaults::{default_interval, free_name};
use super::nearby::Nearby;
pub use super::surroundings::Surroundings;
use super::system::SYSTEMS;
use super::target::{Connect, DEFAULT_TIMEOUT, Locality, TargetConfig};
use crate::core::ids::{SystemKind, TargetId};
pub(super) use depends::depends;
use found::Found;
use std::collections::BTreeSet;
use std::time::Duration;

/// Everything that can be found, with a line in `trail` for each place looked at.
///
/// # Errors
/// When a place holds something that cannot be understood (a bad `DATABASE_URL`).
pub(super) fn targets(around: &Surroundings, trail: &mut Vec<String>) -> Result<Vec<TargetConfig>, String> {
    let mut list: Vec<TargetConfig> = Vec::new();
    let places = [environment::find, compose::find, dotenv::find, containers::find, ports];
    for look in places {
        if !list.iter().all(TargetConfig::is_local) {
            trail.push("a target is elsewhere: nothing on this machine is added to it".to_owned());
            break;
        }
        let known: BTreeSet<SystemKind> = list.iter().map(TargetConfig::kind).collect();
        for found in look(around, trail)? {
            let mut target = TargetConfig {
                group: None,
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
                if !list.iter().any(|other| other.address() == target.address()) {
                    let (system, at) = (kind.name(), target.address());
                    let name = found.name.map(|name| format!(" ({name})")).unwrap_or_default();
                    trail.push(format!(
                        "{system} at {at}{name} is not used, because {system} was found before"
                    ));
                }
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
    for (port, system) in SYSTEMS.iter().filter_map(|system| Some((system.port?, system))) {
        let kind = system.kind;
        let socket = around.socket(port).filter(|_| kind == SystemKind::Postgres);
        if socket.is_some() || around.answers(port) {
            let because = socket.map_or_else(
                || format!("port {port} of this machine answers"),
                |folder| format!("a server listens in {}", folder.display()),
            );
            let known = Nearby { around, port, service: None };
            let connect = (system.nearby)(&known).unwrap_or_else(|why| Connect::Unusable { kind, why });
            found.push(Found { connect, because, locality: Locality::ByEvidence, name: None });
        } else {
            closed.push(port.to_string());
        }
    }
    if !closed.is_empty() {
        trail.push(format!("nothing answers on this machine's ports {}", closed.join(", ")));
    }
    Ok(found)
}
