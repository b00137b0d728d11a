//! From settings to what a run begins with, with a screen or without one: the world before anything was asked, and who will ask.

use crate::config::resolve::{Patience, Settings};
use crate::config::target::TargetConfig;
use crate::core::time::Now;
use crate::core::world::{TargetState, World};
use crate::engine::breaker::BreakerSettings;
use crate::engine::{EngineSettings, Job};
use crate::systems;

/// The world before anything was asked.
pub(super) fn world(settings: &Settings, now: Now) -> World {
    let state = |target: &TargetConfig| {
        TargetState::new(target.id.clone(), target.settings(), target.address(), target.interval, now)
    };
    let mut world = World::new(settings.targets.iter().map(state).collect(), settings.rules.clone());
    world.topology = settings.topology.clone();
    world.environment.clone_from(&settings.environment);
    world
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
