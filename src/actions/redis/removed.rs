//! Jobs are read and written down before they are removed. Without that, none is.

use super::RedisExecutor;
use super::export::{self, Bytes, Removed};
use super::jobs::deduplication;
use crate::core::action::ActionError;
use crate::core::redis::{JobState, QueueRef};
use crate::sources::redis::connection::Connection;
use redis::pipe;
use std::sync::atomic::Ordering;

/// Jobs that are read at once: their data can be large.
const READ: usize = 20;
/// Lines of a job's log that are kept.
const LOGS: isize = 1000;

/// A job as it is read: its hash, its log, its score.
type Read = (Bytes, Vec<Vec<u8>>, Option<String>);

impl RedisExecutor {
    /// Writes these jobs down, each with what waits for its end by its deduplication id (`owners`): the data of that, as the removal shall
    /// find it; empty where there is none.
    pub(super) async fn write_down(
        &self,
        connection: &mut Connection,
        queue: &QueueRef,
        (ids, owners, state): (&[String], &[String], JobState),
        now: i64,
        redriven: bool,
    ) -> Result<Vec<Vec<u8>>, ActionError> {
        // The first of a removal gives it its name.
        let named = self.removal.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
        let removal = named.err().unwrap_or(now);
        let mut jobs: Vec<Removed> = Vec::with_capacity(ids.len());
        let mut after = Vec::with_capacity(ids.len());
        for (part, owners) in ids.chunks(READ).zip(owners.chunks(READ)) {
            let mut ask = pipe();
            for id in part {
                ask.cmd("HGETALL")
                    .arg(queue.key(id))
                    .cmd("LRANGE")
                    .arg(format!("{}:logs", queue.key(id)))
                    .arg(-LOGS)
                    .arg(-1);
                let unscored = matches!(state, JobState::Waiting | JobState::Lost);
                let set = if unscored { "failed" } else { state.word() };
                ask.cmd("ZSCORE").arg(queue.key(set)).arg(id);
            }
            let values: Vec<redis::Value> = self.answer(ask.query_async(connection)).await?;
            let coming = self.coming(connection, queue, part, owners).await?;
            for ((id, values), next) in part.iter().zip(values.chunks(3)).zip(coming) {
                after.push(next.get(&b"data"[..]).cloned().unwrap_or_default());
                let read: Result<Read, _> = redis::from_redis_value(redis::Value::Array(values.to_vec()));
                let (hash, logs, score) =
                    read.map_err(|error| ActionError::NotDone(format!("job {id} cannot be read: {error}")))?;
                if hash.is_empty() {
                    continue;
                }
                let (fields, hex) = export::apart(hash);
                let (next, next_hex) = export::apart(next);
                jobs.push(Removed {
                    at: now,
                    removal,
                    address: self.connect.place(),
                    prefix: queue.prefix.clone(),
                    queue: queue.name.clone(),
                    id: id.clone(),
                    state: state.word().to_owned(),
                    score,
                    fields,
                    hex,
                    logs: logs.iter().map(|line| String::from_utf8_lossy(line).into_owned()).collect(),
                    next,
                    next_hex,
                    redriven,
                });
            }
        }
        let folder = self.folder.clone();
        self.filed(move || export::append(&folder, &jobs))
            .await
            .ok_or_else(|| ActionError::NotDone("writing the jobs down failed".to_owned()))?
            .map(|_| after)
            .map_err(|why| ActionError::NotDone(format!("the jobs could not be written down first: {why}")))
    }

    /// What waits for the end of each of these jobs by its deduplication id, while that is its own; nothing where it has none.
    async fn coming(
        &self,
        connection: &mut Connection,
        queue: &QueueRef,
        ids: &[String],
        owners: &[String],
    ) -> Result<Vec<Bytes>, ActionError> {
        let mut coming = vec![Bytes::new(); ids.len()];
        let with: Vec<usize> = (0..ids.len()).filter(|at| !owners[*at].is_empty()).collect();
        if with.is_empty() {
            return Ok(coming);
        }
        let mut ask = pipe();
        for at in &with {
            let key = |kind| deduplication(queue, "", &owners[*at], kind);
            ask.cmd("GET").arg(key("de")).cmd("HGETALL").arg(key("dn"));
        }
        let values: Vec<redis::Value> = self.answer(ask.query_async(connection)).await?;
        for (at, values) in with.into_iter().zip(values.chunks(2)) {
            let read: Result<(Option<String>, Bytes), _> =
                redis::from_redis_value(redis::Value::Array(values.to_vec()));
            let (owner, next) = read.map_err(|error| {
                ActionError::NotDone(format!("what waits behind job {} cannot be read: {error}", ids[at]))
            })?;
            if owner.as_ref() == ids.get(at) {
                coming[at] = next;
            }
        }
        Ok(coming)
    }
}
