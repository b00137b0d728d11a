//! What is open above the screen: help, sources, the action log, the action menu, the confirm dialog.

use super::wrap;
use crate::actions::audit::Phase;
use crate::app::model::{Kind, Model};
use crate::app::overlay::{Asking, Confirm, Menu, Overlay};
use crate::core::freshness::Freshness;
use crate::panels::PANELS;
use crate::ui::content::{Line, Role};
use crate::ui::format::duration;
use crate::ui::render;
use crate::ui::text::width;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Block, BorderType, Clear, Widget};

/// Draws `overlay` in the middle of `area`. Fields of a few letters live in the message line instead.
pub fn draw(model: &Model, overlay: &Overlay, area: Rect, buffer: &mut Buffer) {
    let inner = usize::from(area.width.saturating_sub(8)).min(110);
    let (title, lines, scroll) = match overlay {
        Overlay::Help(at) => (" Help: ↑↓ scroll, Esc closes ", help(model), *at),
        Overlay::ActionLog(at) => (" Action log (newest first): Esc closes ", log(model, inner), *at),
        Overlay::Sources(at) => (" Sources: Esc closes ", sources(model, inner), *at),
        Overlay::Menu(menu) => (" What may be done: a letter chooses, Esc closes ", entries(menu, inner), 0),
        Overlay::Confirm(dialog) => (" Confirm: Esc keeps everything as it is ", confirm(dialog, inner), 0),
        Overlay::Answer(asking) => {
            let note = model.toast.as_ref().map(|toast| (toast.role, toast.text.as_str()));
            let rows = usize::from(area.height / 2).max(1);
            (" Enter goes on to the preview, Esc leaves it ", field(asking, note, (inner, rows)), 0)
        }
        Overlay::Filter | Overlay::Palette(_) | Overlay::Arm(_) => return,
    };
    boxed(model, title, &lines, scroll, area, buffer);
}

/// How many lines a scrolling overlay has.
#[must_use]
pub fn overlay_lines(model: &Model, overlay: &Overlay) -> usize {
    match overlay {
        Overlay::Help(_) => help(model).len(),
        Overlay::ActionLog(_) => log(model, 80).len(),
        Overlay::Sources(_) => sources(model, 80).len(),
        Overlay::Menu(_)
        | Overlay::Confirm(_)
        | Overlay::Filter
        | Overlay::Palette(_)
        | Overlay::Arm(_)
        | Overlay::Answer(_) => 0,
    }
}

fn boxed(model: &Model, title: &str, lines: &[Line], scroll: usize, area: Rect, buffer: &mut Buffer) {
    let width = area.width.saturating_sub(4).min(114);
    let height = (lines.len() as u16 + 2).min(area.height.saturating_sub(2));
    let x = area.x + (area.width - width) / 2;
    let y = area.y + (area.height - height) / 2;
    let frame = Rect::new(x, y, width, height);
    Clear.render(frame, buffer);
    let set = if model.theme.ascii {
        ratatui::symbols::border::Set {
            top_left: "+",
            top_right: "+",
            bottom_left: "+",
            bottom_right: "+",
            vertical_left: "|",
            vertical_right: "|",
            horizontal_top: "-",
            horizontal_bottom: "-",
        }
    } else {
        BorderType::Plain.to_border_set()
    };
    let title = if model.theme.ascii { title.replace("↑↓", "up/down") } else { title.to_owned() };
    let block = Block::bordered().border_set(set).title(title).style(model.theme.role(Role::Text));
    let inner = block.inner(frame);
    block.render(frame, buffer);
    for (row, line) in lines.iter().skip(scroll).take(usize::from(inner.height)).enumerate() {
        let place = Rect::new(inner.x + 1, inner.y + row as u16, inner.width.saturating_sub(2), 1);
        render::line(line, place, buffer, &model.theme);
    }
}

