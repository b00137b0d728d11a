//! Reads every queue in one pipeline of plain reads. The libraries' own count scripts are not used: they write.

use super::connection::Connection;
use super::decode::{count, list, number, scored, text};
use super::evidence::Workforce;
use super::refused;
use crate::core::part::Part;
use crate::core::redis::{
    DoneBy, Evidence, QueueReading, QueueRef, Signs, Unread, dead_letter, family, mismatch,
};
use redis::{Cmd, Pipeline, RedisError, Value, pipe};
use std::time::Duration;

/// Reads per queue; [`ask`] and [`queue`] have the same order.
const READS: usize = 28;
/// A delayed job's score is its due time in milliseconds times this.
const DELAY_SCALE: i64 = 4096;

/// What came of reading queues.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) readings: Vec<QueueReading>,
    /// What turned out not to be a queue.
    pub(super) not_queues: Vec<QueueRef>,
    /// What may not be read, and the server's words: nothing is known of it, not even that it is there.
    pub(super) refused: Vec<(QueueRef, String)>,
}

/// Reads `queues`.
pub(super) async fn read(
    connection: &mut Connection,
    queues: &[QueueRef],
    workers: Option<&Workforce>,
    patterns: &[String],
    now_millis: i64,
) -> Result<Found, RedisError> {
    let mut found = Found::default();
    if queues.is_empty() {
        return Ok(found);
    }
    let mut all = Pipeline::with_capacity(queues.len() * READS);
    all.ignore_errors();
    let moments = Moments::of(now_millis);
    for queue in queues {
        ask(&mut all, queue, &moments);
    }
    let values: Vec<Value> = all.query_async(connection).await?;
    let mut oldest = Vec::new();
    for (queue, values) in queues.iter().zip(values.chunks(READS)) {
        if let Some(words) = refused::first(values) {
            found.refused.push((queue.clone(), words));
            continue;
        }
        match decode(queue, values, workers, patterns, now_millis) {
            Some((reading, next)) => {
                oldest.push(next);
                found.readings.push(reading);
            }
            None => found.not_queues.push(queue.clone()),
        }
    }
    waits(connection, &mut found.readings, &oldest, now_millis).await?;
    Ok(found)
}

/// Puts commands about one queue into a pipeline. There are hundreds in a poll: each is given its room at once, and no key is kept.
struct Asking<'a> {
    all: &'a mut Pipeline,
    /// The newest key; all begin alike.
    key: String,
    common: usize,
}

impl<'a> Asking<'a> {
    fn about(queue: &QueueRef, all: &'a mut Pipeline) -> Self {
        let key = queue.key("");
        Self { all, common: key.len(), key }
    }

    fn ask(&mut self, name: &str, suffix: &str, more: &[&str]) {
        self.key.truncate(self.common);
        self.key.push_str(suffix);
        let bytes = name.len() + self.key.len() + more.iter().map(|arg| arg.len()).sum::<usize>();
        let mut command = Cmd::with_capacity(2 + more.len(), bytes);
        command.arg(name).arg(&self.key).arg(more);
        self.all.add_command(command);
    }
}

/// The moments that reads of queues name, as Redis takes them.
struct Moments {
    five_minutes_ago: String,
    a_minute_ago: String,
    /// As scores of delayed jobs have it.
    due: String,
}

impl Moments {
    fn of(now: i64) -> Self {
        Self {
            five_minutes_ago: (now - 300_000).to_string(),
            a_minute_ago: (now - 60_000).to_string(),
            due: now.saturating_mul(DELAY_SCALE).to_string(),
        }
    }
}

fn ask(all: &mut Pipeline, queue: &QueueRef, moments: &Moments) {
    let mut queue = Asking::about(queue, all);
    for list in ["wait", "paused"] {
        queue.ask("LLEN", list, &[]);
        queue.ask("LINDEX", list, &["-1"]);
        queue.ask("LINDEX", list, &["0"]);
    }
    queue.ask("LLEN", "active", &[]);
    for set in ["prioritized", "delayed", "waiting-children", "completed", "failed"] {
        queue.ask("ZCARD", set, &[]);
    }
    queue.ask("HMGET", "meta", &["paused", "version", "opts.maxLenEvents"]);
    queue.ask("EXISTS", "meta-paused", &[]);
    queue.ask("GET", "id", &[]);
    queue.ask("PTTL", "limiter", &[]);
    queue.ask("PTTL", "stalled-check", &[]);
    queue.ask("ZREVRANGE", "failed", &["0", "0", "WITHSCORES"]);
    queue.ask("ZRANGE", "failed", &["0", "0", "WITHSCORES"]);
    queue.ask("ZCOUNT", "failed", &[&moments.five_minutes_ago, "+inf"]);
    queue.ask("ZCOUNT", "completed", &[&moments.a_minute_ago, "+inf"]);
    queue.ask("ZCOUNT", "delayed", &["-inf", &moments.due]);
    for sign in ["events", "marker", "pc", "priority"] {
        queue.ask("EXISTS", sign, &[]);
    }
    queue.ask("ZRANGE", "prioritized", &["0", "0"]);
    queue.ask("ZRANGE", "delayed", &["0", "0", "WITHSCORES"]);
}

