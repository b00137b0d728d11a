//! Whether the jobs that hold deduplication ids still exist, of the ids for which jobs were thrown away lately. A library frees an id when its
//! holder ends; one whose keys are gone (deleted by hand, evicted) never does, and every further job of the id is thrown away. So is every
//! job whose own id is that of one that is kept and stands in no list any more: nothing will run it, and nothing removes it.

use super::connection::Connection;
use super::decode::{number, text};
use super::finished::Finished;
use super::refused;
use crate::core::redis::{Family, LostHolder, QueueReading, QueueRef, Unread};
use crate::core::time::Now;
use redis::{Pipeline, RedisError, Value, pipe};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The holders of a queue are looked at this often.
const EACH: Duration = Duration::from_secs(10);
/// So many queues in one poll, and so many ids of each.
const QUEUES: usize = 20;
const IDS: usize = 20;
/// So many jobs of a queue that have the id of another one.
const TWINS: usize = 10;
/// Longer lists are not searched for them.
const SEARCHED: u64 = 5_000;

/// The last looks.
#[derive(Debug, Default)]
pub(super) struct Holders(BTreeMap<QueueRef, Looked>);

/// What one look at a queue found.
#[derive(Clone, Debug, Default)]
struct Looked {
    at: Option<Now>,
    lost: Vec<LostHolder>,
    /// Ids of jobs that stood nowhere: whether they do so at the next look, too, tells. A job may change its place between two questions.
    nowhere: BTreeSet<String>,
    refused: Option<String>,
}

impl Holders {
    /// Fills in what is known, after a look at those whose turn it is.
    ///
    /// # Errors
    /// When it could not be asked: what is known stands.
    pub(super) async fn look(
        &mut self,
        connection: &mut Connection,
        readings: &mut [QueueReading],
        finished: &Finished,
        now: Now,
    ) -> Result<(), RedisError> {
        let result = self.read(connection, readings, finished, now).await;
        for reading in readings {
            let Some(looked) = self.0.get(&reading.queue) else { continue };
            reading.lost_holders.clone_from(&looked.lost);
            if let Some(words) = &looked.refused {
                reading.refuse(Unread::Holders, words);
            }
        }
        result
    }

    /// Forgets queues that are gone.
    pub(super) fn retain(&mut self, there: &BTreeSet<&QueueRef>) {
        self.0.retain(|queue, _| there.contains(queue));
    }

    /// Those that are to be looked at: jobs were thrown away for them, or they were lost when they were last looked at.
    fn doubtful(&self, reading: &QueueReading, finished: &Finished, now: Now) -> Vec<LostHolder> {
        let looked = self.0.get(&reading.queue);
        if looked.and_then(|looked| looked.at).is_some_and(|at| now.since(at) < EACH) {
            return Vec::new();
        }
        let mut all = looked.map_or_else(Vec::new, |looked| looked.lost.clone());
        let mut twins: Vec<_> = finished.twins(&reading.queue).collect();
        twins.sort_by_key(|(_, thrown)| std::cmp::Reverse(thrown.jobs()));
        twins.truncate(if is_searched(reading) { TWINS } else { 0 });
        let held = finished.thrown(&reading.queue).map(|one| (one, false));
        for ((id, thrown), stray) in held.chain(twins.into_iter().map(|one| (one, true))) {
            match all
                .iter_mut()
                .find(|one| one.id == *id && one.holder == thrown.holder && one.stray == stray)
            {
                Some(known) => known.thrown = known.thrown.max(thrown.jobs()),
                None => all.push(LostHolder {
                    id: id.clone(),
                    holder: thrown.holder.clone(),
                    stray,
                    thrown: thrown.jobs(),
                }),
            }
        }
        all.truncate(IDS);
        all
    }

    async fn read(
        &mut self,
        connection: &mut Connection,
        readings: &[QueueReading],
        finished: &Finished,
        now: Now,
    ) -> Result<(), RedisError> {
        let (mut all, mut asked) = (pipe(), Vec::new());
        all.ignore_errors();
        for reading in readings {
            let doubtful = self.doubtful(reading, finished, now);
            if doubtful.is_empty() || asked.len() >= QUEUES {
                continue;
            }
            let queue = &reading.queue;
            self.0.entry(queue.clone()).or_default().at = Some(now);
            for one in &doubtful {
                if one.stray {
                    ask_for_job(&mut all, queue, one);
                } else {
                    ask_for_holder(&mut all, queue, one);
                }
            }
            asked.push((queue, doubtful));
        }
        if asked.is_empty() {
            return Ok(());
        }
        let values: Vec<Value> = all.query_async(connection).await?;
        let mut left = values.as_slice();
        for (queue, doubtful) in asked {
            let Some(looked) = self.0.get_mut(queue) else { continue };
            let before = std::mem::take(&mut looked.nowhere);
            (looked.lost, looked.refused) = (Vec::new(), None);
            for one in doubtful {
                let (answers, rest) =
                    left.split_at(left.len().min(if one.stray { OF_JOB } else { OF_HOLDER }));
                left = rest;
                looked.refused = looked.refused.take().or_else(|| refused::first(answers));
                let lost = if one.stray {
                    let nowhere = stands_nowhere(answers);
                    if nowhere {
                        looked.nowhere.insert(one.id.clone());
                    }
                    nowhere && before.contains(&one.id)
                } else {
                    is_lost(&one, answers)
                };
                if lost {
                    looked.lost.push(one);
                }
            }
        }
        Ok(())
    }
}

