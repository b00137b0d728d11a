//! Whether jobs in progress have lost their worker for good.

use super::RedisExecutor;
use crate::core::action::ActionError;
use crate::core::redis::QueueRef;
use crate::core::text::counted;
use crate::sources::redis::connection::Connection;
use crate::sources::redis::evidence;
use redis::pipe;
use std::time::Duration;

/// Libraries before BullMQ 5 move a job first and lock it then: one without a lock is looked at twice.
const BETWEEN_LOOKS: Duration = Duration::from_secs(2);

impl RedisExecutor {
    /// That no worker is connected which might still hold one of these jobs. Looks a first time at their locks, and waits so long that
    /// the second look, in the script, sees no job between two steps of its library.
    pub(super) async fn unheld(
        &self,
        connection: &mut Connection,
        queue: &QueueRef,
        ids: &[String],
    ) -> Result<(), ActionError> {
        let connected = match evidence::workers(connection).await {
            Ok(all) => all.of(queue).map_or(0, |workers| workers.count),
            // Who may not ask has the check of the library itself, in the script.
            Err(_) => 0,
        };
        if connected > 0 {
            return Err(ActionError::Refused(format!(
                "{} of this queue {} connected, and one of them may still work on it: they look for such jobs each 30 s; if they do \
                 not (skipStalledCheck), stop them first",
                counted(connected, "worker"),
                if connected == 1 { "is" } else { "are" }
            )));
        }
        let mut ask = pipe();
        for id in ids {
            ask.cmd("EXISTS").arg(format!("{}:lock", queue.key(id)));
        }
        let held: Vec<u64> = self.answer(ask.query_async(connection)).await?;
        if held.contains(&0) {
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        Ok(())
    }
}
