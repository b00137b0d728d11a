//! The newest failures of all queues of a server by kind.

use crate::core::redis::{FailedPage, FailureGroup, QueueRef, RedisRow, RedisState, groups};
use crate::core::row::RowKey;
use crate::core::world::TargetState;
use crate::panels::panel::PanelContext;
use crate::panels::redis::target::FAILING_EACH;
use crate::ui::content::{Cell, Column, Role, Row, Section, Table};
use crate::ui::format::{of_seconds, whole};

/// Kinds of failures shown for all queues together.
const KINDS: usize = 6;

/// The newest failures of all queues by kind; nothing where only one queue fails.
pub(super) fn alike(
    context: PanelContext<'_>,
    target: &TargetState,
    state: &RedisState,
    role: Role,
) -> Option<Section> {
    let pages: Vec<&FailedPage> =
        state.reading()?.failed.iter().filter(|page| !page.jobs.is_empty()).collect();
    if pages.len() < 2 {
        return None;
    }
    let row = |group: &FailureGroup| {
        let mut queues: Vec<(&QueueRef, usize)> = Vec::new();
        for (queue, _) in &group.jobs {
            match queues.iter_mut().find(|(known, _)| *known == queue) {
                Some((_, count)) => *count += 1,
                None => queues.push((queue, 1)),
            }
        }
        queues.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let names: Vec<String> =
            queues.iter().map(|(queue, count)| format!("{} {count}", queue.name)).collect();
        let most = queues.first().map(|(queue, _)| *queue).cloned().unwrap_or_default();
        let key = RowKey::Redis(target.id.clone(), RedisRow::FailedAlike(most.clone(), group.fingerprint()));
        let newest = group.newest.map(|age| age.as_secs_f64());
        let tone = if group.recent > 0 { Role::Critical } else { role };
        Row::opens(
            key,
            vec![
                Cell::figure(Some(group.jobs.len() as f64), whole).role(Role::Strong),
                Cell::figure(Some(group.recent as f64), whole).role(tone),
                Cell::figure(newest, of_seconds).role(role),
                Cell::of(Role::Muted, names.join(", ")),
                Cell::of(role, &group.reason),
            ],
        )
    };
    let table = Table {
        columns: vec![
            Column::number("jobs", 6, 0),
            Column::number("in 5 m", 7, 0),
            Column::number("newest", 8, 0),
            Column::fixed("queues", 28, 0),
            Column::flex("reason", 24, 0),
        ],
        rows: groups(&pages).iter().take(KINDS).map(row).collect(),
        empty: String::new(),
        fixed_order: true,
    };
    Some(Section::table(
        format!(
            "The newest {FAILING_EACH} failures of each queue by kind ({} opens the most hit)",
            context.keys.open
        ),
        table,
    ))
}
