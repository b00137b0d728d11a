//! What runs, and what waits for the master.

use crate::core::part::Part;
use crate::core::search::{MOST_TASKS, PendingTask, SearchTask, TaskId, Tasks};
use crate::core::text::tidy;
use crate::sources::http::Http;
use crate::sources::search::decode::{number, whole, word};
use crate::sources::search::questions;
use serde_json::Value;
use std::collections::BTreeMap;

/// Details cost the nodes more than a list, so only what may run for long is asked for.
const TASKS: &str =
    "/_tasks?detailed=true&group_by=none&actions=*search*,*reindex*,*byquery*,*forcemerge*,*bulk*,*snapshot*";
const TASKS_READ: &[&str] = &[
    "tasks/*/node",
    "tasks/*/id",
    "tasks/*/action",
    "tasks/*/description",
    "tasks/*/start_time_in_millis",
    "tasks/*/running_time_in_nanos",
    "tasks/*/cancellable",
    "tasks/*/cancelled",
    "tasks/*/parent_task_id",
    "tasks/*/headers/X-Opaque-Id",
];
const PENDING: &str = "/_cluster/pending_tasks";
const PENDING_READ: &[&str] = &[
    "tasks/*/insert_order",
    "tasks/*/priority",
    "tasks/*/source",
    "tasks/*/executing",
    "tasks/*/time_in_queue_millis",
];

/// So much of what a task says of itself is kept: many searches in one request make megabytes of it.
const MOST_WORDS: usize = 400;

pub(super) async fn tasks(http: &Http) -> Part<Tasks> {
    let (running, pending) = tokio::join!(
        questions::part(http, TASKS, TASKS_READ, running),
        questions::of_master(http, PENDING, PENDING_READ, waiting),
    );
    running.map(|(running, total)| Tasks { running, total, pending })
}

/// `_tasks`, flat: those that nobody else began, the longest first, and how many there are.
fn running(value: &Value) -> Option<(Vec<SearchTask>, usize)> {
    let all = value.as_object()?.get("tasks").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let mut children: BTreeMap<&str, usize> = BTreeMap::new();
    for parent in all.iter().filter_map(|task| task.get("parent_task_id")?.as_str()) {
        *children.entry(parent).or_default() += 1;
    }
    let own = all.iter().filter(|task| task.get("parent_task_id").is_none());
    let mut list: Vec<SearchTask> = own.map(|task| one(task, &children)).collect();
    list.sort_by_key(|task| std::cmp::Reverse(task.running_nanos));
    let total = list.len();
    list.truncate(MOST_TASKS);
    Some((list, total))
}

fn one(task: &Value, children: &BTreeMap<&str, usize>) -> SearchTask {
    let id = format!("{}:{}", word(task, "/node"), word(task, "/id"));
    let flag = |name: &str| task.get(name).and_then(Value::as_bool);
    SearchTask {
        children: children.get(id.as_str()).copied().unwrap_or(0),
        task: TaskId {
            id,
            action: word(task, "/action"),
            start_millis: number(task, "/start_time_in_millis").unwrap_or(0.0) as i64,
        },
        node: word(task, "/node"),
        description: tidy(&word(task, "/description"), MOST_WORDS),
        running_nanos: whole(task, "/running_time_in_nanos").unwrap_or(0),
        cancellable: flag("cancellable"),
        cancelled: flag("cancelled") == Some(true),
        client: word(task, "/headers/X-Opaque-Id"),
    }
}

fn waiting(value: &Value) -> Option<Vec<PendingTask>> {
    let all = value.as_object()?.get("tasks").and_then(Value::as_array);
    let one = |task: &Value| PendingTask {
        order: whole(task, "/insert_order").unwrap_or(0),
        priority: word(task, "/priority"),
        source: word(task, "/source"),
        executing: task.get("executing").and_then(Value::as_bool) == Some(true),
        waiting_millis: whole(task, "/time_in_queue_millis").unwrap_or(0),
    };
    Some(all.into_iter().flatten().map(one).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::json;
    use serde_json::json;

    #[test]
    fn tasks_are_those_that_nobody_else_began_the_longest_first() {
        let answer = json!({"tasks": [
            {"node": "n1", "id": 1, "action": "indices:data/read/search", "start_time_in_millis": 5, "running_time_in_nanos": 10,
                "cancellable": true, "cancelled": false, "description": "indices[a]", "headers": {"X-Opaque-Id": "shop"}},
            {"node": "n2", "id": 9, "action": "indices:data/read/search[phase/query]", "parent_task_id": "n1:1",
                "running_time_in_nanos": 99, "cancellable": true},
            {"node": "n1", "id": 2, "action": "indices:data/write/reindex", "running_time_in_nanos": 20}]});
        let (list, total) =
            running(&json::read(answer.to_string().as_bytes(), TASKS_READ).expect("JSON")).expect("tasks");
        let told: Vec<_> =
            list.iter().map(|task| (task.task.id.as_str(), task.children, task.cancellable)).collect();
        assert_eq!(told, [("n1:2", 0, None), ("n1:1", 1, Some(true))]);
        assert_eq!((total, list[1].task.start_millis, list[1].client.as_str()), (2, 5, "shop"));
        assert_eq!(running(&json!({})).map(|(list, _)| list.len()), Some(0), "nothing runs");
    }
}
