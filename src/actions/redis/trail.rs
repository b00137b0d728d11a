//! What became of jobs that were given back to workers: by the events that their queue writes, then by where they are. A job that is gone
//! and of which no event tells how it ended is neither done nor failed.

use super::RedisExecutor;
use crate::core::action::ActionError;
use crate::core::redis::{Family, QueueRef};
use crate::sources::redis::connection::Connection;
use redis::{Value, cmd, pipe};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Events in one read, and reads of one queue in one look: what is left is read with the next.
const PAGE: usize = 100;
const PAGES: usize = 50;
/// So many of the jobs whose end is not known yet are looked up at once, those that were given back first.
const LOOKED_UP: usize = 500;
/// Where the letters of a dead-letter queue stand: lists, then sets.
const LISTS: [&str; 2] = ["wait", "paused"];
const SETS: [&str; 3] = ["prioritized", "delayed", "failed"];

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Done,
    Failed,
    /// It is gone, and nothing tells how it ended.
    Untold,
}

/// A job.
type Job = (QueueRef, String);

/// How the jobs stand that were given back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Fate {
    pub(super) all: usize,
    pub(super) done: usize,
    pub(super) failed: usize,
    /// Gone, and nothing tells how they ended.
    pub(super) untold: usize,
    pub(super) open: usize,
    /// Of the open ones that were looked up: a worker has them, or they wait for their next attempt.
    pub(super) moving: usize,
    /// Letters that came into the dead-letter queue meanwhile.
    pub(super) letters: usize,
}

impl Fate {
    /// Jobs that failed, or came back as letters.
    pub(super) fn bad(&self) -> usize {
        self.failed.max(self.letters.min(self.done + self.untold + self.failed))
    }

    pub(super) const fn ended(&self) -> usize {
        self.done + self.failed + self.untold
    }

    /// How it looks, for an outcome; nothing where all is well.
    pub(super) fn words(&self) -> Vec<String> {
        let parts = [
            (self.failed, "failed again"),
            (self.untold, "ended and nothing tells how"),
            (self.open, "not ended yet"),
            (self.letters, "new letters came meanwhile"),
        ];
        let parts = parts.into_iter().filter(|(count, _)| *count > 0);
        parts.map(|(count, what)| format!("{count} {what}")).collect()
    }
}

/// The jobs that were given back, and what is known of their end.
pub(super) struct Trail {
    /// When it began, in the server's milliseconds: events from then on count.
    since: i64,
    /// Where the next look at the events of a queue begins; none where its library writes none.
    streams: BTreeMap<QueueRef, Option<String>>,
    /// Those whose end is not known, in the order in which they were given back.
    open: Vec<Job>,
    /// All of them, and how they ended.
    all: HashMap<Job, Option<End>>,
    /// Gone when they were last looked up; an event may still tell how.
    gone: HashSet<Job>,
    /// A dead-letter queue that is watched, and how many letters it held.
    letters: Option<(QueueRef, usize)>,
}

impl Trail {
    /// Nothing was given back yet.
    pub(super) fn new(since: i64) -> Self {
        Self {
            since,
            streams: BTreeMap::new(),
            open: Vec::new(),
            all: HashMap::new(),
            gone: HashSet::new(),
            letters: None,
        }
    }

    /// A job was given back to workers of this library.
    pub(super) fn add(&mut self, queue: &QueueRef, family: Family, id: &str) {
        let writes = family.generation() != 0;
        self.streams.entry(queue.clone()).or_insert_with(|| writes.then(|| format!("{}-0", self.since)));
        let job = (queue.clone(), id.to_owned());
        self.all.insert(job.clone(), None);
        self.open.push(job);
    }

    /// How many were given back.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// The queues that jobs were given back to.
    pub(super) fn queues(&self) -> impl Iterator<Item = &QueueRef> {
        self.streams.keys()
    }

    /// From now on letters that come into this queue count.
    pub(super) async fn watch_letters(
        &mut self,
        executor: &RedisExecutor,
        connection: &mut Connection,
        queue: &QueueRef,
    ) -> Result<(), ActionError> {
        let count = letters(executor, connection, queue).await?;
        self.letters = Some((queue.clone(), count));
        Ok(())
    }

