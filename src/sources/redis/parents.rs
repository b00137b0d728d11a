//! Parents of flows that wait for children which have failed: without an option that says otherwise they wait for ever. Looked for every
//! half minute, a few queues at a time, a few parents of each.

use super::connection::Connection;
use super::decode::{list, text};
use crate::core::redis::{QueueReading, QueueRef, StuckParent};
use crate::core::time::Now;
use redis::{RedisError, Value, pipe};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The parents of a queue are looked at this often.
const EACH: Duration = Duration::from_secs(30);
/// So many queues in one poll, so many parents of each (those that have waited longest), and so many children of each of these.
const QUEUES: usize = 10;
const PARENTS: isize = 20;
const CHILDREN: usize = 20;

/// A child that has failed: of which parent it is one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Failed {
    parent: String,
    queue: QueueRef,
    id: String,
}

/// The last looks. Of many children some are drawn, others each time: one that was found to have failed is looked at again, so that what
/// was told does not come and go.
#[derive(Debug, Default)]
pub(super) struct Parents(BTreeMap<QueueRef, (Now, BTreeSet<Failed>)>);

impl Parents {
    /// Fills in what is known, after a look at those whose turn it is.
    ///
    /// # Errors
    /// When it may not be asked: what is known stands.
    pub(super) async fn look(
        &mut self,
        connection: &mut Connection,
        readings: &mut [QueueReading],
        now: Now,
    ) -> Result<(), RedisError> {
        let due = |queue: &QueueRef| self.0.get(queue).is_none_or(|(at, _)| now.since(*at) >= EACH);
        let waits = readings.iter().filter(|reading| reading.waiting_children > 0);
        let asked: Vec<QueueRef> =
            waits.map(|reading| &reading.queue).filter(|queue| due(queue)).take(QUEUES).cloned().collect();
        let known =
            |queue: &QueueRef| self.0.get(queue).map(|(_, failed)| failed.clone()).unwrap_or_default();
        let known: Vec<BTreeSet<Failed>> = asked.iter().map(known).collect();
        let result = if asked.is_empty() { Ok(Vec::new()) } else { read(connection, &asked, &known).await };
        let (found, result) = match result {
            Ok(found) => (found, Ok(())),
            Err(error) => (Vec::new(), Err(error)),
        };
        for (queue, failed) in asked.into_iter().zip(found) {
            self.0.insert(queue, (now, failed));
        }
        for reading in readings {
            if reading.waiting_children == 0 {
                self.0.remove(&reading.queue);
            } else if let Some((_, failed)) = self.0.get(&reading.queue) {
                reading.stuck = stuck(failed);
            }
        }
        result
    }

    /// Forgets queues that are gone.
    pub(super) fn retain(&mut self, there: &BTreeSet<&QueueRef>) {
        self.0.retain(|queue, _| there.contains(queue));
    }
}

/// Parents with how many of their children have failed, by queue.
fn stuck(failed: &BTreeSet<Failed>) -> Vec<StuckParent> {
    let mut all: Vec<StuckParent> = Vec::new();
    for Failed { parent, queue, .. } in failed {
        match all.iter_mut().find(|one| one.parent == *parent && one.child == *queue) {
            Some(known) => known.failed += 1,
            None => all.push(StuckParent { parent: parent.clone(), child: queue.clone(), failed: 1 }),
        }
    }
    all
}

/// The children that have failed of the parents in each of these queues, as far as they were drawn or known before.
async fn read(
    connection: &mut Connection,
    queues: &[QueueRef],
    known: &[BTreeSet<Failed>],
) -> Result<Vec<BTreeSet<Failed>>, RedisError> {
    let mut ask = pipe();
    ask.ignore_errors();
    for queue in queues {
        ask.cmd("ZRANGE").arg(queue.key("waiting-children")).arg(0).arg(PARENTS - 1);
    }
    let values: Vec<Value> = ask.query_async(connection).await?;
    let ids = |value: &Value| list(value).iter().filter_map(text).collect::<Vec<String>>();
    let parents: Vec<(usize, String)> = values
        .iter()
        .enumerate()
        .flat_map(|(of, value)| ids(value).into_iter().map(move |id| (of, id)))
        .collect();
    let mut found = vec![BTreeSet::new(); queues.len()];
    if parents.is_empty() {
        return Ok(found);
    }
    let mut ask = pipe();
    ask.ignore_errors();
    for (of, id) in &parents {
        ask.cmd("SRANDMEMBER").arg(queues[*of].key(&format!("{id}:dependencies"))).arg(CHILDREN);
    }
    let values: Vec<Value> = ask.query_async(connection).await?;
    let mut children: BTreeSet<(usize, QueueRef, String)> = values
        .iter()
        .enumerate()
        .flat_map(|(parent, value)| {
            ids(value).into_iter().filter_map(move |key| child(&key).map(|(queue, id)| (parent, queue, id)))
        })
        .collect();
    for (at, (of, parent)) in parents.iter().enumerate() {
        let before = known[*of].iter().filter(|failed| failed.parent == *parent).take(CHILDREN);
        children.extend(before.map(|failed| (at, failed.queue.clone(), failed.id.clone())));
    }
    if children.is_empty() {
        return Ok(found);
    }
    let mut ask = pipe();
    ask.ignore_errors();
    for (_, queue, id) in &children {
        ask.cmd("ZSCORE").arg(queue.key("failed")).arg(id);
    }
    let scores: Vec<Value> = ask.query_async(connection).await?;
    for ((parent, queue, id), score) in children.into_iter().zip(&scores) {
        if text(score).is_some() {
            let (of, parent) = &parents[parent];
            found[*of].insert(Failed { parent: parent.clone(), queue, id });
        }
    }
    Ok(found)
}

/// The queue and the id of a job by its whole key.
fn child(key: &str) -> Option<(QueueRef, String)> {
    let (base, id) = key.rsplit_once(':')?;
    let (prefix, name) = base.rsplit_once(':')?;
    Some((QueueRef { prefix: prefix.to_owned(), name: name.to_owned() }, id.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_a_child_names_its_queue() {
        let queue = |prefix: &str, name: &str| QueueRef { prefix: prefix.to_owned(), name: name.to_owned() };
        assert_eq!(child("bull:mails:7"), Some((queue("bull", "mails"), "7".to_owned())));
        assert_eq!(child("{shop:eu}:mails:7"), Some((queue("{shop:eu}", "mails"), "7".to_owned())));
        assert_eq!(child("mails"), None);
    }
}
