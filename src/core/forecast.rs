//! How long until a number that grows reaches its limit: a straight line through the last minutes. Pure.

use crate::core::time::Now;
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

    /// Time until it reaches `limit`: least squares over what is kept. `None` while it does not grow, while its growth is within its own
    /// noise (less than twice the scatter around the line), or with too little past.
    #[must_use]
    pub fn until(&self, limit: f64) -> Option<Duration> {
        let ((first, _), (last, newest)) = (self.samples.front()?, self.samples.back()?);
        let span = last.since(*first);
        if span < LEAST {
            return None;
        }
        if *newest >= limit {
            return Some(Duration::ZERO);
        }
        let points: Vec<(f64, f64)> =
            self.samples.iter().map(|(at, value)| (at.since(*first).as_secs_f64(), *value)).collect();
        let count = points.len() as f64;
        let (mean_x, mean_y) = (
            points.iter().map(|(x, _)| x).sum::<f64>() / count,
            points.iter().map(|(_, y)| y).sum::<f64>() / count,
        );
        let spread: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
        let slope = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum::<f64>() / spread;
        let scatter =
            points.iter().map(|(x, y)| (y - mean_y - slope * (x - mean_x)).powi(2)).sum::<f64>() / count;
        if slope <= 0.0 || slope * span.as_secs_f64() < 2.0 * scatter.sqrt() {
            return None;
        }
        let seconds = (limit - newest) / slope;
        (seconds < HORIZON.as_secs_f64()).then(|| Duration::from_secs_f64(seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn what_rests_falls_or_only_trembles_has_no_end() {
        assert_eq!(trend([50.0; 30]).until(100.0), None);
        assert_eq!(trend((0..30).map(|at| 90.0 - f64::from(at))).until(100.0), None);
        assert_eq!(trend((0..30).map(|at| 50.0 + f64::from(at % 2) * 20.0)).until(100.0), None);
        assert_eq!(trend((0..8).map(f64::from)).until(100.0), None, "a minute is too little");
        let dropped = trend((0..20).map(|at| 100.0 + f64::from(at)).chain([10.0, 11.0]));
        assert_eq!(dropped.until(200.0), None, "it started anew");
    }
}
