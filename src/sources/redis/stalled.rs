//! What a queue's counts do not tell: jobs in progress that no worker holds any more. Looked for every few seconds, a few queues at a time.

use super::connection::Connection;
use super::decode::{list, number, text};
use super::refused;
use crate::core::redis::{QueueReading, QueueRef, Unread};
use crate::core::time::Now;
use redis::{RedisError, Value, pipe};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A queue's jobs in progress are looked at this often.
const JOBS_EACH: Duration = Duration::from_secs(5);
/// Of a queue's jobs in progress the oldest ones are looked at, and in one poll so many altogether.
const OLDEST: i64 = 50;
const EACH_POLL: u64 = 300;

/// The last look at one queue.
#[derive(Debug, Default)]
struct Inspection {
    jobs_at: Option<Now>,
    /// Jobs without a lock: libraries before BullMQ 5 move a job first and lock it then, so one look alone tells nothing.
    unlocked: BTreeSet<String>,
    stalled: u64,
    /// What lies among the jobs in progress and is none: it wakes the workers of BullMQ 3 and 4, and stays where one died over it.
    markers: u64,
    /// The server's words, where it refused a part of it: what was known then stands.
    refused: Option<String>,
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
        now: Now,
    ) -> Result<(), RedisError> {
        let result = self.read(connection, readings, now).await;
        for reading in readings {
            let look = self.0.entry(reading.queue.clone()).or_default();
            reading.active = reading.active.saturating_sub(look.markers);
            reading.stalled = look.stalled.min(reading.active);
            if let Some(words) = &look.refused {
                reading.refuse(Unread::InProgress, words);
            }
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
        now: Now,
    ) -> Result<(), RedisError> {
        let due = |at: Option<Now>| at.is_none_or(|at| now.since(at) >= JOBS_EACH);
        let (mut ask, mut jobs, mut left) = (pipe(), Vec::new(), EACH_POLL);
        ask.ignore_errors();
        for reading in readings {
            let look = self.0.entry(reading.queue.clone()).or_default();
            if reading.active == 0 {
                *look = Inspection { jobs_at: look.jobs_at, ..Inspection::default() };
            } else if due(look.jobs_at) && left > 0 {
                left = left.saturating_sub(reading.active.min(OLDEST as u64));
                look.jobs_at = Some(now);
                jobs.push(&reading.queue);
                ask.cmd("LRANGE").arg(reading.queue.key("active")).arg(-OLDEST).arg(-1);
            }
        }
        if jobs.is_empty() {
            return Ok(());
        }
        let found: Vec<Value> = ask.query_async(connection).await?;
        let (mut ask, mut asked) = (pipe(), false);
        ask.ignore_errors();
        let ids: Vec<Vec<String>> =
            found.iter().map(|value| list(value).iter().filter_map(text).collect()).collect();
        for (queue, ids) in jobs.iter().zip(&ids) {
            for id in ids {
                ask.cmd("EXISTS").arg(format!("{}:lock", queue.key(id)));
                asked = true;
            }
        }
        let answers: Vec<Value> = if asked { ask.query_async(connection).await? } else { Vec::new() };
        let mut answers = answers.as_slice();
        for ((queue, ids), listed) in jobs.into_iter().zip(ids).zip(&found) {
            let (locks, rest) = answers.split_at(ids.len().min(answers.len()));
            answers = rest;
            let free = |(id, lock): (String, &Value)| (number(lock) == Some(0)).then_some(id);
            let unlocked: BTreeSet<String> = ids.into_iter().zip(locks).filter_map(free).collect();
            if let Some(look) = self.0.get_mut(queue) {
                look.refused = refused::first(std::slice::from_ref(listed)).or_else(|| refused::first(locks));
                if look.refused.is_some() {
                    continue;
                }
                let (markers, jobs): (Vec<_>, Vec<_>) =
                    unlocked.intersection(&look.unlocked).partition(|id| id.starts_with("0:"));
                (look.stalled, look.markers) = (jobs.len() as u64, markers.len() as u64);
                look.unlocked = unlocked;
            }
        }
        Ok(())
    }
}
