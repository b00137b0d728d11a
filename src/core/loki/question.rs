//! What lines are asked for: which ones, and of which time. It is the identity of a page, so it holds nothing that changes by itself.

use serde::{Deserialize, Serialize};

/// A question for lines.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Question {
    /// What it is about, in words: "job 42 of order-mails".
    pub about: String,
    /// Which lines.
    pub lines: About,
    /// Of which time.
    pub window: Window,
}

/// Which lines.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum About {
    /// Those of a query as it stands.
    Query(String),
    /// Those that name something.
    Named {
        /// One of these stands in a line, as a whole word: a job's id, a pid, an address. None: any line.
        words: Vec<String>,
        /// What stands in a line as it is written here; empty for any line.
        text: String,
        /// The streams configured for the first of these are asked: a queue, a target.
        of: Vec<String>,
        /// Else those that have one of these in a label: a queue, a target, a container. None: all of them.
        names: Vec<String>,
    },
}

/// Of which time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Window {
    /// The last so many seconds, and what comes after them.
    Last(u32),
    /// From this moment on, in milliseconds since 1970, and what comes after it.
    Since(i64),
    /// From this moment to that one, in milliseconds since 1970.
    Between(i64, i64),
}

impl Window {
    /// Whether new lines are of it.
    #[must_use]
    pub const fn follows(self) -> bool {
        match self {
            Self::Last(_) | Self::Since(_) => true,
            Self::Between(..) => false,
        }
    }
}
