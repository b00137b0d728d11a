//! One poll of a Search target, as data.

/// What one poll of a Search target read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SearchReading {}
