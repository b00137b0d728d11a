//! What runs on a cluster, and what waits for its master.

use crate::core::part::Part;
use crate::core::search::{PendingTask, SearchReading, SearchRow, SearchTask, Tasks};
use crate::core::text::counted;
use crate::core::world::TargetState;
use crate::panels::search::parts::key;
use crate::ui::content::{Cell, Column, Line, Role, Row, Section, Table};
use crate::ui::format::duration;
use std::time::Duration;

/// A task that runs longer than this is worth a look.
const LONG: Duration = Duration::from_secs(30);
/// So many that wait are listed.
const MOST_PENDING: usize = 50;

pub(super) fn sections(target: &TargetState, reading: &SearchReading, found: &Tasks) -> Vec<Section> {
    vec![running(target, reading, found), pending(found)]
}

fn running(target: &TargetState, reading: &SearchReading, found: &Tasks) -> Section {
    let mut lines = Vec::new();
    if found.total > found.running.len() {
        let words = format!("the longest {} of {} are listed", found.running.len(), found.total);
        lines.push(Line::of(Role::Note, words));
    }
    let name = |id: &str| {
        let mut nodes = reading.nodes.ready().into_iter().flatten();
        nodes.find(|node| node.id == id).map_or_else(|| id.to_owned(), |node| node.name.clone())
    };
    let table = Table {
        columns: vec![
            Column::number("runs for", 9, 0),
            Column::flex("what", 18, 0),
            Column::fixed("node", 12, 1),
            Column::fixed("client", 14, 2),
            Column::number("parts", 6, 2),
            Column::fixed("can end", 12, 1),
            Column::flex("in its own words", 30, 0),
        ],
        rows: found.running.iter().map(|task| row(target, task, &name(&task.node))).collect(),
        empty: "no search, reindexing or bulk write runs".to_owned(),
        fixed_order: false,
    };
    Section { title: format!("Running: {}", counted(found.total, "task")), lines, table: Some(table) }
}

fn row(target: &TargetState, task: &SearchTask, node: &str) -> Row {
    let ran = Duration::from_nanos(task.running_nanos);
    let role = if ran > LONG { Role::Warning } else { Role::Text };
    let ends = match (task.cancelled, task.cancellable) {
        (true, _) => Cell::of(Role::Note, "asked to"),
        (false, Some(true)) => Cell::text("yes"),
        (false, Some(false)) => Cell::of(Role::Muted, "no"),
        (false, None) => Cell::of(Role::Muted, "—"),
    };
    let what = task.task.action.trim_start_matches("indices:");
    Row::flat(
        key(&target.id, SearchRow::Task(task.task.clone())),
        vec![
            Cell::number(Some(ran.as_secs_f64()), duration(ran)).role(role),
            Cell::of(Role::Strong, what),
            Cell::text(node),
            Cell::text(if task.client.is_empty() { "—" } else { &task.client }),
            Cell::number(Some(task.children as f64), task.children.to_string()),
            ends,
            Cell::text(&task.description),
        ],
    )
}

fn pending(found: &Tasks) -> Section {
    let waiting = match &found.pending {
        Part::Ready(waiting) => waiting,
        Part::Unavailable(gap) => {
            return Section::lines("Waiting for the master", vec![Line::of(Role::Muted, &gap.note)]);
        }
        Part::NotAsked => return Section::default(),
    };
    if waiting.is_empty() {
        let line = Line::of(Role::Muted, "nothing waits for the master");
        return Section::lines("Waiting for the master", vec![line]);
    }
    let line = |task: &PendingTask| {
        let (role, word) = if task.executing { (Role::Note, "being done") } else { (Role::Text, "waits") };
        let waited = duration(Duration::from_millis(task.waiting_millis));
        Line::of(role, format!("{word} {waited} · {} · {}", task.priority, task.source))
    };
    let mut lines: Vec<Line> = waiting.iter().take(MOST_PENDING).map(line).collect();
    if waiting.len() > MOST_PENDING {
        lines.push(Line::of(Role::Muted, format!("and {}", counted(waiting.len() - MOST_PENDING, "more"))));
    }
    Section::lines(format!("Waiting for the master: {}", counted(waiting.len(), "task")), lines)
}
