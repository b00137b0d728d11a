//! Conditions held on servers of their own, side by side, while line 2 is sampled each second: a lasting fault is told all the time, with one
//! beginning; a healthy step never takes line 2 from OK. In the middle of each, `r` is pressed many times.

mod apart;
pub mod cluster;
mod copies;
mod decoy;
mod postgres;
mod queues;
mod redis;
mod search;
mod slower;
mod steps;
mod steps_of_redis;
mod vacuum;

use super::Watch;
use chrono::{DateTime, Utc};
use stacktop::config::target::Connect;
use stacktop::core::alert::{FindingKey, RuleSetting};
use stacktop::core::chain::Tie;
use stacktop::core::ids::TargetId;
use stacktop::core::report::{Plan, PollError, PollErrorKind, PollReport};
use stacktop::core::time::Clock;
use stacktop::core::world::{TargetState, World, all_rules};
use stacktop::panels::PanelContext;
use std::fmt::Write;
use std::pin::Pin;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// A condition is held for so many seconds, if the environment does not say otherwise.
const HOLD_SECONDS: u64 = 150;
/// Before it is held it has so long to come.
const COMES_WITHIN: Duration = Duration::from_secs(90);
/// For so long a healthy server is looked at before.
const SETTLES: Duration = Duration::from_secs(5);
/// `r` is pressed so many times, a finger's width apart.
const PRESSED: usize = 25;
const PRESSED_EACH: Duration = Duration::from_millis(40);
/// Of samples that lie so many are shown.
const SHOWN: usize = 8;

/// For how long each condition is held.
fn hold() -> Duration {
    let given = std::env::var("STACKTOP_TEST_HOLD_SECONDS").ok();
    Duration::from_secs(given.map_or(HOLD_SECONDS, |text| text.parse().expect("seconds")))
}

/// What is told at one moment.
#[derive(Debug)]
struct Sample {
    /// So long after the first.
    at: Duration,
    /// Line 2.
    line: String,
    /// Since when the finding has been there that is looked for, if it is; for each rule.
    since: Vec<Option<DateTime<Utc>>>,
}

impl Sample {
    /// Its first word.
    fn word(&self) -> &str {
        self.line.split([' ', ',', ':']).next().unwrap_or_default()
    }
}

/// Several targets watched as the program watches them.
struct Lookout {
    world: World,
    watches: Vec<Watch>,
    /// The time of the watch is ahead by so much: what is compared with an hour ago need not take an hour.
    ahead: Duration,
}

impl Lookout {
    fn new(targets: Vec<(&str, Connect)>) -> Self {
        let mut watches = Vec::new();
        let mut states = Vec::new();
        for (name, connect) in targets {
            let mut watch = Watch::new(connect);
            watch.target.id = TargetId::new(name);
            watch.target.timeout = Duration::from_secs(3);
            let (target, now) = (&watch.target, watch.clock.now());
            let (id, kind) = (target.id.clone(), target.kind());
            states.push(TargetState::new(id, kind, target.address(), target.interval, now));
            watches.push(watch);
        }
        let world = World::new(states, stacktop::core::alert::Rulebook::defaults(&all_rules()));
        Self { world, watches, ahead: Duration::ZERO }
    }

    /// A lower threshold, where the usual one takes longer than a test.
    fn from(mut self, rule: &str, warning: f64) -> Self {
        let spec = all_rules().into_iter().find(|spec| spec.id == rule).expect("a rule");
        let setting = RuleSetting { warning: Some(warning), ..self.world.rules.get(spec.id) };
        assert!(self.world.rules.set(rule, setting));
        self
    }

    /// Asks every target once, as the engine does.
    async fn poll(&mut self) {
        for watch in &mut self.watches {
            let before = watch.clock.now().plus(self.ahead);
            let polling = watch.source.poll(before, &[]);
            let answer = timeout(watch.target.timeout, polling).await;
            let result = answer.unwrap_or_else(|_| {
                watch.source.abandon();
                Err(PollError::new(PollErrorKind::TimedOut, "no answer"))
            });
            let at = watch.clock.now().plus(self.ahead);
            let plan = Plan::example(watch.target.interval, at);
            let report = PollReport::example(watch.target.id.clone(), result, at);
            self.world.apply(PollReport { took: at.since(before), plan, ..report });
        }
        self.world.evaluate(self.watches[0].clock.now().plus(self.ahead));
    }

    /// The same, so much later for whoever watches.
    async fn poll_after(&mut self, skipped: Duration) {
        self.ahead += skipped;
        self.poll().await;
    }

    /// How surely a finding of that rule and target is tied to one of this.
    fn tie(&self, cause: (&str, &str), effect: (&str, &str)) -> Option<Tie> {
        let is = |key: &FindingKey, (rule, target): (&str, &str)| {
            key.rule == rule && key.target.as_str() == target
        };
        let mut links = self.world.chain.links();
        links.find(|link| is(&link.cause, cause) && is(&link.effect, effect)).map(|link| link.evidence.tie)
    }

