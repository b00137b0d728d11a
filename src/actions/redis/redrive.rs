//! Redrive: dead letters go back to the queue they came from, first one, then ten, then so many a second; it stops when they fail again.
//!
//! For each letter: an original that is still kept as failed is retried, if it is the same job and not only of the same id; else the job
//! is added anew under an id that follows from what the letter holds. The script that does it leaves a mark of the letter in the same
//! step, so that doing it twice does it once, whoever does it and whatever became of the job. Only then the letter is removed: a crash
//! between the two leaves both, never neither. The mark stays for as long as the letter does, and a week longer for those who read the
//! letter before it went.

use super::RedisExecutor;
use super::brake::{FIRST, Judge, steps};
use super::jobs::{AGAIN, NOT_TEXT, is_done, meaning};
use super::journal::Journal;
use super::named::named;
use super::original::{Kept, fingerprint};
use super::scripts::SCRIPTS;
use super::trail::{Fate, Trail};
use crate::actions::stop::Stop;
use crate::core::action::{ActionError, Outcome, Verdict};
use crate::core::redis::{
    Brake, Envelope, Family, JobAct, JobState, Letters, Original, QueueRef, RetryOptions, open_letter,
    redriven,
};
use crate::sources::redis::connection::Connection;
use redis::cmd;
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;

/// So long the mark of a letter outlives it.
const MARKED_SECONDS: u32 = 7 * 86_400;

/// What is done with every letter.
struct Work<'a> {
    from: &'a QueueRef,
    to: Option<&'a QueueRef>,
    envelope: &'a Envelope,
    /// The owner of each queue that was written to.
    owners: HashMap<QueueRef, Family>,
    /// Jobs that were put back, and what became of them.
    trail: Trail,
    /// What came of each letter, and whether its job is back.
    results: Vec<(String, String, bool)>,
    retried: usize,
    added: usize,
    /// Letters whose job an earlier redrive had put back, so that what became of it was to be seen then.
    earlier: usize,
}

/// What a letter says.
struct Letter {
    queue: QueueRef,
    family: Family,
    original: Original,
    /// The id of a job that is added for it.
    new: String,
    /// The key that says that it was dealt with.
    mark: String,
    /// When it was made, in milliseconds.
    made: Option<f64>,
}

impl RedisExecutor {
    pub(super) async fn redrive(
        &self,
        (from, to): (&QueueRef, Option<&QueueRef>),
        letters: &Letters,
        brake: Brake,
        stop: &Stop,
    ) -> Result<Outcome, ActionError> {
        let mut connection = self.connection().await?;
        let mut owners = HashMap::new();
        owners.insert(from.clone(), self.owner(&mut connection, from).await?);
        let (mut journal, chosen, odd) = self.journal(&mut connection, from, letters).await?;
        let all = chosen.len() + odd.len();
        let mut work = Work {
            from,
            to,
            envelope: &self.connect.envelope,
            owners,
            trail: Trail::new(self.server_now(&mut connection).await?),
            results: odd.into_iter().map(|id| (id, NOT_TEXT.to_owned(), false)).collect(),
            retried: 0,
            added: 0,
            earlier: 0,
        };
        work.trail.watch_letters(self, &mut connection, from).await?;
        let judge = Judge { brake, untold_is_known: matches!(letters, Letters::Unfinished) };
        let mut left = &chosen[..];
        let mut stopped = None;
        for step in steps(brake) {
            if left.is_empty() || stopped.is_some() {
                break;
            }
            let began = Instant::now();
            let (now, later) = left.split_at(step.min(left.len()));
            left = later;
            let before = work.results.len();
            for (id, state) in now {
                if let Some(cause) = stop.cause() {
                    stopped = Some(format!("{cause} stopped it"));
                    break;
                }
                let back = work.back();
                match self.letter(&mut connection, &mut work, id, *state).await {
                    Ok(result) => work.results.push((id.clone(), result, work.back() > back)),
                    Err(error) => {
                        stopped = Some(format!("{error}"));
                        break;
                    }
                }
            }
            let news = &work.results[before..];
            let news: Vec<_> = news.iter().map(|(id, result, _)| (id.clone(), result.clone())).collect();
            journal = self.noted(journal, move |journal| journal.letters(&news)).await?;
            if stopped.is_some() {
                break;
            }
            let first = chosen.len() - left.len() <= FIRST.iter().sum();
            let taken = work.back();
            stopped = self.brake(&mut connection, &mut work.trail, judge, (first, taken), stop).await?;
            self.tell(format!("redrive of {from}: {} of {all} done", work.results.len()));
            if !first && !left.is_empty() {
                stop.pause(Duration::from_secs(1).saturating_sub(began.elapsed())).await;
            }
        }
        let taken = work.back();
        let fate = self.last_look(&mut connection, &mut work.trail, taken).await;
        let outcome = work.outcome(all, stopped.as_deref(), fate, &journal);
        if stopped.is_none() {
            let summary = outcome.summary.clone();
            self.noted(journal, move |journal| journal.end(&summary)).await?;
        }
        Ok(outcome)
    }

