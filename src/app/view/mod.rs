//! Draws the model: status, verdict, tabs, the open screen, messages, hints, and what is open above. It changes nothing.

mod chrome;
mod overlays;

pub use overlays::overlay_lines;

use super::model::Model;
use crate::ui::content::{Content, Role};
use crate::ui::{render, text};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Below this the screen says only what matters most.
const LEAST_WIDTH: u16 = 60;
/// See [`LEAST_WIDTH`].
const LEAST_HEIGHT: u16 = 16;
/// From this width on the verdict has one line; narrower screens give it two.
const ONE_LINE_VERDICT: u16 = 120;

/// Rows that the open screen has in a terminal of this size.
#[must_use]
pub fn page_rows(width: u16, height: u16) -> usize {
    let chrome = if width >= ONE_LINE_VERDICT { 5 } else { 6 };
    usize::from(height.saturating_sub(chrome)).max(1)
}

/// Draws everything into `area`.
pub fn draw(model: &Model, area: Rect, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    whole(model, area, buffer);
    if model.theme.ascii {
        only_ascii(area, buffer);
    }
}

/// Whatever was drawn, in ASCII: our own signs by their nearest likeness, anything else of a server's text as `?`.
fn only_ascii(area: Rect, buffer: &mut Buffer) {
    for position in area.positions() {
        let cell = &mut buffer[position];
        if cell.symbol().is_ascii() {
            continue;
        }
        let likeness = match cell.symbol() {
            "│" | "┃" => "|",
            "─" | "—" | "–" => "-",
            "└" | "┌" | "┐" | "┘" | "├" | "┤" => "+",
            "…" => "~",
            "·" => ".",
            "‼" => "!",
            "Σ" => "S",
            "µ" => "u",
            "●" => "o",
            "←" => "<",
            "→" => ">",
            "↑" => "^",
            "↓" => "v",
            _ => "?",
        };
        cell.set_symbol(likeness);
    }
}

fn whole(model: &Model, area: Rect, buffer: &mut Buffer) {
    if area.width < LEAST_WIDTH || area.height < LEAST_HEIGHT {
        tiny(model, area, buffer);
        return;
    }
    let verdict_rows = if area.width >= ONE_LINE_VERDICT { 1 } else { 2 };
    let mut y = area.y;
    let mut take = |rows: u16| {
        let taken = Rect::new(area.x, y, area.width, rows);
        y += rows;
        taken
    };
    chrome::status(model, take(1), buffer);
    chrome::verdict(model, take(verdict_rows), buffer);
    chrome::tabs(model, take(1), buffer);
    let middle = take(area.height - verdict_rows - 4);
    let place = model.place();
    let content: Content = super::update::navigate::content(model);
    if let Some(level) = place.level() {
        render::content(&content, level, middle, buffer, &model.theme);
    }
    chrome::message(model, take(1), buffer);
    chrome::hints(model, take(1), buffer);
    if let Some(overlay) = &model.overlay {
        overlays::draw(model, overlay, area, buffer);
    }
}

/// A terminal too small for screens: the state, the sentence, and what would help.
fn tiny(model: &Model, area: Rect, buffer: &mut Buffer) {
    let plain = super::verdict::verdict(&model.world, model.now).plain();
    let lines = [chrome::status_text(model), plain, "make the window at least 80x24".to_owned()];
    let mut y = area.y;
    for line in lines {
        for part in wrap(&line, usize::from(area.width)) {
            if y >= area.bottom() {
                return;
            }
            render::put(buffer, Rect::new(area.x, y, area.width, 1), &part, model.theme.role(Role::Text));
            y += 1;
        }
    }
}

/// `line` broken at blanks into pieces of at most `width` columns.
#[must_use]
pub fn wrap(line: &str, width: usize) -> Vec<String> {
    let mut out = Vec::new();
    let mut current = String::new();
    for word in line.split(' ') {
        let needed = text::width(word) + usize::from(!current.is_empty());
        if !current.is_empty() && text::width(&current) + needed > width {
            out.push(std::mem::take(&mut current));
        }
        if !current.is_empty() {
            current.push(' ');
        }
        current.push_str(&text::cut(word, width));
    }
    out.push(current);
    out
}