fn help(model: &Model) -> Vec<Line> {
    let mut lines = vec![Line::of(Role::Strong, "Screens")];
    for panel in PANELS {
        lines.push(
            Line::of(Role::Accent, format!("  {:<16}", panel.screen().number()))
                .then(Role::Strong, format!("{:<13}", panel.title()))
                .then(Role::Text, panel.help()),
        );
    }
    lines.push(Line::default());
    lines.push(Line::of(Role::Strong, "Keys"));
    for entry in model.keymap.entries() {
        if matches!(entry.command, crate::app::command::Command::Screen(_)) {
            continue;
        }
        let keys: Vec<String> = entry.keys.iter().map(ToString::to_string).collect();
        let keys = if keys.is_empty() { format!(":{}", entry.name) } else { keys.join(" ") };
        lines.push(Line::of(Role::Accent, format!("  {keys:<22}")).then(Role::Text, entry.help));
    }
    lines.push(Line::default());
    lines.push(Line::text(
        "Nothing is changed without x, a letter, and a confirmation. Enter never confirms.",
    ));
    lines.push(Line::text("Every action is written to the audit trail before it is sent:"));
    lines.push(Line::of(Role::Muted, format!("  {}", model.audit_place)));
    lines
}

fn sources(model: &Model, width: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    for target in model.world.targets() {
        let freshness = target.freshness(model.now);
        let (role, state) = match freshness {
            Freshness::Waiting => (Role::Muted, "waiting for the first answer".to_owned()),
            Freshness::Fresh(age) => (Role::Ok, format!("fresh, {} old", crate::ui::format::age(age))),
            Freshness::Late(age) => (Role::Warning, format!("LATE, {} old", crate::ui::format::age(age))),
            Freshness::Lost(age) => {
                (Role::Critical, format!("LOST, no data for {}", crate::ui::format::age(age)))
            }
        };
        let took = target.took.map_or(String::new(), |took| format!(", a poll takes {}", duration(took)));
        let each = duration(target.plan.map_or(target.configured_interval, |plan| plan.interval));
        let widened =
            if target.plan.is_some_and(|plan| plan.widened) { " (widened: polls are slow)" } else { "" };
        lines.push(
            Line::of(Role::Strong, format!("{} ", target.id))
                .then(role, state)
                .then(Role::Muted, format!(", each {each}{widened}{took}")),
        );
        lines.push(Line::of(Role::Muted, format!("    {} at {}", target.kind.name(), target.address)));
        if target.failure.is_some() {
            for part in wrap(&target.silence(model.now), width.saturating_sub(4)) {
                lines.push(Line::of(Role::Warning, format!("    {part}")));
            }
        }
    }
    lines.push(Line::default());
    for sentence in &model.trail {
        lines.extend(wrap(sentence, width).into_iter().map(|part| Line::of(Role::Muted, part)));
    }
    lines
}

fn log(model: &Model, width: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Some(trouble) = &model.audit.trouble {
        lines.extend(wrap(trouble, width).into_iter().map(|part| Line::of(Role::Warning, part)));
    }
    for entry in model.audit.lines.iter().rev() {
        let (role, word) = match entry.phase {
            Phase::Intent => (Role::Muted, "intent  "),
            Phase::Refused => (Role::Warning, "refused "),
            Phase::Outcome => (Role::Strong, "outcome "),
            Phase::Verified => (Role::Ok, "verified"),
            Phase::Unknown => (Role::Warning, "unknown "),
        };
        lines.push(
            Line::of(Role::Muted, format!("{} ", entry.when(model.now))).then(role, format!("{word} ")).then(
                Role::Text,
                format!("{}@{} {} on {}", entry.who, entry.host, entry.action, entry.target),
            ),
        );
        for text in [&entry.identity, &entry.result] {
            if !text.is_empty() {
                let parts = wrap(text, width.saturating_sub(6));
                lines.extend(parts.into_iter().map(|part| Line::of(Role::Text, format!("      {part}"))));
            }
        }
    }
    if lines.is_empty() {
        lines.push(Line::text(match model.kind {
            Kind::Live => "no action is written down in this file",
            Kind::Demo => "no action was taken in this run",
        }));
    }
    match model.audit.unreadable {
        0 => {}
        1 => lines.push(Line::of(Role::Warning, "1 line of the file cannot be read")),
        count => lines.push(Line::of(Role::Warning, format!("{count} lines of the file cannot be read"))),
    }
    lines.push(Line::default());
    lines.push(Line::of(Role::Muted, format!("kept in {}", model.audit_place)));
    lines
}

