//! What follows from several readings of one Loki target: lines and errors over time, what is usual, and how long nothing came.

use super::{LokiReading, LokiSettings};
use crate::core::history::{HISTORY_SPAN, Series};
use crate::core::lines::Tally;
use crate::core::part::Part;
use crate::core::time::Now;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// What is counted is what came within this span before it was asked.
const SPAN: Duration = Duration::from_secs(60);
/// Series of panels that are followed; beyond them a new one is not.
const MOST_SERIES: usize = 300;
/// Spans without a line are remembered for so long.
const REMEMBERED: Duration = Duration::from_secs(6 * 3600);
/// And so many of them.
const MOST_SPELLS: usize = 500;

/// The latest reading of a target and everything derived from it and its predecessors.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LokiState {
    /// What the configuration says.
    pub settings: LokiSettings,
    /// The newest reading and when it was made.
    pub latest: Option<(Now, Arc<LokiReading>)>,
    /// Lines and errors a minute, over time.
    pub tally: Tally,
    /// The past of every series of every configured panel, by (title, labels).
    pub panels: BTreeMap<(String, String), Series>,
    /// Since when nothing came, though something had come before.
    quiet: Option<Now>,
    /// Something came while it was watched.
    heard: bool,
    /// Spans without a line that are over: when they ended, how long they were.
    spells: VecDeque<(Now, Duration)>,
}

impl LokiState {
    /// The state of a target that was not asked yet.
    #[must_use]
    pub fn new(settings: LokiSettings) -> Self {
        Self { settings, ..Self::default() }
    }

    /// The newest reading.
    #[must_use]
    pub fn reading(&self) -> Option<&LokiReading> {
        self.latest.as_ref().map(|(_, reading)| &**reading)
    }

    /// Lines a minute, if that is known.
    #[must_use]
    pub fn lines_now(&self) -> Option<f64> {
        self.reading()?.received.ready().map(|received| received.lines())
    }

    /// Errors a minute, if that is known.
    #[must_use]
    pub fn errors_now(&self) -> Option<f64> {
        self.reading()?.errors.ready().map(|errors| errors.iter().map(|count| count.lines).sum())
    }

    /// Streams with far more errors within the newest minute than is usual: their name, how many, and how many are usual.
    pub fn far_above(&self) -> impl Iterator<Item = (&str, f64, f64)> {
        // What was counted once is not what is now.
        self.errors_now().map(|_| self.tally.far_above()).into_iter().flatten()
    }

    /// For how long nothing came, though something did before and never was away for nearly so long.
    #[must_use]
    pub fn silent(&self, now: Now) -> Option<Duration> {
        let quiet = now.since(self.quiet.filter(|_| self.heard)?);
        let longest = self.spells.iter().map(|(_, span)| *span).max().unwrap_or_default();
        (quiet >= longest * 3).then_some(quiet)
    }

    /// Takes in a new reading.
    pub fn absorb(&mut self, reading: LokiReading, now: Now) {
        self.tally.begin(now);
        self.count(&reading);
        if let Part::Ready(errors) = &reading.errors {
            self.tally.judge(errors.read_at, errors);
        }
        self.follow(&reading, now);
        self.latest = Some((now, Arc::new(reading)));
    }

    /// Lines, and how long there are none. Only a new count tells something new.
    fn count(&mut self, reading: &LokiReading) {
        let Part::Ready(received) = &reading.received else {
            // Nobody counted: that is no silence.
            self.quiet = None;
            return;
        };
        let at = received.read_at;
        let lines = received.lines();
        if !self.tally.count(at, lines) {
            return;
        }
        if lines > 0.0 {
            if let Some(since) = self.quiet.take() {
                self.spells.push_back((at, at.since(since)));
            }
            self.heard = true;
        } else {
            self.quiet = self.quiet.or_else(|| Some(at.minus(SPAN)));
        }
        while self.spells.len() > MOST_SPELLS
            || self.spells.front().is_some_and(|(ended, _)| at.since(*ended) > REMEMBERED)
        {
            self.spells.pop_front();
        }
    }

    fn follow(&mut self, reading: &LokiReading, now: Now) {
        for panel in &reading.panels {
            for (labels, value) in panel.series.ready().into_iter().flatten() {
                let key = (panel.title.clone(), labels.clone());
                if self.panels.len() < MOST_SERIES || self.panels.contains_key(&key) {
                    self.panels.entry(key).or_default().push(now, Some(*value));
                }
            }
        }
        self.panels.retain(|_, series| series.within(HISTORY_SPAN).next().is_some());
    }

    /// Nobody was running for a while: nothing is known of that time, and what is usual is learned anew.
    pub fn interrupt(&mut self) {
        self.tally.interrupt();
        self.panels.values_mut().for_each(Series::interrupt);
        (self.quiet, self.heard) = (None, false);
        self.spells.clear();
    }

