//! Draws the model: status, verdict, tabs, the open screen, messages, hints, and what is open above. It changes nothing.

mod beside;
mod chrome;
mod hints;
mod overlays;

use super::layout::Size;
use super::model::Model;
use super::overlay::Overlay;
use super::screen::{place_line, room};
use super::update::navigate;
use crate::core::place::Screen;
use crate::core::row::RowKey;
use crate::ui::content::{Content, Line, Role};
use crate::ui::render::{self, Rest};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// One line of the rail of production.
const RAIL: &str = "▌";

/// Draws everything into `area`.
pub fn draw(model: &Model, area: Rect, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    whole(model, railed(model, area, buffer), buffer);
    if model.theme.ascii {
        only_ascii(area, buffer);
    }
}

/// Draws the rail that tells production apart on every line, also without a colour and beside every dialog; what is left of `area`.
fn railed(model: &Model, area: Rect, buffer: &mut Buffer) -> Rect {
    let rail = model.rail(Size { width: area.width, height: area.height });
    for y in area.y..area.bottom() {
        render::line(&Line::of(Role::Critical, RAIL), Rect::new(area.x, y, rail, 1), buffer, &model.theme);
    }
    Rect { x: area.x + rail, width: area.width - rail, ..area }
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
            "─" | "—" | "–" | "▃" => "-",
            "└" | "┌" | "┐" | "┘" | "├" | "┤" | "▆" => "+",
            "…" | "▄" => "~",
            "·" | "▂" => ".",
            "‼" => "!",
            "Σ" => "S",
            "▁" => "_",
            "▅" => "=",
            "▇" => "*",
            "█" | RAIL => "#",
            "µ" => "u",
            "●" => "o",
            "←" | "‹" => "<",
            "→" | "›" => ">",
            "↑" => "^",
            "↓" => "v",
            _ => "?",
        };
        cell.set_symbol(likeness);
    }
}

fn whole(model: &Model, area: Rect, buffer: &mut Buffer) {
    let size = Size { width: area.width, height: area.height };
    if !size.shows() {
        tiny(model, area, buffer);
        return;
    }
    let verdict_rows = size.verdict_rows();
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
    let content = navigate::content(model);
    let rest = page(model, &content, middle, buffer);
    chrome::message(model, take(1), buffer);
    hints::hints(model, (content, rest), take(1), buffer);
    if let Some(overlay) = &model.overlay {
        if overlay.window().is_some() {
            // What is open stands out: the screen behind it steps back, the place, the mode and the verdict do not.
            let below =
                Rect::new(area.x, area.y + 1 + verdict_rows, area.width, area.height - verdict_rows - 3);
            buffer.set_style(below, Style::reset().patch(model.theme.role(Role::Muted)));
        }
        overlays::draw(model, overlay, area, buffer);
    }
}

/// The open screen: where one is, the page, and on a wide screen the row that is chosen beside it.
fn page(model: &Model, content: &Content, area: Rect, buffer: &mut Buffer) -> Rest {
    let place = model.place();
    let room = room(model, content);
    let above = u16::from(room.placed);
    if room.placed {
        let line = place_line(model, &navigate::listed(model), usize::from(area.width));
        render::line(&line, Rect { height: 1, ..area }, buffer, &model.theme);
    }
    let Some(level) = place.level() else { return Rest::default() };
    let list = Rect::new(area.x, area.y + above, room.columns.min(area.width), area.height - above);
    let before = model.earlier.before(model);
    let rest = render::content(content, before, level, list, buffer, &model.theme);
    if room.beside > 0 {
        let beside =
            Rect::new(area.right().saturating_sub(room.beside).max(area.x), list.y, room.beside, list.height);
        beside::draw(model, content, beside, buffer);
    }
    rest
}

/// What can be pointed at.
#[derive(Clone, Debug, PartialEq)]
pub enum Hit {
    /// The tab of a screen.
    Tab(Screen),
    /// A row of a table.
    Row(RowKey),
}

/// What is drawn at this place of the screen. Below something open nothing is pointed at.
#[must_use]
pub fn hit(model: &Model, column: u16, row: u16) -> Option<Hit> {
    let size = model.room();
    if !size.shows() || model.overlay.is_some() {
        return None;
    }
    let column = column.checked_sub(model.rail(model.size))?;
    let tabs = 1 + size.verdict_rows();
    if row == tabs {
        return chrome::tab_at(model, size.width, column).map(Hit::Tab);
    }
    let content = navigate::content(model);
    let room = room(model, &content);
    let line = row.checked_sub(tabs + 1 + u16::from(room.placed))?;
    if column >= room.columns {
        return None;
    }
    render::row_at(&content, model.place().level()?, (room.columns, room.rows), line).map(Hit::Row)
}

/// A terminal too small for screens: the mode, what is open, the sentence, the newest message, and what would help.
fn tiny(model: &Model, area: Rect, buffer: &mut Buffer) {
    let verdict = model.told(Line::text(super::verdict::verdict(model.seen()).plain()));
    let status = Line::text(chrome::status_text(model));
    let mut lines = vec![status];
    let typed = matches!(model.overlay, Some(Overlay::Palette(_)));
    if !typed && model.overlay.as_ref().is_some_and(|overlay| overlay.window().is_some()) {
        lines.push(Line::of(Role::Warning, overlays::no_room(model)));
    } else if model.overlay.is_some() {
        lines.push(chrome::message_text(model, usize::from(area.width)));
    }
    if let Some(toast) = &model.toast {
        lines.push(model.told(Line::of(toast.role, &toast.text)));
    }
    lines.extend([verdict, Line::text("make the window at least 80x24")]);
    let flowed = lines.iter().flat_map(|line| line.flow(usize::from(area.width), 0));
    for (line, y) in flowed.zip(area.y..area.bottom()) {
        render::line(&line, Rect::new(area.x, y, area.width, 1), buffer, &model.theme);
    }
}
