//! The recent past of a number: samples with their time, and explicit gaps. A missing sample is never drawn as zero, and time that
//! nobody saw is as wide as any other.

use super::time::Now;
use std::collections::VecDeque;
use std::time::Duration;

/// How far back a series reaches: the widest sparkline (60 columns) of a target that is asked once a minute.
pub const HISTORY_SPAN: Duration = Duration::from_secs(60 * 60);
/// How many samples it keeps: five minutes at one a second, longer than the widest sparkline and the longest window of a rule at that
/// interval. Thousands of queues have four series each.
pub const HISTORY_SAMPLES: usize = 300;

/// One sample: when, in milliseconds of the clock that only goes forward, and what. `None` is a gap (no data), which is not zero.
type Sample = (u64, Option<f64>);

/// The recent past of one number, oldest first. A sample stands for the time since the one before it: that is what rates are about.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    samples: VecDeque<Sample>,
}

impl Series {
    /// Adds the sample of `now`; `None`, or a number that is not finite, is a gap.
    pub fn push(&mut self, now: Now, sample: Option<f64>) {
        let at = millis(now.mono);
        let oldest = at.saturating_sub(millis(HISTORY_SPAN));
        while self.samples.len() >= HISTORY_SAMPLES
            || self.samples.front().is_some_and(|(known, _)| *known < oldest)
        {
            self.samples.pop_front();
        }
        self.samples.push_back((at, sample.filter(|value| value.is_finite())));
    }

    /// Nothing is known of the time since the newest sample: nobody was running.
    pub fn interrupt(&mut self) {
        if let Some((at, Some(_))) = self.samples.back().copied() {
            self.samples.push_back((at, None));
        }
    }

    /// Puts what `before` knows of the time before the first sample in front of it, as far as there is room.
    pub fn precede(&mut self, before: &Self) {
        let first = self.samples.front().map_or(u64::MAX, |(at, _)| *at);
        let room = HISTORY_SAMPLES.saturating_sub(self.samples.len());
        for sample in before.samples.iter().rev().filter(|(at, _)| *at < first).take(room) {
            self.samples.push_front(*sample);
        }
    }

    /// Forgets samples from before `moment`.
    pub fn forget_before(&mut self, moment: Now) {
        let oldest = millis(moment.mono);
        while self.samples.front().is_some_and(|(at, _)| *at < oldest) {
            self.samples.pop_front();
        }
    }

    /// A series with the times and gaps of this one, and `value` everywhere else.
    #[must_use]
    pub fn like(&self, value: f64) -> Self {
        Self { samples: self.samples.iter().map(|(at, known)| (*at, known.map(|_| value))).collect() }
    }

    /// The time of the first sample and of the newest one, on the clock that only goes forward.
    #[must_use]
    pub fn span(&self) -> Option<(Duration, Duration)> {
        let at = |sample: &Sample| Duration::from_millis(sample.0);
        Some((self.samples.front().map(at)?, self.samples.back().map(at)?))
    }

    /// The newest sample, if there is one and it is not a gap.
    #[must_use]
    pub fn last(&self) -> Option<f64> {
        self.samples.back().and_then(|(_, value)| *value)
    }

    /// What is known of the last `span` before the newest sample, oldest first, each with the time that it stands for: none of the
    /// time before a gap, or behind one.
    fn known(&self, span: Duration) -> impl DoubleEndedIterator<Item = (f64, Duration)> {
        let newest = self.samples.back().map_or(0, |(at, _)| *at);
        let start = newest.saturating_sub(millis(span));
        let first = self.samples.partition_point(|(at, _)| *at < start);
        self.samples.range(first..).enumerate().filter_map(move |(offset, (at, value))| {
            let before = (first + offset).checked_sub(1).and_then(|index| self.samples.get(index));
            let since = before.filter(|(_, value)| value.is_some()).map_or(*at, |(at, _)| *at);
            value.map(|value| (value, Duration::from_millis(at.saturating_sub(since.max(start)))))
        })
    }

    /// The values of the last `span` before the newest sample, oldest first, without gaps.
    pub fn within(&self, span: Duration) -> impl Iterator<Item = f64> {
        self.known(span).map(|(value, _)| value)
    }

