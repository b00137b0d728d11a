//! What was said so far: a line of the screen may be too short for it, or nobody looked.

use crate::core::time::Now;
use crate::ui::content::Role;
use std::collections::VecDeque;

/// So many are kept for the page of our own log.
const KEPT: usize = 50;

/// A message, as it was.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// When it was said.
    pub at: Now,
    /// What it is.
    pub role: Role,
    /// What it says.
    pub text: String,
}

/// The last ones.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Messages(VecDeque<Said>);

impl Messages {
    /// One more.
    pub(super) fn keep(&mut self, said: Said) {
        self.0.push_back(said);
        if self.0.len() > KEPT {
            self.0.pop_front();
        }
    }

    /// Whether nothing was said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The newest first.
    pub fn newest(&self) -> impl Iterator<Item = &Said> {
        self.0.iter().rev()
    }
}
