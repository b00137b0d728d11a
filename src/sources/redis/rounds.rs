//! Which queues are read in a poll. A few hundred are read each time; of more, the worst and those that are looked at are read each time
//! and the others in turn, so that a poll costs the same however many there are.

use super::budget::Left;
use super::connection::Connection;
use super::discovery::Discovery;
use super::evidence::{self, Workforce};
use super::finished::Finished;
use super::holders::Holders;
use super::parents::Parents;
use super::schedulers::Schedulers;
use super::stalled::Stalled;
use super::{queues, refused};
use crate::config::target::RedisConnect;
use crate::core::focus::Focus;
use crate::core::part::{Gap, GapKind, Part, Warm};
use crate::core::redis::{Masks, QueueReading, QueueRef};
use crate::core::text::{counted, duration};
use crate::core::time::Now;
use redis::RedisError;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Queues that are read in one poll, unless that leaves some of them out for longer than [`A_TURN`].
const EACH_POLL: usize = 200;
/// Every queue has its turn within this: how long its oldest job waits is known so well.
const A_TURN: Duration = Duration::from_secs(50);
/// Queues that are read in one poll at most: a tenth of a second of a server.
const MOST_EACH_POLL: usize = 1_500;
/// Of these, the worst known ones.
const WORST: usize = 50;
/// The list of clients is read this often: it can be long. While a queue seems to have no worker, more often.
const WORKERS_EACH: Duration = Duration::from_secs(6);
const WORKERS_MISSING: Duration = Duration::from_secs(2);

/// The queues of one server as they were last read.
#[derive(Debug)]
pub(super) struct Rounds {
    pub(super) discovery: Discovery,
    workers: Part<Workforce>,
    workers_at: Option<Now>,
    finished: Finished,
    holders: Holders,
    stalled: Stalled,
    schedulers: Schedulers,
    parents: Parents,
    /// What was read of each.
    known: BTreeMap<QueueRef, Warm<QueueReading>>,
    /// What may not be read, and the server's words.
    refused: BTreeMap<QueueRef, String>,
    /// The last one that had its turn.
    turn: Option<QueueRef>,
    /// When the newest poll was, and how long after the one before it.
    polled: Option<(Now, Duration)>,
}

impl Rounds {
    pub(super) fn new(connect: &RedisConnect) -> Self {
        Self {
            discovery: Discovery::new(connect),
            workers: Part::NotAsked,
            workers_at: None,
            finished: Finished::new(Masks::new(&connect.masks)),
            holders: Holders::default(),
            stalled: Stalled::default(),
            schedulers: Schedulers::default(),
            parents: Parents::default(),
            known: BTreeMap::new(),
            refused: BTreeMap::new(),
            turn: None,
            polled: None,
        }
    }

