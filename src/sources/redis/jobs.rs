//! Details that somebody looks at: jobs that have not ended, one job. Never a whole hash in a list: payloads can be large.

use super::budget::Left;
use super::connection::Connection;
use super::decode::{list, number, scored, text};
use super::failed::{Page, Remembered, span};
use super::refused;
use crate::core::focus::Focus;
use crate::core::redis::{
    FailedPage, JobDetail, JobList, JobState, Kin, ListedJob, Masks, QueueRef, REASON_CHARS,
};
use crate::sources::redis::FIELD_LIMIT_BYTES;
use redis::{RedisError, Value, pipe};
use std::collections::BTreeMap;
use std::time::Duration;

/// Log lines of a job that are shown.
const LOGS: isize = 50;
/// Children of a job that are shown of each kind.
const CHILDREN: usize = 50;
/// Of each state that has not ended, so many jobs are listed: those that run or come next.
const LISTED_EACH: isize = 50;
/// A job is looked for in a line so far from either end.
pub(crate) const DEPTH: usize = 50_000;
/// What somebody looks at.
#[derive(Debug, Default)]
pub(super) struct Details {
    pub(super) failed: Vec<FailedPage>,
    pub(super) lists: Vec<JobList>,
    pub(super) jobs: Vec<JobDetail>,
}

/// Reads everything in `focus`; what cannot be read is left out and asked for again with the next poll.
pub(super) async fn read(
    connection: &mut Connection,
    focus: &[Focus],
    masks: &Masks,
    remembered: &mut Remembered,
    left: &mut Left,
    now: i64,
) -> Details {
    let mut details = Details::default();
    for wanted in focus {
        match wanted {
            Focus::OpenJobs { queue } => details.lists.extend(open_jobs(connection, queue, now).await.ok()),
            Focus::Job { queue, id } => details.jobs.extend(job(connection, queue, id, masks).await.ok()),
            Focus::FailedJobs { .. }
            | Focus::StatementTexts(_)
            | Focus::Look(_)
            | Focus::Cluster(_)
            | Focus::Server { .. }
            | Focus::Jobs { .. }
            | Focus::Lines(_)
            | Focus::More { .. }
            | Focus::Range(_)
            | Focus::MetricNames => {}
        }
    }
    // Last, with what is left of what a poll may read.
    let pages: Vec<Page<'_>> = focus
        .iter()
        .filter_map(|wanted| match wanted {
            Focus::FailedJobs { queue, offset, limit } => Some((queue, *offset, *limit)),
            _ => None,
        })
        .collect();
    if !pages.is_empty() {
        details.failed = remembered.pages(connection, &pages, masks, left, now).await.unwrap_or_default();
    }
    details
}

const OPEN_FIELDS: [&str; 6] = ["name", "timestamp", "processedOn", "pb", "priority", "opts"];

/// The first jobs of each state that has not ended.
async fn open_jobs(connection: &mut Connection, queue: &QueueRef, now: i64) -> Result<JobList, RedisError> {
    let mut ask = pipe();
    ask.ignore_errors();
    ask.cmd("LRANGE").arg(queue.key("active")).arg(-LISTED_EACH).arg(-1);
    // The tail of a list is next.
    for list in ["wait", "paused"] {
        ask.cmd("LRANGE").arg(queue.key(list)).arg(-LISTED_EACH).arg(-1);
    }
    for set in ["prioritized", "delayed"] {
        ask.cmd("ZRANGE").arg(queue.key(set)).arg(0).arg(LISTED_EACH - 1).arg("WITHSCORES");
    }
    let values: Vec<Value> = ask.query_async(connection).await?;
    let at = |index: usize| values.get(index).map(list).unwrap_or_default();
    let states = [JobState::Active, JobState::Waiting, JobState::Waiting];
    let mut found: Vec<(String, JobState, Option<i64>)> = Vec::new();
    for (index, state) in states.into_iter().enumerate() {
        let ids = at(index).iter().rev().filter_map(text).filter(|id| !id.starts_with("0:"));
        found.extend(ids.map(|id| (id, state, None)));
    }
    let sorted = |index: usize| values.get(index).map(scored).unwrap_or_default();
    found.extend(sorted(3).into_iter().map(|(id, _)| (id, JobState::Prioritized, None)));
    let due = |score: f64| (score / 4096.0) as i64;
    found.extend(sorted(4).into_iter().map(|(id, score)| (id, JobState::Delayed, Some(due(score)))));
    if found.is_empty() {
        return Ok(JobList { queue: queue.clone(), jobs: Vec::new() });
    }
    let mut ask = pipe();
    ask.ignore_errors();
    for (id, ..) in &found {
        let key = queue.key(id);
        ask.cmd("HMGET").arg(&key).arg(&OPEN_FIELDS).cmd("PTTL").arg(format!("{key}:lock"));
    }
    let values: Vec<Value> = ask.query_async(connection).await?;
    let jobs = found
        .into_iter()
        .zip(values.chunks(2))
        .map(|((id, state, due), answer)| listed(id, state, due, answer, now))
        .collect();
    Ok(JobList { queue: queue.clone(), jobs })
}

