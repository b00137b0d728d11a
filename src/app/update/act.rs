//! From `x` to the outcome: the menu, the confirm dialog, what came of it.

use super::kept::{self, KEPT};
use super::offered::{self, marked, offers};
use super::{navigate, opening};
use crate::actions::audit::{AuditLine, UNKNOWN};
use crate::app::command::Command;
use crate::app::model::Model;
use crate::app::msg::Effect;
use crate::app::overlay::{Asking, Confirm, Menu, Overlay, Typed};
use crate::app::window::Window;
use crate::core::action::{Action, ActionError, Confirmed, Outcome, Preview, Refusal, Verdict, Verification};
use crate::core::arming::Permit;
use crate::core::freshness::Freshness;
use crate::core::prediction::Prediction;
use crate::core::row::RowKey;
use crate::core::time::Now;
use crate::panels::panel;
use crate::ui::content::Role;
use crate::ui::field::Field;
use crate::ui::format::duration;
use crate::ui::select::shown;
use std::time::Duration;

/// Opens the menu of the row under the cursor.
pub fn open_menu(model: &mut Model) {
    if !model.is_live() {
        let freeze = model.keymap.name(Command::Freeze);
        let words = format!("the screen is frozen; press {freeze} to see the present before you act");
        model.say(Role::Warning, words);
        return;
    }
    let Some(row) = offered::row(model) else {
        model.say(Role::Note, "there is no row here to act on");
        return;
    };
    if row.is_counted() {
        let open = model.keymap.name(Command::Open);
        model.say(Role::Note, format!("this row stands for several; {open} lists them"));
        return;
    }
    let offers = offers(model, &row, &marked(model));
    if offers.is_empty() {
        model.say(Role::Note, "nothing can be done to this row from here");
        return;
    }
    // A list of what cannot be done would say nothing more.
    if let Some(refusal) = row.target().and_then(|target| model.arming.forbids(target)) {
        model.say(Role::Warning, refusal.sentence());
        return;
    }
    let menu = Menu { row, offers, opened: model.now, window: Window::default() };
    opening::open(model, Overlay::Menu(menu));
}

/// A letter was pressed in the menu.
pub fn choose(model: &mut Model, menu: &Menu, letter: char) {
    let Some(offer) = menu.offers.iter().find(|offer| offer.letter == letter) else {
        return;
    };
    match (&offer.choice, &offer.asks) {
        (Err(refusal), _) => {
            model.say(Role::Warning, format!("{}: {}", offer.label, refusal.sentence()));
        }
        (Ok(_), Some(ask)) if model.habits.private && !ask.initial.is_empty() => {
            let privacy = model.keymap.name(Command::Privacy);
            model.say(
                Role::Warning,
                format!("what it holds now is hidden while others look on ({privacy} shows it)"),
            );
        }
        (Ok(_), Some(ask)) => {
            model.toast = None;
            let marked = marked(model);
            let typed = kept::take(model, &menu.row, &marked, letter);
            if let Some(typed) = &typed {
                kept::warn(model, &ask.initial, typed);
            }
            let asking = Asking {
                row: menu.row.clone(),
                marked,
                letter,
                question: ask.question,
                initial: ask.initial.clone(),
                field: Field::of(typed.map_or_else(|| ask.initial.clone(), |typed| typed.text)),
                window: Window::default(),
            };
            opening::open(model, Overlay::Answer(Box::new(asking)));
        }
        (Ok(choice), None) => {
            let from = (menu.row.clone(), marked(model));
            ask_to_confirm(model, from, letter, None, choice.clone());
        }
    }
}

/// A value was typed for an action that needs one: what comes of it is confirmed, or the field stays open and says why not.
pub fn answered(model: &mut Model, asking: Asking) {
    let text = asking.field.text().to_owned();
    match answer(model, &asking.row, &asking.marked, asking.letter, &text) {
        Ok(choice) => {
            model.toast = None;
            let typed = Typed { text, initial: asking.initial };
            ask_to_confirm(model, (asking.row, asking.marked), asking.letter, Some(typed), choice);
        }
        Err(refusal) => model.say(Role::Warning, refusal.sentence()),
    }
}

fn answer(
    model: &Model,
    row: &RowKey,
    marked: &[RowKey],
    letter: char,
    text: &str,
) -> Result<(Action, Preview), Refusal> {
    panel(model.screen).answer(model.seen(), &model.place().path, row, marked, (letter, text))
}

