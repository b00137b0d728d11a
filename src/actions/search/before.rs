//! The look just before an act is sent: whether its object is still what was seen.

use super::{Found, SearchExecutor};
use crate::core::action::ActionError;
use crate::core::search::{
    ALLOCATION, BLOCK, IndexId, Keeper, REPLICAS, SearchAction, SearchNode, TaskId, segment, unheard_nodes,
    unknown_disk,
};
use crate::sources::search::standing;
use serde_json::Value;

/// A text in an answer; empty where there is none.
pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The settings of an index, if one by that name has that uuid.
pub(super) fn settings<'a>(found: &'a Value, index: &IndexId) -> Option<&'a Value> {
    let settings = found.get(&index.name)?.get("settings")?;
    (settings.get("index.uuid").and_then(Value::as_str) == Some(&index.uuid)).then_some(settings)
}

/// The rows of a shard in `_cat/shards`: the state of each copy of that kind.
pub(super) fn copies<'a>(rows: &'a Value, shard: &str, primary: bool) -> Vec<&'a str> {
    let kind = if primary { "p" } else { "r" };
    let of = |row: &&Value| text(row, "/shard") == shard && text(row, "/prirep") == kind;
    rows.as_array().into_iter().flatten().filter(of).map(|row| text(row, "/state")).collect()
}

impl SearchExecutor {
    /// Who the index by that name is now, with the settings that acts are about.
    pub(super) async fn index(&self, index: &IndexId) -> Result<Found, ActionError> {
        let names = format!("index.uuid,{BLOCK},{REPLICAS},index.auto_expand_replicas");
        self.look(&format!("/{}/_settings/{names}?flat_settings=true", segment(&index.name))).await
    }

    pub(super) async fn shards(&self, index: &IndexId) -> Result<Value, ActionError> {
        let path = format!("/_cat/shards/{}?format=json&h=shard,prirep,state", segment(&index.name));
        Ok(self.look(&path).await?.unwrap_or(Value::Null))
    }

    /// The step at which the lifecycle of an index stands still; nothing where it does not.
    pub(super) async fn failed_step(
        &self,
        index: &IndexId,
        keeper: Keeper,
    ) -> Result<Option<String>, ActionError> {
        let name = segment(&index.name);
        let path = match keeper {
            Keeper::Ilm => format!("/{name}/_ilm/explain"),
            Keeper::Ism => format!("/_plugins/_ism/explain/{name}"),
        };
        let Some(found) = self.look(&path).await? else { return Ok(None) };
        let state = match keeper {
            Keeper::Ilm => found.get("indices").and_then(|all| all.get(&index.name)),
            Keeper::Ism => found.get(&index.name),
        };
        let Some(state) = state else { return Ok(None) };
        let failed = |pointer: &str| state.pointer(pointer).and_then(Value::as_bool) == Some(true);
        Ok(match keeper {
            Keeper::Ilm if text(state, "/step") == "ERROR" => Some(text(state, "/failed_step").to_owned()),
            Keeper::Ism if failed("/action/failed") || failed("/retry_info/failed") => {
                Some(text(state, "/action/name").to_owned())
            }
            Keeper::Ilm | Keeper::Ism => None,
        })
    }

    /// The task by that id, if it began when it was seen to begin, and runs.
    pub(super) async fn task(&self, task: &TaskId) -> Result<Found, ActionError> {
        // Without the filter a task of many searches answers with megabytes of them.
        let wanted = "completed,task.action,task.start_time_in_millis,task.cancellable,task.cancelled";
        let found = self.look(&format!("/_tasks/{}?filter_path={wanted}", segment(&task.id))).await?;
        Ok(found.filter(|found| {
            let began = found.pointer("/task/start_time_in_millis").and_then(Value::as_i64);
            found.get("completed").and_then(Value::as_bool) != Some(true)
                && began == Some(task.start_millis)
                && text(found, "/task/action") == task.action
        }))
    }

