//! Taking note of a finding: acknowledge, snooze, its runbook. Nothing is changed elsewhere, and nothing is hidden.

use super::offered::finding as chosen;
use super::{navigate, opening};
use crate::app::command::Command;
use crate::app::layout::Laid;
use crate::app::model::Model;
use crate::app::msg::Effect;
use crate::app::overlay::{BACK, SPANS};
use crate::app::overlay::{Noted, Noting, Overlay};
use crate::app::window::Window;
use crate::core::alert::{FindingKey, Heard, Stage, Until};
use crate::core::redact::logins;
use crate::core::text::tidy;
use crate::panels::panel;
use crate::ui::content::Role;
use crate::ui::field::Field;
use std::time::Duration;

/// Columns of a note.
const NOTE: usize = 200;

/// Opens the field for a note, or for how long.
pub fn open(model: &mut Model, how: Noted) {
    if !model.is_live() {
        let freeze = model.keymap.name(Command::Freeze);
        model.say(Role::Warning, format!("the screen is frozen; press {freeze} to see the present first"));
        return;
    }
    let chosen = chosen(model).and_then(|key| model.world.alerts.get(&key));
    let Some(finding) = chosen.filter(|finding| finding.stage == Stage::Firing) else {
        model.say(Role::Note, "note is taken of a finding that is there: choose one on the overview");
        return;
    };
    let field = match (how, &finding.heard) {
        (Noted::Acknowledge, Some(heard)) => Field::of(heard.note.clone()),
        (Noted::Acknowledge, None) => Field::default(),
        (Noted::Snooze, _) => Field::of(SPANS[0]),
    };
    let (key, sentence) = (finding.key(), finding.breach.sentence.clone());
    model.toast = None;
    let noting = Noting { key, sentence, how, field, window: Window::default() };
    opening::open(model, Overlay::Note(Box::new(noting)));
}

/// A command while the field is open.
pub fn run(model: &mut Model, command: Command, mut noting: Box<Noting>, laid: Option<&Laid>) {
    match command {
        Command::Back => model.say(Role::Note, "nothing was noted"),
        Command::Accept if laid.is_some_and(|laid| noting.window.saw_all(laid)) => accept(model, noting),
        Command::Complete if noting.how == Noted::Snooze => {
            let at = SPANS.iter().position(|span| *span == noting.field.text());
            noting.field = Field::of(SPANS[at.map_or(0, |at| (at + 1) % SPANS.len())]);
            model.overlay = Some(Overlay::Note(noting));
        }
        _ => model.overlay = Some(Overlay::Note(noting)),
    }
}

fn accept(model: &mut Model, noting: Box<Noting>) {
    let typed = noting.field.text().trim();
    let minutes = |minutes: u64| Some(Until::Then(model.now.plus(Duration::from_secs(minutes * 60))));
    let (until, note) = match (noting.how, typed) {
        (Noted::Acknowledge, note) => (Some(Until::Over), tidy(&logins(note), NOTE)),
        (Noted::Snooze, "15m" | "15 m") => (minutes(15), String::new()),
        (Noted::Snooze, "1h" | "1 h") => (minutes(60), String::new()),
        (Noted::Snooze, "until clear" | "clear") => (Some(Until::Clear), String::new()),
        (Noted::Snooze, BACK) => (None, String::new()),
        (Noted::Snooze, _) => {
            model.say(Role::Warning, format!("one of {}, or {BACK}", SPANS.join(", ")));
            model.overlay = Some(Overlay::Note(noting));
            return;
        }
    };
    note_down(model, &noting.key, until, &note);
}

/// Keeps it, and tells the timeline.
fn note_down(model: &mut Model, key: &FindingKey, until: Option<Until>, note: &str) {
    let (now, who) = (model.now, model.who.clone());
    let how = match until {
        None => {
            let was = model.world.alerts.unhear(key);
            if !was {
                model.say(Role::Note, "nobody had taken note of it");
                return;
            }
            format!("taken back by {who}")
        }
        Some(until) => {
            let heard = Heard { who: who.clone(), note: note.to_owned(), at: now, until };
            let word = match until {
                Until::Then(end) => {
                    let local = end.wall.with_timezone(&model.zone);
                    format!("snoozed until {}", local.format("%H:%M"))
                }
                Until::Over | Until::Clear => heard.word(now),
            };
            if !model.world.alerts.hear(key, heard) {
                model.say(Role::Note, "nothing was noted: it is over");
                return;
            }
            let note = if note.is_empty() { String::new() } else { format!(" ({note})") };
            format!("{word} by {who}{note}")
        }
    };
    if let Some(finding) = model.world.alerts.get(key) {
        model.world.timeline.noted(finding, &how, now);
    }
    model.page = None;
    model.say(Role::Ok, format!("{how}; it stays in the list"));
}

/// Copies the address of the runbook; where there is no finding, that of the page about the row.
pub fn runbook(model: &mut Model) -> Vec<Effect> {
    let Some(key) = chosen(model) else {
        let (row, place) = (navigate::selected(model), model.place());
        if let Some(link) = panel(model.screen).link(model.seen(), &place.path, row.as_ref()) {
            return vec![Effect::Copy(link)];
        }
        model.say(Role::Note, "a finding has a runbook: choose one on the overview");
        return Vec::new();
    };
    let Some(url) = model.world.rules.get(key.rule).runbook else {
        model.say(Role::Note, format!("no runbook is set in [rules.\"{}\"] of the configuration", key.rule));
        return Vec::new();
    };
    vec![Effect::Copy(url)]
}
