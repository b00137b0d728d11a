//! Statements that take far longer than they did within the last hour: what each took on average, every two minutes. Pure.

use super::reading::{Session, StatementKey};
use super::window::{StatementDelta, StatementsDelta};
use crate::core::time::Now;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// The means are kept this far apart: as long as the window they are of.
const STEP: Duration = Duration::from_secs(120);
/// This much past is kept…
const PAST: Duration = Duration::from_secs(3600);
/// …of so many statements, those that take the most time.
const MOST: usize = 50;
/// Of fewer means nothing usual is known, and a mean of fewer calls is none.
const LEAST: usize = 3;
const CALLS: f64 = 5.0;
/// What takes a smaller share of the time hurts nobody.
const SHARE: f64 = 0.2;
/// From so many times the usual it is followed as slower, until it is below half of that.
const TIMES: f64 = 3.0;
/// From so many times the usual it is on its way: then it began, however long the window takes to show it.
const RISES: f64 = 1.3;
/// A call that touches so many times as many blocks as usual, and so many of them, goes another way to its rows.
const BLOCKS_TIMES: f64 = 3.0;
const BLOCKS: f64 = 100.0;
/// Who waited for a lock may be counted so long after it: the window, and the polls at its ends.
const WAITED: Duration = Duration::from_secs(300);
/// A mean below this is not slow, in milliseconds.
const FLOOR_MS: f64 = 5.0;

/// A statement that got slower.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slower {
    /// Which.
    pub key: StatementKey,
    /// Since when.
    pub since: Now,
    /// Milliseconds a call before that.
    pub usual_ms: f64,
    /// Milliseconds a call now.
    pub mean_ms: f64,
    /// Its share of all time spent executing, 0–1.
    pub share: f64,
    /// How many times as many blocks as usual a call touches; nothing where that is not known.
    pub blocks_times: Option<f64>,
}

impl Slower {
    /// How many times as long as usual it takes.
    #[must_use]
    pub fn times(&self) -> f64 {
        self.mean_ms / self.usual_ms
    }

    /// How many times as many blocks a call touches, where that says that its plan is another one.
    #[must_use]
    pub fn other_plan(&self) -> Option<f64> {
        self.blocks_times.filter(|times| *times >= BLOCKS_TIMES)
    }
}

/// What a call usually takes.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Usual {
    mean_ms: f64,
    /// Blocks that it touches.
    blocks: f64,
}

/// What statements took within the last hour, and those that take longer now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Means {
    past: VecDeque<(Now, HashMap<StatementKey, Usual>)>,
    slower: Vec<Slower>,
    /// Statements that take somewhat longer than usual, and since when.
    rising: HashMap<StatementKey, Now>,
    /// Statements that were seen waiting for a lock, and when: that time is counted when they end, and is the lock's matter.
    waited: HashMap<i64, Now>,
}

impl Means {
    /// The statements that take longer now.
    #[must_use]
    pub fn slower(&self) -> &[Slower] {
        &self.slower
    }

    /// Takes in which statements wait for locks.
    pub(super) fn wait<'a>(&mut self, sessions: impl IntoIterator<Item = &'a Session>, now: Now) {
        self.waited.retain(|_, at| now.since(*at) < WAITED);
        let waiting = sessions.into_iter().filter(|session| session.waits_for_lock());
        self.waited.extend(waiting.filter_map(|session| Some((session.query_id?, now))));
    }

    /// Takes in what statements did in the newest window.
    pub(super) fn absorb(&mut self, window: &StatementsDelta, now: Now) {
        self.rise(window, now);
        let found: Vec<Slower> =
            window.rows.iter().filter_map(|row| self.judge(row, window.over, now)).collect();
        self.slower = found;
        if window.over + STEP / 4 < STEP || self.past.back().is_some_and(|(at, _)| now.since(*at) < STEP) {
            return;
        }
        // What is slower now is not what is usual.
        let usual = |row: &&StatementDelta| self.slower.iter().all(|slower| slower.key != row.key);
        let enough = |row: &&StatementDelta| row.grown.calls >= CALLS;
        let rows = window.rows.iter().take(MOST).filter(usual).filter(enough);
        let means = rows
            .filter_map(|row| Some((row.key, Usual { mean_ms: row.mean_ms()?, blocks: blocks(row) })))
            .collect();
        self.past.push_back((now, means));
        while self.past.front().is_some_and(|(at, _)| now.since(*at) > PAST) {
            self.past.pop_front();
        }
    }

    /// Since when each of them takes somewhat longer than usual.
    fn rise(&mut self, window: &StatementsDelta, now: Now) {
        let rises = |row: &&StatementDelta| {
            let usual = self.usual(row.key, |usual| usual.mean_ms);
            row.mean_ms().zip(usual).is_some_and(|(mean, usual)| mean >= usual * RISES)
        };
        let before = |row: &StatementDelta| (row.key, self.rising.get(&row.key).copied().unwrap_or(now));
        self.rising = window.rows.iter().take(MOST).filter(rises).map(before).collect();
    }

    fn judge(&self, row: &StatementDelta, over: Duration, now: Now) -> Option<Slower> {
        if self.waited.contains_key(&row.key.query) {
            return None;
        }
        let mean_ms = row.mean_ms().filter(|_| row.grown.calls >= CALLS && row.share >= SHARE)?;
        let known = self.slower.iter().find(|slower| slower.key == row.key);
        let (since, usual_ms, from) = if let Some(known) = known {
            (known.since, known.usual_ms, TIMES / 2.0)
        } else {
            // Within the window it began.
            let began = now.minus(over);
            let rises = self.rising.get(&row.key).copied().filter(|at| at.mono > began.mono);
            (rises.unwrap_or(began), self.usual(row.key, |usual| usual.mean_ms)?, TIMES)
        };
        // What is slower now is not among what is usual, so that this stays what it was.
        let touches = Some(blocks(row)).filter(|blocks| *blocks >= BLOCKS);
        let usual_blocks = self.usual(row.key, |usual| usual.blocks);
        let blocks_times = touches.zip(usual_blocks).map(|(now, usual)| now / usual);
        let slower = Slower { key: row.key, since, usual_ms, mean_ms, share: row.share, blocks_times };
        (mean_ms >= FLOOR_MS && slower.times() >= from).then_some(slower)
    }

    fn usual(&self, key: StatementKey, of: fn(Usual) -> f64) -> Option<f64> {
        let mut means: Vec<f64> =
            self.past.iter().filter_map(|(_, means)| means.get(&key).copied().map(of)).collect();
        means.sort_by(f64::total_cmp);
        means.get(means.len() / 2).copied().filter(|usual| means.len() >= LEAST && *usual > 0.0)
    }
}

