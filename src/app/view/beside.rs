//! On a wide screen: the row that is chosen, beside its list. Nothing more is read for it: where its page would need that, its values stand
//! there in full.

use crate::app::lists;
use crate::app::model::Model;
use crate::panels::opened;
use crate::ui::content::{Content, Line, Role, Row, Section};
use crate::ui::render;
use crate::ui::select::shown;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Columns of the line between the two, and of the blank behind it.
const EDGE: u16 = 2;

/// Draws it into `area`.
pub fn draw(model: &Model, list: &Content, area: Rect, buffer: &mut Buffer) {
    let Some(row) = chosen(model, list).filter(|_| area.width > EDGE) else { return };
    for y in area.y..area.bottom() {
        render::line(&Line::of(Role::Muted, "│"), Rect::new(area.x, y, 1, 1), buffer, &model.theme);
    }
    let inside = Rect::new(area.x + EDGE, area.y, area.width - EDGE, area.height);
    let content = page(model, row).unwrap_or_else(|| values(list, row));
    // No row of it is chosen: keys are about the list.
    render::unchosen(&content, inside, buffer, &model.theme);
}

/// The row under the cursor of `list`.
fn chosen<'a>(model: &Model, list: &'a Content) -> Option<&'a Row> {
    let place = model.place();
    let level = place.level()?;
    let rows = shown(list, level);
    level.position(&rows).map(|at| rows[at])
}

/// The page behind the row, where nothing more has to be read for it.
fn page(model: &Model, row: &Row) -> Option<Content> {
    let (place, seen) = (model.place(), model.seen());
    let panel = opened(model.screen, &place.path);
    if !row.opens || row.key.is_counted() || panel.jump(seen, &place.path, &row.key).is_some() {
        return None;
    }
    let below = [place.path.as_slice(), std::slice::from_ref(&row.key)].concat();
    let here = panel.focus(seen, &below) == panel.focus(seen, &place.path);
    here.then(|| model.told_page(panel.content(seen, &below)))
}

fn values(list: &Content, row: &Row) -> Content {
    let (lines, _) = lists::details(list, &row.key);
    Content { title: String::new(), sections: vec![Section::lines("All of the row", lines)] }
}
