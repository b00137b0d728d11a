//! The one who writes and reads the audit trail: a thread of its own, so that nothing that hangs elsewhere keeps a line from the disk, and
//! lines stand in the order in which they were given.

use super::audit::AuditTrail;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// Jobs that may wait for the disk. An action has three lines, and the next one waits for the one before it: more is a disk that hangs,
/// and then no further action begins.
const QUEUE: usize = 256;

type Job = Box<dyn FnOnce(&AuditTrail) + Send>;

/// Its thread ends when this is dropped and what was given is done.
#[derive(Debug)]
pub(super) struct Writer(mpsc::Sender<Job>);

impl Writer {
    pub(super) fn start(trail: Arc<AuditTrail>) -> Self {
        let (jobs, mut queue) = mpsc::channel::<Job>(QUEUE);
        let work = move || {
            while let Some(job) = queue.blocking_recv() {
                // A fault costs the line that it is in, which is then refused; not those after it.
                let _ = std::panic::catch_unwind(AssertUnwindSafe(|| job(&trail)));
            }
        };
        // Where no thread can be had the queue is closed: every line is refused, and so is every action.
        let _ = std::thread::Builder::new().name("audit".to_owned()).spawn(work);
        Self(jobs)
    }

    /// Gives it something to do, at once; what is waited for is only the answer. What was given is done also when nobody waits.
    pub(super) fn give<T, W>(&self, work: W) -> impl Future<Output = Option<T>> + Send + use<T, W>
    where
        T: Send + 'static,
        W: FnOnce(&AuditTrail) -> T + Send + 'static,
    {
        let (sender, answer) = oneshot::channel();
        let given = self.0.try_send(Box::new(move |trail: &AuditTrail| {
            let _ = sender.send(work(trail));
        }));
        async move {
            given.ok()?;
            answer.await.ok()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;

    #[tokio::test]
    async fn a_fault_costs_one_job_and_a_full_queue_refuses() {
        let writer = Writer::start(Arc::new(AuditTrail::at("/nowhere".into())));
        assert_eq!(writer.give(|_| panic!("a fault")).await, None::<()>);
        assert_eq!(writer.give(|_| 1).await, Some(1));
        let barrier = Arc::new(Barrier::new(2));
        let (here, there) = (Arc::clone(&barrier), Arc::clone(&barrier));
        let held = writer.give(move |_| {
            there.wait();
            there.wait();
        });
        here.wait();
        let waiting: Vec<_> = (0..QUEUE).map(|n| writer.give(move |_| n)).collect();
        assert_eq!(writer.give(|_| 1).await, None, "there is no room");
        here.wait();
        assert_eq!(held.await, Some(()));
        for (n, job) in waiting.into_iter().enumerate() {
            assert_eq!(job.await, Some(n));
        }
    }
}
