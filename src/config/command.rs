//! A command that prints a secret, as it is written. It is run where tasks may be (`sources/secret`), and never shown: a password may
//! stand in it.

use std::fmt;
use std::time::Duration;

/// No command may take longer, whatever the target's timeout is.
const LONGEST: Duration = Duration::from_secs(5);
/// Of the target's timeout a command gets this share: its own limit comes first, so that the command is blamed and not the server.
const SHARE: f64 = 0.75;

/// A command, run by `sh -c`.
#[derive(Clone, PartialEq)]
pub struct SecretCommand {
    text: String,
    limit: Duration,
}

impl SecretCommand {
    /// A command of a target with this timeout.
    #[must_use]
    pub fn new(text: &str, timeout: Duration) -> Self {
        Self { text: text.to_owned(), limit: timeout.mul_f64(SHARE).min(LONGEST) }
    }

    /// What the shell is given.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How long it may take.
    #[must_use]
    pub const fn limit(&self) -> Duration {
        self.limit
    }
}

impl fmt::Debug for SecretCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}
