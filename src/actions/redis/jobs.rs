//! The same to each of many jobs: in batches that are short, stopped at the first trouble, told apart in the outcome.

use super::named::named;
use super::scripts::SCRIPTS;
use super::{BETWEEN, RedisExecutor};
use crate::actions::stop::Stop;
use crate::core::action::{ActionError, Outcome, Verdict};
use crate::core::redis::{Family, JobAct, QueueRef, RetryOptions};
use crate::sources::redis::connection::Connection;
use redis::{Script, ScriptInvocation, cmd, pipe};
use std::sync::atomic::Ordering;

/// Jobs in one call of a script: about 0.5 ms of the server's time (measured).
const BATCH: usize = 100;

impl RedisExecutor {
    pub(super) async fn each(
        &self,
        queue: &QueueRef,
        ids: &[String],
        act: JobAct,
        stop: &Stop,
    ) -> Result<Outcome, ActionError> {
        let mut connection = self.connection().await?;
        let family = self.owner(&mut connection, queue).await?;
        let mut results: Vec<(String, &'static str)> = Vec::with_capacity(ids.len());
        for (index, batch) in ids.chunks(BATCH).enumerate() {
            if index > 0 {
                tokio::time::sleep(BETWEEN).await;
            }
            if let Some(cause) = stop.cause() {
                let (dealt, all) = (results.len(), ids.len());
                let mut outcome = outcome(queue, act, &results);
                outcome.verdict = Verdict::Partly;
                outcome.summary = format!("{}; stopped by {cause} after {dealt} of {all}", outcome.summary);
                return Ok(outcome);
            }
            match self.batch(&mut connection, queue, family, batch, act).await {
                Ok(words) => results.extend(batch.iter().cloned().zip(words)),
                Err(error) if results.is_empty() => return Err(error),
                Err(error) => {
                    let left = ids.len() - results.len();
                    let mut outcome = outcome(queue, act, &results);
                    outcome.verdict = Verdict::Partly;
                    outcome.summary = format!("{}; stopped with {left} left: {error}", outcome.summary);
                    return Ok(outcome);
                }
            }
        }
        Ok(outcome(queue, act, &results))
    }

    /// One call of the script.
    pub(super) async fn batch(
        &self,
        connection: &mut Connection,
        queue: &QueueRef,
        family: Family,
        ids: &[String],
        act: JobAct,
    ) -> Result<Vec<&'static str>, ActionError> {
        self.marked(connection, queue, family, ids, act, None).await
    }

