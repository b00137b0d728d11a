//! What follows from several readings of one Redis target: rates between two readings of the same run, histories, growth.

use super::{
    CommandRate, QueueReading, QueueRef, Reasons, RedisReading, RedisServer, RedisSettings, ServerDetail,
    Troubles, Turned, command_rates,
};
use crate::core::history::Series;
use crate::core::part::Warm;
use crate::core::rate::{self, Meter, Window};
use crate::core::time::Now;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// Dead letters count as growing while there are more than this long ago.
const GROWTH_WINDOW: Duration = Duration::from_secs(60);
/// Growth is over after this long without any.
const GROWTH_ENDS_AFTER: Duration = Duration::from_secs(60);
/// Fewer failures than this within five minutes do not make a failing queue.
pub(super) const FAILING_FROM: u64 = 3;
/// Nor does a smaller share than this of the jobs that end.
const FAILING_SHARE: f64 = 0.1;
/// Queues that are gone are forgotten after this long without them.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(60);

/// Rates between the last two readings of the same run of the server.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RedisRates {
    /// Share of look-ups that hit, 0–1, when there were at least 100 of them.
    pub hit_ratio: Option<f64>,
    /// Error replies per second by their first word.
    pub errors: BTreeMap<String, f64>,
}

/// The recent past of one queue.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QueueHistory {
    /// Jobs ready to be worked on.
    pub backlog: Series,
    /// Jobs given up.
    pub dead: Series,
    /// Jobs added per second, less those that were thrown away; needs two readings.
    pub added_per_second: Option<f64>,
    /// The same over time.
    pub added: Series,
    /// Jobs that left the line per second: what was added less what the line grew by. Retried jobs make it too small.
    pub taken: Series,
    /// How many more dead letters there are than [`GROWTH_WINDOW`] ago.
    pub grown: u64,
    /// Since when dead letters have been growing.
    pub growing_since: Option<Now>,
    /// Since when there is a backlog and nobody works on it.
    pub idle_since: Option<Now>,
    /// Since when a good part of the jobs that end fail.
    pub failing_since: Option<Now>,
    /// Since when there are jobs in progress whose worker's lock has run out.
    pub stalled_since: Option<Now>,
    /// In which ways its jobs failed.
    pub reasons: Reasons,
    samples: VecDeque<(Now, u64)>,
    last_growth: Option<Now>,
    missing_since: Option<Now>,
    /// Jobs that were thrown away after the counter of added ones had been read.
    early: f64,
    /// When it was read last.
    read_at: Option<Now>,
}

impl QueueHistory {
    /// For how long there has been no new dead letter, while the rule about them still holds on.
    #[must_use]
    pub fn clear_for(&self, now: Now) -> Duration {
        self.last_growth.map_or(Duration::ZERO, |at| now.since(at))
    }

    /// What was counted from poll to poll begins anew.
    fn interrupt(&mut self) {
        self.each(Series::interrupt);
        self.samples.clear();
        (self.growing_since, self.last_growth, self.idle_since) = (None, None, None);
        (self.failing_since, self.stalled_since) = (None, None);
    }

    fn each(&mut self, change: impl Fn(&mut Series)) {
        [&mut self.backlog, &mut self.dead, &mut self.added, &mut self.taken].into_iter().for_each(change);
    }

    /// Jobs per second that came and stayed, of which `added` are by the counter. It is read a moment before the events that tell what was
    /// thrown away, so that a job may be among these first.
    fn came(
        &mut self,
        added: f64,
        old: Option<&Warm<QueueReading>>,
        queue: &QueueReading,
        elapsed: Duration,
    ) -> f64 {
        let before = old.and_then(|old| old.happened.ready()).map(|happened| happened.thrown_total);
        let after = queue.happened.ready().map(|happened| happened.thrown_total);
        let thrown = before.zip(after).map_or(0.0, |(before, after)| after.saturating_sub(before) as f64);
        let jobs = (added * elapsed.as_secs_f64()).round();
        let came = (jobs - thrown - self.early).max(0.0);
        self.early = (thrown - jobs).max(0.0);
        came / elapsed.as_secs_f64()
    }

