//! A command that is typed: completed, run, and taken back from what was run before.

use super::{commands, navigate, opening, scope, tables};
use crate::app::command::Command;
use crate::app::layout::Layout;
use crate::app::model::Model;
use crate::app::msg::Effect;
use crate::app::overlay::{Overlay, Palette};
use crate::app::palette::{Typed, completed, matching, read};
use crate::app::possible::Possible;
use crate::core::arming::{ARMED_LEAST, ARMED_MOST};
use crate::ui::content::Role;
use crate::ui::field::Field;
use std::time::Duration;

/// So many commands are kept.
const KEPT: usize = 50;

/// Whether the palette does something of its own with `command`.
pub const fn is_own(command: Command) -> bool {
    matches!(command, Command::Up | Command::Down | Command::Accept | Command::Complete | Command::Back)
}

/// A command while a name is typed.
pub fn run(model: &mut Model, command: Command, mut palette: Palette) -> Vec<Effect> {
    match command {
        Command::Accept => return accept(model, palette.field.text()),
        Command::Back => return Vec::new(),
        Command::Complete => {
            if let Some(text) = complete(model, palette.field.text()) {
                palette = Palette::of(text);
            }
        }
        Command::Up => past(model, &mut palette, true),
        _ => past(model, &mut palette, false),
    }
    model.overlay = Some(Overlay::Palette(palette));
    Vec::new()
}

/// What was run before, and back to what was typed.
fn past(model: &Model, palette: &mut Palette, older: bool) {
    let typed = &model.habits.typed;
    let (back, begun) = palette.past.take().unwrap_or((0, palette.field.text().to_owned()));
    let back = if older { (back + 1).min(typed.len()) } else { back.saturating_sub(1) };
    let text = if back == 0 { begun.clone() } else { typed[typed.len() - back].clone() };
    palette.field = Field::of(text);
    palette.past = (back > 0).then_some((back, begun));
}

fn complete(model: &Model, text: &str) -> Option<String> {
    let text = text.trim_start();
    let Some((name, behind)) = text.split_once(char::is_whitespace) else {
        return matching(model, text).first().map(|entry| entry.name.to_owned());
    };
    let behind = behind.trim();
    let whole = match matching(model, name).first()?.command {
        Command::Target => scope::completed(model, behind),
        command => completed(command, behind, &tables::columns(model)),
    };
    whole.map(|whole| format!("{name} {whole}"))
}

fn accept(model: &mut Model, text: &str) -> Vec<Effect> {
    let text = text.trim();
    if !text.is_empty() && model.habits.typed.last().is_none_or(|last| last != text) {
        model.habits.typed.push(text.to_owned());
        let over = model.habits.typed.len().saturating_sub(KEPT);
        model.habits.typed.drain(..over);
    }
    match read(model, text) {
        Typed::Nothing => Vec::new(),
        Typed::Alone(command) => match Possible::new(model).refusal(command) {
            // What a command says of itself is more than why it does nothing.
            Some(why) if command == Command::Stop || command == Command::Disarm => {
                model.say(Role::Note, why);
                Vec::new()
            }
            Some(_) | None => commands::run(model, command),
        },
        Typed::With(command, behind) => {
            with(model, command, behind);
            Vec::new()
        }
        Typed::TakesNothing(name) => {
            model.say(Role::Warning, format!("`{name}` takes nothing behind it"));
            Vec::new()
        }
        Typed::Unknown => {
            let help = model.keymap.name(Command::Help);
            model.say(Role::Warning, format!("there is no command `{text}`; {help} lists them"));
            Vec::new()
        }
    }
}

/// A command with what was typed behind it.
fn with(model: &mut Model, command: Command, behind: &str) {
    match command {
        Command::Find => navigate::find(model, behind),
        Command::Target => scope::narrow(model, behind),
        Command::Theme => match model.theme.named(behind) {
            Ok(theme) => {
                model.theme = theme;
                model.say(Role::Note, format!("theme: {}", model.theme.name));
            }
            Err(why) => model.say(Role::Warning, why),
        },
        Command::Sort => tables::sort_typed(model, behind),
        Command::Arm => arm(model, behind),
        Command::Layout => layout(model, behind),
        _ => {
            if let Some(level) = model.place_mut().levels.last_mut() {
                behind.clone_into(&mut level.filter);
                level.found = None;
            }
        }
    }
}

fn layout(model: &mut Model, behind: &str) {
    if let Some(layout) = Layout::ALL.into_iter().find(|layout| layout.name() == behind) {
        commands::layout(model, layout);
        return;
    }
    let names = Layout::ALL.map(Layout::name).join(", ");
    model.say(Role::Warning, format!("there is no layout `{behind}`: {names}"));
}

fn arm(model: &mut Model, behind: &str) {
    let span = span(behind);
    if span.is_some() {
        opening::open_arm(model, span);
    } else {
        model.say(Role::Warning, format!("`{behind}` is no time to arm for: 1m to 60m, as in `arm 10m`"));
    }
}

/// "10m", "90s", "1h": from a minute to an hour.
fn span(text: &str) -> Option<Duration> {
    let unit = text.trim().char_indices().last()?;
    let seconds = match unit.1 {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        _ => return None,
    };
    let number: u64 = text.trim()[..unit.0].trim().parse().ok()?;
    let span = Duration::from_secs(number.checked_mul(seconds)?);
    (ARMED_LEAST..=ARMED_MOST).contains(&span).then_some(span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_to_arm_for() {
        for (text, seconds) in [
            ("10m", Some(600)),
            ("1h", Some(3600)),
            ("90s", Some(90)),
            ("90 s", Some(90)),
            ("2h", None),
            ("5s", None),
            ("0m", None),
            ("m", None),
            ("ten", None),
            ("10", None),
            ("99999999999999999999h", None),
            ("", None),
        ] {
            assert_eq!(span(text), seconds.map(Duration::from_secs), "{text}");
        }
    }
}
