//! How many lines came within a minute, and how many of them are errors: by when they came, for not every line says when it was written.
//! Pure.

use super::entries::Entry;
use crate::core::lines::{Tone, level_in};
use crate::core::part::{Gap, GapKind, Part, Warm};
use crate::core::time::Now;
use std::collections::VecDeque;
use std::time::Duration;

/// What is counted came within this span.
const SPAN: Duration = Duration::from_secs(60);
/// It is told anew so often.
const EACH: Duration = Duration::from_secs(15);

/// Lines, and errors among them.
type Counts = (Part<Warm<u64>>, Part<Warm<u64>>);

/// What came.
#[derive(Debug, Default)]
pub(super) struct Minute {
    /// Since when it is counted without a break.
    since: Option<Now>,
    came: VecDeque<(Now, u64, u64)>,
    /// Any line said which level it has.
    levels: bool,
    /// When more came than was read.
    flood: Option<Now>,
    told: Option<(Now, Counts)>,
}

impl Minute {
    /// Takes in what came since the look before; of the first look there is none.
    pub(super) fn take(&mut self, now: Now, entries: &[Entry], left_out: bool) {
        self.since = self.since.or(Some(now));
        let own = || entries.iter().filter(|entry| !entry.goes_on);
        let levels: Vec<&str> = own().filter_map(|entry| level_in(&entry.text)).collect();
        self.levels |= !levels.is_empty();
        let errors = levels.iter().filter(|word| Tone::of(word) == Tone::Error).count();
        self.came.push_back((now, own().count() as u64, errors as u64));
        if left_out {
            self.flood = Some(now);
        }
        while self.came.front().is_some_and(|(at, ..)| now.since(*at) >= SPAN) {
            self.came.pop_front();
        }
    }

    /// Nothing could be read: what came meanwhile came at a time that nobody knows.
    pub(super) fn interrupt(&mut self) {
        *self = Self { levels: self.levels, ..Self::default() };
    }

    /// Lines and errors within the newest minute.
    pub(super) fn parts(&mut self, now: Now) -> Counts {
        if self.since.is_none_or(|since| now.since(since) < SPAN) {
            return (Part::NotAsked, Part::NotAsked);
        }
        if let Some((_, counts)) = self.told.as_ref().filter(|(at, _)| now.since(*at) < EACH) {
            return counts.clone();
        }
        let counts = self.counted(now);
        self.told = Some((now, counts.clone()));
        counts
    }

    fn counted(&self, now: Now) -> Counts {
        if self.flood.is_some_and(|at| now.since(at) < SPAN) {
            let note = "lines came faster than they are read: they were not counted";
            let gap = Gap::new(GapKind::Failed, note);
            return (Part::Unavailable(gap.clone()), Part::Unavailable(gap));
        }
        let sum = |of: fn(&(Now, u64, u64)) -> u64| self.came.iter().map(of).sum::<u64>();
        let (lines, errors) = (sum(|came| came.1), sum(|came| came.2));
        let ready = |count| Part::Ready(Warm::new(now, count));
        if lines > 0 && !self.levels {
            let note = "no line says what level it has (ERROR, level=error, \"level\":50 and the like)";
            return (ready(lines), Part::Unavailable(Gap::new(GapKind::NotSupported, note)));
        }
        (ready(lines), ready(errors))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(text: &str, count: usize) -> Vec<Entry> {
        vec![Entry { id: 0, stamp: None, text: text.to_owned(), goes_on: false }; count]
    }

    /// What is told after so many seconds in which each second one line came, and an error each ten.
    fn told(seconds: u64, text: &str, flood: Option<u64>) -> (Option<u64>, Option<u64>, String) {
        let mut minute = Minute::default();
        let mut parts = (Part::NotAsked, Part::NotAsked);
        for second in 0..=seconds {
            let mut all = entries(text, 1);
            if second % 10 == 5 {
                all.extend(entries("ERROR x", usize::from(text != "plain")));
            }
            minute.take(Now::example(second), &all, flood == Some(second));
            parts = minute.parts(Now::example(second));
        }
        let note = parts.1.gap().map(|gap| gap.note.clone()).unwrap_or_default();
        (parts.0.ready().map(|count| **count), parts.1.ready().map(|count| **count), note)
    }

    #[test]
    fn a_minute_is_known_once_it_is_over() {
        assert_eq!(told(59, "INFO x", None), (None, None, String::new()));
        assert_eq!(told(60, "INFO x", None), (Some(66), Some(6), String::new()));
        assert_eq!(told(600, "INFO x", None), (Some(66), Some(6), String::new()));
    }

    #[test]
    fn what_is_not_known_is_not_none() {
        let (lines, errors, note) = told(60, "plain", None);
        assert_eq!((lines, errors), (Some(60), None));
        assert!(note.contains("no line says what level"), "{note}");
        let (lines, errors, note) = told(100, "INFO x", Some(80));
        assert_eq!((lines, errors), (None, None));
        assert!(note.contains("faster than they are read"), "{note}");
        assert_eq!(told(150, "INFO x", Some(80)).0, Some(66));
        let mut minute = Minute::default();
        minute.take(Now::example(0), &[], false);
        minute.interrupt();
        minute.take(Now::example(50), &[], false);
        assert_eq!(minute.parts(Now::example(70)).0, Part::NotAsked, "it was not read for a while");
    }
}
