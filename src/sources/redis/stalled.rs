//! What a queue's counts do not tell: jobs in progress that no worker holds any more, and schedulers whose next job is gone. Looked for
//! every few seconds, a few queues at a time.

use super::connection::Connection;
use super::decode::{list, number, scored, text};
use crate::core::redis::{QueueReading, QueueRef};
use crate::core::time::Now;
use redis::{RedisError, Value, pipe};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A queue's jobs in progress, and its schedulers, are looked at this often.
const JOBS_EACH: Duration = Duration::from_secs(5);
const SCHEDULERS_EACH: Duration = Duration::from_secs(30);
/// Of a queue's jobs in progress the oldest ones are looked at, and in one poll so many altogether.
const OLDEST: i64 = 50;
const EACH_POLL: u64 = 300;
/// Schedulers of one queue that are told.
const LATE: i64 = 20;
/// A scheduler is late from here on.
const GRACE_MS: i64 = 60_000;

/// The last look at one queue.
#[derive(Debug, Default)]
struct Inspection {
    jobs_at: Option<Now>,
    /// Jobs without a lock: libraries before BullMQ 5 move a job first and lock it then, so one look alone tells nothing.
    unlocked: BTreeSet<String>,
    stalled: u64,
    /// What lies among the jobs in progress and is none: it wakes the workers of BullMQ 3 and 4, and stays where one died over it.
    markers: u64,
    schedulers_at: Option<Now>,
    late: Vec<(String, Duration)>,
}

/// The last looks.
#[derive(Debug, Default)]
pub(super) struct Stalled(BTreeMap<QueueRef, Inspection>);

impl Stalled {
    /// Fills in what is known, after a look at those whose turn it is.
    ///
    /// # Errors
    /// When it may not be asked: what is known stands.
    pub(super) async fn look(
        &mut self,
        connection: &mut Connection,
        readings: &mut [QueueReading],
        (now, millis): (Now, i64),
    ) -> Result<(), RedisError> {
        let result = self.read(connection, readings, (now, millis)).await;
        for reading in readings {
            let look = self.0.entry(reading.queue.clone()).or_default();
            reading.active = reading.active.saturating_sub(look.markers);
            (reading.stalled, reading.late) = (look.stalled.min(reading.active), look.late.clone());
        }
        result
    }

    /// Forgets queues that are gone.
    pub(super) fn retain(&mut self, there: &BTreeSet<&QueueRef>) {
        self.0.retain(|queue, _| there.contains(queue));
    }

    async fn read(
        &mut self,
        connection: &mut Connection,
        readings: &[QueueReading],
        (now, millis): (Now, i64),
    ) -> Result<(), RedisError> {
        let due = |at: Option<Now>, each: Duration| at.is_none_or(|at| now.since(at) >= each);
        let (mut ask, mut jobs, mut schedulers, mut left) = (pipe(), Vec::new(), Vec::new(), EACH_POLL);
        ask.ignore_errors();
        for reading in readings {
            let look = self.0.entry(reading.queue.clone()).or_default();
            if reading.active == 0 {
                (look.unlocked, look.stalled, look.markers) = (BTreeSet::new(), 0, 0);
            } else if due(look.jobs_at, JOBS_EACH) && left > 0 {
                left = left.saturating_sub(reading.active.min(OLDEST as u64));
                look.jobs_at = Some(now);
                jobs.push(&reading.queue);
                ask.cmd("LRANGE").arg(reading.queue.key("active")).arg(-OLDEST).arg(-1);
            }
        }
        for reading in readings {
            let look = self.0.entry(reading.queue.clone()).or_default();
            if due(look.schedulers_at, SCHEDULERS_EACH) {
                look.schedulers_at = Some(now);
                schedulers.push(&reading.queue);
                ask.cmd("ZRANGEBYSCORE").arg(reading.queue.key("repeat")).arg("-inf").arg(millis - GRACE_MS);
                ask.arg("WITHSCORES").arg("LIMIT").arg(0).arg(LATE);
            }
        }
        if jobs.is_empty() && schedulers.is_empty() {
            return Ok(());
        }
        let found: Vec<Value> = ask.query_async(connection).await?;
        let (mut ask, mut asked) = (pipe(), false);
        ask.ignore_errors();
        let ids: Vec<Vec<String>> =
            found[..jobs.len()].iter().map(|value| list(value).iter().filter_map(text).collect()).collect();
        for (queue, ids) in jobs.iter().zip(&ids) {
            for id in ids {
                ask.cmd("EXISTS").arg(format!("{}:lock", queue.key(id)));
                asked = true;
            }
        }
        let late: Vec<Vec<(String, f64)>> = found[jobs.len()..].iter().map(scored).collect();
        for (queue, late) in schedulers.iter().zip(&late) {
            for (id, score) in late {
                // One of an older library has no hash of its own: how its jobs are named is not known.
                ask.cmd("EXISTS").arg(queue.key(&format!("repeat:{id}")));
                ask.cmd("EXISTS").arg(queue.key(&format!("repeat:{id}:{score:.0}")));
                asked = true;
            }
        }
        let answers: Vec<Value> = if asked { ask.query_async(connection).await? } else { Vec::new() };
        let mut answers = answers.iter().map(number);
        for (queue, ids) in jobs.into_iter().zip(ids) {
            let unlocked: BTreeSet<String> =
                ids.into_iter().filter(|_| answers.next().flatten() == Some(0)).collect();
            if let Some(look) = self.0.get_mut(queue) {
                let (markers, jobs): (Vec<_>, Vec<_>) =
                    unlocked.intersection(&look.unlocked).partition(|id| id.starts_with("0:"));
                (look.stalled, look.markers) = (jobs.len() as u64, markers.len() as u64);
                look.unlocked = unlocked;
            }
        }
        for (queue, late) in schedulers.into_iter().zip(late) {
            let gone = late.into_iter().filter_map(|(id, score)| {
                let (of_its_own, made) = (answers.next().flatten(), answers.next().flatten());
                let by = Duration::from_millis((millis - score as i64).unsigned_abs());
                (of_its_own == Some(1) && made == Some(0)).then_some((id, by))
            });
            let gone = gone.collect();
            if let Some(look) = self.0.get_mut(queue) {
                look.late = gone;
            }
        }
        Ok(())
    }
}
