//! The mouse chooses and opens; it changes nothing outside, and confirms nothing.

use super::navigate;
use crate::app::model::Model;
use crate::app::msg::Effect;
use crate::app::view::{Hit, hit};
use crate::core::row::RowKey;
use crate::ui::select::shown;

/// A tab is opened; a row is chosen, and opened when it was already.
pub fn clicked(model: &mut Model, column: u16, row: u16) -> Vec<Effect> {
    match hit(model, column, row) {
        Some(Hit::Tab(screen)) => navigate::go(model, screen),
        Some(Hit::Row(key)) if navigate::selected(model).as_ref() == Some(&key) => navigate::open(model),
        Some(Hit::Row(key)) => choose(model, &key),
        None => {}
    }
    Vec::new()
}

fn choose(model: &mut Model, key: &RowKey) {
    let content = navigate::content(model);
    let Some(level) = model.place_mut().levels.last_mut() else { return };
    if let Some(at) = shown(&content, level).iter().position(|row| row.key == *key) {
        level.index = at;
        level.cursor = Some(key.clone());
    }
}
