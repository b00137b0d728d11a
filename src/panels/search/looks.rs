//! What is read only while somebody looks: the list of looks on the screen of a cluster, and the page of each.

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

/// The look that is open, and of which cluster.
fn open(path: &[RowKey]) -> Option<(&TargetId, &SearchLook)> {
    match path.last()?.search()? {
        (target, SearchRow::Look(look)) => Some((target, look)),
        _ => None,
    }
}

/// What is read for it.
pub(super) fn focus(path: &[RowKey]) -> Vec<(TargetId, Focus)> {
    open(path).map(|(target, look)| (target.clone(), Focus::Cluster(look.clone()))).into_iter().collect()
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
    let Some((target, _, reading)) = reading(context, id) else {
        let line = Line::of(Role::Muted, "nothing was read of this cluster yet");
        return Some(Content { title, sections: vec![Section::lines("", vec![line])] });
    };
    let sections = match look {
        SearchLook::Tasks => {
            read(context, look, &reading.looks.tasks, |found| tasks::sections(target, reading, found))
        }
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
