//! Shards on their way, indices by what is wrong and by size, aliases and data streams.

use crate::core::part::Part;
use crate::core::search::{
    Alias, IndexRow, Indices, Names, Recovery, SearchLook, SearchRow, SearchState, Stream,
};
use crate::core::text::counted;
use crate::core::time::Now;
use crate::core::time::span_of;
use crate::core::world::TargetState;
use crate::panels::search::parts::key;
use crate::ui::content::{Cell, Column, Line, Role, Row, Section, Table};
use crate::ui::format::{bytes, count, duration, percent};

fn text(words: &str) -> Cell {
    Cell::text(if words.is_empty() { "—" } else { words })
}

pub(super) fn recoveries(target: &TargetState, found: &[Recovery]) -> Vec<Section> {
    let row = |one: &Recovery| {
        let ratio = one.done_bytes.zip(one.total_bytes).filter(|(_, total)| *total > 0);
        let ratio = ratio.map(|(done, total)| done as f64 / total as f64);
        let name = format!("{}[{}] to {}", one.index, one.shard, one.to);
        let from = if one.from.is_empty() { &one.kind } else { &one.from };
        Row::flat(
            key(&target.id, SearchRow::Listed(SearchLook::Recoveries, name)),
            vec![
                Cell::of(Role::Strong, &one.index),
                Cell::number(one.shard.parse().ok(), &one.shard),
                Cell::text(&one.stage),
                Cell::figure(ratio, percent),
                Cell::figure(one.done_bytes.map(|all| all as f64), bytes),
                Cell::figure(one.total_bytes.map(|all| all as f64), bytes),
                text(from),
                text(&one.to),
                Cell::text(&one.time),
            ],
        )
    };
    let table = Table {
        columns: vec![
            Column::flex("index", 18, 0),
            Column::number("shard", 5, 0),
            Column::fixed("stage", 10, 0),
            Column::number("done", 6, 0),
            Column::number("there", 9, 1),
            Column::number("of", 9, 1),
            Column::fixed("from", 14, 0),
            Column::fixed("to", 14, 0),
            Column::fixed("for", 8, 1),
        ],
        rows: found.iter().map(row).collect(),
        empty: "no shard is on its way".to_owned(),
        fixed_order: false,
    };
    vec![Section::table(format!("On their way: {}", counted(found.len(), "shard")), table)]
}

pub(super) fn indices(target: &TargetState, state: &SearchState, found: &Indices, now: Now) -> Vec<Section> {
    let total = match found.total {
        1 => "1 index".to_owned(),
        total => format!("{total} indices"),
    };
    let mut lines =
        vec![Line::text(format!("{total}, {} closed, {}", found.closed, bytes(found.bytes as f64)))];
    if found.total > found.list.len() {
        let words = format!("{} are listed: what is wrong, then the largest", found.list.len());
        lines.push(Line::of(Role::Note, words));
    }
    let table = Table {
        columns: vec![
            Column::flex("index", 22, 0),
            Column::fixed("health", 7, 0),
            Column::number("size", 9, 0),
            Column::number("grows/h", 9, 0),
            Column::number("shards", 6, 1),
            Column::number("copies", 6, 1),
            Column::number("documents", 10, 1),
            Column::number("deleted", 9, 2),
            Column::number("age", 8, 2),
        ],
        rows: found.list.iter().map(|one| index(target, state, one, now)).collect(),
        empty: "there is no index".to_owned(),
        fixed_order: false,
    };
    vec![Section { title: "Indices".to_owned(), lines, table: Some(table) }]
}

