//! How looks share a few connections: one that takes long never keeps the others waiting.

use super::connection::Connection;
use crate::config::target::PostgresConnect;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Looks that are known to be quick run so many at a time.
const QUICK: usize = 2;
/// All others run one after the other.
const SLOW: usize = 1;
/// So many connections are kept between looks.
const KEPT: usize = 2;
/// A look that takes longer is slow.
const QUICK_WITHIN: Duration = Duration::from_secs(2);

/// The connections for looks.
#[derive(Clone)]
pub(super) struct Lanes {
    quick: Arc<Semaphore>,
    slow: Arc<Semaphore>,
    kept: Arc<Mutex<Vec<Connection>>>,
}

impl Default for Lanes {
    fn default() -> Self {
        Self {
            quick: Arc::new(Semaphore::new(QUICK)),
            slow: Arc::new(Semaphore::new(SLOW)),
            kept: Arc::default(),
        }
    }
}

impl Lanes {
    /// Waits for its turn, which lasts as long as what is given back. (Nothing comes only when the program ends.)
    pub(super) async fn turn(&self, slow: bool) -> Option<OwnedSemaphorePermit> {
        let lane = if slow { &self.slow } else { &self.quick };
        Arc::clone(lane).acquire_owned().await.ok()
    }

    /// A connection that was kept, if one still goes to the server that is meant.
    pub(super) fn take(&self, connect: &PostgresConnect) -> Option<Connection> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|open| !open.client.is_closed() && open.is_current(connect));
        kept.pop()
    }

    /// Keeps one for the next look.
    pub(super) fn put(&self, open: Connection) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT {
            kept.push(open);
        }
    }
}

/// Whether a look that took so long is slow.
pub(super) const fn is_slow(took: Duration) -> bool {
    took.as_millis() > QUICK_WITHIN.as_millis()
}
