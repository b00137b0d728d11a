//! Moving: between screens, down into rows and up again, and along the rows of a level.

use crate::app::command::Command;
use crate::app::model::{Lens, Model, Page, Place};
use crate::app::overlay::{Details, Overlay};
use crate::app::screen::room;
use crate::app::window::Window;
use crate::core::place::Screen;
use crate::core::row::RowKey;
use crate::panels::logs::question;
use crate::panels::{opened, panel};
use crate::ui::content::{Content, Line, Role, Section};
use crate::ui::mark;
use crate::ui::paper::{Item, Paper, Stand};
use crate::ui::select::{Level, Only, counted, name, shown};
use std::sync::Arc;

/// What the open screen shows at its innermost level.
pub fn content(model: &Model) -> Arc<Content> {
    let place = model.place();
    let listed = listed(model);
    let Some(level) = place.level() else { return listed };
    let shown = match &level.zoomed {
        Some(table) => Arc::new(zoomed(&listed, table)),
        None => listed,
    };
    if level.counted { Arc::new(counted(Content::clone(&shown), level)) } else { shown }
}

/// The tables of one name alone.
fn zoomed(content: &Content, table: &str) -> Content {
    let of = |section: &&Section| section.table.as_ref().is_some_and(|it| name(section, it) == table);
    let sections: Vec<Section> = content.sections.iter().filter(of).cloned().collect();
    if sections.is_empty() {
        return content.clone();
    }
    Content { title: content.title.clone(), sections }
}