    /// One letter: the job back in its queue, then the letter gone.
    async fn letter(
        &self,
        connection: &mut Connection,
        work: &mut Work<'_>,
        id: &str,
        state: JobState,
    ) -> Result<String, ActionError> {
        let mut ask = cmd("HMGET");
        ask.arg(work.from.key(id)).arg(&["name", "data", "opts", "timestamp"]);
        let fields: Vec<Option<Vec<u8>>> = self.answer(ask.query_async(connection)).await?;
        let Ok(texts) = fields
            .into_iter()
            .map(|field| field.map(String::from_utf8).transpose())
            .collect::<Result<Vec<_>, _>>()
        else {
            return Ok("left alone: what it holds is not text (UTF-8)".to_owned());
        };
        let mut texts = texts.into_iter();
        let mut next = || texts.next().flatten();
        let (name, data, options, made) = (next(), next(), next(), next().unwrap_or_default());
        let (Some(name), Some(data)) = (name, data) else {
            return Ok("left alone: its data is gone".to_owned());
        };
        let original = open_letter(work.envelope, &name, &data, &options.unwrap_or_default());
        let queue = match (&original.queue, work.to) {
            (Some(name), _) => QueueRef { prefix: work.from.prefix.clone(), name: name.clone() },
            (None, Some(to)) => to.clone(),
            (None, None) => {
                return Ok(
                    "left alone: neither the letter nor the queue's name says where it came from".to_owned()
                );
            }
        };
        if queue == *work.from {
            return Ok("left alone: it says that it came from this queue".to_owned());
        }
        let Some(family) = self.known_owner(connection, work, &queue).await? else {
            return Ok(format!("left alone: there is no queue {queue}"));
        };
        let print = fingerprint(&[id, &made, &name, &data]);
        let new = format!("{}{id}-{print}", redriven(&work.from.name)).replace(':', "-");
        let mark = queue.key(&format!("redriven:{new}"));
        let letter = Letter { queue, family, original, new, mark, made: made.parse().ok() };
        let (job, again, done) = match self.put_back(connection, work, &letter).await? {
            Ok(done) => done,
            Err(why) => return Ok(why),
        };
        let Letter { queue, mark, .. } = letter;
        let own = work.owners.get(work.from).copied().unwrap_or_default();
        let ids = [id.to_owned()];
        let removed =
            self.marked(connection, work.from, own, &ids, JobAct::Remove(state), Some(&mark)).await?;
        let gone = ["removed", meaning("moved", JobAct::Remove(state))];
        if removed.first().is_some_and(|word| gone.contains(word)) {
            let ask = cmd("SET").arg(&mark).arg("done").arg("EX").arg(MARKED_SECONDS).to_owned();
            // Where this fails it stays without an end, and does no harm.
            let _ = self.answer::<()>(ask.query_async(connection)).await;
        }
        // Whoever removed the letter counts it: with two operators at once the sum is what there was.
        match (removed.first() == Some(&"removed"), again) {
            (true, false) => work.trail.add(&queue, family, &job),
            (true, true) => work.earlier += 1,
            (false, _) => {}
        }
        Ok(match removed.first() {
            Some(why) if *why != "removed" => format!("{done}; the letter was {why}"),
            Some(_) | None => done,
        })
    }

    /// The job that a letter stands for, back with its workers: its id, whether an earlier redrive had done it, and that in words; else why not.
    async fn put_back(
        &self,
        connection: &mut Connection,
        work: &mut Work<'_>,
        Letter { queue, family, original, new, mark, made }: &Letter,
    ) -> Result<Result<(String, bool, String), String>, ActionError> {
        let kept = self.kept_original(connection, queue, original, *made).await?;
        Ok(match kept {
            Kept::Failed(id) => {
                let act = JobAct::Retry(RetryOptions::default());
                let ids = std::slice::from_ref(&id);
                let words = self.marked(connection, queue, *family, ids, act, Some(mark)).await?;
                let became = words.first().copied().unwrap_or_default();
                if !is_done(became, act) && became != AGAIN {
                    return Ok(Err(format!("its original {id} in {queue} was {became}")));
                }
                work.retried += usize::from(became != AGAIN);
                Ok((id.clone(), became == AGAIN, format!("its original {id} in {queue} is {became}")))
            }
            Kept::Open(id) if self.is_there(connection, mark).await? => {
                let done = format!("its original {id} in {queue} was {AGAIN}");
                Ok((id, true, done))
            }
            Kept::Open(id) => Err(format!("left alone: its original {id} is in {queue}, and not failed")),
            Kept::Doubtful(id, what) => Err(format!(
                "left alone: job {id} in {queue} has the id of its original and {what}; compare the two, then retry one of them"
            )),
            Kept::Nowhere => {
                let known = !self.add(connection, queue, *family, new, original, mark).await?;
                work.added += usize::from(!known);
                let again = if known { " (it was there already)" } else { "" };
                let done = format!("added to {queue} as {new}{again}");
                Ok((new.clone(), known, done))
            }
        })
    }

