//! How the operator wants a table: its order, its columns, whether it is wide, whether it stands alone. It is kept for each table, as long
//! as the run lasts.

use super::{navigate, opening};
use crate::app::command::Command;
use crate::app::layout::Laid;
use crate::app::model::Model;
use crate::app::overlay::{Choosing, Columns, Overlay};
use crate::app::window::Window;
use crate::ui::content::{Content, Role, Section, Table};
use crate::ui::filter::column;
use crate::ui::select::{Level, View, here, name};

/// The table under the cursor, as far as it is wanted here.
struct Wanted {
    name: String,
    /// Headings, and whether numbers stand below them.
    titles: Vec<(String, bool)>,
    fixed: bool,
    view: View,
}

impl Wanted {
    fn of(section: &Section, table: &Table, level: &Level) -> Self {
        let titles = table.columns.iter().map(|column| (column.title.to_string(), column.right)).collect();
        let view = level.view(section, table).cloned().unwrap_or_default();
        Self { name: name(section, table), titles, fixed: table.fixed_order, view }
    }
}

/// The table under the cursor; while its rows are counted, the one whose rows they are.
fn wanted(model: &Model) -> Option<Wanted> {
    let content = navigate::listed(model);
    let place = model.place();
    let level = place.level()?;
    let (section, table) = if level.counted { first(&content, level)? } else { under(&content, level)? };
    Some(Wanted::of(section, table, level))
}

fn under<'a>(content: &'a Content, level: &Level) -> Option<(&'a Section, &'a Table)> {
    here(content, level).map(|(section, table, _)| (section, table))
}

/// The first table that is sorted.
fn first<'a>(content: &'a Content, level: &Level) -> Option<(&'a Section, &'a Table)> {
    let tables = content.sections.iter().filter_map(|section| Some((section, section.table.as_ref()?)));
    tables
        .into_iter()
        .find(|(section, table)| level.view(section, table).is_some_and(|view| view.sort.is_some()))
}

/// Changes how a table is wanted, and keeps that for when it is seen again.
fn change(model: &mut Model, table: &str, by: impl FnOnce(&mut View)) {
    let (screen, place) = (model.screen, model.place_mut());
    let depth = place.path.len();
    let Some(level) = place.levels.last_mut() else { return };
    by(level.views.entry(table.to_owned()).or_default());
    let views = level.views.clone();
    model.habits.views.insert((screen, depth), views);
}

fn none(model: &mut Model) {
    model.say(Role::Note, "there is no table here");
}

/// Opens the list of columns.
pub fn choose(model: &mut Model, what: Choosing) {
    let Some(table) = wanted(model) else { return none(model) };
    if table.fixed && what == Choosing::Sort {
        model.say(Role::Note, "the order here has a meaning; it cannot be sorted");
        return;
    }
    // The panel's own order stands in front of the columns.
    let at = match what {
        Choosing::Sort => table.view.sort.map_or(0, |(column, _)| column + 1),
        Choosing::Shown => 0,
    };
    let columns = Columns { what, table: table.name, titles: table.titles, at, window: Window::default() };
    opening::open(model, Overlay::Columns(Box::new(columns)));
}

/// A command while the list of columns is open.
pub fn run(model: &mut Model, command: Command, mut columns: Box<Columns>, laid: Option<&Laid>) {
    let lines = columns.titles.len() + usize::from(columns.what == Choosing::Sort);
    if let Some(by) = command.moves(laid.map_or(1, |laid| laid.rows) as i64) {
        columns.at = (columns.at as i64).saturating_add(by).clamp(0, lines as i64 - 1) as usize;
        if let Some(laid) = laid {
            if columns.at + 1 == lines {
                // What stands below the list is read from its end.
                columns.window.reveal(laid.sheet.body.len().saturating_sub(1), laid);
            }
            columns.window.reveal(columns.at, laid);
        }
        model.overlay = Some(Overlay::Columns(columns));
        return;
    }
    match (columns.what, command) {
        (Choosing::Sort, Command::Open) => {
            let by = columns.at.checked_sub(1).and_then(|at| Some((at, columns.titles.get(at)?.1)));
            sort_by(model, &columns.table, &columns.titles, by);
        }
        (Choosing::Sort, Command::SortInvert) => {
            invert(model);
            model.overlay = Some(Overlay::Columns(columns));
        }
        (Choosing::Shown, Command::Open | Command::Mark) => {
            let title = columns.titles.get(columns.at).map(|(title, _)| title.clone()).unwrap_or_default();
            if columns.at == 0 {
                model.say(Role::Note, "the first column says what a row is about: it stays");
            } else {
                change(model, &columns.table, |view| view.toggle(&title));
            }
            model.overlay = Some(Overlay::Columns(columns));
        }
        (Choosing::Sort, Command::Back | Command::Sort)
        | (Choosing::Shown, Command::Back | Command::Columns) => {}
        _ => model.overlay = Some(Overlay::Columns(columns)),
    }
}

fn sort_by(model: &mut Model, table: &str, titles: &[(String, bool)], by: Option<(usize, bool)>) {
    change(model, table, |view| view.sort = by);
    let sentence = by.map_or_else(
        || "sorted by importance".to_owned(),
        |(column, descending)| {
            let order = if descending { "highest first" } else { "lowest first" };
            let invert = model.keymap.name(Command::SortInvert);
            let title = titles.get(column).map_or("a column that is not here", |(title, _)| title.as_str());
            format!("sorted by {title}, {order} ({invert} turns it around)")
        },
    );
    model.say(Role::Note, sentence);
}

