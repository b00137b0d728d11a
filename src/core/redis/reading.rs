//! One poll of a Redis target, as data.

/// What one poll of a Redis target read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RedisReading {}
