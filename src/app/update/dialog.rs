//! Commands, characters and pasted text while something is open above the screen.

use super::{act, kept, navigate, noting, palette, tables};
use crate::app::command::{Command, Context};
use crate::app::layout::Laid;
use crate::app::model::Model;
use crate::app::msg::Effect;
use crate::app::overlay::{Answer, Asking, Confirm, Menu, Overlay, SETTLE, Typing};
use crate::app::sheet;
use crate::app::window::Window;
use crate::core::arming::ARMED_FOR;
use crate::core::json;
use crate::core::text::counted;
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
    let laid = sheet::laid(model, &overlay, model.room());
    // These move something of their own with the keys that scroll others.
    match overlay {
        Overlay::Columns(columns) => {
            tables::run(model, command, columns, laid.as_ref());
            return Vec::new();
        }
        Overlay::Palette(typed) if palette::is_own(command) => return palette::run(model, command, typed),
        _ => {}
    }
    if let Some(effects) = listed(model, command, &mut overlay, laid.as_ref()) {
        model.overlay = Some(overlay);
        return effects;
    }
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
        Overlay::Logs(_) => keep(model, overlay, command, Command::Logs),
        Overlay::Sources(_) => keep(model, overlay, command, Command::Sources),
        Overlay::Details(_) => keep(model, overlay, command, Command::Details),
        Overlay::Menu(_) => keep(model, overlay, command, Command::Back),
        Overlay::Filter(field) => filter(model, command, field),
        Overlay::Arm(typing) => arm(model, command, typing, laid.as_ref()),
        Overlay::Note(noting) => noting::run(model, command, noting, laid.as_ref()),
        Overlay::Answer(asking) => return answer(model, command, asking, laid.as_ref()),
        Overlay::Confirm(dialog) if command == Command::Back => act::leave(model, &dialog),
        Overlay::Confirm(_) | Overlay::Columns(_) | Overlay::Palette(_) => model.overlay = Some(overlay),
    }
    Vec::new()
}

/// The window of what is only read, where a text can be looked for.
const fn read_only(overlay: &mut Overlay) -> Option<&mut Window> {
    match overlay {
        Overlay::Help(window) | Overlay::ActionLog(window) | Overlay::Sources(window) => Some(window),
        Overlay::Logs(logs) => Some(&mut logs.window),
        Overlay::Details(details) => Some(&mut details.window),
        Overlay::Filter(_)
        | Overlay::Palette(_)
        | Overlay::Columns(_)
        | Overlay::Arm(_)
        | Overlay::Menu(_)
        | Overlay::Answer(_)
        | Overlay::Note(_)
        | Overlay::Confirm(_) => None,
    }
}

/// What is only read is looked through and copied; nothing where `command` is about something else.
fn listed(
    model: &mut Model,
    command: Command,
    overlay: &mut Overlay,
    laid: Option<&Laid>,
) -> Option<Vec<Effect>> {
    let laid = laid?;
    let window = read_only(overlay)?;
    match (command, window.find.field.is_some()) {
        (Command::Accept, true) => window.find.field = None,
        (Command::Back, true) => {
            window.find.field = None;
            window.look_for("", laid);
        }
        (Command::Back, false) if !window.find.text.is_empty() => window.look_for("", laid),
        (Command::Edit(edit), true) => {
            let field = window.find.field.get_or_insert_default();
            field.edit(edit);
            let text = field.text().to_owned();
            window.look_for(&text, laid);
        }
        (Command::Filter, false) => window.find.field = Some(Field::of(window.find.text.clone())),
        (Command::NextMatch | Command::PreviousMatch, false) => {
            if !window.find(command == Command::NextMatch, laid) {
                let filter = model.keymap.name(Command::Filter);
                model.say(Role::Note, format!("nothing is found ({filter} looks for another text)"));
            }
        }
        (Command::Copy, false) => {
            let lines: Vec<String> =
                laid.sheet.body.iter().map(|line| line.plain().trim_end().to_owned()).collect();
            return Some(vec![Effect::Copy(lines.join("\n"))]);
        }
        _ => return None,
    }
    Some(Vec::new())
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
            let laid = sheet::laid(model, &overlay, model.room());
            return confirm(model, c, dialog, laid.as_ref());
        }
        Overlay::Menu(menu) => {
            let overlay = Overlay::Menu(menu.clone());
            let laid = sheet::laid(model, &overlay, model.room());
            model.overlay = Some(overlay);
            menu_letter(model, &menu, c, laid.as_ref());
        }
        Overlay::Help(_)
        | Overlay::ActionLog(_)
        | Overlay::Logs(_)
        | Overlay::Sources(_)
        | Overlay::Details(_)
        | Overlay::Columns(_)
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
    looked_for(model);
}

/// What is looked for in a list is found while it is typed.
fn looked_for(model: &mut Model) {
    let Some(mut overlay) = model.overlay.take() else { return };
    let laid = sheet::laid(model, &overlay, model.room());
    if let (Some(window), Some(laid)) = (read_only(&mut overlay), &laid)
        && let Some(text) = window.find.field.as_ref().map(|field| field.text().to_owned())
    {
        window.look_for(&text, laid);
    }
    model.overlay = Some(overlay);
}

/// The rows are filtered by what stands in the field, letter by letter.
fn filtered(model: &mut Model) {
    if let Some(Overlay::Filter(field)) = &model.overlay {
        let text = field.text().to_owned();
        if let Some(level) = model.place_mut().levels.last_mut() {
            level.filter = text;
            level.found = None;
        }
        // Where there are no rows to be filtered it is looked for.
        if !navigate::has_rows(&navigate::content(model))
            && !matches!(&model.overlay, Some(Overlay::Filter(field)) if field.text().is_empty())
        {
            navigate::find_next(model, true);
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

fn arm(model: &mut Model, command: Command, typing: Typing, laid: Option<&Laid>) {
    match command {
        Command::Back => {}
        Command::Accept if laid.is_some_and(|laid| typing.window.saw_all(laid)) => {
            let span = typing.span.unwrap_or(ARMED_FOR);
            match model.arming.arm_for(typing.field.text(), span, model.now) {
                Ok(()) => {
                    let disarm = model.keymap.name(Command::Disarm);
                    let minutes = counted((span.as_secs() / 60) as usize, "minute");
                    model.say(Role::Warning, format!("armed for {minutes} ({disarm} ends it)"));
                    kept::reopen(model);
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
            | Overlay::Logs(_)
            | Overlay::Sources(_)
            | Overlay::Details(_)
            | Overlay::Columns(_)
            | Overlay::Arm(_)
            | Overlay::Menu(_)
            | Overlay::Confirm(_),
        )
        | None => {
            model.say(Role::Note, "pasted text was ignored: no field is open that takes it");
        }
    }
}
