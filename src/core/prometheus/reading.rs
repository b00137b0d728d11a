//! One poll of a Prometheus target, as data.

/// What one poll of a Prometheus target read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PrometheusReading {}
