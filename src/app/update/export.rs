//! The table under the cursor and the whole screen, as files.

use super::navigate;
use crate::app::model::Model;
use crate::app::msg::{Effect, FileText};
use crate::app::view;
use crate::ui::export::{csv, json, markdown};
use crate::ui::select::here;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::path::Path;

/// Asks for the files to be written beside the audit trail.
pub fn export(model: &Model) -> Vec<Effect> {
    let seen = model.seen().now.wall;
    let name = format!("{}-{}", model.screen.name(), seen.format("%Y%m%dT%H%M%SZ"));
    let at = seen.format("%Y-%m-%d %H:%M:%SZ").to_string();
    let file = |ending: &str, text: String| FileText { name: format!("{name}.{ending}"), text };
    let mut files = vec![file("txt", screen(model))];
    let content = navigate::content(model);
    if let Some((section, table, rows)) = model.place().level().and_then(|level| here(&content, level)) {
        let title = if section.title.is_empty() { model.screen.name() } else { &section.title };
        files.push(file("csv", csv(table, &rows)));
        files.push(file("json", json(title, &at, table, &rows)));
        files.push(file("md", markdown(title, &at, table, &rows)));
    }
    let folder = Path::new(&model.audit_place).with_file_name("exports");
    vec![Effect::Export { folder, files }]
}

/// The screen as it is drawn, in signs only.
fn screen(model: &Model) -> String {
    let area = Rect::new(0, 0, model.size.width, model.size.height);
    let mut buffer = Buffer::empty(area);
    view::draw(model, area, &mut buffer);
    let line = |y| (0..area.width).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_owned();
    (0..area.height).map(|y| line(y) + "\n").collect()
}
