//! The logs screen: what each Loki receives, errors by stream, the team's own panels; and the lines that were asked for, from here or from
//! a row of another screen.

mod lines;
mod parts;
pub mod question;
mod streams;

use crate::core::focus::Focus;
use crate::core::ids::TargetId;
use crate::core::loki::LokiRow;
use crate::core::place::Screen;
use crate::core::row::RowKey;
use crate::core::world::TargetState;
use crate::panels::panel::{Panel, PanelContext};
use crate::panels::signals::Told;
use crate::ui::content::{Content, Line, Role, Section};

/// The logs screen.
#[derive(Clone, Copy, Debug)]
pub struct Logs;

impl Panel for Logs {
    fn screen(&self) -> Screen {
        Screen::Logs
    }

    fn title(&self) -> &'static str {
        "logs"
    }

    fn help(&self) -> &'static str {
        "what each Loki receives, errors a minute by stream, your own panels, and the lines"
    }

    fn content(&self, context: PanelContext<'_>, path: &[RowKey]) -> Content {
        if let Some(RowKey::Loki(id, row)) = path.last() {
            return match row {
                LokiRow::Line(at, digest) => lines::one(context, id, (*at, *digest)),
                LokiRow::Lines(_) | LokiRow::Stream(_) | LokiRow::Panel { .. } => {
                    lines::page(context, id, row)
                }
            };
        }
        let mut sections = Vec::new();
        for target in context.targets() {
            if let Some(state) = target.system.loki() {
                streams::server(&mut sections, target, state, context);
            }
        }
        if sections.is_empty() {
            let line = Line::of(Role::Muted, "no Loki is configured ([[loki]])");
            sections.push(Section::lines("", vec![line]));
        }
        Content { title: String::new(), sections }
    }

    fn focus(&self, context: PanelContext<'_>, path: &[RowKey]) -> Vec<(TargetId, Focus)> {
        // A line that is open belongs to the page below it.
        let asked = path.iter().rev().find_map(|key| {
            let (id, row) = key.loki()?;
            Some((id.clone(), Focus::Lines(lines::question(context, id, row)?)))
        });
        asked.into_iter().collect()
    }

    fn copy(&self, context: PanelContext<'_>, _path: &[RowKey], row: &RowKey) -> Option<String> {
        let (id, row) = row.loki()?;
        match row {
            LokiRow::Line(at, digest) => lines::text(context, id, (*at, *digest)),
            LokiRow::Stream(name) => Some(name.clone()),
            LokiRow::Lines(_) | LokiRow::Panel { .. } => None,
        }
    }
}

/// What the overview says of a Loki in one line.
pub(super) fn signal(target: &TargetState) -> Option<Told> {
    let state = target.system.loki()?;
    state.reading()?.received.ready()?;
    // Where errors are not known, the line is of all lines.
    let of = if state.errors_now().is_some() { "errors a minute" } else { "lines a minute" };
    Some((streams::numbers(state), Some(of)))
}
