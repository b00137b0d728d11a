//! The rows that a health endpoint has.

/// What a row of a health endpoint stands for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HealthRow {
    /// The endpoint itself.
    Endpoint,
    /// One of its checks, by its name.
    Check(String),
    /// One of its circuit breakers, by its name.
    Breaker(String),
    /// A statement that it calls slow, by its place.
    Slow(usize),
    /// A value, by its pointer.
    Value(String),
}