    /// The mean over the last `span` before the newest sample, by the time for which each value stood.
    #[must_use]
    pub fn mean(&self, span: Duration) -> Option<f64> {
        let (mut sum, mut time, mut alone, mut count) = (0.0, 0.0, 0.0, 0.0);
        for (value, stood) in self.known(span) {
            sum += value * stood.as_secs_f64();
            time += stood.as_secs_f64();
            alone += value;
            count += 1.0;
        }
        match (time > 0.0, count > 0.0) {
            (true, _) => Some(sum / time),
            (false, true) => Some(alone / count),
            (false, false) => None,
        }
    }

    /// For how long the newest values have been such that `holds` is true of them. Only time that was seen counts: a gap ends
    /// nothing and proves nothing.
    #[must_use]
    pub fn lasting(&self, holds: impl Fn(f64) -> bool) -> Duration {
        self.known(HISTORY_SPAN)
            .rev()
            .take_while(|(value, _)| holds(*value))
            .fold(Duration::ZERO, |sum, (_, stood)| sum.saturating_add(stood))
    }

    /// At most `count` columns of `step` each, oldest first, the newest sample in the last of them: the mean of what was sampled in it.
    /// A column between two samples shows what the later one says of it, next to a gap it is one.
    ///
    /// The columns lie on a fixed grid, so that only the last of them changes as time goes on.
    #[must_use]
    pub fn columns(&self, count: usize, step: Duration) -> Vec<Option<f64>> {
        let step = millis(step).max(1);
        let column = |sample: &Sample| sample.0 / step;
        let (Some(first), Some(last)) = (self.samples.front().map(column), self.samples.back().map(column))
        else {
            return Vec::new();
        };
        let start = first.max((last + 1).saturating_sub(count as u64));
        let place = |column: u64| usize::try_from(column.saturating_sub(start)).unwrap_or(usize::MAX);
        let mut sums = vec![(0.0, 0_u32); if count == 0 { 0 } else { place(last) + 1 }];
        // Everything from the sample before the first column on.
        let begin = self.samples.partition_point(|(at, _)| *at < start * step).saturating_sub(1);
        let mut before: Option<Sample> = None;
        for sample in self.samples.range(begin..) {
            let (own, earlier) = (column(sample), before.as_ref().map(column));
            if let (Some(value), true) = (sample.1, own >= start) {
                if let Some(earlier) = earlier.filter(|_| before.is_some_and(|(_, value)| value.is_some())) {
                    for between in sums.iter_mut().take(place(own)).skip(place(earlier + 1)) {
                        *between = (value, 1);
                    }
                }
                if let Some(sum) = sums.get_mut(place(own)) {
                    *sum = (sum.0 + value, sum.1 + 1);
                }
            }
            before = Some(*sample);
        }
        sums.into_iter().map(|(sum, count)| (count > 0).then(|| sum / f64::from(count))).collect()
    }
}

