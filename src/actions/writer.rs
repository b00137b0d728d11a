//! The one who writes and reads a file that outlives the run (the audit trail, the timeline): a thread of its own, so that nothing that
//! hangs elsewhere keeps a line from the disk, and lines stand in the order in which they were given.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// Jobs that may wait for the disk. An action has three lines, and the next one waits for the one before it: more is a disk that hangs,
/// and then no further action begins.
const QUEUE: usize = 256;

type Job<T> = Box<dyn FnOnce(&T) + Send>;

/// Its thread ends when this is dropped and what was given is done.
pub(super) struct Writer<T>(mpsc::Sender<Job<T>>);

impl<T> fmt::Debug for Writer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Writer")
    }
}

impl<T: Send + Sync + 'static> Writer<T> {
    /// Begins to serve `file`, in a thread called `name`.
    pub(super) fn start(name: &str, file: Arc<T>) -> Self {
        let (jobs, mut queue) = mpsc::channel::<Job<T>>(QUEUE);
        let work = move || {
            while let Some(job) = queue.blocking_recv() {
                // A fault costs the line that it is in, which is then refused; not those after it.
                let _ = std::panic::catch_unwind(AssertUnwindSafe(|| job(&file)));
            }
        };
        // Where no thread can be had the queue is closed: every line is refused, and so is every action.
        let _ = std::thread::Builder::new().name(name.to_owned()).spawn(work);
        Self(jobs)
    }

    /// Gives it something to do, at once; what is waited for is only the answer. What was given is done also when nobody waits.
    pub(super) fn give<A, W>(&self, work: W) -> impl Future<Output = Option<A>> + Send + use<T, A, W>
    where
        A: Send + 'static,
        W: FnOnce(&T) -> A + Send + 'static,
    {
        let (sender, answer) = oneshot::channel();
        let given = self.0.try_send(Box::new(move |file: &T| {
            let _ = sender.send(work(file));
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
        let writer = Writer::start("test", Arc::new("a file"));
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
