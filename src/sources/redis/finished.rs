//! How jobs end that nobody keeps: counted in the events that BullMQ writes, or in the metrics that a worker of Bull may keep. Without
//! that, a queue that works and one in which everything fails both look as if they did nothing.

use super::budget::Left;
use super::connection::Connection;
use super::decode::{list, number, text};
use super::events::{UNKNOWN_BYTES, event_sizes};
use super::thrown::{Discarded, Thrown, ThrownAway};
use crate::core::part::{Gap, GapKind, Part};
use crate::core::redis::{DoneBy, Happened, Masks, Payload, QueueReading, QueueRef};
use redis::{RedisError, Value, pipe};
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Duration;

/// Events read of one queue in one poll, and of all together; what is more is passed over, and said.
const MOST: usize = 2000;
const MOST_OF_ALL: usize = 20_000;
/// However many queues there are, each gets so many.
const LEAST: usize = 100;
/// Of a stream of which nothing is known yet, so many.
const FIRST: usize = 16;
/// So often in one poll those of which there is more are asked again.
const ROUNDS: usize = 3;
/// Whoever is further behind than so many milliseconds passes over the rest; else it catches up within a few polls.
const BEHIND: i64 = 90_000;
const CATCHES_UP: i64 = 5_000;
/// After so many answers in a row that no connection carries, events are left alone for so many milliseconds.
const CHOKED: u32 = 3;
const REST: i64 = 600_000;
/// How far back the first look at a stream goes.
const MINUTE: i64 = 60_000;
/// What is counted is that of so many seconds.
const WINDOW: i64 = 300;
/// So many ids of the newest failures are told.
const IDS: usize = 100;
/// Longer reasons are cut.
const REASON: usize = 300;

/// What ended within one second.
#[derive(Clone, Copy, Debug, Default)]
struct Second {
    at: i64,
    completed: u64,
    failed: u64,
    exhausted: u64,
    stalled: u64,
    thrown: Discarded,
}

/// How far the record of one queue was read, and what happened in it lately.
#[derive(Debug, Default)]
struct Seen {
    next: String,
    seconds: VecDeque<Second>,
    /// Why the newest failure failed, masked.
    reason: Payload,
    /// The newest jobs that failed, and when, in milliseconds.
    jobs: VecDeque<(String, i64)>,
    /// By deduplication id, jobs that were thrown away within the same time; and by the id of a job that they had, too.
    thrown: ThrownAway,
    twins: ThrownAway,
    /// So many of both since we look.
    thrown_total: Discarded,
    /// Until then, in milliseconds, something was passed over.
    lost_until: i64,
    /// There is more than was read: the next question goes on.
    behind: bool,
    /// Events at the last look, and the size of one, in bytes; by whichever is more of the stream's mean and of what came.
    came: usize,
    each: u64,
    sized: i64,
    /// Bull's counters of completed and failed jobs at the last look.
    counters: Option<(i64, i64)>,
}

/// What is known of the queues of one server.
#[derive(Debug, Default)]
pub(super) struct Finished {
    /// What of a reason is not shown.
    masks: Masks,
    seen: HashMap<QueueRef, Seen>,
    /// So often in a row the events were more than a connection carries, and until when they are left alone for that.
    choked: u32,
    rests_until: i64,
}

impl Finished {
    /// Nothing is known yet.
    pub(super) fn new(masks: Masks) -> Self {
        Self { masks, ..Self::default() }
    }

    /// Forgets those that are gone.
    pub(super) fn retain(&mut self, there: &BTreeSet<&QueueRef>) {
        self.seen.retain(|queue, _| there.contains(queue));
    }

    /// The deduplication ids of a queue for which jobs were thrown away lately.
    pub(super) fn thrown(&self, queue: &QueueRef) -> impl Iterator<Item = (&String, &Thrown)> {
        self.seen.get(queue).into_iter().flat_map(|seen| seen.thrown.ids())
    }