    /// Takes in a reading, after `old` so long before it.
    fn absorb(&mut self, queue: &Warm<QueueReading>, window: &Window<Option<&Warm<QueueReading>>>, now: Now) {
        self.backlog.push(now, Some(queue.backlog() as f64));
        self.dead.push(now, Some(queue.dead() as f64));
        let line = |queue: &QueueReading| {
            (queue.waiting + queue.prioritized + queue.delayed + queue.waiting_children) as f64
        };
        let taken = match window {
            Window::Early => self.taken.last(),
            Window::Nothing => {
                self.added_per_second = None;
                None
            }
            Window::Over(old, elapsed) => {
                let elapsed = old.map_or(*elapsed, |old| queue.read_at.since(old.read_at));
                let added =
                    old.and_then(|old| rate::per_second(old.added_total?, queue.added_total?, elapsed));
                self.added_per_second = added.map(|added| self.came(added, *old, queue, elapsed));
                let grown = old.map(|old| (line(queue) - line(old)) / elapsed.as_secs_f64());
                self.added_per_second.zip(grown).map(|(added, grown)| (added - grown).max(0.0))
            }
        };
        self.added.push(now, self.added_per_second);
        self.taken.push(now, taken);
        let dead = queue.dead();
        if self.samples.back().is_some_and(|(_, last)| dead > *last) {
            self.last_growth = Some(now);
            self.growing_since.get_or_insert(now);
        }
        self.samples.push_back((now, dead));
        while self.samples.len() > 1
            && self.samples.get(1).is_some_and(|(at, _)| now.since(*at) >= GROWTH_WINDOW)
        {
            self.samples.pop_front();
        }
        self.grown = self.samples.front().map_or(0, |(_, first)| dead.saturating_sub(*first));
        if self.last_growth.is_none_or(|at| now.since(at) > GROWTH_ENDS_AFTER) {
            self.growing_since = None;
        }
        if let Some(happened) = queue.happened.ready() {
            self.reasons.absorb(&happened.reason, now);
        }
        // It begins with several failures, and lasts while any is left of them: a quiet queue has few within a window.
        let least = if self.failing_since.is_some() { 1 } else { FAILING_FROM };
        let fails =
            queue.failures() >= least && queue.failing_share().is_some_and(|share| share >= FAILING_SHARE);
        self.failing_since = if fails { self.failing_since.or(Some(now)) } else { None };
        self.stalled_since = if queue.stalled > 0 { self.stalled_since.or(Some(now)) } else { None };
        let held = !queue.has_workers() && queue.active > 0;
        let idle = queue.unattended() > 0
            && (!queue.paused || held)
            && queue.dead_letter.is_none()
            && queue.limited_for.is_none();
        self.idle_since = if idle { self.idle_since.or(Some(now)) } else { None };
    }
}

/// The latest reading of a target and everything derived from it and its predecessors.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RedisState {
    /// What the configuration says.
    pub settings: RedisSettings,
    /// The newest reading and when it was made.
    pub latest: Option<(Now, Arc<RedisReading>)>,
    /// Rates of the newest interval.
    pub rates: RedisRates,
    /// What it refused or threw away within the last minute.
    pub troubles: Troubles,
    /// What happened to it.
    pub turned: Turned,
    /// Memory in use over time, bytes.
    pub memory: Series,
    /// Commands per second over time.
    pub ops: Series,
    /// Hit ratio over time.
    pub hits: Series,
    /// What commands did between the last two looks at the server's details.
    pub commands: Vec<CommandRate>,
    /// Since when one script has held the server.
    pub busy_since: Option<Now>,
    detail: Option<Warm<ServerDetail>>,
    meter: Meter<Arc<RedisReading>>,
    /// Every queue's past.
    pub queues: BTreeMap<QueueRef, QueueHistory>,
}

