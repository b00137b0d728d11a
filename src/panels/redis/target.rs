//! What the pages about Redis and its queues share.

use crate::core::freshness::Freshness;
use crate::core::redis::{FailedPage, FailureGroup, JobState, QueueRef, RedisRow, RedisState, groups};
use crate::core::row::RowKey;
use crate::core::world::TargetState;
use crate::panels::panel::PanelContext;
use crate::ui::content::Role;
use crate::ui::format::duration;

pub(super) fn targets(context: PanelContext<'_>) -> Vec<(&TargetState, &RedisState)> {
    context.targets().filter_map(|target| Some((target, target.system.redis()?))).collect()
}

/// Failures are read of so many queues, those with the newest first, and so many of each.
pub(super) const FAILING: usize = 12;

pub(super) const FAILING_EACH: u64 = 50;

/// The jobs that are meant by a row and the marks: with marks in several states, those in the state of the row.
pub(super) fn ids_of(row: &RowKey, marked: &[RowKey]) -> Vec<String> {
    let Some((target, RedisRow::Job(queue, _, state))) = row.redis() else { return Vec::new() };
    let rows = if marked.is_empty() { std::slice::from_ref(row) } else { marked };
    rows.iter()
        .filter_map(|key| match key.redis()? {
            // Those of another queue or server may have the same ids.
            (other, RedisRow::Job(of, id, is)) if other == target && of == queue && is == state => {
                Some(id.clone())
            }
            _ => None,
        })
        .collect()
}

/// The server that `row` belongs to.
pub(super) fn state<'a>(
    context: PanelContext<'a>,
    row: &RowKey,
) -> Option<(&'a TargetState, &'a RedisState)> {
    let (id, _) = row.redis()?;
    targets(context).into_iter().find(|(target, _)| target.id == *id)
}

/// The queue that a row is about; of a row that is about none, one that is nowhere.
pub(super) fn queue_of(key: &RowKey) -> QueueRef {
    key.queue().cloned().unwrap_or_default()
}

pub(super) fn job_key(target: &TargetState, queue: &QueueRef, id: &str, state: JobState) -> RowKey {
    RowKey::Redis(target.id.clone(), RedisRow::Job(queue.clone(), id.to_owned(), Some(state)))
}

/// How old what is read of this server is, where it is old; colours are not all that tells it.
pub(super) fn aged(target: &TargetState, context: PanelContext<'_>) -> Option<(Role, String)> {
    match target.freshness(context.now) {
        Freshness::Late(age) => Some((Role::Warning, format!("LATE, {} old", duration(age)))),
        Freshness::Lost(age) => Some((Role::Stale, format!("STALE, {} old", duration(age)))),
        Freshness::Waiting | Freshness::Fresh(_) => None,
    }
}

pub(super) fn number_role(target: &TargetState, context: PanelContext<'_>) -> Role {
    if target.freshness(context.now).is_old() { Role::Stale } else { Role::Text }
}

pub(super) fn page<'a>(
    context: PanelContext<'a>,
    key: &RowKey,
) -> Option<(&'a TargetState, &'a RedisState, Option<&'a FailedPage>)> {
    let (target, state) = state(context, key)?;
    let queue = queue_of(key);
    let page = state.reading().and_then(|reading| reading.failed.iter().find(|page| page.queue == queue));
    Some((target, state, page))
}

/// The failures of `page` that a row of jobs which failed alike stands for.
pub(super) fn alike_of(row: &RowKey, page: &FailedPage) -> Option<FailureGroup> {
    let (_, RedisRow::FailedAlike(_, fingerprint)) = row.redis()? else { return None };
    groups(&[page]).into_iter().find(|group| group.fingerprint() == *fingerprint)
}