    /// The owner of a queue that letters go to; nothing when there is no such queue.
    async fn known_owner(
        &self,
        connection: &mut Connection,
        work: &mut Work<'_>,
        queue: &QueueRef,
    ) -> Result<Option<Family>, ActionError> {
        if let Some(family) = work.owners.get(queue) {
            return Ok(Some(*family));
        }
        let mut ask = cmd("EXISTS");
        ask.arg(queue.key("meta")).arg(queue.key("id"));
        let there: u64 = self.answer(ask.query_async(connection)).await?;
        if there == 0 {
            return Ok(None);
        }
        let family = self.owner(connection, queue).await?;
        work.owners.insert(queue.clone(), family);
        Ok(Some(family))
    }

    async fn is_there(&self, connection: &mut Connection, key: &str) -> Result<bool, ActionError> {
        self.answer(cmd("EXISTS").arg(key).query_async(connection)).await
    }

    /// Adds the job; false when one of this id is there.
    async fn add(
        &self,
        connection: &mut Connection,
        queue: &QueueRef,
        family: Family,
        id: &str,
        original: &Original,
        mark: &str,
    ) -> Result<bool, ActionError> {
        let (seconds, micros): (i64, i64) = self.answer(cmd("TIME").query_async(connection)).await?;
        let priority = original.options.get("priority").and_then(serde_json::Value::as_u64).unwrap_or(0);
        let mut call = Self::begin(&SCRIPTS.add, queue, family, seconds * 1000 + micros / 1000, "");
        call.key(queue.key(id)).key(queue.key("id")).key(mark);
        call.arg(id).arg(&original.name).arg(&original.data).arg(original.options.to_string()).arg(priority);
        let word: String = self.call(connection, &call).await?;
        Ok(word == "done")
    }
}

impl RedisExecutor {
    /// Writes to the journal beside the event loop. Without the line on disk it does not go on.
    async fn noted(
        &self,
        mut journal: Journal,
        write: impl FnOnce(&mut Journal) -> std::io::Result<()> + Send + 'static,
    ) -> Result<Journal, ActionError> {
        let written = self.filed(move || {
            let result = write(&mut journal).map_err(|error| format!("{}: {error}", journal.path.display()));
            result.map(|()| journal)
        });
        written
            .await
            .ok_or_else(|| ActionError::Unknown("writing the journal broke".to_owned()))?
            .map_err(|why| ActionError::Unknown(format!("the journal cannot be written any more: {why}")))
    }
}

impl Work<'_> {
    /// Letters that are gone and whose jobs are back.
    fn back(&self) -> usize {
        self.trail.len() + self.earlier
    }

    fn outcome(
        &self,
        chosen: usize,
        stopped: Option<&str>,
        fate: Option<Fate>,
        journal: &Journal,
    ) -> Outcome {
        let back = self.back();
        let alone = self.results.len().saturating_sub(back);
        let mut summary = format!(
            "redrive of {}: {back} of {chosen} back ({} originals retried, {} added)",
            self.from, self.retried, self.added
        );
        if self.earlier > 0 {
            summary.push_str(&format!(", {} had been put back before", self.earlier));
        }
        if alone > 0 {
            summary.push_str(&format!(", {alone} left alone"));
        }
        match fate {
            Some(fate) => fate.words().iter().for_each(|words| summary.push_str(&format!(", {words}"))),
            None => summary.push_str(", what became of them could not be read"),
        }
        if let Some(why) = stopped {
            let left = chosen - self.results.len();
            let end = match left {
                0 => format!("; all are back, but {why}"),
                left => format!("; stopped with {left} left: {why}; another redrive goes on with them"),
            };
            summary.push_str(&end);
        }
        let verdict = match (back, stopped) {
            (0, _) => Verdict::Nothing,
            (all, None) if all == chosen => Verdict::Done,
            _ => Verdict::Partly,
        };
        let results = self.results.iter().map(|(id, result, back)| (id.as_str(), result.as_str(), *back));
        let mut details = named("letter", &results);
        details.push(("journal".to_owned(), journal.path.display().to_string()));
        Outcome { verdict, summary, details }
    }
}