    /// Why it is not to be sent any more; nothing where everything is as it was seen.
    pub(super) async fn changed(&self, act: &SearchAction) -> Result<Option<String>, ActionError> {
        if let Some(index) = act.index() {
            let found = self.index(index).await?;
            let Some(now) = found.as_ref().and_then(|found| settings(found, index)) else {
                return Ok(Some(format!("index {} is gone, or another one has its name", index.name)));
            };
            return self.changed_index(act, index, now).await;
        }
        match act {
            SearchAction::CancelTask { task } => {
                let Some(found) = self.task(task).await? else {
                    return Ok(Some(format!("task {} is gone", task.id)));
                };
                let fixed = found.pointer("/task/cancellable").and_then(Value::as_bool) == Some(false);
                Ok(fixed.then(|| format!("task {} cannot be asked to end", task.id)))
            }
            SearchAction::Allocate { mode } => {
                let http = self.http().await?;
                let now = standing::allocation(&http).await.map_err(|gap| ActionError::NotDone(gap.note))?;
                let now = now.unwrap_or_else(|| "all".to_owned());
                Ok((now != *mode).then(|| format!("{ALLOCATION} is {now} by now")))
            }
            SearchAction::RetryFailed { .. }
            | SearchAction::RetryStep { .. }
            | SearchAction::Unblock { .. }
            | SearchAction::Replicas { .. } => Ok(None),
        }
    }

    /// That the index is still the one that was looked at before: a request names it, and between the look and the request an index may be
    /// removed, and an alias take its name.
    pub(super) async fn still(&self, index: &IndexId) -> Result<(), ActionError> {
        let unknown = |words: String| ActionError::Unknown(format!("it was sent, but {words}"));
        let found = self.index(index).await.map_err(|error| {
            unknown(format!("whether {} is still the index that was seen is not known ({error})", index.name))
        })?;
        let same = found.as_ref().and_then(|found| settings(found, index));
        same.map(|_| ()).ok_or_else(|| {
            unknown(format!(
                "index {} was removed meanwhile, or another one has its name: that one may have been changed",
                index.name
            ))
        })
    }

    /// Nodes with data that the cluster counts; nothing where it does not tell.
    async fn data_nodes(&self) -> Result<Option<u64>, ActionError> {
        let http = self.http().await?;
        standing::data_nodes(&http).await.map_err(|gap| ActionError::NotDone(gap.note))
    }

    async fn changed_index(
        &self,
        act: &SearchAction,
        index: &IndexId,
        now: &Value,
    ) -> Result<Option<String>, ActionError> {
        let setting = |name: &str| now.get(name).and_then(Value::as_str).unwrap_or_default();
        match act {
            SearchAction::RetryFailed { shard, primary, .. } => {
                let rows = self.shards(index).await?;
                let away = copies(&rows, shard, *primary).contains(&"UNASSIGNED");
                Ok((!away).then(|| format!("shard {shard} of {} is on a node by now", index.name)))
            }
            SearchAction::RetryStep { step, keeper, .. } => {
                let found = self.failed_step(index, *keeper).await?;
                Ok(match found {
                    Some(at) if at == *step => None,
                    Some(at) => Some(format!("{} stands at {at} by now", index.name)),
                    None => Some(format!("{} does not stand at a failed step any more", index.name)),
                })
            }
            SearchAction::Unblock { .. } => {
                if setting(BLOCK) != "true" {
                    return Ok(Some(format!("{} is not blocked any more", index.name)));
                }
                let http = self.http().await?;
                let nodes = standing::disks(&http)
                    .await
                    .map_err(|gap| ActionError::Refused(format!("the disks are not known: {}", gap.note)))?;
                let full = nodes.iter().find_map(SearchNode::past_its_marks);
                match full.or(unknown_disk(&nodes, self.data_nodes().await?)) {
                    Some(why) => Err(ActionError::Refused(why)),
                    None => Ok(None),
                }
            }
            SearchAction::Replicas { from, to, .. } => {
                let wants = setting(REPLICAS);
                if wants != from.to_string() {
                    return Ok(Some(format!("{} wants {wants} by now", index.name)));
                }
                let there = self.data_nodes().await?;
                let http = self.http().await?;
                // A node more has room for a copy that would be thrown away. Without the right to see the nodes they are counted.
                let room = match standing::disks(&http).await {
                    Err(_) => there,
                    Ok(nodes) => {
                        if let Some(why) = unheard_nodes(&nodes, there) {
                            return Err(ActionError::Refused(why));
                        }
                        let holds = |node: &&SearchNode| node.holds_data() && !node.is_frozen();
                        Some(nodes.iter().filter(holds).count() as u64)
                    }
                };
                let more = room.filter(|room| *room > to + 1);
                Ok(more.map(|room| format!("there are {room} data nodes by now, with room for more copies")))
            }
            SearchAction::CancelTask { .. } | SearchAction::Allocate { .. } => Ok(None),
        }
    }
}
