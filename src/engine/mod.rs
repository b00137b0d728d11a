//! When to ask: one task per target, so that a server that hangs holds up nobody else. What is asked lives in `sources`.

pub mod backoff;
pub mod breaker;
mod job;
pub mod lookout;
pub mod schedule;
mod supervisor;
mod worker;

pub use job::{EngineSettings, Job, SourceFactory};

use crate::core::focus::Focus;
use crate::core::ids::TargetId;
use crate::core::report::PollReport;
use crate::core::time::Clock;
use std::sync::Arc;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;
use worker::Wires;

/// Reports that may wait for the screen; beyond that the oldest knowledge is not worth keeping, so new reports are dropped and counted.
pub const REPORT_QUEUE: usize = 64;

#[derive(Debug)]
struct Handle {
    target: TargetId,
    wake: Arc<Notify>,
    focus: watch::Sender<Vec<Focus>>,
    task: JoinHandle<()>,
}

/// The running workers; one that dies is started anew. They end when it is stopped or dropped.
#[derive(Debug)]
pub struct Engine {
    handles: Vec<Handle>,
}

impl Engine {
    /// Starts one worker per job; their reports come out of the receiver.
    #[must_use]
    pub fn start(
        jobs: Vec<Job>,
        settings: EngineSettings,
        clock: &Arc<dyn Clock>,
    ) -> (Self, mpsc::Receiver<PollReport>) {
        let (reports, receiver) = mpsc::channel(REPORT_QUEUE);
        let handles = jobs
            .into_iter()
            .map(|job| {
                let wake = Arc::new(Notify::new());
                let (focus, focused) = watch::channel(Vec::new());
                let target = job.target.clone();
                let wires = Wires { wake: Arc::clone(&wake), focus: focused, reports: reports.clone() };
                let task = tokio::spawn(supervisor::supervise(job, settings, Arc::clone(clock), wires));
                Handle { target, wake, focus, task }
            })
            .collect();
        (Self { handles }, receiver)
    }

    /// Ends all workers, each in the middle of whatever it does.
    pub fn stop(&self) {
        for handle in &self.handles {
            handle.task.abort();
        }
    }

    /// Polls `target` as soon as its running poll, if any, is over: also when it is backing off or its breaker is open.
    pub fn poll_now(&self, target: &TargetId) {
        for handle in self.handles.iter().filter(|handle| handle.target == *target) {
            handle.wake.notify_one();
        }
    }

    /// Polls every target.
    pub fn poll_all(&self) {
        for handle in &self.handles {
            handle.wake.notify_one();
        }
    }

    /// What the operator looks at now; targets not named have nothing in focus. A target whose focus changed is polled at once.
    pub fn focus(&self, wanted: &[(TargetId, Focus)]) {
        for handle in &self.handles {
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
