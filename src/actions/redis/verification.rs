//! The look after an act: where the jobs are now.

use super::named::NAMED;
use super::{RedisExecutor, TIMEOUT};
use crate::core::action::{ActionError, Verification};
use crate::core::redis::QueueRef;
use crate::sources::redis::DEPTH;
use crate::sources::redis::connection::Connection;
use redis::{Value, cmd, pipe};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

impl RedisExecutor {
    /// Where the jobs are now.
    pub(super) async fn verify_jobs(
        &self,
        queue: &QueueRef,
        ids: &[String],
        removed: bool,
    ) -> Result<Verification, ActionError> {
        let mut connection = self.connection().await?;
        let shown = &ids[..ids.len().min(NAMED)];
        let mut ask = pipe();
        for id in shown {
            for set in ["failed", "completed"] {
                ask.cmd("ZSCORE").arg(queue.key(set)).arg(id);
            }
            for list in ["active", "wait", "paused"] {
                for end in [1, -1] {
                    ask.cmd("LPOS")
                        .arg(queue.key(list))
                        .arg(id)
                        .arg("RANK")
                        .arg(end)
                        .arg("MAXLEN")
                        .arg(DEPTH);
                }
            }
            for set in ["prioritized", "delayed", "waiting-children"] {
                ask.cmd("ZSCORE").arg(queue.key(set)).arg(id);
            }
            ask.cmd("HGET").arg(queue.key(id)).arg("timestamp");
        }
        let values: Vec<Value> = match tokio::time::timeout(TIMEOUT, ask.query_async(&mut connection)).await {
            Ok(Ok(values)) => values,
            Ok(Err(error)) => return Err(ActionError::NotDone(self.words(&error))),
            Err(_) => return Err(ActionError::NotDone("the server did not answer within 5 s".to_owned())),
        };
        let mut found = verification(queue, (ids.len(), shown.len()), &values, removed);
        if let ([id], false) = (ids, removed)
            && let Some(took) = self.picked_up(&mut connection, queue, id).await
        {
            found.sentence.push_str(&format!("; picked up after {took} ms"));
        }
        Ok(found)
    }

    /// How many milliseconds after it was given back a worker took the job; nothing while none did.
    async fn picked_up(&self, connection: &mut Connection, queue: &QueueRef, id: &str) -> Option<i64> {
        let asked = cmd("HGET").arg(queue.key(id)).arg("processedOn").to_owned();
        let began: Option<i64> = self.answer(asked.query_async(connection)).await.ok()?;
        let given = self.given_at.load(Ordering::Relaxed);
        // Workers write their own clock's time: what lies before is from an earlier run.
        began.map(|began| began - given).filter(|took| *took >= 0)
    }
}

/// The places in which a look finds a job, in the order in which it asks.
const PLACES: [&str; 13] = [
    "failed",
    "completed",
    "being worked on",
    "being worked on",
    "waiting",
    "waiting",
    "held by the pause",
    "held by the pause",
    "waiting by priority",
    "delayed",
    "waiting for their children",
    "deep in line",
    GONE,
];
const GONE: &str = "gone (removed when done)";

fn verification(queue: &QueueRef, of: (usize, usize), values: &[Value], removed: bool) -> Verification {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for job in values.chunks(PLACES.len() - 1) {
        let place = job.iter().position(|value| !matches!(value, Value::Nil)).unwrap_or(PLACES.len() - 1);
        *counts.entry(PLACES[place]).or_default() += 1;
    }
    let count = |word: &str| counts.get(word).copied().unwrap_or(0);
    let mut words = PLACES.to_vec();
    words.dedup();
    let parts: Vec<String> = words
        .iter()
        .filter(|word| count(word) > 0)
        .map(|word| format!("{} {}", count(word), if removed && *word == GONE { "gone" } else { word }))
        .collect();
    let (asked, shown) = of;
    let of = if asked > shown { format!(" (the first {shown} of {asked})") } else { String::new() };
    let next = if count("failed") > 0 && !removed { "; read why before another try" } else { "" };
    let done = count("failed") + count("completed") + count(GONE);
    Verification {
        settled: if removed { count(GONE) == shown } else { done == shown },
        sentence: format!("queue {queue}: {}{of}{next}", parts.join(", ")),
    }
}
