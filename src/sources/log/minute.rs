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
/// What comes between two looks that lie further apart came at a time that nobody knows.
const APART: Duration = Duration::from_secs(30);
/// Why errors are not known though lines are read again.
const AGAIN: &str = "not counted yet since it can be read again: that takes a minute";

/// Why what came is not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missed {
    /// More came than is read.
    Flood,
    /// Lines came, and which of them are new is not known.
    Alike,
    /// It looks as before, and it would look so, too, if lines had come. Most likely none did: that is no trouble.
    Same,
}

impl Missed {
    const fn words(self) -> &'static str {
        match self {
            Self::Flood => "lines came faster than they are read: they were not counted",
            Self::Alike => {
                "its lines are alike, and new ones are not told from old ones: let it print when each was written"
            }
            Self::Same => {
                "its lines are alike and as before, so whether any came is not known: let it print when each was written"
            }
        }
    }
}

/// Lines, and errors among them.
type Counts = (Part<Warm<u64>>, Part<Warm<u64>>);

/// What came.
#[derive(Debug, Default)]
pub(super) struct Minute {
    /// Since when it is counted without a break.
    since: Option<Now>,
    /// The newest look.
    looked: Option<Now>,
    /// It was counted before, and then there was a break.
    again: bool,
    came: VecDeque<(Now, u64, u64)>,
    /// Any line said which level it has.
    levels: bool,
    /// When more came than was counted, and why.
    missed: Option<(Now, Missed)>,
    told: Option<(Now, Counts)>,
}

impl Minute {
    /// Takes in what came since the look before, and why that is not all of it. What came before the first look is not counted, nor what came
    /// in a long while without any.
    pub(super) fn take(&mut self, now: Now, entries: &[Entry], missed: Option<Missed>) {
        if self.looked.is_some_and(|at| now.since(at) > APART) {
            self.interrupt();
        }
        self.looked = Some(now);
        if self.since.is_none() {
            self.since = Some(now);
            return;
        }
        let own = || entries.iter().filter(|entry| !entry.goes_on);
        let levels: Vec<&str> = own().filter_map(|entry| level_in(&entry.text)).collect();
        self.levels |= !levels.is_empty();
        let errors = levels.iter().filter(|word| Tone::of(word) == Tone::Error).count();
        self.came.push_back((now, own().count() as u64, errors as u64));
        // That lines came is known for a minute, whatever it looks like by now.
        let came = self.lost(now).is_some_and(|known| known != Missed::Same);
        let missed = missed.filter(|why| *why != Missed::Same || !came);
        self.missed = missed.map(|why| (now, why)).or(self.missed);
        while self.came.front().is_some_and(|(at, ..)| now.since(*at) >= SPAN) {
            self.came.pop_front();
        }
    }

    /// Why not all is counted that came within the newest minute.
    fn lost(&self, now: Now) -> Option<Missed> {
        self.missed.filter(|(at, _)| now.since(*at) < SPAN).map(|(_, why)| why)
    }

    /// Nothing could be read: what came meanwhile came at a time that nobody knows.
    pub(super) fn interrupt(&mut self) {
        *self = Self { levels: self.levels, again: true, ..Self::default() };
    }

    /// Lines and errors within the newest minute.
    pub(super) fn parts(&mut self, now: Now) -> Counts {
        if self.since.is_none_or(|since| now.since(since) < SPAN) {
            // Nobody is told that errors are over because nobody counted them.
            let errors =
                if self.again { Part::Unavailable(Gap::new(GapKind::Failed, AGAIN)) } else { Part::NotAsked };
            return (Part::NotAsked, errors);
        }
        if let Some((_, counts)) = self.told.as_ref().filter(|(at, _)| now.since(*at) < EACH) {
            return counts.clone();
        }
        let counts = self.counted(now);
        self.told = Some((now, counts.clone()));
        counts
    }

    fn counted(&self, now: Now) -> Counts {
        if let Some(why) = self.lost(now) {
            let gap = Gap::new(GapKind::Failed, why.words());
            // Where nothing seems to have come nobody is alarmed, and nobody is told that there was no error.
            let lines = if why == Missed::Same { Part::NotAsked } else { Part::Unavailable(gap.clone()) };
            return (lines, Part::Unavailable(gap));
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
            minute.take(Now::example(second), &all, (flood == Some(second)).then_some(Missed::Flood));
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
    }

    /// What is told at the last of these seconds; a line that is an error comes at each, and `None` is a look that fails.
    fn looks(seconds: &[Option<u64>], last: u64) -> (Part<u64>, Part<u64>) {
        let mut minute = Minute::default();
        for second in seconds {
            match second {
                Some(second) => minute.take(Now::example(*second), &entries("ERROR x", 1), None),
                None => minute.interrupt(),
            }
        }
        let (lines, errors) = minute.parts(Now::example(last));
        let plain = |part: Part<Warm<u64>>| match part {
            Part::Ready(count) => Part::Ready(*count),
            Part::Unavailable(gap) => Part::Unavailable(gap),
            Part::NotAsked => Part::NotAsked,
        };
        (plain(lines), plain(errors))
    }

    #[test]
    fn what_came_at_a_time_that_nobody_knows_is_not_counted() {
        let not_yet = || (Part::NotAsked, Part::Unavailable(Gap::new(GapKind::Failed, AGAIN)));
        assert_eq!(looks(&[Some(0), None, Some(50)], 70), not_yet(), "it was not read for a while");
        assert_eq!(looks(&[Some(0), Some(20), Some(40), Some(60), Some(120)], 130), not_yet());
        let all: Vec<Option<u64>> = [0, 20, 40, 60, 120, 140, 160, 180].map(Some).to_vec();
        assert_eq!(looks(&all, 180), (Part::Ready(3), Part::Ready(3)), "after it, it is counted anew");
        assert_eq!(looks(&[Some(0), Some(20)], 40), (Part::NotAsked, Part::NotAsked));
        assert_eq!(looks(&[None], 40), not_yet());
    }

    #[test]
    fn what_looks_as_before_is_neither_none_nor_a_trouble() {
        let told = |all: &[(u64, Missed)]| {
            let mut minute = Minute::default();
            for second in 0..=90 {
                let missed = all.iter().find(|(at, _)| *at == second).map(|(_, why)| *why);
                minute.take(Now::example(second), &[], missed);
            }
            minute.parts(Now::example(90))
        };
        let (lines, errors) = told(&[(40, Missed::Same), (80, Missed::Same)]);
        assert!(lines == Part::NotAsked && errors.gap().is_some(), "{lines:?} {errors:?}");
        let (lines, _) = told(&[(40, Missed::Alike), (80, Missed::Same)]);
        assert!(lines.gap().is_some_and(|gap| gap.note.contains("new ones")), "lines came: {lines:?}");
        let (lines, errors) = told(&[(20, Missed::Same), (40, Missed::Same)]);
        assert!(lines == Part::NotAsked && errors.gap().is_some(), "the newest counts: {errors:?}");
        let (lines, _) = told(&[(20, Missed::Flood), (85, Missed::Same)]);
        assert_eq!(lines, Part::NotAsked, "that is over");
    }
}
