//! The circuit breaker of a target: too many failures in a row and it is left alone for a while. Pure.

use crate::core::report::BreakerState;
use crate::core::time::Now;
use std::time::Duration;

/// When the breaker opens, how long, and when it closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerSettings {
    /// Failures in a row that open it.
    pub failures: u32,
    /// How long it stays open before single polls are let through.
    pub wait: Duration,
    /// Successes in a row that close it again.
    pub successes: u32,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self { failures: 5, wait: Duration::from_secs(30), successes: 2 }
    }
}

/// One target's breaker.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Breaker {
    settings: BreakerSettings,
    state: BreakerState,
    failures: u32,
    successes: u32,
    retry_at: Option<Now>,
}

impl Breaker {
    /// A closed breaker.
    #[must_use]
    pub const fn new(settings: BreakerSettings) -> Self {
        Self { settings, state: BreakerState::Closed, failures: 0, successes: 0, retry_at: None }
    }

    /// Before a poll: an open breaker whose wait is over (or that somebody forces) becomes half-open. False: do not poll.
    pub fn admit(&mut self, now: Now, forced: bool) -> bool {
        if self.state == BreakerState::Open {
            if !forced && self.retry_at.is_some_and(|at| !now.reached(at)) {
                return false;
            }
            self.state = BreakerState::HalfOpen;
            self.successes = 0;
        }
        true
    }

    /// After a poll that brought data.
    pub fn succeeded(&mut self) {
        self.failures = 0;
        if self.state == BreakerState::HalfOpen {
            self.successes += 1;
            if self.successes >= self.settings.successes {
                self.state = BreakerState::Closed;
                self.retry_at = None;
            }
        }
    }

    /// After a poll that failed.
    pub fn failed(&mut self, now: Now) {
        self.failures = self.failures.saturating_add(1);
        if self.state == BreakerState::HalfOpen || self.failures >= self.settings.failures {
            self.state = BreakerState::Open;
            self.retry_at = Some(now.plus(self.settings.wait));
        }
    }

    /// After a poll that failed and says nothing about later ones: it is counted and opens nothing.
    pub const fn missed(&mut self) {
        self.failures = self.failures.saturating_add(1);
    }

    /// What it lets through.
    #[must_use]
    pub const fn state(&self) -> BreakerState {
        self.state
    }

    /// Failures in a row.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// When an open breaker lets the next poll through.
    #[must_use]
    pub fn retry_at(&self) -> Option<Now> {
        self.retry_at.filter(|_| self.state == BreakerState::Open)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_after_five_waits_thirty_seconds_and_closes_after_two() {
        let mut breaker = Breaker::new(BreakerSettings::default());
        for second in 0..4 {
            assert!(breaker.admit(Now::example(second), false));
            breaker.failed(Now::example(second));
        }
        assert_eq!(breaker.state(), BreakerState::Closed);
        breaker.failed(Now::example(4));
        assert_eq!(breaker.state(), BreakerState::Open);
        assert!(!breaker.admit(Now::example(33), false));
        assert!(breaker.admit(Now::example(34), false));
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
        breaker.succeeded();
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
        breaker.succeeded();
        assert_eq!(breaker.state(), BreakerState::Closed);
    }

    #[test]
    fn what_mends_itself_opens_nothing() {
        let mut breaker = Breaker::new(BreakerSettings::default());
        for _ in 0..50 {
            breaker.missed();
        }
        assert_eq!((breaker.state(), breaker.failures()), (BreakerState::Closed, 50));
        breaker.succeeded();
        assert_eq!(breaker.failures(), 0);
    }

    #[test]
    fn one_failure_while_half_open_opens_it_again() {
        let mut breaker = Breaker::new(BreakerSettings::default());
        for _ in 0..5 {
            breaker.failed(Now::example(0));
        }
        assert!(breaker.admit(Now::example(1), true), "a person may try at once");
        breaker.succeeded();
        breaker.failed(Now::example(2));
        assert_eq!(breaker.state(), BreakerState::Open);
        assert_eq!(breaker.retry_at(), Some(Now::example(32)));
    }
}
