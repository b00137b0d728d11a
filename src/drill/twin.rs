//! The simulated stack behind the traits of the real one.

use super::part::Part;
use super::sim::Sim;
use super::{metrics, postgres, redis, search};
use crate::actions::Executor;
use crate::actions::stop::Stop;
use crate::core::action::{Action, ActionError, Confirmed, Outcome, Verdict, Verification};
use crate::core::focus::Focus;
use crate::core::postgres::PgAction;
use crate::core::reading::Reading;
use crate::core::redis::{Change, JobAct, JobState, QueueRef, RedisAction, Sweep};
use crate::core::report::PollError;
use crate::core::text::counted;
use crate::core::time::Now;
use crate::sources::Source;
use futures_util::future::BoxFuture;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A panic in one twin must not take the others along.
fn locked(sim: &Mutex<Sim>) -> MutexGuard<'_, Sim> {
    sim.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Says what a poll of a part of the stack would say.
pub(super) struct TwinSource {
    sim: Arc<Mutex<Sim>>,
    part: Part,
}

impl TwinSource {
    pub(super) const fn new(sim: Arc<Mutex<Sim>>, part: Part) -> Self {
        Self { sim, part }
    }
}

impl Source for TwinSource {
    fn poll<'a>(&'a mut self, now: Now, focus: &'a [Focus]) -> BoxFuture<'a, Result<Reading, PollError>> {
        let mut sim = locked(&self.sim);
        sim.advance(now);
        let reading = reading(&sim, self.part, now, focus);
        Box::pin(async move { Ok(reading) })
    }
}

/// What a poll of a part of the stack would say.
pub(super) fn reading(sim: &Sim, part: Part, now: Now, focus: &[Focus]) -> Reading {
    match part {
        Part::Primary => Reading::Postgres(Box::new(postgres::primary(sim, now, focus))),
        Part::Standby => Reading::Postgres(Box::new(postgres::standby(sim, now))),
        Part::Redis => Reading::Redis(Box::new(redis::reading(sim, now, focus))),
        Part::Search => Reading::Search(Box::new(search::reading(sim, now))),
        Part::Prometheus => Reading::Prometheus(Box::new(metrics::prometheus(sim, focus))),
        Part::Api => Reading::Metrics(Box::new(metrics::api(sim))),
    }
}

/// Changes the simulated stack.
pub(super) struct TwinExecutor {
    sim: Arc<Mutex<Sim>>,
}

/// Turns the pause switch of several queues.
fn switched(sim: &mut Sim, first: &QueueRef, others: &[QueueRef], resume: bool) -> String {
    let mut turn = |queue: &QueueRef| {
        let name = &queue.name;
        if resume { sim.paused.remove(name) } else { sim.paused.insert(name.clone()) }
    };
    let changed = std::iter::once(first).chain(others).filter(|queue| turn(queue)).count();
    format!("{} now {}", counted(changed, "queue"), if resume { "running" } else { "paused" })
}

/// Whether something came of it.
const fn done(changed: bool) -> Verdict {
    if changed { Verdict::Done } else { Verdict::Nothing }
}

impl TwinExecutor {
    pub(super) const fn new(sim: Arc<Mutex<Sim>>) -> Self {
        Self { sim }
    }

    fn act(&self, action: &Action) -> Outcome {
        let mut sim = locked(&self.sim);
        let plain = |verdict, summary| Outcome { verdict, summary, details: Vec::new() };
        match action {
            Action::Postgres {
                act: PgAction::Cancel { backend, .. } | PgAction::Terminate { backend, .. },
                ..
            } => {
                let pid = backend.pid;
                if sim.terminate(*backend) {
                    plain(Verdict::Done, format!("pid {pid}: the signal was sent; looking whether it ends"))
                } else {
                    plain(
                        Verdict::Nothing,
                        format!("pid {pid} is not that session any more: nothing was done"),
                    )
                }
            }
            Action::Postgres { act: PgAction::Several { backends, .. }, .. } => {
                let sent = backends.iter().filter(|(backend, _)| sim.terminate(*backend)).count();
                let verdict = if sent == backends.len() { Verdict::Done } else { Verdict::Partly };
                plain(verdict, format!("{sent} of {} backends signalled", backends.len()))
            }
            Action::Postgres { act: PgAction::Upkeep { .. }, .. }
            | Action::Search { .. }
            | Action::Alertmanager { .. } => {
                plain(Verdict::Nothing, "the embedded stack needs nothing of the kind".to_owned())
            }
            Action::Redis { act: RedisAction::Jobs { queue, ids, act }, .. } => {
                let (word, state) = match act {
                    JobAct::Retry(_) | JobAct::Promote => ("back to waiting", "failed"),
                    JobAct::Remove(state) => ("removed", state.word()),
                    _ => ("changed", "in that state"),
                };
                let mut one = |id: &String| match act {
                    JobAct::Retry(_) => sim.retry(id),
                    JobAct::Remove(JobState::Failed) => sim.remove(id),
                    // The other jobs of the embedded stack are numbers, not jobs.
                    _ => false,
                };
                let done = ids.iter().filter(|id| one(id)).count();
                let verdict = match done {
                    0 => Verdict::Nothing,
                    all if all == ids.len() => Verdict::Done,
                    _ => Verdict::Partly,
                };
                let left = ids.len() - done;
                let rest = if left > 0 {
                    format!(", {left} left alone: not {state} any more")
                } else {
                    String::new()
                };
                plain(verdict, format!("queue {queue}: {done} {word}{rest}"))
            }
            Action::Redis {
                act:
                    RedisAction::Change { queue, change: Change::Sweep(Sweep::Retry | Sweep::RetryCarefully(_)) },
                ..
            } => {
                let there = sim.failed.iter().filter(|_| queue.name == super::sim::MAILS);
                let failed: Vec<String> = there.map(|job| job.id.to_string()).collect();
                let count = failed.iter().filter(|id| sim.retry(id)).count();
                plain(done(count > 0), format!("queue {queue}: {count} back to waiting"))
            }
            Action::Redis { act: RedisAction::Change { queue, .. }, .. } => {
                plain(Verdict::Nothing, format!("queue {queue}: the embedded stack has no such jobs"))
            }
            Action::Redis { act: RedisAction::Redrive { queue, .. }, .. } => {
                let letters = sim.redrive();
                plain(Verdict::Done, format!("redrive of {queue}: {letters} back"))
            }
            Action::Redis { act: RedisAction::Switches { queue, others, resume }, .. } => {
                plain(Verdict::Done, switched(&mut sim, queue, others, *resume))
            }
            Action::Redis { act: RedisAction::Pause { queue }, .. } => {
                plain(done(sim.paused.insert(queue.name.clone())), format!("queue {queue} is paused"))
            }
            Action::Redis { act: RedisAction::Resume { queue }, .. } => {
                plain(done(sim.paused.remove(&queue.name)), format!("queue {queue} is running"))
            }
        }
    }

