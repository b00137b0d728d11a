//! Schedulers whose next job is gone, and repeatable jobs of older libraries that come no more: the library says nothing, and every count
//! looks well. Looked for each half minute. What has ended by its own limit or last day is no trouble.

use super::connection::Connection;
use super::decode::{list, scored, text};
use super::refused;
use crate::core::redis::{QueueReading, QueueRef, Unread};
use crate::core::time::Now;
use redis::{Pipeline, RedisError, Value, pipe};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Those of a queue are looked at this often.
const EACH: Duration = Duration::from_secs(30);
/// So many of one queue are told.
const LATE: usize = 20;
/// Those that have ended stay among them for ever: so many are looked at, those that were due last.
const LOOKED_AT: i64 = 100;
/// One is late from here on.
const GRACE_MS: i64 = 60_000;
/// The job of an older library's repeatable one is looked for by how its id ends, among so many jobs in each state. Where more are open
/// nobody can say that it is not among them.
const LOOKED: usize = 200;
/// In so many states a job is open: waiting, held by a pause, in progress, delayed, waiting by its priority.
const OPEN: usize = 5;
/// And in these two it has ended.
const STATES: usize = OPEN + 2;

/// What is late in a queue: the id, and by how much.
type Late = Vec<(String, Duration)>;

/// The last look at one queue.
#[derive(Debug, Default)]
struct Inspection {
    at: Option<Now>,
    late: Late,
    lapsed: Late,
    /// The server's words, where it refused a part of it: what was known before stands then.
    refused: Option<String>,
}

impl Inspection {
    /// What became of those that were due. Where a part was refused and none is seen to be late, what was known before stands.
    fn judge(&mut self, due: Vec<(String, f64)>, answers: &[Value], millis: i64) {
        let (states, each) = answers.split_at(STATES.min(answers.len()));
        let (mut late, mut lapsed) = (Vec::new(), Vec::new());
        for ((id, score), pair) in due.into_iter().zip(each.chunks(2)) {
            let due = score as i64;
            let by = Duration::from_millis((millis - due).unsigned_abs());
            match fate(&id, due, pair, states, millis) {
                Fate::Fine => {}
                Fate::Late => late.push((id, by)),
                Fate::Lapsed => lapsed.push((id, by)),
            }
        }
        if self.refused.is_none() || !late.is_empty() || !lapsed.is_empty() {
            late.truncate(LATE);
            lapsed.truncate(LATE);
            (self.late, self.lapsed) = (late, lapsed);
        }
    }
}

/// Those of a queue that were due, and the server's words where it refused to tell.
#[derive(Debug, Default)]
struct Due {
    late: Vec<(String, f64)>,
    refused: Option<String>,
}

/// The last looks.
#[derive(Debug, Default)]
pub(super) struct Schedulers(BTreeMap<QueueRef, Inspection>);

impl Schedulers {
    /// Fills in what is known, after a look at those whose turn it is.
    ///
    /// # Errors
    /// When it may not be asked: what is known stands.
    pub(super) async fn look(
        &mut self,
        connection: &mut Connection,
        readings: &mut [QueueReading],
        (now, millis): (Now, i64),
    ) -> Result<(), RedisError> {
        let result = self.read(connection, readings, (now, millis)).await;
        for reading in readings {
            let look = self.0.entry(reading.queue.clone()).or_default();
            (reading.late, reading.lapsed) = (look.late.clone(), look.lapsed.clone());
            if let Some(words) = &look.refused {
                reading.refuse(Unread::Schedulers, words);
            }
        }
        result
    }

    /// Forgets queues that are gone.
    pub(super) fn retain(&mut self, there: &BTreeSet<&QueueRef>) {
        self.0.retain(|queue, _| there.contains(queue));
    }

    async fn read(
        &mut self,
        connection: &mut Connection,
        readings: &[QueueReading],
        (now, millis): (Now, i64),
    ) -> Result<(), RedisError> {
        let (mut ask, mut asked) = (pipe(), Vec::new());
        ask.ignore_errors();
        for reading in readings {
            let look = self.0.entry(reading.queue.clone()).or_default();
            if look.at.is_none_or(|at| now.since(at) >= EACH) {
                look.at = Some(now);
                asked.push(&reading.queue);
                ask.cmd("ZCOUNT").arg(reading.queue.key("repeat")).arg("-inf").arg(millis - GRACE_MS);
            }
        }
        if asked.is_empty() {
            return Ok(());
        }
        let counts: Vec<Value> = ask.query_async(connection).await?;
        let found = late(connection, (&asked, &counts), millis - GRACE_MS).await?;
        let late: Vec<(&QueueRef, Due)> = asked.into_iter().zip(found).collect();
        let (mut ask, mut some) = (pipe(), false);
        ask.ignore_errors();
        for (queue, due) in late.iter().filter(|(_, due)| !due.late.is_empty()) {
            some = true;
            ask_states(&mut ask, queue, &due.late);
            for (id, score) in &due.late {
                let made_by = queue.key(&format!("repeat:{id}"));
                ask.cmd("HMGET").arg(made_by).arg(&["name", "ic", "limit", "endDate"]);
                let job = queue.key(&format!("repeat:{id}:{score:.0}"));
                ask.cmd("HMGET").arg(job).arg(&["timestamp", "finishedOn"]);
            }
        }
        let answers: Vec<Value> = if some { ask.query_async(connection).await? } else { Vec::new() };
        let mut rest = answers.as_slice();
        for (queue, Due { late, refused }) in late {
            let asked = if late.is_empty() { 0 } else { STATES + late.len() * 2 };
            let (its, behind) = rest.split_at(asked.min(rest.len()));
            rest = behind;
            if let Some(look) = self.0.get_mut(queue) {
                look.refused = refused.or_else(|| refused::first(its));
                look.judge(late, its, millis);
            }
        }
        Ok(())
    }
}

