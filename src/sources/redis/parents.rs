//! Parents of flows that wait in vain: for children which have failed (without an option that says otherwise they wait for ever), for
//! children which no longer exist, or for none at all. Looked for every half minute, a few queues at a time, a few parents of each.

use super::connection::Connection;
use super::decode::{list, number, text};
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

/// Why a parent waits in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    /// A child has failed.
    Failed,
    /// The hash of a child is not there any more: nothing will ever end it.
    Gone,
    /// It waits for no child: the set of those that it waits for is gone.
    Childless,
}

/// A parent that waits in vain, and for which child, by its whole key; no key where it waits for none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Found {
    parent: String,
    key: String,
    fate: Fate,
}

/// A child: the place of its parent, its key, and what was answered of it, if that could be asked.
type Child = (usize, String, Option<Vec<Value>>);

/// The last looks. Of many children some are drawn, others each time: one that was found before is looked at again, so that what was told
/// does not come and go.
#[derive(Debug, Default)]
pub(super) struct Parents(BTreeMap<QueueRef, (Now, Looked)>);

/// What one look at the parents of a queue found.
#[derive(Clone, Debug, Default)]
struct Looked {
    found: BTreeSet<Found>,
    /// Why a part of it was not looked at.
    unseen: Option<String>,
}

impl Looked {
    /// Who was found is told, whatever else was refused; that nobody was found is told only where nothing was.
    fn part(&self, names: &Names) -> Part<Vec<StuckParent>> {
        match &self.unseen {
            Some(words) if self.found.is_empty() => {
                let note = format!("the children of its parents were not looked at ({words})");
                Part::Unavailable(Gap::new(GapKind::NotPermitted, note))
            }
            Some(_) | None => Part::Ready(stuck(&self.found, names)),
        }
    }

    fn refuse(&mut self, value: &Value) {
        if self.unseen.is_none() {
            self.unseen = refused::first(std::slice::from_ref(value));
        }
    }
}

/// The queues that are known, by how their keys begin: ids, names and prefixes may hold colons, and only these tell where an id begins.
#[derive(Debug, Default)]
struct Names(BTreeMap<String, QueueRef>);

impl Names {
    fn of(queues: impl Iterator<Item = QueueRef>) -> Self {
        Self(queues.map(|queue| (format!("{}:{}", queue.prefix, queue.name), queue)).collect())
    }

    /// The queue and the id of a job by its whole key.
    fn child(&self, key: &str) -> Option<(QueueRef, String)> {
        let mut ends = key.rmatch_indices(':').map(|(at, _)| at);
        let known = ends.find_map(|at| Some((self.0.get(&key[..at])?.clone(), key[at + 1..].to_owned())));
        known.or_else(|| {
            let (base, id) = key.rsplit_once(':')?;
            let (prefix, name) = base.rsplit_once(':')?;
            Some((QueueRef { prefix: prefix.to_owned(), name: name.to_owned() }, id.to_owned()))
        })
    }
}

impl Parents {
    /// Fills in what is known, after a look at those whose turn it is.
    pub(super) async fn look(
        &mut self,
        connection: &mut Connection,
        readings: &mut [QueueReading],
        now: Now,
    ) {
        let names = Names::of(readings.iter().map(|reading| reading.queue.clone()));
        let due = |queue: &QueueRef| self.0.get(queue).is_none_or(|(at, _)| now.since(*at) >= EACH);
        let waits = readings.iter().filter(|reading| reading.waiting_children > 0);
        let asked: Vec<QueueRef> =
            waits.map(|reading| &reading.queue).filter(|queue| due(queue)).take(QUEUES).cloned().collect();
        let known =
            |queue: &QueueRef| self.0.get(queue).map(|(_, looked)| looked.found.clone()).unwrap_or_default();
        let known: Vec<BTreeSet<Found>> = asked.iter().map(known).collect();
        let found = if asked.is_empty() {
            Vec::new()
        } else {
            read(connection, &asked, &known, &names).await.unwrap_or_else(|error| {
                let unseen = Some(error.to_string());
                known.into_iter().map(|found| Looked { found, unseen: unseen.clone() }).collect()
            })
        };
        for (queue, looked) in asked.into_iter().zip(found) {
            self.0.insert(queue, (now, looked));
        }
        for reading in readings {
            if reading.waiting_children == 0 {
                self.0.remove(&reading.queue);
                reading.stuck = Part::Ready(Vec::new());
            } else if let Some((_, looked)) = self.0.get(&reading.queue) {
                reading.stuck = looked.part(&names);
            }
        }
    }

