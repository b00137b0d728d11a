//! How many questions a poll asks: statements, commands, requests. What is asked beside a poll, on a task that it began, counts for it, too.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

tokio::task_local! {
    static ASKED: Asked;
}

/// The questions of one target that nobody has taken yet. Copies share it.
#[derive(Clone, Debug, Default)]
pub struct Asked(Arc<AtomicU64>);

impl Asked {
    /// Carries out `work`; what it asks is counted here.
    pub async fn during<F: Future>(&self, work: F) -> F::Output {
        ASKED.scope(self.clone(), work).await
    }

    /// How many there were since this was asked last.
    #[must_use]
    pub fn taken(&self) -> u64 {
        self.0.swap(0, Ordering::Relaxed)
    }
}

/// So many questions are asked now. Outside a poll nobody counts.
pub fn count(questions: usize) {
    let _ = ASKED.try_with(|asked| asked.0.fetch_add(questions as u64, Ordering::Relaxed));
}

/// `task`, which will run beside what counts now: its questions are counted there, too.
pub fn counted<F: Future>(task: F) -> impl Future<Output = F::Output> {
    let known = ASKED.try_with(Clone::clone).ok();
    async move {
        match known {
            Some(asked) => ASKED.scope(asked, task).await,
            None => task.await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::owned::Owned;

    #[tokio::test]
    async fn what_is_asked_beside_a_poll_counts_for_it_and_nothing_outside() {
        let asked = Asked::default();
        count(100);
        let polled = asked.during(async {
            count(2);
            Owned::spawn(async { count(3) }).await
        });
        polled.await.unwrap();
        assert_eq!((asked.taken(), asked.taken()), (5, 0));
    }
}
