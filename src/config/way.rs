//! What is known of every way to a server, whatever it is.

/// A way to a server.
pub trait Way {
    /// Where it leads, for people; never a secret.
    fn address(&self) -> String;
    /// Whether it does not leave this machine.
    fn is_local(&self) -> bool;
    /// What would mend it, where a password may be read on it.
    fn exposed(&self) -> Option<&'static str>;
}
