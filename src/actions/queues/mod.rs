//! Retries failed jobs: batches of one atomic script each, with every key declared and every decision made inside the script.

use super::Executor;
use crate::config::target::RedisConnect;
use crate::core::action::{Action, ActionError, Confirmed, Outcome, Verdict, Verification};
use crate::core::redis::{Family, QueueAction, QueueRef};
use crate::sources::redis::connection::{self, Connection};
use crate::sources::redis::evidence;
use futures_util::future::BoxFuture;
use redis::{RedisError, Script, Value, cmd, pipe};
use std::time::Duration;
use tokio::sync::Mutex;

/// The script; its head says what its keys and arguments are.
const RETRY: &str = include_str!("retry.lua");
/// Jobs in one call of the script: about 0.5 ms of the server's time (measured).
const BATCH: usize = 100;
/// Between two batches the server is left to others.
const BETWEEN: Duration = Duration::from_millis(5);
/// A batch that was not answered after this long is "not known".
const TIMEOUT: Duration = Duration::from_secs(5);
/// Jobs that the outcome names one by one; beyond that it counts.
const NAMED: usize = 50;

/// Carries out actions on the queues of one Redis server.
pub struct QueueExecutor {
    connect: RedisConnect,
    open: Mutex<Option<Connection>>,
    script: Script,
}

impl std::fmt::Debug for QueueExecutor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "QueueExecutor({})", self.connect.place())
    }
}

impl QueueExecutor {
    /// An executor for this target; [`prepare`](Executor::prepare) opens its connection.
    #[must_use]
    pub fn new(connect: RedisConnect) -> Self {
        Self { connect, open: Mutex::const_new(None), script: Script::new(RETRY) }
    }

    /// The open connection, or a new one.
    async fn connection(&self) -> Result<Connection, String> {
        let mut slot = self.open.lock().await;
        if let Some(open) = slot.as_mut() {
            let alive = tokio::time::timeout(TIMEOUT, cmd("PING").query_async::<Value>(open)).await;
            if matches!(alive, Ok(Ok(_))) {
                return Ok(open.clone());
            }
            *slot = None;
        }
        let opened = tokio::time::timeout(TIMEOUT, connection::connect(&self.connect))
            .await
            .map_err(|_| "no connection within 5 s".to_owned())?
            .map_err(|error| error.message)?;
        *slot = Some(opened.clone());
        Ok(opened)
    }

    fn words(&self, error: &RedisError) -> String {
        connection::explain(error, &self.connect).message
    }

    async fn retry(&self, queue: &QueueRef, ids: &[String]) -> Result<Outcome, ActionError> {
        let mut connection = self.connection().await.map_err(ActionError::NotDone)?;
        let looked = tokio::time::timeout(TIMEOUT, evidence::of(&mut connection, queue)).await;
        let (family, why) = match looked {
            Ok(Ok(found)) => found,
            Ok(Err(error)) => return Err(ActionError::NotDone(self.words(&error))),
            Err(_) => return Err(ActionError::NotDone("the server did not answer within 5 s".to_owned())),
        };
        if family == Family::Pro {
            let why = format!(
                "this queue belongs to BullMQ Pro ({why}), whose groups have keys of their own; retry with its own tools"
            );
            return Err(ActionError::Refused(why));
        }
        let mut results: Vec<(String, &'static str)> = Vec::with_capacity(ids.len());
        for (index, batch) in ids.chunks(BATCH).enumerate() {
            if index > 0 {
                tokio::time::sleep(BETWEEN).await;
            }
            match self.batch(&mut connection, queue, family, batch).await {
                Ok(words) => results.extend(batch.iter().cloned().zip(words)),
                Err(error) if results.is_empty() => return Err(error),
                Err(error) => {
                    let left = ids.len() - results.len();
                    let mut outcome = outcome(queue, &results);
                    outcome.verdict = Verdict::Partly;
                    outcome.summary = format!("{}; stopped with {left} left: {error}", outcome.summary);
                    return Ok(outcome);
                }
            }
        }
        Ok(outcome(queue, &results))
    }

    /// One call of the script. What was sent is never sent again by itself.
    async fn batch(
        &self,
        connection: &mut Connection,
        queue: &QueueRef,
        family: Family,
        ids: &[String],
    ) -> Result<Vec<&'static str>, ActionError> {
        let (parents, now) = self.parents(connection, queue, ids).await?;
        let call = self.invocation(queue, family, ids, &parents, &now);
        let answer = tokio::time::timeout(TIMEOUT, call.invoke_async::<Vec<String>>(connection)).await;
        let words = match answer {
            Ok(Ok(words)) => words,
            Ok(Err(error)) if error.is_io_error() => {
                *self.open.lock().await = None;
                return Err(ActionError::Unknown(self.words(&error)));
            }
            Ok(Err(error)) => return Err(ActionError::NotDone(self.words(&error))),
            Err(_) => {
                *self.open.lock().await = None;
                return Err(ActionError::Unknown("the server did not answer within 5 s".to_owned()));
            }
        };
        Ok(words.iter().map(|word| meaning(word)).collect())
    }

