//! The letters of a redrive: those that are chosen, and the journal that names them before anything is done.

use super::RedisExecutor;
use super::jobs::NOT_TEXT;
use super::journal::Journal;
use crate::core::action::ActionError;
use crate::core::redis::{JobState, Letters, QueueRef};
use crate::core::text::counted;
use crate::sources::redis::connection::Connection;
use redis::{cmd, pipe};

/// More letters are not taken at once: the list of them is kept in memory and in the journal.
const MOST: isize = 100_000;

impl RedisExecutor {
    /// The journal, the letters that are to be dealt with, and those whose id is not text: no key can be made of that here.
    pub(super) async fn journal(
        &self,
        connection: &mut Connection,
        from: &QueueRef,
        letters: &Letters,
    ) -> Result<(Journal, Vec<(String, JobState)>, Vec<String>), ActionError> {
        let mut odd = Vec::new();
        let (folder, queue, address) = (self.folder.clone(), from.clone(), self.connect.place());
        let chosen = match letters {
            Letters::These(list) => list.clone(),
            Letters::All => {
                let (all, others) = self.all_letters(connection, from).await?;
                odd = others;
                all
            }
            Letters::Unfinished => {
                let found =
                    self.filed(move || Journal::unfinished(&folder, &address, &queue)).await.flatten();
                let none = format!("no redrive of {from} was interrupted (no journal of one is here)");
                let (journal, left) = found.ok_or(ActionError::Refused(none))?;
                return Ok((journal, left, odd));
            }
        };
        if chosen.is_empty() {
            let why = match odd.len() {
                0 => format!("{from} holds no letter"),
                _ => format!("{from} holds {}: {NOT_TEXT}", counted(odd.len(), "letter")),
            };
            return Err(ActionError::Refused(why));
        }
        let (seconds, micros): (i64, i64) = self.answer(cmd("TIME").query_async(connection)).await?;
        let list = chosen.clone();
        let begun = self.filed(move || {
            Journal::begin(&folder, &address, &queue, seconds * 1_000_000 + micros, &list)
                .map_err(|error| format!("{}: {error}", folder.display()))
        });
        match begun.await {
            Some(Ok(journal)) => Ok((journal, chosen, odd)),
            Some(Err(why)) => {
                Err(ActionError::NotDone(format!("the journal of the redrive cannot be written: {why}")))
            }
            None => Err(ActionError::NotDone("writing the journal failed".to_owned())),
        }
    }

    /// Everything that stands in a dead-letter queue now, the oldest first; apart, what stands for ids that are not text.
    async fn all_letters(
        &self,
        connection: &mut Connection,
        from: &QueueRef,
    ) -> Result<(Vec<(String, JobState)>, Vec<String>), ActionError> {
        let mut ask = pipe();
        for list in ["wait", "paused"] {
            ask.cmd("LRANGE").arg(from.key(list)).arg(-MOST).arg(-1);
        }
        for set in ["prioritized", "delayed", "failed"] {
            ask.cmd("ZRANGE").arg(from.key(set)).arg(0).arg(MOST - 1);
        }
        let lists: Vec<Vec<Vec<u8>>> = self.answer(ask.query_async(connection)).await?;
        let states = [
            JobState::Waiting,
            JobState::Waiting,
            JobState::Prioritized,
            JobState::Delayed,
            JobState::Failed,
        ];
        let (mut found, mut odd) = (Vec::new(), Vec::new());
        for (at, (mut ids, state)) in lists.into_iter().zip(states).enumerate() {
            if at < 2 {
                ids.reverse();
            }
            for id in ids {
                match String::from_utf8(id) {
                    Ok(id) if id.starts_with("0:") => {}
                    Ok(id) => found.push((id, state)),
                    Err(bytes) => odd.push(bytes.as_bytes().escape_ascii().to_string()),
                }
            }
        }
        found.truncate(MOST as usize);
        Ok((found, odd))
    }
}
