//! Reads of a queue what somebody looks at: schedulers, events, run times, blocked parents, memory. Plain reads, in small numbers.

use super::budget::Left;
use super::connection::Connection;
use super::decode::{list, number, scored, text};
use super::events::event_bytes;
use super::evidence;
use crate::core::redis::{Ended, Masks, QueueEvent, QueueRef, QueueWorkings, Scheduler, run_times};
use redis::{RedisError, Value, pipe};
use std::collections::HashMap;
use std::time::Duration;

/// Of each kind so many are read.
const EVENTS: usize = 200;
const ENDED: isize = 200;
const SCHEDULERS: isize = 200;
const PARENTS: isize = 50;
const CHILDREN: usize = 20;
const SAMPLED: isize = 20;
/// The time of a scheduler is over when it is over by this much: workers need a moment.
const GRACE: i64 = 5_000;

pub(super) async fn read(
    connection: &mut Connection,
    queue: &QueueRef,
    masks: &Masks,
    left: &mut Left,
    now: i64,
) -> Result<QueueWorkings, RedisError> {
    let events = left.some(event_bytes(connection, queue).await?, EVENTS);
    let mut ask = pipe();
    ask.ignore_errors();
    ask.cmd("ZRANGE").arg(queue.key("repeat")).arg(0).arg(SCHEDULERS - 1).arg("WITHSCORES");
    ask.cmd("XREVRANGE").arg(queue.key("events")).arg("+").arg("-").arg("COUNT").arg(events);
    ask.cmd("ZREVRANGE").arg(queue.key("completed")).arg(0).arg(ENDED - 1);
    ask.cmd("ZRANGE").arg(queue.key("waiting-children")).arg(0).arg(PARENTS - 1);
    ask.cmd("HMGET").arg(queue.key("meta")).arg(&["concurrency", "max", "duration"]);
    let values: Vec<Value> = ask.query_async(connection).await?;
    let at = |index: usize| values.get(index).cloned().unwrap_or_default();
    let ids = |value: &Value| list(value).iter().filter_map(text).collect::<Vec<_>>();
    let meta: Vec<Option<u64>> =
        list(&at(4)).iter().map(|value| number(value).and_then(|n| u64::try_from(n).ok())).collect();
    let meta = |index: usize| meta.get(index).copied().flatten();
    let completed = ids(&at(2));
    Ok(QueueWorkings {
        queue: queue.clone(),
        schedulers: schedulers(connection, queue, &scored(&at(0)), now).await?,
        events: list(&at(1)).iter().filter_map(|entry| event(entry, masks, now)).collect(),
        times: run_times(&ended(connection, queue, &completed).await?),
        blocked: blocked(connection, queue, &ids(&at(3))).await?,
        concurrency: meta(0),
        rate: meta(1).zip(meta(2).map(Duration::from_millis)),
        workers: evidence::workers_of(connection, queue).await.ok(),
        memory_bytes: memory(connection, queue).await.ok().flatten(),
    })
}

