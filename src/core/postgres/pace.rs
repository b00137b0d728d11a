//! How fast a server writes WAL, against how fast it did in the quarter of an hour before. Pure.

use crate::core::time::Now;
use std::collections::VecDeque;
use std::time::Duration;

/// Positions are kept this far apart.
const STEP: Duration = Duration::from_secs(10);
/// What it writes now is what it wrote within this: a checkpoint makes a short peak.
const RECENT: Duration = Duration::from_secs(30);
/// What it usually writes is the median of this much past.
const PAST: Duration = Duration::from_secs(900);
/// Of fewer steps nothing usual is known.
const LEAST: usize = 12;
/// So many times the usual is a burst, and it is over below half of that.
const TIMES: f64 = 3.0;
/// Below this nothing falls behind: a segment of WAL a second.
const FLOOR: f64 = 16.0 * 1_048_576.0;
/// What goes on for so long is the usual.
const LONGEST: Duration = Duration::from_secs(3600);

/// Far more WAL than usual.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Burst {
    /// Since when.
    pub since: Now,
    /// Bytes per second now.
    pub rate: f64,
    /// Bytes per second before it.
    pub usual: f64,
}

/// The positions of the last minutes, and the burst that is under way.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pace {
    positions: VecDeque<(Now, f64)>,
    burst: Option<Burst>,
}

impl Pace {
    /// The burst that is under way.
    #[must_use]
    pub const fn burst(&self) -> Option<Burst> {
        self.burst
    }

    /// Takes in how much was written so far.
    pub(super) fn absorb(&mut self, position: f64, now: Now) {
        match self.positions.back() {
            Some((_, before)) if position < *before => *self = Self::default(),
            Some((at, _)) if now.since(*at) < STEP => return,
            _ => {}
        }
        self.positions.push_back((now, position));
        while self.positions.front().is_some_and(|(at, _)| now.since(*at) > PAST + RECENT) {
            self.positions.pop_front();
        }
        self.burst = self.judge(now);
    }

    fn judge(&self, now: Now) -> Option<Burst> {
        let recent = self.positions.iter().rposition(|(at, _)| now.since(*at) >= RECENT)?;
        let (at, then) = self.positions.get(recent)?;
        let (_, newest) = self.positions.back()?;
        let rate = (newest - then) / now.since(*at).as_secs_f64();
        if let Some(burst) = self.burst {
            let lasts = rate >= FLOOR.max(burst.usual * TIMES / 2.0) && now.since(burst.since) < LONGEST;
            return lasts.then_some(Burst { rate, ..burst });
        }
        let steps = self.positions.iter().zip(self.positions.iter().skip(1)).take(recent);
        let mut usual: Vec<f64> =
            steps.map(|((at, then), (next, after))| (after - then) / next.since(*at).as_secs_f64()).collect();
        usual.sort_by(f64::total_cmp);
        let usual = *usual.get(usual.len() / 2).filter(|_| usual.len() >= LEAST)?;
        // Within the newest steps it began.
        (rate >= FLOOR.max(usual * TIMES)).then_some(Burst { since: *at, rate, usual })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: f64 = 1_048_576.0;

    /// Since when there is a burst, after these (seconds, MiB per second).
    fn after(paces: &[(u64, f64)]) -> Option<(u64, f64)> {
        let (mut pace, mut second, mut position) = (Pace::default(), 0, 0.0);
        for (seconds, rate) in paces {
            for _ in 0..seconds / 5 {
                pace.absorb(position, Now::example(second));
                second += 5;
                position += rate * 5.0 * MIB;
            }
        }
        let begin = Now::example(0);
        pace.burst().map(|burst| (burst.since.since(begin).as_secs(), burst.usual / MIB))
    }

    #[test]
    fn far_more_than_usual_is_a_burst_until_it_is_over() {
        assert_eq!(after(&[(300, 2.0)]), None);
        let (since, usual) = after(&[(300, 2.0), (60, 80.0)]).expect("a burst");
        assert!((270..=310).contains(&since) && (usual - 2.0).abs() < 0.01, "{since} {usual}");
        assert_eq!(after(&[(300, 2.0), (60, 80.0), (60, 2.0)]), None);
        // It stays one when it is most of what is known.
        assert!(after(&[(300, 2.0), (1500, 80.0)]).is_some());
        assert_eq!(after(&[(300, 2.0), (4200, 80.0)]), None);
    }

    #[test]
    fn what_is_little_or_usual_is_none() {
        assert_eq!(after(&[(300, 0.5), (60, 12.0)]), None, "below a segment a second");
        assert_eq!(after(&[(300, 40.0), (60, 90.0)]), None, "not three times as much");
        assert_eq!(after(&[(60, 1.0), (60, 90.0)]), None, "too little past");
        assert_eq!(after(&[(300, 1.0), (10, 40.0), (10, 1.0)]), None, "a short peak");
    }
}
