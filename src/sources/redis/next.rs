//! What waits for the end of a job by its deduplication id (`keepLastIfActive`), of the jobs that somebody looks at: a removal takes it
//! along.

use super::connection::Connection;
use super::decode::{list, text};
use super::refused;
use crate::core::part::{Gap, GapKind, Part};
use crate::core::redis::{JobState, NextJob, QueueRef, RedisReading};
use redis::{RedisError, Value, pipe};
use std::collections::BTreeSet;

/// Of so many jobs at most.
const LOOKED_AT: usize = 1_000;

/// What waits behind the jobs in these lists and details. One that has ended has handed on what waited for it.
pub(super) async fn read(connection: &mut Connection, reading: &RedisReading) -> Part<Vec<NextJob>> {
    let open =
        |state: JobState| matches!(state, JobState::Waiting | JobState::Prioritized | JobState::Delayed);
    // Libraries before BullMQ 5 have none of it.
    let old = |queue: &QueueRef| {
        let known = reading.queues.ready().into_iter().flatten().find(|known| known.queue == *queue);
        known.is_some_and(|known| (0..5).contains(&known.evidence.family.generation()))
    };
    let mut jobs: BTreeSet<(&QueueRef, &str)> = BTreeSet::new();
    for list in reading.lists.iter().filter(|list| !old(&list.queue)) {
        jobs.extend(list.jobs.iter().filter(|job| open(job.state)).map(|job| (&list.queue, job.id.as_str())));
    }
    for page in reading.pages.iter().filter(|page| !old(&page.queue)) {
        jobs.extend(page.jobs.iter().filter(|job| open(job.state)).map(|job| (&page.queue, job.id.as_str())));
    }
    jobs.extend(reading.jobs.iter().filter(|job| !old(&job.queue)).map(|job| (&job.queue, job.id.as_str())));
    let jobs: Vec<(&QueueRef, &str)> = jobs.into_iter().take(LOOKED_AT).collect();
    if jobs.is_empty() {
        return Part::NotAsked;
    }
    behind(connection, &jobs).await.unwrap_or_else(|error| unread(&error.to_string()))
}

fn unread(why: &str) -> Part<Vec<NextJob>> {
    Part::Unavailable(Gap::new(GapKind::NotPermitted, format!("what waits behind jobs is not known ({why})")))
}

async fn behind(
    connection: &mut Connection,
    jobs: &[(&QueueRef, &str)],
) -> Result<Part<Vec<NextJob>>, RedisError> {
    let mut ask = pipe();
    ask.ignore_errors();
    for (queue, id) in jobs {
        ask.cmd("HMGET").arg(queue.key(id)).arg("deid");
    }
    let values: Vec<Value> = ask.query_async(connection).await?;
    if let Some(words) = refused::first(&values) {
        return Ok(unread(&words));
    }
    let (mut ask, mut with) = (pipe(), Vec::new());
    ask.ignore_errors();
    for ((queue, id), value) in jobs.iter().zip(&values) {
        let Some(owner) = list(value).first().and_then(text).filter(|owner| !owner.is_empty()) else {
            continue;
        };
        ask.cmd("GET").arg(queue.key(&format!("de:{owner}")));
        ask.cmd("HMGET").arg(queue.key(&format!("dn:{owner}"))).arg("name");
        with.push((*queue, *id));
    }
    if with.is_empty() {
        return Ok(Part::Ready(Vec::new()));
    }
    let values: Vec<Value> = ask.query_async(connection).await?;
    if let Some(words) = refused::first(&values) {
        return Ok(unread(&words));
    }
    let next = with.into_iter().zip(values.chunks(2)).filter_map(|((queue, id), pair)| {
        let owns = pair.first().and_then(text).is_some_and(|owner| owner == id);
        let name = list(pair.get(1)?).first().and_then(text).filter(|_| owns)?;
        Some(NextJob { queue: queue.clone(), behind: id.to_owned(), name })
    });
    Ok(Part::Ready(next.collect()))
}
