//! Moving: between screens, down into rows and up again, and along the rows of a level.

use crate::app::command::Command;
use crate::app::model::{Lens, Model, Page, Place};
use crate::core::place::Screen;
use crate::core::row::RowKey;
use crate::panels::panel;
use crate::ui::content::{Content, Role};
use crate::ui::filter::Filter;
use crate::ui::select::{Level, Only, counted, shown};
use std::sync::Arc;

/// What the open screen shows at its innermost level.
pub fn content(model: &Model) -> Arc<Content> {
    let place = model.place();
    let listed = listed(model);
    match place.level().filter(|level| level.counted) {
        Some(level) => Arc::new(counted(Content::clone(&listed), level)),
        None => listed,
    }
}

/// The same with every row, even where they are counted: as it was made for the last key, where nothing changed since.
fn listed(model: &Model) -> Arc<Content> {
    let place = model.place();
    match model.page.as_ref().filter(|page| page.is_of(model, &place)) {
        Some(page) => Arc::clone(&page.content),
        None => Arc::new(panel(model.screen).content(model.seen(), &place.path)),
    }
}

/// Keeps what is shown, so that a key that only moves along it, and the frame after it, make nothing anew.
pub fn keep(model: &mut Model) {
    let content = listed(model);
    let path = model.place().path;
    model.page = Some(Page { screen: model.screen, path, held: model.held(), content });
}

/// The row under the cursor.
pub fn selected(model: &Model) -> Option<RowKey> {
    let content = content(model);
    let place = model.place();
    let level = place.level()?;
    let rows = shown(&content, level);
    level.position(&rows).map(|at| rows[at].key.clone())
}

/// Moves the cursor, or scrolls where there are no rows.
pub fn step(model: &mut Model, command: Command) {
    let content = content(model);
    let Some(by) = command.moves(model.size.page().max(2) as i64) else {
        return;
    };
    let place = model.place_mut();
    let Some(level) = place.levels.last_mut() else {
        return;
    };
    let rows = shown(&content, level);
    match level.position(&rows) {
        Some(at) => {
            let next = (at as i64 + by).clamp(0, rows.len() as i64 - 1) as usize;
            level.index = next;
            level.cursor = Some(rows[next].key.clone());
        }
        None => level.scroll = (level.scroll as i64 + by).clamp(0, lines(&content) as i64) as usize,
    }
}

fn lines(content: &Content) -> usize {
    let lines: usize = content.sections.iter().map(|section| section.lines.len() + 2).sum();
    lines.saturating_sub(1)
}

/// Opens the row under the cursor: on another screen if it leads there, else one level down.
pub fn open(model: &mut Model) {
    let shown_now = content(model);
    let place = model.place();
    let Some(level) = place.level() else {
        return;
    };
    let rows = shown(&shown_now, level);
    let Some(at) = level.position(&rows) else {
        return;
    };
    let (key, opens) = (rows[at].key.clone(), rows[at].opens);
    if let Some(only) = Only::of(&key) {
        if let Some(level) = model.place_mut().levels.last_mut() {
            level.counted = false;
            level.only.push(only);
            level.cursor = None;
            level.index = 0;
        }
        // What counting said would hide by what the rows are filtered now.
        model.toast = None;
        return;
    }
    if let Some(target) = panel(model.screen).jump(model.seen(), &place.path, &key) {
        go(model, target.screen);
        let place = model.place_mut();
        *place = Place::default();
        if let (Some(level), Some(row)) = (place.levels.last_mut(), target.row) {
            level.cursor = Some(row);
        }
        return;
    }
    if !opens {
        model.say(Role::Note, "there is nothing behind this row");
        return;
    }
    let place = model.place_mut();
    if let Some(level) = place.levels.last_mut() {
        level.cursor = Some(key.clone());
        level.index = at;
    }
    place.path.push(key);
    place.levels.push(Level::default());
}

/// Opens what holds `text`.
pub fn find(model: &mut Model, text: &str) {
    let row = selected(model);
    let place = model.place();
    let found = panel(model.screen).find(&place.path, row.as_ref(), text);
    let Some(key) = found.filter(|_| !text.is_empty()) else {
        let name = |command| model.keymap.name(command);
        let (screen, open) = (name(Command::Screen(Screen::Queues)), name(Command::Open));
        let words = format!(
            "jobs are looked for in a queue: open one ({screen}, {open}), then {} TEXT",
            name(Command::Find)
        );
        model.say(Role::Note, words);
        return;
    };
    let place = model.place_mut();
    place.path.push(key);
    place.levels.push(Level::default());
}

