//! One target's task: waits until a poll is due, somebody asks or a look finds news, polls under a timeout, reports.

use super::backoff;
use super::breaker::Breaker;
use super::lookout::{LOOK_TIMEOUT, Lookout};
use super::schedule::Schedule;
use super::{EngineSettings, Job};
use crate::core::focus::Focus;
use crate::core::reading::Reading;
use crate::core::report::{Plan, PollError, PollErrorKind, PollReport};
use crate::core::time::{Clock, Now};
use crate::sources::Source;
use futures_util::FutureExt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Notify, mpsc, watch};

/// How a worker is reached and where it reports.
#[derive(Clone)]
pub struct Wires {
    pub wake: Arc<Notify>,
    pub focus: watch::Receiver<Vec<Focus>>,
    pub reports: mpsc::Sender<PollReport>,
}

pub struct Worker {
    job: Arc<Job>,
    settings: EngineSettings,
    clock: Arc<dyn Clock>,
    wires: Wires,
    source: Box<dyn Source>,
    schedule: Schedule,
    breaker: Breaker,
    lookout: Lookout,
    dropped: u64,
}

impl Worker {
    pub fn new(job: Arc<Job>, settings: EngineSettings, clock: Arc<dyn Clock>, wires: Wires) -> Self {
        Self {
            source: (job.source)(),
            schedule: Schedule::new(job.interval),
            breaker: Breaker::new(settings.breaker),
            lookout: Lookout::default(),
            job,
            settings,
            clock,
            wires,
            dropped: 0,
        }
    }

    pub async fn run(mut self) {
        let mut forced = false;
        loop {
            let started = self.clock.now();
            let wait = if self.breaker.admit(started, forced) {
                let focus = self.wires.focus.borrow_and_update().clone();
                let result = self.poll(started, &focus).await;
                let ended = self.clock.now();
                let Some(wait) = self.report(started, ended, result) else {
                    return;
                };
                wait
            } else {
                let retry = self.breaker.retry_at().map_or(Duration::ZERO, |at| at.since(started));
                retry.max(Duration::from_millis(100))
            };
            forced = self.rest(wait).await;
        }
    }

    /// Waits for the next poll, and looks now and then. True when something asks for it whatever the breaker says: a person, or a look.
    async fn rest(&mut self, wait: Duration) -> bool {
        let began = self.clock.now();
        let wake = Arc::clone(&self.wires.wake);
        loop {
            let left = wait.saturating_sub(self.clock.now().since(began));
            let each = self.lookout.each(self.job.interval, self.schedule.widened());
            let look = each.filter(|each| *each < left).and_then(|each| Some((each, self.source.look()?)));
            let pause = look.as_ref().map_or(left, |(each, _)| *each);
            if tokio::time::timeout(pause, wake.notified()).await.is_ok() {
                return true;
            }
            let Some((_, look)) = look else {
                // What mends itself is no matter of the breaker.
                return self.lookout.rest(self.job.interval, self.settings.backoff_cap).is_some();
            };
            let answers = tokio::select! {
                biased;
                () = wake.notified() => return true,
                answers = tokio::time::timeout(LOOK_TIMEOUT, look) => answers.unwrap_or(false),
            };
            if self.lookout.looked(answers) {
                return true;
            }
        }
    }

    /// One poll under the timeout. A panic in the source costs this poll and the source, not the task.
    async fn poll(&mut self, now: Now, focus: &[Focus]) -> Result<Reading, PollError> {
        let polling = AssertUnwindSafe(self.source.poll(now, focus)).catch_unwind();
        match tokio::time::timeout(self.job.timeout, polling).await {
            Ok(Ok(result)) => result,
            Ok(Err(_panic)) => {
                self.source = (self.job.source)();
                Err(PollError::new(
                    PollErrorKind::Internal,
                    "reading it failed inside stacktop (the details are in the log file)",
                ))
            }
            Err(_elapsed) => {
                self.source.abandon();
                Err(PollError::new(
                    PollErrorKind::TimedOut,
                    format!("no answer within {:.1} s", self.job.timeout.as_secs_f64()),
                ))
            }
        }
    }