/// What is asked of a holder.
const OF_HOLDER: usize = 4;

fn ask_for_holder(all: &mut Pipeline, queue: &QueueRef, one: &LostHolder) {
    let id = queue.key(&format!("de:{}", one.id));
    all.cmd("GET").arg(&id).cmd("PTTL").arg(&id).cmd("EXISTS").arg(queue.key(&one.holder));
    all.cmd("GET").arg(&id);
}

/// Held before and after its holder was looked for and not found (both end at one moment), and not only for a time.
fn is_lost(one: &LostHolder, answers: &[Value]) -> bool {
    let [before, expires, exists, after] = answers else { return false };
    let holds = |value: &Value| text(value).is_some_and(|holder| holder == one.holder);
    holds(before) && holds(after) && number(expires) == Some(-1) && number(exists) == Some(0)
}

/// Where the jobs of a queue stand.
const SETS: [&str; 5] = ["completed", "failed", "delayed", "prioritized", "waiting-children"];
const LISTS: [&str; 3] = ["active", "wait", "paused"];
/// What is asked of a job.
const OF_JOB: usize = 2 + SETS.len() + LISTS.len();

/// Whether a job could be searched for in its lists; BullMQ Pro has groups of its own beside them.
fn is_searched(reading: &QueueReading) -> bool {
    reading.evidence.family != Family::Pro && reading.waiting + reading.active <= SEARCHED
}

fn ask_for_job(all: &mut Pipeline, queue: &QueueRef, one: &LostHolder) {
    let hash = queue.key(&one.id);
    all.cmd("EXISTS").arg(format!("{hash}:lock"));
    for set in SETS {
        all.cmd("ZSCORE").arg(queue.key(set)).arg(&one.id);
    }
    for list in LISTS {
        all.cmd("LPOS").arg(queue.key(list)).arg(&one.id);
    }
    all.cmd("EXISTS").arg(hash);
}

/// It is kept, no worker has it, and none of the lists and sets knows it.
fn stands_nowhere(answers: &[Value]) -> bool {
    let [locked, places @ .., kept] = answers else { return false };
    answers.len() == OF_JOB
        && number(locked) == Some(0)
        && number(kept) == Some(1)
        && places.iter().all(|place| *place == Value::Nil)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_id_that_nothing_frees_is_lost() {
        let one = LostHolder { id: "a".to_owned(), holder: "7".to_owned(), stray: false, thrown: 1 };
        let held = |by: &str| Value::BulkString(by.as_bytes().to_vec());
        let check = |before: Value, expires: i64, exists: i64, after: Value, expected: bool| {
            let answers = [before, Value::Int(expires), Value::Int(exists), after];
            assert_eq!(is_lost(&one, &answers), expected, "{answers:?}");
        };
        check(held("7"), -1, 0, held("7"), true);
        check(held("7"), -1, 1, held("7"), false);
        // For a time: that is what it is for.
        check(held("7"), 4000, 0, held("7"), false);
        // It ended meanwhile, or another one has come.
        check(held("7"), -1, 0, Value::Nil, false);
        check(held("8"), -1, 0, held("8"), false);
        assert!(!is_lost(&one, &[held("7")]));
    }

    #[test]
    fn a_job_in_no_list_is_kept_unlocked_and_nowhere() {
        let check = |locked: i64, place: Option<(usize, Value)>, kept: i64, expected: bool| {
            let mut answers = vec![Value::Nil; OF_JOB];
            (answers[0], answers[OF_JOB - 1]) = (Value::Int(locked), Value::Int(kept));
            if let Some((at, value)) = place {
                answers[at] = value;
            }
            assert_eq!(stands_nowhere(&answers), expected, "{answers:?}");
        };
        check(0, None, 1, true);
        check(1, None, 1, false);
        check(0, None, 0, false);
        for at in 1..OF_JOB - 1 {
            check(0, Some((at, Value::Int(0))), 1, false);
        }
        assert!(!stands_nowhere(&[Value::Int(0), Value::Int(1)]));
    }
}