/// Up: first the filter goes, then what was counted is counted again, then the marks go, then the level. It never quits.
pub fn back(model: &mut Model) {
    let place = model.place_mut();
    let Some(level) = place.levels.last_mut() else {
        return;
    };
    if !level.filter.is_empty() {
        level.filter.clear();
    } else if level.counted {
        level.counted = false;
    } else if level.only.pop().is_some() {
        level.counted = level.sort.is_some();
    } else if !level.marks.is_empty() {
        level.marks.clear();
    } else if place.path.pop().is_some() {
        place.levels.pop();
    } else if !model.is_live() {
        model.lens = Lens::Live;
    }
}

/// To another screen; to its first level when it is already open.
pub fn go(model: &mut Model, screen: Screen) {
    if model.screen == screen {
        let place = model.place_mut();
        place.path.clear();
        place.levels.truncate(1);
    } else {
        model.last_screen = model.screen;
        model.screen = screen;
    }
}

/// The screen `by` steps further, around the end.
pub fn beside(screen: Screen, by: i64) -> Screen {
    let at = Screen::ALL.iter().position(|other| *other == screen).unwrap_or(0) as i64;
    Screen::ALL[(at + by).rem_euclid(Screen::ALL.len() as i64) as usize]
}

/// Sorts by the next column; after the last one, by the panel's own order again.
pub fn sort(model: &mut Model) {
    let content = listed(model);
    let widest = content
        .sections
        .iter()
        .filter_map(|section| section.table.as_ref())
        .filter(|table| !table.fixed_order)
        .max_by_key(|table| table.columns.len())
        .map(|table| table.columns.clone());
    let Some(columns) = widest else {
        model.say(Role::Note, "the order here has a meaning; it cannot be sorted");
        return;
    };
    let Some(level) = model.place_mut().levels.last_mut() else {
        return;
    };
    let next = level.sort.map_or(0, |(column, _)| column + 1);
    level.sort = columns.get(next).map(|column| (next, column.right));
    let sentence = level.sort.map_or_else(
        || "sorted by importance".to_owned(),
        |(column, descending)| {
            let order = if descending { "highest first" } else { "lowest first" };
            let invert = model.keymap.name(Command::SortInvert);
            format!("sorted by {}, {order} ({invert} turns it around)", columns[column].title)
        },
    );
    model.say(Role::Note, sentence);
}

/// Counts the rows by the column that they are sorted by, or lists them again.
pub fn count(model: &mut Model) {
    let sorted = model.place().level().is_some_and(|level| level.sort.is_some());
    if !sorted {
        sort(model);
    }
    let Some(level) = model.place_mut().levels.last_mut() else {
        return;
    };
    if level.sort.is_none() {
        return;
    }
    level.counted = !level.counted;
    let words = if level.counted {
        let name = |command| model.keymap.name(command);
        let (sort, open, count) = (name(Command::Sort), name(Command::Open), name(Command::Count));
        format!(
            "counted by the sorted column: {sort} takes the next one, {open} lists those of a row, {count} all of them"
        )
    } else {
        "every row is listed again".to_owned()
    };
    model.say(Role::Note, words);
}

/// Turns the order around.
pub fn invert(model: &mut Model) {
    if let Some(level) = model.place_mut().levels.last_mut()
        && let Some((column, descending)) = level.sort
    {
        level.sort = Some((column, !descending));
    }
}

/// Marks the row under the cursor, or takes its mark away, and moves on.
pub fn mark(model: &mut Model) {
    let Some(row) = selected(model).filter(|row| !row.is_counted()) else {
        return;
    };
    if let Some(level) = model.place_mut().levels.last_mut()
        && level.marks.remove(&row).is_none()
    {
        level.marks.insert(row, String::new());
    }
    step(model, Command::Down);
}

/// Marks every row that is shown of the kind of the row under the cursor.
pub fn mark_all(model: &mut Model) {
    let Some(selected) = selected(model).filter(|row| !row.is_counted()) else {
        return;
    };
    let content = content(model);
    let Some(level) = model.place_mut().levels.last_mut() else {
        return;
    };
    if !Filter::parse(&level.filter).is_exact() {
        let words = "a filter by text also finds what is only called alike: filter by a column (column=value) to mark all, or mark one by one";
        model.say(Role::Warning, words);
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

/// Clears all marks of the level.
pub fn clear_marks(model: &mut Model) {
    if let Some(level) = model.place_mut().levels.last_mut() {
        level.marks.clear();
    }
}
