//! One target's task: waits until a poll is due, somebody asks or a knock finds news, polls under a timeout, reports.

use super::backoff;
use super::breaker::Breaker;
use super::latest::Slot;
use super::lookout::{KNOCK_TIMEOUT, Lookout};
use super::schedule::Schedule;
use super::{EngineSettings, Job};
use crate::core::focus::Focus;
use crate::core::reading::Reading;
use crate::core::report::{Plan, PollError, PollErrorKind, PollReport};
use crate::core::time::{Clock, Now};
use crate::sources::Source;
use crate::sources::asked::Asked;
use futures_util::FutureExt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

/// How a worker is reached and where it reports.
#[derive(Clone)]
pub struct Wires {
    pub wake: Arc<Notify>,
    pub focus: watch::Receiver<Vec<Focus>>,
    pub reports: Slot,
    /// How many times less often than configured to ask.
    pub pace: Arc<AtomicU32>,
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
    /// What it asked and was not reported yet.
    asked: Asked,
}

impl Worker {
    pub fn new(job: Arc<Job>, settings: EngineSettings, clock: Arc<dyn Clock>, wires: Wires) -> Self {
        Self {
            source: (job.source)(),
            schedule: Schedule::new(job.interval, job.phase()),
            breaker: Breaker::new(settings.breaker),
            lookout: Lookout::default(),
            asked: Asked::default(),
            job,
            settings,
            clock,
            wires,
        }
    }

