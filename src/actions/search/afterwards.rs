//! The look afterwards: whether an act had its effect, and whether it lasts.

use super::SearchExecutor;
use super::before::{copies, settings, text};
use crate::core::action::{ActionError, Verification};
use crate::core::search::{BLOCK, IndexId, REPLICAS, SearchAction, TaskId, segment};
use crate::core::text::tidy;
use crate::sources::search::standing;
use serde_json::Value;

/// So much of what is told about a shard that failed again is repeated.
const MOST_WORDS: usize = 200;

fn is(settled: bool, sentence: String) -> Verification {
    Verification { settled, sentence }
}

impl SearchExecutor {
    pub(super) async fn verified(&self, act: &SearchAction) -> Result<Verification, ActionError> {
        match act {
            SearchAction::RetryFailed { index, shard, primary } => {
                self.tried_again(index, shard, *primary).await
            }
            SearchAction::RetryStep { index, keeper, .. } => {
                Ok(match self.failed_step(index, *keeper).await? {
                    Some(step) => is(
                        false,
                        format!("{} stands at {step}: it failed again, or was not tried yet", index.name),
                    ),
                    None => is(true, format!("{} does not stand at a failed step any more", index.name)),
                })
            }
            SearchAction::Unblock { index } => {
                let found = self.index(index).await?;
                let Some(now) = found.as_ref().and_then(|found| settings(found, index)) else {
                    return Ok(is(true, format!("index {} is gone", index.name)));
                };
                Ok(match now.get(BLOCK).and_then(Value::as_str) {
                    Some("true") => {
                        is(true, format!("{} is blocked again: a disk is past its flood stage", index.name))
                    }
                    _ => is(true, format!("{} takes writes", index.name)),
                })
            }
            SearchAction::CancelTask { task } => self.ended(task).await,
            SearchAction::Replicas { index, to, .. } => self.fewer(index, *to).await,
            SearchAction::Allocate { .. } => self.allocated().await,
        }
    }

    async fn tried_again(
        &self,
        index: &IndexId,
        shard: &str,
        primary: bool,
    ) -> Result<Verification, ActionError> {
        let rows = self.shards(index).await?;
        let states = copies(&rows, shard, primary);
        let name = format!("shard {shard} of {}", index.name);
        if states.is_empty() {
            return Ok(is(true, format!("{name} is gone")));
        }
        if states.contains(&"INITIALIZING") {
            return Ok(is(false, format!("{name} is being built")));
        }
        if !states.contains(&"UNASSIGNED") {
            return Ok(is(true, format!("{name} is on a node")));
        }
        let path = format!(
            "/_cat/shards/{}?format=json&h=shard,prirep,state,unassigned.details",
            segment(&index.name)
        );
        let rows = self.look(&path).await?.unwrap_or(Value::Null);
        let away = |row: &&Value| text(row, "/shard") == shard && text(row, "/state") == "UNASSIGNED";
        let row = rows.as_array().into_iter().flatten().find(away);
        let why = row.map(|row| tidy(text(row, "/unassigned.details"), MOST_WORDS)).unwrap_or_default();
        let why = if why.is_empty() { String::new() } else { format!(": {why}") };
        Ok(is(false, format!("{name} is still on no node{why}")))
    }

    async fn ended(&self, task: &TaskId) -> Result<Verification, ActionError> {
        let Some(found) = self.task(task).await? else {
            return Ok(is(true, format!("task {} ended", task.id)));
        };
        let asked = found.pointer("/task/cancelled").and_then(Value::as_bool);
        // Older servers do not say whether it was asked.
        let words = if asked == Some(false) { "was not asked to end" } else { "was asked to end" };
        Ok(is(false, format!("task {} {words} and runs still", task.id)))
    }

    async fn fewer(&self, index: &IndexId, to: u64) -> Result<Verification, ActionError> {
        let found = self.index(index).await?;
        let Some(now) = found.as_ref().and_then(|found| settings(found, index)) else {
            return Ok(is(true, format!("index {} is gone", index.name)));
        };
        let wants = now.get(REPLICAS).and_then(Value::as_str).unwrap_or_default();
        if wants != to.to_string() {
            return Ok(is(true, format!("{} wants {wants}: somebody else set it", index.name)));
        }
        let rows = self.shards(index).await?;
        let away = rows.as_array().into_iter().flatten();
        let away = away.filter(|row| text(row, "/state") != "STARTED" && text(row, "/state") != "RELOCATING");
        Ok(match away.count() {
            0 => is(true, format!("{}: every shard is on a node", index.name)),
            left => is(false, format!("{}: {left} of its shards are still on no node", index.name)),
        })
    }

    async fn allocated(&self) -> Result<Verification, ActionError> {
        let http = self.http().await?;
        let now = standing::allocation(&http).await.map_err(|gap| ActionError::NotDone(gap.note))?;
        Ok(match now {
            None => is(true, "shards are allocated again".to_owned()),
            Some(mode) => is(
                true,
                format!("allocation is {mode} all the same: it stands in the nodes' own elasticsearch.yml"),
            ),
        })
    }
}
