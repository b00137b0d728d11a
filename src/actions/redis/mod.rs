//! Changes job queues: batches of one atomic script each, with every key declared and every decision made inside the script.

mod alike;
mod brake;
mod change;
mod export;
mod free;
mod jobs;
mod journal;
mod letters;
mod named;
mod original;
mod redrive;
mod removed;
mod restore;
mod script;
mod scripts;
mod sweep;
mod trail;
mod unheld;
mod verification;

use super::Executor;
use super::stop::Stop;
use crate::config::target::RedisConnect;
use crate::core::action::{Action, ActionError, Confirmed, Outcome, Verdict, Verification};
use crate::core::redis::{Family, JobAct, QueueRef, RedisAction};
use crate::core::text::counted;
use crate::sources::bulkhead::Bulkhead;
use crate::sources::redis::connection::{self, Connection};
use crate::sources::redis::evidence;
use crate::sources::redis::login;
use futures_util::future::BoxFuture;
use redis::{FromRedisValue, RedisError, Script, ScriptInvocation, Value, cmd, pipe};
use scripts::{COMMON, SCRIPTS};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::sync::Mutex;

/// Between two calls the server is left to others.
const BETWEEN: Duration = Duration::from_millis(5);
/// What was not answered after this long is "not known".
const TIMEOUT: Duration = Duration::from_secs(5);
/// Journals, and files of removed jobs: they are beside the audit trail, which waits for none of them.
static JOURNALS: Bulkhead = Bulkhead::new("journals", 1);
/// Jobs that one call of pause or resume moves where both lists are longer than 250 times as many. Shorter ones are joined in one call
/// (half a second for the longest, as measured): between two calls a library's own pause or resume would lose jobs.
const MOVED: usize = 2000;

/// The connection, and the nodes of its cluster that were seen.
type Open = (Option<Connection>, Vec<(String, u16)>);

/// Carries out actions on the queues of one Redis server.
pub struct RedisExecutor {
    connect: RedisConnect,
    open: Mutex<Open>,
    /// Where jobs are written before they are removed, and journals of redrives are kept.
    folder: PathBuf,
    /// When the server carried out the newest call that gave jobs to workers, in its own milliseconds.
    given_at: AtomicI64,
    /// The name of the removal that is under way; 0 before its first job.
    removal: AtomicI64,
    /// How far something that takes long has come.
    told: std::sync::Mutex<Option<String>>,
}

impl std::fmt::Debug for RedisExecutor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RedisExecutor({})", self.connect.place())
    }
}

impl RedisExecutor {
    /// An executor for this target, which writes removed jobs into `folder`; [`prepare`](Executor::prepare) opens its connection.
    #[must_use]
    pub fn new(connect: RedisConnect, folder: &Path) -> Self {
        Self {
            connect,
            open: Mutex::default(),
            folder: folder.to_owned(),
            given_at: AtomicI64::new(0),
            removal: AtomicI64::new(0),
            told: std::sync::Mutex::default(),
        }
    }

    /// The open connection, or a new one.
    async fn connection(&self) -> Result<Connection, ActionError> {
        let (slot, nodes) = &mut *self.open.lock().await;
        if let Some(open) = slot.as_mut() {
            let ask = cmd(if self.connect.sentinels.is_empty() { "PING" } else { "ROLE" });
            let alive = tokio::time::timeout(TIMEOUT, ask.query_async::<Value>(open)).await;
            // After a failover the old primary answers, and refuses to write.
            let primary = |value: &Value| match value {
                Value::Array(parts) => {
                    !matches!(parts.first(), Some(Value::BulkString(role)) if role == b"slave")
                }
                _ => true,
            };
            let whole = open.missing().is_empty();
            if whole && matches!(&alive, Ok(Ok(value)) if primary(value)) {
                return Ok(open.clone());
            }
            *slot = None;
        }
        let mut target = self.connect.clone();
        target.nodes.extend_from_slice(nodes);
        let opened = tokio::time::timeout(TIMEOUT, connection::connect(&target))
            .await
            .map_err(|_| ActionError::NotDone("no connection within 5 s".to_owned()))?
            .map_err(|error| ActionError::NotDone(error.message))?;
        *nodes = opened.known().to_vec();
        *slot = Some(opened.clone());
        Ok(opened)
    }