    /// Forgets queues that are gone.
    pub(super) fn retain(&mut self, there: &BTreeSet<&QueueRef>) {
        self.0.retain(|queue, _| there.contains(queue));
    }
}

/// Parents with what became of their children, by queue of these.
fn stuck(found: &BTreeSet<Found>, names: &Names) -> Vec<StuckParent> {
    let mut all: Vec<StuckParent> = Vec::new();
    for Found { parent, key, fate } in found {
        let (child, id) = names.child(key).unwrap_or_default();
        let at = all.iter().position(|one| one.parent == *parent && one.child == child);
        let at = at.unwrap_or_else(|| {
            all.push(StuckParent { parent: parent.clone(), child, ..StuckParent::default() });
            all.len() - 1
        });
        match fate {
            Fate::Failed => all[at].failed += 1,
            Fate::Gone => all[at].gone.push(id),
            Fate::Childless => all[at].childless = true,
        }
    }
    all
}

/// What became of the children of the parents in each of these queues, as far as they were drawn or known before.
async fn read(
    connection: &mut Connection,
    queues: &[QueueRef],
    known: &[BTreeSet<Found>],
    names: &Names,
) -> Result<Vec<Looked>, RedisError> {
    let mut looked = vec![Looked::default(); queues.len()];
    let mut ask = pipe();
    ask.ignore_errors();
    for queue in queues {
        ask.cmd("ZRANGE").arg(queue.key("waiting-children")).arg(0).arg(PARENTS - 1);
    }
    let values: Vec<Value> = ask.query_async(connection).await?;
    let mut parents: Vec<(usize, String)> = Vec::new();
    for (of, value) in values.iter().enumerate() {
        looked[of].refuse(value);
        parents.extend(list(value).iter().filter_map(text).map(|id| (of, id)));
    }
    if parents.is_empty() {
        return Ok(looked);
    }
    let awaited = |at: usize| -> String {
        let (of, id): &(usize, String) = &parents[at];
        queues[*of].key(&format!("{id}:dependencies"))
    };
    let mut ask = pipe();
    ask.ignore_errors();
    for at in 0..parents.len() {
        ask.cmd("SRANDMEMBER").arg(awaited(at)).arg(CHILDREN);
    }
    let values: Vec<Value> = ask.query_async(connection).await?;
    let mut children: BTreeSet<(usize, String)> = BTreeSet::new();
    // Those that may wait in vain: they are looked at once more, for between two reads a child may have ended, and been removed.
    let mut doubtful: Vec<(usize, String, Fate)> = Vec::new();
    for (at, value) in values.iter().enumerate() {
        let (of, parent) = &parents[at];
        looked[*of].refuse(value);
        if matches!(value, Value::Array(drawn) | Value::Set(drawn) if drawn.is_empty()) {
            doubtful.push((at, String::new(), Fate::Childless));
        }
        children.extend(list(value).iter().filter_map(text).map(|key| (at, key)));
        let before = known[*of].iter().filter(|found| found.parent == *parent && !found.key.is_empty());
        children.extend(before.take(CHILDREN).map(|found| (at, found.key.clone())));
    }
    for (at, key, answers) in fates(connection, children, names).await? {
        let of = parents[at].0;
        let Some([score, there]) = answers.as_deref() else {
            let words = "the node of the cluster that has some of them is not there";
            looked[of].unseen.get_or_insert_with(|| words.to_owned());
            continue;
        };
        looked[of].refuse(score);
        looked[of].refuse(there);
        // One that is among the failed without a hash cannot be retried.
        if number(there) == Some(0) {
            doubtful.push((at, key, Fate::Gone));
        } else if text(score).is_some() {
            doubtful.push((at, key, Fate::Failed));
        }
    }
    for (at, value) in confirmed(connection, queues, &parents, &doubtful).await?.into_iter().enumerate() {
        let (parent, key, fate) = &doubtful[at];
        let (of, parent) = &parents[*parent];
        looked[*of].refuse(&value);
        let still = match fate {
            Fate::Childless => text(&value).is_some(),
            Fate::Failed | Fate::Gone => number(&value) == Some(1),
        };
        if still {
            looked[*of].found.insert(Found { parent: parent.clone(), key: key.clone(), fate: *fate });
        }
    }
    Ok(looked)
}

