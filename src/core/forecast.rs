//! How long until a number that grows reaches its limit: a straight line through the last minutes. Pure.
//!
//! It is asked of a number that still grows. What has come to rest has no end, however steeply it rose before.

use crate::core::time::Now;
use crate::core::time::span_of;
use std::collections::VecDeque;
use std::time::Duration;

/// Samples are taken this far apart.
const STEP: Duration = Duration::from_secs(10);
/// The line goes through this much past.
const PAST: Duration = Duration::from_secs(900);
/// With less past than this nothing is said.
const LEAST: Duration = Duration::from_secs(120);
/// Further ahead nobody plans by a line through minutes.
const HORIZON: Duration = Duration::from_secs(400 * 86_400);
/// Below this share of its limit a number has no end that anybody need hear of.
const FLOOR: f64 = 0.5;
/// How many times steeper or flatter than all of it the last third may be.
const LIKE: f64 = 2.0;

/// The recent past of a number, and where it leads.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trend {
    samples: VecDeque<(Now, f64)>,
}

impl Trend {
    /// Takes in the value at `now`; more often than every ten seconds is not kept. A number that falls below half starts anew.
    pub fn push(&mut self, now: Now, value: f64) {
        if self.samples.back().is_some_and(|(at, _)| now.since(*at) < STEP) || !value.is_finite() {
            return;
        }
        if self.samples.back().is_some_and(|(_, before)| value < before / 2.0) {
            self.samples.clear();
        }
        self.samples.push_back((now, value));
        while self.samples.front().is_some_and(|(at, _)| now.since(*at) > PAST) {
            self.samples.pop_front();
        }
    }

    /// Time until it reaches `limit`, by the slower of two lines of least squares: one through all that is kept, one through its last third.
    ///
    /// `None` while it does not grow *now*: with too little past, below half of the limit, when the last third does not grow by itself at a
    /// like slope, when its newest values are equal, when one step made the growth, and while the growth is within its own noise.
    #[must_use]
    pub fn until(&self, limit: f64) -> Option<Duration> {
        let ((first, _), (last, newest)) = (*self.samples.front()?, *self.samples.back()?);
        let span = last.since(first);
        if span < LEAST {
            return None;
        }
        if newest >= limit {
            return Some(Duration::ZERO);
        }
        if newest < limit * FLOOR {
            return None;
        }
        let points: Vec<(f64, f64)> =
            self.samples.iter().map(|(at, value)| (at.since(first).as_secs_f64(), *value)).collect();
        let slope = still(&points)?;
        let seconds = (limit - newest) / slope;
        (seconds < HORIZON.as_secs_f64()).then(|| span_of(seconds))
    }
}

/// With less than this of the past nothing is said of days: a day has its own ups and downs.
const LEAST_DAYS: Duration = Duration::from_secs(2 * 86_400);
/// Fewer samples are no line.
const LEAST_SAMPLES: usize = 16;
const DAY: f64 = 86_400.0;

/// The samples of some days, enough of them to tell of a day: (seconds, value), the newest last.
#[derive(Clone, Debug, PartialEq)]
pub struct Days(Vec<(f64, f64)>);

/// These samples, which are `step` apart; what a fall to half leaves counts from there. `None` with too little past, or one with gaps of a
/// third: then nobody knows whether it grows.
#[must_use]
pub fn days(samples: &[Option<f64>], step: Duration) -> Option<Days> {
    let all = samples
        .iter()
        .enumerate()
        .filter_map(|(at, value)| Some((at as f64 * step.as_secs_f64(), (*value)?)));
    let mut points: Vec<(f64, f64)> = all.collect();
    let fell = points.windows(2).rposition(|pair| pair[1].1 < pair[0].1 / 2.0);
    points.drain(..fell.map_or(0, |at| at + 1));
    let ((first, _), (last, _)) = (*points.first()?, *points.last()?);
    let whole = (last - first) / step.as_secs_f64() + 1.0;
    let ended = (samples.len().saturating_sub(1)) as f64 * step.as_secs_f64() - last;
    let seen = points.len() >= LEAST_SAMPLES && points.len() as f64 * 1.5 >= whole && ended < DAY / 4.0;
    (last - first >= LEAST_DAYS.as_secs_f64() && seen).then_some(Days(points))
}