fn index(target: &TargetState, state: &SearchState, one: &IndexRow, now: Now) -> Row {
    let whole = |value: Option<u64>| value.map(|value| value as f64);
    let health = match (one.closed, one.health.as_str()) {
        (true, _) => Cell::of(Role::Muted, "closed"),
        (false, "green") => Cell::of(Role::Ok, "green"),
        (false, "yellow") => Cell::of(Role::Warning, "yellow"),
        (false, "red") => Cell::of(Role::Critical, "red"),
        (false, _) => Cell::of(Role::Muted, "—"),
    };
    let age = one.created_millis.and_then(|at| u64::try_from(now.wall.timestamp_millis() - at).ok());
    Row::flat(
        key(&target.id, SearchRow::Listed(SearchLook::Indices, one.index.clone())),
        vec![
            Cell::of(Role::Strong, &one.index),
            health,
            Cell::figure(whole(one.bytes), bytes),
            Cell::figure(state.growth(&one.uuid), per_hour),
            Cell::figure(whole(one.primaries), count),
            Cell::figure(whole(one.replicas), count),
            Cell::figure(whole(one.documents), count),
            Cell::figure(whole(one.deleted), count),
            Cell::figure(age.map(|millis| millis as f64 / 1000.0), |age| duration(span_of(age))),
        ],
    )
}

/// Bytes that an index grows by in an hour; it may shrink, too.
fn per_hour(grows: f64) -> String {
    if grows < 0.0 { format!("-{}", bytes(-grows)) } else { format!("+{}", bytes(grows)) }
}

pub(super) fn names(target: &TargetState, found: &Names) -> Vec<Section> {
    let row = |alias: &Alias| {
        let behind = match alias.indices.as_slice() {
            [one] => one.clone(),
            all => format!("{} indices", all.len()),
        };
        let trouble = alias.trouble();
        Row::flat(
            key(&target.id, SearchRow::Listed(SearchLook::Names, alias.alias.clone())),
            vec![
                Cell::of(Role::Strong, &alias.alias),
                Cell::text(behind),
                Cell::text(if alias.filtered { "filtered" } else { "—" }),
                text(&alias.writes.join(", ")),
                match trouble {
                    Some(words) => Cell::of(Role::Warning, words),
                    None => Cell::of(Role::Ok, "ok"),
                },
            ],
        )
    };
    let aliases = Table {
        columns: vec![
            Column::flex("alias", 18, 0),
            Column::flex("points to", 18, 0),
            Column::fixed("filter", 9, 1),
            Column::flex("writes go to", 18, 1),
            Column::flex("judged", 30, 0),
        ],
        rows: found.aliases.iter().map(row).collect(),
        empty: "there is no alias".to_owned(),
        fixed_order: false,
    };
    let wrong = found.aliases.iter().filter(|alias| alias.trouble().is_some()).count();
    let title = format!("Aliases: {}, {wrong} with trouble", found.aliases.len());
    vec![Section::table(title, aliases), streams(target, found)]
}

fn streams(target: &TargetState, found: &Names) -> Section {
    let list = match &found.streams {
        Part::Ready(list) => list,
        Part::Unavailable(gap) => {
            return Section::lines("Data streams", vec![Line::of(Role::Muted, &gap.note)]);
        }
        Part::NotAsked => return Section::default(),
    };
    let row = |stream: &Stream| {
        let role = match stream.status.as_str() {
            "GREEN" => Role::Ok,
            "YELLOW" => Role::Warning,
            _ => Role::Critical,
        };
        let name = format!("stream {}", stream.name);
        Row::flat(
            key(&target.id, SearchRow::Listed(SearchLook::Names, name)),
            vec![
                Cell::of(Role::Strong, &stream.name),
                Cell::of(role, &stream.status),
                Cell::number(Some(stream.indices as f64), stream.indices.to_string()),
                Cell::figure(stream.generation.map(|rolled| rolled as f64), count),
                text(&stream.writes),
                text(&stream.policy),
                text(&stream.template),
            ],
        )
    };
    let table = Table {
        columns: vec![
            Column::flex("stream", 18, 0),
            Column::fixed("status", 7, 0),
            Column::number("indices", 7, 0),
            Column::number("generation", 10, 1),
            Column::flex("writes go to", 20, 1),
            Column::fixed("policy", 14, 0),
            Column::fixed("template", 14, 2),
        ],
        rows: list.iter().map(row).collect(),
        empty: "there is no data stream".to_owned(),
        fixed_order: false,
    };
    Section::table("Data streams", table)
}
