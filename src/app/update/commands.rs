//! Carries out commands, from a key or from the palette.
use super::export::export;
use super::{act, navigate, noting, opening, scope};
use crate::app::model::Lens;
use crate::app::model::Moment;

use crate::app::command::Command;
use crate::app::model::Model;
use crate::app::msg::Effect;
use crate::app::overlay::{Noted, Overlay};
use crate::app::window::Window;
use crate::panels::panel;
use crate::ui::content::Role;
use crate::ui::field::Field;

/// Carries out one command: from a key or from the palette.
pub fn run(model: &mut Model, command: Command) -> Vec<Effect> {
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
        Command::Filter => {
            let text = model.place().level().map(|level| level.filter.clone()).unwrap_or_default();
            model.overlay = Some(Overlay::Filter(Field::of(text)));
        }
        Command::Palette => model.overlay = Some(Overlay::Palette(Field::default())),
        Command::Find => model.overlay = Some(Overlay::Palette(Field::of("find "))),
        Command::Target => scope::narrow(model, ""),
        Command::Arm => opening::open_arm(model),
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
        Command::Acknowledge => noting::open(model, Noted::Acknowledge),
        Command::Snooze => noting::open(model, Noted::Snooze),
        Command::Runbook => return noting::runbook(model),
        Command::Copy => return copy(model),
        Command::Export => return export(model),
        Command::Theme => theme(model),
        Command::Mouse => return vec![Effect::Mouse],
        Command::Redraw => return vec![Effect::Redraw],
        Command::Suspend => return vec![Effect::Suspend],
        Command::Quit => return quit(model),
        // They mean something only where text is typed.
        Command::Accept | Command::Complete | Command::Editor | Command::Edit(_) => {}
    }
    Vec::new()
}

fn freeze(model: &mut Model) {
    model.lens = match model.lens {
        Lens::At(_) => Lens::Live,
        Lens::Live => Lens::At(Box::new(Moment { world: model.world.clone(), now: model.now })),
    };
}

fn copy(model: &mut Model) -> Vec<Effect> {
    let place = model.place();
    let copied =
        navigate::selected(model).and_then(|row| panel(model.screen).copy(model.seen(), &place.path, &row));
    let Some(text) = copied else {
        model.say(Role::Note, "there is nothing to copy here");
        return Vec::new();
    };
    vec![Effect::Copy(text)]
}

fn theme(model: &mut Model) {
    model.theme = model.theme.following();
    model.say(Role::Note, format!("theme: {}", model.theme.name));
}

fn quit(model: &mut Model) -> Vec<Effect> {
    if model.running > 0 && !model.quit_asked {
        model.quit_asked = true;
        let quit = model.keymap.name(Command::Quit);
        let words = format!("an action is still running; press {quit} again to stop it and leave");
        model.say(Role::Warning, words);
        return Vec::new();
    }
    if model.running > 0 {
        model.say(Role::Warning, "stopping what runs, and waiting for its outcome (3 s at most)");
    }
    vec![Effect::Quit]
}
