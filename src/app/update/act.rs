//! From `x` to the outcome: the menu, the confirm dialog, what came of it.

use super::navigate;
use crate::app::model::Model;
use crate::app::msg::Effect;
use crate::app::overlay::{Confirm, Menu, Overlay};
use crate::core::action::{Action, ActionError, Confirmed, Offer, Outcome, Verdict, Verification};
use crate::core::place::RowKey;
use crate::panels::panel;
use crate::ui::content::Role;

/// Opens the menu of the row under the cursor.
pub fn open_menu(model: &mut Model) {
    if model.frozen.is_some() {
        model.say(Role::Warning, "the screen is frozen; press p to see the present before you act");
        return;
    }
    let Some(row) = navigate::selected(model).or_else(|| model.place().path.last().cloned()) else {
        model.say(Role::Note, "there is no row here to act on");
        return;
    };
    let offers = offers(model, &row, &marked(model));
    if offers.is_empty() {
        model.say(Role::Note, "nothing can be done to this row from here");
        return;
    }
    model.overlay = Some(Overlay::Menu(Menu { row, offers, opened: model.now }));
}

fn marked(model: &Model) -> Vec<RowKey> {
    model.place().level().map(|level| level.marks.iter().cloned().collect()).unwrap_or_default()
}

fn offers(model: &Model, row: &RowKey, marked: &[RowKey]) -> Vec<Offer> {
    panel(model.screen).offers(model.context(), &model.place().path, row, marked)
}

/// A letter was pressed in the menu.
pub fn choose(model: &mut Model, menu: &Menu, letter: char) {
    let Some(offer) = menu.offers.iter().find(|offer| offer.letter == letter) else {
        return;
    };
    match &offer.choice {
        Err(refusal) => {
            let remedy = refusal.remedy.as_ref().map_or(String::new(), |remedy| format!("; {remedy}"));
            model.say(Role::Warning, format!("{}: {}{remedy}", offer.label, refusal.why));
        }
        Ok((action, preview)) => match model.arming.permit(action.target(), model.now) {
            Err(refusal) => {
                let remedy = refusal.remedy.map_or(String::new(), |remedy| format!("; {remedy}"));
                model.overlay = None;
                model.say(Role::Warning, format!("{}{remedy}", refusal.why));
            }
            Ok(permit) => {
                let word =
                    (model.arming.production || preview.severe).then(|| model.arming.environment.clone());
                model.overlay = Some(Overlay::Confirm(Box::new(Confirm {
                    row: menu.row.clone(),
                    marked: marked(model),
                    letter,
                    action: action.clone(),
                    preview: preview.clone(),
                    permit,
                    word,
                    typed: String::new(),
                    changed: None,
                    opened: model.now,
                })));
            }
        },
    }
}

/// New data came: what a dialog is about may have changed under it.
pub fn recheck(model: &mut Model) {
    let Some(Overlay::Confirm(dialog)) = &model.overlay else {
        return;
    };
    let fresh = offers(model, &dialog.row, &dialog.marked);
    if let Some(Overlay::Confirm(dialog)) = &mut model.overlay {
        dialog.recheck(&fresh);
    }
}

/// It was confirmed: off it goes.
pub fn perform(model: &mut Model, confirmed: Confirmed<Action>, dialog: &Confirm) -> Vec<Effect> {
    model.overlay = None;
    model.running += 1;
    model.say(Role::Note, format!("{} …", dialog.preview.title));
    if let Some(level) = model.place_mut().levels.last_mut() {
        level.marks.clear();
    }
    vec![Effect::Perform { confirmed, permit: dialog.permit.clone() }]
}

/// The executor answered.
pub fn done(model: &mut Model, action: &Action, result: Result<Outcome, ActionError>) -> Vec<Effect> {
    model.running = model.running.saturating_sub(1);
    match result {
        Ok(outcome) => {
            let role = match outcome.verdict {
                Verdict::Done => Role::Ok,
                Verdict::Partly | Verdict::Nothing | Verdict::Unknown => Role::Warning,
            };
            model.say(role, outcome.summary);
        }
        Err(error) => model.say(Role::Critical, error.to_string()),
    }
    vec![Effect::PollNow(action.target().clone()), Effect::ReadAudit]
}

/// The look afterwards ended.
pub fn verified(
    model: &mut Model,
    action: &Action,
    result: Result<Verification, ActionError>,
) -> Vec<Effect> {
    match result {
        Ok(found) => {
            let role = if found.settled { Role::Ok } else { Role::Warning };
            model.say(role, found.sentence);
        }
        Err(error) => model.say(Role::Warning, format!("looking afterwards failed: {error}")),
    }
    vec![Effect::PollNow(action.target().clone()), Effect::ReadAudit]
}
