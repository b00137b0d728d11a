//! What follows from several readings of one PostgreSQL server: rates, windows, histories, the lock forest. Pure.

use super::activity::Activity;
use super::blocking::{Forest, forest};
use super::departed::Departed;
use super::health::Health;
use super::locks::FirstSeen;
use super::pace::Pace;
use super::reading::{DatabaseCounters, PostgresReading};
use super::settings::PostgresSettings;
use super::slower::Means;
use super::totals::Totals;
use super::trends::Trends;
use super::turns::Turns;
use super::untold::Fact;
use super::window::{StatementWindow, StatementsDelta};
use crate::core::history::Series;
use crate::core::part::{Part, Warm};
use crate::core::rate::{LEAST_WINDOW, Meter, Window, increase, per_second, ratio};
use crate::core::time::Now;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// Cache hit and other windowed shares look back this far.
pub const WINDOW: Duration = Duration::from_secs(60);
/// Fewer blocks than this in the window say nothing about the cache.
pub const LEAST_BLOCKS: f64 = 1000.0;

/// Rates and windows at the newest reading; `None` where nothing can be said yet.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rates {
    /// Transactions per second.
    pub transactions: Option<f64>,
    /// Rolled back per second.
    pub rollbacks: Option<f64>,
    /// Rows changed per second.
    pub rows_changed: Option<f64>,
    /// Share of blocks found in the buffer cache, over [`WINDOW`].
    pub hit_ratio: Option<f64>,
    /// Bytes of temporary files per second, over [`WINDOW`].
    pub temp_bytes: Option<f64>,
    /// Deadlocks in [`WINDOW`].
    pub deadlocks: Option<f64>,
    /// Statements that a standby ended in [`WINDOW`], for they stood in the way of replay.
    pub conflicts: Option<f64>,
    /// Bytes of WAL per second, between the newest two looks.
    pub wal_bytes: Option<f64>,
    /// Checkpoints that were asked for, between the newest two looks, per second.
    pub requested_checkpoints: Option<f64>,
}

/// Why counters start anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setback {
    /// Another postmaster.
    Restarted,
    /// A standby became a primary, or the other way round.
    Promoted,
    /// A process died: the postmaster lives and says so nowhere, but its helpers are new and every session was ended.
    Crashed,
    /// Counters of a database fell, and nothing else happened: somebody reset them.
    Reset,
}

/// The past of the numbers that are drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histories {
    /// Transactions per second.
    pub transactions: Series,
    /// Hit ratio, 0–1.
    pub hit_ratio: Series,
    /// Client backends.
    pub connections: Series,
    /// Sessions that run something.
    pub active: Series,
    /// Sessions that wait for a lock.
    pub blocked: Series,
    /// WAL bytes per second.
    pub wal_bytes: Series,
    /// The largest replay lag in bytes.
    pub lag_bytes: Series,
}

impl Histories {
    fn each(&mut self, change: impl Fn(&mut Series)) {
        let all = [
            &mut self.transactions,
            &mut self.hit_ratio,
            &mut self.connections,
            &mut self.active,
            &mut self.blocked,
            &mut self.wal_bytes,
            &mut self.lag_bytes,
        ];
        all.into_iter().for_each(change);
    }
}

/// The latest reading of a server and everything derived from it and its predecessors.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PostgresState {
    /// What the configuration says.
    pub settings: PostgresSettings,
    /// The newest reading and when it was made.
    pub latest: Option<(Now, Arc<PostgresReading>)>,
    /// Who blocks whom in it.
    pub forest: Forest,
    /// Rates up to it.
    pub rates: Rates,
    /// The past.
    pub histories: Histories,
    /// What active sessions waited for.
    pub activity: Activity,
    /// Statements by what they did in the window.
    pub statements: StatementsDelta,
    /// The last break in what the server counts, and when it was noticed.
    pub setback: Option<(Now, Setback)>,
    /// What grows towards a limit.
    pub trends: Trends,
    /// How fast it writes WAL.
    pub pace: Pace,
    /// What statements took within the last hour.
    pub means: Means,
    /// Copies that are gone and subscriptions that are in trouble.
    pub departed: Departed,
    /// How long clients of its PgBouncer waited lately.
    pub turns: Turns,
    caught_up_at: Option<Now>,
    first_seen: FirstSeen,
    databases: Vec<DatabaseCounters>,
    totals: VecDeque<(Now, Totals)>,
    meter: Meter<Totals>,
    window: StatementWindow,
    health: Option<Warm<Health>>,
}

impl PostgresState {
    /// The state of a target that was not asked yet.
    #[must_use]
    pub fn new(settings: PostgresSettings) -> Self {
        Self { settings, ..Self::default() }
    }

