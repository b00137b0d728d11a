//! The brake of a redrive, and of a retry that goes carefully: whether what became of the first jobs is a reason to stop.

use super::trail::{Fate, Trail};
use super::{RedisExecutor, TIMEOUT};
use crate::actions::stop::Stop;
use crate::core::action::ActionError;
use crate::core::redis::{Brake, QueueRef};
use crate::core::text::lasting;
use crate::sources::redis::connection::Connection;
use redis::pipe;
use std::time::Duration;
use tokio::time::Instant;

/// So long the first jobs have to be picked up; while a worker has one, or one waits for its next attempt, that does not run.
const TAKEN_WITHIN: Duration = Duration::from_secs(15);
/// Longer than this nobody waits for the first jobs.
const LONGEST: Duration = Duration::from_secs(600);
/// Between two looks, at first and at last.
const LOOKS: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(1)];

/// The first steps, before the rest goes at its pace.
pub(super) const FIRST: [usize; 2] = [1, 10];

/// One step after the other: one, then ten, then so many a second.
pub(super) fn steps(brake: Brake) -> impl Iterator<Item = usize> {
    FIRST.into_iter().chain(std::iter::repeat(brake.per_second.max(1) as usize))
}

/// How a brake judges.
#[derive(Clone, Copy, Debug)]
pub(super) struct Judge {
    pub(super) brake: Brake,
    /// Jobs that are gone without a trace are no reason to stop: somebody has looked what becomes of them.
    pub(super) untold_is_known: bool,
}

impl RedisExecutor {
    /// Why to stop, if there is a reason: too many have failed again; or the `first` jobs are not taken, or end without a trace.
    /// `taken`: how many letters were taken out of a dead-letter queue.
    pub(super) async fn brake(
        &self,
        connection: &mut Connection,
        trail: &mut Trail,
        judge: Judge,
        (first, taken): (bool, usize),
        stop: &Stop,
    ) -> Result<Option<String>, ActionError> {
        if trail.len() == 0 {
            return Ok(None);
        }
        let (began, mut quiet) = (Instant::now(), Instant::now());
        let mut pause = LOOKS[0];
        loop {
            let fate = trail.look(self, connection, taken).await?;
            if let Some(why) = too_many(fate, judge, first) {
                return Ok(Some(why));
            }
            if !first || fate.open == 0 || stop.cause().is_some() {
                return Ok(None);
            }
            if fate.moving > 0 {
                quiet = Instant::now();
            }
            let waited = lasting(began.elapsed());
            if quiet.elapsed() > TAKEN_WITHIN {
                let why = self.why_quiet(connection, trail).await;
                return Ok(Some(format!(
                    "{} of {} were not taken after {waited} ({why})",
                    fate.open, fate.all
                )));
            }
            if began.elapsed() > LONGEST {
                return Ok(Some(format!("{} of {} had not ended after {waited}", fate.open, fate.all)));
            }
            if began.elapsed() > Duration::from_secs(2) {
                let held = fate.moving;
                self.tell(format!(
                    "waits for the first jobs to end: {} of {} open, {held} with a worker or between two attempts, {waited}",
                    fate.open, fate.all
                ));
            }
            stop.pause(pause).await;
            pause = (pause * 2).min(LOOKS[1]);
        }
    }

    /// What became of them in the end; what a look at the events may have missed by a moment is looked at twice.
    pub(super) async fn last_look(
        &self,
        connection: &mut Connection,
        trail: &mut Trail,
        taken: usize,
    ) -> Option<Fate> {
        let first = trail.look(self, connection, taken).await.ok()?;
        if first.open == 0 {
            return Some(first);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        trail.look(self, connection, taken).await.ok()
    }

    /// Why nobody takes jobs, as far as that is seen.
    async fn why_quiet(&self, connection: &mut Connection, trail: &Trail) -> String {
        for queue in trail.queues() {
            if self.is_paused(connection, queue).await == Some(true) {
                return format!("queue {queue} is paused");
            }
        }
        "is a worker there?".to_owned()
    }

    async fn is_paused(&self, connection: &mut Connection, queue: &QueueRef) -> Option<bool> {
        let mut ask = pipe();
        ask.cmd("HEXISTS").arg(queue.key("meta")).arg("paused").cmd("EXISTS").arg(queue.key("meta-paused"));
        let answer = tokio::time::timeout(TIMEOUT, ask.query_async::<Vec<u64>>(connection)).await;
        Some(answer.ok()?.ok()?.iter().sum::<u64>() > 0)
    }
}

/// Whether too many of those that ended did not end well.
fn too_many(fate: Fate, judge: Judge, first: bool) -> Option<String> {
    let (bad, share) = (fate.bad(), judge.brake.stop_above_percent as usize);
    if bad * 100 > fate.ended() * share && (first || bad >= 3) {
        return Some(if bad > fate.failed {
            format!(
                "{} new letters came meanwhile, {} of {} failed again",
                fate.letters, fate.failed, fate.all
            )
        } else {
            format!("{} of {} failed again", fate.failed, fate.all)
        });
    }
    (first && fate.untold > 0 && !judge.untold_is_known).then(|| {
        format!(
            "{} of {} ended and nothing tells how (the queue keeps neither them nor events); look into the workers' log first",
            fate.untold, fate.all
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_gone_without_a_trace_is_no_success() {
        let judge = Judge { brake: Brake::default(), untold_is_known: false };
        let of = |done, failed, untold| Fate {
            all: done + failed + untold,
            done,
            failed,
            untold,
            ..Fate::default()
        };
        assert_eq!(too_many(of(1, 0, 0), judge, true), None);
        assert!(too_many(of(0, 1, 0), judge, true).is_some_and(|why| why.starts_with("1 of 1 failed")));
        assert!(too_many(of(0, 0, 1), judge, true).is_some_and(|why| why.contains("nothing tells how")));
        assert_eq!(too_many(of(0, 0, 1), Judge { untold_is_known: true, ..judge }, true), None);
        assert_eq!(too_many(of(40, 2, 0), judge, false), None);
        assert!(too_many(of(9, 3, 0), judge, false).is_some());
        // It failed, its handler wrote a letter and let it pass.
        let handled = Fate { letters: 1, ..of(1, 0, 0) };
        assert!(too_many(handled, judge, true).is_some_and(|why| why.contains("1 new letters")));
    }
}