fn entries(menu: &Menu, width: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    for offer in &menu.offers {
        let possible = offer.choice.is_ok();
        let role = if possible { Role::Strong } else { Role::Muted };
        lines.push(
            Line::of(if possible { Role::Accent } else { Role::Muted }, format!("{}  ", offer.letter))
                .then(role, &offer.label)
                .then(Role::Muted, format!("  {}", offer.effect)),
        );
        if let Err(refusal) = &offer.choice {
            let mut text = format!("not possible: {}", refusal.why);
            if let Some(remedy) = &refusal.remedy {
                text.push_str(&format!("; {remedy}"));
            }
            let parts = wrap(&text, width.saturating_sub(4));
            lines.extend(parts.into_iter().map(|part| Line::of(Role::Warning, format!("   {part}"))));
        }
    }
    lines
}

/// A value that is typed; of a long one its end is seen, where it is typed. Below it is what was wrong with it.
fn field(asking: &Asking, note: Option<(Role, &str)>, (columns, rows): (usize, usize)) -> Vec<Line> {
    let mut lines: Vec<Line> =
        wrap(asking.question, columns).into_iter().map(|part| Line::of(Role::Muted, part)).collect();
    lines.push(Line::default());
    let mut typed = vec![String::new()];
    for letter in format!("{}_", asking.text).chars() {
        let letter = letter.to_string();
        match typed.last_mut() {
            Some(row) if width(row) + width(&letter) <= columns => row.push_str(&letter),
            _ => typed.push(letter),
        }
    }
    let hidden = typed.len().saturating_sub(rows);
    if hidden > 0 {
        lines.push(Line::of(Role::Muted, format!("… {hidden} more lines above")));
    }
    lines.extend(typed.into_iter().skip(hidden).map(|row| Line::of(Role::Strong, row)));
    if let Some((role, note)) = note {
        lines.push(Line::default());
        lines.extend(wrap(note, columns).into_iter().map(|part| Line::of(role, part)));
    }
    lines
}

fn confirm(dialog: &Confirm, width: usize) -> Vec<Line> {
    let preview = &dialog.preview;
    let mut lines = vec![Line::of(Role::Strong, &preview.title), Line::default()];
    let label = preview.facts.iter().map(|(label, _)| label.len()).max().unwrap_or(0);
    for (name, value) in &preview.facts {
        let mut parts = wrap(value, width.saturating_sub(label + 4)).into_iter();
        let first = parts.next().unwrap_or_default();
        lines.push(Line::of(Role::Muted, format!("{name:<label$}  ")).then(Role::Text, first));
        lines.extend(parts.map(|part| Line::text(format!("{:label$}  {part}", ""))));
    }
    lines.push(Line::default());
    lines.push(Line::of(Role::Muted, "This is what will be sent:"));
    for part in wrap(&preview.statement, width.saturating_sub(4)) {
        lines.push(Line::of(Role::Accent, format!("  {part}")));
    }
    lines.push(Line::default());
    if let Some(changed) = &dialog.changed {
        lines.push(Line::of(Role::Critical, format!("Not possible any more: {changed}")));
        return lines;
    }
    lines.push(match &dialog.word {
        None => Line::of(Role::Text, "[ Keep it: Esc ]   ")
            .then(Role::Critical, preview.confirm_key.to_string())
            .then(Role::Strong, format!(" = {}", preview.title)),
        Some(word) => Line::of(Role::Text, "[ Keep it: Esc ]   type ")
            .then(Role::Critical, word)
            .then(Role::Text, " and it is done with the last letter: ")
            .then(Role::Strong, format!("{}_", dialog.typed)),
    });
    lines
}
