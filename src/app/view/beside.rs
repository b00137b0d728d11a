//! On a wide screen: the row that is chosen, beside its list. Nothing more is read for it: where its page would need that, its values stand
//! there in full.

use crate::app::lists;
use crate::app::model::Model;
use crate::app::update::navigate;
use crate::core::row::RowKey;
use crate::panels::panel;
use crate::ui::content::{Content, Line, Role, Section};
use crate::ui::render;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Columns of the line between the two, and of the blank behind it.
const EDGE: u16 = 2;

/// Draws it into `area`.
pub fn draw(model: &Model, area: Rect, buffer: &mut Buffer) {
    let Some(row) = navigate::selected(model).filter(|_| area.width > EDGE) else { return };
    for y in area.y..area.bottom() {
        render::line(&Line::of(Role::Muted, "│"), Rect::new(area.x, y, 1, 1), buffer, &model.theme);
    }
    let inside = Rect::new(area.x + EDGE, area.y, area.width - EDGE, area.height);
    let content = page(model, &row).unwrap_or_else(|| values(model, &row));
    // No row of it is chosen: keys are about the list.
    render::unchosen(&content, inside, buffer, &model.theme);
}

/// The page behind the row, where nothing more has to be read for it.
fn page(model: &Model, row: &RowKey) -> Option<Content> {
    let (place, panel, seen) = (model.place(), panel(model.screen), model.seen());
    if row.is_counted() || panel.jump(seen, &place.path, row).is_some() {
        return None;
    }
    let content = navigate::content(model);
    let mut rows =
        content.sections.iter().filter_map(|section| section.table.as_ref()).flat_map(|table| &table.rows);
    rows.find(|found| found.key == *row).filter(|found| found.opens)?;
    let below = [place.path.as_slice(), std::slice::from_ref(row)].concat();
    (panel.focus(seen, &below) == panel.focus(seen, &place.path)).then(|| panel.content(seen, &below))
}

fn values(model: &Model, row: &RowKey) -> Content {
    let (lines, _) = lists::details(model, row);
    Content { title: String::new(), sections: vec![Section::lines("All of the row", lines)] }
}
