//! What the engine is given: targets to ask, and how it treats them.

use super::breaker::BreakerSettings;
use crate::core::ids::TargetId;
use crate::sources::Source;
use std::time::Duration;

/// How the engine treats every target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EngineSettings {
    /// The longest wait between tries of a target that fails.
    pub backoff_cap: Duration,
    /// The circuit breaker.
    pub breaker: BreakerSettings,
}

impl Default for EngineSettings {
    fn default() -> Self {
        Self { backoff_cap: Duration::from_secs(30), breaker: BreakerSettings::default() }
    }
}

/// Makes a source anew: at the start, and after one broke.
pub type SourceFactory = Box<dyn Fn() -> Box<dyn Source> + Send + Sync>;

/// One target for the engine: when to ask it, and how to make its source.
pub struct Job {
    /// Its name.
    pub target: TargetId,
    /// The configured interval.
    pub interval: Duration,
    /// After this a poll is given up.
    pub timeout: Duration,
    /// Makes its source.
    pub source: SourceFactory,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Job({})", self.target)
    }
}
