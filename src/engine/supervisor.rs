//! Keeps the worker of one target alive: one that dies is noticed, told and started anew. It ends when the engine is dropped.

use super::worker::{Wires, Worker};
use super::{EngineSettings, Job, backoff};
use crate::core::report::{BreakerState, Plan, PollError, PollErrorKind, PollReport};
use crate::core::time::Clock;
use crate::sources::owned::Owned;
use std::sync::Arc;
use std::time::Duration;

/// A worker that dies is started anew after this; when it dies again at once, later and later.
const PAUSE: Duration = Duration::from_secs(1);
/// One that lived for so long did not die at once.
const LIVED: Duration = Duration::from_secs(60);

/// Runs the worker of `job` until nobody takes its reports.
///
/// The first poll begins within `first`, at a moment that is the target's own.
pub async fn supervise(
    job: Job,
    settings: EngineSettings,
    clock: Arc<dyn Clock>,
    wires: Wires,
    first: Duration,
) {
    let delay = first.mul_f64(job.phase());
    if !delay.is_zero() {
        // Whoever asks for it now does not wait.
        let _ = tokio::time::timeout(delay, wires.wake.notified()).await;
    }
    let job = Arc::new(job);
    let mut deaths = 0;
    loop {
        let born = clock.now();
        let (worker, the_clock, the_wires) = (Arc::clone(&job), Arc::clone(&clock), wires.clone());
        // Made inside its task: making a source can fail, too.
        let task = Owned::spawn(async move {
            Worker::new(worker, settings, the_clock, the_wires).run().await;
        });
        if task.await.is_ok() {
            return;
        }
        let died = clock.now();
        deaths = if died.since(born) >= LIVED { 1 } else { deaths + 1 };
        let pause = backoff::delay(deaths, PAUSE, settings.backoff_cap.max(PAUSE), 1.0);
        let report = PollReport {
            target: job.target.clone(),
            at: died,
            took: Duration::ZERO,
            result: Err(PollError::new(
                PollErrorKind::Internal,
                "the task that asks it ended by a fault inside stacktop and is started anew (the details are in the log file)",
            )),
            plan: Plan {
                interval: job.interval,
                widened: false,
                next: died.plus(pause),
                breaker: BreakerState::Closed,
                failures: deaths,
                knocks: false,
            },
            overtaken: 0,
            asked: 0,
        };
        if !wires.reports.put(report) {
            return;
        }
        tokio::time::sleep(pause).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::focus::Focus;
    use crate::core::ids::TargetId;
    use crate::core::reading::Reading;
    use crate::core::time::Now;
    use crate::engine::latest::Reports;
    use crate::engine::{Engine, SourceFactory};
    use crate::sources::Source;
    use futures_util::future::BoxFuture;
    use std::sync::atomic::{AtomicU32, Ordering};

    /// Tokio's paused clock as ours.
    struct TestClock(tokio::time::Instant);

    impl Clock for TestClock {
        fn now(&self) -> Now {
            Now::example(0).plus(self.0.elapsed())
        }
    }

    /// Fails to answer the first poll, and panics when it is given up.
    struct Fragile {
        polls: Arc<AtomicU32>,
    }

    impl Source for Fragile {
        fn poll<'a>(&'a mut self, _: Now, _: &'a [Focus]) -> BoxFuture<'a, Result<Reading, PollError>> {
            let first = self.polls.fetch_add(1, Ordering::SeqCst) == 0;
            Box::pin(async move {
                if first {
                    std::future::pending::<()>().await;
                }
                Ok(Reading::Metrics(Box::default()))
            })
        }

        fn abandon(&mut self) {
            panic!("a bug outside of the poll");
        }
    }

    fn start(interval: Duration, source: SourceFactory) -> (Engine, Reports) {
        let job = Job {
            target: TargetId::new("t"),
            interval,
            timeout: interval.max(Duration::from_secs(1)),
            source,
        };
        let clock: Arc<dyn Clock> = Arc::new(TestClock(tokio::time::Instant::now()));
        Engine::start(vec![job], EngineSettings::default(), &clock)
    }

    #[tokio::test(start_paused = true)]
    async fn a_worker_that_dies_is_told_and_started_anew() {
        let polls = Arc::new(AtomicU32::new(0));
        let (_engine, mut reports) =
            start(Duration::from_secs(2), Box::new(move || Box::new(Fragile { polls: Arc::clone(&polls) })));
        let death = reports.next().await;
        let error = death.result.unwrap_err();
        assert!(error.kind == PollErrorKind::Internal && error.message.contains("started anew"), "{error}");
        let alive = reports.next().await;
        assert!(alive.result.is_ok());
        assert_eq!(alive.at.since(death.at), PAUSE);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_cannot_even_begin_is_tried_later_and_later() {
        let (_engine, mut reports) = start(Duration::from_secs(2), Box::new(|| panic!("no source")));
        let mut waits = Vec::new();
        for _ in 0..7 {
            let report = reports.next().await;
            waits.push(report.plan.next.since(report.at).as_secs());
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30]);
    }

    #[tokio::test(start_paused = true)]
    async fn no_interval_is_too_long() {
        let polls = Arc::new(AtomicU32::new(1));
        let (_engine, mut reports) =
            start(Duration::MAX, Box::new(move || Box::new(Fragile { polls: Arc::clone(&polls) })));
        assert!(reports.next().await.result.is_ok());
        tokio::time::sleep(Duration::from_secs(7200)).await;
        assert!(reports.take().is_none(), "it lives and waits");
    }
}
