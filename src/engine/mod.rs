//! When to ask: one task per target, so that a server that hangs holds up nobody else. What is asked lives in `sources`.

pub mod backoff;
pub mod breaker;
mod job;
pub mod latest;
pub mod lookout;
pub mod roster;
pub mod schedule;
mod settle;
mod supervisor;
mod worker;

pub use job::{EngineSettings, Job, SourceFactory};
pub use settle::settle;

use crate::core::focus::Focus;
use crate::core::ids::TargetId;
use crate::core::time::Clock;
use latest::{Reports, Slot, Slots, latest};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use worker::Wires;

/// So many targets are asked at once at the start; the first polls of more are spread, so that neither we nor their network stand still.
const AT_ONCE: usize = 16;
/// No first poll waits longer than this.
const FIRST_WITHIN: Duration = Duration::from_secs(5);

#[derive(Debug)]
struct Handle {
    target: TargetId,
    wake: Arc<Notify>,
    focus: watch::Sender<Vec<Focus>>,
    slot: Slot,
    task: JoinHandle<()>,
}

/// The running workers; one that dies is started anew. They end when it is stopped or dropped.
pub struct Engine {
    handles: Mutex<Vec<Handle>>,
    /// How many times less often than configured they ask.
    pace: Arc<AtomicU32>,
    settings: EngineSettings,
    clock: Arc<dyn Clock>,
    slots: Slots,
    /// It was stopped: nobody comes any more.
    over: AtomicBool,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("handles", &self.handles).finish_non_exhaustive()
    }
}

impl Engine {
    /// Starts one worker per job; their reports come out of the receiver.
    #[must_use]
    pub fn start(jobs: Vec<Job>, settings: EngineSettings, clock: &Arc<dyn Clock>) -> (Self, Reports) {
        let (slots, reports) = latest(jobs.len());
        let many = jobs.len() > AT_ONCE;
        let engine = Self {
            handles: Mutex::default(),
            pace: Arc::new(AtomicU32::new(1)),
            settings,
            clock: Arc::clone(clock),
            slots: reports.slots(),
            over: AtomicBool::new(false),
        };
        for (job, slot) in jobs.into_iter().zip(slots) {
            engine.begin(job, slot, many);
        }
        (engine, reports)
    }

    /// Starts a worker. Of many the first polls are spread.
    fn begin(&self, job: Job, slot: Slot, many: bool) {
        let wake = Arc::new(Notify::new());
        let (focus, focused) = watch::channel(Vec::new());
        let target = job.target.clone();
        let pace = Arc::clone(&self.pace);
        let kept = slot.clone();
        let wires = Wires { wake: Arc::clone(&wake), focus: focused, reports: slot, pace };
        let first = if many { job.interval.min(FIRST_WITHIN) } else { Duration::ZERO };
        let clock = Arc::clone(&self.clock);
        let task = tokio::spawn(supervisor::supervise(job, self.settings, clock, wires, first));
        self.handles().push(Handle { target, wake, focus, slot: kept, task });
    }

    fn handles(&self) -> MutexGuard<'_, Vec<Handle>> {
        self.handles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the workers of targets that have gone, in the middle of whatever they do, and starts those of others.
    pub fn change(&self, left: &[TargetId], joined: Vec<Job>) {
        self.handles().retain(|handle| {
            let stays = !left.contains(&handle.target);
            if !stays {
                handle.task.abort();
                handle.slot.close();
            }
            stays
        });
        let many = joined.len() > AT_ONCE;
        for job in joined {
            if let Some(slot) = self.slots.add().filter(|_| !self.over.load(Ordering::Relaxed)) {
                self.begin(job, slot, many);
            }
        }
    }

    /// Ends all workers, each in the middle of whatever it does.
    pub fn stop(&self) {
        self.over.store(true, Ordering::Relaxed);
        for handle in &*self.handles() {
            handle.task.abort();
        }
    }

    /// Polls `target` as soon as its running poll, if any, is over: also when it is backing off or its breaker is open.
    pub fn poll_now(&self, target: &TargetId) {
        for handle in self.handles().iter().filter(|handle| handle.target == *target) {
            handle.wake.notify_one();
        }
    }

    /// Polls every target.
    pub fn poll_all(&self) {
        for handle in &*self.handles() {
            handle.wake.notify_one();
        }
    }

    /// Asks every target so many times less often than configured, from its next poll on.
    pub fn pace(&self, times: u32) {
        self.pace.store(times.max(1), Ordering::Relaxed);
    }

    /// What the operator looks at now; targets not named have nothing in focus. A target whose focus changed is polled at once.
    pub fn focus(&self, wanted: &[(TargetId, Focus)]) {
        for handle in &*self.handles() {
            let focus: Vec<Focus> = wanted
                .iter()
                .filter(|(target, _)| *target == handle.target)
                .map(|(_, focus)| focus.clone())
                .collect();
            let news = !focus.is_empty();
            let changed = handle.focus.send_if_modified(|current| {
                let changed = *current != focus;
                *current = focus;
                changed
            });
            if changed && news {
                handle.wake.notify_one();
            }
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.stop();
    }
}
