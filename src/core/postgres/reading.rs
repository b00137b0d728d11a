//! One poll of a Postgres target, as data.

/// What one poll of a Postgres target read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PostgresReading {}
