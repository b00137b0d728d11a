//! Where something is on the screen: a screen, and the path of rows that leads to it. No drawing here.

use super::row::RowKey;

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

/// A place to go to: a screen and the rows to open on it, the last one selected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The screen.
    pub screen: Screen,
    /// The row to select there, if any.
    pub row: Option<RowKey>,
}
