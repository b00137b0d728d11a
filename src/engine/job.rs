//! What the engine is given: targets to ask, and how it treats them.

use super::backoff;
use super::breaker::BreakerSettings;
use crate::core::ids::TargetId;
use crate::sources::Source;
use std::hash::{DefaultHasher, Hash, Hasher};
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

impl Job {
    /// Where in its interval it is asked, 0–1: by its name, so that it is the same in each run and another one than its neighbours'.
    #[must_use]
    pub fn phase(&self) -> f64 {
        let mut hasher = DefaultHasher::new();
        self.target.hash(&mut hasher);
        backoff::scatter(hasher.finish())
    }
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Job({})", self.target)
    }
}
