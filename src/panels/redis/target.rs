//! What the pages about Redis and its queues share.

use crate::core::place::RowKey;
use crate::core::redis::{FailedPage, JobState, QueueRef, RedisState};
use crate::core::world::{SystemState, TargetState};
use crate::panels::panel::PanelContext;
use crate::ui::content::Role;

pub(super) fn targets(context: PanelContext<'_>) -> Vec<(&TargetState, &RedisState)> {
    context
        .world
        .targets()
        .iter()
        .filter_map(|target| match &target.system {
            SystemState::Redis(state) => Some((target, &**state)),
            SystemState::Postgres(_)
            | SystemState::Search(_)
            | SystemState::Prometheus(_)
            | SystemState::Metrics(_) => None,
        })
        .collect()
}

/// Failures are read of so many queues, those with the newest first, and so many of each.
pub(super) const FAILING: usize = 12;

pub(super) const FAILING_EACH: u64 = 50;

/// The jobs that are meant by a row and the marks: with marks in several states, those in the state of the row.
pub(super) fn ids_of(row: &RowKey, marked: &[RowKey]) -> Vec<String> {
    let rows = if marked.is_empty() { std::slice::from_ref(row) } else { marked };
    rows.iter()
        .filter(|key| {
            // Those of another queue or server may have the same ids.
            let same = |segment| key.segment(segment) == row.segment(segment);
            key.kind() == "job" && [1, 2, 3, 5].into_iter().all(same)
        })
        .map(|key| key.segment(4).to_owned())
        .collect()
}

pub(super) fn state<'a>(context: PanelContext<'a>, id: &str) -> Option<(&'a TargetState, &'a RedisState)> {
    targets(context).into_iter().find(|(target, _)| target.id.as_str() == id)
}

/// The queue that a row is about: `queue` and `job` rows begin alike.
pub(super) fn queue_of(key: &RowKey) -> QueueRef {
    QueueRef { prefix: key.segment(2).to_owned(), name: key.segment(3).to_owned() }
}

pub(super) fn job_key(target: &str, queue: &QueueRef, id: &str, state: JobState) -> RowKey {
    RowKey::new(&["job", target, &queue.prefix, &queue.name, id, state.word()])
}

pub(super) fn number_role(target: &TargetState, context: PanelContext<'_>) -> Role {
    if target.freshness(context.now).is_old() { Role::Stale } else { Role::Text }
}

pub(super) fn page<'a>(
    context: PanelContext<'a>,
    key: &RowKey,
) -> Option<(&'a TargetState, &'a RedisState, Option<&'a FailedPage>)> {
    let (target, state) = state(context, key.segment(1))?;
    let queue = queue_of(key);
    let page = state.reading().and_then(|reading| reading.failed.iter().find(|page| page.queue == queue));
    Some((target, state, page))
}