    /// Reads or writes such a file: one after the other on one target. `None` when that failed inside.
    async fn filed<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        JOURNALS.run(&self.connect.place(), work).await
    }

    fn words(&self, error: &RedisError) -> String {
        if error.is_io_error() || error.is_connection_dropped() {
            return format!("the connection to {} broke ({error})", self.connect.place());
        }
        login::explain(error, &self.connect).message
    }

    /// Waits for the answer to something that only reads: without one, nothing was done.
    async fn answer<T>(&self, asked: impl Future<Output = Result<T, RedisError>>) -> Result<T, ActionError> {
        match tokio::time::timeout(TIMEOUT, asked).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(ActionError::NotDone(self.words(&error))),
            Err(_) => Err(ActionError::NotDone("the server did not answer within 5 s".to_owned())),
        }
    }

    /// Calls a script once. What was sent is never sent again by itself: without an answer it is not known what happened.
    async fn call<T: FromRedisValue>(
        &self,
        connection: &mut Connection,
        call: &ScriptInvocation<'_>,
    ) -> Result<T, ActionError> {
        let lost = match tokio::time::timeout(TIMEOUT, call.invoke_async::<T>(connection)).await {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) if error.is_io_error() => self.words(&error),
            Ok(Err(error)) => {
                if error.code().is_some_and(crate::sources::redis::moved) {
                    self.open.lock().await.0 = None;
                }
                return Err(ActionError::NotDone(self.words(&error)));
            }
            Err(_) => "the server did not answer within 5 s".to_owned(),
        };
        self.open.lock().await.0 = None;
        Err(ActionError::Unknown(lost))
    }

    /// Who owns the queue; what belongs to BullMQ Pro is left alone.
    async fn owner(&self, connection: &mut Connection, queue: &QueueRef) -> Result<Family, ActionError> {
        let (family, why) = self.answer(evidence::of(connection, queue)).await?;
        if family == Family::Pro {
            return Err(ActionError::Refused(format!(
                "this queue belongs to BullMQ Pro ({why}), whose groups have keys of their own; use its own tools"
            )));
        }
        Ok(family)
    }

    /// A call with what every script is given.
    fn begin<'a>(
        script: &'a Script,
        queue: &QueueRef,
        family: Family,
        now: i64,
        options: &str,
    ) -> ScriptInvocation<'a> {
        let mut call = script.prepare_invoke();
        for suffix in COMMON {
            call.key(queue.key(suffix));
        }
        call.arg(now).arg(family.generation()).arg(options);
        call
    }

    /// Turns the pause switch, and moves what has to be moved with it in calls that are short.
    async fn switch(&self, script: &Script, queue: &QueueRef, word: &str) -> Result<Outcome, ActionError> {
        let mut connection = self.connection().await?;
        let family = self.owner(&mut connection, queue).await?;
        let (mut changed, mut left_before) = (false, 0);
        loop {
            let call = Self::begin(script, queue, family, 0, &MOVED.to_string());
            let answer = self.call::<(String, usize)>(&mut connection, &call).await;
            let (answer, left) = match answer {
                Ok(answer) => answer,
                Err(error) if left_before > 0 => {
                    let summary = format!(
                        "queue {queue}: {word}, but {left_before} of its jobs stand in another list yet: {error}; do it here once more, before its own library pauses or resumes it: that would lose jobs"
                    );
                    return Ok(Outcome { verdict: Verdict::Partly, summary, details: Vec::new() });
                }
                Err(error) => return Err(error),
            };
            changed |= answer == "changed";
            if left == 0 {
                break;
            }
            left_before = left;
            tokio::time::sleep(BETWEEN).await;
        }
        let (verdict, summary) = if changed {
            (Verdict::Done, format!("queue {queue} is {word}"))
        } else {
            (Verdict::Nothing, format!("queue {queue} was {word} already"))
        };
        Ok(Outcome { verdict, summary, details: Vec::new() })
    }

    /// Turns the pause switch of several queues, one after the other; stops where it is not known what happened.
    async fn switches(
        &self,
        queues: &[&QueueRef],
        resume: bool,
        stop: &Stop,
    ) -> Result<Outcome, ActionError> {
        let (script, word) = if resume { (&SCRIPTS.resume, "running") } else { (&SCRIPTS.pause, "paused") };
        let mut details = Vec::with_capacity(queues.len());
        let mut changed = 0;
        for queue in queues {
            if let Some(cause) = stop.cause() {
                let (tried, all) = (details.len(), queues.len());
                let changed = counted(changed, "queue");
                let summary = format!("{changed} now {word}; stopped by {cause} after {tried} of {all}");
                return Ok(Outcome { verdict: Verdict::Partly, summary, details });
            }
            match self.switch(script, queue, word).await {
                Ok(outcome) => {
                    changed += usize::from(outcome.verdict == Verdict::Done);
                    details.push((queue.to_string(), outcome.summary));
                }
                Err(error) if details.is_empty() => return Err(error),
                Err(error) => {
                    details.push((queue.to_string(), error.to_string()));
                    let left = queues.len() - details.len();
                    let changed = counted(changed, "queue");
                    let summary = format!("{changed} now {word}; {error}; {left} not tried");
                    return Ok(Outcome { verdict: Verdict::Partly, summary, details });
                }
            }
        }
        let verdict = match changed {
            0 => Verdict::Nothing,
            all if all == queues.len() => Verdict::Done,
            _ => Verdict::Partly,
        };
        let was = queues.len() - changed;
        let rest = if was > 0 { format!(", {was} already so") } else { String::new() };
        let changed = counted(changed, "queue");
        Ok(Outcome { verdict, summary: format!("{changed} now {word}{rest}"), details })
    }

    /// Notes how far something that takes long has come.
    fn tell(&self, words: String) {
        if let Ok(mut told) = self.told.lock() {
            *told = Some(words);
        }
    }

    /// How many letters are left.
    async fn look_at_letters(&self, queue: &QueueRef) -> Result<Verification, ActionError> {
        let mut connection = self.connection().await?;
        let mut ask = pipe();
        for list in ["wait", "paused"] {
            ask.cmd("LLEN").arg(queue.key(list));
        }
        for set in ["prioritized", "delayed", "failed"] {
            ask.cmd("ZCARD").arg(queue.key(set));
        }
        let counts: Vec<usize> = self.answer(ask.query_async(&mut connection)).await?;
        let left: usize = counts.iter().sum();
        Ok(Verification {
            settled: true,
            sentence: format!("queue {queue}: {} left", counted(left, "letter")),
        })
    }

    /// Whether the switch stands as it was turned, and what stands where.
    async fn look_at_switch(&self, queue: &QueueRef, wanted: bool) -> Result<Verification, ActionError> {
        let mut connection = self.connection().await?;
        let mut ask = pipe();
        ask.cmd("HEXISTS").arg(queue.key("meta")).arg("paused").cmd("EXISTS").arg(queue.key("meta-paused"));
        for list in ["wait", "paused", "active"] {
            ask.cmd("LLEN").arg(queue.key(list));
        }
        let counts: Vec<usize> = self.answer(ask.query_async(&mut connection)).await?;
        let [meta, flag, wait, held, active] = counts[..] else {
            return Err(ActionError::NotDone("the server gave an answer that is not known".to_owned()));
        };
        let paused = meta + flag > 0;
        let word = if paused { "paused" } else { "running" };
        Ok(Verification {
            settled: paused == wanted,
            sentence: format!("queue {queue} is {word}: {} waiting, {active} active", wait + held),
        })
    }
}