    /// The ids of jobs of a queue for which others of the same id were thrown away lately.
    pub(super) fn twins(&self, queue: &QueueRef) -> impl Iterator<Item = (&String, &Thrown)> {
        self.seen.get(queue).into_iter().flat_map(|seen| seen.twins.ids())
    }

    /// Counts what ended in every queue whose library writes it down; in the others only what is kept tells.
    pub(super) async fn count(
        &mut self,
        connection: &mut Connection,
        readings: &mut [QueueReading],
        left: &mut Left,
        now: i64,
    ) -> Result<(), RedisError> {
        if readings.is_empty() {
            return Ok(());
        }
        for reading in readings.iter() {
            let new = || Seen { next: format!("{}-0", now - MINUTE), ..Seen::default() };
            self.seen.entry(reading.queue.clone()).or_insert_with(new);
        }
        if now < self.rests_until {
            for reading in readings.iter_mut().filter(|reading| has_stream(reading)) {
                let note = "its events are too large to read (a job's return value is written into them)";
                reading.happened = Part::Unavailable(Gap::new(GapKind::Failed, note));
            }
            return Ok(());
        }
        self.size(connection, readings, now).await?;
        for seen in self.seen.values_mut().filter(|seen| seen.behind) {
            seen.lost_until = seen.lost_until.max(now + CATCHES_UP);
        }
        let (all, mut due) = (readings.len(), readings.iter_mut().collect::<Vec<_>>());
        for _ in 0..ROUNDS {
            self.read(connection, &mut due, (left, most_of_each(all)), now).await?;
            due.retain(|reading| self.seen.get(&reading.queue).is_some_and(|seen| seen.behind));
            if due.is_empty() {
                break;
            }
        }
        for reading in readings {
            told(reading);
        }
        Ok(())
    }

    /// One question for what happened since the last one, of each of these queues.
    async fn read(
        &mut self,
        connection: &mut Connection,
        readings: &mut [&mut QueueReading],
        (left, most): (&mut Left, usize),
        now: i64,
    ) -> Result<(), RedisError> {
        let counts = self.shares(readings, (left, most));
        let mut ask = pipe();
        ask.ignore_errors();
        for (reading, count) in readings.iter().zip(&counts) {
            let (queue, seen) = (&reading.queue, &self.seen[&reading.queue]);
            if has_stream(reading) {
                ask.cmd("XRANGE").arg(queue.key("events")).arg(&seen.next).arg("+").arg("COUNT").arg(count);
                // One answer of two, as for the others.
                ask.cmd("EXISTS").arg(queue.key("events"));
            } else {
                for counter in ["metrics:completed", "metrics:failed"] {
                    ask.cmd("HGET").arg(queue.key(counter)).arg("count");
                }
            }
        }
        let values = match ask.query_async::<Vec<Value>>(connection).await {
            Ok(values) => values,
            Err(error) => {
                if error.is_io_error() {
                    self.choke(now);
                }
                return Err(error);
            }
        };
        self.choked = 0;
        for ((reading, count), pair) in readings.iter_mut().zip(counts).zip(values.chunks(2)) {
            let (Some(seen), [first, second]) = (self.seen.get_mut(&reading.queue), pair) else { continue };
            reading.happened = if has_stream(reading) {
                seen.events(first, &self.masks, (count, most), now)
            } else {
                seen.metrics(first, second, now)
            };
        }
        Ok(())
    }

    /// What lies there was more than a connection carries: it is passed over, and where that happens again and again nothing is read for
    /// a while.
    fn choke(&mut self, now: i64) {
        self.choked += 1;
        if self.choked >= CHOKED {
            (self.choked, self.rests_until) = (0, now + REST);
        }
        for seen in self.seen.values_mut() {
            (seen.next, seen.lost_until, seen.behind) = (format!("{now}-0"), now + MINUTE, false);
        }
    }