/// One queue from its answers, and the job that is next in line.
fn decode(
    queue: &QueueRef,
    values: &[Value],
    workers: Option<&Workforce>,
    patterns: &[String],
    now: i64,
) -> Option<(QueueReading, Option<String>)> {
    let at = |index: usize| values.get(index);
    let length = |index: usize| count(at(index));
    let flag = |index: usize| length(index) == 1;
    let meta: Vec<Option<String>> = at(12).map(list).unwrap_or_default().iter().map(text).collect();
    let field = |index: usize| meta.get(index).cloned().flatten();
    let id = at(14).and_then(number);
    if id.is_none() && field(0).is_none() && field(1).is_none() && field(2).is_none() {
        return None;
    }
    let connected = workers.and_then(|all| all.of(queue));
    let signs = Signs {
        worker_command: connected.as_ref().filter(|w| w.count > 0).map(|workers| workers.command.clone()),
        version: field(1),
        has_event_limit: field(2).is_some(),
        events: flag(22),
        marker: flag(23),
        priority_counter: flag(24),
        priority_index: flag(25),
    };
    let (owner, why) = family(&signs);
    let jobs = |size: usize, last: usize, first: usize| {
        let marked =
            [last, first].iter().any(|end| at(*end).and_then(text).is_some_and(|id| id.starts_with("0:")));
        length(size).saturating_sub(u64::from(marked))
    };
    let paused = field(0).is_some() || flag(13);
    let held = jobs(3, 4, 5);
    let age = |index: usize| {
        let score = at(index).map(scored)?.first()?.1;
        since(score as i64, now)
    };
    let ttl = |index: usize| {
        at(index).and_then(number).filter(|ms| *ms > 0).map(|ms| Duration::from_millis(ms as u64))
    };
    let waiting = jobs(0, 1, 2);
    // A delayed job that is due waits as those in line do: nothing but a worker that is awake puts it there.
    let due = at(27).map(scored).and_then(|first| first.first().map(|(_, score)| *score));
    let due = due.and_then(|score| since((score / DELAY_SCALE as f64) as i64, now));
    let next = [1, 4].iter().find_map(|tail| at(*tail).and_then(text).filter(|id| !id.starts_with("0:")));
    let next = next.or_else(|| at(26).map(list)?.first().and_then(text));
    let reading = QueueReading {
        queue: queue.clone(),
        evidence: Evidence {
            family: owner,
            why,
            workers: connected.as_ref().map(|workers| workers.count),
            mismatch: mismatch(&signs),
        },
        worker_hosts: connected.into_iter().flat_map(|workers| workers.hosts).collect(),
        paused,
        waiting: waiting + held,
        stranded: if paused { 0 } else { held },
        prioritized: length(7),
        active: length(6),
        delayed: length(8),
        overdue: length(21),
        waiting_children: length(9),
        completed: length(10),
        failed: length(11),
        added_total: id.map(|id| id as f64),
        completed_last_minute: length(20),
        done_by: DoneBy::Kept,
        failed_last_five_minutes: length(19),
        happened: Part::NotAsked,
        oldest_wait: due.filter(|_| length(21) > 0),
        newest_failure: age(17),
        oldest_failure: age(18),
        limited_for: ttl(15),
        stalled: 0,
        late: Vec::new(),
        lapsed: Vec::new(),
        unread: Vec::new(),
        stuck: Part::NotAsked,
        lost_holders: Vec::new(),
        checked_by_worker: ttl(16).is_some(),
        dead_letter: dead_letter(patterns, &queue.name),
    };
    Some((reading, next))
}

/// Time from `millis` to `now`, both since the epoch.
fn since(millis: i64, now: i64) -> Option<Duration> {
    (millis > 0).then(|| Duration::from_millis(u64::try_from(now - millis).unwrap_or(0)))
}

/// Since when the next job in line is ready: when it was added, plus the delay that it was added with.
async fn waits(
    connection: &mut Connection,
    readings: &mut [QueueReading],
    oldest: &[Option<String>],
    now: i64,
) -> Result<(), RedisError> {
    let mut ask = pipe();
    ask.ignore_errors();
    let asked: Vec<usize> = (0..readings.len()).filter(|index| oldest[*index].is_some()).collect();
    for index in &asked {
        let id = oldest[*index].as_deref().unwrap_or_default();
        ask.cmd("HMGET").arg(readings[*index].queue.key(id)).arg(&[
            "timestamp",
            "opts",
            "processedOn",
            "finishedOn",
        ]);
    }
    if asked.is_empty() {
        return Ok(());
    }
    let values: Vec<Value> = ask.query_async(connection).await?;
    for (index, value) in asked.into_iter().zip(values) {
        if let Some(words) = refused::first(std::slice::from_ref(&value)) {
            readings[index].refuse(Unread::NextInLine, &words);
        }
        let fields: Vec<Option<String>> = list(&value).iter().map(text).collect();
        let added: Option<i64> = fields.first().cloned().flatten().and_then(|text| text.parse().ok());
        let opts = fields.get(1).cloned().flatten().unwrap_or_default();
        let delay = serde_json::from_str::<serde_json::Value>(&opts)
            .ok()
            .and_then(|opts| opts.get("delay")?.as_i64())
            .unwrap_or(0);
        let waited = added.and_then(|added| since(added.saturating_add(delay), now));
        readings[index].oldest_wait = readings[index].oldest_wait.max(waited);
    }
    Ok(())
}
