//! Changes that are one call each: a new job, other data, a limit, a scheduler.

use super::scripts::SCRIPTS;
use super::{RedisExecutor, sweep};
use crate::actions::stop::Stop;
use crate::core::action::{ActionError, Outcome, Verdict, Verification};
use crate::core::redis::{Change, QueueRef, Rhythm, Sweep, copied_options};
use crate::core::text::counted;
use crate::sources::redis::connection::Connection;
use redis::{cmd, pipe};
use std::sync::atomic::{AtomicU64, Ordering};

/// Tells jobs apart that were added within the same millisecond.
static ADDED: AtomicU64 = AtomicU64::new(0);

fn outcome(verdict: Verdict, summary: String) -> Outcome {
    Outcome { verdict, summary, details: Vec::new() }
}

impl RedisExecutor {
    pub(super) async fn change(
        &self,
        queue: &QueueRef,
        change: &Change,
        stop: &Stop,
    ) -> Result<Outcome, ActionError> {
        if matches!(change, Change::EndScript) {
            return self.end_script().await;
        }
        let mut connection = self.connection().await?;
        match change {
            Change::EndScript => Err(ActionError::Refused("it is no change to a queue".to_owned())),
            Change::Sweep(_) | Change::RetryKind(_) => {
                let (what, kind) = match change {
                    Change::Sweep(what) => (*what, None),
                    Change::RetryKind(kind) => (Sweep::Retry, Some(kind)),
                    _ => return Err(ActionError::Refused("this goes through no queue".to_owned())),
                };
                let outcome = self.sweep(&mut connection, queue, (what, kind), stop).await;
                if let Ok(mut told) = self.told.lock() {
                    *told = None;
                }
                outcome
            }
            Change::Add { name, data, options } => {
                self.add_job(&mut connection, queue, (name, data.as_bytes(), options)).await
            }
            Change::PutBack => self.restore(&mut connection, queue, stop).await,
            Change::Copy { id } => self.copy_job(&mut connection, queue, id).await,
            Change::Edit { id, was, data } => self.edit(&mut connection, queue, id, (was, data)).await,
            Change::Concurrency(limit) => self.limit(&mut connection, queue, *limit).await,
            Change::Schedule { id, rhythm, name, data } => {
                self.schedule(&mut connection, queue, (id, rhythm), (name, data)).await
            }
            Change::Unschedule { id } => self.unschedule(&mut connection, queue, id).await,
            Change::Free(lost) => self.free(queue, lost).await,
        }
    }

    pub(super) async fn server_now(&self, connection: &mut Connection) -> Result<i64, ActionError> {
        let (seconds, micros): (i64, i64) = self.answer(cmd("TIME").query_async(connection)).await?;
        Ok(seconds * 1000 + micros / 1000)
    }

    async fn add_job(
        &self,
        connection: &mut Connection,
        queue: &QueueRef,
        (name, data, options): (&str, &[u8], &str),
    ) -> Result<Outcome, ActionError> {
        let family = self.owner(connection, queue).await?;
        let now = self.server_now(connection).await?;
        let read: serde_json::Value = serde_json::from_str(options).unwrap_or_default();
        let own = read.get("jobId").and_then(serde_json::Value::as_str).map(str::to_owned);
        let id = own.unwrap_or_else(|| format!("stacktop-{now}-{}", ADDED.fetch_add(1, Ordering::Relaxed)));
        let number = |name: &str| read.get(name).and_then(serde_json::Value::as_u64).unwrap_or(0);
        let (priority, delay) = (number("priority"), number("delay"));
        let mut call = Self::begin(&SCRIPTS.add, queue, family, now, "");
        call.key(queue.key(&id)).key(queue.key("id"));
        call.arg(&id).arg(name).arg(data).arg(options).arg(priority).arg(delay);
        let word: String = self.call(connection, &call).await?;
        Ok(match word.as_str() {
            "done" => outcome(Verdict::Done, format!("queue {queue}: job {id} was added")),
            _ => outcome(Verdict::Nothing, format!("queue {queue}: there is a job {id} already")),
        })
    }

