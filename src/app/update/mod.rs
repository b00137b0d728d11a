//! The only place that changes the model. It performs nothing: what is to be done outside is returned as effects.

mod act;
mod dialog;
pub(super) mod navigate;

pub use dialog::matching;

use super::command::Command;
use super::key::{Code, Key};
use super::model::Model;
use super::msg::{Effect, Msg};
use super::overlay::Overlay;
use super::window::Window;
use crate::core::report::PollErrorKind;
use crate::core::time::{Jump, Now};
use crate::core::whereabouts::Whereabouts;
use crate::panels::panel;
use crate::ui::content::Role;
use crate::ui::format::duration;
use crate::ui::theme::Theme;

/// Takes in what happened at `now`.
pub fn update(model: &mut Model, msg: Msg, now: Now) -> Vec<Effect> {
    let jump = now.jump(model.now);
    model.now = now;
    model.arming.lapse(now);
    let mut effects = jump.map_or_else(Vec::new, |jump| jumped(model, jump));
    effects.extend(match msg {
        Msg::Report(report) => {
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
            model.world.apply(*report);
            model.world.evaluate(now);
            act::recheck(model);
            Vec::new()
        }
        Msg::Tick => {
            model.world.evaluate(now);
            if model.toast.as_ref().is_some_and(|toast| now.reached(toast.until)) {
                model.toast = None;
            }
            Vec::new()
        }
        Msg::Key(key) => on_key(model, key),
        Msg::Drawn(size) => {
            dialog::drawn(model, size);
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
            model.say(Role::Note, format!("{words} (:stop ends it)"));
            Vec::new()
        }
        Msg::AuditTail(tail) => {
            if let Some(sentence) = act::unanswered(&tail.unanswered, now) {
                model.say(Role::Warning, sentence);
            }
            model.audit = tail;
            Vec::new()
        }
        Msg::Copied(sentence) => {
            model.say(Role::Note, sentence);
            Vec::new()
        }
    });
    let focus = panel(model.screen).focus(model.context(), &model.place().path);
    if focus != model.focus {
        model.focus.clone_from(&focus);
        effects.push(Effect::Focus(focus));
    }
    effects
}

/// Nobody was running for a while, or a clock was set: what was followed so far was not followed all the time.
fn jumped(model: &mut Model, jump: Jump) -> Vec<Effect> {
    let sentence = match jump {
        Jump::Slept(span) => {
            format!("this machine slept, or stacktop was stopped, for {}: ages begin anew", duration(span))
        }
        Jump::SetForward(span) => {
            let span = duration(span);
            format!("the clock was set forward by {span}, or this machine slept: ages begin anew")
        }
        Jump::SetBack(span) => {
            model.say(Role::Warning, format!("the clock was set back by {}", duration(span)));
            return Vec::new();
        }
    };
    model.say(Role::Warning, sentence);
    model.world.interrupt();
    vec![Effect::PollAll]
}

fn on_key(model: &mut Model, key: Key) -> Vec<Effect> {
    // Ctrl-C and Ctrl-Z work in every dialog.
    let control =
        matches!(model.keymap.command(key), Some(Command::Quit | Command::Suspend | Command::Redraw))
            && key.ctrl;
    if model.overlay.is_some() && !control {
        return dialog::on_key(model, key);
    }
    model.keymap.command(key).map_or_else(Vec::new, |command| run(model, command))
}

/// Carries out one command: from a key or from the palette.
pub(super) fn run(model: &mut Model, command: Command) -> Vec<Effect> {
    if command != Command::Quit {
        model.quit_asked = false;
    }
    match command {
        Command::Up
        | Command::Down
        | Command::HalfUp
        | Command::HalfDown
        | Command::PageUp
        | Command::PageDown
        | Command::Top
        | Command::Bottom => navigate::step(model, command),
        Command::Open => navigate::open(model),
        Command::Back => navigate::back(model),
        Command::Screen(screen) => navigate::go(model, screen),
        Command::NextScreen => navigate::go(model, navigate::beside(model.screen, 1)),
        Command::PreviousScreen => navigate::go(model, navigate::beside(model.screen, -1)),
        Command::LastScreen => navigate::go(model, model.last_screen),
        Command::Sort => navigate::sort(model),
        Command::SortInvert => navigate::invert(model),
        Command::Count => navigate::count(model),
        Command::Mark => navigate::mark(model),
        Command::MarkAll => navigate::mark_all(model),
        Command::ClearMarks => navigate::clear_marks(model),
        Command::Filter => model.overlay = Some(Overlay::Filter),
        Command::Palette => model.overlay = Some(Overlay::Palette(String::new())),
        Command::Find => model.overlay = Some(Overlay::Palette("find ".to_owned())),
        Command::Arm => dialog::open_arm(model),
        Command::Stop => {
            if model.running == 0 {
                model.say(Role::Note, "no action is running");
                return Vec::new();
            }
            model.say(Role::Warning, "stopping as soon as nothing is half done");
            return vec![Effect::StopActions];
        }
        Command::Disarm => {
            model.arming.disarm();
            model.say(Role::Note, "disarmed: nothing can be changed elsewhere");
        }
        Command::Help => model.overlay = Some(Overlay::Help(Window::default())),
        Command::Sources => model.overlay = Some(Overlay::Sources(Window::default())),
        Command::ActionLog => {
            model.overlay = Some(Overlay::ActionLog(Window::default()));
            return vec![Effect::ReadAudit];
        }
        Command::Actions => act::open_menu(model),
        Command::Freeze => freeze(model),
        Command::Refresh => {
            model.say(Role::Note, "asking every source now");
            return vec![Effect::PollAll];
        }
        Command::Copy => return copy(model),
        Command::Theme => theme(model),
        Command::Redraw => return vec![Effect::Redraw],
        Command::Suspend => return vec![Effect::Suspend],
        Command::Quit => return quit(model),
    }
    Vec::new()
}

fn freeze(model: &mut Model) {
    model.frozen = match model.frozen {
        Some(_) => None,
        None => Some(Box::new((model.world.clone(), model.now))),
    };
}

fn copy(model: &mut Model) -> Vec<Effect> {
    let place = model.place();
    let copied = navigate::selected(model)
        .and_then(|row| panel(model.screen).copy(model.context(), &place.path, &row));
    let Some(text) = copied else {
        model.say(Role::Note, "there is nothing to copy here");
        return Vec::new();
    };
    vec![Effect::Copy(text)]
}

fn theme(model: &mut Model) {
    if let Ok(mut next) = Theme::built_in(model.theme.next()) {
        next.ascii = model.theme.ascii;
        model.say(Role::Note, format!("theme: {}", next.name));
        model.theme = next;
    }
}

fn quit(model: &mut Model) -> Vec<Effect> {
    if model.running > 0 && !model.quit_asked {
        model.quit_asked = true;
        model.say(Role::Warning, "an action is still running; press q again to leave without its outcome");
        return Vec::new();
    }
    vec![Effect::Quit]
}

/// Whether `key` closes a dialog.
const fn closes(key: Key) -> bool {
    matches!(key.code, Code::Esc)
}