/// The same with every row, even where they are counted: as it was made for the last key, where nothing changed since.
pub fn listed(model: &Model) -> Arc<Content> {
    let place = model.place();
    model.page.as_ref().filter(|page| page.is_of(model, &place)).map_or_else(
        || {
            let content = opened(model.screen, &place.path).content(model.seen(), &place.path);
            Arc::new(model.laid_out(model.told_page(content)))
        },
        |page| Arc::clone(&page.content),
    )
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

/// Whether a page has rows, filtered or not; else a filter is a text that is looked for.
pub fn has_rows(content: &Content) -> bool {
    content.sections.iter().any(|section| section.table.as_ref().is_some_and(|table| !table.rows.is_empty()))
}

/// Moves the cursor along the rows, and the view along what stands between them.
pub fn step(model: &mut Model, command: Command) {
    let content = content(model);
    let room = room(model, &content);
    let height = usize::from(room.rows);
    let Some(by) = command.moves((height as i64).max(2)) else {
        return;
    };
    let place = model.place_mut();
    let Some(level) = place.levels.last_mut() else {
        return;
    };
    let paper = Paper::new(&content, level, (room.columns, usize::from(room.rows)));
    let stand = paper.walk(paper.stand(level, height), by, height);
    stand_at(level, &paper, stand);
}

fn stand_at(level: &mut Level, paper: &Paper<'_>, stand: Stand) {
    (level.scroll, level.away) = (stand.top, stand.away);
    if let Some(at) = stand.cursor {
        level.index = at;
        level.cursor = Some(paper.flat[at].key.clone());
    }
}

/// What is copied of a row that has no name of its own: its values. Without a row, the text of the page.
pub fn text(model: &Model, row: Option<&RowKey>) -> Option<String> {
    let content = content(model);
    if let Some(row) = row {
        let mut rows = content
            .sections
            .iter()
            .filter_map(|section| section.table.as_ref())
            .flat_map(|table| &table.rows);
        let found = rows.find(|found| found.key == *row)?;
        let cells =
            found.cells.iter().filter(|cell| cell.spark.is_none()).map(|cell| cell.words().trim().to_owned());
        return Some(cells.collect::<Vec<_>>().join("\t"));
    }
    let lines = content.sections.iter().flat_map(|section| {
        let title = Some(section.title.clone()).filter(|title| !title.is_empty());
        title.into_iter().chain(section.lines.iter().map(|line| line.plain().trim_end().to_owned()))
    });
    Some(lines.collect::<Vec<_>>().join("\n"))
}

/// Whether the row under the cursor is out of view.
pub fn is_hidden(model: &Model) -> bool {
    if !model.room().shows() {
        return false;
    }
    let content = content(model);
    let room = room(model, &content);
    let place = model.place();
    let Some(level) = place.level() else { return false };
    let paper = Paper::new(&content, level, (room.columns, usize::from(room.rows)));
    let height = usize::from(room.rows);
    let stand = paper.stand(level, height);
    stand.cursor.is_some_and(|row| !paper.sees(stand.top, row, height))
}

/// Whether the row under the cursor is on the screen. One that is not comes into view, and nothing else happens: nobody acts unseen. The
/// row whose page is open is named above it.
pub fn is_seen(model: &mut Model, command: Command) -> bool {
    if !is_hidden(model) || selected(model).as_ref() == model.place().path.last() {
        return true;
    }
    if let Some(level) = model.place_mut().levels.last_mut() {
        level.away = false;
    }
    let key = model.keymap.name(command);
    model.say(Role::Note, format!("the row that is chosen was not in view: here it is; {key} again"));
    false
}

/// The next line in which the text is found, or the one before, comes into view; around the end. A row is chosen.
pub fn find_next(model: &mut Model, down: bool) {
    let content = content(model);
    let room = room(model, &content);
    let height = usize::from(room.rows);
    let Some(level) = model.place_mut().levels.last_mut() else { return };
    let text = level.filter.clone();
    let paper = Paper::new(&content, level, (room.columns, usize::from(room.rows)));
    let lines: Vec<bool> = paper
        .items
        .iter()
        .map(|item| match item {
            Item::Text(line) => mark::holds(line, &text),
            Item::Row { row, .. } => {
                row.cells.iter().any(|cell| mark::holds(&Line::text(cell.words()), &text))
            }
            Item::Blank | Item::Graph(..) | Item::Header(_) | Item::Below { .. } | Item::Empty(_) => false,
        })
        .collect();
    let stand = paper.stand(level, height);
    let Some(line) = mark::next(&lines, level.found, down) else {
        let filter = model.keymap.name(Command::Filter);
        let words = if text.is_empty() {
            format!("no text is looked for yet ({filter})")
        } else {
            format!("no line holds {text}")
        };
        model.say(Role::Note, words);
        return;
    };
    level.found = Some(line);
    let stand = match paper.items[line] {
        Item::Row { index, .. } => Stand { cursor: Some(index), away: false, ..stand },
        _ if (stand.top..stand.top + height).contains(&line) => stand,
        _ => {
            let top = line.saturating_sub(height / 3).min(paper.last_top(height));
            Stand { top, away: stand.cursor.is_some_and(|row| !paper.sees(top, row, height)), ..stand }
        }
    };
    stand_at(level, &paper, stand);
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
    if let Some(target) = opened(model.screen, &place.path).jump(model.seen(), &place.path, &key) {
        go(model, target.screen);
        let mut fresh = Place::fresh(&model.habits);
        if let (Some(level), Some(views)) =
            (fresh.levels.last_mut(), model.habits.views.get(&(target.screen, 0)))
        {
            level.views = views.clone();
        }
        *model.place_mut() = fresh;
        let way = target.row.as_ref().map(|row| panel(model.screen).way(model.seen(), row));
        for row in way.unwrap_or_default() {
            if let Some(level) = model.place_mut().levels.last_mut() {
                level.cursor = Some(row.clone());
            }
            enter(model, row, String::new());
        }
        if let Some(level) = model.place_mut().levels.last_mut() {
            (level.cursor, level.away) = (target.row, false);
        }
        return;
    }
    let called = rows[at].cells.iter().map(|cell| cell.words()).find(|words| !words.trim().is_empty());
    let called = called.unwrap_or_default().trim_start_matches(|c: char| !c.is_alphanumeric()).to_owned();
    if let Some(level) = model.place_mut().levels.last_mut() {
        level.cursor = Some(key.clone());
        level.index = at;
    }
    if !opens {
        // There is nothing behind it, yet more in it than has room.
        model.overlay = Some(Overlay::Details(Details { row: key, window: Window::default() }));
        return;
    }
    enter(model, key, called);
}

/// One level down. It is called as its page is, else as the row was.
fn enter(model: &mut Model, row: RowKey, called: String) {
    let (screen, habits) = (model.screen, std::mem::take(&mut model.habits));
    model.place_mut().enter(screen, row, &habits);
    model.habits = habits;
    let title = content(model).title.clone();
    if let Some(level) = model.place_mut().levels.last_mut() {
        level.name = if title.is_empty() { called } else { title };
    }
}

/// Every column of the row under the cursor in full.
pub fn details(model: &mut Model) {
    match selected(model) {
        Some(row) => model.overlay = Some(Overlay::Details(Details { row, window: Window::default() })),
        None => model.say(Role::Note, "there is no row here"),
    }
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
    enter(model, key, format!("find {text}"));
}

/// Opens the lines that are about the row under the cursor, else about the one whose page is open.
pub fn lines(model: &mut Model) {
    let place = model.place();
    let row = selected(model);
    match question::here(model.seen(), &place.path, row.as_ref()) {
        Ok((key, filter)) => {
            enter(model, key, "lines".to_owned());
            if let Some(level) = model.place_mut().levels.last_mut() {
                level.filter = filter;
            }
        }
        Err(why) => model.say(Role::Note, why),
    }
}

/// Up: first the filter goes, then the zoom, then what was counted is counted again, then the marks go, then the level. It never quits.
pub fn back(model: &mut Model) {
    let place = model.place_mut();
    let Some(level) = place.levels.last_mut() else {
        return;
    };
    if !level.filter.is_empty() {
        level.filter.clear();
    } else if level.zoomed.take().is_some() {
    } else if level.counted {
        level.counted = false;
    } else if level.only.pop().is_some() {
        level.counted = level.is_sorted();
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
