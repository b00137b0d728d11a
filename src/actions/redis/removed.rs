//! Jobs are read and written down before they are removed. Without that, none is.

use super::RedisExecutor;
use super::export::{self, Removed};
use crate::core::action::ActionError;
use crate::core::redis::{JobState, QueueRef};
use crate::sources::redis::connection::Connection;
use redis::pipe;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

/// Jobs that are read at once: their data can be large.
const READ: usize = 20;
/// Lines of a job's log that are kept.
const LOGS: isize = 1000;

/// A job as it is read: its hash, its log, its score.
type Read = (BTreeMap<Vec<u8>, Vec<u8>>, Vec<Vec<u8>>, Option<String>);

impl RedisExecutor {
    pub(super) async fn write_down(
        &self,
        connection: &mut Connection,
        queue: &QueueRef,
        (ids, state): (&[String], JobState),
        now: i64,
        redriven: bool,
    ) -> Result<(), ActionError> {
        // The first of a removal gives it its name.
        let named = self.removal.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
        let removal = named.err().unwrap_or(now);
        let mut jobs: Vec<Removed> = Vec::with_capacity(ids.len());
        for part in ids.chunks(READ) {
            let mut ask = pipe();
            for id in part {
                ask.cmd("HGETALL")
                    .arg(queue.key(id))
                    .cmd("LRANGE")
                    .arg(format!("{}:logs", queue.key(id)))
                    .arg(-LOGS)
                    .arg(-1);
                let set = if state == JobState::Waiting { "failed" } else { state.word() };
                ask.cmd("ZSCORE").arg(queue.key(set)).arg(id);
            }
            let values: Vec<redis::Value> = self.answer(ask.query_async(connection)).await?;
            for (id, values) in part.iter().zip(values.chunks(3)) {
                let read: Result<Read, _> = redis::from_redis_value(redis::Value::Array(values.to_vec()));
                let (hash, logs, score) =
                    read.map_err(|error| ActionError::NotDone(format!("job {id} cannot be read: {error}")))?;
                if hash.is_empty() {
                    continue;
                }
                let mut job = Removed {
                    at: now,
                    removal,
                    address: self.connect.place(),
                    prefix: queue.prefix.clone(),
                    queue: queue.name.clone(),
                    id: id.clone(),
                    state: state.word().to_owned(),
                    score,
                    logs: logs.iter().map(|line| String::from_utf8_lossy(line).into_owned()).collect(),
                    redriven,
                    ..Removed::default()
                };
                for (name, value) in hash {
                    let name = String::from_utf8_lossy(&name).into_owned();
                    match String::from_utf8(value) {
                        Ok(text) => job.fields.insert(name, text),
                        Err(bytes) => job.hex.insert(name, export::hex(bytes.as_bytes())),
                    };
                }
                jobs.push(job);
            }
        }
        let folder = self.folder.clone();
        self.filed(move || export::append(&folder, &jobs))
            .await
            .ok_or_else(|| ActionError::NotDone("writing the jobs down failed".to_owned()))?
            .map(|_| ())
            .map_err(|why| ActionError::NotDone(format!("the jobs could not be written down first: {why}")))
    }
}