    /// Takes in a new reading: derives rates against its predecessors over the measured time between them.
    pub fn absorb(&mut self, mut reading: PostgresReading, now: Now) {
        if let Some(setback) = self.reading().and_then(|before| setback(before, &reading)) {
            // What was counted before means nothing any more; the past that is drawn stays.
            let histories = std::mem::take(&mut self.histories);
            // Who does not come back after a restart is missed; whom a new primary feeds has yet to be seen.
            let departed = if setback == Setback::Promoted {
                Departed::default()
            } else {
                std::mem::take(&mut self.departed)
            };
            *self = Self { setback: Some((now, setback)), histories, departed, ..Self::default() };
        }
        // Without the sessions it is still known who waits for whom.
        let sessions = reading.sessions.ready().map_or(&[][..], Vec::as_slice);
        self.forest = Forest::default();
        if let Part::Ready(locks) = &mut reading.locks {
            let dated =
                |pid| sessions.iter().any(|session| session.id.pid == pid && session.query_age.is_some());
            self.first_seen.date(locks, dated, now);
            self.forest = forest(sessions, locks);
        }
        self.absorb_totals(&reading, now);
        self.absorb_health(&reading);
        self.means.wait(reading.sessions.ready().into_iter().flatten(), now);
        if let Part::Ready(statements) = &reading.statements
            && self.reading().and_then(|before| before.statements.read_at()) != Some(statements.read_at)
        {
            self.statements = self.window.absorb(statements);
            self.means.absorb(&self.statements, statements.read_at);
        }
        if let Part::Ready(sessions) = &reading.sessions {
            self.activity.absorb(sessions, now);
        }
        // Without a receiver nothing arrives: to have replayed all of it says nothing of the primary.
        if reading
            .standby
            .ready()
            .is_some_and(|standby| standby.streams() && standby.behind_bytes == Some(0.0))
        {
            self.caught_up_at = Some(now);
        }
        if let Part::Ready(senders) = &reading.senders {
            self.departed.senders(senders, now);
        }
        if let Part::Ready(pooler) = &reading.pooler {
            self.turns.absorb(pooler, now);
        }
        self.trends.absorb(&reading, now);
        self.remember(&reading, now);
        self.latest = Some((now, Arc::new(reading)));
    }

    /// Notes that a poll failed: every history gets an explicit gap; the latest reading stays (its age is shown).
    pub fn gap(&mut self, now: Now) {
        self.activity.gap(now);
        self.histories.each(|series| series.push(now, None));
    }

    /// Nobody was running for a while: what is counted from poll to poll begins anew.
    pub fn interrupt(&mut self) {
        self.activity.interrupt();
        self.histories.each(Series::interrupt);
        self.totals.clear();
        self.meter.begin_anew();
        self.window = StatementWindow::default();
        self.pace = Pace::default();
        self.caught_up_at = None;
    }

    /// The most seconds that this standby can be behind; none on a primary. The age of the newest replayed transaction alone is not that:
    /// on a quiet primary it grows although nothing is missing, and a few bytes on the way would make minutes of it. It is no more than
    /// the time since the standby was last seen to receive WAL and to have replayed all of it, also when its primary is gone since.
    #[must_use]
    pub fn standby_lag(&self) -> Option<f64> {
        let (at, reading) = self.latest.as_ref()?;
        let standby = reading.standby.ready()?;
        if standby.streams() && standby.behind_bytes == Some(0.0) {
            return Some(0.0);
        }
        let since = self.caught_up_at.map(|caught_up| at.since(caught_up).as_secs_f64());
        standby.staleness_seconds.into_iter().chain(since).min_by(f64::total_cmp)
    }

    /// The newest reading.
    #[must_use]
    pub fn reading(&self) -> Option<&PostgresReading> {
        self.latest.as_ref().map(|(_, reading)| &**reading)
    }

    /// How many wait for a lock; none when that could not be read.
    #[must_use]
    pub fn waiting(&self) -> Option<usize> {
        self.forest.waiting(self.reading()?)
    }

