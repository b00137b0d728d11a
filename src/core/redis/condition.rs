//! One word that says whether anybody works on a queue, from facts that cost nothing to read. Pure.

use super::state::FAILING_FROM;
use super::{QueueHistory, QueueReading};
use crate::core::time::span_of;
use std::time::Duration;

/// Over how long work is averaged: single polls are too uneven.
const AVERAGED: Duration = Duration::from_secs(30);
/// Workers that hold jobs and are seen to take none for so long are stuck.
const STUCK_AFTER: Duration = Duration::from_secs(60);

/// How a queue is doing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Condition {
    /// Jobs are in the list of a pause that is over.
    Stranded(u64),
    /// The switch is on.
    Paused,
    /// A rate limit holds it for so long.
    Limited(Duration),
    /// Dead letters: nobody is meant to work on them.
    DeadLetters,
    /// Jobs wait and nobody is connected.
    NoWorkers,
    /// Workers hold jobs, others wait, and none was taken for a while.
    Stuck,
    /// More fails than is done.
    Failing,
    /// More comes than is taken: so many jobs per second more.
    Saturated(f64),
    /// More is taken than comes: empty after about so long.
    Draining(Duration),
    /// Jobs are being worked on.
    Busy,
    /// So many jobs came lately and were thrown away, as their id, or their deduplication id, is taken; in vain where nothing will free
    /// it.
    Discards(u64, bool),
    /// Jobs come, and are put aside: for a later time, or for their children.
    Later,
    /// Jobs come and leave the line, and nothing tells how they end: none is kept, and nothing is written down.
    Untold,
    /// Nothing but parents that wait for children; so many of them in vain.
    Parents(u64),
    /// Nothing to do.
    Idle,
}

impl Condition {
    /// One or two words.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Stranded(_) => "stranded",
            Self::Paused => "paused",
            Self::Limited(_) => "limited",
            Self::DeadLetters => "dead jobs",
            Self::NoWorkers => "no worker",
            Self::Stuck => "stuck",
            Self::Failing => "failing",
            Self::Saturated(_) => "saturated",
            Self::Draining(_) => "draining",
            Self::Busy => "busy",
            Self::Discards(..) => "discards",
            Self::Later => "for later",
            Self::Untold => "untold",
            Self::Parents(_) => "parents",
            Self::Idle => "idle",
        }
    }

    /// Whether somebody should look at it.
    #[must_use]
    pub const fn is_trouble(self) -> bool {
        match self {
            Self::Stranded(_) | Self::NoWorkers | Self::Stuck | Self::Failing => true,
            Self::Parents(in_vain) => in_vain > 0,
            Self::Discards(_, in_vain) => in_vain,
            _ => false,
        }
    }
}