    fn context(&self) -> PanelContext<'_> {
        PanelContext { world: &self.world, ..self.watches[0].context() }
    }

    fn line(&self) -> String {
        stacktop::app::verdict::verdict(self.context()).plain()
    }

    /// Since when `rule` has been firing, if exactly one finding of it does.
    fn since(&self, rule: &str) -> Option<DateTime<Utc>> {
        let firing = self.world.alerts.firing();
        let mut its = firing.iter().filter(|finding| finding.breach.rule == rule);
        let since = its.next()?.since.wall;
        its.next().is_none().then_some(since)
    }

    fn sample(&self, began: Instant, rules: &[&str]) -> Sample {
        let since = rules.iter().map(|rule| self.since(rule)).collect();
        Sample { at: began.elapsed(), line: self.line(), since }
    }

    /// A sample each second for as long as is held, with `r` pressed many times in the middle of it.
    async fn samples(&mut self, rules: &[&str]) -> Vec<Sample> {
        let (began, lasts) = (Instant::now(), hold());
        let mut samples = Vec::new();
        let mut pressed = false;
        while began.elapsed() < lasts {
            let next = Instant::now() + Duration::from_secs(1);
            self.poll().await;
            samples.push(self.sample(began, rules));
            if !pressed && began.elapsed() >= lasts / 2 {
                pressed = true;
                for _ in 0..PRESSED {
                    sleep(PRESSED_EACH).await;
                    self.poll().await;
                    samples.push(self.sample(began, rules));
                }
            }
            sleep_until(next).await;
        }
        samples
    }

    /// Each of `rules` fires all the time, with one beginning that is none of before it was made; line 2 begins with one of `words`.
    async fn lasts(&mut self, name: &'static str, rules: &[&str], words: &[&str]) -> Lies {
        let made = Utc::now();
        let began = Instant::now();
        loop {
            self.poll().await;
            let sample = self.sample(began, rules);
            if sample.since.iter().all(Option::is_some) && words.contains(&sample.word()) {
                break;
            }
            if began.elapsed() > COMES_WITHIN {
                return Lies::of(name, vec![("it does not come", sample)]);
            }
            sleep(Duration::from_secs(1)).await;
        }
        let samples = self.samples(rules).await;
        let first = samples[0].since.clone();
        let mut lies = Vec::new();
        for sample in samples {
            let moved = |(now, first): (&Option<DateTime<Utc>>, &Option<DateTime<Utc>>)| {
                let apart = now.zip(*first).map(|(now, first)| (now - first).num_milliseconds().abs());
                apart.is_none_or(|apart| apart > 1000)
            };
            // What made it may have come a moment before it was looked for.
            let borrowed = |since: &Option<DateTime<Utc>>| {
                since.is_some_and(|since| (made - since).num_seconds() > BEFORE_LOOKED_FOR)
            };
            if sample.since.iter().any(Option::is_none) {
                lies.push(("it is not told", sample));
            } else if sample.since.iter().zip(&first).any(moved) {
                lies.push(("it begins anew", sample));
            } else if sample.since.iter().any(borrowed) {
                lies.push(("it begins before it was made", sample));
            } else if !words.contains(&sample.word()) {
                lies.push(("line 2 says something else", sample));
            }
        }
        Lies::of(name, lies)
    }

    /// Line 2 says OK all the time; `may_be_silent` allows that nobody answers for a moment.
    async fn stays_ok(&mut self, name: &'static str, may_be_silent: bool) -> Lies {
        let samples = self.samples(&[]).await;
        let silent = |sample: &Sample| may_be_silent && sample.word() == "UNKNOWN";
        let lies = samples.into_iter().filter(|sample| sample.word() != "OK" && !silent(sample));
        Lies::of(name, lies.map(|sample| ("a false alarm", sample)).collect())
    }

    /// Polls for a moment, and then until line 2 says OK.
    async fn settles(&mut self) {
        let began = Instant::now();
        while began.elapsed() < SETTLES || !self.line().starts_with("OK") {
            assert!(began.elapsed() < COMES_WITHIN, "{}", self.line());
            self.poll().await;
            sleep(Duration::from_millis(500)).await;
        }
    }
}

/// A fault is made at most so many seconds before it is looked for.
const BEFORE_LOOKED_FOR: i64 = 15;

/// What was told wrongly during one condition.
struct Lies {
    name: &'static str,
    samples: Vec<(&'static str, Sample)>,
}

impl Lies {
    const fn of(name: &'static str, samples: Vec<(&'static str, Sample)>) -> Self {
        Self { name, samples }
    }
}

/// A condition: what makes it, holds it, and tells what was wrong.
type Condition = Pin<Box<dyn Future<Output = Lies> + Send>>;

/// All of them at the same time; those whose name has `STACKTOP_TEST_CONDITION` in it, if that is set.
async fn side_by_side(conditions: Vec<(&'static str, Condition)>) {
    let wanted = std::env::var("STACKTOP_TEST_CONDITION").unwrap_or_default();
    let conditions = conditions.into_iter().filter(|(name, _)| name.contains(&wanted));
    let running: Vec<(&str, JoinHandle<Lies>)> =
        conditions.map(|(name, condition)| (name, tokio::spawn(condition))).collect();
    let mut report = String::new();
    for (name, running) in running {
        match running.await {
            Ok(lies) => told(&mut report, &lies),
            Err(error) => {
                let _ = writeln!(report, "{name}: {error}");
            }
        }
    }
    assert!(report.is_empty(), "\n{report}");
}

fn told(report: &mut String, lies: &Lies) {
    for (why, sample) in lies.samples.iter().take(SHOWN) {
        let seconds = sample.at.as_secs_f64();
        let _ = writeln!(report, "{} {seconds:.1} s: {why}: {:?} {}", lies.name, sample.since, sample.line);
    }
    if lies.samples.len() > SHOWN {
        let _ = writeln!(report, "{}: and {} more", lies.name, lies.samples.len() - SHOWN);
    }
}

/// Something that goes on until it is let go.
struct Load(JoinHandle<()>);

impl Load {
    fn new(work: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(work))
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.0.abort();
    }
}
