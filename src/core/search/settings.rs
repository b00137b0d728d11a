//! What the configuration says of a search cluster beyond how it is reached: nothing yet.

/// The settings of one search cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchSettings;
