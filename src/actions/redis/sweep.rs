//! The same to every job of a state that was there when it began: in short batches, with progress, stopped by the operator.

use super::brake::{FIRST, Judge, steps};
use super::jobs::{NOT_TEXT, is_done};
use super::scripts::SCRIPTS;
use super::trail::Trail;
use super::{BETWEEN, RedisExecutor};
use crate::actions::stop::Stop;
use crate::core::action::{ActionError, Outcome, Verdict};
use crate::core::redis::{FailureKind, Family, JobAct, JobState, QueueRef, Sweep};
use crate::sources::redis::connection::Connection;
use redis::{RedisError, cmd};
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;
use tokio::time::Instant;

/// Jobs in one call of a script.
const BATCH: u64 = 100;
/// What belongs to a queue besides its jobs, in the order of `obliterate.lua`.
pub(super) const LEFT_OVER: [&str; 10] = [
    "waiting-children",
    "repeat",
    "id",
    "stalled",
    "stalled-check",
    "limiter",
    "metrics:completed",
    "metrics:completed:data",
    "metrics:failed",
    "metrics:failed:data",
];

/// Where the jobs of a state stand, and which of them were there at the beginning.
struct Walk {
    key: String,
    /// A list, taken from its tail; else a sorted set.
    list: bool,
    /// In a set ordered by the moment when a job ended: the last one, score and member; no clock but the workers' own is asked.
    until: Option<(f64, Vec<u8>)>,
    /// How many there were.
    there: u64,
    /// So many are dealt with at once.
    batch: u64,
    /// Where the next page begins in a set that is ordered so.
    from: f64,
    /// Those that were dealt with. Others take jobs out and put them back meanwhile: no place in the set says which they are.
    seen: HashSet<Vec<u8>>,
    /// How many of those may still stand in front of the next page.
    stay: u64,
    /// How many of those that were there at the beginning stay behind.
    left: u64,
}

/// What is done to which jobs, until it has to stop.
#[derive(Clone, Copy)]
struct On<'a> {
    queue: &'a QueueRef,
    family: Family,
    act: JobAct,
    stop: &'a Stop,
    /// Only those that failed so.
    kind: Option<&'a FailureKind>,
}

/// How a careful sweep goes: in steps, each of which is looked at before the next.
struct Pace {
    steps: Box<dyn Iterator<Item = usize> + Send>,
    trail: Trail,
    judge: Judge,
}

/// What came of all jobs so far.
#[derive(Default)]
struct Tally {
    kinds: BTreeMap<&'static str, usize>,
    done: usize,
    all: usize,
    /// Those that failed otherwise.
    others: usize,
}

impl Tally {
    fn words(&self) -> String {
        if self.all == 0 {
            return "there was no such job".to_owned();
        }
        let parts: Vec<String> = self.kinds.iter().map(|(what, count)| format!("{count} {what}")).collect();
        parts.join(", ")
    }
}

