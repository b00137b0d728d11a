//! What asks a system: the contract that the engine works with.

use crate::core::focus::Focus;
use crate::core::reading::Reading;
use crate::core::report::PollError;
use crate::core::time::Now;
use futures_util::future::BoxFuture;
use tokio::time::Instant;

/// Asks one target.
///
/// The future of [`poll`](Source::poll) may be dropped at any point (the engine's timeout does that); the next call must cope with what
/// was left half done.
pub trait Source: Send {
    /// Connects if needed and reads everything that is due at `now`, plus the details in `focus` that somebody looks at.
    fn poll<'a>(&'a mut self, now: Now, focus: &'a [Focus]) -> BoxFuture<'a, Result<Reading, PollError>>;

    /// Called after a poll was given up: cancel on the server what may still run there, on a task of its own, with its own timeout.
    fn abandon(&mut self) {}

    /// When the last byte of the newest poll came, where that is known apart from the end of the poll: what follows is our own work. Asked
    /// only after a poll that brought a reading.
    fn answered(&self) -> Option<Instant> {
        None
    }

    /// A knock, which costs next to nothing: whether anything that speaks its protocol answers at all. `None` where there is none.
    fn knock(&self) -> Option<BoxFuture<'static, bool>> {
        None
    }
}