impl RedisState {
    /// The state of a target that was not asked yet.
    #[must_use]
    pub fn new(settings: RedisSettings) -> Self {
        Self { settings, ..Self::default() }
    }

    /// The newest reading.
    #[must_use]
    pub fn reading(&self) -> Option<&RedisReading> {
        self.latest.as_ref().map(|(_, reading)| &**reading)
    }

    /// The newest reading of `queue`.
    #[must_use]
    pub fn queue(&self, queue: &QueueRef) -> Option<&Warm<QueueReading>> {
        self.reading()?.queues.ready()?.iter().find(|reading| reading.queue == *queue)
    }

    /// Takes in a new reading: derives rates against its predecessor over the measured time between them.
    pub fn absorb(&mut self, mut reading: RedisReading, now: Now) {
        let before = self.latest.take();
        if let Some((_, old)) = &before {
            let newer = std::mem::replace(&mut reading.queues, old.queues.clone());
            reading.queues.renew(newer);
        }
        let server = &reading.server;
        if before.as_ref().is_some_and(|(_, old)| old.server.run_id != server.run_id) {
            self.meter.begin_anew();
        }
        let window = self.meter.window(before, now);
        match &window {
            Window::Early => {}
            Window::Nothing => {
                self.rates = RedisRates::default();
                self.troubles = Troubles::default();
            }
            Window::Over(old, elapsed) => {
                self.rates = rates(&old.server, server, *elapsed);
                self.troubles.count(&old.server, server, *elapsed, now);
            }
        }
        self.turned.absorb(&reading, now);
        self.busy_since = if reading.busy { self.busy_since.or(Some(now)) } else { None };
        self.memory.push(now, server.used_memory_bytes);
        self.ops.push(now, server.ops_per_second);
        self.hits.push(now, self.rates.hit_ratio);
        let before = match &window {
            Window::Over(old, _) => by_name(old),
            Window::Nothing | Window::Early => HashMap::new(),
        };
        for queue in reading.queues.ready().into_iter().flatten() {
            let history = self.queues.entry(queue.queue.clone()).or_default();
            history.missing_since = None;
            if history.read_at != Some(queue.read_at) {
                history.read_at = Some(queue.read_at);
                let old = before.get(&queue.queue).copied();
                history.absorb(queue, &window.map(|_| old), now);
            }
        }
        if reading.queues.ready().is_some() {
            let present = by_name(&reading);
            self.queues.retain(|queue, history| {
                let there = present.contains_key(queue);
                there || now.since(*history.missing_since.get_or_insert(now)) < FORGOTTEN_AFTER
            });
        }
        self.commands_of(reading.detail.as_ref());
        self.latest = Some((now, Arc::new(reading)));
    }

    fn commands_of(&mut self, detail: Option<&Warm<ServerDetail>>) {
        let Some(new) = detail else {
            self.detail = None;
            self.commands.clear();
            return;
        };
        let same = self.detail.as_ref().filter(|old| old.node == new.node);
        // Too soon, or not read this time: what commands did before holds on.
        if same.is_some_and(|old| new.read_at.since(old.read_at) < rate::LEAST_WINDOW) {
            return;
        }
        self.commands = same.map(|old| command_rates(old, new)).unwrap_or_default();
        self.detail = Some(new.clone());
    }

    /// Nobody was running for a while: what is counted from poll to poll begins anew.
    pub fn interrupt(&mut self) {
        self.meter.begin_anew();
        for series in [&mut self.memory, &mut self.ops, &mut self.hits] {
            series.interrupt();
        }
        self.queues.values_mut().for_each(QueueHistory::interrupt);
    }

