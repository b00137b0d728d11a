//! How much of what an operation did ended badly, over five minutes and an hour, and how fast that uses up the share that may. Counted in steps
//! of half a minute, so that an hour of an operation is two kilobytes. Pure.
//!
//! The two windows are those of the workbook of Google's site reliability engineers: a burn is told where both are past it, so that it is
//! neither one bad minute nor one that is over. Of less than an hour that was watched nothing is made up.

use crate::core::time::Now;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// The long window.
pub const LONG: Duration = Duration::from_secs(3600);
/// The short one. Of an operation that does little it reaches back to the newest [`ENOUGH`], at most over the long one.
pub const SHORT: Duration = Duration::from_secs(300);
/// One step.
const STEP: Duration = Duration::from_secs(30);
/// Of fewer within the hour nothing is said.
const ENOUGH: f64 = 20.0;
/// Nor where fewer ended badly: one or two make no rate.
const LEAST_FAILED: f64 = 3.0;

/// What was counted within half a minute.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Step {
    /// Its number since the clock began.
    place: u32,
    all: f32,
    failed: f32,
    /// Seconds of it that were watched.
    watched: f32,
}

/// What an operation did within the last hour.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Budget {
    steps: VecDeque<Step>,
}

/// What is known of a window.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ended {
    /// How much ended.
    pub all: f64,
    /// How much of it badly.
    pub failed: f64,
    /// So much of the window was watched.
    pub watched: Duration,
}

impl Ended {
    /// The share that ended badly; of nothing there is none.
    #[must_use]
    pub fn share(self) -> Option<f64> {
        (self.all > 0.0).then(|| (self.failed / self.all).clamp(0.0, 1.0))
    }
}

/// How many times faster than it may an operation uses up its budget.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Burn {
    /// Over the short window.
    pub short: f64,
    /// Over the long one.
    pub long: f64,
    /// What the long one counted.
    pub ended: Ended,
}

impl Burn {
    /// That of both windows: the slower one.
    #[must_use]
    pub const fn both(self) -> f64 {
        self.short.min(self.long)
    }
}

fn place(now: Now) -> u32 {
    u32::try_from(now.mono.as_secs() / STEP.as_secs()).unwrap_or(u32::MAX)
}

/// So many steps are a window.
fn steps(window: Duration) -> u32 {
    u32::try_from(window.as_secs() / STEP.as_secs()).unwrap_or(u32::MAX)
}

impl Budget {
    /// So much ended in the time `over` up to `now`.
    pub(super) fn add(&mut self, now: Now, (all, failed): (f64, f64), over: Duration) {
        // After a gap nobody knows when it ended: not within the last minutes, as far as anybody saw.
        if over > SHORT {
            return;
        }
        let place = place(now);
        if self.steps.back().is_none_or(|step| step.place != place) {
            self.steps.push_back(Step { place, all: 0.0, failed: 0.0, watched: 0.0 });
        }
        if let Some(step) = self.steps.back_mut() {
            step.all += all as f32;
            step.failed += failed as f32;
            step.watched += over.as_secs_f32();
        }
        let oldest = place.saturating_sub(steps(LONG));
        while self.steps.front().is_some_and(|step| step.place <= oldest) {
            self.steps.pop_front();
        }
    }