    /// The parents of these jobs (the script checks them again), and the server's time in milliseconds.
    async fn parents(
        &self,
        connection: &mut Connection,
        queue: &QueueRef,
        ids: &[String],
    ) -> Result<(Vec<String>, String), ActionError> {
        let mut ask = pipe();
        ask.cmd("TIME");
        for id in ids {
            ask.cmd("HGET").arg(queue.key(id)).arg("parentKey");
        }
        let answer = tokio::time::timeout(TIMEOUT, ask.query_async::<Vec<Value>>(connection)).await;
        match answer {
            Ok(Ok(values)) => {
                let (time, parents) =
                    values.split_first().ok_or_else(|| ActionError::NotDone("no answer".to_owned()))?;
                let (seconds, micros): (i64, i64) = redis::from_redis_value(time.clone())
                    .map_err(|error| ActionError::NotDone(error.to_string()))?;
                let texts =
                    parents.iter().map(|value| redis::from_redis_value::<Option<String>>(value.clone()));
                let parents = texts.map(|text| text.ok().flatten().unwrap_or_default()).collect();
                Ok((parents, (seconds * 1000 + micros / 1000).to_string()))
            }
            Ok(Err(error)) => Err(ActionError::NotDone(self.words(&error))),
            Err(_) => Err(ActionError::NotDone("the server did not answer within 5 s".to_owned())),
        }
    }

    fn invocation(
        &self,
        queue: &QueueRef,
        family: Family,
        ids: &[String],
        parents: &[String],
        now: &str,
    ) -> redis::ScriptInvocation<'_> {
        let mut call = self.script.prepare_invoke();
        for suffix in ["failed", "wait", "paused", "active", "meta", "meta-paused", "marker", "events"] {
            call.key(queue.key(suffix));
        }
        call.arg(now).arg(if family == Family::Bull { "bull" } else { "bullmq" });
        call.arg(u8::from(family.wakes_by_marker()));
        for (id, parent) in ids.iter().zip(parents) {
            let hash = queue.key(id);
            call.key(&hash).key(format!("{hash}:lock"));
            for suffix in ["dependencies", "unsuccessful", "failed"] {
                call.key(if parent.is_empty() { hash.clone() } else { format!("{parent}:{suffix}") });
            }
            call.arg(id).arg(parent);
        }
        call
    }

    /// Where the jobs are now.
    async fn look(&self, queue: &QueueRef, ids: &[String]) -> Result<Verification, ActionError> {
        let mut connection = self.connection().await.map_err(ActionError::NotDone)?;
        let shown = &ids[..ids.len().min(NAMED)];
        let mut ask = pipe();
        for id in shown {
            ask.cmd("ZSCORE")
                .arg(queue.key("failed"))
                .arg(id)
                .cmd("ZSCORE")
                .arg(queue.key("completed"))
                .arg(id);
            for list in ["active", "wait", "paused"] {
                ask.cmd("LPOS").arg(queue.key(list)).arg(id).arg("MAXLEN").arg(10_000);
            }
        }
        let answer = tokio::time::timeout(TIMEOUT, ask.query_async::<Vec<Value>>(&mut connection)).await;
        let values = match answer {
            Ok(Ok(values)) => values,
            Ok(Err(error)) => return Err(ActionError::NotDone(self.words(&error))),
            Err(_) => return Err(ActionError::NotDone("the server did not answer within 5 s".to_owned())),
        };
        Ok(verification(queue, ids.len(), shown.len(), &values))
    }
}