    pub async fn run(mut self) {
        let mut forced = false;
        loop {
            let started = self.clock.now();
            let wait = if self.breaker.admit(started, forced) {
                let focus = self.wires.focus.borrow_and_update().clone();
                let began = Instant::now();
                let result = self.poll(started, &focus).await;
                // What came after the last byte was our own work, and no slowness of the server. Who failed may have kept us waiting after it.
                let answered = self.source.answered().filter(|at| *at >= began && result.is_ok());
                let took = answered.unwrap_or_else(Instant::now).duration_since(began);
                let Some(wait) = self.report(started, took, result) else {
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

    /// Waits for the next poll, and knocks now and then. True when something asks for it whatever the breaker says: a person, or a knock.
    async fn rest(&mut self, wait: Duration) -> bool {
        let began = self.clock.now();
        let wake = Arc::clone(&self.wires.wake);
        loop {
            let left = wait.saturating_sub(self.clock.now().since(began));
            let each = self.lookout.each(self.job.interval, self.schedule.widened());
            let knock = each.filter(|each| *each < left).and_then(|each| Some((each, self.source.knock()?)));
            let pause = knock.as_ref().map_or(left, |(each, _)| *each);
            if tokio::time::timeout(pause, wake.notified()).await.is_ok() {
                return true;
            }
            let Some((_, knock)) = knock else {
                // What mends itself is no matter of the breaker.
                return self.lookout.rest(self.job.interval, self.settings.backoff_cap).is_some();
            };
            let answers = tokio::select! {
                biased;
                () = wake.notified() => return true,
                answers = tokio::time::timeout(KNOCK_TIMEOUT, knock) => answers.unwrap_or(false),
            };
            if self.lookout.knocked(answers) {
                return true;
            }
        }
    }

    /// One poll under the timeout. A panic in the source costs this poll and the source, not the task.
    async fn poll(&mut self, now: Now, focus: &[Focus]) -> Result<Reading, PollError> {
        let polling = AssertUnwindSafe(self.source.poll(now, focus)).catch_unwind();
        match self.asked.during(tokio::time::timeout(self.job.timeout, polling)).await {
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

    /// Reports a poll that took so long and says how long to wait for the next; `None` when nobody listens any more.
    fn report(
        &mut self,
        started: Now,
        took: Duration,
        result: Result<Reading, PollError>,
    ) -> Option<Duration> {
        let now = self.clock.now();
        self.lookout.polled(result.as_ref().err().map(|error| error.kind));
        let knocks = result.is_err() && self.source.knock().is_some();
        self.schedule.pace(self.wires.pace.load(Ordering::Relaxed));
        let wait = if result.is_ok() {
            self.breaker.succeeded();
            self.schedule.took(took);
            let ours = now.since(started).saturating_sub(took);
            self.schedule.wait_after(took).saturating_sub(ours)
        } else {
            self.pause(now, knocks)
        };
        let report = PollReport {
            target: self.job.target.clone(),
            at: started.plus(took),
            took,
            result,
            plan: Plan {
                interval: self.schedule.interval(),
                widened: self.schedule.widened(),
                next: now.plus(wait),
                breaker: self.breaker.state(),
                failures: self.breaker.failures(),
                knocks,
            },
            overtaken: 0,
            asked: self.asked.taken(),
        };
        self.wires.reports.put(report).then_some(wait)
    }

    /// How long it is left alone after a poll that failed.
    fn pause(&mut self, now: Now, knocks: bool) -> Duration {
        if let Some(rest) = self.lookout.rest(self.job.interval, self.settings.backoff_cap).filter(|_| knocks)
        {
            self.breaker.missed();
            return self.schedule.slowed(rest);
        }
        self.breaker.failed(now);
        let random = backoff::scatter(self.seed(now));
        let pause =
            backoff::delay(self.breaker.failures(), self.job.interval, self.settings.backoff_cap, random);
        self.schedule.slowed(self.breaker.retry_at().map_or(pause, |at| at.since(now)))
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
    use crate::engine::latest::Reports;
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
        /// Its last byte comes after so many milliseconds, and is understood after so many more.
        Decode(u64, u64),
        Hang,
        Fail,
        Panic,
    }

    struct Scripted {
        steps: Arc<Mutex<Vec<Step>>>,
        abandoned: Arc<AtomicU32>,
        /// Whether a knock is answered; without it there are none.
        answers: Option<Arc<AtomicBool>>,
        busy: bool,
        answered: Option<Instant>,
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
                    Step::Decode(millis, more) => {
                        tokio::time::sleep(Duration::from_millis(millis)).await;
                        self.answered = Some(Instant::now());
                        tokio::time::sleep(Duration::from_millis(more)).await;
                    }
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

        fn answered(&self) -> Option<Instant> {
            self.answered
        }

        fn abandon(&mut self) {
            self.busy = false;
            self.abandoned.fetch_add(1, Ordering::SeqCst);
        }

        fn knock(&self) -> Option<BoxFuture<'static, bool>> {
            let answers = Arc::clone(self.answers.as_ref()?);
            Some(Box::pin(async move { answers.load(Ordering::SeqCst) || std::future::pending().await }))
        }
    }

    fn start(steps: Vec<Step>) -> (Engine, Reports, Arc<AtomicU32>) {
        start_with(steps, None)
    }

    fn start_with(steps: Vec<Step>, answers: Option<Arc<AtomicBool>>) -> (Engine, Reports, Arc<AtomicU32>) {
        let steps = Arc::new(Mutex::new(steps));
        let abandoned = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&abandoned);
        let source: SourceFactory = Box::new(move || {
            let (steps, abandoned) = (Arc::clone(&steps), Arc::clone(&counter));
            Box::new(Scripted { steps, abandoned, answers: answers.clone(), busy: false, answered: None })
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
    async fn a_silent_target_is_back_a_second_after_it_answers_knocks() {
        let answers = Arc::new(AtomicBool::new(false));
        let (_engine, mut reports, _) = start_with(vec![Step::Fail], Some(Arc::clone(&answers)));
        let failed = reports.next().await;
        assert!(failed.result.is_err() && failed.plan.knocks);
        tokio::time::sleep(Duration::from_secs(20)).await;
        assert!(reports.take().is_none(), "a target that answers no knock is not polled");
        answers.store(true, Ordering::SeqCst);
        let back = reports.next().await;
        assert!(back.result.is_ok() && (20_000..22_001).contains(&millis(&back)), "{}", millis(&back));
    }

    #[tokio::test(start_paused = true)]
    async fn a_target_that_answers_knocks_and_fails_polls_is_polled_each_two_seconds() {
        let answers = Some(Arc::new(AtomicBool::new(true)));
        let (_engine, mut reports, _) = start_with(vec![Step::Fail; 9], answers);
        let mut times = Vec::new();
        for _ in 0..9 {
            times.push(millis(&*reports.next().await));
        }
        assert_eq!(times, [0, 1000, 3000, 5000, 7000, 9000, 11_000, 13_000, 15_000]);
        assert_eq!(reports.next().await.plan.breaker, crate::core::report::BreakerState::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn a_target_that_is_polled_seldom_and_dies_is_noticed_at_its_configured_interval() {
        let answers = Some(Arc::new(AtomicBool::new(false)));
        let steps = vec![Step::Answer(900), Step::Answer(900), Step::Fail];
        let (_engine, mut reports, _) = start_with(steps, answers);
        assert_eq!(reports.next().await.plan.interval, Duration::from_secs(4));
        let again = reports.next().await;
        // Half a second, one more for its answer, and the poll.
        assert_eq!(millis(&again), 900 + 2000 + 1000 + 900, "a knock that fails asks for a poll");
        assert_eq!(again.plan.interval, Duration::from_secs(8));
        let failed = reports.next().await;
        assert!(failed.result.is_err());
        assert_eq!(
            millis(&failed),
            4800 + 7100,
            "knocks that go on failing while polls succeed ask for nothing"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn polls_from_start_to_start() {
        let (_engine, mut reports, _) = start(vec![Step::Answer(300), Step::Answer(100), Step::Answer(150)]);
        let mut times = Vec::new();
        for _ in 0..3 {
            times.push(millis(&*reports.next().await));
        }
        assert_eq!((times[0], times[2] - times[1]), (300, 2050));
        assert!((1900..=2100).contains(&times[1]), "{times:?}: earlier by its phase");
    }

    #[tokio::test(start_paused = true)]
    async fn a_hanging_server_costs_one_timeout_and_is_told() {
        let (_engine, mut reports, abandoned) = start(vec![Step::Hang]);
        let report = reports.next().await;
        assert_eq!(millis(&report), 1000);
        assert_eq!(report.result.unwrap_err().kind, PollErrorKind::TimedOut);
        assert_eq!(abandoned.load(Ordering::SeqCst), 1);
        assert!(reports.next().await.result.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_panic_costs_one_poll() {
        let (_engine, mut reports, _) = start(vec![Step::Panic]);
        assert_eq!(reports.next().await.result.unwrap_err().kind, PollErrorKind::Internal);
        assert!(reports.next().await.result.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn the_breaker_opens_and_a_person_can_force_a_try() {
        let (engine, mut reports, _) = start(vec![Step::Fail; 5]);
        let mut last = None;
        for _ in 0..5 {
            last = Some(reports.next().await);
        }
        let opened = last.unwrap();
        assert_eq!(opened.plan.breaker, crate::core::report::BreakerState::Open);
        assert_eq!(opened.plan.next.since(opened.at), Duration::from_secs(30));
        engine.poll_now(&TargetId::new("t"));
        let forced = reports.next().await;
        assert!(forced.at.since(opened.at) < Duration::from_secs(1));
        assert_eq!(forced.plan.breaker, crate::core::report::BreakerState::HalfOpen);
        assert_eq!(reports.next().await.plan.breaker, crate::core::report::BreakerState::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_late_finds_the_newest_report() {
        let (_engine, mut reports, _) = start(vec![]);
        tokio::time::sleep(Duration::from_secs(2 * 100)).await;
        let newest = reports.next().await;
        assert!(millis(&newest) >= 198_000, "{}", millis(&newest));
        assert!(newest.overtaken >= 98 && reports.take().is_none(), "{}", newest.overtaken);
    }

    #[tokio::test(start_paused = true)]
    async fn what_follows_the_last_byte_is_not_the_servers_time() {
        let (_engine, mut reports, _) = start(vec![Step::Decode(100, 700); 5]);
        for poll in 0..5_u64 {
            let report = reports.next().await;
            assert_eq!((report.took, report.plan.widened), (Duration::from_millis(100), false), "{poll}");
            // Still from start to start.
            let start = report.at.minus(report.took);
            let each = if poll == 0 { 1500..=2000 } else { 2000..=2000 };
            assert!(each.contains(&report.plan.next.since(start).as_millis()), "{poll}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_to_be_asked_less_often_is_and_says_so() {
        let (engine, mut reports, _) = start(Vec::new());
        let first = reports.next().await;
        engine.pace(4);
        let second = reports.next().await;
        assert_eq!(second.plan.interval, Duration::from_secs(8));
        assert!(!second.plan.widened);
        let third = reports.next().await;
        assert_eq!(third.at.since(second.at), Duration::from_secs(8));
        assert!(second.at.since(first.at) <= Duration::from_secs(2), "what was planned before stays");
        engine.pace(1);
        engine.poll_all();
        let fourth = reports.next().await;
        assert_eq!(fourth.at.since(third.at), Duration::ZERO, "it is asked at once");
        assert_eq!(reports.next().await.at.since(fourth.at), Duration::from_secs(2));
    }

    #[tokio::test(start_paused = true)]
    async fn who_fails_is_asked_less_often_too() {
        let (engine, mut reports, _) = start(vec![Step::Fail; 4]);
        engine.pace(4);
        let first = reports.next().await;
        let second = reports.next().await;
        assert!(second.at.since(first.at) >= Duration::from_secs(8), "{:?}", second.at.since(first.at));
    }

    #[tokio::test(start_paused = true)]
    async fn many_targets_begin_one_after_the_other_and_few_at_once() {
        for (count, spread) in [(3, false), (100, true)] {
            let jobs = (0..count).map(|number| Job {
                target: TargetId::new(&format!("shop-{number}")),
                interval: Duration::from_secs(5),
                timeout: Duration::from_secs(1),
                source: Box::new(|| {
                    let (steps, abandoned) = (Arc::default(), Arc::default());
                    Box::new(Scripted { steps, abandoned, answers: None, busy: false, answered: None })
                }),
            });
            let clock: Arc<dyn Clock> = Arc::new(TestClock(tokio::time::Instant::now()));
            let (_engine, mut reports) = Engine::start(jobs.collect(), EngineSettings::default(), &clock);
            let mut seconds = [0; 5];
            for _ in 0..count {
                seconds[millis(&*reports.next().await) as usize / 1000] += 1;
            }
            assert_eq!(seconds[0] == count, !spread, "{seconds:?}");
            assert!(!spread || seconds.iter().all(|begun| (10..=30).contains(begun)), "{seconds:?}");
        }
    }
}
