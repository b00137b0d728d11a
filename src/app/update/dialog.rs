//! Keys and pasted text while something is open above the screen.

use super::{act, commands, navigate};
use crate::app::command::Command;
use crate::app::key::{Code, Key};
use crate::app::layout::Laid;
use crate::app::model::Model;
use crate::app::msg::Effect;
use crate::app::overlay::{Answer, Confirm, Menu, Overlay, SETTLE, Typing};
use crate::app::sheet;
use crate::app::window::Window;
use crate::core::json;
use crate::ui::content::Role;
use crate::ui::text::clean;

/// The longest text that a field takes: enough for any name, too little for a pasted file.
const FIELD_LIMIT: usize = 200;
/// The longest value for an action: the data of a job.
const ANSWER_LIMIT: usize = 65_536;

/// A key while an overlay is open.
pub fn on_key(model: &mut Model, key: Key) -> Vec<Effect> {
    let Some(mut overlay) = model.overlay.take() else {
        return Vec::new();
    };
    let laid = sheet::laid(model, &overlay, model.size);
    if let (Some(window), Some(laid)) = (overlay.window_mut(), &laid)
        && window.scroll(key, laid)
    {
        model.overlay = Some(overlay);
        return Vec::new();
    }
    match overlay {
        Overlay::Help(window) => listed(model, key, (window, laid), Overlay::Help, Command::Help),
        Overlay::ActionLog(window) => {
            listed(model, key, (window, laid), Overlay::ActionLog, Command::ActionLog);
        }
        Overlay::Sources(window) => listed(model, key, (window, laid), Overlay::Sources, Command::Sources),
        Overlay::Filter => filter(model, key),
        Overlay::Palette(text) => return palette(model, key, text),
        Overlay::Arm(typing) => arm(model, key, typing, laid.as_ref()),
        Overlay::Answer(mut asking) => match key.code {
            Code::Esc => model.say(Role::Note, "nothing was done"),
            Code::Enter if laid.as_ref().is_some_and(|laid| asking.window.saw_all(laid)) => {
                model.overlay = Some(Overlay::Answer(asking.clone()));
                act::answered(model, *asking);
            }
            Code::Enter => model.overlay = Some(Overlay::Answer(asking)),
            Code::Char('e') if key.ctrl => {
                let text = json::indented(&asking.text);
                model.overlay = Some(Overlay::Answer(asking));
                return vec![Effect::Edit(text)];
            }
            _ => {
                edit_within(&mut asking.text, key, ANSWER_LIMIT);
                model.overlay = Some(Overlay::Answer(asking));
            }
        },
        Overlay::Menu(menu) => {
            if !closes(key) && !is_quit(key) {
                model.overlay = Some(Overlay::Menu(menu.clone()));
                if let (Code::Char(c), false) = (key.code, key.ctrl) {
                    menu_letter(model, &menu, c, laid.as_ref());
                }
            }
        }
        Overlay::Confirm(dialog) => return confirm(model, key, dialog, laid.as_ref()),
    }
    Vec::new()
}

/// The editor ended: what it left is what was typed. Lines are joined: a value stands on one.
pub fn edited(model: &mut Model, text: Result<String, String>) {
    let text = match text {
        Ok(text) if serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok() => json::flat(&text),
        Ok(text) => text.split_whitespace().collect::<Vec<_>>().join(" "),
        Err(why) => {
            model.say(Role::Warning, why);
            return;
        }
    };
    if text.len() > ANSWER_LIMIT {
        model.say(
            Role::Warning,
            format!("nothing was taken over: {} bytes are more than {ANSWER_LIMIT}", text.len()),
        );
    } else if let Some(Overlay::Answer(asking)) = &mut model.overlay {
        asking.text = text;
    }
}

/// A letter in the menu: it chooses only an offer that is on the screen with all of its lines.
fn menu_letter(model: &mut Model, menu: &Menu, letter: char, laid: Option<&Laid>) {
    if model.now.since(menu.opened) < SETTLE {
        return;
    }
    let lines = |laid: &Laid| {
        let found = laid.sheet.letters.iter().find(|(of, _)| *of == letter);
        found.is_some_and(|(_, lines)| menu.window.shows(laid, lines))
    };
    if laid.is_some_and(lines) {
        act::choose(model, menu, letter);
    } else if menu.offers.iter().any(|offer| offer.letter == letter) {
        model.say(Role::Note, format!("`{letter}` is not in view: scroll to it first (↑ ↓)"));
    }
}

fn confirm(model: &mut Model, key: Key, mut dialog: Box<Confirm>, laid: Option<&Laid>) -> Vec<Effect> {
    match key.code {
        Code::Esc => {
            model.say(Role::Note, "nothing was done");
            return Vec::new();
        }
        Code::Backspace => dialog.erase(),
        Code::Char(c) if !key.ctrl => match dialog.press(c, model.now, laid) {
            Answer::Yes(confirmed) => return act::perform(model, confirmed, &dialog),
            Answer::Unseen if laid.is_none() => {
                model.say(Role::Warning, "nothing was done: the window is too small to show what would be");
            }
            Answer::Unseen => {
                model.say(Role::Warning, "nothing was done yet: scroll until all of it was shown (PageDown)");
            }
            Answer::Waiting => {}
        },
        _ => {}
    }
    model.overlay = Some(Overlay::Confirm(dialog));
    Vec::new()
}

const fn is_quit(key: Key) -> bool {
    matches!(key.code, Code::Char('q'))
}

