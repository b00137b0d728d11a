//! Which of some failed jobs are of one kind, by reason and stack as the screen tells them.

use super::RedisExecutor;
use crate::core::action::ActionError;
use crate::core::redis::{FailureKind, Masks, QueueRef};
use crate::sources::redis::connection::Connection;
use crate::sources::redis::{FIELD_LIMIT_BYTES, too_large};
use redis::pipe;

/// Jobs whose reasons and stacks are read at once: each field has at most 64 KiB.
const READ: usize = 20;

impl RedisExecutor {
    /// Those of `ids` that failed so.
    pub(super) async fn alike(
        &self,
        connection: &mut Connection,
        queue: &QueueRef,
        ids: Vec<String>,
        kind: &FailureKind,
    ) -> Result<Vec<String>, ActionError> {
        let masks = Masks::new(&self.connect.masks);
        // A stack is read where it decides.
        let fields: &[&str] = &["failedReason", "stacktrace"][..=usize::from(!kind.frame.is_empty())];
        let mut found = Vec::new();
        for part in ids.chunks(READ) {
            let mut ask = pipe();
            for id in part {
                for field in fields {
                    ask.cmd("HSTRLEN").arg(queue.key(id)).arg(field);
                }
            }
            let sizes: Vec<u64> = self.answer(ask.query_async(connection)).await?;
            let mut ask = pipe();
            for (id, sizes) in part.iter().zip(sizes.chunks(fields.len())) {
                // One that is too large to be shown is not read here, either: a field that no job has stands for it.
                let wanted = fields
                    .iter()
                    .zip(sizes)
                    .map(|(field, size)| if *size <= FIELD_LIMIT_BYTES { *field } else { "" });
                ask.cmd("HMGET").arg(queue.key(id)).arg(wanted.collect::<Vec<_>>());
            }
            let values: Vec<Vec<Option<Vec<u8>>>> = self.answer(ask.query_async(connection)).await?;
            for ((id, sizes), values) in part.iter().zip(sizes.chunks(fields.len())).zip(values) {
                let text = |at: usize| {
                    let bytes = values.get(at).cloned().flatten().unwrap_or_default();
                    String::from_utf8_lossy(&bytes).into_owned()
                };
                let reason = match sizes.first() {
                    Some(size) if *size > FIELD_LIMIT_BYTES => too_large(*size),
                    _ => masks.reason(text(0)).to_string(),
                };
                if kind.is(&reason, &text(1)) {
                    found.push(id.clone());
                }
            }
        }
        Ok(found)
    }
}
