//! Statements over a window: what each did between two looks, never what it did since the counters were reset. Pure.

use super::reading::{StatementCounters, StatementKey, Statements};
use crate::core::part::Warm;
use crate::core::rate::LEAST_WINDOW;
use crate::core::time::Now;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// How far the window looks back.
const WINDOW: Duration = Duration::from_secs(120);
/// Looks kept for the window: one about every thirty seconds, so that a long window costs little memory.
const STEP: Duration = Duration::from_secs(30);

/// What one statement did in the window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StatementDelta {
    /// Which.
    pub key: StatementKey,
    /// Its counters' increase.
    pub grown: StatementCounters,
    /// Its share of all time spent executing in the window, 0–1.
    pub share: f64,
}

impl StatementDelta {
    /// Mean milliseconds a call in the window.
    #[must_use]
    pub fn mean_ms(&self) -> Option<f64> {
        (self.grown.calls > 0.0).then(|| self.grown.exec_ms / self.grown.calls)
    }

    /// Share of blocks found in the buffer cache in the window.
    #[must_use]
    pub fn hit_ratio(&self) -> Option<f64> {
        let blocks = self.grown.hit + self.grown.read;
        (blocks > 0.0).then(|| self.grown.hit / blocks)
    }
}

/// All statements that did something in the window, the most time first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StatementsDelta {
    /// How long the window is.
    pub over: Duration,
    /// The statements.
    pub rows: Vec<StatementDelta>,
    /// Entries were evicted in the window: the numbers undercount.
    pub evicted: bool,
}

type Look = (Now, HashMap<StatementKey, StatementCounters>, Option<f64>);

/// The looks of the window.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StatementWindow {
    looks: VecDeque<Look>,
    newest: Option<Now>,
}

impl StatementWindow {
    /// Takes in a look and gives what happened since the start of the window.
    pub fn absorb(&mut self, statements: &Warm<Statements>) -> StatementsDelta {
        let current: HashMap<StatementKey, StatementCounters> = statements.rows.iter().copied().collect();
        let delta = self
            .looks
            .front()
            .filter(|(at, ..)| statements.read_at.since(*at) >= LEAST_WINDOW)
            .map(|(at, before, evictions)| StatementsDelta {
                over: statements.read_at.since(*at),
                rows: deltas(before, &current),
                evicted: matches!((evictions, statements.evictions), (Some(a), Some(b)) if b > *a),
            })
            .unwrap_or_default();
        self.learn_new(&current);
        let due = self.looks.back().is_none_or(|(at, ..)| statements.read_at.since(*at) >= STEP);
        if due {
            self.looks.push_back((statements.read_at, current, statements.evictions));
        }
        while self.looks.len() > 1
            && self.looks.front().is_some_and(|(at, ..)| statements.read_at.since(*at) > WINDOW)
        {
            self.looks.pop_front();
        }
        self.newest = Some(statements.read_at);
        delta
    }

    /// A statement that was not there before counts from its first sight, not from its lifetime; one whose counters fell begins anew.
    fn learn_new(&mut self, current: &HashMap<StatementKey, StatementCounters>) {
        for (_, look, _) in &mut self.looks {
            for (key, counters) in current {
                let known = look.entry(*key).or_insert(*counters);
                if counters.calls < known.calls {
                    *known = *counters;
                }
            }
        }
    }
}

fn deltas(
    before: &HashMap<StatementKey, StatementCounters>,
    after: &HashMap<StatementKey, StatementCounters>,
) -> Vec<StatementDelta> {
    let mut rows: Vec<StatementDelta> = after
        .iter()
        .filter_map(|(key, now)| {
            let then = before.get(key)?;
            let grown = StatementCounters {
                calls: now.calls - then.calls,
                exec_ms: now.exec_ms - then.exec_ms,
                rows: now.rows - then.rows,
                hit: now.hit - then.hit,
                read: now.read - then.read,
                temp: now.temp - then.temp,
                wal_bytes: now.wal_bytes - then.wal_bytes,
                io_ms: now.io_ms - then.io_ms,
            };
            (grown.calls > 0.0 && grown.exec_ms >= 0.0).then_some(StatementDelta {
                key: *key,
                grown,
                share: 0.0,
            })
        })
        .collect();
    // Sorted before it is added up: the same looks make the same sum to its last bit, also when they are replayed.
    rows.sort_by(|a, b| b.grown.exec_ms.total_cmp(&a.grown.exec_ms).then(a.key.cmp(&b.key)));
    let total: f64 = rows.iter().map(|row| row.grown.exec_ms).sum();
    if total > 0.0 {
        for row in &mut rows {
            row.share = row.grown.exec_ms / total;
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(at: u64, rows: &[(i64, bool, f64, f64)]) -> Warm<Statements> {
        let statements = Statements {
            rows: rows
                .iter()
                .map(|(query, toplevel, calls, exec_ms)| {
                    let key = StatementKey { user: 10, database: 5, query: *query, toplevel: *toplevel };
                    let counters = StatementCounters {
                        calls: *calls,
                        exec_ms: *exec_ms,
                        ..StatementCounters::default()
                    };
                    (key, counters)
                })
                .collect(),
            evictions: None,
        };
        Warm::new(Now::example(at), statements)
    }

    #[track_caller]
    fn check(delta: &StatementsDelta, expected: &[(i64, f64, f64)]) {
        let got: Vec<(i64, f64, f64)> =
            delta.rows.iter().map(|row| (row.key.query, row.grown.calls, row.share)).collect();
        assert_eq!(got, expected);
    }

    #[test]
    fn counts_from_first_sight_and_shares_the_window() {
        let mut window = StatementWindow::default();
        check(&window.absorb(&look(0, &[(1, true, 1e6, 1e9)])), &[]);
        // Statement 2 is new: its lifetime of 500 calls is not the window's.
        check(
            &window.absorb(&look(5, &[(1, true, 1e6 + 10.0, 1e9 + 30.0), (2, true, 500.0, 900.0)])),
            &[(1, 10.0, 1.0)],
        );
        check(
            &window.absorb(&look(10, &[(1, true, 1e6 + 10.0, 1e9 + 30.0), (2, true, 505.0, 990.0)])),
            &[(2, 5.0, 0.75), (1, 10.0, 0.25)],
        );
    }

    #[test]
    fn toplevel_and_nested_are_two_statements_and_an_evicted_one_begins_anew() {
        let mut window = StatementWindow::default();
        window.absorb(&look(0, &[(1, true, 10.0, 100.0), (1, false, 20.0, 50.0)]));
        check(&window.absorb(&look(5, &[(1, true, 11.0, 130.0), (1, false, 3.0, 5.0)])), &[(1, 1.0, 1.0)]);
        let after = window.absorb(&look(10, &[(1, true, 11.0, 130.0), (1, false, 5.0, 15.0)]));
        check(&after, &[(1, 1.0, 0.75), (1, 2.0, 0.25)]);
    }

    #[test]
    fn the_window_moves_on() {
        let mut window = StatementWindow::default();
        for second in (0..=300).step_by(5) {
            window.absorb(&look(second, &[(1, true, f64::from(second as u32), 1.0)]));
        }
        let delta = window.absorb(&look(305, &[(1, true, 305.0, 1.0)]));
        assert!(delta.over <= WINDOW + STEP && delta.over + STEP >= WINDOW, "{:?}", delta.over);
    }
}
