//! The number of a finding while it lasts: the least, the mean by time, and the most of it. Pure.

use crate::core::alert::RuleUnit;
use crate::core::time::Now;

/// What is known of it so far.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Numbers {
    least: f64,
    most: f64,
    /// Each value by the seconds for which it stood.
    sum: f64,
    seconds: f64,
    last: (Now, f64),
}

impl Numbers {
    /// It begins with `value`.
    pub(super) const fn new(value: f64, now: Now) -> Self {
        Self { least: value, most: value, sum: 0.0, seconds: 0.0, last: (now, value) }
    }

    /// It is `value` now: until now it was what was seen last.
    pub(super) fn take(&mut self, value: f64, now: Now) {
        let (at, before) = self.last;
        let stood = now.since(at).as_secs_f64();
        self.sum += before * stood;
        self.seconds += stood;
        self.least = self.least.min(value);
        self.most = self.most.max(value);
        self.last = (now, value);
    }

    /// Nobody knows what it is: until now it is not counted.
    pub(super) const fn rest(&mut self, now: Now) {
        self.last.0 = now;
    }

    /// `min 5 %, mean 7.1 %, max 8.3 %`; nothing where the rule has no number.
    pub(super) fn words(&self, unit: RuleUnit) -> Option<String> {
        let mean = if self.seconds > 0.0 { self.sum / self.seconds } else { self.last.1 };
        let told = |value: f64| unit.told(value);
        (unit != RuleUnit::State)
            .then(|| format!("min {}, mean {}, max {}", told(self.least), told(mean), told(self.most)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(values: &[(u64, f64)], unit: RuleUnit, expected: Option<&str>) {
        let mut numbers = Numbers::new(values[0].1, Now::example(values[0].0));
        for (second, value) in &values[1..] {
            numbers.take(*value, Now::example(*second));
        }
        assert_eq!(numbers.words(unit).as_deref(), expected);
    }

    #[test]
    fn the_mean_is_by_time_and_not_by_looks() {
        check(&[(0, 10.0)], RuleUnit::Count, Some("min 10, mean 10, max 10"));
        check(&[(0, 10.0), (9, 20.0), (10, 20.0)], RuleUnit::Count, Some("min 10, mean 11, max 20"));
        check(&[(0, 0.25), (10, 0.75), (20, 0.5)], RuleUnit::Ratio, Some("min 25 %, mean 50 %, max 75 %"));
        check(&[(0, 1.0), (5, 1.0)], RuleUnit::State, None);
    }

    #[test]
    fn what_nobody_knew_is_not_counted() {
        let mut numbers = Numbers::new(95.0, Now::example(0));
        numbers.take(95.0, Now::example(10));
        numbers.rest(Now::example(7000));
        numbers.take(60.0, Now::example(7000));
        numbers.take(60.0, Now::example(7010));
        assert_eq!(numbers.words(RuleUnit::Count).as_deref(), Some("min 60, mean 78, max 95"));
    }
}