/// Blocks that a call touches, in the cache or not.
fn blocks(row: &StatementDelta) -> f64 {
    (row.grown.hit + row.grown.read) / row.grown.calls.max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::postgres::StatementCounters;

    #[test]
    fn a_wait_for_a_lock_makes_no_statement_slow() {
        let key = StatementKey { user: 1, database: 1, query: 7, toplevel: true };
        let slow = |waits: bool| {
            let mut means = Means::default();
            for minute in 0..30_u64 {
                let now = Now::example(minute * 60);
                let mean = if minute < 28 { 10.0 } else { 500.0 };
                let grown =
                    StatementCounters { calls: 100.0, exec_ms: mean * 100.0, ..StatementCounters::default() };
                let session = Session {
                    query_id: Some(7),
                    wait: Some(("Lock".to_owned(), "transactionid".to_owned())),
                    ..Session::default()
                };
                means.wait((waits && minute == 27).then_some(&session), now);
                let rows = vec![StatementDelta { key, grown, share: 0.9 }];
                means.absorb(&StatementsDelta { over: STEP, rows, evicted: false }, now);
            }
            means.slower().len()
        };
        assert_eq!((slow(false), slow(true)), (1, 0));
    }

    /// How many times slower the statement is and since which minute, after windows of (minutes, milliseconds a call, share).
    fn after(windows: &[(u64, f64, f64)]) -> Option<(f64, u64)> {
        let key = StatementKey { user: 1, database: 1, query: 7, toplevel: true };
        let (mut means, mut second) = (Means::default(), 0);
        for (minutes, mean, share) in windows {
            for _ in 0..minutes * 12 {
                let grown =
                    StatementCounters { calls: 100.0, exec_ms: mean * 100.0, ..StatementCounters::default() };
                let rows = vec![StatementDelta { key, grown, share: *share }];
                means.absorb(&StatementsDelta { over: STEP, rows, evicted: false }, Now::example(second));
                second += 5;
            }
        }
        let first = means.slower().first()?;
        Some((first.times(), first.since.since(Now::example(0)).as_secs() / 60))
    }

    #[test]
    fn a_statement_is_slower_than_it_was_until_it_is_not() {
        assert_eq!(after(&[(20, 30.0, 0.5)]), None);
        assert_eq!(after(&[(20, 30.0, 0.5), (1, 120.0, 0.5)]), Some((4.0, 20)));
        // Two hours later it is still slower than it was, and since then.
        assert_eq!(after(&[(20, 30.0, 0.5), (120, 120.0, 0.5)]), Some((4.0, 20)));
        assert_eq!(after(&[(20, 30.0, 0.5), (5, 120.0, 0.5), (1, 40.0, 0.5)]), None);
    }

    #[test]
    fn it_began_when_the_window_began_to_show_it_and_another_plan_touches_other_blocks() {
        let key = StatementKey { user: 1, database: 1, query: 7, toplevel: true };
        let after = |blocks: f64| {
            let mut means = Means::default();
            for second in (0..1400_u32).step_by(5) {
                // From second 1200 on a call takes ten times as long, and the window comes to be full of such calls.
                let part = (f64::from(second) - 1200.0).clamp(0.0, 120.0) / 120.0;
                let (mean, touched) = (10.0 + 90.0 * part, 50.0 + (blocks - 50.0) * part);
                let grown = StatementCounters {
                    calls: 100.0,
                    exec_ms: mean * 100.0,
                    hit: touched * 100.0,
                    ..StatementCounters::default()
                };
                let rows = vec![StatementDelta { key, grown, share: 0.5 }];
                let now = Now::example(u64::from(second));
                means.absorb(&StatementsDelta { over: STEP, rows, evicted: false }, now);
            }
            let slower = means.slower().first().copied().expect("it is slower");
            (slower.since.since(Now::example(0)).as_secs(), slower.other_plan().map(f64::round))
        };
        assert_eq!(after(500.0), (1205, Some(10.0)));
        assert_eq!(after(50.0), (1205, None), "as many blocks, by the same way");
        assert_eq!(after(99.0), (1205, None));
    }

    #[test]
    fn what_takes_little_of_the_time_or_was_never_seen_is_not_told() {
        assert_eq!(after(&[(20, 30.0, 0.5), (1, 120.0, 0.1)]), None, "a small share");
        assert_eq!(after(&[(20, 0.5, 0.5), (1, 4.0, 0.5)]), None, "not slow");
        assert_eq!(after(&[(20, 30.0, 0.5), (1, 80.0, 0.5)]), None, "not three times");
        assert_eq!(after(&[(3, 30.0, 0.5), (1, 120.0, 0.5)]), None, "too little past");
    }
}