fn ask_to_confirm(
    model: &mut Model,
    (row, marked): (RowKey, Vec<RowKey>),
    letter: char,
    answer: Option<Typed>,
    (action, mut preview): (Action, Preview),
) {
    preview.facts.splice(0..0, marks(model, &marked, &action));
    preview.facts.splice(0..0, age(model, &action));
    let prediction = Prediction::of(&model.world, &action);
    preview.facts.extend(prediction.as_ref().map(|told| ("predicted".to_owned(), told.words.clone())));
    if let Err(refusal) = model.arming.permit(action.target(), model.now) {
        model.overlay = None;
        // What helps stands first: a narrow line has no room for all of it.
        let words = match &refusal.remedy {
            Some(remedy) if model.arming.forbids(action.target()).is_none() => {
                format!("{remedy} ({}): {}", model.keymap.name(Command::Arm), refusal.why)
            }
            _ => refusal.sentence(),
        };
        let words = match &answer {
            Some(typed) if model.arming.forbids(action.target()).is_none() => {
                kept::keep(model, (&row, &marked), letter, typed);
                format!("{words}; {KEPT}")
            }
            Some(_) | None => words,
        };
        model.say(Role::Warning, words);
        return;
    }
    let word = wanted_word(model, &preview);
    let asked = Confirm {
        row,
        marked,
        letter,
        answer,
        action,
        preview,
        prediction,
        word,
        typed: Field::default(),
        changed: None,
        opened: model.now,
        window: Window::default(),
    };
    opening::open(model, Overlay::Confirm(Box::new(asked)));
}

/// The word that must be typed before what `preview` shows is done.
fn wanted_word(model: &Model, preview: &Preview) -> Option<String> {
    let environment = || model.arming.environment.clone();
    preview.word.clone().or_else(|| (model.arming.production || preview.severe).then(environment))
}

/// The permission for what a dialog asks about, as things are now. What may be done, and which word it takes, may have become stricter
/// since the dialog opened.
fn permitted(model: &Model, dialog: &Confirm) -> Result<Permit, Refusal> {
    let permit = model.arming.permit(dialog.action.target(), model.now)?;
    match wanted_word(model, &dialog.preview) {
        Some(word) if dialog.word.as_ref() != Some(&word) => {
            let why = format!("this now takes the word `{word}`, for which nobody was asked");
            Err(Refusal::new(why).remedy("close this and choose it again"))
        }
        _ => Ok(permit),
    }
}

/// What may be done may have become stricter under an open dialog.
pub fn recheck_permission(model: &mut Model) {
    let Some(Overlay::Confirm(dialog)) = &model.overlay else {
        return;
    };
    let refused = permitted(model, dialog).err();
    if let Some(Overlay::Confirm(dialog)) = &mut model.overlay
        && let Some(refusal) = refused
    {
        dialog.changed.get_or_insert(refusal.sentence());
    }
}

/// What was seen within this time is as it is now, for people.
const SEEN_LATELY: Duration = Duration::from_secs(30);

/// That what the operator sees is old, where it is asked for so seldom: the server decides by what it holds then.
fn age(model: &Model, action: &Action) -> Option<(String, String)> {
    let target = model.world.target(action.target().as_str())?;
    match target.freshness(model.now) {
        // Asked so rarely that much may have happened since.
        Freshness::Fresh(age) if age > SEEN_LATELY => {
            let words = format!("{} ago; the server decides by what it holds then", duration(age));
            Some(("seen".to_owned(), words))
        }
        // Nothing is offered on what is late.
        Freshness::Fresh(_) | Freshness::Waiting | Freshness::Late(_) | Freshness::Lost(_) => None,
    }
}

/// How the rows were marked that an action is about, which of them are not on the screen, and which it leaves out.
fn marks(model: &Model, marked: &[RowKey], action: &Action) -> Option<(String, String)> {
    if marked.is_empty() {
        return None;
    }
    let place = model.place();
    let level = place.level()?;
    let mut words = level.marked_by();
    let content = navigate::content(model);
    let rows = shown(&content, level);
    let hidden = marked.iter().filter(|key| !rows.iter().any(|row| row.key == **key)).count();
    if hidden > 0 {
        words.push_str(&format!("; {hidden} of them not on the screen's list now (filtered, or gone)"));
    }
    let left_out = marked.len().saturating_sub(action.objects());
    if left_out > 0 {
        words.push_str(&format!("; {left_out} left out (gone, of another kind or server, or refused)"));
    }
    Some(("marked".to_owned(), words))
}

/// It was left without being confirmed. What was typed for it is kept where it could not have been confirmed.
pub fn leave(model: &mut Model, dialog: &Confirm) {
    let refused = dialog.changed.is_some() || permitted(model, dialog).is_err();
    let also = if refused && kept::keep_of(model, dialog) { format!("; {KEPT}") } else { String::new() };
    model.say(Role::Note, format!("nothing was done{also}"));
}

