//! From settings to what a run begins with, with a screen or without one: the world before anything was asked, and who will ask.

use crate::actions::gate::Entry;
use crate::config::resolve::{Patience, Settings};
use crate::config::target::{Locality, TargetConfig};
use crate::core::arming::Access;
use crate::core::ids::TargetId;
use crate::core::time::Now;
use crate::core::world::{TargetState, World};
use crate::engine::breaker::BreakerSettings;
use crate::engine::{EngineSettings, Job};
use crate::systems;
use std::path::Path;

/// The world before anything was asked.
pub(super) fn world(settings: &Settings, now: Now) -> World {
    let states = settings.targets.iter().map(|target| state(target, now)).collect();
    let mut world = World::new(states, settings.rules.clone());
    world.topology = settings.topology.clone();
    world.environment.clone_from(&settings.environment);
    world
}

/// A target before it was asked.
pub(super) fn state(target: &TargetConfig, now: Now) -> TargetState {
    let (id, settings) = (target.id.clone(), target.settings());
    TargetState::new(id, settings, target.address(), target.interval, now).of_group(target.group.clone())
}

/// Who asks a target, and how often.
pub(super) fn job(target: TargetConfig) -> Job {
    Job {
        target: target.id.clone(),
        interval: target.interval,
        timeout: target.timeout,
        source: Box::new(move || systems::open_source(&target)),
    }
}

/// What a target allows at all.
pub(super) fn access(target: &TargetConfig) -> Access {
    match target.locality {
        _ if target.read_only => Access::Never,
        _ if !systems::is_changed(target) => Access::Nothing,
        Locality::Here => Access::Free,
        Locality::Elsewhere => Access::WhenArmed,
        _ if !target.is_local() => Access::WhenArmed,
        Locality::ByEvidence => Access::WhenHere,
    }
}

/// What carries actions out on a target, where anything can be changed there.
pub(super) fn executor(target: &TargetConfig, folder: &Path) -> Option<(TargetId, Entry)> {
    let executor = systems::open_executor(target, folder)?;
    Some((target.id.clone(), Entry { address: target.address(), executor }))
}

/// How targets are treated that fail.
pub(super) const fn engine(patience: &Patience) -> EngineSettings {
    EngineSettings {
        backoff_cap: patience.backoff_cap,
        breaker: BreakerSettings {
            failures: patience.breaker_failures,
            wait: patience.breaker_open,
            successes: patience.breaker_successes,
        },
    }
}
