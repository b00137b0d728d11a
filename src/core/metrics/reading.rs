//! One poll of a Metrics target, as data.

/// What one poll of a Metrics target read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MetricsReading {}
