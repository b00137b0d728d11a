//! Keys and pasted text while something is open above the screen.

use super::{act, closes, navigate};
use crate::app::command::Command;
use crate::app::key::{Code, Key};
use crate::app::model::Model;
use crate::app::msg::Effect;
use crate::app::overlay::{Answer, Overlay, SETTLE};
use crate::ui::content::Role;
use crate::ui::text::clean;

/// The longest text that a field takes: enough for any name, too little for a pasted file.
const FIELD_LIMIT: usize = 200;
/// The longest value for an action: the data of a job.
const ANSWER_LIMIT: usize = 65_536;

/// A key while an overlay is open.
pub fn on_key(model: &mut Model, key: Key) -> Vec<Effect> {
    let Some(overlay) = model.overlay.take() else {
        return Vec::new();
    };
    match overlay {
        Overlay::Help(at) => scrolled(model, key, at, Overlay::Help, Command::Help),
        Overlay::ActionLog(at) => scrolled(model, key, at, Overlay::ActionLog, Command::ActionLog),
        Overlay::Sources(at) => scrolled(model, key, at, Overlay::Sources, Command::Sources),
        Overlay::Filter => filter(model, key),
        Overlay::Palette(text) => return palette(model, key, text),
        Overlay::Arm(text) => arm(model, key, text),
        Overlay::Answer(mut asking) => match key.code {
            Code::Esc => model.say(Role::Note, "nothing was done"),
            Code::Enter => {
                model.overlay = Some(Overlay::Answer(asking.clone()));
                act::answered(model, *asking);
            }
            _ => {
                edit_within(&mut asking.text, key, ANSWER_LIMIT);
                model.overlay = Some(Overlay::Answer(asking));
            }
        },
        Overlay::Menu(menu) => {
            if !closes(key) && !is_quit(key) {
                let ready = model.now.since(menu.opened) >= SETTLE;
                model.overlay = Some(Overlay::Menu(menu.clone()));
                if let (true, Code::Char(c), false) = (ready, key.code, key.ctrl) {
                    act::choose(model, &menu, c);
                }
            }
        }
        Overlay::Confirm(mut dialog) => match key.code {
            Code::Esc => model.say(Role::Note, "nothing was done"),
            Code::Backspace => {
                dialog.erase();
                model.overlay = Some(Overlay::Confirm(dialog));
            }
            Code::Char(c) if !key.ctrl => match dialog.press(c, model.now) {
                Answer::Yes(confirmed) => return act::perform(model, confirmed, &dialog),
                Answer::Waiting => model.overlay = Some(Overlay::Confirm(dialog)),
            },
            _ => model.overlay = Some(Overlay::Confirm(dialog)),
        },
    }
    Vec::new()
}

const fn is_quit(key: Key) -> bool {
    matches!(key.code, Code::Char('q'))
}

/// A list that only scrolls: its own key, `q` and Esc close it.
fn scrolled(model: &mut Model, key: Key, at: usize, make: fn(usize) -> Overlay, own: Command) {
    let page = model.page.max(2);
    let command = model.keymap.command(key);
    if closes(key) || is_quit(key) || command == Some(own) || command == Some(Command::Back) {
        return;
    }
    let next = match command {
        Some(Command::Up) => at.saturating_sub(1),
        Some(Command::Down) => at + 1,
        Some(Command::HalfUp) => at.saturating_sub(page / 2),
        Some(Command::HalfDown) => at + page / 2,
        Some(Command::PageUp) => at.saturating_sub(page),
        Some(Command::PageDown) => at + page,
        Some(Command::Top) => 0,
        Some(Command::Bottom) => usize::MAX / 2,
        _ => at,
    };
    // The end is where the last page begins.
    let last = super::super::view::overlay_lines(model, &make(0)).saturating_sub(page.saturating_sub(2));
    model.overlay = Some(make(next.min(last)));
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
        Code::Enter | Code::Tab => {
            let found = matching(model, &text);
            let exact = found.iter().find(|(name, _)| *name == text.trim());
            match (exact.or_else(|| found.first()), key.code) {
                (Some((_, command)), Code::Enter) => return super::run(model, *command),
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

/// Opens the field for the environment's name, unless nothing can be armed.
pub fn open_arm(model: &mut Model) {
    match &model.arming.read_only {
        Some(why) => {
            let why = why.clone();
            model.say(Role::Warning, format!("cannot be armed: {why}"));
        }
        None => model.overlay = Some(Overlay::Arm(String::new())),
    }
}

fn arm(model: &mut Model, key: Key, mut text: String) {
    match key.code {
        Code::Esc => {}
        Code::Enter => match model.arming.arm(&text, model.now) {
            Ok(()) => model.say(Role::Warning, "armed for 10 minutes (:disarm ends it)"),
            Err(refusal) => {
                let remedy = refusal.remedy.unwrap_or_default();
                model.say(Role::Warning, format!("not armed: {}; {remedy}", refusal.why));
            }
        },
        _ => {
            edit(&mut text, key);
            model.overlay = Some(Overlay::Arm(text));
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
