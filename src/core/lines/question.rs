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

impl About {
    /// Whether `line` is one of them, where nobody else sorts lines out. One that is asked for by a query is none.
    #[must_use]
    pub fn is_in(&self, line: &str) -> bool {
        match self {
            Self::Query(_) => false,
            Self::Named { words, text, .. } => {
                (words.is_empty() || words.iter().any(|word| stands_in(line, word)))
                    && line.contains(text.as_str())
            }
        }
    }
}

/// Whether `word` stands in `line` as a whole: neither 142 nor 421 is 42.
fn stands_in(line: &str, word: &str) -> bool {
    let inside = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let (first, last) = (word.starts_with(inside), word.ends_with(inside));
    !word.is_empty()
        && line.match_indices(word).any(|(at, _)| {
            let (before, behind) = (&line[..at], &line[at + word.len()..]);
            !(first && before.ends_with(inside) || last && behind.starts_with(inside))
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(words: &[&str], text: &str, line: &str, expected: bool) {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        let about = About::Named { words, text: text.to_owned(), of: Vec::new(), names: Vec::new() };
        assert_eq!(about.is_in(line), expected, "{about:?} {line}");
    }

    #[test]
    fn a_word_stands_in_a_line_as_a_whole() {
        check(&["42"], "", "job 42 failed", true);
        check(&["42"], "", "job 142, 421 and a_42", false);
        check(&["42"], "", "job 142, then 42", true);
        check(&["7", "10.0.0.5:6379"], "", "connect 10.0.0.5:6379 refused", true);
        check(&["10.0.0.5:6379"], "", "connect 10.0.0.5:63790", false);
        check(&["ü"], "", "tür", true);
        check(&[], "SELECT a FROM", "x SELECT a FROM b", true);
        check(&["9"], "SELECT", "SELECT 1", false);
        check(&[], "", "anything", true);
        assert!(!About::Query("{}".to_owned()).is_in("{}"));
    }
}
