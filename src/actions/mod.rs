//! How to change each system. An executor here only executes; the gate around it keeps the order guard → audit → execute → audit.

pub mod audit;
pub mod gate;
pub mod lines;
pub mod postgres;
pub mod queues;

use crate::config::target::{Connect, TargetConfig};
use crate::core::action::{Action, ActionError, Confirmed, Outcome, Verification};
use futures_util::future::BoxFuture;
use std::path::Path;
use std::sync::Arc;

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

    /// Stops what takes long as soon as that leaves nothing half done.
    fn stop(&self) {}

    /// How far something that takes long has come, if it is under way.
    fn progress(&self) -> Option<String> {
        None
    }

    /// The exact statement or script call that [`execute`](Executor::execute) sends, for the audit trail. No secrets.
    fn statement(&self, action: &Action) -> String;
}

/// The executor for a target, which keeps what it must write down in `folder`; `None` for a system that nothing is changed in.
#[must_use]
pub fn open(target: &TargetConfig, folder: &Path) -> Option<Arc<dyn Executor>> {
    match &target.connect {
        Connect::Postgres(connect) => Some(Arc::new(postgres::PostgresExecutor::new(connect.clone()))),
        Connect::Redis(connect) => Some(Arc::new(queues::QueueExecutor::new(connect.clone(), folder))),
        Connect::Search(_) | Connect::Prometheus(_) | Connect::Metrics(_) | Connect::Unusable { .. } => None,
    }
}
