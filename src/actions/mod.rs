//! How to change each system. An executor here only executes; the gate around it keeps the order guard → audit → execute → audit.

pub mod audit;
pub mod gate;
pub mod postgres;
pub mod queues;

use crate::core::action::{Action, ActionError, Confirmed, Outcome, Verification};
use futures_util::future::BoxFuture;

/// Carries out confirmed actions on one target and looks afterwards.
pub trait Executor: Send + Sync {
    /// Opens what the action will need (a second connection), so that it is there when the server has no slots left. Idempotent.
    fn prepare(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }

    /// Does it. The statement checks the pinned identity itself.
    ///
    /// # Errors
    /// Says whether nothing was done or whether that is not known.
    fn execute<'a>(&'a self, action: &'a Confirmed<Action>) -> BoxFuture<'a, Result<Outcome, ActionError>>;

    /// Looks whether it had its effect; called after one second and after three.
    ///
    /// # Errors
    /// When the look itself failed.
    fn verify<'a>(
        &'a self,
        action: &'a Confirmed<Action>,
    ) -> BoxFuture<'a, Result<Verification, ActionError>>;

    /// The exact statement or script call that [`execute`](Executor::execute) sends, for the audit trail. No secrets.
    fn statement(&self, action: &Action) -> String;
}
