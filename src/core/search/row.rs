//! The rows that a search cluster has.

/// What a row of a search cluster stands for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SearchRow {
    /// A node, by its id.
    Node(String),
    /// A copy of a shard that is on no node.
    Shard {
        /// The index.
        index: String,
        /// The number, as the server writes it.
        shard: String,
        /// Whether it is the primary.
        primary: bool,
    },
}
