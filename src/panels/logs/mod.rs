//! The logs screen: what each Loki receives, errors by stream, the team's own panels; logs that are read here; and the lines that were asked
//! for, from here or from a row of another screen.

mod files;
mod lines;
mod parts;
pub mod question;
mod streams;
mod wanted;

use crate::core::focus::Focus;
use crate::core::ids::TargetId;
use crate::core::log::LogRow;
use crate::core::loki::LokiRow;
use crate::core::place::Screen;
use crate::core::row::RowKey;
use crate::core::world::TargetState;
use crate::panels::panel::{Panel, PanelContext};
use crate::panels::signals::Told;
use crate::ui::content::Content;

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
        "what each Loki receives, errors a minute by stream, your own panels, logs of this machine, and the lines"
    }

    fn content(&self, context: PanelContext<'_>, path: &[RowKey]) -> Content {
        match path.last() {
            Some(key @ (RowKey::Loki(id, LokiRow::Line(..)) | RowKey::Log(id, LogRow::Line(_)))) => {
                return lines::one(context, id, key);
            }
            Some(RowKey::Loki(id, row)) => {
                return lines::page(context, std::slice::from_ref(id), lines::question(context, id, row));
            }
            Some(RowKey::Log(_, LogRow::Lines(question))) => {
                let of = files::meant(context, question).map(|(_, of)| of).unwrap_or_default();
                return lines::page(context, &of, Some(question.clone()));
            }
            _ => {}
        }
        let mut sections = Vec::new();
        for target in context.targets() {
            if let Some(state) = target.system.loki() {
                streams::server(&mut sections, target, state, context);
            }
        }
        sections.extend(files::section(context));
        if sections.is_empty() {
            sections.push(files::nowhere());
        }
        Content { title: String::new(), sections }
    }

    fn focus(&self, context: PanelContext<'_>, path: &[RowKey]) -> Vec<(TargetId, Focus)> {
        // A line that is open belongs to the page below it.
        let asked = path.iter().rev().find_map(|key| match key {
            RowKey::Loki(id, row) => {
                Some(vec![(id.clone(), Focus::Lines(lines::question(context, id, row)?))])
            }
            RowKey::Log(_, LogRow::Lines(question)) => {
                let (_, of) = files::meant(context, question)?;
                Some(of.into_iter().map(|id| (id, Focus::Lines(question.clone()))).collect())
            }
            _ => None,
        });
        asked.unwrap_or_default()
    }

    fn copy(&self, context: PanelContext<'_>, _path: &[RowKey], row: &RowKey) -> Option<String> {
        match row {
            RowKey::Loki(_, LokiRow::Line(..)) | RowKey::Log(_, LogRow::Line(_)) => lines::text(context, row),
            RowKey::Loki(_, LokiRow::Stream(name)) => Some(name.clone()),
            _ => None,
        }
    }
}

/// What the overview says of a Loki, or of a log, in one line.
pub(super) fn signal(target: &TargetState) -> Option<Told> {
    if let Some(state) = target.system.log() {
        let of = if state.errors_now().is_some() { "errors a minute" } else { "lines a minute" };
        return Some((files::numbers(state)?, Some(of)));
    }
    let state = target.system.loki()?;
    state.reading()?.received.ready()?;
    // Where errors are not known, the line is of all lines.
    let of = if state.errors_now().is_some() { "errors a minute" } else { "lines a minute" };
    Some((streams::numbers(state), Some(of)))
}
