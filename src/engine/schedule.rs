//! When the next poll is due, and how the interval widens when polls are slow. Pure.
//!
//! Targets of one interval do not stay in step: each has a phase of its own by its name.

use crate::core::rate::LEAST_WINDOW;
use std::time::Duration;

/// A poll that takes more than this share of its interval doubles the interval: our own load must stay small.
const SLOW_SHARE: f64 = 0.2;
/// The interval is halved again when polls take less than this share of the halved one, so that it does not swing.
const QUICK_SHARE: f64 = 0.1;
/// The second poll comes earlier by up to this share of the interval.
const SHIFT: f64 = 0.25;
/// Never wider than so many configured intervals: our own throttling must not make the screen old…
const WIDEST: u32 = 4;
/// … nor than this, unless more is configured.
const WIDEST_SPAN: Duration = Duration::from_secs(60);

/// The interval of one target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Schedule {
    configured: Duration,
    current: Duration,
    /// The operator wants it asked so many times less often.
    times: u32,
    /// 0–1, until the second poll has been planned by it.
    phase: Option<f64>,
}

impl Schedule {
    /// A schedule at its configured interval, with a phase (0–1).
    #[must_use]
    pub const fn new(configured: Duration, phase: f64) -> Self {
        Self { configured, current: configured, times: 1, phase: Some(phase) }
    }

    /// Takes in how long a poll took, and widens or narrows the interval.
    pub fn took(&mut self, took: Duration) {
        let share = took.as_secs_f64() / self.current.as_secs_f64().max(0.001);
        if share > SLOW_SHARE {
            let widest = self.configured.saturating_mul(WIDEST).min(WIDEST_SPAN.max(self.configured));
            self.current = self.current.saturating_mul(2).min(widest);
        } else if self.widened() && share < QUICK_SHARE / 2.0 {
            self.current = (self.current / 2).max(self.configured);
        }
    }

    /// So many times less often, beside what slow polls do to it.
    pub const fn pace(&mut self, times: u32) {
        self.times = times;
    }

    /// A pause that who asked for less load gets in full: no shorter than so many configured intervals.
    #[must_use]
    pub fn slowed(&self, pause: Duration) -> Duration {
        if self.times > 1 { pause.max(self.configured.saturating_mul(self.times)) } else { pause }
    }

    /// The interval in force.
    #[must_use]
    pub const fn interval(&self) -> Duration {
        self.current.saturating_mul(self.times)
    }

    /// Whether it is wider than configured.
    #[must_use]
    pub fn widened(&self) -> bool {
        self.current > self.configured
    }

    /// How long to wait after a poll that took `took`: an interval is from start to start, polls never overlap, and a server that
    /// needs longer than half of it rests as long as it worked. The wait after the first poll is shorter by the phase, yet long enough
    /// for rates.
    #[must_use]
    pub fn wait_after(&mut self, took: Duration) -> Duration {
        let interval = self.interval();
        let wait = interval.saturating_sub(took).max(took.min(interval));
        match self.phase.take() {
            Some(phase) => {
                wait.mul_f64(phase.clamp(0.0, 1.0).mul_add(-SHIFT, 1.0)).max(wait.min(LEAST_WINDOW))
            }
            None => wait,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_polls_widen_and_quick_ones_narrow_again() {
        let mut schedule = Schedule::new(Duration::from_secs(2), 0.0);
        schedule.took(Duration::from_millis(399));
        assert!(!schedule.widened());
        schedule.took(Duration::from_millis(401));
        assert_eq!(schedule.interval(), Duration::from_secs(4));
        schedule.took(Duration::from_secs(2));
        assert_eq!(schedule.interval(), Duration::from_secs(8));
        schedule.took(Duration::from_millis(500));
        assert_eq!(schedule.interval(), Duration::from_secs(8));
        for _ in 0..5 {
            schedule.took(Duration::from_millis(10));
        }
        assert_eq!(schedule.interval(), Duration::from_secs(2));
        for _ in 0..20 {
            schedule.took(Duration::from_secs(100));
        }
        assert_eq!(schedule.interval(), Duration::from_secs(8), "four times what is configured");
        let mut seldom = Schedule::new(Duration::from_secs(90), 0.0);
        seldom.took(Duration::from_secs(80));
        assert_eq!(seldom.interval(), Duration::from_secs(90));
        Schedule::new(Duration::MAX, 1.0).took(Duration::MAX);
    }

    #[test]
    fn an_interval_is_from_start_to_start() {
        let mut schedule = Schedule::new(Duration::from_secs(2), 0.0);
        assert_eq!(schedule.wait_after(Duration::from_millis(300)), Duration::from_millis(1700));
        assert_eq!(schedule.wait_after(Duration::from_millis(1500)), Duration::from_millis(1500));
        assert_eq!(schedule.wait_after(Duration::from_secs(9)), Duration::from_secs(2));
    }

    #[test]
    fn who_is_asked_less_often_waits_longer_and_is_not_called_slow() {
        let mut schedule = Schedule::new(Duration::from_secs(2), 0.0);
        schedule.pace(4);
        assert_eq!(schedule.wait_after(Duration::ZERO), Duration::from_secs(8));
        assert!(!schedule.widened());
        schedule.pace(1);
        assert_eq!(schedule.interval(), Duration::from_secs(2));
    }

    #[track_caller]
    fn waits(seconds: u64, phase: f64, first: f64) {
        let mut schedule = Schedule::new(Duration::from_secs(seconds), phase);
        let waits = [(); 3].map(|()| schedule.wait_after(Duration::ZERO));
        assert_eq!(waits, [first, seconds as f64, seconds as f64].map(Duration::from_secs_f64));
    }

    #[test]
    fn the_second_poll_is_shifted_by_the_phase_and_the_others_follow_it() {
        waits(20, 0.0, 20.0);
        waits(20, 0.5, 17.5);
        waits(20, 1.0, 15.0);
        waits(2, 1.0, 1.5);
        waits(1, 1.0, 1.0);
    }
}
