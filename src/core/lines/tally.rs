//! Lines and errors a minute over time, and whose errors are far above what is usual.

use super::line::Count;
use crate::core::history::{HISTORY_SPAN, Series};
use crate::core::time::Now;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What is usual is known after so long.
const LEARNED_AFTER: Duration = Duration::from_secs(600);
/// So many times what is usual is far above it.
const FAR: f64 = 5.0;
/// What is usual is taken to be at least so many lines a minute: five errors where there never was one are few.
const LEAST_USUAL: f64 = 1.0;
/// Streams whose errors are followed; beyond them a new one is not.
const MOST_STREAMS: usize = 300;

/// The errors of one stream.
#[derive(Clone, Debug, Default, PartialEq)]
struct Errors {
    /// Within the newest minute.
    newest: f64,
    /// Over time, without what was far above the rest: a lasting trouble does not become what is usual.
    calm: Series,
    /// Over time, with everything.
    all: Series,
}

impl Errors {
    fn usual(&self) -> Option<f64> {
        self.calm.mean(HISTORY_SPAN)
    }
}

/// What was counted of one target.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// Lines a minute, over time.
    pub lines: Series,
    /// Errors a minute, over time.
    pub errors: Series,
    by: BTreeMap<String, Errors>,
    /// When it was counted last.
    counted: Option<Now>,
    /// When the errors were counted last.
    judged: Option<Now>,
    /// What the clock shows since it is watched without a break.
    since: Option<Now>,
}

impl Tally {
    /// It is watched at `now`.
    pub fn begin(&mut self, now: Now) {
        self.since = self.since.or(Some(now));
    }

    /// Takes in a count of lines; `false` where that is known: only a new count tells something new.
    pub fn count(&mut self, at: Now, lines: f64) -> bool {
        if self.counted == Some(at) {
            return false;
        }
        self.counted = Some(at);
        self.lines.push(at, Some(lines));
        true
    }

    /// Takes in the errors by stream, once.
    pub fn judge(&mut self, at: Now, errors: &[Count]) {
        if self.judged == Some(at) {
            return;
        }
        self.judged = Some(at);
        let named: BTreeSet<&str> = errors.iter().map(|count| count.name.as_str()).collect();
        for Count { name, lines } in errors {
            if self.by.len() < MOST_STREAMS || self.by.contains_key(name) {
                // One that had none so far had none.
                let none = self.errors.like(0.0);
                let before = || Errors { calm: none.clone(), all: none, newest: 0.0 };
                self.by.entry(name.clone()).or_insert_with(before).newest = *lines;
            }
        }
        let learned = self.knows_usual();
        for (name, errors) in &mut self.by {
            if !named.contains(name.as_str()) {
                errors.newest = 0.0;
            }
            errors.all.push(at, Some(errors.newest));
            let far = errors.usual().is_some_and(|usual| learned && is_far(errors.newest, usual));
            if !far {
                errors.calm.push(at, Some(errors.newest));
            }
        }
        self.by.retain(|_, errors| errors.all.within(HISTORY_SPAN).any(|lines| lines > 0.0));
        self.errors.push(at, Some(errors.iter().map(|count| count.lines).sum()));
    }

    /// Errors of a stream over time.
    #[must_use]
    pub fn errors_of(&self, name: &str) -> Option<&Series> {
        self.by.get(name).map(|errors| &errors.all)
    }

    /// Streams with far more errors at the newest count than is usual: their name, how many, and how many are usual.
    pub fn far_above(&self) -> impl Iterator<Item = (&str, f64, f64)> {
        let learned = self.knows_usual();
        self.by.iter().filter_map(move |(name, errors)| {
            let usual = errors.usual().filter(|usual| learned && is_far(errors.newest, *usual))?;
            Some((name.as_str(), errors.newest, usual))
        })
    }

    /// Whether what is usual is known: without that nobody can say what is far above it.
    #[must_use]
    pub fn knows_usual(&self) -> bool {
        let span = self.since.zip(self.judged).map(|(since, judged)| judged.since(since));
        span.is_some_and(|span| span >= LEARNED_AFTER)
    }

    /// Nobody was running for a while: nothing is known of that time, and what is usual is learned anew.
    pub fn interrupt(&mut self) {
        self.lines.interrupt();
        self.errors.interrupt();
        self.by.clear();
        self.since = None;
    }

    /// Nothing was counted at `now`.
    pub fn gap(&mut self, now: Now) {
        self.lines.push(now, None);
        self.errors.push(now, None);
    }
}

fn is_far(newest: f64, usual: f64) -> bool {
    newest >= FAR * usual.max(LEAST_USUAL)
}