async fn schedulers(
    connection: &mut Connection,
    queue: &QueueRef,
    found: &[(String, f64)],
    now: i64,
) -> Result<Vec<Scheduler>, RedisError> {
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let mut ask = pipe();
    ask.ignore_errors();
    for (id, score) in found {
        // Its job is there: it waits for a worker like any other, the scheduler is in time.
        let job = queue.key(&format!("repeat:{id}:{score:.0}"));
        ask.cmd("HMGET").arg(job).arg(&["timestamp", "finishedOn"]);
        let own = queue.key(&format!("repeat:{id}"));
        ask.cmd("HMGET").arg(own).arg(&["name", "every", "pattern", "tz", "ic", "limit", "endDate"]);
    }
    let values: Vec<Value> = ask.query_async(connection).await?;
    let scheduler = |((id, score), values): (&(String, f64), &[Value])| {
        let texts =
            |at: usize| values.get(at).map(list).unwrap_or_default().iter().map(text).collect::<Vec<_>>();
        let (job, fields): (Vec<Option<String>>, Vec<Option<String>>) = (texts(0), texts(1));
        let made = matches!(job.as_slice(), [Some(_), None]);
        let field = |index: usize| fields.get(index).cloned().flatten().filter(|text| !text.is_empty());
        let every = field(1).and_then(|ms| ms.parse().ok()).map(Duration::from_millis);
        let zone = field(3).map_or(String::new(), |zone| format!(" ({zone})"));
        let rhythm = match (every, field(2)) {
            (Some(every), _) => format!("every {} s", every.as_secs_f64()),
            (None, Some(pattern)) => format!("{pattern}{zone}"),
            (None, None) => String::new(),
        };
        let left = *score as i64 - now;
        let whole = |index: usize| field(index).and_then(|text| text.parse::<i64>().ok());
        let all_made = whole(4).zip(whole(5)).is_some_and(|(made, limit)| made >= limit);
        // Without a count it is a repeatable job: where its last one ended, its limit may have been reached.
        let over = matches!(job.as_slice(), [Some(_), Some(_)]) && field(4).is_none();
        let ended = !made && (all_made || whole(6).is_some_and(|end| end <= now));
        Scheduler {
            id: id.clone(),
            name: field(0).unwrap_or_default(),
            rhythm,
            next_in: u64::try_from(left).ok().map(Duration::from_millis),
            overdue: (left < -GRACE && !made && !ended && !over)
                .then(|| Duration::from_millis(left.unsigned_abs())),
            ended,
            made: field(4).and_then(|count| count.parse().ok()),
            job: made.then(|| format!("repeat:{id}:{score:.0}")),
        }
    };
    Ok(found.iter().zip(values.chunks(2)).map(scheduler).collect())
}

fn event(entry: &Value, masks: &Masks, now: i64) -> Option<QueueEvent> {
    let parts = list(entry);
    let id = text(parts.first()?)?;
    let at: i64 = id.split('-').next()?.parse().ok()?;
    let fields: Vec<String> = list(parts.get(1)?).iter().filter_map(text).collect();
    let mut found = QueueEvent {
        id,
        age: u64::try_from(now - at).ok().map(Duration::from_millis),
        ..QueueEvent::default()
    };
    for pair in fields.chunks_exact(2) {
        match pair[0].as_str() {
            "event" => found.event.clone_from(&pair[1]),
            "jobId" => found.job.clone_from(&pair[1]),
            // What a job returned can be large, and can be secret.
            "returnvalue" => {
                let size = masks.payload(format!("{} bytes", pair[1].len()));
                found.details.push(("returned".to_owned(), size));
            }
            name => found.details.push((name.to_owned(), masks.payload(pair[1].clone()).cut(200))),
        }
    }
    Some(found)
}

async fn ended(
    connection: &mut Connection,
    queue: &QueueRef,
    ids: &[String],
) -> Result<Vec<Ended>, RedisError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut ask = pipe();
    ask.ignore_errors();
    for id in ids {
        ask.cmd("HMGET").arg(queue.key(id)).arg(&[
            "name",
            "timestamp",
            "processedOn",
            "finishedOn",
            "opts",
            "ats",
            "attemptsMade",
        ]);
    }
    let values: Vec<Value> = ask.query_async(connection).await?;
    let job = |value: &Value| {
        let fields: Vec<Option<String>> = list(value).iter().map(text).collect();
        let field = |index: usize| fields.get(index).cloned().flatten();
        let whole = |index: usize| field(index).and_then(|text| text.parse::<i64>().ok());
        let opts = field(4).and_then(|opts| serde_json::from_str::<serde_json::Value>(&opts).ok());
        let delay = opts.and_then(|opts| opts.get("delay")?.as_i64()).unwrap_or(0);
        let once = whole(5).or_else(|| whole(6)).unwrap_or(1) <= 1;
        Some(Ended {
            name: field(0)?,
            ready: whole(1).filter(|_| once).map(|added| added + delay),
            began: whole(2)?,
            ended: whole(3)?,
        })
    };
    Ok(values.iter().filter_map(job).collect())
}

