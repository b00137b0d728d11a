//! From a key to what it means now: the one place where keys end. What comes out of it can be recorded and played again; a key that the
//! keymap does not know is nothing.

use super::command::{Command, Context};
use super::key::Key;
use super::layout::Size;
use super::model::Model;
use super::msg::Msg;
use super::overlay::Overlay;

/// What `key` means while `model` is as it is.
#[must_use]
pub fn pressed(model: &Model, key: Key) -> Option<Msg> {
    let keymap = &model.keymap;
    let too_small = model.size != Size::default() && !model.room().shows();
    let (layers, types): (&[Context], bool) = match &model.overlay {
        None => (&[Context::Screens], false),
        Some(overlay) if is_looking(overlay) => (&[Context::Fields, Context::Dialogs], true),
        // Nothing is decided there, so the keys of the screens move in it, too.
        Some(
            Overlay::Help(_)
            | Overlay::ActionLog(_)
            | Overlay::Logs(_)
            | Overlay::Sources(_)
            | Overlay::Details(_)
            | Overlay::Columns(_),
        ) => (&[Context::Dialogs, Context::Screens], false),
        Some(Overlay::Menu(_)) => (&[Context::Dialogs], true),
        Some(Overlay::Confirm(dialog)) if dialog.word.is_none() => (&[Context::Dialogs], true),
        Some(
            Overlay::Confirm(_)
            | Overlay::Answer(_)
            | Overlay::Note(_)
            | Overlay::Arm(_)
            | Overlay::Filter(_)
            | Overlay::Palette(_),
        ) => (&[Context::Fields, Context::Dialogs], true),
    };
    let found = layers.iter().find_map(|context| keymap.command(*context, key));
    let screens = keymap.command(Context::Screens, key);
    let message = match (key.bare(), found) {
        // What ends a screen closes what is open above it: a list, and a menu that offers nothing under that letter.
        (Some(c), _) if screens == Some(Command::Quit) && closes(model, c) => Msg::Command(Command::Back),
        // Nobody moves or opens what has no room to be shown.
        (_, Some(command))
            if too_small && model.overlay.is_none() && !(is_anywhere(command) || is_told(command)) =>
        {
            return None;
        }
        (_, Some(command)) => Msg::Command(command),
        (Some(c), None) if types => Msg::Typed(c),
        (Some(_), None) => return None,
        // These hold wherever one is, where their key is no letter.
        (None, None) => Msg::Command(screens.filter(|command| is_anywhere(*command))?),
    };
    Some(message)
}

const fn is_anywhere(command: Command) -> bool {
    matches!(command, Command::Quit | Command::Suspend | Command::Redraw)
}

/// Whether `command` says what it does, or why not, also where a screen has no room.
const fn is_told(command: Command) -> bool {
    matches!(
        command,
        Command::Actions
            | Command::Palette
            | Command::Refresh
            | Command::Freeze
            | Command::Slower
            | Command::Faster
    )
}

/// Whether a text to look for is being typed in a list.
fn is_looking(overlay: &Overlay) -> bool {
    match overlay {
        Overlay::Help(window) | Overlay::ActionLog(window) | Overlay::Sources(window) => {
            window.find.field.is_some()
        }
        Overlay::Logs(logs) => logs.window.find.field.is_some(),
        Overlay::Details(details) => details.window.find.field.is_some(),
        Overlay::Filter(_)
        | Overlay::Palette(_)
        | Overlay::Columns(_)
        | Overlay::Arm(_)
        | Overlay::Menu(_)
        | Overlay::Answer(_)
        | Overlay::Note(_)
        | Overlay::Confirm(_) => false,
    }
}

fn closes(model: &Model, c: char) -> bool {
    match &model.overlay {
        Some(overlay) if is_looking(overlay) => false,
        Some(
            Overlay::Help(_)
            | Overlay::ActionLog(_)
            | Overlay::Logs(_)
            | Overlay::Sources(_)
            | Overlay::Details(_)
            | Overlay::Columns(_),
        ) => true,
        Some(Overlay::Menu(menu)) => menu.offers.iter().all(|offer| offer.letter != c),
        Some(
            Overlay::Confirm(_)
            | Overlay::Answer(_)
            | Overlay::Note(_)
            | Overlay::Arm(_)
            | Overlay::Filter(_)
            | Overlay::Palette(_),
        )
        | None => false,
    }
}
