//! What follows from several looks at one log: lines and errors over time.

use super::{LogReading, LogSettings};
use crate::core::lines::{Count, Tally};
use crate::core::part::Part;
use crate::core::time::Now;
use std::sync::Arc;

/// The latest reading of a log and everything derived from it and its predecessors.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LogState {
    /// What the configuration says.
    pub settings: LogSettings,
    /// The newest reading and when it was made.
    pub latest: Option<(Now, Arc<LogReading>)>,
    /// Lines and errors a minute, over time.
    pub tally: Tally,
}

impl LogState {
    /// The state of a log that was not read yet.
    #[must_use]
    pub fn new(settings: LogSettings) -> Self {
        Self { settings, ..Self::default() }
    }

    /// The newest reading.
    #[must_use]
    pub fn reading(&self) -> Option<&LogReading> {
        self.latest.as_ref().map(|(_, reading)| &**reading)
    }

    /// Lines a minute, if that is known.
    #[must_use]
    pub fn lines_now(&self) -> Option<f64> {
        self.reading()?.lines.ready().map(|lines| **lines as f64)
    }

    /// Errors a minute, if that is known.
    #[must_use]
    pub fn errors_now(&self) -> Option<f64> {
        self.reading()?.errors.ready().map(|errors| **errors as f64)
    }

    /// How many errors there are within the newest minute and how many are usual, where that is far more.
    #[must_use]
    pub fn far_above(&self) -> Option<(f64, f64)> {
        // What was counted once is not what is now.
        self.errors_now()?;
        self.tally.far_above().map(|(_, errors, usual)| (errors, usual)).next()
    }

    /// Takes in a new reading.
    pub fn absorb(&mut self, reading: LogReading, now: Now) {
        self.tally.begin(now);
        if let Part::Ready(lines) = &reading.lines {
            self.tally.count(lines.read_at, **lines as f64);
        }
        if let Part::Ready(errors) = &reading.errors {
            let all = Count { name: String::new(), lines: **errors as f64 };
            self.tally.judge(errors.read_at, &[all]);
        }
        self.latest = Some((now, Arc::new(reading)));
    }

    /// Nobody was running for a while: what is usual is learned anew.
    pub fn interrupt(&mut self) {
        self.tally.interrupt();
    }

    /// Notes that a poll failed: every history gets an explicit gap; the latest reading stays (its age is shown).
    pub fn gap(&mut self, now: Now) {
        self.tally.gap(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::part::Warm;

    fn reading(second: u64, errors: u64) -> LogReading {
        let part = |count| Part::Ready(Warm::new(Now::example(second), count));
        LogReading { lines: part(100), errors: part(errors), ..LogReading::default() }
    }

    /// What is far above after so many quarters of a minute of one error each, and then `then`.
    fn far(quarters: u64, then: u64) -> Option<(f64, f64)> {
        let mut state = LogState::default();
        for quarter in 0..quarters {
            state.absorb(reading(quarter * 15, 1), Now::example(quarter * 15));
        }
        state.absorb(reading(quarters * 15, then), Now::example(quarters * 15));
        state.far_above()
    }

    #[test]
    fn errors_are_far_above_what_is_usual_once_that_is_known() {
        assert_eq!(far(60, 30), Some((30.0, 1.0)));
        assert_eq!(far(60, 4), None);
        assert_eq!(far(20, 30), None, "nobody knows yet what is usual");
        let mut state = LogState::default();
        for quarter in 0..60 {
            state.absorb(reading(quarter * 15, 1), Now::example(quarter * 15));
        }
        state.absorb(reading(900, 30), Now::example(900));
        state.absorb(LogReading::default(), Now::example(902));
        assert_eq!((state.far_above(), state.errors_now()), (None, None), "what is not counted is not known");
    }
}
