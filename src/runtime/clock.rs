//! The only clock: where the program learns what time it is.

use crate::core::time::{Clock, HEAD_START, Now};
use chrono::{FixedOffset, Local, Utc};
use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// A clock that only goes forward and counts the sleep of the machine: Linux' monotonic clock stands still in it.
#[cfg(any(target_os = "linux", target_os = "android"))]
const AWAKE_AND_ASLEEP: ClockId = ClockId::Boottime;
/// A clock that only goes forward; elsewhere it counts the sleep of the machine, too.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const AWAKE_AND_ASLEEP: ClockId = ClockId::Monotonic;

/// The real clock of this process.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    started: Duration,
}

impl SystemClock {
    /// A clock that starts now.
    #[must_use]
    pub fn start() -> Self {
        Self { started: forward() }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Now {
        Now { mono: HEAD_START + forward().saturating_sub(self.started), wall: Utc::now() }
    }
}

/// How far local time is from UTC now: it changes twice a year in many places.
#[must_use]
pub fn zone() -> FixedOffset {
    *Local::now().offset()
}

fn forward() -> Duration {
    let at = clock_gettime(AWAKE_AND_ASLEEP);
    Duration::new(u64::try_from(at.tv_sec).unwrap_or_default(), u32::try_from(at.tv_nsec).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_forward() {
        let clock = SystemClock::start();
        let before = clock.now();
        std::thread::sleep(Duration::from_millis(5));
        let passed = clock.now().since(before);
        assert!(passed >= Duration::from_millis(5) && passed < Duration::from_secs(5), "{passed:?}");
    }
}
