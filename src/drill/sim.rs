//! The stack and its story, advanced in small steps of the time that polls bring. The same seed is the same story.
//!
//! A billing job updates orders and then waits for a payment provider with its transaction open. Checkouts queue up behind it,
//! order mails fail and pile up as dead letters, the copy falls behind, a search node goes. It ends when that session is
//! terminated; the failed jobs stay until somebody retries them.

use crate::core::postgres::BackendId;
use crate::core::time::Now;
use std::time::Duration;

/// When the transaction is left open.
pub(super) const TROUBLE_AT: f64 = 8.0;
/// The steps in which the story goes on.
const STEP: f64 = 0.25;
/// At most this many checkouts wait; the rest gives up.
const MOST_WAITERS: usize = 9;
/// A step that is further away than this (a suspended process) is not lived through.
const LONGEST_LEAP: f64 = 600.0;

/// A failed job.
#[derive(Clone, Debug)]
pub(super) struct Failed {
    pub(super) id: u64,
    /// Seconds since the start.
    pub(super) at: f64,
    pub(super) attempts: u64,
}

/// A session that waits.
#[derive(Clone, Debug)]
pub(super) struct Waiter {
    pub(super) pid: i32,
    /// Seconds since the start.
    pub(super) since: f64,
}

/// Everything that grows.
#[derive(Clone, Debug, Default)]
pub(super) struct Counters {
    pub(super) commits: f64,
    pub(super) rollbacks: f64,
    pub(super) hits: f64,
    pub(super) reads: f64,
    pub(super) calls: f64,
    pub(super) wal_bytes: f64,
    pub(super) added: f64,
    pub(super) requests: f64,
    pub(super) errors: f64,
    pub(super) slow: f64,
    pub(super) searches: f64,
}

/// The stack at one moment.
#[derive(Clone, Debug)]
pub(super) struct Sim {
    seed: u64,
    started: Now,
    /// Seconds since the start up to which the story is told.
    pub(super) told: f64,
    /// When the root session was terminated.
    pub(super) root_gone: Option<f64>,
    pub(super) waiters: Vec<Waiter>,
    pub(super) counters: Counters,
    pub(super) backlog: f64,
    pub(super) failed: Vec<Failed>,
    /// Retried jobs: id, attempts so far, and when their next run ends.
    retried: Vec<(u64, u64, f64)>,
    pub(super) dead_letters: f64,
    /// Queues whose pause switch is on.
    pub(super) paused: std::collections::BTreeSet<String>,
    pub(super) lag_bytes: f64,
    next_pid: i32,
    next_job: u64,
    next_waiter: f64,
    next_failure: f64,
}

impl Sim {
    pub(super) fn new(seed: u64, now: Now) -> Self {
        Self {
            seed,
            started: now,
            told: 0.0,
            root_gone: None,
            waiters: Vec::new(),
            counters: Counters { added: 48_211.0, requests: 1e6, searches: 4e6, ..Counters::default() },
            backlog: 3.0,
            failed: Vec::new(),
            retried: Vec::new(),
            dead_letters: 2.0,
            paused: std::collections::BTreeSet::new(),
            lag_bytes: 40_000.0,
            next_pid: 0,
            next_job: 48_211,
            next_waiter: TROUBLE_AT + 1.5,
            next_failure: TROUBLE_AT + 5.0,
        }
    }

