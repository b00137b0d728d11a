//! What the demo says of itself: at its start what it is and what to do first, at its end what happened and what comes next. Pure.

use super::command::{Command, Context};
use super::model::{Model, Toast};
use crate::core::text::{counted, lasting, tidy};
use crate::core::time::Now;
use crate::core::timeline::{Event, Kind as Happened};
use crate::ui::content::Role;
use std::time::Duration;

/// So long the first message stays, unless a key is pressed before.
const WELCOME: Duration = Duration::from_secs(90);
/// So many things of each kind are told at the end.
const MOST: usize = 4;
/// A sentence is cut to so many columns.
const COLUMNS: usize = 160;

/// What this is and what to do first, in the keys that are in force.
#[must_use]
pub fn welcome(model: &Model) -> Toast {
    let key = |command| model.keymap.key_in(Context::Screens, command);
    let text = format!(
        "nothing here is real; soon it breaks: line 2 says why, {} explains, {} acts",
        key(Command::Open),
        key(Command::Actions)
    );
    Toast { text, role: Role::Note, until: model.now.plus(WELCOME), of_key: false }
}

/// What happened since `start`, what was done from here, and what comes next: a sentence a line.
#[must_use]
pub fn farewell(model: &Model, start: Now) -> Vec<String> {
    let events: Vec<&Event> = model.world.timeline.events().collect();
    // Oldest first: so it is read.
    let of = |kind: Happened| events.iter().rev().filter(move |event| event.kind == kind);
    let began = of(Happened::Began).count();
    let ended = of(Happened::Ended).count();
    let mut lines = vec![format!(
        "the demo ran {}: {} began, {ended} ended. Nothing was connected to, nothing was changed outside",
        lasting(model.now.since(start)),
        counted(began, "finding")
    )];
    let since = |event: &&&Event| event.about.as_ref().map_or(event.at, |about| about.since).mono;
    if let Some(first) = of(Happened::Began).min_by_key(since) {
        let at = first.at.wall.with_timezone(&model.zone).format("%H:%M:%S");
        lines.push(format!("first, at {at}: {}", tidy(&first.words, COLUMNS)));
    }
    let done: Vec<String> = of(Happened::Outcome).map(|event| tidy(&event.words, COLUMNS)).collect();
    if done.is_empty() && began > 0 {
        let act = model.keymap.key_in(Context::Screens, Command::Actions);
        lines.push(format!("you changed nothing; {act} on the first finding offers what ends it"));
    }
    let more = done.len().saturating_sub(MOST);
    lines.extend(done.into_iter().take(MOST).map(|words| format!("you: {words}")));
    if more > 0 {
        lines.push(format!("and {more} more of yours"));
    }
    if let Some(over) = of(Happened::AllClear).next_back() {
        lines.push(tidy(&over.words, COLUMNS));
    }
    lines.push(
        "next: `stacktop` in the folder of your compose file, or `stacktop postgres://… redis://…`; `stacktop targets` says what \
         it would watch, `stacktop doctor` what it may see"
            .to_owned(),
    );
    lines.iter().map(|line| model.told_text(line)).collect()
}