    fn look(&self, action: &Action) -> Verification {
        let sim = locked(&self.sim);
        match action {
            Action::Postgres {
                act: PgAction::Terminate { backend, promise } | PgAction::Cancel { backend, promise, .. },
                ..
            } => {
                let gone = !sim.has(*backend);
                let pid = backend.pid;
                let sentence = if gone {
                    let waits = |pid: &&i32| sim.waiters.iter().any(|waiter| waiter.pid == **pid);
                    let released = promise.released.iter().filter(|pid| !waits(pid)).count();
                    let left = sim.waiters.len();
                    format!(
                        "pid {pid} is gone; {released} of {} released; {left} still wait",
                        promise.released.len()
                    )
                } else {
                    format!("pid {pid} is still there")
                };
                Verification { settled: gone, sentence }
            }
            Action::Postgres { act: PgAction::Several { backends, .. }, .. } => {
                let left = backends.iter().filter(|(backend, _)| sim.has(*backend)).count();
                Verification { settled: left == 0, sentence: format!("{left} are still there") }
            }
            Action::Postgres { act: PgAction::Upkeep { .. }, .. }
            | Action::Search { .. }
            | Action::Alertmanager { .. } => {
                Verification { settled: true, sentence: "nothing was done".to_owned() }
            }
            Action::Redis { act: RedisAction::Change { queue, .. }, .. } => {
                Verification { settled: true, sentence: format!("queue {queue}: nothing was done") }
            }
            Action::Redis { act: RedisAction::Redrive { queue, .. }, .. } => {
                let sentence =
                    format!("queue {queue}: {} left", counted(sim.dead_letters as usize, "letter"));
                Verification { settled: true, sentence }
            }
            Action::Redis { act: RedisAction::Switches { .. }, .. } => {
                Verification { settled: true, sentence: format!("{} queues are paused", sim.paused.len()) }
            }
            Action::Redis { act: RedisAction::Pause { queue } | RedisAction::Resume { queue }, .. } => {
                let word = if sim.paused.contains(&queue.name) { "paused" } else { "running" };
                Verification { settled: true, sentence: format!("queue {queue} is {word}") }
            }
            Action::Redis { act: RedisAction::Jobs { queue, ids, .. }, .. } => {
                let failed = ids.iter().filter(|id| sim.is_failed(id)).count();
                let running = ids.iter().filter(|id| sim.is_running(id)).count();
                let done = ids.len() - failed - running;
                Verification {
                    settled: running == 0,
                    sentence: format!("queue {queue}: {done} completed, {running} waiting, {failed} failed"),
                }
            }
        }
    }
}

impl Executor for TwinExecutor {
    fn execute<'a>(
        &'a self,
        action: &'a Confirmed<Action>,
        _: &'a Stop,
    ) -> BoxFuture<'a, Result<Outcome, ActionError>> {
        let outcome = self.act(action.action());
        Box::pin(async move { Ok(outcome) })
    }

    fn verify<'a>(
        &'a self,
        action: &'a Confirmed<Action>,
    ) -> BoxFuture<'a, Result<Verification, ActionError>> {
        let found = self.look(action.action());
        Box::pin(async move { Ok(found) })
    }

    fn statement(&self, action: &Action) -> String {
        match action {
            Action::Postgres { act, .. } => act.statement(),
            Action::Redis { act, .. } => act.statement(),
            Action::Alertmanager { act, .. } => act.statement(),
            Action::Search { act, .. } => act.statement(),
        }
    }
}
