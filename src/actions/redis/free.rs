//! Frees deduplication ids that no job will free any more.

use super::RedisExecutor;
use super::scripts::SCRIPTS;
use crate::core::action::{ActionError, Outcome, Verdict, Verification};
use crate::core::redis::{LostHolder, QueueRef};
use crate::core::text::counted;
use redis::pipe;

fn key(queue: &QueueRef, id: &str) -> String {
    queue.key(&format!("de:{id}"))
}

/// Why an id was left alone.
fn why(word: &str) -> &str {
    match word {
        "free" => "is free already",
        "other" => "is held by another job by now",
        "there" => "is held by a job that exists again",
        "held" => "is held by a job that a worker still has",
        "timed" => "ends by itself",
        _ => "was left alone for a reason that is not known",
    }
}

impl RedisExecutor {
    pub(super) async fn free(&self, queue: &QueueRef, lost: &[LostHolder]) -> Result<Outcome, ActionError> {
        let mut connection = self.connection().await?;
        let family = self.owner(&mut connection, queue).await?;
        let mut call = Self::begin(&SCRIPTS.free, queue, family, 0, "");
        for one in lost {
            let hash = queue.key(&one.holder);
            call.key(key(queue, &one.id)).key(&hash).key(format!("{hash}:lock")).arg(&one.holder);
        }
        let words: Vec<String> = self.call(&mut connection, &call).await?;
        let freed = words.iter().filter(|word| *word == "done").count();
        let left = lost.iter().zip(&words).filter(|(_, word)| *word != "done");
        let details: Vec<(String, String)> =
            left.map(|(one, word)| (format!("deduplication id {}", one.id), why(word).to_owned())).collect();
        let verdict = match freed {
            0 => Verdict::Nothing,
            _ if details.is_empty() => Verdict::Done,
            _ => Verdict::Partly,
        };
        let summary = match (lost, freed) {
            ([one], 1) => format!("queue {queue}: deduplication id {} is free", one.id),
            ([one], _) => {
                let word = words.first().map_or("", String::as_str);
                format!("queue {queue}: deduplication id {} {}", one.id, why(word))
            }
            _ => format!("queue {queue}: {freed} of {} are free", counted(lost.len(), "deduplication id")),
        };
        Ok(Outcome { verdict, summary, details })
    }

    /// Whether none of them is held by whom it was held.
    pub(super) async fn look_at_freed(
        &self,
        queue: &QueueRef,
        lost: &[LostHolder],
    ) -> Result<Verification, ActionError> {
        let mut connection = self.connection().await?;
        let mut ask = pipe();
        for one in lost {
            ask.cmd("GET").arg(key(queue, &one.id));
        }
        let held: Vec<Option<String>> = self.answer(ask.query_async(&mut connection)).await?;
        let still = lost.iter().zip(held).filter(|(one, by)| by.as_ref() == Some(&one.holder)).count();
        let sentence = match still {
            0 => format!(
                "queue {queue}: the next job of {} comes in",
                if lost.len() == 1 { "the id" } else { "each id" }
            ),
            _ => format!("queue {queue}: {} still held", counted(still, "deduplication id")),
        };
        Ok(Verification { settled: still == 0, sentence })
    }
}