    /// Reports a poll and says how long to wait for the next; `None` when nobody listens any more.
    fn report(&mut self, started: Now, ended: Now, result: Result<Reading, PollError>) -> Option<Duration> {
        let took = ended.since(started);
        self.lookout.polled(result.as_ref().err().map(|error| error.kind));
        let looks = result.is_err() && self.source.look().is_some();
        let wait = if result.is_ok() {
            self.breaker.succeeded();
            self.schedule.took(took);
            self.schedule.wait_after(took)
        } else {
            self.pause(ended, looks)
        };
        let report = PollReport {
            target: self.job.target.clone(),
            at: ended,
            took,
            result,
            plan: Plan {
                interval: self.schedule.interval(),
                widened: self.schedule.widened(),
                next: ended.plus(wait),
                breaker: self.breaker.state(),
                failures: self.breaker.failures(),
                looks,
            },
            dropped: self.dropped,
        };
        match self.wires.reports.try_send(report) {
            Ok(()) => self.dropped = 0,
            Err(TrySendError::Full(_)) => self.dropped += 1,
            Err(TrySendError::Closed(_)) => return None,
        }
        Some(wait)
    }

    /// How long it is left alone after a poll that failed.
    fn pause(&mut self, now: Now, looks: bool) -> Duration {
        if let Some(rest) = self.lookout.rest(self.job.interval, self.settings.backoff_cap).filter(|_| looks)
        {
            self.breaker.missed();
            return rest;
        }
        self.breaker.failed(now);
        let random = backoff::scatter(self.seed(now));
        let pause =
            backoff::delay(self.breaker.failures(), self.job.interval, self.settings.backoff_cap, random);
        self.breaker.retry_at().map_or(pause, |at| at.since(now))
    }

    fn seed(&self, now: Now) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.job.target.hash(&mut hasher);
        now.mono.hash(&mut hasher);
        now.wall.timestamp_nanos_opt().hash(&mut hasher);
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ids::TargetId;
    use crate::engine::{Engine, SourceFactory};
    use futures_util::future::BoxFuture;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

    /// Tokio's paused clock as ours.
    struct TestClock(tokio::time::Instant);

    impl Clock for TestClock {
        fn now(&self) -> Now {
            Now::example(0).plus(self.0.elapsed())
        }
    }

    #[derive(Clone, Copy)]
    enum Step {
        Answer(u64),
        Hang,
        Fail,
        Panic,
    }

    struct Scripted {
        steps: Arc<Mutex<Vec<Step>>>,
        abandoned: Arc<AtomicU32>,
        /// Whether a look is answered; without it there are none.
        answers: Option<Arc<AtomicBool>>,
        busy: bool,
    }

