//! Commands, characters and pasted text while something is open above the screen.

use super::{act, commands, navigate, noting, scope};
use crate::app::command::{Command, Context};
use crate::app::layout::Laid;
use crate::app::model::Model;
use crate::app::msg::Effect;
use crate::app::overlay::{Answer, Asking, Confirm, Menu, Overlay, SETTLE, Typing};
use crate::app::sheet;
use crate::core::json;
use crate::ui::content::Role;
use crate::ui::field::Field;
use crate::ui::text::clean;

/// The longest text that a field takes: enough for any name, too little for a pasted file.
const FIELD_LIMIT: usize = 200;
/// The longest value for an action: the data of a job.
const ANSWER_LIMIT: usize = 65_536;

/// A command while something is open. None of them confirms anything.
pub fn run(model: &mut Model, command: Command) -> Vec<Effect> {
    let Some(mut overlay) = model.overlay.take() else {
        return Vec::new();
    };
    let laid = sheet::laid(model, &overlay, model.size);
    if let (Some(window), Some(laid)) = (overlay.window_mut(), &laid)
        && window.scroll(command, laid)
    {
        model.overlay = Some(overlay);
        return Vec::new();
    }
    if let (Command::Edit(edit), Some(field)) = (command, overlay.field_mut()) {
        field.edit(edit);
        model.overlay = Some(overlay);
        filtered(model);
        return Vec::new();
    }
    match overlay {
        Overlay::Help(_) => keep(model, overlay, command, Command::Help),
        Overlay::ActionLog(_) => keep(model, overlay, command, Command::ActionLog),
        Overlay::Sources(_) => keep(model, overlay, command, Command::Sources),
        Overlay::Menu(_) => keep(model, overlay, command, Command::Back),
        Overlay::Filter(field) => filter(model, command, field),
        Overlay::Palette(field) => return palette(model, command, field),
        Overlay::Arm(typing) => arm(model, command, typing, laid.as_ref()),
        Overlay::Note(noting) => noting::run(model, command, noting, laid.as_ref()),
        Overlay::Answer(asking) => return answer(model, command, asking, laid.as_ref()),
        Overlay::Confirm(_) if command == Command::Back => model.say(Role::Note, "nothing was done"),
        Overlay::Confirm(_) => model.overlay = Some(overlay),
    }
    Vec::new()
}

/// Leaves it open, unless `command` closes it: what opened it does that, too.
fn keep(model: &mut Model, overlay: Overlay, command: Command, own: Command) {
    if command != Command::Back && command != own {
        model.overlay = Some(overlay);
    }
}

/// A character while something is open.
pub fn typed(model: &mut Model, c: char) -> Vec<Effect> {
    let Some(overlay) = model.overlay.take() else {
        return Vec::new();
    };
    match overlay {
        Overlay::Confirm(dialog) => {
            let overlay = Overlay::Confirm(dialog.clone());
            let laid = sheet::laid(model, &overlay, model.size);
            return confirm(model, c, dialog, laid.as_ref());
        }
        Overlay::Menu(menu) => {
            let overlay = Overlay::Menu(menu.clone());
            let laid = sheet::laid(model, &overlay, model.size);
            model.overlay = Some(overlay);
            menu_letter(model, &menu, c, laid.as_ref());
        }
        Overlay::Help(_)
        | Overlay::ActionLog(_)
        | Overlay::Sources(_)
        | Overlay::Filter(_)
        | Overlay::Palette(_)
        | Overlay::Arm(_)
        | Overlay::Note(_)
        | Overlay::Answer(_) => {
            model.overlay = Some(overlay);
            insert(model, c.encode_utf8(&mut [0; 4]));
        }
    }
    Vec::new()
}

/// Puts `text` into the field that is open.
fn insert(model: &mut Model, text: &str) {
    let limit = match &model.overlay {
        Some(Overlay::Answer(_)) => ANSWER_LIMIT,
        _ => FIELD_LIMIT,
    };
    if let Some(field) = model.overlay.as_mut().and_then(Overlay::field_mut) {
        field.insert(text, limit);
    }
    filtered(model);
}

/// The rows are filtered by what stands in the field, letter by letter.
fn filtered(model: &mut Model) {
    if let Some(Overlay::Filter(field)) = &model.overlay {
        let text = field.text().to_owned();
        if let Some(level) = model.place_mut().levels.last_mut() {
            level.filter = text;
        }
    }
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
        asking.field = Field::of(text);
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
        let key = |command| model.keymap.key_in(Context::Dialogs, command);
        let (up, down) = (key(Command::Up), key(Command::Down));
        model.say(Role::Note, format!("`{letter}` is not in view: scroll to it first ({up} {down})"));
    }
}