impl RedisExecutor {
    pub(super) async fn sweep(
        &self,
        connection: &mut Connection,
        queue: &QueueRef,
        (what, kind): (Sweep, Option<&FailureKind>),
        stop: &Stop,
    ) -> Result<Outcome, ActionError> {
        let family = self.owner(connection, queue).await?;
        if what == Sweep::Obliterate {
            self.switch(&SCRIPTS.pause, queue, "paused").await?;
            self.unschedule_all(connection, queue).await?;
        }
        let mut tally = Tally::default();
        let mut trouble = None;
        let mut behind = 0;
        let mut pace = match what {
            Sweep::RetryCarefully(brake) => Some(Pace {
                steps: Box::new(steps(brake)),
                trail: Trail::new(self.server_now(connection).await?),
                judge: Judge { brake, untold_is_known: false },
            }),
            _ => None,
        };
        'all: for (state, act) in what.steps() {
            for mut walk in self.walks(connection, queue, state, what).await? {
                let on = On { queue, family, act, stop, kind };
                match self.walk(connection, on, &mut walk, &mut tally, pace.as_mut()).await {
                    Ok(None) => behind += walk.left,
                    Ok(Some(why)) => {
                        trouble = Some(why);
                        break 'all;
                    }
                    Err(error) if tally.all == 0 => return Err(error),
                    Err(error) => {
                        trouble = Some(format!("stopped: {error}"));
                        break 'all;
                    }
                }
            }
        }
        // Those that failed otherwise are there still, and are meant to be.
        behind = (behind as usize).saturating_sub(tally.others) as u64;
        let mut words = tally.words();
        if tally.others > 0 {
            words.push_str(&format!("; {} failed otherwise and stay", tally.others));
        }
        let mut whole = tally.done == tally.all && trouble.is_none();
        if let Some(pace) = &mut pace {
            let fate = self.last_look(connection, &mut pace.trail, 0).await;
            let fate = fate.map_or_else(
                || vec!["what became of them could not be read".to_owned()],
                |fate| fate.words(),
            );
            for fate in fate {
                words.push_str(&format!(", {fate}"));
            }
        }
        if let Some(trouble) = &trouble {
            words.push_str(&format!("; {trouble}"));
        } else if what == Sweep::Obliterate {
            let end = self.obliterate(connection, queue).await?;
            whole = end == "the queue is gone";
            words.push_str(&format!("; {end}"));
        }
        if behind > 0 {
            words.push_str(&format!("; {behind} of those that were there are still there, or again"));
            whole = false;
        }
        let verdict = match (whole, tally.done) {
            (true, 0) if what != Sweep::Obliterate => Verdict::Nothing,
            (true, _) => Verdict::Done,
            (false, 0) => Verdict::Nothing,
            (false, _) => Verdict::Partly,
        };
        Ok(Outcome { verdict, summary: format!("queue {queue}: {words}"), details: Vec::new() })
    }

    /// The places in which jobs of this state stand.
    async fn walks(
        &self,
        connection: &mut Connection,
        queue: &QueueRef,
        state: JobState,
        what: Sweep,
    ) -> Result<Vec<Walk>, ActionError> {
        let now = self.server_now(connection).await?;
        let older = i64::try_from(what.older().as_millis()).unwrap_or(i64::MAX / 2);
        let ended = matches!(state, JobState::Completed | JobState::Failed);
        // Everything that is there now, whatever the clocks say; only what shall be of some age is told by a clock.
        let until = ended.then(|| match older {
            0 => "+inf".to_owned(),
            older => now.saturating_sub(older).to_string(),
        });
        let keys: &[&str] = match state {
            JobState::Waiting => &["wait", "paused"],
            JobState::Prioritized => &["prioritized"],
            JobState::Delayed => &["delayed"],
            JobState::Active | JobState::Lost => &[],
            JobState::WaitingChildren => &["waiting-children"],
            JobState::Completed => &["completed"],
            JobState::Failed => &["failed"],
        };
        let mut walks = Vec::new();
        for suffix in keys {
            let (key, list) = (queue.key(suffix), state == JobState::Waiting);
            let newest: Vec<(Vec<u8>, f64)> = match &until {
                None => Vec::new(),
                Some(until) => {
                    let mut ask = cmd("ZREVRANGEBYSCORE");
                    ask.arg(&key).arg(until).arg("-inf").arg("WITHSCORES").arg("LIMIT").arg(0).arg(1);
                    self.answer(ask.query_async(connection)).await?
                }
            };
            let newest = newest.into_iter().next().map(|(member, score)| (score, member));
            let mut walk = Walk {
                key,
                list,
                until: newest,
                there: 0,
                batch: BATCH,
                from: f64::NEG_INFINITY,
                seen: HashSet::new(),
                stay: 0,
                left: 0,
            };
            if ended == walk.until.is_some() {
                walk.there = self.answer(walk.count(connection)).await?;
            }
            walks.push(walk);
        }
        Ok(walks)
    }

    /// Goes through one place; why it was stopped, if it was.
    async fn walk(
        &self,
        connection: &mut Connection,
        On { queue, family, act, stop, kind }: On<'_>,
        walk: &mut Walk,
        tally: &mut Tally,
        mut pace: Option<&mut Pace>,
    ) -> Result<Option<String>, ActionError> {
        while (walk.seen.len() as u64) < walk.there {
            if let Some(cause) = stop.cause() {
                let (dealt, there) = (walk.seen.len(), walk.there);
                return Ok(Some(format!("stopped by {cause} after {dealt} of {there}")));
            }
            let began = Instant::now();
            if let Some(pace) = &mut pace {
                walk.batch = pace.steps.next().map_or(BATCH, |step| (step as u64).min(BATCH));
            }
            let found = self.answer(walk.next(connection)).await?;
            if found.is_empty() {
                break;
            }
            let mut ids: Vec<String> = Vec::with_capacity(found.len());
            for id in found {
                walk.seen.insert(id.clone());
                walk.stay += 1;
                match String::from_utf8(id) {
                    Ok(id) if walk.list && id.starts_with("0:") => {}
                    Ok(id) => ids.push(id),
                    Err(_) => {
                        *tally.kinds.entry(NOT_TEXT).or_default() += 1;
                        tally.all += 1;
                    }
                }
            }
            if let Some(kind) = kind {
                let found = ids.len();
                ids = self.alike(connection, queue, ids, kind).await?;
                tally.others += found - ids.len();
            }
            if ids.is_empty() {
                tokio::time::sleep(BETWEEN).await;
                continue;
            }
            let words = self.batch(connection, queue, family, &ids, act).await?;
            for (word, id) in words.into_iter().zip(&ids) {
                let done = is_done(word, act);
                if let Some(pace) = pace.as_mut().filter(|_| done) {
                    pace.trail.add(queue, family, id);
                }
                *tally.kinds.entry(word).or_default() += 1;
                tally.all += 1;
                tally.done += usize::from(done);
                walk.stay -= u64::from(done);
            }
            let seen = walk.seen.len();
            self.tell(format!("queue {queue}: {seen} of {} ({} done)", walk.there, tally.done));
            let Some(pace) = &mut pace else {
                tokio::time::sleep(BETWEEN).await;
                continue;
            };
            let first = pace.trail.len() <= FIRST.iter().sum();
            if let Some(why) = self.brake(connection, &mut pace.trail, pace.judge, (first, 0), stop).await? {
                return Ok(Some(format!("stopped: {why}")));
            }
            if !first {
                stop.pause(Duration::from_secs(1).saturating_sub(began.elapsed())).await;
            }
        }
        if walk.until.is_some() {
            walk.left = self.answer(walk.count(connection)).await?;
        }
        Ok(None)
    }
}