    /// A number of 0–1 that is the same for the same seed and `salt`.
    pub(super) fn noise(&self, salt: u64) -> f64 {
        let mut z = self
            .seed
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
            .wrapping_add(salt.wrapping_mul(0xBF58_476D_1CE4_E5B9));
        z = (z ^ (z >> 30)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        (z >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A number that swings around 1 with the time.
    pub(super) fn wave(&self, salt: u64) -> f64 {
        let fast = self.noise(salt ^ (self.told as u64).wrapping_mul(31));
        0.9 + 0.2 * fast + 0.05 * (self.told / 17.0).sin()
    }

    /// The process that holds everybody up.
    pub(super) fn root(&self) -> BackendId {
        let pid = 4100 + (self.noise(1) * 900.0) as i32;
        BackendId { pid, backend_start_micros: self.micros(-1320.0) }
    }

    /// The moment `seconds` after the start, in microseconds since the epoch.
    pub(super) fn micros(&self, seconds: f64) -> i64 {
        self.started.wall.timestamp_micros() + (seconds * 1e6) as i64
    }

    /// Whether orders are blocked.
    pub(super) fn blocked(&self) -> bool {
        self.told >= TROUBLE_AT && self.root_gone.is_none()
    }

    /// Whether one of the search nodes is away.
    pub(super) fn node_away(&self) -> bool {
        self.told >= TROUBLE_AT + 15.0 && self.root_gone.is_none_or(|at| self.told < at + 12.0)
    }

    /// Goes on to `now`.
    pub(super) fn advance(&mut self, now: Now) {
        let until = now.since(self.started).as_secs_f64();
        if until - self.told > LONGEST_LEAP {
            self.told = until - LONGEST_LEAP;
        }
        while self.told + STEP <= until {
            self.told += STEP;
            self.step();
        }
    }

    fn step(&mut self) {
        let blocked = self.blocked();
        self.sessions(blocked);
        self.jobs(blocked);
        let load = self.wave(2);
        let counters = &mut self.counters;
        counters.commits += STEP * if blocked { 310.0 } else { 420.0 } * load;
        counters.rollbacks += STEP * if blocked { 6.0 } else { 0.4 };
        counters.hits += STEP * 52_000.0 * load;
        counters.reads += STEP * 410.0 * load;
        counters.calls += STEP * 900.0 * load;
        counters.wal_bytes += STEP * 2.4e6 * load;
        counters.requests += STEP * 140.0 * load;
        counters.errors += STEP * if blocked { 11.0 } else { 0.1 };
        counters.slow += STEP * if blocked { 26.0 } else { 1.0 };
        counters.searches += STEP * 220.0 * load;
        self.lag_bytes = if blocked && self.told > TROUBLE_AT + 6.0 {
            self.lag_bytes + STEP * 7e6
        } else {
            40_000.0 + (self.lag_bytes - 40_000.0) * 0.93
        };
    }

    fn sessions(&mut self, blocked: bool) {
        if blocked && self.told >= self.next_waiter && self.waiters.len() < MOST_WAITERS {
            self.next_pid += 1;
            let pid = 5200 + self.next_pid * 7;
            self.waiters.push(Waiter { pid, since: self.told });
            self.next_waiter = self.told + 1.2 + 2.0 * self.noise(100 + self.next_pid as u64);
        } else if !blocked && !self.waiters.is_empty() {
            // Each gets the lock, commits and lets the next one through.
            self.waiters.remove(0);
        }
    }

    fn jobs(&mut self, blocked: bool) {
        let arriving = STEP * 6.0 * self.wave(3);
        self.counters.added += arriving;
        let held = self.paused.contains(MAILS);
        let taken = match (held, blocked) {
            (true, _) => 0.0,
            (false, true) => 1.5,
            (false, false) => 14.0,
        };
        self.backlog = (self.backlog + arriving - STEP * taken).max(2.0 * self.wave(4));
        if blocked && !held && self.told >= self.next_failure {
            self.next_job += 3 + (self.noise(self.next_job) * 9.0) as u64;
            self.failed.push(Failed { id: self.next_job, at: self.told, attempts: 3 });
            self.dead_letters += if self.next_job.is_multiple_of(3) { 1.0 } else { 0.0 };
            self.next_failure = self.told + 0.8 + 1.6 * self.noise(7 + self.next_job);
        }
        let told = self.told;
        let (over, running): (Vec<_>, Vec<_>) =
            self.retried.drain(..).partition(|(_, _, ends)| told >= *ends);
        self.retried = running;
        for (id, attempts, _) in over {
            // With orders still blocked a retry runs into the same timeout.
            if blocked {
                self.failed.push(Failed { id, at: told, attempts: attempts + 1 });
            }
        }
    }

    /// Terminates `backend`; false when it is not there (any more).
    pub(super) fn terminate(&mut self, backend: BackendId) -> bool {
        if backend == self.root() && self.told >= TROUBLE_AT && self.root_gone.is_none() {
            self.root_gone = Some(self.told);
            return true;
        }
        let before = self.waiters.len();
        let told: Vec<i64> = self.waiters.iter().map(|waiter| self.waiter_start(waiter)).collect();
        let mut starts = told.into_iter();
        self.waiters.retain(|waiter| {
            let start = starts.next();
            waiter.pid != backend.pid || start != Some(backend.backend_start_micros)
        });
        self.waiters.len() < before
    }

    /// Whether `backend` is still there.
    pub(super) fn has(&self, backend: BackendId) -> bool {
        (backend == self.root() && self.root_gone.is_none())
            || self.waiters.iter().any(|waiter| {
                waiter.pid == backend.pid && self.waiter_start(waiter) == backend.backend_start_micros
            })
    }

    /// When the session of a waiter began, microseconds since the epoch.
    pub(super) fn waiter_start(&self, waiter: &Waiter) -> i64 {
        self.micros(-60.0 * f64::from(waiter.pid % 17))
    }

    /// Puts a failed job back to waiting; false when it is not failed (any more).
    pub(super) fn retry(&mut self, id: &str) -> bool {
        let Some(at) = self.failed.iter().position(|job| job.id.to_string() == id) else {
            return false;
        };
        let job = self.failed.remove(at);
        self.retried.push((job.id, job.attempts, self.told + if self.blocked() { 4.0 } else { 0.5 }));
        true
    }

    /// Puts every dead letter back to its queue; how many those were.
    pub(super) fn redrive(&mut self) -> u64 {
        let letters = self.dead_letters.floor();
        self.dead_letters = 0.0;
        self.backlog += letters;
        letters as u64
    }

    /// Removes a failed job; false when it is not failed (any more).
    pub(super) fn remove(&mut self, id: &str) -> bool {
        let before = self.failed.len();
        self.failed.retain(|job| job.id.to_string() != id);
        self.failed.len() < before
    }

    /// Jobs that the workers of the mails hold.
    pub(super) fn working(&self) -> u64 {
        match (self.paused.contains(MAILS), self.blocked()) {
            (true, _) => 0,
            (false, true) => 5,
            (false, false) => 2,
        }
    }

    /// Retried jobs that have not ended.
    pub(super) fn retrying(&self) -> usize {
        self.retried.len()
    }

    /// Whether job `id` is failed now.
    pub(super) fn is_failed(&self, id: &str) -> bool {
        self.failed.iter().any(|job| job.id.to_string() == id)
    }

    /// Whether job `id` was retried and has not ended.
    pub(super) fn is_running(&self, id: &str) -> bool {
        self.retried.iter().any(|(job, _, _)| job.to_string() == id)
    }

    /// The age of something that was so at `seconds` after the start.
    pub(super) fn age(&self, seconds: f64) -> Duration {
        Duration::from_secs_f64((self.told - seconds).max(0.0))
    }
}

/// The queue that suffers.
pub(super) const MAILS: &str = "order-mails";

#[cfg(test)]
mod tests {
    use super::*;

    fn at(sim: &mut Sim, second: u64) {
        sim.advance(Now::example(second));
    }

    #[test]
    fn the_incident_unfolds_within_a_minute_and_ends_with_the_root() {
        let mut sim = Sim::new(1, Now::example(0));
        at(&mut sim, 5);
        assert!(sim.waiters.is_empty() && sim.failed.is_empty());
        at(&mut sim, 60);
        assert_eq!(sim.waiters.len(), MOST_WAITERS);
        assert!(sim.failed.len() > 10 && sim.lag_bytes > 1e8 && sim.node_away());
        let wrong = BackendId { backend_start_micros: 1, ..sim.root() };
        assert!(!sim.terminate(wrong), "a reused pid is somebody else");
        assert!(sim.terminate(sim.root()));
        assert!(!sim.terminate(sim.root()), "gone is gone");
        at(&mut sim, 90);
        assert!(sim.waiters.is_empty() && !sim.node_away() && sim.lag_bytes < 1e6 && sim.backlog < 10.0);
        let ids: Vec<String> = sim.failed.iter().map(|job| job.id.to_string()).collect();
        assert!(ids.iter().all(|id| sim.retry(id)));
        at(&mut sim, 95);
        assert!(sim.failed.is_empty() && sim.retrying() == 0);
    }

    #[test]
    fn a_retry_while_orders_are_blocked_fails_again() {
        let mut sim = Sim::new(1, Now::example(0));
        at(&mut sim, 40);
        let id = sim.failed[0].id.to_string();
        assert!(sim.retry(&id) && !sim.retry(&id));
        at(&mut sim, 50);
        assert!(sim.is_failed(&id));
    }

    #[test]
    fn the_same_seed_is_the_same_story() {
        let mut one = Sim::new(7, Now::example(0));
        let mut two = Sim::new(7, Now::example(0));
        at(&mut one, 45);
        (1..=45).for_each(|second| at(&mut two, second));
        assert_eq!(format!("{one:?}"), format!("{two:?}"));
        let mut other = Sim::new(8, Now::example(0));
        at(&mut other, 45);
        assert_ne!(one.root(), other.root());
    }
}
