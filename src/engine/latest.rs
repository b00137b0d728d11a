//! One slot a target for its newest report. Whoever is slow to take reports finds the newest of each target and none of a queue: what
//! was overtaken is counted, and no target is without data because another one reports often.

use crate::core::report::PollReport;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use tokio::sync::Notify;

#[derive(Debug)]
struct Shared {
    waiting: Mutex<Waiting>,
    filled: Notify,
}

/// The reports that nobody took yet, and the order in which their slots were filled.
#[derive(Debug)]
struct Waiting {
    slots: Vec<Option<Box<PollReport>>>,
    order: VecDeque<usize>,
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where one target puts its reports.
#[derive(Clone, Debug)]
pub struct Slot {
    shared: Weak<Shared>,
    index: usize,
}

/// Where the newest reports are taken.
#[derive(Debug)]
pub struct Reports {
    shared: Arc<Shared>,
}

/// A slot for each of `count` targets.
#[must_use]
pub fn latest(count: usize) -> (Vec<Slot>, Reports) {
    let slots = std::iter::repeat_with(|| None).take(count).collect();
    let waiting = Mutex::new(Waiting { slots, order: VecDeque::with_capacity(count) });
    let shared = Arc::new(Shared { waiting, filled: Notify::new() });
    let slot = |index| Slot { shared: Arc::downgrade(&shared), index };
    ((0..count).map(slot).collect(), Reports { shared })
}

impl Slot {
    /// Puts the newest report there; one that still waits is overtaken, and the new one says so. False when nobody takes any.
    #[must_use]
    pub fn put(&self, mut report: PollReport) -> bool {
        let Some(shared) = self.shared.upgrade() else { return false };
        {
            let mut waiting = shared.waiting();
            let Waiting { slots, order } = &mut *waiting;
            let Some(slot) = slots.get_mut(self.index) else { return false };
            match slot {
                Some(older) => report.overtaken += older.overtaken + 1,
                None => order.push_back(self.index),
            }
            *slot = Some(Box::new(report));
        }
        shared.filled.notify_one();
        true
    }
}

impl Reports {
    /// The report that has waited longest, as its target reported last. Waits until there is one; nothing is lost when it is given up.
    pub async fn next(&mut self) -> Box<PollReport> {
        loop {
            if let Some(report) = self.take() {
                return report;
            }
            self.shared.filled.notified().await;
        }
    }

    /// The same, if there is one now.
    #[must_use]
    pub fn take(&mut self) -> Option<Box<PollReport>> {
        let mut waiting = self.shared.waiting();
        let index = waiting.order.pop_front()?;
        waiting.slots.get_mut(index)?.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ids::TargetId;
    use crate::core::reading::Reading;
    use crate::core::report::{BreakerState, Plan};
    use crate::core::time::Now;
    use std::time::Duration;

    fn report(target: &str, second: u64) -> PollReport {
        let at = Now::example(second);
        let interval = Duration::from_secs(2);
        PollReport {
            target: TargetId::new(target),
            at,
            took: Duration::ZERO,
            result: Ok(Reading::Metrics(Box::default())),
            plan: Plan {
                interval,
                widened: false,
                next: at,
                breaker: BreakerState::Closed,
                failures: 0,
                knocks: false,
            },
            overtaken: 0,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_newest_of_each_target_waits_and_what_it_overtook_is_counted() {
        let (slots, mut reports) = latest(2);
        for second in 0..50 {
            assert!(slots[0].put(report("busy", second)));
        }
        assert!(slots[1].put(report("quiet", 3)));
        let told = |report: &PollReport| (report.target.to_string(), report.at, report.overtaken);
        assert_eq!(told(&*reports.next().await), ("busy".to_owned(), Now::example(49), 49));
        assert_eq!(told(&*reports.next().await), ("quiet".to_owned(), Now::example(3), 0));
        assert!(reports.take().is_none());
        let late = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(5)).await;
            assert!(slots[0].put(report("busy", 50)));
            slots
        });
        assert_eq!(told(&*reports.next().await), ("busy".to_owned(), Now::example(50), 0));
        let slots = late.await.unwrap();
        drop(reports);
        assert!(!slots[1].put(report("quiet", 60)), "nobody listens any more");
    }
}