    impl Source for Scripted {
        fn poll<'a>(
            &'a mut self,
            _now: Now,
            _focus: &'a [Focus],
        ) -> BoxFuture<'a, Result<Reading, PollError>> {
            let step = {
                let mut steps = self.steps.lock().unwrap();
                if steps.is_empty() { Step::Answer(0) } else { steps.remove(0) }
            };
            Box::pin(async move {
                assert!(!self.busy, "polls of one target never overlap");
                self.busy = true;
                match step {
                    Step::Answer(millis) => tokio::time::sleep(Duration::from_millis(millis)).await,
                    Step::Hang => std::future::pending().await,
                    Step::Fail => {
                        self.busy = false;
                        return Err(PollError::new(PollErrorKind::Unreachable, "refused"));
                    }
                    Step::Panic => panic!("a bug in a source"),
                }
                self.busy = false;
                Ok(Reading::Metrics(Box::default()))
            })
        }

        fn abandon(&mut self) {
            self.busy = false;
            self.abandoned.fetch_add(1, Ordering::SeqCst);
        }

        fn look(&self) -> Option<BoxFuture<'static, bool>> {
            let answers = Arc::clone(self.answers.as_ref()?);
            Some(Box::pin(async move { answers.load(Ordering::SeqCst) || std::future::pending().await }))
        }
    }

    fn start(steps: Vec<Step>) -> (Engine, mpsc::Receiver<PollReport>, Arc<AtomicU32>) {
        start_with(steps, None)
    }

    fn start_with(
        steps: Vec<Step>,
        answers: Option<Arc<AtomicBool>>,
    ) -> (Engine, mpsc::Receiver<PollReport>, Arc<AtomicU32>) {
        let steps = Arc::new(Mutex::new(steps));
        let abandoned = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&abandoned);
        let source: SourceFactory = Box::new(move || {
            let (steps, abandoned) = (Arc::clone(&steps), Arc::clone(&counter));
            Box::new(Scripted { steps, abandoned, answers: answers.clone(), busy: false })
        });
        let job = Job {
            target: TargetId::new("t"),
            interval: Duration::from_secs(2),
            timeout: Duration::from_secs(1),
            source,
        };
        let clock: Arc<dyn Clock> = Arc::new(TestClock(tokio::time::Instant::now()));
        let (engine, reports) = Engine::start(vec![job], EngineSettings::default(), &clock);
        (engine, reports, abandoned)
    }

    fn millis(report: &PollReport) -> u128 {
        report.at.since(Now::example(0)).as_millis()
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_target_is_back_a_second_after_it_answers_looks() {
        let answers = Arc::new(AtomicBool::new(false));
        let (_engine, mut reports, _) = start_with(vec![Step::Fail], Some(Arc::clone(&answers)));
        let failed = reports.recv().await.unwrap();
        assert!(failed.result.is_err() && failed.plan.looks);
        tokio::time::sleep(Duration::from_secs(20)).await;
        assert!(reports.try_recv().is_err(), "a target that answers no look is not polled");
        answers.store(true, Ordering::SeqCst);
        let back = reports.recv().await.unwrap();
        assert!(back.result.is_ok() && (20_000..22_001).contains(&millis(&back)), "{}", millis(&back));
    }

    #[tokio::test(start_paused = true)]
    async fn a_target_that_answers_looks_and_fails_polls_is_polled_each_two_seconds() {
        let answers = Some(Arc::new(AtomicBool::new(true)));
        let (_engine, mut reports, _) = start_with(vec![Step::Fail; 9], answers);
        let mut times = Vec::new();
        for _ in 0..9 {
            times.push(millis(&reports.recv().await.unwrap()));
        }
        assert_eq!(times, [0, 1000, 3000, 5000, 7000, 9000, 11_000, 13_000, 15_000]);
        assert_eq!(reports.recv().await.unwrap().plan.breaker, crate::core::report::BreakerState::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn a_target_that_is_polled_seldom_and_dies_is_noticed_at_its_configured_interval() {
        let answers = Some(Arc::new(AtomicBool::new(false)));
        let steps = vec![Step::Answer(900), Step::Answer(900), Step::Fail];
        let (_engine, mut reports, _) = start_with(steps, answers);
        assert_eq!(reports.recv().await.unwrap().plan.interval, Duration::from_secs(4));
        let again = reports.recv().await.unwrap();
        // Half a second, one more for its answer, and the poll.
        assert_eq!(millis(&again), 900 + 2000 + 1000 + 900, "a look that fails asks for a poll");
        assert_eq!(again.plan.interval, Duration::from_secs(8));
        let failed = reports.recv().await.unwrap();
        assert!(failed.result.is_err());
        assert_eq!(
            millis(&failed),
            4800 + 7100,
            "looks that go on failing while polls succeed ask for nothing"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn polls_from_start_to_start() {
        let (_engine, mut reports, _) = start(vec![Step::Answer(300), Step::Answer(100)]);
        let first = reports.recv().await.unwrap();
        let second = reports.recv().await.unwrap();
        assert_eq!(millis(&first), 300);
        assert_eq!(millis(&second), 2100);
        assert!(first.result.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_hanging_server_costs_one_timeout_and_is_told() {
        let (_engine, mut reports, abandoned) = start(vec![Step::Hang]);
        let report = reports.recv().await.unwrap();
        assert_eq!(millis(&report), 1000);
        assert_eq!(report.result.unwrap_err().kind, PollErrorKind::TimedOut);
        assert_eq!(abandoned.load(Ordering::SeqCst), 1);
        assert!(reports.recv().await.unwrap().result.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_panic_costs_one_poll() {
        let (_engine, mut reports, _) = start(vec![Step::Panic]);
        assert_eq!(reports.recv().await.unwrap().result.unwrap_err().kind, PollErrorKind::Internal);
        assert!(reports.recv().await.unwrap().result.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn the_breaker_opens_and_a_person_can_force_a_try() {
        let (engine, mut reports, _) = start(vec![Step::Fail; 5]);
        let mut last = None;
        for _ in 0..5 {
            last = reports.recv().await;
        }
        let opened = last.unwrap();
        assert_eq!(opened.plan.breaker, crate::core::report::BreakerState::Open);
        assert_eq!(opened.plan.next.since(opened.at), Duration::from_secs(30));
        engine.poll_now(&TargetId::new("t"));
        let forced = reports.recv().await.unwrap();
        assert!(forced.at.since(opened.at) < Duration::from_secs(1));
        assert_eq!(forced.plan.breaker, crate::core::report::BreakerState::HalfOpen);
        assert_eq!(reports.recv().await.unwrap().plan.breaker, crate::core::report::BreakerState::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn reports_nobody_takes_are_dropped_and_counted() {
        let (_engine, mut reports, _) = start(vec![]);
        tokio::time::sleep(Duration::from_secs(2 * 100)).await;
        let mut dropped = 0;
        for _ in 0..crate::engine::REPORT_QUEUE + 2 {
            dropped += reports.recv().await.unwrap().dropped;
        }
        assert!(dropped >= 30, "{dropped}");
    }
}