    fn absorb_totals(&mut self, reading: &PostgresReading, now: Now) {
        self.rates =
            Rates { hit_ratio: None, temp_bytes: None, deadlocks: None, conflicts: None, ..self.rates };
        let Some(databases) = reading.databases.ready() else {
            self.rates = Rates { transactions: None, rollbacks: None, rows_changed: None, ..self.rates };
            return;
        };
        let totals = Totals::of(databases);
        if let Some((_, before)) = self.totals.back()
            && !totals.grew_from(before)
        {
            self.totals.clear();
            self.meter.begin_anew();
            // A sum also falls when a database was dropped.
            let fell = |after: &DatabaseCounters| {
                let before = self.databases.iter().find(|before| before.name == after.name);
                let alone = |one: &DatabaseCounters| Totals::of(std::slice::from_ref(one));
                before.is_some_and(|before| !alone(after).grew_from(&alone(before)))
            };
            if databases.iter().any(fell) {
                self.setback = Some((now, Setback::Reset));
            }
        }
        self.databases.clone_from(databases);
        let rates = match self.meter.window(self.totals.back().copied(), now) {
            Window::Early => None,
            Window::Nothing => Some([None; 3]),
            Window::Over(before, elapsed) => Some(
                [
                    (before.transactions, totals.transactions),
                    (before.rollbacks, totals.rollbacks),
                    (before.rows_changed, totals.rows_changed),
                ]
                .map(|(before, after)| per_second(before, after, elapsed)),
            ),
        };
        if let Some([transactions, rollbacks, rows_changed]) = rates {
            self.rates = Rates { transactions, rollbacks, rows_changed, ..self.rates };
        }
        self.totals.push_back((now, totals));
        while self.totals.len() > 2 && self.totals.get(1).is_some_and(|(at, _)| now.since(*at) >= WINDOW) {
            self.totals.pop_front();
        }
        if let Some((at, first)) = self.totals.front().filter(|(at, _)| now.since(*at) >= LEAST_WINDOW) {
            let hits = totals.blocks_hit - first.blocks_hit;
            let reads = totals.blocks_read - first.blocks_read;
            self.rates.hit_ratio = ratio(hits, hits + reads, LEAST_BLOCKS);
            self.rates.temp_bytes = per_second(first.temp_bytes, totals.temp_bytes, now.since(*at));
            self.rates.deadlocks = increase(first.deadlocks, totals.deadlocks);
            self.rates.conflicts = increase(first.conflicts, totals.conflicts);
        }
    }

    fn absorb_health(&mut self, reading: &PostgresReading) {
        let Part::Ready(health) = &reading.health else {
            return;
        };
        if let Some(before) = &self.health {
            let elapsed = health.read_at.since(before.read_at);
            if elapsed < LEAST_WINDOW {
                return;
            }
            let rate = |before: Option<f64>, after: Option<f64>| per_second(before?, after?, elapsed);
            self.rates.wal_bytes = rate(before.wal_position, health.wal_position);
            self.rates.requested_checkpoints =
                rate(before.checkpoints_requested, health.checkpoints_requested);
        }
        if let Some(position) = health.wal_position {
            self.pace.absorb(position, health.read_at);
        }
        if let Part::Ready(all) = &health.subscriptions {
            self.departed.subscriptions(all, health.read_at);
        }
        self.health = Some(health.clone());
    }

    fn remember(&mut self, reading: &PostgresReading, now: Now) {
        let waiting = self.forest.waiting(reading).map(|waiting| waiting as f64);
        let sessions = reading.sessions.ready();
        let count = |pick: fn(&super::Session) -> bool| {
            sessions.map(|all| all.iter().filter(|session| pick(session)).count() as f64)
        };
        let histories = &mut self.histories;
        histories.transactions.push(now, self.rates.transactions);
        histories.hit_ratio.push(now, self.rates.hit_ratio);
        histories.connections.push(now, reading.slots.ready().map(|slots| slots.used as f64));
        let runs =
            |session: &super::Session| session.is_client() && session.state == super::SessionState::Active;
        histories.active.push(now, count(runs).filter(|_| reading.server.reads_all_stats));
        histories.blocked.push(now, waiting);
        histories.wal_bytes.push(now, self.rates.wal_bytes);
        histories.lag_bytes.push(now, lag_bytes(reading));
    }
}

/// What broke the counters between two readings, if the server itself did. The postmaster survives the death of a backend, so that its
/// start does not move; the checkpointer, which lives as long as the server runs undisturbed, is a new one.
fn setback(before: &PostgresReading, after: &PostgresReading) -> Option<Setback> {
    // (Where it is not told it is 0.)
    let (began, begins) = (before.server.started_micros, after.server.started_micros);
    if began != begins && began > 0 && begins > 0 {
        return Some(Setback::Restarted);
    }
    // (A server that does not tell what it is now has not become another.)
    let told = |reading: &PostgresReading| reading.server.untold(Fact::Recovery).is_none();
    if told(before) && told(after) && before.server.in_recovery != after.server.in_recovery {
        return Some(Setback::Promoted);
    }
    let checkpointer = |reading: &PostgresReading| {
        let sessions = reading.sessions.ready()?;
        let found = sessions.iter().find(|session| session.backend_type == "checkpointer")?;
        (found.id.backend_start_micros > 0).then_some(found.id)
    };
    let (old, new) = (checkpointer(before)?, checkpointer(after)?);
    (old != new).then_some(Setback::Crashed)
}

/// The largest number of bytes that any copy is behind: as the primary sees it, else as a standby sees itself.
#[must_use]
pub fn lag_bytes(reading: &PostgresReading) -> Option<f64> {
    let senders = reading.senders.ready().map(|senders| senders.iter().filter_map(|s| s.replay_bytes));
    let most = senders.and_then(|bytes| bytes.max_by(f64::total_cmp));
    most.or_else(|| reading.standby.ready().and_then(|standby| standby.behind_bytes))
}

#[cfg(test)]
mod tests;
