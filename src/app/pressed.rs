//! From a key to what it means now: the one place where keys end. What comes out of it can be recorded and played again; a key that the
//! keymap does not know is nothing.

use super::command::{Command, Context};
use super::key::Key;
use super::model::Model;
use super::msg::Msg;
use super::overlay::Overlay;

/// What `key` means while `model` is as it is.
#[must_use]
pub fn pressed(model: &Model, key: Key) -> Option<Msg> {
    let keymap = &model.keymap;
    let (layers, types): (&[Context], bool) = match &model.overlay {
        None => (&[Context::Screens], false),
        // Nothing is decided there, so the keys of the screens move in it, too.
        Some(Overlay::Help(_) | Overlay::ActionLog(_) | Overlay::Sources(_)) => {
            (&[Context::Dialogs, Context::Screens], false)
        }
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
        (_, Some(command)) => Msg::Command(command),
        (Some(c), None) if types => Msg::Typed(c),
        (Some(_), None) => return None,
        // These hold wherever one is, where their key is no letter.
        (None, None) => Msg::Command(
            screens
                .filter(|command| matches!(command, Command::Quit | Command::Suspend | Command::Redraw))?,
        ),
    };
    Some(message)
}

fn closes(model: &Model, c: char) -> bool {
    match &model.overlay {
        Some(Overlay::Help(_) | Overlay::ActionLog(_) | Overlay::Sources(_)) => true,
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