fn confirm(model: &mut Model, c: char, mut dialog: Box<Confirm>, laid: Option<&Laid>) -> Vec<Effect> {
    match dialog.press(c, model.now, laid) {
        Answer::Yes(confirmed) => return act::perform(model, confirmed, &dialog),
        Answer::Unseen if laid.is_none() => {
            model.say(Role::Warning, "nothing was done: the window is too small to show what would be");
        }
        Answer::Unseen => {
            let down = model.keymap.key_in(Context::Dialogs, Command::PageDown);
            let words = format!("nothing was done yet: scroll until all of it was shown ({down})");
            model.say(Role::Warning, words);
        }
        Answer::Waiting => {}
    }
    model.overlay = Some(Overlay::Confirm(dialog));
    Vec::new()
}

fn filter(model: &mut Model, command: Command, field: Field) {
    match command {
        Command::Back => {
            if let Some(level) = model.place_mut().levels.last_mut() {
                level.filter.clear();
            }
        }
        Command::Accept => {}
        other => {
            navigate::step(model, other);
            model.overlay = Some(Overlay::Filter(field));
        }
    }
}

fn palette(model: &mut Model, command: Command, field: Field) -> Vec<Effect> {
    let text = field.text().trim().to_owned();
    let found = matching(model, &text);
    let exact = found.iter().find(|(name, _)| *name == text);
    let best = exact.or_else(|| found.first()).copied();
    let words = text.strip_prefix("find ").map(str::trim);
    let name = text.strip_prefix("target ").map(str::trim);
    if let (Some(name), Command::Accept | Command::Complete) = (name, command) {
        match scope::completed(model, name).filter(|_| command == Command::Complete) {
            Some(whole) => model.overlay = Some(Overlay::Palette(Field::of(format!("target {whole}")))),
            None if command == Command::Complete => model.overlay = Some(Overlay::Palette(field)),
            None => scope::narrow(model, name),
        }
        return Vec::new();
    }
    match (command, words, best) {
        (Command::Back, ..) => {}
        (Command::Accept, Some(words), _) => navigate::find(model, words),
        (Command::Accept, None, Some((_, command))) => return commands::run(model, command),
        (Command::Complete, None, Some((name, _))) => model.overlay = Some(Overlay::Palette(Field::of(name))),
        (Command::Accept | Command::Complete, None, None) => {
            let help = model.keymap.name(Command::Help);
            model.say(Role::Warning, format!("there is no command `{text}`; {help} lists them"));
        }
        _ => model.overlay = Some(Overlay::Palette(field)),
    }
    Vec::new()
}

fn answer(model: &mut Model, command: Command, asking: Box<Asking>, laid: Option<&Laid>) -> Vec<Effect> {
    match command {
        Command::Back => model.say(Role::Note, "nothing was done"),
        Command::Accept if laid.is_some_and(|laid| asking.window.saw_all(laid)) => {
            model.overlay = Some(Overlay::Answer(asking.clone()));
            act::answered(model, *asking);
        }
        Command::Editor => {
            let text = json::indented(asking.field.text());
            model.overlay = Some(Overlay::Answer(asking));
            return vec![Effect::Edit(text)];
        }
        _ => model.overlay = Some(Overlay::Answer(asking)),
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
        .filter(|entry| entry.context == Context::Screens && entry.name.contains(text))
        .map(|entry| (entry.name, entry.command))
        .collect();
    found.sort_by_key(|(name, _)| (!name.starts_with(text), *name));
    found
}

fn arm(model: &mut Model, command: Command, typing: Typing, laid: Option<&Laid>) {
    match command {
        Command::Back => {}
        Command::Accept if laid.is_some_and(|laid| typing.window.saw_all(laid)) => {
            match model.arming.arm(typing.field.text(), model.now) {
                Ok(()) => {
                    let disarm = model.keymap.name(Command::Disarm);
                    model.say(Role::Warning, format!("armed for 10 minutes ({disarm} ends it)"));
                }
                Err(refusal) => model.say(Role::Warning, format!("not armed: {}", refusal.sentence())),
            }
        }
        _ => model.overlay = Some(Overlay::Arm(typing)),
    }
}

/// Pasted text goes into an open field and nowhere else. Words that confirm something are typed, never pasted.
pub fn paste(model: &mut Model, pasted: &str) {
    match &model.overlay {
        Some(Overlay::Palette(_) | Overlay::Answer(_) | Overlay::Filter(_) | Overlay::Note(_)) => {
            insert(model, &clean(pasted));
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