    /// What the screen shows of a job may be masked: the copy is made of what the server has.
    async fn copy_job(
        &self,
        connection: &mut Connection,
        queue: &QueueRef,
        id: &str,
    ) -> Result<Outcome, ActionError> {
        let mut ask = cmd("HMGET");
        ask.arg(queue.key(id)).arg(&["name", "data", "opts"]);
        let read: (Option<String>, Option<Vec<u8>>, Option<String>) =
            self.answer(ask.query_async(connection)).await?;
        let (Some(name), Some(data), options) = read else {
            return Ok(outcome(Verdict::Nothing, format!("queue {queue}: job {id} is gone")));
        };
        let options = copied_options(&options.unwrap_or_default());
        self.add_job(connection, queue, (&name, &data, &options)).await
    }

    async fn edit(
        &self,
        connection: &mut Connection,
        queue: &QueueRef,
        id: &str,
        (was, data): (&str, &str),
    ) -> Result<Outcome, ActionError> {
        let family = self.owner(connection, queue).await?;
        let hash = queue.key(id);
        let mut call = Self::begin(&SCRIPTS.edit, queue, family, 0, "");
        call.key(&hash).key(format!("{hash}:lock")).arg(was).arg(data);
        let word: String = self.call(connection, &call).await?;
        let (verdict, words) = match word.as_str() {
            "done" => (Verdict::Done, "has the new data"),
            "ghost" => (Verdict::Nothing, "is gone"),
            "locked" => (Verdict::Nothing, "was left alone: a worker has it and has read its data"),
            _ => (Verdict::Nothing, "was left alone: its data changed since you saw it"),
        };
        Ok(outcome(verdict, format!("queue {queue}: job {id} {words}")))
    }

    async fn limit(
        &self,
        connection: &mut Connection,
        queue: &QueueRef,
        limit: Option<u64>,
    ) -> Result<Outcome, ActionError> {
        let family = self.owner(connection, queue).await?;
        let value = limit.map_or(String::new(), |limit| limit.to_string());
        let call = Self::begin(&SCRIPTS.concurrency, queue, family, 0, &value);
        let word: String = self.call(connection, &call).await?;
        let words = limit
            .map_or("no limit".to_owned(), |limit| format!("{} at once", counted(limit as usize, "job")));
        match word.as_str() {
            "done" => Ok(outcome(Verdict::Done, format!("queue {queue}: {words} for all workers together"))),
            "same" => Ok(outcome(Verdict::Nothing, format!("queue {queue} had {words} already"))),
            _ => Err(ActionError::Refused(format!("{family} knows no such limit; BullMQ 5.9 and later do"))),
        }
    }

    async fn schedule(
        &self,
        connection: &mut Connection,
        queue: &QueueRef,
        (id, rhythm): (&str, &Rhythm),
        (name, data): (&str, &str),
    ) -> Result<Outcome, ActionError> {
        let family = self.owner(connection, queue).await?;
        let now = self.server_now(connection).await?;
        let refused = |why: String| ActionError::Refused(why);
        let at = chrono::DateTime::from_timestamp_millis(now).unwrap_or_default();
        let due = rhythm.after(at).map_err(refused)?.timestamp_millis();
        let job = format!("repeat:{id}:{due}");
        let (every, pattern, repeat) = match rhythm {
            Rhythm::Every(every) => {
                let every = i64::try_from(every.as_millis()).unwrap_or(i64::MAX / 8192);
                (every.to_string(), "", serde_json::json!({ "every": every, "count": 1 }))
            }
            Rhythm::Cron(pattern) => (
                String::new(),
                pattern.as_str(),
                serde_json::json!({ "pattern": pattern, "tz": "UTC", "count": 1 }),
            ),
        };
        let options = serde_json::json!({
            "attempts": 0, "repeat": repeat, "jobId": job, "delay": due - now,
            "timestamp": now, "prevMillis": due, "repeatJobKey": id,
        });
        let mut call = Self::begin(&SCRIPTS.schedule, queue, family, now, "");
        call.key(queue.key("repeat"))
            .key(queue.key(&format!("repeat:{id}")))
            .key(queue.key(&job))
            .key(queue.key("id"));
        call.arg(id).arg(every).arg(due).arg(name).arg(data).arg(&job).arg(options.to_string()).arg(pattern);
        let word: String = self.call(connection, &call).await?;
        match word.as_str() {
            "done" => Ok(outcome(Verdict::Done, format!("queue {queue}: scheduler {id} was added"))),
            "exists" => {
                Ok(outcome(Verdict::Nothing, format!("queue {queue}: there is a scheduler {id} already")))
            }
            _ => Err(ActionError::Refused(
                "schedulers are those of BullMQ 5.16 and later, and this queue was not written by one"
                    .to_owned(),
            )),
        }
    }

