//! The pages about endpoints and Prometheus.

pub(super) mod endpoints;
mod list;
mod prometheus;
pub(super) mod signal;
mod target;