    /// The same; a retry leaves `mark` behind, and is not done where that stands already. A removal with one is that of a letter whose job
    /// was put back.
    pub(super) async fn marked(
        &self,
        connection: &mut Connection,
        queue: &QueueRef,
        family: Family,
        ids: &[String],
        act: JobAct,
        mark: Option<&str>,
    ) -> Result<Vec<&'static str>, ActionError> {
        let (seconds, micros): (i64, i64) = self.answer(cmd("TIME").query_async(connection)).await?;
        let now = seconds * 1000 + micros / 1000;
        self.given_at.store(now, Ordering::Relaxed);
        let call = match act {
            JobAct::Retry(_) | JobAct::RunAgain => {
                let (mut flags, options) = match act {
                    JobAct::Retry(options) => (String::new(), options),
                    _ => ("c".to_owned(), RetryOptions::default()),
                };
                flags.extend(options.keep_priority.then_some('p'));
                flags.extend(options.reset_attempts.then_some('a'));
                let wanted = ["parentKey", "gid", "deid"];
                let [parents, groups, owners] = self.fields(connection, queue, ids, wanted).await?;
                flags.extend(groups.iter().any(|group| !group.is_empty()).then_some('g'));
                flags.extend(mark.map(|_| 'm'));
                let deduplicated = owners.iter().any(|owner| !owner.is_empty());
                let flags = if deduplicated { format!("{flags}d") } else { flags };
                let mut call = Self::begin(&SCRIPTS.retry, queue, family, now, &flags);
                with_parents(&mut call, (queue, family), ids, &parents, deduplicated.then_some(&owners));
                if let Some(mark) = mark {
                    call.key(mark);
                }
                call
            }
            JobAct::Promote => self.plain(&SCRIPTS.promote, (queue, family), ids, now, ""),
            JobAct::Priority(rank) => {
                self.plain(&SCRIPTS.priority, (queue, family), ids, now, &rank.to_string())
            }
            JobAct::Delay(delay) => {
                let due = now + i64::try_from(delay.as_millis()).unwrap_or(i64::MAX / 8192);
                self.plain(&SCRIPTS.delay, (queue, family), ids, now, &due.to_string())
            }
            JobAct::Release | JobAct::GiveUp => {
                self.unheld(connection, queue, ids).await?;
                let [owners] = self.fields(connection, queue, ids, ["deid"]).await?;
                let word = if act == JobAct::Release { "wait" } else { "failed" };
                let mut call = Self::begin(&SCRIPTS.stalled, queue, family, now, word);
                call.key(queue.key("stalled")).key(queue.key("stalled-check"));
                for (id, owner) in ids.iter().zip(&owners) {
                    let hash = queue.key(id);
                    call.key(&hash);
                    for suffix in ["lock", "dependencies", "processed", "failed", "unsuccessful"] {
                        call.key(format!("{hash}:{suffix}"));
                    }
                    with_deduplication(&mut call, queue, &hash, owner);
                    call.arg(id);
                }
                call
            }
            JobAct::Remove(state) => {
                let [owners] = self.fields(connection, queue, ids, ["deid"]).await?;
                let written =
                    self.write_down(connection, queue, (ids, &owners, state), now, mark.is_some()).await?;
                let mut call = Self::begin(&SCRIPTS.remove, queue, family, now, state.word());
                with_belongings(&mut call, queue, ids, &owners, &written);
                call
            }
        };
        let words: Vec<String> = self.call(connection, &call).await?;
        Ok(words.iter().map(|word| meaning(word, act)).collect())
    }

    /// A call of a script that needs nothing of a job but its hash.
    #[expect(clippy::unused_self, reason = "the script is one of its own")]
    fn plain<'a>(
        &'a self,
        script: &'a Script,
        (queue, family): (&QueueRef, Family),
        ids: &[String],
        now: i64,
        options: &str,
    ) -> ScriptInvocation<'a> {
        let mut call = Self::begin(script, queue, family, now, options);
        for id in ids {
            call.key(queue.key(id)).arg(id);
        }
        call
    }

    /// Some fields of each job, field by field; empty where it has none.
    async fn fields<const N: usize>(
        &self,
        connection: &mut Connection,
        queue: &QueueRef,
        ids: &[String],
        names: [&str; N],
    ) -> Result<[Vec<String>; N], ActionError> {
        let mut ask = pipe();
        for id in ids {
            ask.cmd("HMGET").arg(queue.key(id)).arg(&names);
        }
        let values: Vec<Vec<Option<String>>> = self.answer(ask.query_async(connection)).await?;
        let column = |at: usize| {
            let field = |job: &Vec<Option<String>>| job.get(at).cloned().flatten().unwrap_or_default();
            values.iter().map(field).collect()
        };
        Ok(std::array::from_fn(column))
    }
}

/// What the retry needs of each job: few keys where few are enough, for each costs the server.
fn with_parents(
    call: &mut ScriptInvocation<'_>,
    (queue, family): (&QueueRef, Family),
    ids: &[String],
    parents: &[String],
    owners: Option<&Vec<String>>,
) {
    for (at, (id, parent)) in ids.iter().zip(parents).enumerate() {
        let hash = queue.key(id);
        call.key(&hash);
        if family == Family::Bull {
            call.key(format!("{hash}:lock"));
        }
        if !parent.is_empty() {
            for suffix in ["dependencies", "unsuccessful", "failed"] {
                call.key(format!("{parent}:{suffix}"));
            }
        }
        if let Some(owners) = owners {
            call.key(deduplication(queue, &hash, owners[at].as_str(), "de"));
        }
        call.arg(id).arg(parent);
    }
}

/// The key of a job's deduplication id (`de`), or of what comes after it by that id (`dn`); its own hash where it has none.
pub(super) fn deduplication(queue: &QueueRef, hash: &str, id: &str, kind: &str) -> String {
    if id.is_empty() { hash.to_owned() } else { queue.key(&format!("{kind}:{id}")) }
}

