//! The same to every job of a state that was there when it began: in short batches, with progress, stopped by the operator.

use super::jobs::meaning;
use super::{BETWEEN, QueueExecutor};
use crate::core::action::{ActionError, Outcome, Verdict};
use crate::core::redis::{Family, JobAct, JobState, QueueRef, Sweep};
use crate::sources::redis::connection::Connection;
use redis::{RedisError, Value, cmd};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

/// Jobs in one call of a script.
const BATCH: u64 = 100;
/// What belongs to a queue besides its jobs, in the order of `obliterate.lua`.
pub(super) const LEFT_OVER: [&str; 10] = [
    "waiting-children",
    "repeat",
    "id",
    "stalled",
    "stalled-check",
    "limiter",
    "metrics:completed",
    "metrics:completed:data",
    "metrics:failed",
    "metrics:failed:data",
];

/// Where the jobs of a state stand, and which of them were there at the beginning.
struct Walk {
    key: String,
    /// A list, taken from its tail; else a sorted set.
    list: bool,
    /// In a set ordered by the moment when a job ended: not later than this.
    until: Option<i64>,
    /// How many there were.
    there: u64,
    /// How many were left alone and stay in front.
    skip: u64,
    seen: u64,
}

/// What came of all jobs so far.
#[derive(Default)]
struct Tally {
    kinds: BTreeMap<&'static str, usize>,
    done: usize,
    all: usize,
}

impl Tally {
    fn words(&self) -> String {
        if self.all == 0 {
            return "there was no such job".to_owned();
        }
        let parts: Vec<String> = self.kinds.iter().map(|(what, count)| format!("{count} {what}")).collect();
        parts.join(", ")
    }
}

impl QueueExecutor {
    pub(super) async fn sweep(
        &self,
        connection: &mut Connection,
        queue: &QueueRef,
        what: Sweep,
    ) -> Result<Outcome, ActionError> {
        let family = self.owner(connection, queue).await?;
        if what == Sweep::Obliterate {
            self.switch(&self.scripts.pause, queue, "paused").await?;
            self.unschedule_all(connection, queue).await?;
        }
        let stops = self.stops.load(Ordering::Relaxed);
        let mut tally = Tally::default();
        let mut trouble = None;
        'all: for (state, act) in what.steps() {
            for mut walk in self.walks(connection, queue, state, what).await? {
                match self.walk(connection, (queue, family), act, &mut walk, &mut tally, stops).await {
                    Ok(true) => {}
                    Ok(false) => {
                        trouble = Some("stopped by you".to_owned());
                        break 'all;
                    }
                    Err(error) if tally.all == 0 => return Err(error),
                    Err(error) => {
                        trouble = Some(format!("stopped: {error}"));
                        break 'all;
                    }
                }
            }
        }
        let mut words = tally.words();
        let mut whole = tally.done == tally.all && trouble.is_none();
        if let Some(trouble) = &trouble {
            words.push_str(&format!("; {trouble}"));
        } else if what == Sweep::Obliterate {
            let end = self.obliterate(connection, queue).await?;
            whole = end == "the queue is gone";
            words.push_str(&format!("; {end}"));
        }
        let verdict = match (whole, tally.done) {
            (true, 0) if what != Sweep::Obliterate => Verdict::Nothing,
            (true, _) => Verdict::Done,
            (false, 0) => Verdict::Nothing,
            (false, _) => Verdict::Partly,
        };
        Ok(Outcome { verdict, summary: format!("queue {queue}: {words}"), details: Vec::new() })
    }

    /// The places in which jobs of this state stand.
    async fn walks(
        &self,
        connection: &mut Connection,
        queue: &QueueRef,
        state: JobState,
        what: Sweep,
    ) -> Result<Vec<Walk>, ActionError> {
        let now = self.server_now(connection).await?;
        let older = i64::try_from(what.older().as_millis()).unwrap_or(i64::MAX / 2);
        let ended = matches!(state, JobState::Completed | JobState::Failed);
        let until = ended.then_some(now.saturating_sub(older));
        let keys: &[&str] = match state {
            JobState::Waiting => &["wait", "paused"],
            JobState::Prioritized => &["prioritized"],
            JobState::Delayed => &["delayed"],
            JobState::Active => &[],
            JobState::Completed => &["completed"],
            JobState::Failed => &["failed"],
        };
        let mut walks = Vec::new();
        for suffix in keys {
            let (key, list) = (queue.key(suffix), state == JobState::Waiting);
            let mut count = cmd(if list { "LLEN" } else { "ZCARD" });
            if let Some(until) = until {
                count = cmd("ZCOUNT").arg(&key).arg("-inf").arg(until).to_owned();
            } else {
                count.arg(&key);
            }
            let there: u64 = self.answer(count.query_async(connection)).await?;
            walks.push(Walk { key, list, until, there, skip: 0, seen: 0 });
        }
        Ok(walks)
    }

    /// Goes through one place; false when the operator stopped it.
    async fn walk(
        &self,
        connection: &mut Connection,
        (queue, family): (&QueueRef, Family),
        act: JobAct,
        walk: &mut Walk,
        tally: &mut Tally,
        stops: u64,
    ) -> Result<bool, ActionError> {
        while walk.seen < walk.there {
            if self.stops.load(Ordering::Relaxed) != stops {
                return Ok(false);
            }
            let found = self.answer(walk.next(connection)).await?;
            if found.is_empty() {
                break;
            }
            let (ids, markers): (Vec<String>, Vec<String>) =
                found.into_iter().partition(|id| !(walk.list && id.starts_with("0:")));
            walk.seen += (ids.len() + markers.len()) as u64;
            walk.skip += markers.len() as u64;
            if ids.is_empty() {
                continue;
            }
            let words = self.batch(connection, queue, family, &ids, act).await?;
            for word in words {
                let done = word == meaning("done", act);
                *tally.kinds.entry(word).or_default() += 1;
                tally.all += 1;
                tally.done += usize::from(done);
                walk.skip += u64::from(!done);
            }
            self.tell(format!("queue {queue}: {} of {} ({} done)", walk.seen, walk.there, tally.done));
            tokio::time::sleep(BETWEEN).await;
        }
        Ok(true)
    }
}

impl Walk {
    /// The next batch of ids; those that were left alone are passed over.
    async fn next(&self, connection: &mut Connection) -> Result<Vec<String>, RedisError> {
        let many = BATCH.min(self.there - self.seen);
        let (from, to) = (self.skip as i64, (self.skip + many) as i64 - 1);
        let ask = match (self.list, self.until) {
            (true, _) => cmd("LRANGE").arg(&self.key).arg(-to - 1).arg(-from - 1).to_owned(),
            (false, Some(until)) => {
                let mut range = cmd("ZRANGEBYSCORE");
                range.arg(&self.key).arg("-inf").arg(until).arg("LIMIT").arg(from).arg(many);
                range
            }
            (false, None) => cmd("ZRANGE").arg(&self.key).arg(from).arg(to).to_owned(),
        };
        let values: Vec<Value> = ask.query_async(connection).await?;
        let mut ids: Vec<String> =
            values.iter().filter_map(|value| redis::from_redis_value_ref(value).ok()).collect();
        if self.list {
            ids.reverse();
        }
        Ok(ids)
    }
}