    /// Those of several endpoints added up: what all of them did, while any of them was watched.
    #[must_use]
    pub fn together<'a>(all: impl Iterator<Item = &'a Self>) -> Self {
        let mut steps: BTreeMap<u32, Step> = BTreeMap::new();
        for step in all.flat_map(|budget| &budget.steps) {
            let sum =
                steps.entry(step.place).or_insert(Step { all: 0.0, failed: 0.0, watched: 0.0, ..*step });
            sum.all += step.all;
            sum.failed += step.failed;
            sum.watched = sum.watched.max(step.watched);
        }
        Self { steps: steps.into_values().collect() }
    }

    /// Sums up the steps that are wanted, by their age in steps and what the newer ones counted.
    fn sum(&self, now: Now, wanted: impl Fn(u32, f64) -> bool) -> Ended {
        let place = place(now);
        let mut ended = Ended::default();
        for step in self.steps.iter().rev() {
            if !wanted(place.saturating_sub(step.place), ended.all) {
                break;
            }
            ended.all += f64::from(step.all);
            ended.failed += f64::from(step.failed);
            ended.watched += Duration::try_from_secs_f32(step.watched).unwrap_or_default();
        }
        ended
    }

    /// What ended within `window` before `now`.
    #[must_use]
    pub fn within(&self, now: Now, window: Duration) -> Ended {
        let ended = self.sum(now, |age, _| age < steps(window));
        Ended { watched: ended.watched.min(window), ..ended }
    }

    /// What ended lately: within the short window, or the newest of what happens seldom.
    #[must_use]
    pub fn lately(&self, now: Now) -> Ended {
        self.sum(now, |age, newer| age < steps(SHORT) || (age < steps(LONG) && newer < ENOUGH))
    }

    /// How fast a budget of this share is used up; nothing of less than five minutes that were watched, and of too little that ended.
    #[must_use]
    pub fn burn(&self, now: Now, share: f64) -> Option<Burn> {
        let ended = self.within(now, LONG);
        let enough = ended.watched >= SHORT && ended.all >= ENOUGH && ended.failed >= LEAST_FAILED;
        let (short, long) = (self.lately(now).share()?, ended.share()?);
        (enough && share > 0.0).then_some(Burn { short: short / share, long: long / share, ended })
    }

    /// What is left of a budget of this share after what ended within the hour: 1 is all of it, less than nothing is overdrawn. Nothing of
    /// too little.
    #[must_use]
    pub fn left(&self, now: Now, share: f64) -> Option<f64> {
        let ended = self.within(now, LONG);
        (ended.all >= ENOUGH && share > 0.0).then(|| 1.0 - ended.failed / (ended.all * share))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A minute each: how many ended, and how many of them badly.
    fn budget(minutes: &[(f64, f64)]) -> (Budget, Now) {
        let mut budget = Budget::default();
        // The last of them ends a step.
        let mut second = 59_999;
        for counted in minutes {
            for _ in 0..6 {
                second += 10;
                let part = (counted.0 / 6.0, counted.1 / 6.0);
                budget.add(Now::example(second), part, Duration::from_secs(10));
            }
        }
        (budget, Now::example(second))
    }

    #[track_caller]
    fn burns(minutes: &[(f64, f64)], expected: Option<(f64, f64, u64)>) {
        let (budget, now) = budget(minutes);
        let found = budget.burn(now, 0.01);
        let round = |value: f64| (value * 10.0).round() / 10.0;
        let minutes = |burn: Burn| (burn.ended.watched.as_secs_f64() / 60.0).round() as u64;
        assert_eq!(found.map(|burn| (round(burn.short), round(burn.long), minutes(burn))), expected);
    }

    #[test]
    fn a_burn_is_of_both_windows_and_of_what_was_watched() {
        burns(&[(100.0, 20.0); 60], Some((20.0, 20.0, 60)));
        // An outage that is over: the long window remembers it, the short one does not.
        let over = [[(100.0, 20.0); 50], [(100.0, 0.0); 50]].concat();
        burns(&over[40..60], Some((0.0, 10.0, 20)));
        // One that begins: the long window is calm yet.
        let begins = [[(100.0, 0.0); 57].as_slice(), &[(100.0, 50.0); 3]].concat();
        burns(&begins, Some((30.0, 2.5, 60)));
        // Twelve minutes are twelve minutes.
        burns(&[(100.0, 20.0); 12], Some((20.0, 20.0, 12)));
        burns(&[(100.0, 20.0); 4], None);
    }

    #[test]
    fn what_happens_seldom_neither_flaps_nor_hides() {
        burns(&[(0.2, 0.2); 60], None);
        burns(&[(1.0, 0.0); 60], None);
        // One a minute, one of four fails: the newest twenty are looked at, whatever the last five minutes were.
        let quarter: Vec<(f64, f64)> =
            (0..60).map(|minute| (1.0, if minute % 4 == 0 { 1.0 } else { 0.0 })).collect();
        for end in 30..60 {
            let (budget, now) = budget(&quarter[..end]);
            let burn = budget.burn(now, 0.01).expect("it is told without a break").both();
            assert!((19.0..31.0).contains(&burn), "{end}: {burn}");
        }
    }

    #[test]
    fn those_of_several_are_added_up() {
        let (one, now) = budget(&[(60.0, 6.0); 10]);
        let (other, _) = budget(&[(60.0, 0.0); 10]);
        let ended = Budget::together([&one, &other].into_iter()).within(now, LONG);
        assert_eq!((ended.all.round() as u32, ended.failed.round() as u32), (1200, 60));
        assert_eq!(ended.watched, Duration::from_secs(600));
    }

    #[test]
    fn an_hour_is_kept_and_no_more() {
        let (budget, now) = budget(&[(60.0, 6.0); 200]);
        assert_eq!(budget.steps.len(), 120);
        let ended = budget.within(now, LONG);
        assert_eq!((ended.all.round() as u32, ended.watched), (3600, LONG));
        let left = budget.left(now, 0.01).expect("known");
        assert!((left + 9.0).abs() < 0.01, "{left}");
        assert_eq!(budget.within(now.plus(LONG * 2), LONG).all as u32, 0);
    }
}
