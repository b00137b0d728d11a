//! The alerts screen: what each Alertmanager holds, in the groups in which it notifies, the silences, and what can be done about them.

pub(super) mod acts;
mod lists;
mod pages;
mod target;

use crate::core::action::{Action, Offer, Preview, Refusal};
use crate::core::alert::always_fires;
use crate::core::alertmanager::{AlertmanagerReading, AlertmanagerRow};
use crate::core::place::Screen;
use crate::core::row::RowKey;
use crate::core::text::counted;
use crate::core::world::TargetState;
use crate::panels::alerts::target::Seen;
use crate::panels::heading::heading;
use crate::panels::managers;
use crate::panels::panel::{self, Panel, PanelContext};
use crate::panels::signals::Told;
use crate::ui::content::{Content, Line, Role, Section};

/// The alerts screen.
#[derive(Clone, Copy, Debug)]
pub struct Alerts;

impl Panel for Alerts {
    fn screen(&self) -> Screen {
        Screen::Alerts
    }

    fn title(&self) -> &'static str {
        "alerts"
    }

    fn help(&self) -> &'static str {
        "what each Alertmanager holds: groups, receivers, what is silenced or inhibited, and the silences"
    }

    fn content(&self, context: PanelContext<'_>, path: &[RowKey]) -> Content {
        if let Some(RowKey::Alertmanager(id, row)) = path.last() {
            return pages::opened(context, id, row);
        }
        let mut sections = Vec::new();
        for target in context.targets().filter(|target| target.system.alertmanager().is_some()) {
            server(&mut sections, target, context);
        }
        for target in context.targets() {
            let reading = target.system.prometheus().and_then(|state| state.reading());
            let Some(known) = reading.and_then(|reading| reading.alertmanagers.ready()) else { continue };
            let lines = managers::lines(context, known);
            if !lines.is_empty() {
                sections.push(Section::lines(target.id.as_str(), lines));
            }
        }
        panel::screen(sections, "no Alertmanager is configured ([[alertmanager]])")
    }

    fn offers(
        &self,
        context: PanelContext<'_>,
        _path: &[RowKey],
        row: &RowKey,
        marked: &[RowKey],
    ) -> Vec<Offer> {
        acts::offers(context, row, marked)
    }

    fn answer(
        &self,
        context: PanelContext<'_>,
        _path: &[RowKey],
        row: &RowKey,
        marked: &[RowKey],
        typed: (char, &str),
    ) -> Result<(Action, Preview), Refusal> {
        acts::answer(context, row, marked, typed)
    }

    fn copy(&self, _context: PanelContext<'_>, _path: &[RowKey], row: &RowKey) -> Option<String> {
        match row.alertmanager()?.1 {
            AlertmanagerRow::Silence(id) => Some(id.clone()),
            AlertmanagerRow::Group { .. } | AlertmanagerRow::Alert(_) => None,
        }
    }
}

/// What the overview says of an Alertmanager in one line.
pub(super) fn signal(target: &TargetState) -> Option<Told> {
    let state = target.system.alertmanager()?;
    let reading = state.reading()?;
    reading.groups.ready()?;
    Some((numbers(reading), Some("active alerts")))
}

fn server(sections: &mut Vec<Section>, target: &TargetState, context: PanelContext<'_>) {
    let Some(seen) = Seen::of(target, context) else {
        sections.push(Section::lines("", vec![heading(target, (Role::Muted, ""), context)]));
        return;
    };
    let reading = seen.reading;
    let about = match reading.status.ready() {
        Some(status) if status.peers > 1 => {
            let members = counted(status.peers, "member");
            let words = format!("Alertmanager {} · cluster of {members}, {}", status.version, status.cluster);
            (Role::Muted, words)
        }
        Some(status) => (Role::Muted, format!("Alertmanager {}", status.version)),
        None => (Role::Note, "its version is not known".to_owned()),
    };
    let mut lines = vec![heading(target, about, context), Line::text(numbers(reading))];
    for gap in [reading.groups.gap(), reading.silences.gap()].into_iter().flatten() {
        lines.push(Line::of(Role::Warning, &gap.note));
    }
    sections.push(Section::lines("", lines));
    sections.push(lists::groups(seen));
    sections.extend(lists::silences(seen));
}

/// What it holds in numbers. The alert that must always fire is none that anybody waits for to end.
fn numbers(reading: &AlertmanagerReading) -> String {
    let (mut active, mut held, mut always) = (0, 0, 0);
    for alert in reading.alerts() {
        let count = match (alert.held.is_empty(), always_fires(alert.name())) {
            (true, true) => &mut always,
            (true, false) => &mut active,
            (false, _) => &mut held,
        };
        *count += 1;
    }
    let groups = counted(reading.groups.ready().map_or(0, Vec::len), "group");
    let standing = reading.standing().count();
    let silences = reading.silences.ready().map(|_| format!(", {}", counted(standing, "silence")));
    let always = if always > 0 { format!(", {always} that must always fire") } else { String::new() };
    format!(
        "{}, {held} kept back, in {groups}{always}{}",
        counted(active, "active alert"),
        silences.unwrap_or_default()
    )
}
