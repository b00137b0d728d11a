//! Where something is on the screen: a screen, and the path of rows that leads to it. No drawing here.

use super::row::RowKey;

/// The screens.
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
    /// What changed, newest first.
    Timeline,
}

impl Screen {
    /// Every screen in the order of the tabs.
    pub const ALL: [Self; 9] = [
        Self::Overview,
        Self::Blocking,
        Self::Queries,
        Self::Health,
        Self::Replication,
        Self::Queues,
        Self::Search,
        Self::Metrics,
        Self::Timeline,
    ];

    /// Its name: the command that opens it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::Blocking => "blocking",
            Self::Queries => "queries",
            Self::Health => "health",
            Self::Replication => "replication",
            Self::Queues => "queues",
            Self::Search => "search",
            Self::Metrics => "metrics",
            Self::Timeline => "timeline",
        }
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