/// New data came: what a dialog is about may have changed under it.
pub fn recheck(model: &mut Model) {
    let Some(Overlay::Confirm(dialog)) = &model.overlay else {
        return;
    };
    let fresh = if let Some(typed) = &dialog.answer {
        Some(answer(model, &dialog.row, &dialog.marked, dialog.letter, &typed.text))
    } else {
        let offers = offers(model, &dialog.row, &dialog.marked);
        offers.into_iter().find(|offer| offer.letter == dialog.letter).map(|offer| offer.choice)
    };
    if let Some(Overlay::Confirm(dialog)) = &mut model.overlay {
        dialog.recheck(fresh.as_ref());
    }
    recheck_permission(model);
}

/// It was confirmed: off it goes, where that is still permitted.
pub fn perform(model: &mut Model, confirmed: Confirmed<Action>, dialog: &Confirm) -> Vec<Effect> {
    model.overlay = None;
    let permit = match permitted(model, dialog) {
        Ok(permit) => permit,
        Err(refusal) => {
            let also = if kept::keep_of(model, dialog) { format!("; {KEPT}") } else { String::new() };
            model.say(Role::Warning, format!("nothing was done: {}{also}", refusal.sentence()));
            return Vec::new();
        }
    };
    model.running += 1;
    model.world.timeline.asked(confirmed.action(), model.now);
    if let Some(prediction) = dialog.prediction.clone().filter(|told| told.is_due(&model.world)) {
        model.foretold.sent(confirmed.action(), prediction, model.now);
    }
    model.say(Role::Note, format!("{} …", dialog.preview.title));
    if let Some(level) = model.place_mut().levels.last_mut() {
        level.marks.clear();
    }
    vec![Effect::Perform { confirmed, permit }]
}

/// What is said at the start of actions whose outcome no earlier run wrote down.
pub fn unanswered(intents: &[AuditLine], now: Now) -> Option<String> {
    let last = intents.last()?;
    let more = match intents.len() - 1 {
        0 => String::new(),
        count => format!(" ({count} more in the action log)"),
    };
    let AuditLine { action, target, identity, .. } = last;
    Some(format!("{action} on {target}, {identity}, {}: {UNKNOWN}: look at {target}{more}", last.when(now)))
}

/// The executor answered.
pub fn done(
    model: &mut Model,
    id: String,
    action: &Action,
    result: Result<Outcome, ActionError>,
) -> Vec<Effect> {
    model.running = model.running.saturating_sub(1);
    model.world.timeline.done(action, &result, model.now);
    model.foretold.done(&id, action, &result);
    model.unfinished = match &result {
        Ok(outcome) if outcome.verdict != Verdict::Done => Some((id, outcome.summary.clone())),
        // What a look finds then does not hide that it was not known.
        Err(error @ ActionError::Unknown(_)) => Some((id, error.to_string())),
        _ => None,
    };
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

/// Looks whether what was predicted of actions has come, and tells it.
pub fn foretold(model: &mut Model) -> Vec<Effect> {
    let now = model.now;
    let checked = model.foretold.check(&model.world, now);
    let mut effects = Vec::new();
    for (id, action, found) in checked {
        model.world.timeline.checked(&action, &found.words, now);
        let role = if found.confirmed { Role::Ok } else { Role::Warning };
        model.say(role, format!("{} on {}: {}", action.verb(), action.target(), found.words));
        effects.push(Effect::Checked { id, action, words: found.words });
    }
    effects
}

/// The look afterwards ended.
pub fn verified(
    model: &mut Model,
    id: &str,
    action: &Action,
    result: Result<Verification, ActionError>,
) -> Vec<Effect> {
    model.world.timeline.looked(action, &result, model.now);
    let unfinished = model.unfinished.as_ref().filter(|(of, _)| of == id).map(|(_, words)| words);
    match result {
        Ok(found) => {
            let role = if found.settled && unfinished.is_none() { Role::Ok } else { Role::Warning };
            let words = match unfinished {
                Some(words) => format!("{words} · now: {}", found.sentence),
                None => found.sentence,
            };
            let words = match model.foretold.told_of(id) {
                Some(told) => format!("{words} · {told}"),
                None => words,
            };
            model.say(role, words);
        }
        Err(error) => {
            let failed = format!("looking afterwards failed: {error}");
            model
                .say(Role::Warning, unfinished.map_or(failed.clone(), |words| format!("{words} · {failed}")));
        }
    }
    vec![Effect::PollNow(action.target().clone()), Effect::ReadAudit]
}