/// Parents whose children have failed: without an option that says otherwise they wait for ever.
async fn blocked(
    connection: &mut Connection,
    queue: &QueueRef,
    parents: &[String],
) -> Result<Vec<(String, usize)>, RedisError> {
    if parents.is_empty() {
        return Ok(Vec::new());
    }
    let mut ask = pipe();
    ask.ignore_errors();
    for id in parents {
        ask.cmd("SRANDMEMBER").arg(queue.key(&format!("{id}:dependencies"))).arg(CHILDREN);
    }
    let values: Vec<Value> = ask.query_async(connection).await?;
    let children: Vec<(usize, String)> = values
        .iter()
        .enumerate()
        .flat_map(|(parent, value)| {
            list(value).iter().filter_map(text).map(|key| (parent, key)).collect::<Vec<_>>()
        })
        .collect();
    if children.is_empty() {
        return Ok(Vec::new());
    }
    let mut ask = pipe();
    ask.ignore_errors();
    for (_, key) in &children {
        let (base, id) = key.rsplit_once(':').unwrap_or((key, ""));
        ask.cmd("ZSCORE").arg(format!("{base}:failed")).arg(id);
    }
    let scores: Vec<Value> = ask.query_async(connection).await?;
    let mut failed: HashMap<usize, usize> = HashMap::new();
    for ((parent, _), score) in children.iter().zip(&scores) {
        if text(score).is_some() {
            *failed.entry(*parent).or_default() += 1;
        }
    }
    let mut found: Vec<(String, usize)> =
        failed.into_iter().map(|(parent, count)| (parents[parent].clone(), count)).collect();
    found.sort();
    Ok(found)
}

/// The structures of the queue, and a sample of its ended jobs times their number.
async fn memory(connection: &mut Connection, queue: &QueueRef) -> Result<Option<f64>, RedisError> {
    const STRUCTURES: [&str; 8] =
        ["wait", "paused", "active", "prioritized", "delayed", "completed", "failed", "events"];
    let mut ask = pipe();
    ask.ignore_errors();
    for suffix in STRUCTURES {
        ask.cmd("MEMORY").arg("USAGE").arg(queue.key(suffix)).arg("SAMPLES").arg(5);
    }
    for suffix in ["completed", "failed"] {
        ask.cmd("ZREVRANGE").arg(queue.key(suffix)).arg(0).arg(SAMPLED - 1);
        ask.cmd("ZCARD").arg(queue.key(suffix));
    }
    let values: Vec<Value> = ask.query_async(connection).await?;
    if values.first().is_some_and(|value| matches!(value, Value::ServerError(_))) {
        return Ok(None);
    }
    let bytes = |value: &Value| number(value).unwrap_or(0) as f64;
    let mut sum: f64 = values.iter().take(STRUCTURES.len()).map(bytes).sum();
    for kind in values[STRUCTURES.len()..].chunks(2) {
        let ids: Vec<String> = kind.first().map(list).unwrap_or_default().iter().filter_map(text).collect();
        if ids.is_empty() {
            continue;
        }
        let mut ask = pipe();
        ask.ignore_errors();
        for id in &ids {
            ask.cmd("MEMORY").arg("USAGE").arg(queue.key(id)).arg("SAMPLES").arg(0);
        }
        let sizes: Vec<Value> = ask.query_async(connection).await?;
        let mean = sizes.iter().map(bytes).sum::<f64>() / ids.len() as f64;
        sum += mean * kind.get(1).map_or(0.0, bytes);
    }
    Ok(Some(sum))
}
