//! Pages of failed jobs. Which jobs there are is read at once; what each says within the bytes that a poll may read, sizes before values:
//! first names and reasons, then stacks, the newest first; what is left comes with the next polls. A failed job does not change while it
//! stays failed, so each is read once.

use super::budget::Left;
use super::budget::{FIELD_LIMIT_BYTES, field_size};
use super::connection::Connection;
use super::decode::{list, number, scored, text};
use crate::core::redis::{FailedJob, FailedPage, Masks, QueueRef, own_frame};
use crate::core::text::sized;
use redis::{RedisError, Value, pipe};
use std::collections::HashMap;
use std::time::Duration;

/// Failed jobs that are remembered.
const REMEMBERED: usize = 5_000;
/// What is read of a job beside the fields whose size is asked.
const BESIDE_BYTES: u64 = 256;

/// A queue, how many of its newest failed jobs are skipped, and how many are read.
pub(super) type Page<'a> = (&'a QueueRef, u64, u64);

/// A queue, an id and the moment of the failure.
type Key = (QueueRef, String, i64);

/// A failed job as far as it was read.
#[derive(Debug)]
struct Known {
    job: FailedJob,
    /// So large is its stack, which is not read yet.
    stack: Option<u64>,
}

/// Failed jobs that were read before.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    known: HashMap<Key, Known>,
    /// What the server held ready for us after the newest of these reads, in bytes; none where it does not tell (before 6.2).
    pub(super) held: Option<u64>,
}

/// What is asked of one job: everything but the stack, and that; a reason whose size was too much is not.
#[derive(Debug)]
struct Wanted {
    key: Key,
    basics: bool,
    stack: bool,
    /// Its size; at most [`FIELD_LIMIT_BYTES`] where it is to be read.
    reason: u64,
    stack_size: u64,
}

const BASICS: [&str; 7] = ["name", "attemptsMade", "atm", "processedOn", "finishedOn", "timestamp", "deid"];

