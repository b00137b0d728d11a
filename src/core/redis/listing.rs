//! Jobs of a queue page by page, or by a text that they hold.

use super::{JobState, QueueRef};
use crate::core::text::tidy;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Jobs on a page.
pub const JOBS_A_PAGE: u64 = 500;

/// A search ends with so many hits.
pub const HITS: usize = 200;

/// What is told around a hit, in characters.
const AROUND: usize = 30;

/// Which jobs of a queue are listed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Listing {
    /// A page of those in a state: what ended last, or comes next, first.
    State {
        /// Which state.
        state: JobState,
        /// So many stand before the page.
        offset: u64,
    },
    /// Those that hold a text in id, name, reason or data, whatever their state.
    Text(String),
}

/// Jobs that are listed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobPage {
    /// Which queue.
    pub queue: QueueRef,
    /// Which of its jobs.
    pub listing: Listing,
    /// The jobs.
    pub jobs: Vec<PageJob>,
    /// How many there are that might be listed.
    pub there: u64,
    /// How many of them were looked at.
    pub looked_at: u64,
    /// How many hold fields that are too large to be looked into.
    pub too_large: u64,
    /// Nothing more will be looked at.
    pub whole: bool,
}

/// A job on a page.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PageJob {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Where it is.
    pub state: JobState,
    /// How long ago it ended; of one that has not, how long ago it was added.
    pub age: Option<Duration>,
    /// What there is to say: why it failed, when it is due, where the text stands.
    pub note: String,
    /// Its hash is gone.
    pub ghost: bool,
}

/// What stands around the first place of `words` (lower case) in `value`; nothing where it is not there.
#[must_use]
pub fn around(value: &str, words: &str) -> Option<String> {
    let lower = value.to_lowercase();
    let at = lower.find(words)?;
    // Lower case may be longer: a place near it is enough for a glance.
    let before = lower[..at].chars().count();
    let from = before.saturating_sub(AROUND);
    let part: String = value.chars().skip(from).take(2 * AROUND + words.chars().count()).collect();
    let (lead, trail) = (
        if from > 0 { "…" } else { "" },
        if from + part.chars().count() < value.chars().count() { "…" } else { "" },
    );
    Some(tidy(&format!("{lead}{part}{trail}"), 2 * AROUND + words.chars().count() + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hit_is_told_with_what_stands_around_it() {
        assert_eq!(around("{\"order\":4711}", "4711").as_deref(), Some("{\"order\":4711}"));
        assert_eq!(around("nothing", "4711"), None);
        let long = format!("{}NEEDLE{}", "a".repeat(100), "ß".repeat(100));
        let told = around(&long, "needle").expect("it is there");
        assert!(told.contains("NEEDLE") && told.starts_with('…') && told.ends_with('…'), "{told}");
        assert!(around("İNEEDLE", "needle").is_some());
    }
}
