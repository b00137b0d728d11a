//! The last line: the keys that do something here, and how much of the page is out of view.

use crate::app::command::{Command, Context};
use crate::app::model::Model;
use crate::app::overlay::{Choosing, Noted, Overlay};
use crate::app::possible::Possible;
use crate::app::sheet;
use crate::app::window::Window;
use crate::core::row::RowKey;
use crate::ui::content::{Content, Line, Role};
use crate::ui::field::Edit;
use crate::ui::render::{self, Rest};
use crate::ui::text::width;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::sync::Arc;

/// The keys that matter here: of those that do nothing none is named.
pub fn hints(model: &Model, (content, rest): (Arc<Content>, Rest), area: Rect, buffer: &mut Buffer) {
    if let Some(overlay) = &model.overlay {
        let line = fitted(dialog_hints(model, overlay), usize::from(area.width));
        render::line(&line, area, buffer, &model.theme);
        return;
    }
    let out = out_of_view(rest);
    let room = usize::from(area.width).saturating_sub(width(&out) + 1);
    let key = |command| model.keymap.hint(Context::Screens, command).map(|key| key.to_string());
    let keys = wanted(model, content).into_iter().filter_map(|(command, word)| Some((key(command)?, word)));
    render::line(&fitted(keys, room), area, buffer, &model.theme);
    let at = area.right().saturating_sub(width(&out) as u16).max(area.x);
    let end = Rect::new(at, area.y, area.right() - at, 1);
    render::line(&Line::of(Role::Note, out), end, buffer, &model.theme);
}

