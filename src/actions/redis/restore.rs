//! Puts back what was removed last from a queue, by the file in which removed jobs are kept.

use super::export::{self, Bytes, Removed};
use super::jobs::with_deduplication;
use super::named::named;
use super::scripts::SCRIPTS;
use super::{BETWEEN, RedisExecutor};
use crate::actions::stop::Stop;
use crate::core::action::{ActionError, Outcome, Verdict};
use crate::core::redis::QueueRef;
use crate::core::text::counted;
use crate::sources::redis::connection::Connection;
use redis::ScriptInvocation;

/// Why what waited for the end of a job is not put back with it.
const ALONE: &str = "its deduplication id is another's by now (it is kept in removed-jobs.jsonl)";

/// Jobs in one call: their data can be large.
const BATCH: usize = 20;

impl RedisExecutor {
    pub(super) async fn restore(
        &self,
        connection: &mut Connection,
        queue: &QueueRef,
        stop: &Stop,
    ) -> Result<Outcome, ActionError> {
        let family = self.owner(connection, queue).await?;
        let (folder, place, of) = (self.folder.clone(), self.connect.place(), queue.clone());
        let found = self.filed(move || export::last(&folder, &place, &of)).await;
        let jobs = found
            .ok_or_else(|| ActionError::NotDone("reading the removed jobs failed".to_owned()))?
            .map_err(ActionError::NotDone)?;
        let Some(removal) = jobs.first().map(|job| job.removal) else {
            return Err(ActionError::Refused(format!(
                "no removal from {queue} is left to be undone (removed-jobs.jsonl beside the audit trail)"
            )));
        };
        let (mut back, mut there, mut alone, mut results) = (0, 0, 0, Vec::new());
        for batch in jobs.chunks(BATCH) {
            if let Some(cause) = stop.cause() {
                let (dealt, all) = (back + there, jobs.len());
                let summary =
                    format!("queue {queue}: {back} put back; stopped by {cause} after {dealt} of {all}");
                return Ok(Outcome { verdict: Verdict::Partly, summary, details: told(&results) });
            }
            let now = self.server_now(connection).await?;
            let mut call = Self::begin(&SCRIPTS.restore, queue, family, now, "");
            for job in batch {
                given(&mut call, queue, job);
            }
            let words: Vec<String> = match self.call(connection, &call).await {
                Ok(words) => words,
                Err(error) if back + there == 0 => return Err(error),
                Err(error) => {
                    let left = jobs.len() - back - there;
                    let summary =
                        format!("queue {queue}: {back} put back; stopped with {left} left: {error}");
                    return Ok(Outcome { verdict: Verdict::Partly, summary, details: told(&results) });
                }
            };
            for (job, word) in batch.iter().zip(words) {
                let done = word != "exists";
                (back, there) = (back + usize::from(done), there + usize::from(!done));
                alone += usize::from(word == "alone");
                let what = match word.as_str() {
                    "exists" => "left alone: there is a job of its id".to_owned(),
                    "both" => format!("{} again, with the next one of its deduplication id", job.state),
                    "alone" => format!("{} again, without the next one: {ALONE}", job.state),
                    _ => format!("{} again", job.state),
                };
                results.push((job.id.clone(), what, done));
            }
            tokio::time::sleep(BETWEEN).await;
        }
        let without =
            if alone > 0 { format!(", {alone} without the next one: {ALONE}") } else { String::new() };
        let (folder, place, of) = (self.folder.clone(), self.connect.place(), queue.clone());
        let noted = self.filed(move || export::put_back(&folder, &place, &of, removal)).await;
        let rest = if there > 0 {
            format!(", {there} left alone: there are jobs of their ids")
        } else {
            String::new()
        };
        let noted = match noted {
            Some(Ok(())) => String::new(),
            Some(Err(why)) => format!("; that it was undone could not be written down: {why}"),
            None => "; that it was undone could not be written down".to_owned(),
        };
        let verdict = match (back, there + alone) {
            (0, _) => Verdict::Nothing,
            (_, 0) => Verdict::Done,
            _ => Verdict::Partly,
        };
        let summary =
            format!("queue {queue}: {} put back as they were{without}{rest}{noted}", counted(back, "job"));
        Ok(Outcome { verdict, summary, details: told(&results) })
    }
}

fn told(results: &[(String, String, bool)]) -> Vec<(String, String)> {
    named("job", &results.iter().map(|(id, what, done)| (id.as_str(), what.as_str(), *done)))
}

/// What the script is given of a job.
fn given(call: &mut ScriptInvocation<'_>, queue: &QueueRef, job: &Removed) {
    let hash = queue.key(&job.id);
    call.key(&hash).key(format!("{hash}:logs"));
    let owner = job.fields.get("deid").map_or("", String::as_str);
    with_deduplication(call, queue, &hash, owner);
    let priority = job.fields.get("priority").map_or("0", String::as_str);
    call.arg(&job.id).arg(&job.state).arg(job.score.as_deref().unwrap_or("0")).arg(priority);
    pairs(call, export::joined(&job.fields, &job.hex));
    call.arg(job.logs.len());
    for line in &job.logs {
        call.arg(line);
    }
    let next = if owner.is_empty() { Bytes::new() } else { export::joined(&job.next, &job.next_hex) };
    pairs(call, next);
}

/// How many there are, then name and value of each.
fn pairs(call: &mut ScriptInvocation<'_>, fields: Bytes) {
    call.arg(fields.len());
    for (name, value) in fields {
        call.arg(name).arg(value);
    }
}