    /// Learns how large events are on average, now and then. Where that may not be asked, few are read at first.
    async fn size(
        &mut self,
        connection: &mut Connection,
        readings: &[QueueReading],
        now: i64,
    ) -> Result<(), RedisError> {
        let due = |reading: &&QueueReading| {
            let seen = self.seen.get(&reading.queue);
            has_stream(reading) && seen.is_some_and(|seen| now - seen.sized >= MINUTE)
        };
        let due: Vec<&QueueRef> = readings.iter().filter(due).map(|reading| &reading.queue).collect();
        if due.is_empty() {
            return Ok(());
        }
        let sizes = event_sizes(connection, &due).await?;
        for (queue, (mean, length)) in due.into_iter().zip(sizes) {
            let Some(seen) = self.seen.get_mut(queue) else { continue };
            if seen.sized == 0 {
                // The first look is at what lies there.
                seen.came = usize::try_from(length).unwrap_or(MOST).min(MOST).div_ceil(4);
            }
            (seen.each, seen.sized) = (mean.unwrap_or_else(|| seen.each.max(UNKNOWN_BYTES)), now);
        }
        Ok(())
    }

    /// How many events are asked of which queue: some more than came last time, within half of what the poll may still read.
    fn shares(&self, readings: &[&mut QueueReading], (left, most): (&mut Left, usize)) -> Vec<usize> {
        let wish = |reading: &&mut QueueReading| match self.seen.get(&reading.queue) {
            Some(seen) if has_stream(reading) => ((seen.came * 4 + FIRST).min(most), seen.each.max(1)),
            _ => (0, 0),
        };
        let wishes: Vec<(usize, u64)> = readings.iter().map(wish).collect();
        let all: f64 = wishes.iter().map(|(count, each)| *count as f64 * *each as f64).sum();
        let scale = if all > 0.0 { (left.bytes() as f64 / 2.0 / all).min(1.0) } else { 1.0 };
        let counts = wishes.into_iter().map(|(count, each)| {
            let count = ((count as f64 * scale) as usize).max(1);
            left.some(each, count)
        });
        counts.collect()
    }
}

/// At most so many events of each of so many queues.
fn most_of_each(queues: usize) -> usize {
    (MOST_OF_ALL / queues.max(1)).clamp(LEAST, MOST)
}

/// Bull has no stream of events.
fn has_stream(reading: &QueueReading) -> bool {
    reading.evidence.family.generation() != 0
}

/// Bytes of a value.
const fn size(value: &Value) -> u64 {
    match value {
        Value::BulkString(bytes) => bytes.len() as u64,
        _ => 0,
    }
}

/// Completions of the last minute: by the kept ones, unless more is known to have happened.
fn told(reading: &mut QueueReading) {
    let Some(happened) = reading.happened.ready() else { return };
    if happened.completed_last_minute > reading.completed_last_minute || reading.completed == 0 {
        reading.completed_last_minute = happened.completed_last_minute;
        reading.done_by = if happened.at_least { DoneBy::AtLeast } else { DoneBy::Events };
    }
}

