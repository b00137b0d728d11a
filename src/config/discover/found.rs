//! What a place that was looked at has to tell of a target.

use crate::config::target::{Connect, Locality};

/// One thing found: what, and why.
pub(super) struct Found {
    pub(super) connect: Connect,
    pub(super) because: String,
    /// What the place says about where it is.
    pub(super) locality: Locality,
    /// The name to use, if the place where it was found has one for it.
    pub(super) name: Option<String>,
}
