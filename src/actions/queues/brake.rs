//! The brake of a redrive: what became of the jobs that were put back, and whether that is a reason to stop.

use super::{QueueExecutor, TIMEOUT};
use crate::core::action::ActionError;
use crate::core::redis::{Brake, QueueRef};
use crate::sources::redis::connection::Connection;
use redis::{Value, pipe};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// So long the first jobs have to be picked up and to end.
const SETTLES_WITHIN: Duration = Duration::from_secs(15);

/// Where the jobs are that were put back.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fate {
    pub(super) failed: usize,
    open: usize,
    all: usize,
}

impl QueueExecutor {
    /// Why to stop, if there is a reason: the first jobs are not taken, or too many have failed again.
    pub(super) async fn brake(
        &self,
        connection: &mut Connection,
        back: &[(QueueRef, String)],
        brake: Brake,
        first: bool,
    ) -> Result<Option<String>, ActionError> {
        let began = Instant::now();
        let stops = self.stops.load(Ordering::Relaxed);
        loop {
            let fate = self.fate(connection, back).await?;
            let share = brake.stop_above_percent as usize;
            if fate.failed * 100 > fate.all * share && (first || fate.failed >= 3) {
                let why = format!("{} of {} failed again", fate.failed, fate.all);
                return Ok(Some(why));
            }
            if !first || fate.open == 0 || self.stops.load(Ordering::Relaxed) != stops {
                return Ok(None);
            }
            if began.elapsed() > SETTLES_WITHIN {
                let waited = SETTLES_WITHIN.as_secs();
                let why = format!(
                    "{} of {} had not ended after {waited} s (is a worker there?)",
                    fate.open, fate.all
                );
                return Ok(Some(why));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    pub(super) async fn fate(
        &self,
        connection: &mut Connection,
        back: &[(QueueRef, String)],
    ) -> Result<Fate, ActionError> {
        // The newest are what a brake is for.
        let newest = &back[back.len().saturating_sub(500)..];
        let mut fate = Fate { all: newest.len(), ..Fate::default() };
        if newest.is_empty() {
            return Ok(fate);
        }
        let mut ask = pipe();
        for (queue, id) in newest {
            ask.cmd("ZSCORE").arg(queue.key("failed")).arg(id);
            ask.cmd("ZSCORE").arg(queue.key("completed")).arg(id);
            ask.cmd("EXISTS").arg(queue.key(id));
        }
        let answer = tokio::time::timeout(TIMEOUT, ask.query_async::<Vec<Value>>(connection)).await;
        let values = match answer {
            Ok(Ok(values)) => values,
            Ok(Err(error)) => return Err(ActionError::NotDone(self.words(&error))),
            Err(_) => return Err(ActionError::NotDone("the server did not answer within 5 s".to_owned())),
        };
        for job in values.chunks(3) {
            let is =
                |at: usize| job.get(at).is_some_and(|value| !matches!(value, Value::Nil | Value::Int(0)));
            fate.failed += usize::from(is(0));
            fate.open += usize::from(!is(0) && !is(1) && is(2));
        }
        Ok(fate)
    }
}
