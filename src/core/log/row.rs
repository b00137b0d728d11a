//! The rows that a log has, on whichever screen they are opened.

use crate::core::lines::{About, Question, Window};

/// All lines of a log reach back so far, in seconds.
const BACK: u32 = 900;

/// What a row of a log stands for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LogRow {
    /// Lines that were asked for, of this log and of every other that is meant by the question.
    Lines(Question),
    /// A line, by the digest that tells it from all others of its log.
    Line(u64),
}

impl LogRow {
    /// All lines of the log of this name.
    #[must_use]
    pub fn all(name: &str) -> Self {
        let of = vec![name.to_owned()];
        let lines = About::Named { words: Vec::new(), text: String::new(), of, names: Vec::new() };
        Self::Lines(Question { about: name.to_owned(), lines, window: Window::Last(BACK) })
    }
}