/// A span in milliseconds; more than anybody waits is the most there is.
pub(super) const fn millis(span: Duration) -> u64 {
    let all = span.as_millis();
    if all > u64::MAX as u128 { u64::MAX } else { all as u64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: Duration = Duration::from_secs(2);

    /// A series of samples at so many seconds; a number below zero is a gap.
    fn series(samples: &[(u64, f64)]) -> Series {
        let mut series = Series::default();
        for (second, value) in samples {
            series.push(Now::example(*second), (*value >= 0.0).then_some(*value));
        }
        series
    }

    /// What is drawn, a digit a column and a blank for a gap.
    #[track_caller]
    fn draws(samples: &[(u64, f64)], count: usize, expected: &str) {
        let drawn = series(samples).columns(count, TWO);
        let text: String = drawn.iter().map(|v| v.map_or(" ".to_owned(), |v| format!("{v:.0}"))).collect();
        assert_eq!(text, expected);
    }

    #[test]
    fn a_gap_is_as_wide_as_it_was_long() {
        draws(&[(0, 1.0), (2, 2.0), (4, 3.0)], 9, "123");
        draws(&[(0, 1.0), (2, 2.0), (4, 3.0)], 2, "23");
        draws(&[(0, 1.0), (2, 2.0), (4, 3.0)], 0, "");
        // Ninety seconds of outage in which it was tried three times.
        let outage = [(0, 1.0), (2, 2.0), (10, -1.0), (40, -1.0), (70, -1.0), (92, 3.0), (94, 4.0)];
        let gap = " ".repeat(44);
        draws(&outage, 60, &format!("12{gap}34"));
        draws(&outage, 10, &format!("{}34", " ".repeat(8)));
        // It still lasts: the newest look stands at the right end.
        draws(&outage[..5], 60, &format!("12{}", " ".repeat(34)));
    }

    #[test]
    fn a_wider_interval_is_no_gap_and_quick_polls_are_no_wider() {
        draws(&[(0, 1.0), (2, 2.0), (10, 5.0)], 9, "125555");
        draws(&[(0, 1.0), (1, 3.0), (2, 2.0), (3, 6.0)], 9, "24");
        draws(&[(0, 1.0), (1, -1.0), (2, 2.0)], 9, "12");
        draws(&[(0, 8.0), (60, 5.0)], 3, "555");
    }

    #[test]
    fn it_is_bounded_by_time_and_by_count() {
        let mut series = Series::default();
        for second in 0..2 * HISTORY_SAMPLES as u64 {
            series.push(Now::example(second), Some(1.0));
        }
        assert_eq!(series.within(HISTORY_SPAN).count(), HISTORY_SAMPLES);
        series.push(Now::example(10_000), Some(f64::NAN));
        assert_eq!((series.within(HISTORY_SPAN).count(), series.last()), (0, None));
    }

    #[test]
    fn windows_are_of_time() {
        let series = series(&[(0, 9.0), (40, 1.0), (50, 2.0), (60, -1.0), (70, 7.0), (72, 4.0)]);
        let seconds = Duration::from_secs;
        assert_eq!(series.within(seconds(30)).collect::<Vec<_>>(), [2.0, 7.0, 4.0]);
        // Of the last half minute eight seconds of the 2 and two of the 4 were seen.
        assert_eq!(series.mean(seconds(30)), Some((2.0 * 8.0 + 4.0 * 2.0) / 10.0));
        assert_eq!(series.mean(Duration::ZERO), Some(4.0));
        assert_eq!(series.lasting(|value| value > 1.0), seconds(12));
        assert_eq!(series.lasting(|value| value > 4.0), Duration::ZERO);
        assert_eq!(Series::default().mean(seconds(30)), None);
    }

    #[test]
    fn nobody_saw_the_time_in_which_nobody_was_running() {
        let mut series = series(&[(0, 1.0), (2, 1.0)]);
        series.interrupt();
        series.push(Now::example(20), Some(1.0));
        let known: String =
            series.columns(60, TWO).iter().map(|v| if v.is_some() { '1' } else { ' ' }).collect();
        assert_eq!(known, "11        1");
        assert_eq!(series.lasting(|value| value > 0.0), Duration::from_secs(2));
        assert!(series.like(0.0).within(HISTORY_SPAN).all(|value| value < 0.1));
    }

    #[test]
    fn what_was_before_stands_in_front_as_far_as_there_is_room() {
        let before = series(&[(0, 1.0), (10, 2.0), (20, 3.0), (30, 4.0)]);
        let mut after = series(&[(20, 8.0), (22, 9.0)]);
        after.precede(&before);
        assert_eq!(after.within(HISTORY_SPAN).collect::<Vec<_>>(), [1.0, 2.0, 8.0, 9.0]);
        after.forget_before(Now::example(10));
        assert_eq!(after.within(HISTORY_SPAN).collect::<Vec<_>>(), [2.0, 8.0, 9.0]);
        let mut full = Series::default();
        (100..100 + HISTORY_SAMPLES as u64).for_each(|second| full.push(Now::example(second), Some(5.0)));
        full.precede(&before);
        assert_eq!(full.within(HISTORY_SPAN).count(), HISTORY_SAMPLES);
    }
}
