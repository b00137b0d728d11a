//! What applications say of themselves, on the metrics screen: health endpoints with their checks.

mod endpoint;
mod health;

pub(super) use endpoint::opened;
pub(super) use health::{section, signal};
