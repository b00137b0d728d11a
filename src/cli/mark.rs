//! `stacktop mark`: a person or a pipeline says what happened, for the timelines of all who look.

use super::state_folder::state_folder;
use super::who::user;
use crate::actions::{keeper, lines};
use crate::config::discover::Surroundings;
use crate::core::text::tidy;
use crate::core::time::Clock;
use crate::core::timeline::{Event, Kind};
use crate::runtime::clock::SystemClock;

/// A mark is cut to so many columns.
const COLUMNS: usize = 200;

/// Sets the mark `text`, with who has set it.
pub(super) fn run(text: &str, around: &Surroundings) -> Result<(), String> {
    let text = tidy(text, COLUMNS);
    if text.trim().is_empty() {
        return Err("a mark has a text: `stacktop mark \"shop-api 1.4.2\"`".to_owned());
    }
    let folder = state_folder(around)?;
    lines::own_folder(&folder);
    let words = format!("{text} (set by {})", user(around));
    let event = Event::new(Kind::Marked, None, SystemClock::start().now(), &words);
    let path = folder.join("timeline.jsonl");
    let shown = path.display().to_string();
    keeper::mark(path, event)
        .map_err(|error| format!("the mark was not set: {shown} cannot be written: {error}"))
}
