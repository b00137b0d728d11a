//! The only place that changes the model. It performs nothing: what is to be done outside is returned as effects.

mod act;
mod commands;
mod dialog;
mod export;
mod incident;
mod kept;
mod marks;
mod mouse;
pub(super) mod navigate;
mod news;
mod noting;
pub(super) mod offered;
mod opening;
pub(super) mod pace;
mod palette;
mod reload;
mod scope;
mod tables;

use crate::app::model::Lens;

use super::command::Command;
use super::model::Model;
use super::msg::{Effect, Msg};
use super::overlay::{LogTail, Overlay};
use crate::actions::audit::Tail;
use crate::core::focus::Focus;
use crate::core::ids::TargetId;
use crate::core::report::{PollErrorKind, PollReport};
use crate::core::sizes::SizesAt;
use crate::core::time::{Jump, Now};
use crate::core::whereabouts::Whereabouts;
use crate::panels::opened;
use crate::ui::content::Role;

/// A second has gone by.
fn ticked(model: &mut Model, zone: chrono::FixedOffset) {
    model.zone = zone;
    model.world.evaluate(model.now);
    if model.toast.as_ref().is_some_and(|toast| model.now.reached(toast.until)) {
        model.toast = None;
    }
}

/// Takes in what happened at `now`.
pub fn update(model: &mut Model, msg: Msg, now: Now) -> Vec<Effect> {
    let jump = now.jump(model.now);
    model.now = now;
    model.arming.lapse(now);
    let mut effects = jump.map_or_else(Vec::new, |jump| jumped(model, jump));
    if jump.is_some() || !is_ours(&msg) {
        model.page = None;
    }
    effects.extend(match msg {
        Msg::Report(report) => {
            reported(model, *report);
            Vec::new()
        }
        Msg::Tick(zone) => {
            ticked(model, zone);
            Vec::new()
        }
        Msg::Command(command) => keeping(model, |model| on_command(model, command)),
        Msg::Click(column, row) => keeping(model, |model| mouse::clicked(model, column, row)),
        Msg::Typed(c) => keeping(model, |model| dialog::typed(model, c)),
        Msg::Resize(size) => {
            model.size = size;
            Vec::new()
        }
        Msg::Background { light } => {
            background(model, light);
            Vec::new()
        }
        Msg::Draws => draws(model),
        Msg::Drawn(size) => {
            opening::drawn(model, size);
            Vec::new()
        }
        Msg::Paste(text) => {
            dialog::paste(model, &text);
            Vec::new()
        }
        Msg::Edited(text) => {
            dialog::edited(model, text);
            Vec::new()
        }
        Msg::ActionDone { id, action, result } => act::done(model, id, &action, result),
        Msg::Verified { id, action, result } => act::verified(model, &id, &action, result),
        Msg::Progress(words) => {
            let stop = model.keymap.name(Command::Stop);
            said(model, Role::Note, format!("{words} ({stop} ends it)"))
        }
        Msg::AuditTail(tail) => {
            tailed(model, tail);
            Vec::new()
        }
        Msg::Logged(tail) => logged(model, tail),
        Msg::Told(sentence) => said(model, Role::Note, sentence),
        Msg::Reloaded(result) => reload::reloaded(model, result),
        Msg::Recalled(kept) => {
            model.world.timeline.recall(kept);
            Vec::new()
        }
        Msg::SizesRecalled(kept) => sizes(model, kept),
        Msg::Noted(notes) => {
            model.world.recall(notes, now);
            Vec::new()
        }
        Msg::Enlisted(enlisted) => reload::enlisted(model, *enlisted),
        Msg::Marked(marks) => {
            news::marked(model, &marks);
            Vec::new()
        }
        Msg::NotKept(sentence) => said(model, Role::Warning, sentence),
    });
    effects.extend(act::foretold(model));
    effects.extend(news::tell(model));
    effects.extend(focused(model));
    if model.habits.private {
        effects.into_iter().map(|effect| veiled(model, effect)).collect()
    } else {
        effects
    }
}

/// The terminal said whether it is light.
fn background(model: &mut Model, light: bool) {
    if let Some(other) = model.otherwise.take_if(|other| other.light == light) {
        model.theme = other.theme;
    }
}