    /// Notes that a poll failed: every history gets an explicit gap; the latest reading stays (its age is shown).
    pub fn gap(&mut self, now: Now) {
        self.tally.gap(now);
        for series in self.panels.values_mut() {
            series.push(now, None);
        }
        // While it was not read something may have come.
        self.quiet = None;
    }
}

#[cfg(test)]
mod tests {
    use super::super::Received;
    use super::*;
    use crate::core::lines::Count;
    use crate::core::part::Warm;

    /// A minute's counts as they were read in that second.
    pub(super) fn reading(second: u64, lines: f64, errors: &[(&str, f64)]) -> LokiReading {
        let at = Now::example(second);
        let one = |(name, lines): &(&str, f64)| Count { name: (*name).to_owned(), lines: *lines };
        let streams = vec![Count { name: "all".to_owned(), lines }];
        LokiReading {
            received: Part::Ready(Warm::new(at, Received { streams, ..Received::default() })),
            errors: Part::Ready(Warm::new(at, errors.iter().map(one).collect())),
            ..LokiReading::default()
        }
    }

    /// What is far above after so many quarters of a minute of `usual` errors, and then `then`.
    fn far(quarters: u64, usual: f64, then: &[f64]) -> Vec<(String, f64)> {
        let mut state = LokiState::default();
        let mut second = 0;
        let mut step = |state: &mut LokiState, errors: f64| {
            second += 15;
            let named = [("api", errors)];
            let list = if errors > 0.0 { &named[..] } else { &[] };
            state.absorb(reading(second, 100.0, list), Now::example(second));
        };
        for _ in 0..quarters {
            step(&mut state, usual);
        }
        for errors in then {
            step(&mut state, *errors);
        }
        state.far_above().map(|(name, errors, _)| (name.to_owned(), errors)).collect()
    }

    #[test]
    fn errors_are_far_above_what_is_usual_once_that_is_known() {
        let api = |errors: f64| vec![("api".to_owned(), errors)];
        assert_eq!(far(60, 4.0, &[30.0]), api(30.0));
        assert_eq!(far(60, 4.0, &[12.0]), []);
        assert_eq!(far(60, 0.0, &[10.0]), api(10.0), "a stream that never had one");
        assert_eq!(far(60, 0.0, &[4.0]), [], "few are few");
        assert_eq!(far(20, 0.0, &[100.0]), [], "nobody knows yet what is usual");
    }

    #[test]
    fn what_lasts_does_not_become_usual_and_what_is_over_is_over() {
        let hours = vec![50.0; 4 * 60 * 3];
        assert_eq!(far(60, 1.0, &hours), [("api".to_owned(), 50.0)]);
        assert_eq!(far(60, 1.0, &[50.0, 50.0, 1.0]), []);
    }

    /// How long it is silent, in seconds, after lines by quarter of a minute.
    fn silent(lines: &[(usize, f64)]) -> Option<u64> {
        let mut state = LokiState::default();
        let mut second = 0;
        for (times, lines) in lines {
            for _ in 0..*times {
                second += 15;
                state.absorb(reading(second, *lines, &[]), Now::example(second));
            }
        }
        state.silent(Now::example(second)).map(|span| span.as_secs())
    }

    #[test]
    fn silence_is_told_where_something_came_before_and_it_is_unusual() {
        assert_eq!(silent(&[(40, 9.0), (20, 0.0)]), Some(60 + 19 * 15));
        assert_eq!(silent(&[(40, 0.0)]), None, "nothing ever came");
        assert_eq!(silent(&[(40, 9.0), (20, 0.0), (1, 1.0)]), None);
        // Who writes a line each ten minutes is silent after half an hour.
        let seldom = [(4, 1.0), (36, 0.0), (4, 1.0)];
        assert_eq!(silent(&[&seldom[..], &[(40, 0.0)]].concat()), None);
        assert_eq!(silent(&[&seldom[..], &[(160, 0.0)]].concat()), Some(60 + 159 * 15));
    }

    #[test]
    fn the_same_count_read_twice_is_one_and_what_was_not_read_is_no_silence() {
        let mut state = LokiState::default();
        state.absorb(reading(15, 9.0, &[]), Now::example(15));
        for second in 16..400 {
            state.absorb(reading(15, 9.0, &[]), Now::example(second));
        }
        assert_eq!(state.tally.lines.within(HISTORY_SPAN).count(), 1);
        state.absorb(reading(400, 0.0, &[]), Now::example(400));
        state.gap(Now::example(500));
        state.absorb(reading(800, 0.0, &[]), Now::example(800));
        assert_eq!(state.silent(Now::example(800)).map(|span| span.as_secs()), Some(60));
        assert_eq!(state.lines_now(), Some(0.0));
        let unread = LokiReading::default();
        state.absorb(unread, Now::example(820));
        assert_eq!((state.lines_now(), state.errors_now()), (None, None));
    }
}