impl Days {
    /// How much it grows in a day: the slower of a line through all of it and one through its last third, as [`Trend::until`] does it. `None`
    /// where it does not grow *now*: when it rests, when one step made the growth, and while the growth is within its own noise.
    #[must_use]
    pub fn per_day(&self) -> Option<f64> {
        still(&self.0).map(|slope| slope * DAY)
    }
}

/// Own samples over less than this say nothing of a day.
const LEAST_OWN: Duration = Duration::from_secs(6 * 3600);
/// Fewer in the last third are no line.
const LEAST_LATELY: usize = 4;

/// The same by our own samples (seconds, value), which have gaps while nobody runs: these cost nothing but the time that they took, as long
/// as the last third was seen, too.
#[must_use]
pub fn of_a_day(points: &[(f64, f64)]) -> Option<f64> {
    let ((first, _), (last, _)) = (points.first()?, points.last()?);
    let seen = last - first >= LEAST_OWN.as_secs_f64() && lately(points)?.len() >= LEAST_LATELY;
    seen.then(|| still(points).map(|slope| slope * DAY)).flatten()
}

/// The last third of the time.
fn lately(points: &[(f64, f64)]) -> Option<&[(f64, f64)]> {
    let ((first, _), (last, _)) = (points.first()?, points.last()?);
    points.get(points.partition_point(|(x, _)| *x < first + (last - first) * 2.0 / 3.0)..)
}

/// How steeply it still grows: the slower of a line through all and one through the last third, which has to be like it.
fn still(points: &[(f64, f64)]) -> Option<f64> {
    let lately = lately(points)?;
    let (whole, late) = (growth(points)?, growth(lately)?);
    let like = (whole / LIKE..=whole * LIKE).contains(&late);
    (like && !rests(lately) && !is_a_step(lately)).then(|| whole.min(late))
}

/// The slope of the line of least squares through (seconds, value), if it grows by more than twice the scatter around that line.
fn growth(points: &[(f64, f64)]) -> Option<f64> {
    let ((first, _), (last, _)) = (points.first()?, points.last()?);
    let count = points.len() as f64;
    let mean_x = points.iter().map(|(x, _)| x).sum::<f64>() / count;
    let mean_y = points.iter().map(|(_, y)| y).sum::<f64>() / count;
    let spread: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    let slope = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum::<f64>() / spread;
    let scatter =
        points.iter().map(|(x, y)| (y - mean_y - slope * (x - mean_x)).powi(2)).sum::<f64>() / count;
    (slope > 0.0 && slope * (last - first) >= 2.0 * scatter.sqrt()).then_some(slope)
}

/// The newest half of these is one and the same value.
#[expect(clippy::float_cmp, reason = "a number that rests is the same number")]
fn rests(points: &[(f64, f64)]) -> bool {
    points.last().is_none_or(|(_, newest)| points.iter().skip(points.len() / 2).all(|(_, y)| y == newest))
}