/// Those of each queue that were due by then, of as many as are counted there, the oldest first.
async fn late(
    connection: &mut Connection,
    (queues, counts): (&[&QueueRef], &[Value]),
    due: i64,
) -> Result<Vec<Due>, RedisError> {
    let (mut ask, mut some) = (pipe(), Vec::new());
    ask.ignore_errors();
    let mut all: Vec<Due> = Vec::new();
    for (at, (queue, count)) in queues.iter().zip(counts).enumerate() {
        all.push(Due { late: Vec::new(), refused: refused::first(std::slice::from_ref(count)) });
        if let Value::Int(count @ 1..) = count {
            some.push(at);
            ask.cmd("ZRANGEBYSCORE").arg(queue.key("repeat")).arg("-inf").arg(due);
            ask.arg("WITHSCORES").arg("LIMIT").arg((count - LOOKED_AT).max(0)).arg(LOOKED_AT);
        }
    }
    if some.is_empty() {
        return Ok(all);
    }
    let found: Vec<Value> = ask.query_async(connection).await?;
    for (at, value) in some.into_iter().zip(&found) {
        all[at] = Due { late: scored(value), refused: refused::first(std::slice::from_ref(value)) };
    }
    Ok(all)
}

/// The jobs of each state among which one may be.
fn ask_states(ask: &mut Pipeline, queue: &QueueRef, late: &[(String, f64)]) {
    for state in ["wait", "paused", "active"] {
        ask.cmd("LRANGE").arg(queue.key(state)).arg(0).arg(LOOKED - 1);
    }
    for state in ["delayed", "prioritized"] {
        ask.cmd("ZRANGE").arg(queue.key(state)).arg(0).arg(LOOKED - 1);
    }
    // It ended after it was due.
    let first = late.iter().map(|(_, score)| *score).fold(f64::INFINITY, f64::min);
    for state in ["completed", "failed"] {
        ask.cmd("ZRANGEBYSCORE").arg(queue.key(state)).arg(first).arg("+inf");
        ask.arg("LIMIT").arg(0).arg(LOOKED);
    }
}

/// What became of one that is late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Its job is there, or it has ended, or nobody can say.
    Fine,
    /// It is a scheduler, and its next job is gone.
    Late,
    /// It is a repeatable job of an older library, and comes no more.
    Lapsed,
}

/// By what was read of it (itself and its job), and of the jobs in each state.
fn fate(id: &str, due: i64, pair: &[Value], states: &[Value], now: i64) -> Fate {
    let [own, job] = pair else { return Fate::Fine };
    let refused = |values: &[Value]| values.iter().any(|value| matches!(value, Value::ServerError(_)));
    if refused(pair) {
        return Fate::Fine;
    }
    let fields = |value: &Value| list(value).iter().map(text).collect::<Vec<_>>();
    let (own, job) = (fields(own), fields(job));
    let whole = |at: usize| own.get(at)?.as_ref()?.parse::<i64>().ok();
    let is_there = |fields: &[Option<String>], at: usize| fields.get(at).is_some_and(Option::is_some);
    let (made, finished) = (is_there(&job, 0), is_there(&job, 1));
    let limit = whole(1).zip(whole(2)).is_some_and(|(made, limit)| made >= limit);
    if limit || whole(3).is_some_and(|end| end <= now) || (made && !finished) {
        return Fate::Fine;
    }
    // A scheduler counts what it made. `add` with `repeat` counts nothing and keeps no limit, whatever it is called by; some generations
    // call it by a digest and do count.
    let by_digest = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if whole(1).is_some() && !by_digest {
        return Fate::Late;
    }
    // Its last day stands in what it is called by.
    let ended = id.split(':').nth(2).and_then(|end| end.parse::<i64>().ok()).is_some_and(|end| end <= now);
    if made || ended || refused(states) || is_among(due, states) { Fate::Fine } else { Fate::Lapsed }
}