/// Sorts by what was typed: a column's name, `asc` or `desc` behind it.
pub fn sort_typed(model: &mut Model, text: &str) {
    let (words, wanted_order) = match text.rsplit_once(char::is_whitespace) {
        Some((words, "desc")) => (words.trim(), Some(true)),
        Some((words, "asc")) => (words.trim(), Some(false)),
        Some(_) | None => (text, None),
    };
    let content = navigate::listed(model);
    let place = model.place();
    let Some(level) = place.level() else { return };
    let folded = words.to_lowercase().replace(' ', "");
    let tables = under(&content, level).into_iter();
    let all = content.sections.iter().filter_map(|section| Some((section, section.table.as_ref()?)));
    let found = tables
        .chain(all)
        .filter(|(_, table)| !table.fixed_order)
        .find_map(|(section, table)| Some((Wanted::of(section, table, level), column(table, &folded)?)));
    let Some((table, at)) = found else {
        let titles = columns(model).join(", ");
        let words = if titles.is_empty() {
            "the order here has a meaning; it cannot be sorted".to_owned()
        } else {
            format!("no column is called {words}; there are {titles}")
        };
        model.say(Role::Warning, words);
        return;
    };
    let descending = wanted_order.unwrap_or(table.titles[at].1);
    sort_by(model, &table.name, &table.titles, Some((at, descending)));
}

/// The headings of the table under the cursor, where it can be sorted.
pub fn columns(model: &Model) -> Vec<String> {
    let table = wanted(model).filter(|table| !table.fixed);
    let titles = table.into_iter().flat_map(|table| table.titles);
    titles.map(|(title, _)| title).filter(|title| !title.is_empty()).collect()
}

/// Sorts by the column beside the one that is sorted by.
pub fn beside(model: &mut Model, by: i64) {
    let Some(table) = wanted(model) else { return none(model) };
    if table.fixed {
        model.say(Role::Note, "the order here has a meaning; it cannot be sorted");
        return;
    }
    let last = table.titles.len() as i64 - 1;
    let at = table.view.sort.map_or(if by > 0 { 0 } else { last }, |(at, _)| at as i64 + by);
    let by = (0..=last).contains(&at).then(|| (at as usize, table.titles[at as usize].1));
    sort_by(model, &table.name, &table.titles, by);
}

/// Turns the order around.
pub fn invert(model: &mut Model) {
    let Some(table) = wanted(model) else { return none(model) };
    let Some((column, descending)) = table.view.sort else {
        model.say(Role::Note, "it is not sorted by a column");
        return;
    };
    sort_by(model, &table.name, &table.titles, Some((column, !descending)));
}

/// Counts the rows by the column that they are sorted by, or lists them again.
pub fn count(model: &mut Model) {
    let Some(table) = wanted(model) else { return none(model) };
    if table.fixed {
        model.say(Role::Note, "the order here has a meaning; it cannot be counted");
        return;
    }
    if table.view.sort.is_none() {
        change(model, &table.name, |view| view.sort = Some((0, table.titles[0].1)));
    }
    let Some(level) = model.place_mut().levels.last_mut() else { return };
    level.counted = !level.counted;
    let words = if level.counted {
        let name = |command| model.keymap.name(command);
        let (next, open, count) = (name(Command::SortRight), name(Command::Open), name(Command::Count));
        format!(
            "counted by the sorted column: {next} takes the next one, {open} lists those of a row, {count} all of them"
        )
    } else {
        "every row is listed again".to_owned()
    };
    model.say(Role::Note, words);
}

/// Every column as wide as its texts, or those that have room.
pub fn wide(model: &mut Model) {
    let Some(table) = wanted(model) else { return none(model) };
    change(model, &table.name, |view| (view.wide, view.shift) = (!view.wide, 0));
    let words = if table.view.wide {
        "the columns that have room".to_owned()
    } else {
        let name = |command| model.keymap.name(command);
        let (left, right) = (name(Command::ScrollLeft), name(Command::ScrollRight));
        format!("every column as wide as its texts: {left} and {right} scroll, the first one stays")
    };
    model.say(Role::Note, words);
}

/// Scrolls a wide table sideways.
pub fn scroll(model: &mut Model, right: bool) {
    let Some(table) = wanted(model).filter(|table| table.view.wide) else {
        let wide = model.keymap.name(Command::Wide);
        model.say(Role::Note, format!("only a wide table scrolls sideways: {wide} makes it wide"));
        return;
    };
    let last = table.titles.len().saturating_sub(2);
    change(model, &table.name, |view| {
        view.shift = if right { (view.shift + 1).min(last) } else { view.shift.saturating_sub(1) };
    });
}

/// The table with the cursor alone, or all of the page.
pub fn zoom(model: &mut Model) {
    let zoomed = model.place().level().is_some_and(|level| level.zoomed.is_some());
    let table = if zoomed { None } else { wanted(model).map(|table| table.name) };
    if table.is_none() && !zoomed {
        return none(model);
    }
    if let Some(level) = model.place_mut().levels.last_mut() {
        level.zoomed = table;
        (level.scroll, level.away) = (0, false);
    }
}
