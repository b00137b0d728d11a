//! The rows that an Alertmanager has.

/// What a row of an Alertmanager stands for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AlertmanagerRow {
    /// A group of alerts: who is notified, and the labels that it is made by.
    Group {
        /// Who is notified.
        receiver: String,
        /// The labels, as one text.
        labels: String,
    },
    /// An alert, by its fingerprint.
    Alert(String),
    /// A silence, by its id.
    Silence(String),
}
