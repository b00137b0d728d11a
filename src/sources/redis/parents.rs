//! Parents of flows that wait for children which have failed: without an option that says otherwise they wait for ever. Looked for every
//! half minute, a few queues at a time, a few parents of each.

use super::connection::Connection;
use super::decode::{list, text};
use super::refused;
use crate::core::part::{Gap, GapKind, Part};
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
pub(super) struct Parents(BTreeMap<QueueRef, (Now, Looked)>);

/// What one look at the parents of a queue found.
#[derive(Clone, Debug, Default)]
struct Looked {
    failed: BTreeSet<Failed>,
    /// The server's words, where it refused a part of it.
    refused: Option<String>,
}

impl Looked {
    /// Who was found is told, whatever else was refused; that nobody was found is told only where nothing was.
    fn part(&self) -> Part<Vec<StuckParent>> {
        match &self.refused {
            Some(words) if self.failed.is_empty() => {
                let note = format!("the children of its parents may not be looked at ({words})");
                Part::Unavailable(Gap::new(GapKind::NotPermitted, note))
            }
            Some(_) | None => Part::Ready(stuck(&self.failed)),
        }
    }

    fn refuse(&mut self, value: &Value) {
        if self.refused.is_none() {
            self.refused = refused::first(std::slice::from_ref(value));
        }
    }
}

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
            |queue: &QueueRef| self.0.get(queue).map(|(_, looked)| looked.failed.clone()).unwrap_or_default();
        let known: Vec<BTreeSet<Failed>> = asked.iter().map(known).collect();
        let result = if asked.is_empty() { Ok(Vec::new()) } else { read(connection, &asked, &known).await };
        let (found, result) = match result {
            Ok(found) => (found, Ok(())),
            Err(error) => (Vec::new(), Err(error)),
        };
        for (queue, looked) in asked.into_iter().zip(found) {
            self.0.insert(queue, (now, looked));
        }
        for reading in readings {
            if reading.waiting_children == 0 {
                self.0.remove(&reading.queue);
                reading.stuck = Part::Ready(Vec::new());
            } else if let Some((_, looked)) = self.0.get(&reading.queue) {
                reading.stuck = looked.part();
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
) -> Result<Vec<Looked>, RedisError> {
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
    let mut found = vec![Looked::default(); queues.len()];
    for (of, value) in values.iter().enumerate() {
        found[of].refuse(value);
    }
    if parents.is_empty() {
        return Ok(found);
    }
    let mut ask = pipe();
    ask.ignore_errors();
    for (of, id) in &parents {
        ask.cmd("SRANDMEMBER").arg(queues[*of].key(&format!("{id}:dependencies"))).arg(CHILDREN);
    }
    let values: Vec<Value> = ask.query_async(connection).await?;
    for ((of, _), value) in parents.iter().zip(&values) {
        found[*of].refuse(value);
    }
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
        let (of, parent) = &parents[parent];
        found[*of].refuse(score);
        if text(score).is_some() {
            found[*of].failed.insert(Failed { parent: parent.clone(), queue, id });
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

    #[track_caller]
    fn check(failed: usize, refused: bool, expected: Option<usize>) {
        let child =
            |id: usize| Failed { parent: "1".to_owned(), queue: QueueRef::default(), id: id.to_string() };
        let refused = refused.then(|| "No permissions to access a key".to_owned());
        let part = Looked { failed: (0..failed).map(child).collect(), refused }.part();
        assert_eq!(part.ready().map(Vec::len), expected, "{part:?}");
        assert_eq!(part.gap().is_some(), expected.is_none(), "{part:?}");
    }

    #[test]
    fn nobody_is_found_only_where_nothing_is_refused() {
        check(0, false, Some(0));
        check(2, false, Some(1));
        check(0, true, None);
        check(2, true, Some(1));
    }

    #[test]
    fn the_key_of_a_child_names_its_queue() {
        let queue = |prefix: &str, name: &str| QueueRef { prefix: prefix.to_owned(), name: name.to_owned() };
        assert_eq!(child("bull:mails:7"), Some((queue("bull", "mails"), "7".to_owned())));
        assert_eq!(child("{shop:eu}:mails:7"), Some((queue("{shop:eu}", "mails"), "7".to_owned())));
        assert_eq!(child("mails"), None);
    }
}