fn verification(queue: &QueueRef, asked: usize, shown: usize, values: &[Value]) -> Verification {
    let mut counts = [0_usize; 6];
    for job in values.chunks(5) {
        let place = job.iter().position(|value| !matches!(value, Value::Nil)).unwrap_or(5);
        counts[place] += 1;
    }
    let words = [
        "failed",
        "completed",
        "being worked on",
        "waiting",
        "held by the pause",
        "gone (removed when done)",
    ];
    let parts: Vec<String> = counts
        .iter()
        .zip(words)
        .filter(|(count, _)| **count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    let of = if asked > shown { format!(" (the first {shown} of {asked})") } else { String::new() };
    let next = if counts[0] > 0 { "; read why before another try" } else { "" };
    Verification {
        settled: counts[3] == 0 && counts[2] == 0,
        sentence: format!("queue {queue}: {}{of}{next}", parts.join(", ")),
    }
}

fn meaning(word: &str) -> &'static str {
    match word {
        "retried" => "back to waiting",
        "ghost" => "left alone: its data is gone, a worker would run an empty job",
        "moved" => "left alone: it is not failed any more (somebody else moved it)",
        "locked" => "left alone: a worker holds it",
        "grouped" => "left alone: it belongs to a group of BullMQ Pro",
        "parent" => "left alone: its parent changed meanwhile",
        _ => "the server gave an answer that is not known",
    }
}

fn outcome(queue: &QueueRef, results: &[(String, &'static str)]) -> Outcome {
    let done = results.iter().filter(|(_, what)| *what == meaning("retried")).count();
    let verdict = match done {
        0 => Verdict::Nothing,
        all if all == results.len() => Verdict::Done,
        _ => Verdict::Partly,
    };
    let mut kinds: Vec<(&str, usize)> = Vec::new();
    for (_, what) in results {
        match kinds.iter_mut().find(|(known, _)| known == what) {
            Some((_, count)) => *count += 1,
            None => kinds.push((what, 1)),
        }
    }
    let parts: Vec<String> = kinds.iter().map(|(what, count)| format!("{count} {what}")).collect();
    let details =
        results.iter().take(NAMED).map(|(id, what)| (format!("job {id}"), (*what).to_owned())).collect();
    Outcome { verdict, summary: format!("queue {queue}: {}", parts.join(", ")), details }
}

fn queue_action(action: &Action) -> Result<&QueueAction, ActionError> {
    match action {
        Action::Queue { act, .. } => Ok(act),
        Action::Postgres { .. } => Err(ActionError::Refused("this target is a Redis server".to_owned())),
    }
}

impl Executor for QueueExecutor {
    fn prepare(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            // A failure is told when somebody acts; the connection is tried again then.
            let _ = self.connection().await;
        })
    }

    fn execute<'a>(&'a self, action: &'a Confirmed<Action>) -> BoxFuture<'a, Result<Outcome, ActionError>> {
        Box::pin(async move {
            match queue_action(action.action())? {
                QueueAction::Retry { queue, ids } => self.retry(queue, ids).await,
            }
        })
    }

    fn verify<'a>(
        &'a self,
        action: &'a Confirmed<Action>,
    ) -> BoxFuture<'a, Result<Verification, ActionError>> {
        Box::pin(async move {
            match queue_action(action.action())? {
                QueueAction::Retry { queue, ids } => self.look(queue, ids).await,
            }
        })
    }

    fn statement(&self, action: &Action) -> String {
        queue_action(action).map_or_else(|_| String::new(), QueueAction::statement)
    }
}
