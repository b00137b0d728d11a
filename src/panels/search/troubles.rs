//! What else is wrong: indices that refuse writes, lifecycles that fail, allocation that is switched off.

use super::parts::key;
use crate::core::search::{LifecycleError, SearchReading, SearchRow};
use crate::core::world::TargetState;
use crate::ui::content::{Cell, Column, Line, Role, Row, Section, Table};

/// Each with rows on which something can be done.
pub(super) fn sections(target: &TargetState, reading: &SearchReading) -> Vec<Section> {
    let (rows, lines) = (rows(target, reading), gaps(reading));
    if rows.is_empty() && lines.is_empty() {
        return Vec::new();
    }
    let table = (!rows.is_empty()).then(|| Table {
        columns: vec![
            Column::flex("what", 18, 0),
            Column::flex("is so", 40, 0),
            Column::fixed("policy", 14, 2),
            Column::number("tries", 5, 2),
        ],
        rows,
        empty: String::new(),
        fixed_order: true,
    });
    vec![Section { title: "Also".to_owned(), lines, table }]
}

fn rows(target: &TargetState, reading: &SearchReading) -> Vec<Row> {
    let mut rows = Vec::new();
    if let Some(mode) = reading.allocation.ready().and_then(|mode| mode.as_ref()) {
        let words = format!("cluster.routing.allocation.enable is {mode}");
        rows.push(Row::flat(
            key(&target.id, SearchRow::Allocation),
            vec![Cell::of(Role::Strong, "allocation"), Cell::of(Role::Warning, words), dash(), dash()],
        ));
    }
    for index in reading.read_only.ready().into_iter().flatten() {
        let words = "refuses writes: a disk was full (read_only_allow_delete)";
        rows.push(Row::flat(
            key(&target.id, SearchRow::Blocked(index.clone())),
            vec![Cell::of(Role::Strong, index), Cell::of(Role::Critical, words), dash(), dash()],
        ));
    }
    let failing = reading.lifecycle.ready().into_iter().flatten();
    rows.extend(failing.map(|failed| lifecycle(target, failed)));
    rows
}

fn lifecycle(target: &TargetState, failed: &LifecycleError) -> Row {
    let state = if failed.stands { "fails at" } else { "is tried again at" };
    let words = format!("its lifecycle {state} {}: {}", failed.step, failed.reason);
    let tries = failed.retries.map(|tries| tries as f64);
    Row::flat(
        key(&target.id, SearchRow::Lifecycle(failed.index.clone())),
        vec![
            Cell::of(Role::Strong, &failed.index),
            Cell::of(Role::Warning, words),
            Cell::text(&failed.policy),
            Cell::figure(tries, |tries| format!("{tries:.0}")),
        ],
    )
}

fn dash() -> Cell {
    Cell::of(Role::Muted, "—")
}

fn gaps(reading: &SearchReading) -> Vec<Line> {
    let gaps = [
        ("write blocks", reading.read_only.gap()),
        ("lifecycles", reading.lifecycle.gap()),
        ("settings", reading.allocation.gap()),
    ];
    let line = |(what, gap): (&str, Option<&crate::core::part::Gap>)| {
        gap.map(|gap| Line::of(Role::Muted, format!("{what} are not read: {}", gap.note)))
    };
    gaps.into_iter().filter_map(line).collect()
}
