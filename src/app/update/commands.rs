//! Carries out commands, from a key or from the palette.
use super::export::export;
use super::incident::incident;
use super::{act, marks, navigate, noting, opening, pace, scope, tables};
use crate::app::model::{Lens, Moment};

use crate::app::command::Command;
use crate::app::layout::{Layout, Size};
use crate::app::model::Model;
use crate::app::msg::Effect;
use crate::app::overlay::{Choosing, Logs, Noted, Overlay, Palette};
use crate::app::window::Window;
use crate::panels::opened;
use crate::ui::content::Role;
use crate::ui::field::Field;

/// Whether `command` is about the row under the cursor.
const fn is_about_row(command: Command) -> bool {
    matches!(
        command,
        Command::Actions
            | Command::Open
            | Command::Details
            | Command::Mark
            | Command::MarkRange
            | Command::Pin
            | Command::Acknowledge
            | Command::Snooze
            | Command::Lines
    )
}

/// Whether `command` is about rows that are not seen, and so is not carried out.
fn is_unseen(model: &mut Model, command: Command) -> bool {
    let marks = matches!(command, Command::Mark | Command::MarkRange | Command::MarkAll);
    if marks && model.size != Size::default() && !model.room().shows() {
        model.say(Role::Warning, "rows are marked where they can be seen: make the window at least 60x16");
        return true;
    }
    is_about_row(command) && !navigate::is_seen(model, command)
}

/// Carries out one that is about the rows and columns of tables.
fn on_tables(model: &mut Model, command: Command) {
    match command {
        Command::Details => navigate::details(model),
        Command::NextMatch => navigate::find_next(model, true),
        Command::PreviousMatch => navigate::find_next(model, false),
        Command::Sort => tables::choose(model, Choosing::Sort),
        Command::SortInvert => tables::invert(model),
        Command::SortLeft => tables::beside(model, -1),
        Command::SortRight => tables::beside(model, 1),
        Command::Columns => tables::choose(model, Choosing::Shown),
        Command::Wide => tables::wide(model),
        Command::ScrollLeft => tables::scroll(model, false),
        Command::ScrollRight => tables::scroll(model, true),
        Command::Zoom => tables::zoom(model),
        Command::Layout => layout(model, model.habits.layout.following()),
        Command::Count => tables::count(model),
        Command::Mark => marks::mark(model),
        Command::MarkRange => marks::mark_range(model),
        Command::MarkAll => marks::mark_all(model),
        Command::ClearMarks => marks::clear_marks(model),
        Command::Pin => marks::pin(model),
        // The others are carried out elsewhere.
        _ => {}
    }
}

/// Carries out one command: from a key or from the palette.
pub fn run(model: &mut Model, command: Command) -> Vec<Effect> {
    if command != Command::Quit {
        model.quit_asked = false;
    }
    if is_unseen(model, command) {
        return Vec::new();
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
        Command::Details
        | Command::NextMatch
        | Command::PreviousMatch
        | Command::Sort
        | Command::SortInvert
        | Command::SortLeft
        | Command::SortRight
        | Command::Columns
        | Command::Wide
        | Command::ScrollLeft
        | Command::ScrollRight
        | Command::Zoom
        | Command::Layout
        | Command::Count
        | Command::Mark
        | Command::MarkRange
        | Command::MarkAll
        | Command::ClearMarks
        | Command::Pin => on_tables(model, command),
        Command::Slower | Command::Faster => return pace::step(model, command == Command::Slower),
        Command::Filter => {
            let text = model.place().level().map(|level| level.filter.clone()).unwrap_or_default();
            model.overlay = Some(Overlay::Filter(Field::of(text)));
        }
        Command::Palette => model.overlay = Some(Overlay::Palette(Palette::default())),
        Command::Find => model.overlay = Some(Overlay::Palette(Palette::of("find "))),
        Command::Target => scope::narrow(model, ""),
        Command::Arm => opening::open_arm(model, None),
        Command::Stop => return stop(model),
        Command::Disarm => {
            model.arming.disarm();
            model.say(Role::Note, "disarmed: nothing can be changed elsewhere");
        }
        Command::Help | Command::Sources | Command::Logs | Command::ActionLog => return list(model, command),
        Command::Actions => act::open_menu(model),
        Command::Freeze => freeze(model),
        Command::Refresh => {
            model.say(Role::Note, "asking every source now");
            return vec![Effect::PollAll];
        }
        Command::Acknowledge => noting::open(model, Noted::Acknowledge),
        Command::Snooze => noting::open(model, Noted::Snooze),
        Command::Lines => navigate::lines(model),
        Command::Runbook => return noting::runbook(model),
        Command::Copy => return copy(model),
        Command::Export => return export(model),
        Command::Incident => return incident(model),
        Command::Reload => return vec![Effect::Reload],
        Command::Theme => theme(model),
        Command::Privacy => privacy(model),
        Command::Mouse => return vec![Effect::Mouse],
        Command::Redraw => return vec![Effect::Redraw],
        Command::Suspend => return vec![Effect::Suspend],
        Command::Quit => return quit(model),
        // They mean something only where text is typed.
        Command::Accept | Command::Complete | Command::Editor | Command::Edit(_) => {}
    }
    Vec::new()
}

/// Opens what is only read.
fn list(model: &mut Model, command: Command) -> Vec<Effect> {
    let (overlay, asked) = match command {
        Command::Logs => (Overlay::Logs(Logs::default()), Some(Effect::ReadLog)),
        Command::ActionLog => (Overlay::ActionLog(Window::default()), Some(Effect::ReadAudit)),
        Command::Sources => (Overlay::Sources(Window::default()), None),
        _ => (Overlay::Help(Window::default()), None),
    };
    model.overlay = Some(overlay);
    asked.into_iter().collect()
}

fn freeze(model: &mut Model) {
    model.lens = match model.lens {
        Lens::At(_) => Lens::Live,
        Lens::Live => Lens::At(Box::new(Moment { world: model.world.clone(), now: model.now })),
    };
}

fn stop(model: &mut Model) -> Vec<Effect> {
    if model.running == 0 {
        model.say(Role::Note, "no action is running");
        return Vec::new();
    }
    model.say(Role::Warning, "stopping as soon as nothing is half done");
    vec![Effect::StopActions]
}

/// Lists are laid out like this from now on.
pub(super) fn layout(model: &mut Model, layout: Layout) {
    model.habits.layout = layout;
    // It was made for the other one.
    model.page = None;
    model.say(Role::Note, format!("layout {}: {}", layout.name(), layout.words()));
}

/// Copies what the row under the cursor is known by; where there is no row in view, the text of the page.
fn copy(model: &mut Model) -> Vec<Effect> {
    let place = model.place();
    let row = navigate::selected(model).filter(|_| !navigate::is_hidden(model));
    let known =
        row.as_ref().and_then(|row| opened(model.screen, &place.path).copy(model.seen(), &place.path, row));
    let text = known.or_else(|| navigate::text(model, row.as_ref()));
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else {
        model.say(Role::Note, "there is nothing to copy here");
        return Vec::new();
    };
    vec![Effect::Copy(text)]
}

/// What statements and jobs hold is hidden, or shown again.
fn privacy(model: &mut Model) {
    model.habits.private = !model.habits.private;
    // It was made with the other rules.
    model.page = None;
    let words = if model.habits.private {
        "constants of statements, job data and keys are hidden, also in copies and exports"
    } else {
        "everything is shown again"
    };
    model.say(Role::Note, words);
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
