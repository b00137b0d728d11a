//! Screen 7: search clusters: the cluster's own verdict, its nodes against their watermarks, shards that are on no node and why, what
//! refuses writes, and what is read only while somebody looks.

mod acts;
mod cluster;
mod looks;
mod parts;
mod shards;
mod troubles;

use crate::core::action::Offer;
use crate::core::focus::Focus;
use crate::core::ids::TargetId;
use crate::core::place::Screen;
use crate::core::row::RowKey;
use crate::core::search::SearchRow;
use crate::core::world::TargetState;
use crate::panels::graphs;
use crate::panels::panel::{self, Panel, PanelContext};
use crate::panels::signals::Told;
use crate::ui::content::{Content, Section};
use crate::ui::format::{or_dash, percent, rate};

/// The search screen.
#[derive(Clone, Copy, Debug)]
pub struct Search;

impl Panel for Search {
    fn screen(&self) -> Screen {
        Screen::Search
    }

    fn title(&self) -> &'static str {
        "search"
    }

    fn help(&self) -> &'static str {
        "search clusters: their verdict, nodes against watermarks, shards on no node and why"
    }

    fn content(&self, context: PanelContext<'_>, path: &[RowKey]) -> Content {
        if let Some(content) = looks::content(context, path) {
            return content;
        }
        let clusters = context.targets().filter(|target| target.system.search().is_some());
        let mut sections: Vec<Section> = graphs::traffic(context, clusters).into_iter().collect();
        for target in context.targets() {
            if let Some(state) = target.system.search() {
                cluster::sections(&mut sections, target, state, context);
            }
        }
        panel::screen(sections, "no search cluster is configured")
    }

    fn offers(
        &self,
        context: PanelContext<'_>,
        _path: &[RowKey],
        row: &RowKey,
        _marked: &[RowKey],
    ) -> Vec<Offer> {
        acts::offers(context, row)
    }

    fn focus(&self, _context: PanelContext<'_>, path: &[RowKey]) -> Vec<(TargetId, Focus)> {
        looks::focus(path)
    }

    fn copy(&self, _context: PanelContext<'_>, _path: &[RowKey], row: &RowKey) -> Option<String> {
        match row.search()?.1 {
            SearchRow::Blocked(name) | SearchRow::Lifecycle(name) | SearchRow::Listed(_, name) => {
                Some(name.clone())
            }
            SearchRow::Shard { index, .. } | SearchRow::Group { index, .. } => Some(index.clone()),
            SearchRow::Task(task) => Some(task.id.clone()),
            SearchRow::Node(_) | SearchRow::Allocation | SearchRow::Look(_) => None,
        }
    }
}

/// What the overview says of a cluster in one line.
pub(super) fn signal(target: &TargetState) -> Option<Told> {
    let state = target.system.search()?;
    let reading = state.reading()?;
    let status = reading.health.ready().map_or("status not known", |health| health.status.as_str());
    let text = format!(
        "{status} · {} shard searches, mean {} · heap {}",
        or_dash(state.rates.queries, rate),
        or_dash(state.rates.query_ms, |ms| format!("{ms:.1} ms")),
        or_dash(state.heap.last(), percent)
    );
    Some((text, Some("shard searches")))
}