pub(super) fn with_deduplication(call: &mut ScriptInvocation<'_>, queue: &QueueRef, hash: &str, id: &str) {
    for kind in ["de", "dn"] {
        call.key(deduplication(queue, hash, id, kind));
    }
}

fn with_belongings(
    call: &mut ScriptInvocation<'_>,
    queue: &QueueRef,
    ids: &[String],
    owners: &[String],
    written: &[Vec<u8>],
) {
    for ((id, owner), data) in ids.iter().zip(owners).zip(written) {
        let hash = queue.key(id);
        call.key(&hash);
        for suffix in ["lock", "logs", "dependencies", "processed", "failed", "unsuccessful"] {
            call.key(format!("{hash}:{suffix}"));
        }
        with_deduplication(call, queue, &hash, owner);
        call.key(queue.key("repeat")).key(queue.key("waiting-children"));
        call.arg(id).arg(data);
    }
}

/// What came of a job whose id this program cannot name.
pub(super) const NOT_TEXT: &str = "left alone: the id is not text (UTF-8)";

/// What came of a job that was retried although a newer one has its deduplication id by now.
const TWIN: &str = "back to waiting beside a newer job of the same deduplication id: both will run";

/// What came of a job that was removed with what waited for its end.
const BOTH: &str = "removed, each with the next one of its deduplication id, which waited for its end";

/// Whether a word says that it was done.
pub(super) fn is_done(word: &str, act: JobAct) -> bool {
    word == meaning("done", act) || word == TWIN || word == BOTH
}

/// It was retried for the same letter before.
pub(super) const AGAIN: &str = "retried for this letter before";

pub(super) fn meaning(word: &str, act: JobAct) -> &'static str {
    match (word, act) {
        ("done", JobAct::Retry(_) | JobAct::RunAgain | JobAct::Promote | JobAct::Release) => {
            "back to waiting"
        }
        ("twin", _) => TWIN,
        ("both", _) => BOTH,
        ("next", JobAct::Remove(_)) => {
            "left alone: another of its deduplication id came to wait for its end meanwhile"
        }
        ("done", JobAct::GiveUp) => "failed",
        ("checked", _) => "left alone: a worker looks for such jobs each 30 s and brings it back itself",
        ("moved", JobAct::Release | JobAct::GiveUp) => "left alone: it is not in progress any more",
        ("done", JobAct::Remove(_)) => "removed",
        ("done", JobAct::Priority(_)) => "in line by its new priority",
        ("done", JobAct::Delay(_)) => "due at its new time",
        ("ghost", _) => "left alone: its data is gone, a worker would run an empty job",
        ("moved", JobAct::Retry(_)) => "left alone: it is not failed any more (somebody else moved it)",
        ("moved", JobAct::RunAgain) => "left alone: it is not completed any more (somebody else moved it)",
        ("child", JobAct::RunAgain) => "left alone: its parent has its result already",
        ("moved", JobAct::Promote | JobAct::Delay(_)) => "left alone: it is not delayed any more",
        ("moved", JobAct::Priority(_)) => "left alone: it waits no more",
        ("moved", JobAct::Remove(_)) => "left alone: it is not in that state any more",
        ("again", _) => AGAIN,
        ("next", _) => {
            "left alone: another of its deduplication id waits for its end, which its own library adds then: bring it back"
        }
        ("locked", _) => "left alone: a worker holds it",
        ("grouped", _) => "left alone: it belongs to a group of BullMQ Pro",
        ("parent", JobAct::Retry(_)) => "left alone: its parent changed meanwhile",
        ("parent", _) => "left alone: it has children, whose bookkeeping its own library must undo",
        ("child", _) => "left alone: a parent waits for it, whose bookkeeping its own library must undo",
        ("scheduled", _) => "left alone: it is the next job of a scheduler; remove the scheduler instead",
        _ => "the server gave an answer that is not known",
    }
}

fn outcome(queue: &QueueRef, act: JobAct, results: &[(String, &'static str)]) -> Outcome {
    let done = results.iter().filter(|(_, what)| is_done(what, act)).count();
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
    let details = named("job", &results.iter().map(|(id, what)| (id.as_str(), *what, is_done(what, act))));
    Outcome { verdict, summary: format!("queue {queue}: {}", parts.join(", ")), details }
}
