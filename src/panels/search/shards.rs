//! Shards on no node: grouped by what keeps them away, then one by one.

use super::parts::key;
use crate::core::part::Part;
use crate::core::row::RowKey;
use crate::core::search::{
    Cause, Fit, SearchReading, SearchRow, ShardGroup, Unassigned, UnassignedShard, plain,
};
use crate::core::text::counted;
use crate::core::world::TargetState;
use crate::ui::content::{Cell, Column, Line, Role, Row, Section, Table};

/// So many reasons are told above the groups.
const CAUSES: usize = 5;

/// Why shards are on no node, and which.
pub(super) fn sections(target: &TargetState, reading: &SearchReading) -> Vec<Section> {
    let away = match &reading.unassigned {
        Part::Ready(away) if away.total == 0 => return Vec::new(),
        Part::Ready(away) => away,
        Part::Unavailable(gap) => {
            return vec![Section::lines("Shards on no node", vec![Line::of(Role::Warning, &gap.note)])];
        }
        Part::NotAsked => return Vec::new(),
    };
    vec![why(target, away), list(target, away)]
}

fn why(target: &TargetState, away: &Unassigned) -> Section {
    let cause = |cause: &Cause| {
        let shards = counted(cause.shards, "shard");
        Line::of(Role::Warning, format!("{shards} of {}: {}", cause.of(), cause.why))
    };
    let mut lines: Vec<Line> = away.causes.iter().take(CAUSES).map(cause).collect();
    if away.causes.len() > CAUSES {
        let more = counted(away.causes.len() - CAUSES, "more reason");
        lines.push(Line::of(Role::Muted, format!("and {more}")));
    }
    if away.grouped > away.groups.len() {
        let listed = away.groups.len();
        lines.push(Line::of(Role::Note, format!("the first {listed} of {} groups are listed", away.grouped)));
    }
    let row = |group: &ShardGroup| {
        let (words, fit) = plain(&group.decider);
        let words = if words.is_empty() { &group.why } else { words };
        let role = if group.primaries > 0 { Role::Critical } else { Role::Warning };
        let row = SearchRow::Group { decider: group.decider.clone(), index: group.index.clone() };
        Row::flat(
            key(&target.id, row),
            vec![
                Cell::of(Role::Strong, &group.decider),
                Cell::text(&group.index),
                Cell::number(Some(group.shards as f64), group.shards.to_string()).role(role),
                Cell::number(Some(group.primaries as f64), group.primaries.to_string()).role(role),
                Cell::text(words),
                Cell::of(Role::Accent, fits(fit)),
            ],
        )
    };
    let table = Table {
        columns: vec![
            Column::fixed("decided by", 16, 0),
            Column::flex("of index", 14, 0),
            Column::number("shards", 6, 0),
            Column::number("primaries", 9, 1),
            Column::flex("that means", 30, 0),
            Column::fixed("what fits", 18, 0),
        ],
        rows: away.groups.iter().map(row).collect(),
        empty: String::new(),
        fixed_order: false,
    };
    Section { title: "Why they are on no node".to_owned(), lines, table: Some(table) }
}

/// What may be done that helps.
const fn fits(fit: Fit) -> &'static str {
    match fit {
        Fit::RetryFailed => "try them again",
        Fit::Replicas => "fewer copies",
        Fit::Allocate => "switch it on",
        Fit::Elsewhere => "",
    }
}

fn list(target: &TargetState, away: &Unassigned) -> Section {
    let mut lines = Vec::new();
    if away.total > away.shards.len() {
        lines.push(Line::of(
            Role::Note,
            format!("the first {} are listed, all are judged", away.shards.len()),
        ));
    }
    let row = |shard: &UnassignedShard| {
        let kind = if shard.primary { (Role::Critical, "primary") } else { (Role::Warning, "replica") };
        let key = RowKey::Search(
            target.id.clone(),
            SearchRow::Shard {
                index: shard.index.clone(),
                shard: shard.shard.clone(),
                primary: shard.primary,
            },
        );
        let why = if shard.why.is_empty() { "(not explained yet)" } else { &shard.why };
        Row::flat(
            key,
            vec![
                Cell::of(Role::Strong, &shard.index),
                Cell::number(shard.shard.parse().ok(), &shard.shard),
                Cell::of(kind.0, kind.1),
                Cell::text(&shard.reason),
                Cell::text(why),
            ],
        )
    };
    let table = Table {
        columns: vec![
            Column::flex("index", 16, 0),
            Column::number("shard", 5, 0),
            Column::fixed("copy", 8, 0),
            Column::fixed("became so by", 20, 1),
            Column::flex("and stays so because", 30, 0),
        ],
        rows: away.shards.iter().map(row).collect(),
        empty: String::new(),
        fixed_order: false,
    };
    Section { title: format!("Shards on no node: {}", away.counted()), lines, table: Some(table) }
}