    async fn unschedule(
        &self,
        connection: &mut Connection,
        queue: &QueueRef,
        id: &str,
    ) -> Result<Outcome, ActionError> {
        let family = self.owner(connection, queue).await?;
        let asked = cmd("ZSCORE").arg(queue.key("repeat")).arg(id).to_owned();
        let next: Option<f64> = self.answer(asked.query_async(connection)).await?;
        let Some(next) = next else {
            return Ok(outcome(Verdict::Nothing, format!("queue {queue}: scheduler {id} is gone")));
        };
        let job = format!("repeat:{id}:{next:.0}");
        let mut call = Self::begin(&SCRIPTS.unschedule, queue, family, 0, "");
        call.key(queue.key("repeat")).key(queue.key(&format!("repeat:{id}"))).key(queue.key(&job));
        call.arg(id).arg(format!("{next:.0}")).arg(&job);
        let word: String = self.call(connection, &call).await?;
        match word.as_str() {
            "done" => Ok(outcome(Verdict::Done, format!("queue {queue}: scheduler {id} was removed"))),
            "gone" => Ok(outcome(Verdict::Nothing, format!("queue {queue}: scheduler {id} is gone"))),
            "moved" => Ok(outcome(
                Verdict::Nothing,
                format!("queue {queue}: scheduler {id} has just run; try again"),
            )),
            _ => Err(ActionError::Refused(
                "it was made by an older library, whose own tools must remove it (removeRepeatable)"
                    .to_owned(),
            )),
        }
    }

    /// What stands where after a change.
    pub(super) async fn look_at_change(
        &self,
        queue: &QueueRef,
        change: &Change,
    ) -> Result<Verification, ActionError> {
        if matches!(change, Change::EndScript) {
            return self.look_at_script().await;
        }
        if let Change::Free(lost) = change {
            return self.look_at_freed(queue, lost).await;
        }
        let mut connection = self.connection().await?;
        let mut ask = pipe();
        for list in ["wait", "paused", "active"] {
            ask.cmd("LLEN").arg(queue.key(list));
        }
        for set in ["prioritized", "delayed", "failed", "completed"] {
            ask.cmd("ZCARD").arg(queue.key(set));
        }
        let counts: Vec<u64> = self.answer(ask.query_async(&mut connection)).await?;
        let [wait, held, active, prioritized, delayed, failed, completed] = counts[..] else {
            return Err(ActionError::NotDone("the server gave an answer that is not known".to_owned()));
        };
        let waiting = wait + held + prioritized;
        let settled = match change {
            Change::Sweep(Sweep::Drain) => waiting == 0,
            Change::Sweep(Sweep::Promote) => delayed == 0,
            Change::Sweep(Sweep::Obliterate) => counts.iter().sum::<u64>() == 0,
            _ => true,
        };
        let sentence = format!(
            "queue {queue}: {waiting} waiting, {active} active, {delayed} delayed, {failed} failed, {completed} completed kept"
        );
        Ok(Verification { settled, sentence })
    }

    /// Removes every scheduler that can be; those of an older library stay.
    pub(super) async fn unschedule_all(
        &self,
        connection: &mut Connection,
        queue: &QueueRef,
    ) -> Result<(), ActionError> {
        let asked = cmd("ZRANGE").arg(queue.key("repeat")).arg(0).arg(-1).to_owned();
        let schedulers: Vec<String> = self.answer(asked.query_async(connection)).await?;
        for id in &schedulers {
            match self.unschedule(connection, queue, id).await {
                Ok(_) | Err(ActionError::Refused(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Removes what is left of a queue without jobs.
    pub(super) async fn obliterate(
        &self,
        connection: &mut Connection,
        queue: &QueueRef,
    ) -> Result<&'static str, ActionError> {
        let family = self.owner(connection, queue).await?;
        let mut call = Self::begin(&SCRIPTS.obliterate, queue, family, 0, "");
        for suffix in sweep::LEFT_OVER {
            call.key(queue.key(suffix));
        }
        let word: String = self.call(connection, &call).await?;
        Ok(match word.as_str() {
            "done" => "the queue is gone",
            "schedulers" => "the queue is paused and stays: schedulers of an older library are in it",
            _ => {
                "the queue is paused and stays: jobs are left in it (running, or children and parents of a flow)"
            }
        })
    }
}
