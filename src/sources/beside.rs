//! A question that runs beside the poll: one at a time, with a limit of its own. A slow answer is late alone, and is taken in by the poll
//! after it.

use crate::core::part::{Gap, GapKind, Part};
use crate::core::time::Now;
use crate::sources::owned::Owned;
use std::future::Future;
use std::time::Duration;

/// One question and what is known of its answer.
#[derive(Debug)]
pub struct Beside<T> {
    running: Option<(Owned<Part<T>>, Now)>,
    /// When the question was last asked.
    asked: Option<Now>,
    /// When it was last answered, whatever the answer.
    answered: Option<Now>,
    fresh: Option<Part<T>>,
}

impl<T> Default for Beside<T> {
    fn default() -> Self {
        Self { running: None, asked: None, answered: None, fresh: None }
    }
}

impl<T: Send + 'static> Beside<T> {
    /// Whether it should be asked: none is on its way, and the last one was asked at least `each` ago.
    #[must_use]
    pub fn is_due(&self, now: Now, each: Duration) -> bool {
        self.running.is_none() && self.asked.is_none_or(|at| now.since(at) >= each)
    }

    /// Asks. The question must end by itself.
    pub fn ask(&mut self, now: Now, question: impl Future<Output = Part<T>> + Send + 'static) {
        self.running = Some((Owned::spawn(question), now));
        self.asked = Some(now);
    }

    /// Waits for the answer that is on its way, no longer than `grace`.
    pub async fn settle(&mut self, now: Now, grace: Duration) {
        let Some((task, _)) = &mut self.running else { return };
        if let Ok(ended) = tokio::time::timeout(grace, task).await {
            let failed = || Part::Unavailable(Gap::new(GapKind::Failed, "reading it failed inside stacktop"));
            self.fresh = Some(ended.unwrap_or_else(|_| failed()));
            self.answered = Some(now);
            self.running = None;
        }
    }

    /// The newest answer, once; `NotAsked` while what was read before still holds; a gap where nothing came for `patience`.
    pub fn take(&mut self, now: Now, patience: Duration) -> Part<T> {
        if let Some(part) = self.fresh.take() {
            return part;
        }
        let Some(waited) = self.waits(now) else { return Part::NotAsked };
        let since = self.answered.map_or(waited, |at| now.since(at));
        if waited < patience.min(since) || since < patience {
            return Part::NotAsked;
        }
        Part::Unavailable(Gap::new(GapKind::TimedOut, format!("no answer for {:.0} s", waited.as_secs_f64())))
    }

    /// How long the question that is on its way has been so.
    #[must_use]
    pub fn waits(&self, now: Now) -> Option<Duration> {
        self.running.as_ref().map(|(_, asked)| now.since(*asked))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_slow_answer_is_taken_by_a_later_poll_and_a_silence_is_told() {
        let (second, grace, patience) =
            (Duration::from_secs(1), Duration::from_millis(300), Duration::from_secs(12));
        let mut beside = Beside::default();
        let mut seen = Vec::new();
        for at in 0..40 {
            let now = Now::example(at);
            if beside.is_due(now, second * 5) {
                let slow = second * if at < 10 { 6 } else { 100 };
                beside.ask(now, async move {
                    tokio::time::sleep(slow).await;
                    Part::Ready(at)
                });
            }
            beside.settle(now, grace).await;
            match beside.take(now, patience) {
                Part::Ready(asked) => seen.push(format!("{at}: asked at {asked}")),
                Part::Unavailable(gap) => seen.push(format!("{at}: {}", gap.note)),
                Part::NotAsked => {}
            }
            tokio::time::sleep(second.saturating_sub(if beside.waits(now).is_some() {
                grace
            } else {
                Duration::ZERO
            }))
            .await;
        }
        assert_eq!(seen[..2], ["6: asked at 0", "13: asked at 7"], "{seen:?}");
        assert_eq!(seen[2], "26: no answer for 12 s", "{seen:?}");
    }
}