    /// Notes that a poll failed: every history gets an explicit gap; the latest reading stays (its age is shown).
    pub fn gap(&mut self, now: Now) {
        self.memory.push(now, None);
        self.ops.push(now, None);
        self.hits.push(now, None);
        for history in self.queues.values_mut() {
            history.each(|series| series.push(now, None));
        }
    }
}

/// The queues of a reading.
fn by_name(reading: &RedisReading) -> HashMap<&QueueRef, &Warm<QueueReading>> {
    reading.queues.ready().into_iter().flatten().map(|queue| (&queue.queue, queue)).collect()
}

fn rates(old: &RedisServer, new: &RedisServer, elapsed: Duration) -> RedisRates {
    let grown = |before: Option<f64>, after: Option<f64>| rate::increase(before?, after?);
    let hits = grown(old.hits_total, new.hits_total);
    let misses = grown(old.misses_total, new.misses_total);
    RedisRates {
        hit_ratio: hits.zip(misses).and_then(|(hits, misses)| rate::ratio(hits, hits + misses, 100.0)),
        errors: new
            .errors_total
            .iter()
            .filter_map(|(word, count)| {
                let before = old.errors_total.get(word).copied().unwrap_or(0.0);
                let rate = rate::per_second(before, *count, elapsed)?;
                (rate > 0.0).then(|| (word.clone(), rate))
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::part::Part;

    /// A reading of one queue that was read just now.
    fn of(queue: QueueReading, now: Now) -> RedisReading {
        RedisReading { queues: Part::Ready(vec![Warm::new(now, queue)]), ..RedisReading::default() }
    }

    fn with_failed(failed: u64, second: u64) -> RedisReading {
        of(QueueReading { failed, ..QueueReading::default() }, Now::example(second))
    }

    #[test]
    fn growth_begins_with_the_first_increase_and_ends_a_minute_after_the_last() {
        let mut state = RedisState::default();
        let at = |state: &RedisState| state.queues[&QueueRef::default()].growing_since;
        for (second, failed) in [(0, 5), (10, 5), (20, 6), (40, 8), (70, 8)] {
            state.absorb(with_failed(failed, second), Now::example(second));
        }
        assert_eq!(at(&state), Some(Now::example(20)));
        assert_eq!(state.queues[&QueueRef::default()].grown, 3);
        state.absorb(with_failed(8, 101), Now::example(101));
        assert_eq!(at(&state), None);
    }

    #[test]
    fn a_quiet_queue_that_fails_goes_on_failing() {
        let mut state = RedisState::default();
        let mut at = |second: u64, failed: u64, completed: u64| {
            let happened = Part::Ready(super::super::Happened { completed, failed, ..Default::default() });
            let queue = QueueReading { happened, ..QueueReading::default() };
            state.absorb(of(queue, Now::example(second)), Now::example(second));
            state.queues[&QueueRef::default()].failing_since
        };
        assert_eq!(at(0, 2, 0), None);
        assert_eq!(at(10, 3, 0), Some(Now::example(10)));
        // One every two minutes: two of them within five minutes, then three again.
        assert_eq!(at(70, 2, 0), Some(Now::example(10)));
        assert_eq!(at(130, 3, 1), Some(Now::example(10)));
        assert_eq!(at(190, 2, 100), None);
        assert_eq!(at(250, 0, 0), None);
    }

    #[test]
    fn polls_that_come_too_soon_change_no_rate_and_forget_no_queue() {
        let mut state = RedisState::default();
        let absorb = |state: &mut RedisState, evicted: f64, added: f64, queues: usize, now: Now| {
            let queue = QueueReading { added_total: Some(added), ..QueueReading::default() };
            let reading = RedisReading {
                server: RedisServer { evicted_total: Some(evicted), ..RedisServer::default() },
                queues: Part::Ready(vec![Warm::new(now, queue); queues]),
                ..RedisReading::default()
            };
            state.absorb(reading, now);
        };
        let rates = |state: &RedisState| {
            (state.troubles.evicted.per_second(), state.queues[&QueueRef::default()].added_per_second)
        };
        absorb(&mut state, 10.0, 0.0, 1, Now::example(0));
        absorb(&mut state, 30.0, 5.0, 1, Now::example(10));
        for at in 1..=100 {
            let now = Now::example(10).plus(Duration::from_millis(at * 14));
            absorb(&mut state, 30.0, 5.0, usize::from(at < 50), now);
            assert_eq!(rates(&state), (Some(2.0), Some(0.5)), "{at}");
        }
        absorb(&mut state, 34.0, 6.0, 1, Now::example(12));
        assert_eq!(rates(&state), (Some(2.0), Some(0.5)));
        absorb(&mut state, 34.0, 6.0, 0, Now::example(14));
        absorb(&mut state, 34.0, 6.0, 0, Now::example(74));
        assert!(state.queues.is_empty(), "gone for a minute");
    }

    #[test]
    fn what_was_thrown_away_was_neither_added_nor_taken() {
        let mut state = RedisState::default();
        let mut at = |second: u64, added: f64, waiting: u64, thrown_total: u64| {
            let happened = Part::Ready(super::super::Happened { thrown_total, ..Default::default() });
            let queue =
                QueueReading { added_total: Some(added), waiting, happened, ..QueueReading::default() };
            state.absorb(of(queue, Now::example(second)), Now::example(second));
            let history = &state.queues[&QueueRef::default()];
            (history.added_per_second, history.taken.last())
        };
        at(0, 100.0, 3, 40);
        assert_eq!(at(10, 120.0, 3, 60), (Some(0.0), Some(0.0)), "all twenty were thrown away");
        // Two of the events came after the counter had been read.
        assert_eq!(at(20, 130.0, 3, 72), (Some(0.0), Some(0.0)));
        assert_eq!(at(30, 142.0, 3, 82), (Some(0.0), Some(0.0)), "nothing was taken meanwhile");
        assert_eq!(at(40, 172.0, 13, 92), (Some(2.0), Some(1.0)), "ten of twenty stayed in line");
        // The events could not be read in between, or begin anew.
        assert_eq!(at(50, 192.0, 13, 0), (Some(2.0), Some(2.0)));
        assert_eq!(at(60, 202.0, 13, 10), (Some(0.0), Some(0.0)));
    }

    #[test]
    fn a_queue_that_was_not_read_counts_nothing_anew() {
        let mut state = RedisState::default();
        let queue = |read_at: u64, added: f64| {
            let queue = QueueReading { added_total: Some(added), ..QueueReading::default() };
            of(queue, Now::example(read_at))
        };
        for (second, reading) in
            [(0, queue(0, 0.0)), (10, queue(10, 50.0)), (12, queue(10, 50.0)), (30, queue(30, 90.0))]
        {
            state.absorb(reading, Now::example(second));
        }
        let history = &state.queues[&QueueRef::default()];
        assert_eq!(history.added_per_second, Some(2.0), "twenty seconds, not eighteen");
        let columns = history.added.columns(9, Duration::from_secs(10));
        assert_eq!(columns, [None, Some(5.0), Some(2.0), Some(2.0)]);
    }

    #[test]
    fn rates_do_not_cross_a_restart() {
        let server = |run: &str, evicted: f64| RedisReading {
            server: RedisServer {
                run_id: run.into(),
                evicted_total: Some(evicted),
                ..RedisServer::default()
            },
            ..RedisReading::default()
        };
        let mut state = RedisState::default();
        state.absorb(server("a", 10.0), Now::example(0));
        state.absorb(server("a", 30.0), Now::example(10));
        assert_eq!(state.troubles.evicted.per_second(), Some(2.0));
        state.absorb(server("b", 50.0), Now::example(20));
        assert_eq!(state.troubles.evicted.per_second(), None);
    }
}