/// More than half of the growth of these came at once.
fn is_a_step(points: &[(f64, f64)]) -> bool {
    let (Some((_, from)), Some((_, to))) = (points.first(), points.last()) else { return true };
    let largest =
        points.windows(2).filter_map(|pair| Some(pair.last()?.1 - pair.first()?.1)).fold(0.0, f64::max);
    largest * 2.0 > to - from
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of eight samples a day.
    #[track_caller]
    fn grows(what: &str, samples: impl IntoIterator<Item = Option<f64>>, expected: Option<f64>) {
        let samples: Vec<Option<f64>> = samples.into_iter().collect();
        let found = days(&samples, Duration::from_secs(10_800)).and_then(|days| days.per_day());
        let near = match (found, expected) {
            (Some(found), Some(expected)) => (found - expected).abs() < expected * 0.02,
            (None, None) => true,
            _ => false,
        };
        assert!(near, "{what}: {found:?}, not {expected:?}");
    }

    #[test]
    fn a_day_grows_by_what_it_still_grows_by() {
        let days = |count: usize| (0..count * 8).map(|at| at as f64);
        grows("steady", days(6).map(|at| Some(100.0 + at)), Some(8.0));
        grows("flat", days(6).map(|_| Some(100.0)), None);
        grows("came to rest", days(6).map(|at| Some(at.min(30.0))), None);
        grows("shrinks", days(6).map(|at| Some(100.0 - at)), None);
        grows("a sawtooth", days(6).map(|at| Some(100.0 + 20.0 * (at % 8.0))), None);
        grows("one jump, long ago", days(6).map(|at| Some(if at < 8.0 { 100.0 } else { 200.0 })), None);
        grows("one jump, lately", days(6).map(|at| Some(if at < 44.0 { 100.0 } else { 200.0 })), None);
        grows("a day only", days(1).map(Some), None);
        grows(
            "a small gap",
            days(6).map(|at| (!(20.0..26.0).contains(&at)).then_some(100.0 + at)),
            Some(8.0),
        );
        grows("a large gap", days(6).map(|at| (!(10.0..40.0).contains(&at)).then_some(100.0 + at)), None);
        grows("nothing of the last day", days(6).map(|at| (at < 38.0).then_some(100.0 + at)), None);
        grows("emptied two and a half days ago", days(6).map(|at| Some(1.0 + at % 27.0)), Some(8.0));
        grows(
            "twice as fast lately is no line",
            days(6).map(|at| Some(100.0 + (at - 32.0).max(0.0) * 9.0)),
            None,
        );
        grows("nothing", [], None);
    }

    fn trend(values: impl IntoIterator<Item = f64>) -> Trend {
        let mut trend = Trend::default();
        for (at, value) in values.into_iter().enumerate() {
            trend.push(Now::example(at as u64 * 10), value);
        }
        trend
    }

    #[test]
    fn a_line_reaches_its_limit() {
        // Two a ten seconds: from 140 to 200 in five minutes.
        let until = trend((0..21).map(|at| 100.0 + f64::from(at) * 2.0)).until(200.0).expect("it grows");
        assert!((until.as_secs_f64() - 300.0).abs() < 1.0, "{until:?}");
        assert_eq!(trend((0..21).map(|at| 100.0 + f64::from(at) * 2.0)).until(120.0), Some(Duration::ZERO));
    }

    #[track_caller]
    fn no_end(why: &str, values: impl IntoIterator<Item = f64>) {
        assert_eq!(trend(values).until(100.0), None, "{why}");
    }

    #[test]
    fn what_rests_falls_or_only_trembles_has_no_end() {
        no_end("it rests", [60.0; 30]);
        no_end("it falls", (0..30).map(|at| 90.0 - f64::from(at)));
        no_end("it trembles", (0..30).map(|at| 50.0 + f64::from(at % 2) * 20.0));
        no_end("a minute is too little", (0..8).map(|at| 60.0 + f64::from(at)));
        let dropped = trend((0..20).map(|at| 100.0 + f64::from(at)).chain([10.0, 11.0]));
        assert_eq!(dropped.until(200.0), None, "it started anew");
    }

    #[test]
    fn what_grew_and_does_not_grow_any_more_has_no_end() {
        // At every moment after twenty-eight connections were opened at once, from 3 and from 40 of 100.
        for at in 0..120 {
            no_end("a step, far below", (0..120).map(|n| if n < at { 3.0 } else { 31.0 }).take(at + 30));
            no_end("a step", (0..120).map(|n| if n < at { 40.0 } else { 68.0 }).take(at + 30));
        }
        // At each moment of thirty minutes, ten of them before the step.
        let step = |n: usize| if n < 60 { 40.0 } else { 68.0 };
        for seen in 1..180 {
            no_end("a step, as it is watched", (0..seen).map(step));
        }
        // A ramp that ended: within half of a third of what is kept it is over.
        let ramp = |n: usize| 40.0 + (n.min(60) as f64) * 0.5;
        assert!(trend((0..60).map(ramp)).until(100.0).is_some(), "while it grows");
        for seen in 76..180 {
            no_end("a ramp that ended", (0..seen).map(ramp));
        }
        no_end("all of the growth is old", (0..30).map(|n| 50.0 + f64::from(n.min(20))));
        no_end("all of the growth is new", (0..30).map(|n| 50.0 + f64::from((n - 24).max(0)) * 4.0));
        no_end("far below its limit", (0..30).map(f64::from));
    }

    #[test]
    fn whole_numbers_that_grow_slowly_have_an_end() {
        // One connection every thirty seconds, 70 to 90.
        let until = trend((0..61).map(|at| f64::from(70 + at / 3))).until(100.0).expect("it grows");
        assert!((until.as_secs_f64() - 300.0).abs() < 30.0, "{until:?}");
    }
}
