//! A dead letter's original: which job it was, and whether the one that now has its id is that job or another's.

use super::RedisExecutor;
use crate::core::action::ActionError;
use crate::core::redis::{Original, QueueRef};
use crate::sources::redis::connection::Connection;
use redis::pipe;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Some fields of a job, as bytes.
type Fields = Vec<Option<Vec<u8>>>;

/// What became of a letter's original.
pub(super) enum Kept {
    /// It is still failed: its id.
    Failed(String),
    /// It is there, and not failed.
    Open(String),
    /// A job of its id is there of which it is not certain whether it is the original.
    Doubtful(String, &'static str),
    /// It is gone, or never had an id.
    Nowhere,
}

impl RedisExecutor {
    /// Whether the original is still there, and is the job that the letter (`made` then) tells of.
    pub(super) async fn kept_original(
        &self,
        connection: &mut Connection,
        queue: &QueueRef,
        original: &Original,
        made: Option<f64>,
    ) -> Result<Kept, ActionError> {
        let Some(id) = &original.id else { return Ok(Kept::Nowhere) };
        let mut ask = pipe();
        let fields = ["name", "data", "timestamp"];
        ask.cmd("HMGET").arg(queue.key(id)).arg(&fields);
        for set in ["failed", "completed"] {
            ask.cmd("ZSCORE").arg(queue.key(set)).arg(id);
        }
        let (job, failed, completed): (Fields, Option<f64>, Option<f64>) =
            self.answer(ask.query_async(connection)).await?;
        let [Some(name), Some(data), added] = &job[..] else { return Ok(Kept::Nowhere) };
        // Another job of this id was made after the letter (ids began anew), or had ended well before there was one.
        let added = added.as_ref().and_then(|text| std::str::from_utf8(text).ok()?.parse::<f64>().ok());
        let id = id.clone();
        let later = made.zip(added).is_some_and(|(made, added)| added > made);
        let before = made.zip(completed).is_some_and(|(made, completed)| completed < made);
        let same = *name == original.name.as_bytes() && alike(data, &original.data);
        Ok(match (same, later || before) {
            // Made again with the same data, or clocks that disagree: to run it for the letter could lose one, to add it could double one.
            (true, _) if later => Kept::Doubtful(id, "the same data, and is younger than the letter"),
            (true, _) if failed.is_some() => Kept::Failed(id),
            (true, _) => Kept::Open(id),
            (false, true) => Kept::Nowhere,
            (false, false) => Kept::Doubtful(id, "other data"),
        })
    }
}

/// What tells this letter from every other one, also from a later one of the same id.
pub(super) fn fingerprint(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let digest = hash.finalize();
    let first = digest.iter().take(8).fold(0_u64, |so_far, byte| so_far << 8 | u64::from(*byte));
    format!("{first:016x}")
}

/// Whether two pieces of JSON say the same; a letter may hold the data as text.
fn alike(kept: &[u8], told: &str) -> bool {
    let (Ok(kept), Ok(told)) = (serde_json::from_slice::<Value>(kept), serde_json::from_str::<Value>(told))
    else {
        return kept == told.as_bytes();
    };
    let inside = told.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
    kept == told || inside.is_some_and(|inside| kept == inside)
}
