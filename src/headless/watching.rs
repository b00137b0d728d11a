//! What a run without a screen knows: the world, kept as the screen keeps it from the same engine, and what asking for it has cost so far.

use crate::actions::notes::Notes;
use crate::actions::sizes::SizeKeeper;
use crate::core::alert::Note;
use crate::core::ids::TargetId;
use crate::core::report::PollReport;
use crate::core::sizes::SizesAt;
use crate::core::time::{Clock, Now};
use crate::core::world::World;
use crate::engine::latest::Reports;
use crate::engine::roster::{Changes, Roster};
use crate::engine::{Engine, EngineSettings, Job};
use chrono::FixedOffset;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Interval, MissedTickBehavior};

/// What others noted of findings is looked for this often.
const NOTES_EACH: Duration = Duration::from_secs(5);

/// What a run without a screen needs.
#[derive(Debug)]
pub struct Setup {
    /// What the stack is called.
    pub environment: String,
    /// The world before anything was asked.
    pub world: World,
    /// The targets.
    pub jobs: Vec<Job>,
    /// Who knows of targets that come and go, where lists name them.
    pub roster: Option<Box<dyn Roster>>,
    /// How they are polled.
    pub engine: EngineSettings,
    /// Where others note that they have taken note of findings. It is only read.
    pub notes: Option<Notes>,
    /// Keeps sizes for runs to come.
    pub sizes: Option<SizeKeeper>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// How far local time is from UTC now.
    pub zone: fn() -> FixedOffset,
}

/// What asking a target has cost since the run began.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
    /// Polls that brought data.
    pub answered: u64,
    /// Polls that did not.
    pub failed: u64,
    /// How long all of them took together.
    pub took: Duration,
}

impl Cost {
    /// Polls in all.
    #[must_use]
    pub const fn polls(&self) -> u64 {
        self.answered + self.failed
    }
}

/// Everything that is known at a moment.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// What the stack is called.
    pub environment: &'a str,
    /// The targets and what was found.
    pub world: &'a World,
    /// What asking them has cost.
    pub costs: &'a BTreeMap<TargetId, Cost>,
    /// The moment.
    pub now: Now,
    /// Since when it is watched.
    pub started: Now,
    /// Local time, as its distance from UTC.
    pub zone: FixedOffset,
}

/// The run: it ends when this is dropped.
pub struct Watching {
    environment: String,
    world: World,
    costs: BTreeMap<TargetId, Cost>,
    now: Now,
    started: Now,
    zone: fn() -> FixedOffset,
    engine: Engine,
    reports: Reports,
    changes: Changes,
    clock: Arc<dyn Clock>,
    tick: Interval,
    sizes: Option<SizeKeeper>,
    recalled: Option<BoxFuture<'static, Vec<SizesAt>>>,
    notes: Option<Notes>,
    noted: Option<BoxFuture<'static, Vec<Note>>>,
    asked: Now,
}

impl std::fmt::Debug for Watching {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watching").field("now", &self.now).finish_non_exhaustive()
    }
}

impl Watching {
    /// Begins to ask every target.
    #[must_use]
    pub fn start(setup: Setup) -> Self {
        let Setup { environment, mut world, jobs, roster, engine, notes, sizes, clock, zone } = setup;
        let (engine, reports) = Engine::start(jobs, engine, &clock);
        let now = clock.now();
        let mut tick = tokio::time::interval(Duration::from_secs(1));
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let recalled = sizes.as_ref().map(|sizes| sizes.recall().boxed());
        if recalled.is_some() {
            world.await_sizes();
        }
        let noted = notes.as_ref().map(|notes| notes.news(now).boxed());
        Self {
            environment,
            world,
            costs: BTreeMap::new(),
            now,
            started: now,
            zone,
            engine,
            reports,
            changes: Changes::of(roster),
            clock,
            tick,
            sizes,
            recalled,
            notes,
            noted,
            asked: now,
        }
    }

    /// Waits until something is known that was not, or a second has gone by. Nothing is lost when it is given up.
    pub async fn next(&mut self) {
        let report = tokio::select! {
            biased;
            kept = come(&mut self.recalled) => {
                self.recalled = None;
                self.world.recall_sizes(kept, self.clock.now());
                None
            }
            notes = come(&mut self.noted) => {
                self.noted = None;
                self.world.recall(notes, self.clock.now());
                None
            }
            change = self.changes.next() => {
                self.costs.retain(|target, _| !change.enlisted.left.contains(target));
                self.engine.change(&change.enlisted.left, change.jobs);
                // Of those that come earlier runs may know how they grew.
                if let Some(sizes) = self.sizes.as_ref().filter(|_| !change.enlisted.joined.is_empty()) {
                    self.recalled = Some(sizes.recall().boxed());
                    self.world.await_sizes();
                }
                self.world.enlist(change.enlisted, self.clock.now());
                None
            }
            report = self.reports.next() => Some(report),
            _ = self.tick.tick() => None,
        };
        self.take(report.map(|report| *report));
    }

    fn take(&mut self, report: Option<PollReport>) {
        let now = self.clock.now();
        if let Some(jump) = now.jump(self.now).filter(|jump| jump.interrupts()) {
            self.world.interrupt(&jump.words(), now);
            self.engine.poll_all();
        }
        self.now = now;
        if let Some(report) = report {
            let cost = self.costs.entry(report.target.clone()).or_default();
            let count = if report.result.is_ok() { &mut cost.answered } else { &mut cost.failed };
            *count += 1 + report.overtaken;
            cost.took += report.took;
            self.world.apply(report);
        }
        self.world.evaluate(now);
        let news = self.world.take_sizes();
        if let Some(sizes) = self.sizes.as_ref().filter(|_| !news.is_empty()) {
            // It is done by its own thread, in this order; where it cannot be, there is no forecast later.
            drop(sizes.keep(news));
        }
        if self.noted.is_none() && now.since(self.asked) >= NOTES_EACH {
            self.asked = now;
            self.noted = self.notes.as_ref().map(|notes| notes.news(now).boxed());
        }
    }

    /// Asks those once more that answered once so far: their turn comes later than anybody waits.
    pub fn ask_seldom(&self) {
        for (target, cost) in &self.costs {
            if cost.answered == 1 {
                self.engine.poll_now(target);
            }
        }
    }

    /// What is known now.
    #[must_use]
    pub fn seen(&self) -> Seen<'_> {
        Seen {
            environment: &self.environment,
            world: &self.world,
            costs: &self.costs,
            now: self.now,
            started: self.started,
            zone: (self.zone)(),
        }
    }
}

/// What is waited for; never where nothing is.
async fn come<T>(waiting: &mut Option<BoxFuture<'static, Vec<T>>>) -> Vec<T> {
    match waiting {
        Some(found) => found.await,
        None => std::future::pending().await,
    }
}
