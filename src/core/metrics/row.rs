//! The rows that an endpoint has.

use super::operation::Operation;

/// What a row of an endpoint stands for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MetricsRow {
    /// The endpoint itself, in a list of them.
    Endpoint,
    /// What an operation reaches, by the family that measures it.
    Level(Operation, String),
    /// What an operation of a group of services reaches: the group's name.
    Shared(Operation, String),
    /// A family.
    Family(String),
    /// A series: the sample's name and its labels.
    Series(String, String),
}

impl MetricsRow {
    /// The family's or the sample's name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Endpoint => "",
            Self::Level(_, name) | Self::Shared(_, name) | Self::Family(name) | Self::Series(name, _) => name,
        }
    }
}