    /// Looks, where they are now. `taken`: how many letters were taken out of the dead-letter queue.
    pub(super) async fn look(
        &mut self,
        executor: &RedisExecutor,
        connection: &mut Connection,
        taken: usize,
    ) -> Result<Fate, ActionError> {
        let queues: Vec<QueueRef> = self.streams.keys().cloned().collect();
        for queue in &queues {
            self.events(executor, connection, queue).await?;
        }
        let moving = self.places(executor, connection).await?;
        let count = |end: End| self.all.values().filter(|found| **found == Some(end)).count();
        let letters = match &self.letters {
            Some((queue, before)) => {
                (letters(executor, connection, queue).await? + taken).saturating_sub(*before)
            }
            None => 0,
        };
        Ok(Fate {
            all: self.len(),
            done: count(End::Done),
            failed: count(End::Failed),
            untold: count(End::Untold),
            open: self.open.len(),
            moving,
            letters,
        })
    }

    /// Reads on in what a queue wrote down.
    async fn events(
        &mut self,
        executor: &RedisExecutor,
        connection: &mut Connection,
        queue: &QueueRef,
    ) -> Result<(), ActionError> {
        for _ in 0..PAGES {
            let Some(Some(next)) = self.streams.get(queue) else { return Ok(()) };
            let mut ask = cmd("XRANGE");
            ask.arg(queue.key("events")).arg(next).arg("+").arg("COUNT").arg(PAGE);
            let page: Vec<(String, Vec<Vec<u8>>)> = executor.answer(ask.query_async(connection)).await?;
            for (id, fields) in &page {
                let field = |name: &[u8]| {
                    let pair = fields.chunks_exact(2).find(|pair| pair[0] == name)?;
                    std::str::from_utf8(&pair[1]).ok()
                };
                if let Some((ms, sequence)) = id.split_once('-')
                    && let Ok(sequence) = sequence.parse::<u64>()
                {
                    self.streams.insert(queue.clone(), Some(format!("{ms}-{}", sequence + 1)));
                }
                let end = match field(b"event") {
                    Some("completed") => End::Done,
                    Some("failed" | "retries-exhausted") => End::Failed,
                    _ => continue,
                };
                let Some(job) = field(b"jobId") else { continue };
                let job = (queue.clone(), job.to_owned());
                // What is said last holds: somebody may have retried it once more.
                if let Some(found) = self.all.get_mut(&job) {
                    *found = Some(end);
                }
            }
            self.close();
            if page.len() < PAGE {
                break;
            }
        }
        Ok(())
    }

    /// Looks where those are of which no event told; how many of them a worker has, or wait for their next attempt.
    async fn places(
        &mut self,
        executor: &RedisExecutor,
        connection: &mut Connection,
    ) -> Result<usize, ActionError> {
        let asked: Vec<Job> = self.open.iter().take(LOOKED_UP).cloned().collect();
        if asked.is_empty() {
            return Ok(0);
        }
        let mut ask = pipe();
        for (queue, id) in &asked {
            for set in ["failed", "completed", "delayed"] {
                ask.cmd("ZSCORE").arg(queue.key(set)).arg(id);
            }
            ask.cmd("HMGET").arg(queue.key(id)).arg(&["timestamp", "processedOn"]);
        }
        let values: Vec<Value> = executor.answer(ask.query_async(connection)).await?;
        let mut moving = 0;
        for (job, places) in asked.into_iter().zip(values.chunks(4)) {
            let is = |at: usize| places.get(at).is_some_and(|value| *value != Value::Nil);
            let fields: Vec<Option<String>> =
                places.get(3).and_then(|value| redis::from_redis_value_ref(value).ok()).unwrap_or_default();
            let field =
                |at: usize| fields.get(at).cloned().flatten().and_then(|text| text.parse::<i64>().ok());
            if is(0) || is(1) {
                self.all.insert(job, Some(if is(0) { End::Failed } else { End::Done }));
            } else if field(0).is_none() {
                // Its event may have been written after the events were read: the next look tells.
                if !self.gone.insert(job.clone()) {
                    self.all.insert(job, Some(End::Untold));
                }
            } else if is(2) || field(1).is_some_and(|began| began >= self.since) {
                moving += 1;
            }
        }
        self.close();
        Ok(moving)
    }

    fn close(&mut self) {
        let Self { open, all, .. } = self;
        open.retain(|job| all.get(job).is_none_or(Option::is_none));
    }
}

/// How many letters a dead-letter queue holds.
async fn letters(
    executor: &RedisExecutor,
    connection: &mut Connection,
    queue: &QueueRef,
) -> Result<usize, ActionError> {
    let mut ask = pipe();
    for list in LISTS {
        ask.cmd("LLEN").arg(queue.key(list));
    }
    for set in SETS {
        ask.cmd("ZCARD").arg(queue.key(set));
    }
    let counts: Vec<usize> = executor.answer(ask.query_async(connection)).await?;
    Ok(counts.iter().sum())
}