/// Whether a job that was to run at `due` is there in any state, or may be.
fn is_among(due: i64, states: &[Value]) -> bool {
    let end = format!(":{due}");
    let is_it = |value: &Value| text(value).is_some_and(|id| id.starts_with("repeat:") && id.ends_with(&end));
    states.len() < STATES
        || states.iter().take(OPEN).any(|state| list(state).len() >= LOOKED)
        || states.iter().any(|state| list(state).iter().any(is_it))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_790_000_000_000;
    const DUE: i64 = NOW - 100_000;

    fn texts(all: &[&str]) -> Value {
        let text = |text: &&str| match *text {
            "" => Value::Nil,
            text => Value::BulkString(text.as_bytes().to_vec()),
        };
        Value::Array(all.iter().map(text).collect())
    }

    /// Of a scheduler (name, made, limit, last day) and its job (added, finished), with these among the jobs of one state.
    #[track_caller]
    fn check(id: &str, own: [&str; 4], job: [&str; 2], (state, jobs): (usize, &[&str]), expected: Fate) {
        let mut states = vec![texts(&[]); STATES];
        states[state] = texts(jobs);
        let found = fate(id, DUE, &[texts(&own), texts(&job)], &states, NOW);
        assert_eq!(found, expected, "{id} {own:?} {job:?} {state} {jobs:?}");
    }

    #[test]
    fn a_scheduler_is_late_without_a_job_that_is_open() {
        let none = (0, &[][..]);
        let own = ["mail", "3", "", ""];
        check("nightly", own, ["", ""], none, Fate::Late);
        check("nightly", own, ["1", ""], none, Fate::Fine);
        check("nightly", own, ["1", "2"], none, Fate::Late);
        // `repeat: { key, limit }` has a name of its own, and neither a count nor its limit.
        check("nightly", ["mail", "", "", ""], ["1", "2"], none, Fate::Fine);
        check("nightly", ["mail", "", "", ""], ["", ""], none, Fate::Lapsed);
        // It has ended as it was told to.
        check("nightly", ["mail", "3", "3", ""], ["", ""], none, Fate::Fine);
        check("nightly", ["mail", "3", "4", ""], ["", ""], none, Fate::Late);
        check("nightly", ["mail", "3", "", "1789999999000"], ["1", "2"], none, Fate::Fine);
        check("nightly", ["mail", "3", "", "1790000009000"], ["", ""], none, Fate::Late);
    }

    #[test]
    fn a_repeatable_job_comes_no_more_where_none_of_its_moment_is_there() {
        let (own, job) = ([""; 4], [""; 2]);
        let its = format!("repeat:0cc175b9c0f1b6a831c399e269772661:{DUE}");
        let other = format!("repeat:0cc175b9c0f1b6a831c399e269772661:{NOW}");
        check("mail:::3600000", own, job, (0, &[&other]), Fate::Lapsed);
        for state in 0..STATES {
            check("mail:::3600000", own, job, (state, &[&other, &its]), Fate::Fine);
        }
        check("mail::1789999999000::3600000", own, job, (0, &[]), Fate::Fine);
        check("mail::1790000009000::3600000", own, job, (0, &[]), Fate::Lapsed);
        // Where too many are open nobody can say; of those that have ended only the first are asked.
        let many = vec!["7"; LOOKED];
        check("mail:::3600000", own, job, (3, &many), Fate::Fine);
        check("mail:::3600000", own, job, (5, &many), Fate::Lapsed);
        // One that goes by a digest may have a limit that stands nowhere.
        let digest = "f1e99871307359119f043368635a36f4";
        check(digest, ["mail", "2", "", ""], ["1", "2"], (0, &[]), Fate::Fine);
        check(digest, ["mail", "2", "", ""], job, (0, &[]), Fate::Lapsed);
    }

    #[test]
    fn what_may_not_be_read_is_no_trouble() {
        let refused = redis::parse_redis_value(b"-NOPERM no right\r\n").expect("an answer");
        assert!(matches!(refused, Value::ServerError(_)), "{refused:?}");
        let mut states = vec![texts(&[]); STATES];
        let pair = [texts(&[""; 4]), texts(&[""; 2])];
        assert_eq!(fate("mail:::1", DUE, &pair, &states, NOW), Fate::Lapsed);
        states[2] = refused;
        assert_eq!(fate("mail:::1", DUE, &pair, &states, NOW), Fate::Fine);
        assert_eq!(fate("mail:::1", DUE, &[], &states, NOW), Fate::Fine);
        // What its own fields tell does not need them.
        let own = [texts(&["mail", "3", "", ""]), texts(&[""; 2])];
        assert_eq!(fate("nightly", DUE, &own, &states, NOW), Fate::Late);
    }
}