/// A list that only scrolls: its own key, `q` and Esc close it. Nothing is decided here, so the keys of the screens scroll it too.
fn listed(
    model: &mut Model,
    key: Key,
    (mut window, laid): (Window, Option<Laid>),
    make: fn(Window) -> Overlay,
    own: Command,
) {
    let command = model.keymap.command(key);
    if closes(key) || is_quit(key) || command == Some(own) || command == Some(Command::Back) {
        return;
    }
    let as_key = match command {
        Some(Command::Up) => Some(Code::Up),
        Some(Command::Down) => Some(Code::Down),
        Some(Command::HalfUp | Command::PageUp) => Some(Code::PageUp),
        Some(Command::HalfDown | Command::PageDown) => Some(Code::PageDown),
        Some(Command::Top) => Some(Code::Home),
        Some(Command::Bottom) => Some(Code::End),
        _ => None,
    };
    if let (Some(code), Some(laid)) = (as_key, &laid) {
        window.scroll(Key::plain(code), laid);
    }
    model.overlay = Some(make(window));
}

fn filter(model: &mut Model, key: Key) {
    let Some(level) = model.place_mut().levels.last_mut() else {
        return;
    };
    let mut open = true;
    match key.code {
        Code::Esc => {
            level.filter.clear();
            open = false;
        }
        Code::Enter => open = false,
        Code::Backspace => {
            level.filter.pop();
        }
        Code::Char('u') if key.ctrl => level.filter.clear(),
        Code::Char(c) if !key.ctrl && level.filter.len() < FIELD_LIMIT => level.filter.push(c),
        Code::Up => navigate::step(model, Command::Up),
        Code::Down => navigate::step(model, Command::Down),
        _ => {}
    }
    if open {
        model.overlay = Some(Overlay::Filter);
    }
}

fn edit(text: &mut String, key: Key) {
    edit_within(text, key, FIELD_LIMIT);
}

fn edit_within(text: &mut String, key: Key, limit: usize) {
    match key.code {
        Code::Backspace => {
            text.pop();
        }
        Code::Char('u') if key.ctrl => text.clear(),
        Code::Char(c) if !key.ctrl && text.len() < limit => text.push(c),
        _ => {}
    }
}

fn palette(model: &mut Model, key: Key, mut text: String) -> Vec<Effect> {
    match key.code {
        Code::Esc => {}
        Code::Enter if text.trim_start().starts_with("find ") => {
            let words = text.trim_start().trim_start_matches("find ").trim();
            navigate::find(model, words);
        }
        Code::Enter | Code::Tab => {
            let found = matching(model, &text);
            let exact = found.iter().find(|(name, _)| *name == text.trim());
            match (exact.or_else(|| found.first()), key.code) {
                (Some((_, command)), Code::Enter) => return commands::run(model, *command),
                (Some((name, _)), _) => model.overlay = Some(Overlay::Palette((*name).to_owned())),
                (None, _) => {
                    model.say(Role::Warning, format!("there is no command `{}`; ? lists them", text.trim()));
                }
            }
        }
        _ => {
            edit(&mut text, key);
            model.overlay = Some(Overlay::Palette(text));
        }
    }
    Vec::new()
}

/// The commands whose names contain what was typed: those that begin with it first.
pub fn matching(model: &Model, text: &str) -> Vec<(&'static str, Command)> {
    let text = text.trim();
    let mut found: Vec<(&'static str, Command)> = model
        .keymap
        .entries()
        .iter()
        .filter(|entry| entry.name.contains(text))
        .map(|entry| (entry.name, entry.command))
        .collect();
    found.sort_by_key(|(name, _)| (!name.starts_with(text), *name));
    found
}

fn arm(model: &mut Model, key: Key, mut typing: Typing, laid: Option<&Laid>) {
    match key.code {
        Code::Esc => {}
        Code::Enter if laid.is_some_and(|laid| typing.window.saw_all(laid)) => {
            match model.arming.arm(&typing.text, model.now) {
                Ok(()) => model.say(Role::Warning, "armed for 10 minutes (:disarm ends it)"),
                Err(refusal) => {
                    let remedy = refusal.remedy.unwrap_or_default();
                    model.say(Role::Warning, format!("not armed: {}; {remedy}", refusal.why));
                }
            }
        }
        _ => {
            edit(&mut typing.text, key);
            model.overlay = Some(Overlay::Arm(typing));
        }
    }
}

/// Pasted text goes into an open field and nowhere else. Words that confirm something are typed, never pasted.
pub fn paste(model: &mut Model, pasted: &str) {
    let text: String = clean(pasted).chars().take(FIELD_LIMIT).collect();
    match &mut model.overlay {
        Some(Overlay::Palette(field)) => field.push_str(&text),
        Some(Overlay::Answer(asking)) => {
            let room = ANSWER_LIMIT.saturating_sub(asking.text.len());
            asking.text.extend(clean(pasted).chars().take(room));
        }
        Some(Overlay::Filter) => {
            if let Some(level) = model.place_mut().levels.last_mut() {
                level.filter.push_str(&text);
            }
        }
        Some(
            Overlay::Help(_)
            | Overlay::ActionLog(_)
            | Overlay::Sources(_)
            | Overlay::Arm(_)
            | Overlay::Menu(_)
            | Overlay::Confirm(_),
        )
        | None => {
            model.say(Role::Note, "pasted text was ignored: no field is open that takes it");
        }
    }
}

/// Whether `key` closes a dialog.
const fn closes(key: Key) -> bool {
    matches!(key.code, Code::Esc)
}
