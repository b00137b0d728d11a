//! Work that blocks, each kind in a place of its own with so many seats: what hangs there takes a seat there, and keeps nothing else waiting.
//!
//! It runs on threads of its own, not on the runtime's: those are one pool for all kinds, and whatever hangs in it starves the rest. A
//! thread that hangs cannot be ended; it keeps its seat until it ends by itself, also when nobody waits any more.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use tokio::sync::{Semaphore, oneshot};

/// Files with passwords, tokens and certificates: a network file system may hang. Two for each file: one that hangs is that file's matter.
pub static FILES: Bulkhead = Bulkhead::new("files", 2);
/// Names of hosts: the system's resolver takes its time, and cannot be given up. For each name as many as usually ask for it at once.
pub static NAMES: Bulkhead = Bulkhead::new("names", 8);
/// Backup files, for each pattern.
pub static BACKUPS: Bulkhead = Bulkhead::new("backups", 1);
/// Logs, for each file.
pub static LOGS: Bulkhead = Bulkhead::new("logs", 1);
/// What servers answer, where it is large: this takes the processor and never hangs, so that two are enough for all.
static BODIES: Bulkhead = Bulkhead::new("bodies", 2);
/// A body up to this size is read where it is: that takes a few milliseconds, and waits for no large one.
const AT_ONCE: usize = 256 * 1024;

/// Reads a body, beside the event loop where it is large. `None` when that failed inside.
pub async fn body<T: Send + 'static>(
    bytes: &Arc<Vec<u8>>,
    read: impl FnOnce(&[u8]) -> T + Send + 'static,
) -> Option<T> {
    if bytes.len() <= AT_ONCE {
        return Some(read(bytes));
    }
    let bytes = Arc::clone(bytes);
    BODIES.run("", move || read(&bytes)).await
}

/// One kind of work.
#[derive(Debug)]
pub struct Bulkhead {
    name: &'static str,
    /// So much of the same key is done at once.
    seats: usize,
    taken: Mutex<BTreeMap<String, Arc<Semaphore>>>,
}

impl Bulkhead {
    /// A place with so many seats for each key; its threads have this name.
    #[must_use]
    pub const fn new(name: &'static str, seats: usize) -> Self {
        Self { name, seats, taken: Mutex::new(BTreeMap::new()) }
    }

    /// Does it as soon as there is a seat. `None` when it failed inside, or no thread could be had.
    pub async fn run<T: Send + 'static>(
        &self,
        key: &str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let seat = self.of(key).acquire_owned().await.ok()?;
        let (sender, answer) = oneshot::channel();
        let work = move || {
            let result = work();
            drop(seat);
            let _ = sender.send(result);
        };
        thread::Builder::new().name(self.name.to_owned()).spawn(work).ok()?;
        answer.await.ok()
    }

    /// The seats of this key. Keys of which no seat is taken are forgotten.
    fn of(&self, key: &str) -> Arc<Semaphore> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.retain(|_, seats| Arc::strong_count(seats) > 1);
        let seats = taken.entry(key.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(self.seats)));
        Arc::clone(seats)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use std::sync::mpsc;
    use std::time::Duration;

    static TEST: Bulkhead = Bulkhead::new("test", 2);

    #[tokio::test]
    async fn what_hangs_takes_its_own_seats_and_keeps_them() {
        let (end, wait) = mpsc::channel::<()>();
        let wait = Arc::new(Mutex::new(wait));
        for _ in 0..5 {
            let wait = Arc::clone(&wait);
            let hangs = TEST.run("a", move || drop(wait.lock().map(|wait| wait.recv())));
            let given_up = tokio::time::timeout(Duration::from_millis(20), hangs).await;
            assert!(given_up.is_err());
        }
        // The three that found no seat are not begun behind our back.
        assert_eq!(Arc::strong_count(&wait), 3, "two hang, and this one");
        assert!(TEST.run("a", || ()).now_or_never().is_none(), "there is no seat");
        assert_eq!(TEST.run("b", || 1).await, Some(1));
        drop(end);
        assert_eq!(TEST.run("a", || 2).await, Some(2));
        assert_eq!(TEST.run("a", || panic!("a fault")).await, None::<()>);
        assert_eq!(TEST.run("a", || 3).await, Some(3));
        // The other that hung ends when it is its turn, and its key is forgotten then.
        let mut kept = 2;
        for _ in 0..500 {
            TEST.of("c");
            kept = TEST.taken.lock().unwrap().len();
            if kept == 1 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(kept, 1, "keys are forgotten");
    }
}
