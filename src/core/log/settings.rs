//! What the configuration says of a log beyond where it is.

/// The settings of one log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogSettings {
    /// Whose lines these are: targets, queues, services. None: it may hold lines of anybody.
    pub of: Vec<String>,
}