/// As many of these as have room, from the first one on. What has none is left out whole: help lists all.
fn fitted(keys: impl IntoIterator<Item = (String, &'static str)>, room: usize) -> Line {
    let mut line = Line::default();
    let mut used = 0;
    for (key, word) in keys.into_iter().filter(|(key, _)| !key.is_empty()) {
        let length = width(&key) + 1 + width(word);
        if used + length > room {
            break;
        }
        line = line.then(Role::Accent, key).then(Role::Muted, format!(" {word}  "));
        used += length + 2;
    }
    line
}

/// "↑ 3 ↓ 12 lines": what scrolling would show.
fn out_of_view(rest: Rest) -> String {
    match (rest.above, rest.below) {
        (0, 0) => String::new(),
        (0, below) => format!("↓ {below} more"),
        (above, 0) => format!("↑ {above} more"),
        (above, below) => format!("↑ {above} ↓ {below} more"),
    }
}

fn wanted(model: &Model, content: Arc<Content>) -> Vec<(Command, &'static str)> {
    let possible = Possible::of(model, content);
    let does = |command| possible.refusal(command).is_none();
    let place = model.place();
    let mut wanted = Vec::new();
    if possible.acts() {
        wanted.push((Command::Actions, "actions"));
    }
    if does(Command::Open) {
        wanted.push((Command::Open, "open"));
    } else if does(Command::Details) {
        wanted.push((Command::Details, "all of it"));
    }
    if does(Command::Back) {
        wanted.push((Command::Back, "back"));
    }
    // What everybody needs stands first: a narrow screen leaves the end out.
    wanted.push((Command::Help, "help"));
    if matches!(place.path.last(), Some(RowKey::Finding(_))) && does(Command::Acknowledge) {
        wanted.extend([(Command::Acknowledge, "acknowledge"), (Command::Snooze, "snooze")]);
    }
    wanted.extend([
        (Command::Quit, "quit"),
        (Command::Filter, if possible.filters() { "filter" } else { "find" }),
    ]);
    if does(Command::NextMatch) && !possible.filters() {
        wanted.push((Command::NextMatch, "next"));
    }
    if does(Command::Sort) {
        wanted.push((Command::Sort, "sort"));
    }
    wanted.extend([
        (Command::Freeze, if model.is_live() { "freeze" } else { "go on" }),
        (Command::Palette, "commands"),
        (Command::Refresh, "refresh"),
    ]);
    if does(Command::Count) {
        wanted.push((Command::Count, "count"));
    }
    if does(Command::Zoom) {
        wanted.push((Command::Zoom, "zoom"));
    }
    wanted.extend([(Command::ActionLog, "log"), (Command::Sources, "sources")]);
    wanted
}

/// The keys in what is only read.
fn read(
    model: &Model,
    window: &Window,
    (scroll, accept, keep): (String, String, String),
) -> Vec<(String, &'static str)> {
    if window.find.field.is_some() {
        return vec![(accept, "keeps it"), (keep, "clears it")];
    }
    let name = |command| model.keymap.name(command);
    let mut keys = vec![(scroll, "scroll"), (name(Command::Filter), "find")];
    if !window.find.text.is_empty() {
        let (next, before) = (name(Command::NextMatch), name(Command::PreviousMatch));
        keys.push((format!("{next} {before}"), "next, before"));
    }
    keys.extend([(name(Command::Copy), "copies"), (keep, "closes")]);
    keys
}

/// The keys that matter in what is open: those of the screen below do nothing there.
fn dialog_hints(model: &Model, overlay: &Overlay) -> Vec<(String, &'static str)> {
    use Command as C;
    let key = |context, commands: &[Command]| {
        let keys = commands.iter().map(|command| model.keymap.key_in(context, *command));
        keys.filter(|key| !key.is_empty()).collect::<Vec<_>>().join(" ")
    };
    let dialogs = |commands: &[Command]| key(Context::Dialogs, commands);
    let fields = |command| key(Context::Fields, &[command]);
    let (accept, keep) = (fields(C::Accept), dialogs(&[C::Back]));
    // What is seen whole does not scroll.
    let scrolls = sheet::laid(model, overlay, model.room()).is_some_and(|laid| laid.scrolls());
    let scroll = if scrolls { dialogs(&[C::Up, C::Down, C::PageUp, C::PageDown]) } else { String::new() };
    match overlay {
        Overlay::Filter(_) => {
            vec![(accept, "keeps it"), (keep, "clears it"), (dialogs(&[C::Up, C::Down]), "move")]
        }
        Overlay::Palette(_) => vec![
            (accept, "runs it"),
            (keep, "closes"),
            (fields(C::Complete), "completes"),
            (dialogs(&[C::Up, C::Down]), "what was run before"),
            (dialogs(&[C::PageUp, C::PageDown]), "scroll"),
        ],
        Overlay::Columns(choice) => {
            let screens = |command| model.keymap.name(command);
            match choice.what {
                Choosing::Sort => vec![
                    (dialogs(&[C::Up, C::Down]), "move"),
                    (screens(C::Open), "sorts"),
                    (screens(C::SortInvert), "turns it around"),
                    (keep, "closes"),
                ],
                Choosing::Shown => vec![
                    (dialogs(&[C::Up, C::Down]), "move"),
                    (screens(C::Mark), "shows or hides"),
                    (keep, "closes"),
                ],
            }
        }
        Overlay::Arm(_) => vec![(accept, "arms"), (keep, "leaves it as it is")],
        Overlay::Answer(_) => vec![
            (accept, "to the preview"),
            (keep, "leaves it"),
            (fields(C::Edit(Edit::EraseBefore)), "clears before it"),
            (fields(C::Editor), "opens $EDITOR"),
        ],
        Overlay::Note(noting) => vec![
            (accept, "takes note"),
            (if noting.how == Noted::Snooze { fields(C::Complete) } else { String::new() }, "the next span"),
            (keep, "leaves it as it is"),
        ],
        Overlay::Menu(menu) => {
            let possible = menu.offers.iter().filter(|offer| offer.choice.is_ok());
            let letters: Vec<String> = possible.map(|offer| offer.letter.to_string()).collect();
            vec![(letters.join(" "), "chooses"), (keep, "closes"), (scroll, "scroll")]
        }
        Overlay::Confirm(_) => vec![(keep, "keeps everything as it is"), (scroll, "scroll")],
        Overlay::Help(window) | Overlay::ActionLog(window) | Overlay::Sources(window) => {
            read(model, window, (scroll, accept, keep))
        }
        Overlay::Logs(logs) => read(model, &logs.window, (scroll, accept, keep)),
        Overlay::Details(details) => read(model, &details.window, (scroll, accept, keep)),
    }
}
