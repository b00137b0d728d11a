//! One slot a target for its newest report. Whoever is slow to take reports finds the newest of each target and none of a queue: what
//! was overtaken is counted, and no target is without data because another one reports often. A failed poll overtakes no reading: what was
//! read before it waits beside it.

use crate::core::report::PollReport;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use tokio::sync::Notify;

#[derive(Debug)]
struct Shared {
    waiting: Mutex<Waiting>,
    filled: Notify,
}

/// What nobody took yet of one target.
#[derive(Debug, Default)]
struct Untaken {
    /// The newest reading.
    reading: Option<Box<PollReport>>,
    /// The newest failure after it.
    failure: Option<Box<PollReport>>,
    /// Its target has gone: nothing comes any more.
    closed: bool,
}

impl Untaken {
    const fn is_empty(&self) -> bool {
        self.reading.is_none() && self.failure.is_none()
    }

    /// Puts `report` in its place. It takes over the count of those that are lost by that.
    fn put(&mut self, mut report: PollReport) {
        let older = if report.result.is_ok() { self.reading.take() } else { None };
        for lost in [older, self.failure.take()].into_iter().flatten() {
            report.overtaken += lost.overtaken + 1;
            report.asked += lost.asked;
        }
        let place = if report.result.is_ok() { &mut self.reading } else { &mut self.failure };
        *place = Some(Box::new(report));
    }
}

/// The reports that nobody took yet, and the order in which their slots were filled.
#[derive(Debug)]
struct Waiting {
    slots: Vec<Untaken>,
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
    let slots = std::iter::repeat_with(Untaken::default).take(count).collect();
    let waiting = Mutex::new(Waiting { slots, order: VecDeque::with_capacity(count) });
    let shared = Arc::new(Shared { waiting, filled: Notify::new() });
    let slot = |index| Slot { shared: Arc::downgrade(&shared), index };
    ((0..count).map(slot).collect(), Reports { shared })
}

impl Slot {
    /// Puts the newest report there. What still waits is overtaken, and the new one says so; a reading is not overtaken by a failure. False
    /// when nobody takes any.
    #[must_use]
    pub fn put(&self, report: PollReport) -> bool {
        let Some(shared) = self.shared.upgrade() else { return false };
        {
            let mut waiting = shared.waiting();
            let Waiting { slots, order } = &mut *waiting;
            let Some(slot) = slots.get_mut(self.index) else { return false };
            if slot.closed {
                return false;
            }
            if slot.is_empty() {
                order.push_back(self.index);
            }
            slot.put(report);
        }
        shared.filled.notify_one();
        true
    }

    /// Its target has gone: what waits there is of nobody any more, and nothing more is taken. Who has its name next has another slot.
    pub fn close(&self) {
        let Some(shared) = self.shared.upgrade() else { return };
        let mut waiting = shared.waiting();
        let Waiting { slots, order } = &mut *waiting;
        if let Some(slot) = slots.get_mut(self.index) {
            *slot = Untaken { closed: true, ..Untaken::default() };
            order.retain(|index| *index != self.index);
        }
    }
}

/// Where slots are made for targets that come later.
#[derive(Clone, Debug)]
pub struct Slots(Weak<Shared>);

impl Slots {
    /// A slot for one more target; none when nobody takes reports any more. It is kept when its target goes: that is a few words each.
    #[must_use]
    pub fn add(&self) -> Option<Slot> {
        let shared = self.0.upgrade()?;
        let index = {
            let mut waiting = shared.waiting();
            waiting.slots.push(Untaken::default());
            waiting.slots.len() - 1
        };
        Some(Slot { shared: Weak::clone(&self.0), index })
    }
}

impl Reports {
    /// Makes slots for targets that come later.
    #[must_use]
    pub fn slots(&self) -> Slots {
        Slots(Arc::downgrade(&self.shared))
    }

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
        let Waiting { slots, order } = &mut *waiting;
        let index = order.pop_front()?;
        let slot = slots.get_mut(index)?;
        let taken = slot.reading.take().or_else(|| slot.failure.take());
        if !slot.is_empty() {
            order.push_front(index);
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ids::TargetId;
    use crate::core::reading::Reading;
    use crate::core::report::{PollError, PollErrorKind};
    use crate::core::time::Now;
    use std::time::Duration;

    fn report(target: &str, second: u64) -> PollReport {
        let reading = Ok(Reading::Metrics(Box::default()));
        PollReport::example(TargetId::new(target), reading, Now::example(second))
    }

    #[test]
    fn of_a_target_that_has_gone_nothing_is_taken() {
        let (slots, mut reports) = latest(2);
        assert!(slots[0].put(report("gone", 1)) && slots[1].put(report("stays", 1)));
        slots[0].close();
        assert!(!slots[0].put(report("gone", 2)), "also where it was under way");
        assert_eq!(reports.take().map(|report| report.target.to_string()).as_deref(), Some("stays"));
        assert!(reports.take().is_none());
        let next = reports.slots().add().expect("a slot");
        assert!(next.put(report("gone", 3)), "who has its name next is taken");
        assert_eq!(reports.take().map(|report| report.at), Some(Now::example(3)));
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

    /// `+` is a reading, `-` a failure, one a second; what is found then is told with its second and what it overtook.
    #[track_caller]
    fn found(polls: &str, expected: &[(char, u64, u64)]) {
        let (slots, mut reports) = latest(1);
        for (second, poll) in (0..).zip(polls.chars()) {
            let mut report = report("t", second);
            if poll == '-' {
                report.result = Err(PollError::new(PollErrorKind::TimedOut, "no answer"));
            }
            assert!(slots[0].put(report));
        }
        let mut told = Vec::new();
        while let Some(report) = reports.take() {
            let what = if report.result.is_ok() { '+' } else { '-' };
            told.push((what, report.at.since(Now::example(0)).as_secs(), report.overtaken));
        }
        assert_eq!(told, expected, "{polls}");
        let lost: u64 = told.iter().map(|(.., overtaken)| overtaken).sum();
        assert_eq!(told.len() + lost as usize, polls.len(), "each is taken or counted as lost: {polls}");
    }

    #[test]
    fn a_failure_overtakes_no_reading() {
        found("+-", &[('+', 0, 0), ('-', 1, 0)]);
        found("+---", &[('+', 0, 0), ('-', 3, 2)]);
        found("++-", &[('+', 1, 1), ('-', 2, 0)]);
        found("-+", &[('+', 1, 1)]);
        found("+-+", &[('+', 2, 2)]);
        found("--+--", &[('+', 2, 2), ('-', 4, 1)]);
    }
}
