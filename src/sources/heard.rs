//! When the last byte came: what follows is our own work and no slowness of the server.

use std::sync::{Arc, Mutex, PoisonError};
use tokio::time::Instant;

/// When something was heard last on a wire. Copies share it.
#[derive(Clone, Debug, Default)]
pub struct Heard(Arc<Mutex<Option<Instant>>>);

impl Heard {
    /// Something was heard now.
    pub fn now(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// When that was.
    #[must_use]
    pub fn at(&self) -> Option<Instant> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
