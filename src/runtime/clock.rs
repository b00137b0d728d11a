//! The only clock: where the program learns what time it is.

use crate::core::time::{Clock, Now};
use chrono::Utc;
use std::time::Instant;

/// The real clock of this process.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    started: Instant,
}

impl SystemClock {
    /// A clock that starts now.
    #[must_use]
    pub fn start() -> Self {
        Self { started: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Now {
        Now { mono: self.started.elapsed(), wall: Utc::now() }
    }
}
