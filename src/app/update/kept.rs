//! What was typed for an action that is not permitted yet, or not any more: it is kept for as long as arming lasts, and asked for again once
//! stacktop is armed, or once the same is chosen again.

use super::{offered, opening};
use crate::app::model::{Kept, Model};
use crate::app::overlay::{Asking, Confirm, Overlay, Typed};
use crate::app::window::Window;
use crate::core::arming::ARMED_FOR;
use crate::core::row::RowKey;
use crate::ui::content::Role;
use crate::ui::field::Field;

/// What is said where something is kept.
pub const KEPT: &str = "what was typed is kept";
/// And where it is asked for again.
const CHANGED: &str = "what stood here has changed since this was typed: look at it before you go on";

/// Keeps what was typed on the open page.
pub fn keep(model: &mut Model, (row, marked): (&RowKey, &[RowKey]), letter: char, typed: &Typed) {
    model.kept = Some(Kept {
        at: model.now,
        screen: model.screen,
        path: model.place().path,
        row: row.clone(),
        marked: marked.to_vec(),
        letter,
        typed: typed.clone(),
    });
}

/// The same of a dialog that asks to confirm; whether something was typed for it.
pub fn keep_of(model: &mut Model, dialog: &Confirm) -> bool {
    let typed = dialog.answer.as_ref();
    if let Some(typed) = typed {
        keep(model, (&dialog.row, &dialog.marked), dialog.letter, typed);
    }
    typed.is_some()
}

/// What was typed for this, if it is kept; it is given once.
pub fn take(model: &mut Model, row: &RowKey, marked: &[RowKey], letter: char) -> Option<Typed> {
    let now = model.now;
    model.kept.take_if(|kept| now.since(kept.at) >= ARMED_FOR);
    let same = |kept: &mut Kept| kept.row == *row && kept.marked == marked && kept.letter == letter;
    model.kept.take_if(same).map(|kept| kept.typed)
}

/// Stacktop was armed: what was typed on the open page is asked for again.
pub fn reopen(model: &mut Model) {
    let path = model.place().path;
    let here = |kept: &Kept| kept.screen == model.screen && kept.path == path && model.is_live();
    let Some(Kept { row, marked, letter, .. }) = model.kept.clone().filter(here) else { return };
    let offers = offered::offers(model, &row, &marked);
    let offer = offers.into_iter().find(|offer| offer.letter == letter && offer.choice.is_ok());
    // What is hidden is not edited.
    let ask =
        offer.and_then(|offer| offer.asks).filter(|ask| !model.habits.private || ask.initial.is_empty());
    if let Some((ask, typed)) = ask.zip(take(model, &row, &marked, letter)) {
        // What was said stands in the dialog: it would change once a key is pressed, and has to be seen anew then.
        model.toast = None;
        warn(model, &ask.initial, &typed);
        let field = Field::of(typed.text);
        let (question, initial, window) = (ask.question, ask.initial, Window::default());
        let asking = Asking { row, marked, letter, question, initial, field, window };
        opening::open(model, Overlay::Answer(Box::new(asking)));
    }
}

/// Says that what is there `now` is not what was seen when this was typed.
pub fn warn(model: &mut Model, now: &str, typed: &Typed) {
    if *now != typed.initial && !typed.initial.is_empty() {
        model.say(Role::Warning, CHANGED);
    }
}