/// Of each child, by its parent: its place among the failed and whether its hash exists; nothing where the node of a cluster that has it is
/// missing, for nobody can say then what became of it.
async fn fates(
    connection: &mut Connection,
    children: BTreeSet<(usize, String)>,
    names: &Names,
) -> Result<Vec<Child>, RedisError> {
    let mut ask = pipe();
    ask.ignore_errors();
    let mut all = Vec::new();
    for (at, key) in children {
        let Some((queue, id)) = names.child(&key) else { continue };
        let failed = queue.key("failed");
        let seen = connection.serves(&failed) && connection.serves(&key);
        if seen {
            ask.cmd("ZSCORE").arg(failed).arg(id).cmd("EXISTS").arg(&key);
        }
        all.push((at, key, seen.then(Vec::new)));
    }
    let asked = all.iter_mut().filter_map(|(.., answers)| answers.as_mut()).collect::<Vec<_>>();
    if !asked.is_empty() {
        let values: Vec<Value> = ask.query_async(connection).await?;
        for (answers, pair) in asked.into_iter().zip(values.chunks(2)) {
            *answers = pair.to_vec();
        }
    }
    Ok(all)
}

/// What says of each of these whether its parent still waits for it, or still waits at all.
async fn confirmed(
    connection: &mut Connection,
    queues: &[QueueRef],
    parents: &[(usize, String)],
    doubtful: &[(usize, String, Fate)],
) -> Result<Vec<Value>, RedisError> {
    if doubtful.is_empty() {
        return Ok(Vec::new());
    }
    let mut ask = pipe();
    ask.ignore_errors();
    for (at, key, fate) in doubtful {
        let (of, parent) = &parents[*at];
        let queue = &queues[*of];
        match fate {
            Fate::Childless => ask.cmd("ZSCORE").arg(queue.key("waiting-children")).arg(parent),
            Fate::Failed | Fate::Gone => {
                ask.cmd("SISMEMBER").arg(queue.key(&format!("{parent}:dependencies"))).arg(key)
            }
        };
    }
    ask.query_async(connection).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(failed: usize, refused: bool, expected: Option<usize>) {
        let child =
            |id: usize| Found { parent: "1".to_owned(), key: format!("bull:q:{id}"), fate: Fate::Failed };
        let unseen = refused.then(|| "No permissions to access a key".to_owned());
        let part = Looked { found: (0..failed).map(child).collect(), unseen }.part(&Names::default());
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
        let names = Names::of([queue("bull", "mails"), queue("bull", "shop:eu")].into_iter());
        let check = |key: &str, expected: Option<(QueueRef, &str)>| {
            let expected = expected.map(|(queue, id)| (queue, id.to_owned()));
            assert_eq!(names.child(key), expected, "{key}");
        };
        check("bull:mails:7", Some((queue("bull", "mails"), "7")));
        check("{shop:eu}:mails:7", Some((queue("{shop:eu}", "mails"), "7")));
        check("mails", None);
        // Ids and names of older libraries hold colons: what is known tells them apart.
        check("bull:mails:order:7", Some((queue("bull", "mails"), "order:7")));
        check("bull:shop:eu:7", Some((queue("bull", "shop:eu"), "7")));
        check("bull:others:order:7", Some((queue("bull:others", "order"), "7")));
    }

    #[test]
    fn what_became_of_children_is_told_by_queue() {
        let found = |parent: &str, key: &str, fate| Found { parent: parent.into(), key: key.into(), fate };
        let all = BTreeSet::from([
            found("1", "bull:mails:7", Fate::Failed),
            found("1", "bull:mails:8", Fate::Gone),
            found("1", "bull:parts:2", Fate::Gone),
            found("2", "", Fate::Childless),
        ]);
        let told: Vec<_> = stuck(&all, &Names::default())
            .into_iter()
            .map(|one| (one.parent, one.child.name, one.failed, one.gone, one.childless))
            .collect();
        let row = |parent: &str, child: &str, failed, gone: &[&str], childless| {
            let gone: Vec<String> = gone.iter().map(|id| (*id).to_owned()).collect();
            (parent.to_owned(), child.to_owned(), failed, gone, childless)
        };
        assert_eq!(
            told,
            [
                row("1", "mails", 1, &["8"], false),
                row("1", "parts", 0, &["2"], false),
                row("2", "", 0, &[], true)
            ]
        );
    }
}
