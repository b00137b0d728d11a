//! The rows that a Loki server has, on whichever screen they are opened.

use crate::core::lines::Question;

/// What a row of a Loki server stands for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LokiRow {
    /// Lines that were asked for.
    Lines(Question),
    /// A stream, by the value of the label by which streams are told apart.
    Stream(String),
    /// A panel of the team's own: its title, and of one with numbers the labels of a series.
    Panel {
        /// What it is called.
        title: String,
        /// The labels, as one text.
        labels: String,
    },
    /// A line, by its moment in nanoseconds since 1970 and a digest of its stream and text.
    Line(i64, u64),
}