/// The details that are needed, where they are others than before.
fn focused(model: &mut Model) -> Option<Effect> {
    let focus = wanted(model);
    if focus == model.focus {
        return None;
    }
    model.focus.clone_from(&focus);
    Some(Effect::Focus(focus))
}

/// What leaves for where others may look, as the screen would show it.
fn veiled(model: &Model, effect: Effect) -> Effect {
    match effect {
        Effect::Copy(text) => Effect::Copy(model.told_text(&text)),
        Effect::Notify(how, text) => Effect::Notify(how, model.told_text(&text)),
        other => other,
    }
}

/// The details that the open page needs. Of a moment that is held nothing is asked: what came would be of the present.
fn wanted(model: &Model) -> Vec<(TargetId, Focus)> {
    match model.lens {
        Lens::Live => {
            let path = model.place().path;
            opened(model.screen, &path).focus(model.seen(), &path)
        }
        Lens::At(_) => Vec::new(),
    }
}

/// Whether `msg` is of keys, mouse and frames alone. What is shown follows from the world and the place; these change no world.
const fn is_ours(msg: &Msg) -> bool {
    matches!(
        msg,
        Msg::Command(_)
            | Msg::Typed(_)
            | Msg::Paste(_)
            | Msg::Click(..)
            | Msg::Resize(_)
            | Msg::Draws
            | Msg::Drawn(_)
    )
}

/// A frame is about to be drawn.
fn draws(model: &mut Model) -> Vec<Effect> {
    navigate::keep(model);
    if let Some(page) = &model.page {
        model.earlier.take(page, model.now);
    }
    Vec::new()
}

/// Sizes that earlier runs kept were read.
fn sizes(model: &mut Model, kept: Vec<SizesAt>) -> Vec<Effect> {
    model.world.recall_sizes(kept, model.now);
    Vec::new()
}

/// The end of our own log was read, for the page that shows it.
fn logged(model: &mut Model, tail: LogTail) -> Vec<Effect> {
    if let Some(Overlay::Logs(logs)) = &mut model.overlay {
        logs.tail = Some(tail);
    }
    Vec::new()
}

/// The end of the audit trail was read.
fn tailed(model: &mut Model, tail: Tail) {
    if let Some(sentence) = act::unanswered(&tail.unanswered, model.now) {
        model.say(Role::Warning, sentence);
    }
    model.audit = tail;
}

/// Something is said, and nothing else comes of it.
fn said(model: &mut Model, role: Role, sentence: String) -> Vec<Effect> {
    model.say(role, sentence);
    Vec::new()
}

/// A poll ended.
fn reported(model: &mut Model, report: PollReport) {
    match &report.result {
        Ok(reading) => {
            if let Some(found) = reading.whereabouts() {
                model.arming.learn(&report.target, found.clone());
            }
        }
        // Who answers there next may be another one.
        Err(error) if error.kind == PollErrorKind::Unreachable => {
            model.arming.learn(&report.target, Whereabouts::Unknown);
        }
        Err(_) => {}
    }
    model.world.apply(report);
    model.world.evaluate(model.now);
    act::recheck(model);
}

/// Carries out what a key stands for: what is shown before and after it is made once.
fn keeping(model: &mut Model, run: impl FnOnce(&mut Model) -> Vec<Effect>) -> Vec<Effect> {
    navigate::keep(model);
    // What was said of the key before is not true of what this one does.
    if model.toast.as_ref().is_some_and(|toast| toast.of_key) {
        model.toast = None;
    }
    let before = model.toast.clone();
    let effects = run(model);
    if model.toast != before
        && let Some(toast) = &mut model.toast
    {
        toast.of_key = true;
    }
    navigate::keep(model);
    effects
}

/// Nobody was running for a while, or a clock was set: what was followed so far was not followed all the time.
fn jumped(model: &mut Model, jump: Jump) -> Vec<Effect> {
    let sentence = jump.words();
    if !jump.interrupts() {
        model.say(Role::Warning, sentence);
        return Vec::new();
    }
    model.world.interrupt(&sentence, model.now);
    model.foretold.interrupt();
    model.say(Role::Warning, sentence);
    vec![Effect::PollAll]
}

fn on_command(model: &mut Model, command: Command) -> Vec<Effect> {
    let anywhere = matches!(command, Command::Quit | Command::Suspend | Command::Redraw);
    if model.overlay.is_some() && !anywhere {
        dialog::run(model, command)
    } else {
        commands::run(model, command)
    }
}