fn queue_action(action: &Action) -> Result<&RedisAction, ActionError> {
    let Action::Redis { act, .. } = action else { return Err(ActionError::not_for("a Redis server")) };
    Ok(act)
}

impl Executor for RedisExecutor {
    fn prepare(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            // A failure is told when somebody acts; the connection is tried again then.
            let _ = self.connection().await;
        })
    }

    fn execute<'a>(
        &'a self,
        action: &'a Confirmed<Action>,
        stop: &'a Stop,
    ) -> BoxFuture<'a, Result<Outcome, ActionError>> {
        Box::pin(async move {
            self.removal.store(0, Ordering::Relaxed);
            match queue_action(action.action())? {
                RedisAction::Jobs { queue, ids, act } => self.each(queue, ids, *act, stop).await,
                RedisAction::Pause { queue } => self.switch(&SCRIPTS.pause, queue, "paused").await,
                RedisAction::Resume { queue } => self.switch(&SCRIPTS.resume, queue, "running").await,
                RedisAction::Switches { queue, others, resume } => {
                    let queues: Vec<&QueueRef> = std::iter::once(queue).chain(others).collect();
                    self.switches(&queues, *resume, stop).await
                }
                RedisAction::Change { queue, change } => self.change(queue, change, stop).await,
                RedisAction::Redrive { queue, to, letters, brake } => {
                    let outcome = self.redrive((queue, to.as_ref()), letters, *brake, stop).await;
                    if let Ok(mut told) = self.told.lock() {
                        *told = None;
                    }
                    outcome
                }
            }
        })
    }

    fn progress(&self) -> Option<String> {
        self.told.lock().ok().and_then(|told| told.clone())
    }

    fn verify<'a>(
        &'a self,
        action: &'a Confirmed<Action>,
    ) -> BoxFuture<'a, Result<Verification, ActionError>> {
        Box::pin(async move {
            match queue_action(action.action())? {
                RedisAction::Jobs { queue, ids, act } => {
                    self.verify_jobs(queue, ids, matches!(act, JobAct::Remove(_))).await
                }
                RedisAction::Pause { queue } => self.look_at_switch(queue, true).await,
                RedisAction::Resume { queue } => self.look_at_switch(queue, false).await,
                RedisAction::Switches { queue, others, resume } => {
                    let mut settled = 0;
                    for queue in std::iter::once(queue).chain(others) {
                        settled += usize::from(self.look_at_switch(queue, !resume).await?.settled);
                    }
                    let word = if *resume { "running" } else { "paused" };
                    let all = others.len() + 1;
                    Ok(Verification {
                        settled: settled == all,
                        sentence: format!("{settled} of {all} queues are {word}"),
                    })
                }
                RedisAction::Change { queue, change } => self.look_at_change(queue, change).await,
                RedisAction::Redrive { queue, .. } => self.look_at_letters(queue).await,
            }
        })
    }

    fn statement(&self, action: &Action) -> String {
        queue_action(action).map_or_else(|_| String::new(), RedisAction::statement)
    }
}
