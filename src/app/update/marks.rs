//! Marks on rows: what an act on several of them is about, and by what each was made.

use super::navigate;
use crate::app::command::Command;
use crate::app::model::Model;
use crate::core::row::RowKey;
use crate::ui::content::Role;
use crate::ui::filter::Filter;
use crate::ui::select::{here, shown};

/// Why rows that a text was found in are not marked together.
const ALIKE: &str = "a filter by text also finds what is only called alike: filter by a column (column=value) to mark all, or mark one by one";

/// Marks the row under the cursor, or takes its mark away, and moves on.
pub fn mark(model: &mut Model) {
    let Some(row) = navigate::selected(model).filter(|row| !row.is_counted()) else {
        return;
    };
    if let Some(level) = model.place_mut().levels.last_mut()
        && level.marks.remove(&row).is_none()
    {
        level.marks.insert(row.clone(), String::new());
        level.marked_last = Some(row);
    }
    navigate::step(model, Command::Down);
}

/// Marks every row from the one that was marked last to the one under the cursor, of its kind.
pub fn mark_range(model: &mut Model) {
    let Some(selected) = navigate::selected(model).filter(|row| !row.is_counted()) else {
        return;
    };
    let content = navigate::content(model);
    let mark = model.keymap.name(Command::Mark);
    let Some(level) = model.place_mut().levels.last_mut() else {
        return;
    };
    if !Filter::parse(&level.filter).is_exact() {
        model.say(Role::Warning, ALIKE);
        return;
    }
    let rows = shown(&content, level);
    let place = |key: &RowKey| rows.iter().position(|row| row.key == *key);
    let from = level.marked_last.as_ref().filter(|key| level.marks.contains_key(key)).and_then(place);
    let (Some(from), Some(to)) = (from, place(&selected)) else {
        model.say(Role::Note, format!("mark its first row ({mark}), go to its last one, then again"));
        return;
    };
    let range = &rows[from.min(to)..=from.max(to)];
    let keys: Vec<RowKey> =
        range.iter().filter(|row| row.key.is_like(&selected)).map(|row| row.key.clone()).collect();
    for key in keys {
        level.marks.entry(key).or_insert_with(|| "a range of rows".to_owned());
    }
    level.marked_last = Some(selected);
    let words = level.marked_by();
    let clear = model.keymap.name(Command::ClearMarks);
    model.say(Role::Note, format!("{words} ({clear} clears)"));
}

/// Marks every row that is shown of the kind of the row under the cursor.
pub fn mark_all(model: &mut Model) {
    let Some(selected) = navigate::selected(model).filter(|row| !row.is_counted()) else {
        return;
    };
    let content = navigate::content(model);
    let Some(level) = model.place_mut().levels.last_mut() else {
        return;
    };
    if !Filter::parse(&level.filter).is_exact() {
        model.say(Role::Warning, ALIKE);
        return;
    }
    let keys: Vec<RowKey> = shown(&content, level)
        .iter()
        .filter(|row| row.key.is_like(&selected))
        .map(|row| row.key.clone())
        .collect();
    let by = match level.filtered_by() {
        by if by.is_empty() => "no filter (every row)".to_owned(),
        by => by,
    };
    for key in keys {
        level.marks.entry(key).or_insert_with(|| by.clone());
    }
    let words = level.marked_by();
    let clear = model.keymap.name(Command::ClearMarks);
    model.say(Role::Note, format!("{words} ({clear} clears)"));
}

/// Keeps the row under the cursor on top of its table, or lets it go.
pub fn pin(model: &mut Model) {
    let Some(selected) = navigate::selected(model).filter(|row| !row.is_counted()) else {
        return;
    };
    let content = navigate::content(model);
    let pin = model.keymap.name(Command::Pin);
    let Some(level) = model.place_mut().levels.last_mut() else {
        return;
    };
    if here(&content, level).is_none_or(|(_, table, _)| table.fixed_order) {
        model.say(Role::Note, "the order here has a meaning; no row is kept on top");
        return;
    }
    let words = if level.pinned.as_ref() == Some(&selected) {
        level.pinned = None;
        "it stands where it belongs again".to_owned()
    } else {
        level.pinned = Some(selected);
        format!("it stays on top of its table ({pin} lets it go)")
    };
    model.say(Role::Note, words);
}

/// Clears all marks of the level.
pub fn clear_marks(model: &mut Model) {
    if let Some(level) = model.place_mut().levels.last_mut() {
        level.marks.clear();
    }
}