impl Seen {
    /// Takes in the newest events of a stream.
    fn events(
        &mut self,
        value: &Value,
        masks: &Masks,
        (asked, most): (usize, usize),
        now: i64,
    ) -> Part<Happened> {
        if let Value::ServerError(error) = value {
            let note = format!("events are not known ({}): needs +xrange", error.code());
            return Part::Unavailable(Gap::new(GapKind::NotPermitted, note));
        }
        let entries = list(value);
        let (mut newest, mut bytes) = (now, 0_u64);
        for entry in entries {
            let parts = list(entry);
            let Some(id) = parts.first().and_then(text) else { continue };
            let Some((ms, sequence)) = id.split_once('-') else { continue };
            let (Ok(ms), Ok(sequence)) = (ms.parse::<i64>(), sequence.parse::<u64>()) else { continue };
            self.next = format!("{ms}-{}", sequence + 1);
            newest = ms;
            let fields = parts.get(1).map(list).unwrap_or_default();
            bytes += fields.iter().map(size).sum::<u64>();
            let field = |name: &str| {
                let pair = fields.chunks(2).find(|pair| pair.first().and_then(text).as_deref() == Some(name));
                pair.and_then(|pair| pair.get(1)).and_then(text)
            };
            let event = field("event");
            self.thrown_total.add(event.as_deref());
            let second = self.second(ms / 1000);
            second.thrown.add(event.as_deref());
            match event.as_deref() {
                Some("completed") => second.completed += 1,
                Some("stalled") => second.stalled += 1,
                // A job that has used all its attempts is told twice.
                Some("retries-exhausted") => second.exhausted += 1,
                Some("failed") => {
                    second.failed += 1;
                    if let Some(reason) = field("failedReason") {
                        self.reason = masks.payload(reason).cut(REASON);
                    }
                    self.jobs.extend(field("jobId").map(|id| (id, ms)));
                    if self.jobs.len() > IDS {
                        self.jobs.pop_front();
                    }
                }
                Some("deduplicated") => self.thrown.add(field("deduplicationId").zip(field("jobId")), 0, ms),
                Some("duplicated") => self.twins.add(field("jobId").map(|id| (id.clone(), id)), 0, ms),
                Some("debounced") => self.thrown.add(field("debounceId").zip(field("jobId")), 1, ms),
                _ => {}
            }
        }
        self.came = if self.behind { self.came + entries.len() } else { entries.len() };
        self.behind = false;
        self.each = self.each.max(bytes.checked_div(entries.len() as u64).unwrap_or(0));
        if entries.len() >= asked {
            if asked >= most || now - newest > BEHIND {
                // More than one poll should carry: the rest is passed over, and said.
                self.next = format!("{now}-0");
                self.lost_until = now + MINUTE;
            } else {
                self.behind = true;
            }
        }
        Part::Ready(self.happened(now))
    }

    /// Takes in what the counters of Bull's metrics grew by since the last look; nothing where its workers keep none.
    fn metrics(&mut self, completed: &Value, failed: &Value, now: i64) -> Part<Happened> {
        if matches!((completed, failed), (Value::Nil, Value::Nil)) {
            return Part::NotAsked;
        }
        let count = |value: &Value| number(value).unwrap_or(0);
        let counters = (count(completed), count(failed));
        if let Some(before) = self.counters.replace(counters) {
            let grown = |before: i64, after: i64| u64::try_from(after - before).unwrap_or(0);
            let second = self.second(now / 1000);
            second.completed += grown(before.0, counters.0);
            second.failed += grown(before.1, counters.1);
        }
        Part::Ready(self.happened(now))
    }

    /// The newest second, a new one where `at` is later.
    fn second(&mut self, at: i64) -> &mut Second {
        if self.seconds.back().is_none_or(|newest| newest.at < at) {
            self.seconds.push_back(Second { at, ..Second::default() });
        }
        let newest = self.seconds.len() - 1;
        &mut self.seconds[newest]
    }

