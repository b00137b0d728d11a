//! Where something is on the screen: a screen, and the path of rows that leads to it. No drawing here.

use std::fmt;
use std::sync::Arc;

/// The screens, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Screen {
    /// Findings, worst first, and the golden signals.
    Overview,
    /// Who blocks whom.
    Blocking,
    /// Running queries, then statements by share of the window.
    Queries,
    /// Database health.
    Health,
    /// Replication.
    Replication,
    /// Queues, their failed jobs, one job; and the Redis server.
    Queues,
    /// Elasticsearch.
    Search,
    /// Prometheus and `/metrics`.
    Metrics,
}

impl Screen {
    /// Every screen in the order of its number.
    pub const ALL: [Self; 8] = [
        Self::Overview,
        Self::Blocking,
        Self::Queries,
        Self::Health,
        Self::Replication,
        Self::Queues,
        Self::Search,
        Self::Metrics,
    ];

    /// The key that opens it: `1` to `8`.
    #[must_use]
    pub fn number(self) -> usize {
        Self::ALL.iter().position(|screen| *screen == self).unwrap_or(0) + 1
    }
}

/// The identity of a row: what it stands for, never where it stands. Segments are joined with `\u{1f}`, which no server text holds
/// after it was cleaned.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RowKey(Arc<str>);

/// Joins the segments of a key.
const SEPARATOR: char = '\u{1f}';

impl RowKey {
    /// A key of these segments; the first says what kind of row it is ("backend", "queue", "job").
    #[must_use]
    pub fn new<S: AsRef<str>>(segments: &[S]) -> Self {
        let mut text = String::new();
        for (index, segment) in segments.iter().enumerate() {
            if index > 0 {
                text.push(SEPARATOR);
            }
            text.extend(segment.as_ref().chars().filter(|c| *c != SEPARATOR));
        }
        Self(Arc::from(text))
    }

    /// The segments again.
    #[must_use]
    pub fn segments(&self) -> Vec<&str> {
        self.0.split(SEPARATOR).collect()
    }

    /// What kind of row it is: the first segment.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.0.split(SEPARATOR).next().unwrap_or_default()
    }

    /// Segment `index`, or an empty text.
    #[must_use]
    pub fn segment(&self, index: usize) -> &str {
        self.0.split(SEPARATOR).nth(index).unwrap_or_default()
    }
}

impl fmt::Debug for RowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RowKey({})", self.0.replace(SEPARATOR, "/"))
    }
}

/// A place to go to: a screen and the rows to open on it, the last one selected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The screen.
    pub screen: Screen,
    /// The row to select there, if any.
    pub row: Option<RowKey>,
}
