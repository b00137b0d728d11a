//! Whether the jobs that hold deduplication ids still exist, of the ids for which jobs were thrown away lately. A library frees an id when its
//! holder ends; one whose keys are gone (deleted by hand, evicted) never does, and every further job of the id is thrown away.

use super::connection::Connection;
use super::decode::{number, text};
use super::finished::Finished;
use super::refused;
use crate::core::redis::{LostHolder, QueueReading, QueueRef, Unread};
use crate::core::time::Now;
use redis::{RedisError, Value, pipe};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The holders of a queue are looked at this often.
const EACH: Duration = Duration::from_secs(10);
/// So many queues in one poll, and so many ids of each.
const QUEUES: usize = 20;
const IDS: usize = 20;
/// What is asked of one.
const ASKED: usize = 4;

/// The last looks.
#[derive(Debug, Default)]
pub(super) struct Holders(BTreeMap<QueueRef, Looked>);

/// What one look at a queue found.
#[derive(Clone, Debug, Default)]
struct Looked {
    at: Option<Now>,
    lost: Vec<LostHolder>,
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
    fn doubtful(&self, queue: &QueueRef, finished: &Finished, now: Now) -> Vec<LostHolder> {
        let looked = self.0.get(queue);
        if looked.and_then(|looked| looked.at).is_some_and(|at| now.since(at) < EACH) {
            return Vec::new();
        }
        let mut all = looked.map_or_else(Vec::new, |looked| looked.lost.clone());
        for (id, thrown) in finished.thrown(queue) {
            match all.iter_mut().find(|one| one.id == *id && one.holder == thrown.holder) {
                Some(known) => known.thrown = known.thrown.max(thrown.jobs()),
                None => all.push(LostHolder {
                    id: id.clone(),
                    holder: thrown.holder.clone(),
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
        let (mut ask, mut asked) = (pipe(), Vec::new());
        ask.ignore_errors();
        for QueueReading { queue, .. } in readings {
            let doubtful = self.doubtful(queue, finished, now);
            if doubtful.is_empty() || asked.len() >= QUEUES {
                continue;
            }
            self.0.entry(queue.clone()).or_default().at = Some(now);
            for one in &doubtful {
                let id = queue.key(&format!("de:{}", one.id));
                ask.cmd("GET").arg(&id).cmd("PTTL").arg(&id).cmd("EXISTS").arg(queue.key(&one.holder));
                ask.cmd("GET").arg(&id);
            }
            asked.push((queue, doubtful));
        }
        if asked.is_empty() {
            return Ok(());
        }
        let values: Vec<Value> = ask.query_async(connection).await?;
        let mut answers = values.chunks(ASKED);
        for (queue, doubtful) in asked {
            let Some(looked) = self.0.get_mut(queue) else { continue };
            (looked.lost, looked.refused) = (Vec::new(), None);
            for (one, answers) in doubtful.into_iter().zip(answers.by_ref()) {
                looked.refused = looked.refused.take().or_else(|| refused::first(answers));
                if is_lost(&one, answers) {
                    looked.lost.push(one);
                }
            }
        }
        Ok(())
    }
}

/// Held before and after its holder was looked for and not found (both end at one moment), and not only for a time.
fn is_lost(one: &LostHolder, answers: &[Value]) -> bool {
    let [before, expires, exists, after] = answers else { return false };
    let holds = |value: &Value| text(value).is_some_and(|holder| holder == one.holder);
    holds(before) && holds(after) && number(expires) == Some(-1) && number(exists) == Some(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_id_that_nothing_frees_is_lost() {
        let one = LostHolder { id: "a".to_owned(), holder: "7".to_owned(), thrown: 1 };
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
}
