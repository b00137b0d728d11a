//! Puts back what was removed last from a queue, by the file in which removed jobs are kept.

use super::export::{self, Removed};
use super::named::named;
use super::{BETWEEN, RedisExecutor};
use crate::actions::stop::Stop;
use crate::core::action::{ActionError, Outcome, Verdict};
use crate::core::redis::QueueRef;
use crate::core::text::counted;
use crate::sources::redis::connection::Connection;
use redis::ScriptInvocation;

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
        let (mut back, mut there, mut results) = (0, 0, Vec::new());
        for batch in jobs.chunks(BATCH) {
            if let Some(cause) = stop.cause() {
                let (dealt, all) = (back + there, jobs.len());
                let summary =
                    format!("queue {queue}: {back} put back; stopped by {cause} after {dealt} of {all}");
                return Ok(Outcome { verdict: Verdict::Partly, summary, details: told(&results) });
            }
            let now = self.server_now(connection).await?;
            let mut call = Self::begin(&self.scripts.restore, queue, family, now, "");
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
                let done = word == "done";
                (back, there) = (back + usize::from(done), there + usize::from(!done));
                let what = if done {
                    format!("{} again", job.state)
                } else {
                    "left alone: there is a job of its id".to_owned()
                };
                results.push((job.id.clone(), what, done));
            }
            tokio::time::sleep(BETWEEN).await;
        }
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
        let verdict = match (back, there) {
            (0, _) => Verdict::Nothing,
            (_, 0) => Verdict::Done,
            _ => Verdict::Partly,
        };
        let summary = format!("queue {queue}: {} put back as they were{rest}{noted}", counted(back, "job"));
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
    let priority = job.fields.get("priority").map_or("0", String::as_str);
    let bytes: Vec<(&String, Vec<u8>)> =
        job.hex.iter().filter_map(|(name, digits)| Some((name, export::from_hex(digits)?))).collect();
    call.arg(&job.id).arg(&job.state).arg(job.score.as_deref().unwrap_or("0")).arg(priority);
    call.arg(job.fields.len() + bytes.len());
    for (name, value) in &job.fields {
        call.arg(name).arg(value);
    }
    for (name, value) in bytes {
        call.arg(name).arg(value);
    }
    call.arg(job.logs.len());
    for line in &job.logs {
        call.arg(line);
    }
}
