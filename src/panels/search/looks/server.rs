//! Snapshots, the server's own diagnosis, hot threads.

use crate::core::part::Part;
use crate::core::search::{
    HotThreads, Indicator, Repository, SearchLook, SearchRow, SnapshotPolicy, Snapshots,
};
use crate::core::text::counted;
use crate::core::time::Now;
use crate::core::time::span_of;
use crate::core::world::TargetState;
use crate::panels::search::parts::key;
use crate::ui::content::{Cell, Column, Line, Role, Row, Section, Table};
use crate::ui::format::duration;

/// How long ago that was; `—` where it never was.
fn ago(at: Option<i64>, now: Now) -> Cell {
    let age = at.map(|at| (now.wall.timestamp_millis() - at).max(0) as f64 / 1000.0);
    Cell::figure(age, |age| format!("{} ago", duration(span_of(age))))
}

pub(super) fn snapshots(target: &TargetState, found: &Snapshots, now: Now) -> Vec<Section> {
    let mut rows = Vec::new();
    for repository in &found.repositories {
        rows.extend(repository_rows(target, repository, now));
    }
    let table = Table {
        columns: vec![
            Column::flex("repository", 16, 0),
            Column::fixed("kind", 8, 1),
            Column::flex("snapshot", 24, 0),
            Column::fixed("state", 12, 0),
            Column::number("began", 14, 0),
            Column::number("lacks", 8, 1),
        ],
        rows,
        empty: "there is no repository: nothing is saved anywhere".to_owned(),
        fixed_order: true,
    };
    vec![Section::table("Snapshots: the newest of each repository", table), policies(target, found, now)]
}

fn repository_rows(target: &TargetState, repository: &Repository, now: Now) -> Vec<Row> {
    let row = |snapshot: &str, cells: [Cell; 4]| {
        let name = format!("{} {snapshot}", repository.name);
        let own = [Cell::of(Role::Strong, &repository.name), Cell::text(&repository.kind)];
        Row::flat(
            key(&target.id, SearchRow::Listed(SearchLook::Snapshots, name)),
            own.into_iter().chain(cells).collect(),
        )
    };
    let dash = || Cell::of(Role::Muted, "—");
    match &repository.newest {
        Part::Ready(list) if list.is_empty() => {
            vec![row("", [Cell::of(Role::Warning, "it holds none"), dash(), dash(), dash()])]
        }
        Part::Ready(list) => list
            .iter()
            .map(|one| {
                let role = match one.state.as_str() {
                    "SUCCESS" => Role::Ok,
                    "IN_PROGRESS" => Role::Note,
                    _ => Role::Warning,
                };
                let lacks = Cell::number(Some(one.failed as f64), counted(one.failed, "shard"));
                let cells =
                    [Cell::text(&one.name), Cell::of(role, &one.state), ago(one.start_millis, now), lacks];
                row(&one.name, cells)
            })
            .collect(),
        Part::Unavailable(gap) => vec![row("", [Cell::of(Role::Warning, &gap.note), dash(), dash(), dash()])],
        Part::NotAsked => {
            vec![row("", [Cell::of(Role::Muted, "not read: the first five are"), dash(), dash(), dash()])]
        }
    }
}

fn policies(target: &TargetState, found: &Snapshots, now: Now) -> Section {
    let title = "What makes snapshots by itself";
    let list = match &found.policies {
        Part::Ready(list) => list,
        Part::Unavailable(gap) => return Section::lines(title, vec![Line::of(Role::Muted, &gap.note)]),
        Part::NotAsked => return Section::default(),
    };
    let row = |policy: &SnapshotPolicy| {
        let state = match (policy.fails(), policy.success_millis) {
            (true, _) => Cell::of(Role::Critical, "the newest failed"),
            (false, None) => Cell::of(Role::Warning, "none so far"),
            (false, Some(_)) => Cell::of(Role::Ok, "ok"),
        };
        let due = policy.next_millis.map(|at| (at - now.wall.timestamp_millis()) as f64 / 1000.0);
        let due = Cell::figure(due, |left| {
            if left < 0.0 {
                format!("late {}", duration(span_of(-left)))
            } else {
                format!("in {}", duration(span_of(left)))
            }
        });
        Row::flat(
            key(&target.id, SearchRow::Listed(SearchLook::Snapshots, format!("policy {}", policy.name))),
            vec![
                Cell::of(Role::Strong, &policy.name),
                Cell::text(&policy.schedule),
                Cell::text(&policy.repository),
                ago(policy.success_millis, now),
                state,
                due,
                Cell::text(if policy.fails() { &policy.failure } else { "" }),
            ],
        )
    };
    let table = Table {
        columns: vec![
            Column::fixed("policy", 14, 0),
            Column::fixed("schedule", 16, 1),
            Column::fixed("repository", 12, 1),
            Column::number("newest good", 14, 0),
            Column::fixed("state", 18, 0),
            Column::number("next", 10, 1),
            Column::flex("why it failed", 24, 2),
        ],
        rows: list.iter().map(row).collect(),
        empty: "no policy makes any".to_owned(),
        fixed_order: true,
    };
    Section::table(title, table)
}

/// The role of what the server calls this.
pub(in crate::panels::search) fn role(status: &str) -> Role {
    match status {
        "green" => Role::Ok,
        "yellow" => Role::Warning,
        "red" => Role::Critical,
        _ => Role::Note,
    }
}

pub(super) fn diagnosis(found: &[Indicator]) -> Vec<Section> {
    let section = |indicator: &Indicator| {
        let line = Line::of(role(&indicator.status), indicator.status.to_uppercase())
            .then(Role::Text, format!(" {}", indicator.symptom));
        let mut lines = vec![line];
        lines.extend(
            indicator.impacts.iter().map(|impact| Line::of(Role::Muted, "then  ").then(Role::Note, impact)),
        );
        for found in &indicator.diagnoses {
            lines.push(Line::of(Role::Muted, "why   ").then(Role::Text, &found.cause));
            lines.push(Line::of(Role::Muted, "do    ").then(Role::Text, &found.action));
            if !found.help.is_empty() {
                lines.push(Line::of(Role::Muted, "more  ").then(Role::Muted, &found.help));
            }
        }
        Section::lines(indicator.name.replace('_', " "), lines)
    };
    found.iter().map(section).collect()
}

pub(super) fn hot(found: &HotThreads) -> Vec<Section> {
    vec![Section::lines("Hot threads", found.lines.iter().map(|line| Line::text(line).drawn()).collect())]
}