impl Walk {
    /// How many jobs there are that are meant.
    async fn count(&self, connection: &mut Connection) -> Result<u64, RedisError> {
        let ask = match (&self.until, self.list) {
            (Some((last, _)), _) => cmd("ZCOUNT").arg(&self.key).arg("-inf").arg(last).to_owned(),
            (None, true) => cmd("LLEN").arg(&self.key).to_owned(),
            (None, false) => cmd("ZCARD").arg(&self.key).to_owned(),
        };
        ask.query_async(connection).await
    }

    /// The next jobs that were not dealt with; none when there is none left.
    async fn next(&mut self, connection: &mut Connection) -> Result<Vec<Vec<u8>>, RedisError> {
        loop {
            let page = self.batch + self.stay;
            let most = (self.there.saturating_sub(self.seen.len() as u64)).min(self.batch) as usize;
            let Some((last, member)) = self.until.clone() else {
                let to = page as i64;
                let ask = if self.list {
                    cmd("LRANGE").arg(&self.key).arg(-to).arg(-1).to_owned()
                } else {
                    cmd("ZRANGE").arg(&self.key).arg(0).arg(to - 1).to_owned()
                };
                let mut ids: Vec<Vec<u8>> = ask.query_async(connection).await?;
                if self.list {
                    ids.reverse();
                }
                ids.retain(|id| !self.seen.contains(id));
                ids.truncate(most);
                return Ok(ids);
            };
            let mut range = cmd("ZRANGEBYSCORE");
            range.arg(&self.key).arg(self.from).arg(last).arg("WITHSCORES").arg("LIMIT").arg(0).arg(page);
            let found: Vec<(Vec<u8>, f64)> = range.query_async(connection).await?;
            let whole = (found.len() as u64) < page;
            let end = found.last().map(|(_, score)| *score);
            let news: Vec<(Vec<u8>, f64)> = found
                .into_iter()
                .filter(|(id, score)| !self.seen.contains(id) && (*score, id) <= (last, &member))
                .take(most)
                .collect();
            if news.is_empty() && !whole && end.is_some_and(|end| end > self.from) {
                // A whole page of those that were left alone: on behind them.
                self.from = end.unwrap_or(self.from);
                continue;
            }
            if let Some((_, score)) = news.last()
                && *score > self.from
            {
                // What stands before is dealt with, and in front of no page any more; of this score there may be more.
                self.from = *score;
                self.stay = 0;
            }
            return Ok(news.into_iter().map(|(id, _)| id).collect());
        }
    }
}
