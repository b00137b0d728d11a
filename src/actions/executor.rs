//! What changes a system: the contract that the gate works with.

use super::stop::Stop;
use crate::core::action::{Action, ActionError, Confirmed, Outcome, Verification};
use futures_util::future::BoxFuture;

/// Carries out confirmed actions on one target and looks afterwards.
pub trait Executor: Send + Sync {
    /// Opens what the action will need (a second connection), so that it is there when the server has no slots left. Idempotent.
    fn prepare(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }

    /// Does it. The statement checks the pinned identity itself. What takes long looks at `stop` wherever nothing is half done, and says in
    /// its outcome how far it came.
    ///
    /// # Errors
    /// Says whether nothing was done or whether that is not known.
    fn execute<'a>(
        &'a self,
        action: &'a Confirmed<Action>,
        stop: &'a Stop,
    ) -> BoxFuture<'a, Result<Outcome, ActionError>>;

    /// Looks whether it had its effect; called after one second and after three.
    ///
    /// # Errors
    /// When the look itself failed.
    fn verify<'a>(
        &'a self,
        action: &'a Confirmed<Action>,
    ) -> BoxFuture<'a, Result<Verification, ActionError>>;

    /// How far something that takes long has come, if it is under way.
    fn progress(&self) -> Option<String> {
        None
    }

    /// The exact statement or script call that [`execute`](Executor::execute) sends, for the audit trail. No secrets.
    fn statement(&self, action: &Action) -> String;
}
