//! What may be done to shards, indices, tasks and the switch of allocation, and what is said of it before.

mod parts;
mod shards;

use super::parts::current;
use crate::core::action::{Offer, Refusal};
use crate::core::ids::TargetId;
use crate::core::row::RowKey;
use crate::core::search::{
    Keeper, SearchAction, SearchNode, SearchReading, SearchRow, SearchTask, TaskId, unknown_disk,
};
use crate::core::text::tidy;
use crate::panels::panel::PanelContext;
use crate::ui::format::duration;
use parts::{Choice, chosen, fact, offer, unknown, who};
use std::time::Duration;

/// What may be done to `row`, the safe thing that fits first.
pub(super) fn offers(context: PanelContext<'_>, row: &RowKey) -> Vec<Offer> {
    let Some((id, row)) = row.search() else { return Vec::new() };
    let one = |letter, label: &str, effect: &str, choice| vec![offer(letter, (label, effect), choice)];
    match row {
        SearchRow::Group { .. } | SearchRow::Shard { .. } => shards::offers(context, id, row),
        SearchRow::Blocked(index) => one(
            'u',
            "remove the read-only block",
            "the index takes writes again; refused while a disk is past its marks",
            unblock(context, id, index),
        ),
        SearchRow::Lifecycle(index) => one(
            's',
            "retry the failed step",
            "its lifecycle tries that step once more; mend the cause first",
            retry_step(context, id, index),
        ),
        SearchRow::Allocation => one(
            'a',
            "switch allocation on again",
            "shards on no node are built; that costs network and disks",
            shards::allocate(context, id),
        ),
        SearchRow::Task(task) => one(
            'k',
            "cancel the task",
            "it ends at its next check; what it has written stays",
            cancel(context, id, task),
        ),
        SearchRow::Node(_) | SearchRow::Look(_) | SearchRow::Listed(..) => Vec::new(),
    }
}

fn unblock(context: PanelContext<'_>, id: &TargetId, index: &str) -> Choice {
    let (target, reading) = current(context, id)?;
    if !reading.read_only.ready().is_some_and(|all| all.iter().any(|name| name == index)) {
        return Err(Refusal::new("it is not blocked any more"));
    }
    let Some(nodes) = reading.nodes.ready() else {
        return Err(Refusal::new("the disks of the nodes are not read: a full one would block it again")
            .remedy("it takes the cluster privilege `monitor`"));
    };
    if let Some(refusal) = unknown(reading, unknown_disk) {
        return Err(refusal);
    }
    if let Some(full) = nodes.iter().find_map(SearchNode::past_its_marks) {
        return Err(Refusal::new(full)
            .remedy("free disk or add a node first: then the block goes by itself (7.4 and newer)"));
    }
    let act = SearchAction::Unblock { index: who(reading, index)? };
    let disks = if nodes.iter().any(SearchNode::is_unwatched) {
        "the cluster does not watch them: nothing stops them from filling up"
    } else {
        "all are within their marks; they are looked at once more before it is sent"
    };
    let facts = vec![
        fact("index", index),
        fact("block", "read_only_allow_delete, which a full disk puts there: writes get 429 or 403"),
        fact("disks", disks),
        fact("then", "writes are taken again; other blocks and settings stay as they are"),
        fact("not", "no disk is freed: past its flood stage the cluster puts the block back"),
    ];
    Ok(chosen(target, act, (format!("Remove the read-only block of {index}"), 'u'), facts))
}

fn retry_step(context: PanelContext<'_>, id: &TargetId, index: &str) -> Choice {
    let (target, reading) = current(context, id)?;
    let mut failing = reading.lifecycle.ready().into_iter().flatten();
    let Some(failed) = failing.find(|failed| failed.index == index) else {
        return Err(Refusal::new("its lifecycle does not fail any more"));
    };
    if !failed.stands {
        return Err(Refusal::new("the cluster is trying that step again by itself just now")
            .remedy("wait whether it fails again"));
    }
    let act = SearchAction::RetryStep {
        index: who(reading, index)?,
        step: failed.step.clone(),
        keeper: failed.keeper,
    };
    let keeper = match failed.keeper {
        Keeper::Ilm => "index lifecycle management",
        Keeper::Ism => "index state management",
    };
    let facts = vec![
        fact("index", index),
        fact("policy", format!("{} ({keeper})", failed.policy)),
        fact("step", failed.step.as_str()),
        fact("it failed by", tidy(&failed.reason, 200)),
        fact(
            "then",
            "that step is tried once more, with the policy as it is now; what follows it goes on by itself",
        ),
        fact("not", "the cause stays as it is: without mending it fails again"),
    ];
    Ok(chosen(target, act, (format!("Retry {} of {index}", failed.step), 's'), facts))
}

fn cancel(context: PanelContext<'_>, id: &TargetId, task: &TaskId) -> Choice {
    let (target, reading) = current(context, id)?;
    let running = reading.looks.tasks.ready().map_or(&[][..], |tasks| &tasks.running);
    let Some(found) = running.iter().find(|found| found.task == *task) else {
        return Err(Refusal::new("it ended, or its page is not read any more"));
    };
    if found.cancellable != Some(true) {
        return Err(Refusal::new("this task cannot be asked to end: only waiting helps"));
    }
    if found.cancelled {
        return Err(Refusal::new("it was asked to end already, and does so at its next check"));
    }
    let act = SearchAction::CancelTask { task: task.clone() };
    Ok(chosen(target, act, (format!("Cancel task {}", task.id), 'k'), about(reading, found)))
}

fn about(reading: &SearchReading, found: &SearchTask) -> Vec<(String, String)> {
    let mut nodes = reading.nodes.ready().into_iter().flatten();
    let node = nodes.find(|node| node.id == found.node).map_or(&found.node, |node| &node.name);
    let what = &found.task.action;
    let lost = if what.contains("reindex") || what.contains("byquery") || what.contains("bulk") {
        "what it has written so far stays written; the rest is not done"
    } else {
        "its client gets an error"
    };
    let client = if found.client.is_empty() { "it does not say" } else { &found.client };
    vec![
        fact("what", what.as_str()),
        fact("node", node.as_str()),
        fact("client", client),
        fact("runs for", duration(Duration::from_nanos(found.running_nanos))),
        fact("in its words", tidy(&found.description, 300)),
        fact("parts", format!("{} run on their own and end with it", found.children)),
        fact("then", "it ends at its next check, not at once"),
        fact("lost", lost),
    ]
}