    /// Reads those whose turn it is. All that is known of queues comes back, and why there may be others.
    ///
    /// # Errors
    /// When the queues could not be read at all.
    pub(super) async fn read(
        &mut self,
        connection: &mut Connection,
        connect: &RedisConnect,
        focus: &[Focus],
        (now, millis): (Now, i64),
        left: &mut Left,
    ) -> Result<(Part<Vec<Warm<QueueReading>>>, Option<Gap>), RedisError> {
        self.look_for_workers(connection, connect, now).await;
        if let Some(gap) = self.discovery.gap() {
            return Ok((Part::Unavailable(gap.clone()), None));
        }
        let mut names = self.discovery.queues();
        names.retain(|queue| connection.serves(&queue.key("meta")));
        let there: BTreeSet<&QueueRef> = names.iter().collect();
        self.known.retain(|queue, _| there.contains(queue));
        self.refused.retain(|queue, _| there.contains(queue));
        self.finished.retain(&there);
        self.holders.retain(&there);
        self.stalled.retain(&there);
        self.schedulers.retain(&there);
        self.parents.retain(&there);
        self.polled = Some((now, self.polled.map_or(Duration::ZERO, |(before, _)| now.since(before))));
        let asked = self.whose_turn(&names, focus);
        let workers = self.workers.ready();
        let mut found = queues::read(connection, &asked, workers, &connect.dead_letter, millis).await?;
        self.discovery.forget(&found.not_queues);
        // Without the right to read the events, only what is kept is counted.
        let _ = self.finished.count(connection, &mut found.readings, left, millis).await;
        // Where this could not be asked, what is known of them stands.
        let _ = self.holders.look(connection, &mut found.readings, &self.finished, now).await;
        // Whoever may not look at locks has what the counts tell.
        let _ = self.stalled.look(connection, &mut found.readings, now).await;
        let _ = self.schedulers.look(connection, &mut found.readings, (now, millis)).await;
        self.parents.look(connection, &mut found.readings, now).await;
        for queue in &found.not_queues {
            self.known.remove(queue);
            self.refused.remove(queue);
        }
        for reading in found.readings {
            self.refused.remove(&reading.queue);
            self.known.insert(reading.queue.clone(), Warm::new(now, reading));
        }
        for (queue, words) in found.refused {
            self.known.remove(&queue);
            self.refused.insert(queue, words);
        }
        let gap = refused::queues(&self.refused, self.refused.len() + self.known.len());
        if let Some(gap) = gap.as_ref().filter(|_| self.known.is_empty()) {
            return Ok((Part::Unavailable(gap.clone()), None));
        }
        let unseen = gap.or_else(|| self.not_yet(names.len())).or_else(|| self.discovery.unseen());
        Ok((Part::Ready(self.known.values().cloned().collect()), unseen))
    }

    /// How it stands with finding and reading them, for people.
    pub(super) fn words(&self) -> String {
        let (found, all) = (self.discovery.words(), self.known.len() + self.refused.len());
        if all <= EACH_POLL {
            return found;
        }
        let each = self.each(all);
        let turns = all.saturating_sub(WORST).div_ceil(each - WORST) as u32;
        let within = self.interval().saturating_mul(turns);
        let within = Duration::from_secs(within.as_secs().div_ceil(10) * 10);
        let within = if within.is_zero() { String::new() } else { format!(" within {}", duration(within)) };
        format!("{found}; {each} are read at a time, the worst each time, all{within}")
    }

    /// Time from poll to poll; nothing before there were two.
    fn interval(&self) -> Duration {
        self.polled.map_or(Duration::ZERO, |(_, each)| each)
    }

    /// How many of so many queues are read in a poll.
    fn each(&self, all: usize) -> usize {
        let share = self.interval().as_secs_f64() / A_TURN.as_secs_f64();
        let needed = WORST + (all as f64 * share).ceil() as usize;
        needed.clamp(EACH_POLL, MOST_EACH_POLL)
    }

    /// Those that had no turn yet.
    fn not_yet(&self, all: usize) -> Option<Gap> {
        let read = self.known.len() + self.refused.len();
        let note = format!("{} of {} are not read yet", all.saturating_sub(read), counted(all, "queue"));
        (read + EACH_POLL / 2 < all).then(|| Gap::new(GapKind::TimedOut, note))
    }

    /// All where they are few; else those that somebody looks at, the worst, and the next ones in order.
    fn whose_turn(&mut self, names: &[QueueRef], focus: &[Focus]) -> Vec<QueueRef> {
        if names.len() <= EACH_POLL {
            return names.to_vec();
        }
        let there: BTreeSet<&QueueRef> = names.iter().collect();
        let mut chosen: BTreeSet<QueueRef> =
            focus.iter().filter_map(Focus::queue).filter(|queue| there.contains(queue)).cloned().collect();
        let mut worst: Vec<_> = self.known.values().map(|reading| (badness(reading), reading)).collect();
        worst.retain(|(badness, _)| *badness > (0, 0, 0));
        worst.sort_by_key(|(badness, _)| std::cmp::Reverse(*badness));
        chosen.extend(worst.into_iter().take(WORST).map(|(_, reading)| reading.queue.clone()));
        let each = self.each(names.len());
        let start = self.turn.as_ref().map_or(0, |last| names.partition_point(|name| name <= last));
        for queue in names[start..].iter().chain(&names[..start]) {
            if chosen.len() >= each {
                break;
            }
            chosen.insert(queue.clone());
            self.turn = Some(queue.clone());
        }
        chosen.into_iter().collect()
    }