fn listed(id: String, state: JobState, due: Option<i64>, answer: &[Value], now: i64) -> ListedJob {
    let fields: Vec<Option<String>> = answer.first().map(list).unwrap_or_default().iter().map(text).collect();
    let field = |index: usize| fields.get(index).cloned().flatten();
    let whole = |index: usize| field(index).and_then(|text| text.parse::<i64>().ok());
    let since = if state == JobState::Active { whole(2) } else { whole(1) };
    let ttl = answer.get(1).and_then(number).and_then(|ms| u64::try_from(ms).ok());
    let in_options = || {
        let opts = serde_json::from_str::<serde_json::Value>(&field(5)?).ok()?;
        opts.get("priority")?.as_i64()
    };
    ListedJob {
        id,
        name: field(0).unwrap_or_default(),
        state,
        age: since.and_then(|since| span(since, now)),
        due_in: due.map(|due| span(now, due).unwrap_or_default()),
        lock: ttl.map(Duration::from_millis),
        worker: field(3).unwrap_or_default(),
        priority: whole(4).or_else(in_options).and_then(|n| u64::try_from(n).ok()).filter(|n| *n > 0),
        ghost: field(1).is_none(),
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

async fn job(
    connection: &mut Connection,
    queue: &QueueRef,
    id: &str,
    masks: &Masks,
) -> Result<JobDetail, RedisError> {
    let key = queue.key(id);
    let mut sizes = pipe();
    sizes.ignore_errors();
    for field in FIELDS {
        sizes.cmd("HSTRLEN").arg(&key).arg(field);
    }
    for set in ["failed", "completed", "delayed", "prioritized", "waiting-children"] {
        sizes.cmd("ZSCORE").arg(queue.key(set)).arg(id);
    }
    // From both ends: who waits is near the one, who comes next near the other.
    for end in [-1, 1] {
        for queued in ["wait", "paused", "active"] {
            sizes.cmd("LPOS").arg(queue.key(queued)).arg(id).arg("RANK").arg(end).arg("MAXLEN").arg(DEPTH);
        }
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
    let states = ["failed", "completed", "delayed", "prioritized", "waiting-children"];
    let lists = ["waiting", "waiting", "active"];
    // What was refused says nothing of the job.
    let refused = refused::first(&values).map(|words| format!("not known ({words})"));
    let there = match (refused, size(5)) {
        (Some(words), _) => words,
        (None, 0) => "gone".to_owned(),
        (None, _) => "deep in its line, or in a state that is not known here".to_owned(),
    };
    let state = states
        .iter()
        .chain(&lists)
        .chain(&lists)
        .enumerate()
        .find(|(index, _)| values.get(FIELDS.len() + index).and_then(text).is_some())
        .map_or(there, |(_, state)| (*state).to_owned());
    let mut fields = BTreeMap::new();
    if !wanted.is_empty() {
        let mut ask = pipe();
        ask.ignore_errors().cmd("HMGET").arg(&key).arg(&wanted);
        let values: Vec<Value> = ask.query_async(connection).await?;
        let read = values.first().map(list).unwrap_or_default();
        for (field, value) in wanted.iter().zip(read) {
            fields.extend(text(value).map(|value| ((*field).to_owned(), value)));
        }
    }
    let parent = fields.get("parentKey").map(|key: &String| (Kin::Parent, key.clone()));
    let (logs, children) = belongings(connection, &key).await?;
    let (fields, logs) = masks.job(fields, logs);
    let logs = logs.into_iter().map(|line| line.cut(REASON_CHARS)).collect();
    let links = parent.into_iter().chain(children).collect();
    Ok(JobDetail { queue: queue.clone(), id: id.to_owned(), state, fields, too_large, logs, links })
}

/// Its newest log lines, and the keys of its children by how they stand.
async fn belongings(
    connection: &mut Connection,
    key: &str,
) -> Result<(Vec<String>, Vec<(Kin, String)>), RedisError> {
    let logs = format!("{key}:logs");
    let mut sizes = pipe();
    sizes.ignore_errors();
    sizes.cmd("MEMORY").arg("USAGE").arg(&logs).arg("SAMPLES").arg(LOGS).cmd("LLEN").arg(&logs);
    for set in ["processed", "failed"] {
        sizes.cmd("HLEN").arg(format!("{key}:{set}"));
    }
    let sizes: Vec<Value> = sizes.query_async(connection).await?;
    let whole = |at: usize| sizes.get(at).and_then(number).unwrap_or(0);
    // Lines that are large on average: fewer of them; where that may not be asked, as many as ever.
    let line = whole(0).checked_div(whole(1)).unwrap_or(0).max(1);
    let most = isize::try_from(FIELD_LIMIT_BYTES as i64 / line).unwrap_or(LOGS).clamp(1, LOGS);
    let mut ask = pipe();
    ask.ignore_errors();
    ask.cmd("LRANGE").arg(&logs).arg(-most).arg(-1);
    ask.cmd("SRANDMEMBER").arg(format!("{key}:dependencies")).arg(CHILDREN);
    // Results of children can be large: their keys are walked over, not their values. Of very many, any fifty (from 6.2 on).
    for (at, set) in ["processed", "failed"].into_iter().enumerate() {
        if whole(2 + at) > 10 * CHILDREN as i64 {
            ask.cmd("HRANDFIELD").arg(format!("{key}:{set}")).arg(CHILDREN);
        } else {
            ask.cmd("HKEYS").arg(format!("{key}:{set}"));
        }
    }
    ask.cmd("ZRANGE").arg(format!("{key}:unsuccessful")).arg(0).arg(CHILDREN - 1);
    let values: Vec<Value> = ask.query_async(connection).await?;
    let texts = |index: usize| {
        let values = values.get(index).map(list).unwrap_or_default();
        values.iter().filter_map(text).take(CHILDREN).collect::<Vec<_>>()
    };
    let logs = texts(0);
    let links = |index: usize, kind: Kin| texts(index).into_iter().map(move |key| (kind, key));
    let mut children: Vec<(Kin, String)> = links(4, Kin::Failed).chain(links(3, Kin::Ignored)).collect();
    children.extend(awaited(connection, key, texts(1)).await);
    children.extend(links(2, Kin::Done));
    Ok((logs, children))
}

/// Whether each of these children, for which the job of this key waits, still exists; those that do not first. One that ended meanwhile,
/// and was removed, is none that it waits for.
async fn awaited(connection: &mut Connection, key: &str, children: Vec<String>) -> Vec<(Kin, String)> {
    let (seen, unseen): (Vec<String>, Vec<String>) =
        children.into_iter().partition(|child| connection.serves(child));
    let mut found: Vec<(Kin, String)> = unseen.into_iter().map(|child| (Kin::Unseen, child)).collect();
    if !seen.is_empty() {
        let (mut exist, mut wait) = (pipe(), pipe());
        exist.ignore_errors();
        wait.ignore_errors();
        for child in &seen {
            exist.cmd("EXISTS").arg(child);
            wait.cmd("SISMEMBER").arg(format!("{key}:dependencies")).arg(child);
        }
        // What cannot be asked is not seen.
        let there: Vec<Value> = exist.query_async(connection).await.unwrap_or_default();
        let still: Vec<Value> = wait.query_async(connection).await.unwrap_or_default();
        for (at, child) in seen.into_iter().enumerate() {
            match (there.get(at).and_then(number), still.get(at).and_then(number)) {
                (_, Some(0)) => {}
                (Some(0), Some(_)) => found.push((Kin::Gone, child)),
                (Some(0) | None, _) => found.push((Kin::Unseen, child)),
                (Some(_), _) => found.push((Kin::Awaited, child)),
            }
        }
    }
    found.sort_by_key(|(kind, _)| *kind != Kin::Gone);
    found
}