    fn happened(&mut self, now: i64) -> Happened {
        let second = now / 1000;
        while self.seconds.front().is_some_and(|first| first.at < second - WINDOW) {
            self.seconds.pop_front();
        }
        self.jobs.retain(|(_, at)| now - at <= WINDOW * 1000);
        self.thrown.forget(now - WINDOW * 1000);
        self.twins.forget(now - WINDOW * 1000);
        let ago = |at: i64| Duration::from_millis(u64::try_from(now - at).unwrap_or(0));
        let sum = |field: fn(&Second) -> u64| self.seconds.iter().map(field).sum::<u64>();
        let lately = self.seconds.iter().filter(|one| one.at >= second - MINUTE / 1000);
        let failed = sum(|one| one.failed).max(sum(|one| one.exhausted));
        Happened {
            completed_last_minute: lately.map(|one| one.completed).sum(),
            completed: sum(|one| one.completed),
            failed,
            stalled: sum(|one| one.stalled),
            thrown_away: self.seconds.iter().map(|one| one.thrown).sum::<Discarded>().jobs(),
            thrown_total: self.thrown_total.jobs(),
            reason: if failed > 0 { self.reason.clone() } else { Payload::default() },
            failed_jobs: self.jobs.iter().map(|(id, at)| (id.clone(), ago(*at))).collect(),
            at_least: self.behind || self.lost_until > now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: &str, event: &str) -> Value {
        self::event(id, &["event", event, "jobId", "7", "failedReason", "no such host=db-1"])
    }

    fn event(id: &str, fields: &[&str]) -> Value {
        let bulk = |text: &&str| Value::BulkString(text.as_bytes().to_vec());
        Value::Array(vec![bulk(&id), Value::Array(fields.iter().map(bulk).collect())])
    }

    #[test]
    fn what_ended_lately_and_where_to_go_on() {
        let mut seen = Seen::default();
        let look = |seen: &mut Seen, entries: Vec<Value>, now: i64| match seen.events(
            &Value::Array(entries),
            &Masks::new(&["host".to_owned()]),
            (MOST, MOST),
            now,
        ) {
            Part::Ready(happened) => happened,
            other => panic!("{other:?}"),
        };
        let events = vec![
            entry("10000-0", "completed"),
            entry("20000-3", "active"),
            entry("64000-0", "failed"),
            entry("64000-1", "retries-exhausted"),
            entry("64500-1", "stalled"),
            entry("65000-0", "completed"),
            event("65000-1", &["event", "debounced", "jobId", "7", "debounceId", "a"]),
            event("65000-2", &["event", "deduplicated", "jobId", "7", "deduplicationId", "a"]),
        ];
        let found = look(&mut seen, events, 66_000);
        assert_eq!((found.completed_last_minute, found.completed), (2, 2));
        assert_eq!((found.failed, found.stalled, &*found.reason), (1, 1, "no such host=•••"));
        assert_eq!((seen.next.as_str(), found.at_least), ("65000-3", false));
        // One release writes both names for one job.
        let thrown: Vec<_> =
            seen.thrown.ids().map(|(id, one)| (id.as_str(), one.holder.as_str(), one.jobs())).collect();
        assert_eq!(thrown, [("a", "7", 1)]);
        assert_eq!((found.thrown_away, found.thrown_total), (1, 1));
        assert_eq!(found.failed_jobs, vec![("7".to_owned(), Duration::from_secs(2))]);
        let found = look(&mut seen, Vec::new(), 80_000);
        assert_eq!((found.completed_last_minute, found.completed, found.failed), (1, 2, 1));
        let found = look(&mut seen, Vec::new(), 400_000);
        assert_eq!((found.completed, found.failed, &*found.reason), (0, 0, ""));
        assert_eq!((found.thrown_away, found.thrown_total), (0, 1));
        assert_eq!(found.failed_jobs, Vec::new());
        let many: Vec<Value> = (0..MOST).map(|n| entry(&format!("490000-{n}"), "completed")).collect();
        assert!(look(&mut seen, many, 490_500).at_least);
        assert_eq!((seen.next.as_str(), seen.lost_until), ("490500-0", 550_500));
    }

    #[test]
    fn bulls_counters_tell_from_the_second_look_on_and_only_where_they_are_kept() {
        let mut seen = Seen::default();
        let count = |value: i64| Value::BulkString(value.to_string().into_bytes());
        assert_eq!(seen.metrics(&Value::Nil, &Value::Nil, 1_000), Part::NotAsked);
        assert_eq!(seen.metrics(&count(500), &Value::Nil, 2_000), Part::Ready(Happened::default()));
        let found = seen.metrics(&count(503), &count(40), 4_000);
        assert!(found.ready().is_some_and(|found| (found.completed, found.failed) == (3, 40)), "{found:?}");
        // Somebody deleted them: nothing negative.
        let found = seen.metrics(&count(1), &count(41), 6_000);
        assert!(found.ready().is_some_and(|found| (found.completed, found.failed) == (3, 41)), "{found:?}");
    }
}