/// How `queue` is doing.
#[must_use]
pub fn condition(queue: &QueueReading, history: &QueueHistory) -> Condition {
    let backlog = queue.backlog();
    if queue.stranded > 0 {
        return Condition::Stranded(queue.stranded);
    }
    if queue.paused {
        return Condition::Paused;
    }
    if let Some(left) = queue.limited_for {
        return Condition::Limited(left);
    }
    if queue.dead_letter.is_some() && !queue.has_workers() {
        return Condition::DeadLetters;
    }
    if queue.unattended() > 0 {
        return Condition::NoWorkers;
    }
    let quiet = history.taken.lasting(|rate| rate <= 0.0) >= STUCK_AFTER;
    if backlog > 0 && queue.active > 0 && quiet && queue.completed_last_minute == 0 {
        return Condition::Stuck;
    }
    if queue.failures() >= FAILING_FROM && queue.failing_share().is_some_and(|share| share > 0.5) {
        return Condition::Failing;
    }
    if backlog > 0
        && let (Some(taken), Some(added)) = (history.taken.mean(AVERAGED), history.added.mean(AVERAGED))
    {
        // A tenth of a job per second either way is noise.
        let net = taken - added;
        if net > 0.1 {
            return Condition::Draining(span_of((backlog as f64 / net).min(1e7)));
        }
        if net < -0.1 {
            return Condition::Saturated(-net);
        }
    }
    let comes = history.added.within(STUCK_AFTER).any(|rate| rate > 0.0);
    let ends = queue.completed_last_minute + queue.failures() > 0;
    let completed = queue.happened.ready().map_or(0, |happened| happened.completed);
    let thrown = queue.thrown_away();
    // Jobs come, none waits, and nothing tells of one that ended: the last two.
    if backlog > 0 || queue.active > 0 || comes && ends {
        Condition::Busy
    } else if !comes && queue.waiting_children > 0 {
        Condition::Parents(queue.in_vain() as u64)
    } else if !queue.lost_holders.is_empty() || thrown > 0 && !ends && completed == 0 {
        Condition::Discards(thrown, !queue.lost_holders.is_empty())
    } else if !comes {
        Condition::Idle
    } else if history.taken.within(STUCK_AFTER).all(|rate| rate <= 0.0) {
        Condition::Later
    } else {
        Condition::Untold
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::part::Part;
    use crate::core::redis::{DeadLetter, Evidence, Happened, LostHolder, StuckParent};
    use crate::core::time::Now;

    fn queue(waiting: u64, active: u64, workers: usize) -> QueueReading {
        let evidence = Evidence { workers: Some(workers), ..Evidence::default() };
        QueueReading { evidence, waiting, active, ..QueueReading::default() }
    }

    fn history(added: f64, taken: f64, samples: usize) -> QueueHistory {
        let mut history = QueueHistory::default();
        for at in 0..samples as u64 {
            let now = Now::example(2 * at);
            history.added.push(now, Some(added));
            history.taken.push(now, Some(taken));
        }
        history
    }

    #[track_caller]
    fn check(queue: &QueueReading, history: &QueueHistory, expected: &str) {
        assert_eq!(condition(queue, history).word(), expected);
    }

    #[test]
    fn one_word_for_each() {
        let nothing = QueueHistory::default();
        check(&queue(0, 0, 2), &nothing, "idle");
        let parents = QueueReading { waiting_children: 2, ..queue(0, 0, 2) };
        check(&parents, &nothing, "parents");
        assert!(!condition(&parents, &nothing).is_trouble());
        let waits =
            |parent: &str| StuckParent { parent: parent.to_owned(), failed: 1, ..StuckParent::default() };
        // One of them waits for children of two queues.
        let parents = QueueReading { stuck: Part::Ready(vec![waits("7"), waits("7")]), ..parents };
        assert_eq!(condition(&parents, &nothing), Condition::Parents(1));
        assert!(condition(&parents, &nothing).is_trouble());
        check(&QueueReading { waiting: 9, active: 1, ..parents }, &nothing, "busy");
        check(&queue(0, 1, 2), &nothing, "busy");
        check(&queue(9, 1, 2), &nothing, "busy");
        check(&queue(9, 0, 0), &nothing, "no worker");
        check(&QueueReading { paused: true, ..queue(9, 0, 0) }, &nothing, "paused");
        check(&QueueReading { stranded: 2, ..queue(9, 0, 0) }, &nothing, "stranded");
        let limited = Some(Duration::from_secs(3));
        check(&QueueReading { limited_for: limited, ..queue(9, 0, 1) }, &nothing, "limited");
        let dead_letter = Some(DeadLetter::default());
        check(&QueueReading { dead_letter, ..queue(9, 0, 0) }, &nothing, "dead jobs");
        check(&queue(100, 4, 4), &history(5.0, 10.0, 20), "draining");
        assert_eq!(
            condition(&queue(100, 4, 4), &history(5.0, 10.0, 20)),
            Condition::Draining(Duration::from_secs(20))
        );
        check(&queue(100, 4, 4), &history(10.0, 5.0, 20), "saturated");
        check(&queue(100, 4, 4), &history(0.0, 0.0, 40), "stuck");
        check(&queue(100, 4, 4), &history(0.0, 0.0, 10), "busy");
        let failing =
            QueueReading { failed_last_five_minutes: 40, completed_last_minute: 2, ..queue(0, 1, 1) };
        check(&failing, &nothing, "failing");
    }

    #[test]
    fn a_queue_to_which_jobs_come_is_not_idle() {
        let (comes, later) = (history(5.0, 5.0, 15), history(5.0, 0.0, 15));
        let nothing = history(0.0, 0.0, 15);
        check(&queue(0, 0, 1), &history(0.0, 0.0, 15), "idle");
        check(&queue(0, 0, 1), &comes, "untold");
        check(&queue(0, 0, 1), &later, "for later");
        check(&QueueReading { completed_last_minute: 9, ..queue(0, 0, 1) }, &comes, "busy");
        let happened = |failed, completed| {
            Part::Ready(Happened {
                failed,
                completed,
                completed_last_minute: completed / 5,
                ..Happened::default()
            })
        };
        let thrown_away =
            |thrown_away, completed| Part::Ready(Happened { completed, thrown_away, ..Happened::default() });
        let thrown = QueueReading { happened: thrown_away(9, 0), ..queue(0, 0, 1) };
        for history in [&comes, &later, &nothing] {
            assert_eq!(condition(&thrown, history), Condition::Discards(9, false));
            assert!(!condition(&thrown, history).is_trouble());
        }
        check(&QueueReading { happened: thrown_away(9, 4), ..queue(0, 0, 1) }, &nothing, "idle");
        check(&QueueReading { waiting: 1, ..thrown.clone() }, &comes, "busy");
        let lost_holders = vec![LostHolder { thrown: 12, ..LostHolder::default() }];
        let thrown = QueueReading { lost_holders, ..thrown };
        assert_eq!(condition(&thrown, &nothing), Condition::Discards(12, true));
        assert!(condition(&thrown, &nothing).is_trouble());
        // None is kept: only what was written down tells of them.
        check(&QueueReading { happened: happened(300, 0), ..queue(0, 0, 1) }, &comes, "failing");
        check(&QueueReading { happened: happened(300, 299), ..queue(0, 0, 1) }, &comes, "failing");
        check(&QueueReading { happened: happened(3, 299), ..queue(0, 0, 1) }, &comes, "busy");
    }
}