impl Remembered {
    /// All pages: which jobs, then what is not known of them yet, as far as `left` reaches.
    pub(super) async fn pages(
        &mut self,
        connection: &mut Connection,
        pages: &[Page<'_>],
        masks: &Masks,
        left: &mut Left,
        now: i64,
    ) -> Result<Vec<FailedPage>, RedisError> {
        let mut ask = pipe();
        ask.ignore_errors();
        for (queue, offset, limit) in pages {
            let (from, to) = (*offset as i64, (offset + limit) as i64 - 1);
            ask.cmd("ZREVRANGE").arg(queue.key("failed")).arg(from).arg(to).arg("WITHSCORES");
        }
        let values: Vec<Value> = ask.query_async(connection).await?;
        let keys: Vec<Vec<Key>> = pages
            .iter()
            .zip(&values)
            .map(|((queue, ..), ids)| {
                let ids = scored(ids).into_iter();
                ids.map(|(id, score)| ((*queue).clone(), id, score as i64)).collect()
            })
            .collect();
        if self.known.len() > REMEMBERED {
            self.known.clear();
        }
        let mut all: Vec<&Key> = keys.iter().flatten().collect();
        all.sort_by_key(|(.., score)| std::cmp::Reverse(*score));
        let wanted = self.choose(connection, &all, left).await?;
        self.learn(connection, wanted, masks).await?;
        let twins = self.twins(connection, &all).await?;
        let page = |((queue, offset, _), keys): (&Page<'_>, &Vec<Key>)| {
            let known = keys.iter().filter_map(|key| {
                let job = self.known.get(key)?.job.clone();
                Some(FailedJob { age: span(key.2, now), twin: twins.get(key).cloned(), ..job })
            });
            FailedPage { queue: (*queue).clone(), offset: *offset, jobs: known.collect() }
        };
        Ok(pages.iter().zip(&keys).map(page).collect())
    }

    /// Which of these jobs have a deduplication id that is another, newer job's by now, and which.
    async fn twins(
        &self,
        connection: &mut Connection,
        all: &[&Key],
    ) -> Result<HashMap<Key, String>, RedisError> {
        let with_id =
            all.iter().filter_map(|key| Some((*key, self.known.get(*key)?.job.deduplication.as_ref()?)));
        let with_id: Vec<(&Key, &String)> = with_id.collect();
        if with_id.is_empty() {
            return Ok(HashMap::new());
        }
        let mut ask = pipe();
        ask.ignore_errors();
        for (key, id) in &with_id {
            ask.cmd("GET").arg(key.0.key(&format!("de:{id}")));
        }
        let values: Vec<Value> = ask.query_async(connection).await?;
        let owner = |((key, _), value): (&(&Key, &String), &Value)| {
            let owner = text(value).filter(|owner| *owner != key.1)?;
            Some(((*key).clone(), owner))
        };
        Ok(with_id.iter().zip(&values).filter_map(owner).collect())
    }

    /// What is read of which job.
    async fn choose(
        &self,
        connection: &mut Connection,
        all: &[&Key],
        left: &mut Left,
    ) -> Result<Vec<Wanted>, RedisError> {
        let new: Vec<&Key> = all.iter().filter(|key| !self.known.contains_key(**key)).copied().collect();
        let mut wanted = Vec::new();
        if !new.is_empty() {
            let mut ask = pipe();
            ask.ignore_errors();
            for (queue, id, _) in &new {
                for field in ["failedReason", "opts", "stacktrace"] {
                    ask.cmd("HSTRLEN").arg(queue.key(id)).arg(field);
                }
            }
            let sizes: Vec<Value> = ask.query_async(connection).await?;
            for (key, sizes) in new.into_iter().zip(sizes.chunks(3)) {
                let (reason, opts) = (field_size(sizes.first()), field_size(sizes.get(1)));
                let read =
                    [reason, opts].into_iter().filter(|bytes| *bytes <= FIELD_LIMIT_BYTES).sum::<u64>();
                if !left.take(read + BESIDE_BYTES) {
                    break;
                }
                // A stack of which that is not known is not read at all.
                let stack_size =
                    sizes.get(2).and_then(number).and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
                wanted.push(Wanted { key: key.clone(), basics: true, stack: false, reason, stack_size });
            }
        }
        let readable = |bytes: u64| bytes > 0 && bytes <= FIELD_LIMIT_BYTES;
        for one in wanted.iter_mut().filter(|one| readable(one.stack_size)) {
            one.stack = left.take(one.stack_size);
        }
        for key in all {
            let Some(stack_size) = self.known.get(*key).and_then(|known| known.stack) else { continue };
            if !left.take(stack_size) {
                break;
            }
            let key = (*key).clone();
            wanted.push(Wanted { key, basics: false, stack: true, reason: 0, stack_size });
        }
        Ok(wanted)
    }

    async fn learn(
        &mut self,
        connection: &mut Connection,
        wanted: Vec<Wanted>,
        masks: &Masks,
    ) -> Result<(), RedisError> {
        if wanted.is_empty() {
            return Ok(());
        }
        let mut ask = pipe();
        ask.ignore_errors();
        for one in &wanted {
            let mut fields: Vec<&str> = Vec::new();
            if one.basics {
                fields.extend(BASICS);
                fields.push("opts");
            }
            if one.basics && one.reason <= FIELD_LIMIT_BYTES {
                fields.push("failedReason");
            }
            if one.stack {
                fields.push("stacktrace");
            }
            ask.cmd("HMGET").arg(one.key.0.key(&one.key.1)).arg(fields);
        }
        // Asked behind what was large, so that it is seen how much of that still stands in its buffer.
        let alone = connection.servers() == 1;
        if alone {
            ask.cmd("CLIENT").arg("INFO");
        }
        let values: Vec<Value> = ask.query_async(connection).await?;
        let info = values.last().filter(|_| alone).and_then(text).unwrap_or_default();
        self.held = info.split(' ').find_map(|pair| pair.strip_prefix("omem=")?.parse().ok());
        for (one, value) in wanted.into_iter().zip(values) {
            let fields: Vec<Option<String>> = list(&value).iter().map(text).collect();
            let stack = fields.last().cloned().flatten().filter(|_| one.stack);
            let frame = stack.map(|stack| own_frame(&stack)).unwrap_or_default();
            if one.basics {
                let pending = one.stack_size > 0 && one.stack_size <= FIELD_LIMIT_BYTES && !one.stack;
                let job = FailedJob { frame, ..failed_job(&one, &fields, masks) };
                self.known.insert(one.key, Known { job, stack: pending.then_some(one.stack_size) });
            } else if let Some(known) = self.known.get_mut(&one.key) {
                (known.job.frame, known.stack) = (frame, None);
            }
        }
        Ok(())
    }
}

/// From one moment in milliseconds to another.
pub(super) fn span(from: i64, to: i64) -> Option<Duration> {
    u64::try_from(to - from).ok().map(Duration::from_millis)
}

/// What stands for a reason that is too large.
pub(crate) fn too_large(bytes: u64) -> String {
    format!("(a reason of {}, too large to read)", sized(bytes as f64))
}

fn failed_job(wanted: &Wanted, fields: &[Option<String>], masks: &Masks) -> FailedJob {
    let field = |index: usize| fields.get(index).cloned().flatten();
    let whole = |index: usize| field(index).and_then(|text| text.parse::<i64>().ok());
    let opts = field(7).and_then(|opts| serde_json::from_str::<serde_json::Value>(&opts).ok());
    let reason = if wanted.reason > FIELD_LIMIT_BYTES {
        masks.payload(too_large(wanted.reason))
    } else {
        masks.reason(field(8).unwrap_or_default())
    };
    FailedJob {
        id: wanted.key.1.clone(),
        name: field(0).unwrap_or_default(),
        reason,
        attempts: whole(1).or_else(|| whole(2)).and_then(|n| u64::try_from(n).ok()),
        attempts_allowed: opts.as_ref().and_then(|opts| opts.get("attempts")?.as_u64()),
        age: None,
        ran_for: whole(3).zip(whole(4)).and_then(|(from, to)| span(from, to)),
        frame: String::new(),
        deduplication: field(6),
        twin: None,
        // Every job has the time when it was added; a hash that is gone has nothing.
        ghost: field(5).is_none(),
    }
}