    async fn look_for_workers(&mut self, connection: &mut Connection, connect: &RedisConnect, now: Now) {
        let missing = self.known.values().any(|reading| reading.unattended() > 0);
        let each = if missing { WORKERS_MISSING } else { WORKERS_EACH };
        if self.workers_at.is_some_and(|at| now.since(at) < each) {
            return;
        }
        self.workers_at = Some(now);
        self.workers = match evidence::workers(connection).await {
            Ok(workers) => {
                self.discovery.add(workers.queues(&connect.prefixes));
                Part::Ready(workers)
            }
            Err(error) => Part::Unavailable(Gap::new(
                GapKind::NotPermitted,
                format!("connected workers are not known ({error}); permit +client|list"),
            )),
        };
    }
}

/// What makes a queue worth a look at every poll: failures, jobs without a worker, jobs that wait.
fn badness(queue: &QueueReading) -> (u64, u64, u64) {
    (queue.failures(), queue.unattended(), queue.backlog())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_the_worst_and_the_ones_looked_at_have_every_turn_and_all_have_one() {
        let nth = |n: usize| QueueRef { prefix: "bull".into(), name: format!("q{n:04}") };
        let names: Vec<QueueRef> = (0..1200).map(nth).collect();
        let mut rounds = Rounds::new(&crate::config::url::redis("redis://127.0.0.1").expect("a URL"));
        let bad = QueueReading { queue: nth(1199), failed_last_five_minutes: 3, ..QueueReading::default() };
        rounds.known.insert(nth(1199), Warm::new(Now::example(0), bad));
        let focus = [Focus::More { queue: nth(1198) }];
        let mut seen: BTreeSet<QueueRef> = BTreeSet::new();
        for _ in 0..7 {
            let turn = rounds.whose_turn(&names, &focus);
            assert_eq!(turn.len(), EACH_POLL);
            assert!(turn.contains(&nth(1199)) && turn.contains(&nth(1198)));
            seen.extend(turn);
        }
        assert_eq!(seen.len(), names.len());
        assert_eq!(rounds.whose_turn(&names[..EACH_POLL], &[]).len(), EACH_POLL);
    }

    /// So many queues, polled each so many seconds: within how many seconds all of them were read, and how many at most in a poll.
    #[track_caller]
    fn turns(queues: usize, interval: u64, within: u64, most: usize) {
        let nth = |n: usize| QueueRef { prefix: "bull".into(), name: format!("q{n:05}") };
        let names: Vec<QueueRef> = (0..queues).map(nth).collect();
        let mut rounds = Rounds::new(&crate::config::url::redis("redis://127.0.0.1").expect("a URL"));
        for n in 0..WORST {
            let bad = QueueReading { queue: nth(n), failed_last_five_minutes: 3, ..QueueReading::default() };
            rounds.known.insert(nth(n), Warm::new(Now::example(0), bad));
        }
        let mut seen: BTreeSet<QueueRef> = BTreeSet::new();
        let mut second = 0;
        while seen.len() < queues {
            let before = rounds.polled.map(|(at, _)| at);
            let now = Now::example(second);
            let passed = before.map_or(Duration::ZERO, |before| now.since(before));
            rounds.polled = Some((now, passed));
            let turn = rounds.whose_turn(&names, &[]);
            assert!(turn.len() <= most, "{} in a poll", turn.len());
            seen.extend(turn);
            second += interval;
        }
        assert!(second <= within, "{queues} queues took {second} s");
    }

    #[test]
    fn every_queue_has_its_turn_within_a_minute_however_many_there_are() {
        turns(1_200, 2, 20, EACH_POLL);
        turns(10_000, 2, 60, 450);
        turns(10_000, 5, 60, 1_050);
        turns(40_000, 1, 60, 850);
        // Beyond what a server may be asked for at once it takes longer.
        turns(100_000, 2, 200, MOST_EACH_POLL);
    }
}
