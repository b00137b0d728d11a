//! What applications say of themselves, on the metrics screen: health endpoints with their checks; and probes.

mod endpoint;
mod health;
pub(super) mod probe;

pub(super) use endpoint::opened;
pub(super) use health::{section, signal};
