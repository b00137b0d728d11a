//! Details that somebody looks at: a page of failed jobs, one job. Never a whole hash in a list: payloads can be large.

use super::connection::Connection;
use super::decode::{list, number, scored, text};
use crate::core::focus::Focus;
use crate::core::redis::{FailedJob, FailedPage, JobDetail, QueueRef};
use redis::{RedisError, Value, pipe};
use std::collections::BTreeMap;
use std::time::Duration;

/// A field larger than this is not read: one job must not fill the terminal's memory or a slow line.
const FIELD_LIMIT_BYTES: u64 = 64 * 1024;
/// A reason longer than this is cut in the list.
const REASON_CHARS: usize = 400;

/// Reads everything in `focus`; what cannot be read is left out and asked for again with the next poll.
pub(super) async fn read(
    connection: &mut Connection,
    focus: &[Focus],
    now: i64,
) -> (Vec<FailedPage>, Vec<JobDetail>) {
    let mut pages = Vec::new();
    let mut jobs = Vec::new();
    for wanted in focus {
        match wanted {
            Focus::FailedJobs { queue, offset, limit } => {
                pages.extend(failed(connection, queue, *offset, *limit, now).await.ok());
            }
            Focus::Job { queue, id } => jobs.extend(job(connection, queue, id).await.ok()),
            Focus::StatementTexts(_) => {}
        }
    }
    (pages, jobs)
}

const LISTED: [&str; 8] =
    ["name", "failedReason", "attemptsMade", "atm", "opts", "processedOn", "finishedOn", "timestamp"];

async fn failed(
    connection: &mut Connection,
    queue: &QueueRef,
    offset: u64,
    limit: u64,
    now: i64,
) -> Result<FailedPage, RedisError> {
    let range = (offset as i64, (offset + limit) as i64 - 1);
    let mut ask = pipe();
    ask.cmd("ZREVRANGE").arg(queue.key("failed")).arg(range.0).arg(range.1).arg("WITHSCORES");
    let values: Vec<Value> = ask.query_async(connection).await?;
    let ids = values.first().map(scored).unwrap_or_default();
    let mut jobs = Vec::with_capacity(ids.len());
    if !ids.is_empty() {
        let mut ask = pipe();
        ask.ignore_errors();
        for (id, _) in &ids {
            ask.cmd("HMGET").arg(queue.key(id)).arg(&LISTED);
        }
        let values: Vec<Value> = ask.query_async(connection).await?;
        jobs.extend(ids.iter().zip(values).map(|((id, score), value)| one(id, *score, &value, now)));
    }
    Ok(FailedPage { queue: queue.clone(), offset, jobs })
}

fn one(id: &str, score: f64, value: &Value, now: i64) -> FailedJob {
    let fields: Vec<Option<String>> = list(value).iter().map(text).collect();
    let field = |index: usize| fields.get(index).cloned().flatten();
    let whole = |index: usize| field(index).and_then(|text| text.parse::<i64>().ok());
    let opts = field(4).and_then(|opts| serde_json::from_str::<serde_json::Value>(&opts).ok());
    let span = |from: i64, to: i64| u64::try_from(to - from).ok().map(Duration::from_millis);
    FailedJob {
        id: id.to_owned(),
        name: field(0).unwrap_or_default(),
        reason: field(1).unwrap_or_default().chars().take(REASON_CHARS).collect(),
        attempts: whole(2).or_else(|| whole(3)).and_then(|n| u64::try_from(n).ok()),
        attempts_allowed: opts.as_ref().and_then(|opts| opts.get("attempts")?.as_u64()),
        age: span(score as i64, now),
        ran_for: whole(5).zip(whole(6)).and_then(|(from, to)| span(from, to)),
        // Every job has the time when it was added; a hash that is gone has nothing.
        ghost: field(7).is_none(),
    }
}

/// The fields of a job that are worth showing, in the order of the screen.
const FIELDS: [&str; 16] = [
    "name",
    "failedReason",
    "stacktrace",
    "data",
    "opts",
    "timestamp",
    "processedOn",
    "finishedOn",
    "attemptsMade",
    "atm",
    "ats",
    "progress",
    "returnvalue",
    "parentKey",
    "delay",
    "priority",
];

async fn job(connection: &mut Connection, queue: &QueueRef, id: &str) -> Result<JobDetail, RedisError> {
    let key = queue.key(id);
    let mut sizes = pipe();
    sizes.ignore_errors();
    for field in FIELDS {
        sizes.cmd("HSTRLEN").arg(&key).arg(field);
    }
    for set in ["failed", "completed", "delayed", "prioritized", "waiting-children"] {
        sizes.cmd("ZSCORE").arg(queue.key(set)).arg(id);
    }
    for queued in ["wait", "paused", "active"] {
        sizes.cmd("LPOS").arg(queue.key(queued)).arg(id).arg("MAXLEN").arg(10_000);
    }
    let values: Vec<Value> = sizes.query_async(connection).await?;
    let size =
        |index: usize| values.get(index).and_then(number).and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
    let mut too_large = Vec::new();
    let mut wanted = Vec::new();
    for (index, field) in FIELDS.iter().enumerate() {
        match size(index) {
            0 => {}
            bytes if bytes > FIELD_LIMIT_BYTES => too_large.push(((*field).to_owned(), bytes)),
            _ => wanted.push(*field),
        }
    }
    let states =
        ["failed", "completed", "delayed", "prioritized", "waiting-children", "waiting", "paused", "active"];
    let state = states
        .iter()
        .enumerate()
        .find(|(index, _)| values.get(FIELDS.len() + index).and_then(text).is_some())
        .map_or("gone", |(_, state)| state);
    let mut fields = BTreeMap::new();
    if !wanted.is_empty() {
        let mut ask = pipe();
        ask.cmd("HMGET").arg(&key).arg(&wanted);
        let values: Vec<Value> = ask.query_async(connection).await?;
        let read = values.first().map(list).unwrap_or_default();
        for (field, value) in wanted.iter().zip(read) {
            fields.extend(text(value).map(|value| ((*field).to_owned(), value)));
        }
    }
    Ok(JobDetail { queue: queue.clone(), id: id.to_owned(), state: state.to_owned(), fields, too_large })
}
