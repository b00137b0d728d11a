//! What is read only while somebody looks: the list of looks on the screen of a cluster, and the page of each.

mod indices;
pub(super) mod server;
mod tasks;

use super::parts::{key, reading};
use crate::core::focus::Focus;
use crate::core::ids::TargetId;
use crate::core::part::{Part, Warm};
use crate::core::row::RowKey;
use crate::core::search::{SearchLook, SearchReading, SearchRow};
use crate::core::world::TargetState;
use crate::panels::panel::PanelContext;
use crate::ui::content::{Cell, Column, Content, Line, Role, Row, Section, Table};
use crate::ui::format::duration;

/// The look that is open, and of which cluster: a node opens what its threads are at.
fn open(path: &[RowKey]) -> Option<(&TargetId, SearchLook)> {
    match path.last()?.search()? {
        (target, SearchRow::Look(look)) => Some((target, look.clone())),
        (target, SearchRow::Node(id)) => Some((target, SearchLook::HotThreads(id.clone()))),
        _ => None,
    }
}

/// What is read for it.
pub(super) fn focus(path: &[RowKey]) -> Vec<(TargetId, Focus)> {
    open(path).map(|(target, look)| (target.clone(), Focus::Cluster(look))).into_iter().collect()
}

/// Everything that can be looked at.
pub(super) fn index(target: &TargetState, _: &SearchReading, _: PanelContext<'_>) -> Section {
    let row = |look: &SearchLook| {
        let cells = vec![Cell::of(Role::Strong, look.title()), Cell::of(Role::Muted, look.help())];
        Row::opens(key(&target.id, SearchRow::Look(look.clone())), cells)
    };
    let table = Table {
        columns: vec![Column::fixed("look at", 14, 0), Column::flex("what it tells", 40, 0)],
        rows: SearchLook::ALL.iter().map(row).collect(),
        empty: String::new(),
        fixed_order: true,
    };
    Section::table("Looks: read only while they are open", table)
}

/// The page of the look that is open.
pub(super) fn content(context: PanelContext<'_>, path: &[RowKey]) -> Option<Content> {
    let (id, look) = open(path)?;
    let title = format!("{id} · {}", look.title());
    let Some((target, state, reading)) = reading(context, id) else {
        let line = Line::of(Role::Muted, "nothing was read of this cluster yet");
        return Some(Content { title, sections: vec![Section::lines("", vec![line])] });
    };
    let (looks, now) = (&reading.looks, context.now);
    let sections = match &look {
        SearchLook::Tasks => {
            read(context, &look, &looks.tasks, |found| tasks::sections(target, reading, found))
        }
        SearchLook::Recoveries => {
            read(context, &look, &looks.recoveries, |found| indices::recoveries(target, found))
        }
        SearchLook::Indices => {
            read(context, &look, &looks.indices, |found| indices::indices(target, state, found, now))
        }
        SearchLook::Names => read(context, &look, &looks.names, |found| indices::names(target, found)),
        SearchLook::Snapshots => {
            read(context, &look, &looks.snapshots, |found| server::snapshots(target, found, now))
        }
        SearchLook::Diagnosis => read(context, &look, &looks.diagnosis, |found| server::diagnosis(found)),
        SearchLook::HotThreads(node) => match &looks.hot {
            // What is known is of another node.
            Part::Ready(hot) if hot.node != *node => read(context, &look, &Part::NotAsked, server::hot),
            hot => read(context, &look, hot, server::hot),
        },
    };
    Some(Content { title, sections })
}

/// What a look brought, with its age; what stands there while it brought nothing.
fn read<T>(
    context: PanelContext<'_>,
    look: &SearchLook,
    part: &Part<Warm<T>>,
    sections: impl FnOnce(&T) -> Vec<Section>,
) -> Vec<Section> {
    match part {
        Part::Ready(found) => {
            let age = context.now.since(found.read_at);
            let role = if age > look.each() * 3 { Role::Stale } else { Role::Muted };
            let line = Line::of(role, format!("read {} ago; {}", duration(age), look.help()));
            let mut all = vec![Section::lines("", vec![line])];
            all.extend(sections(found));
            all
        }
        Part::Unavailable(gap) => {
            vec![Section::lines("", vec![Line::of(Role::Warning, &gap.note)])]
        }
        Part::NotAsked => {
            vec![Section::lines("", vec![Line::of(Role::Muted, context.unread(look.title()))])]
        }
    }
}
