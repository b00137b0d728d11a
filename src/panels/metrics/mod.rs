//! The pages about endpoints and Prometheus.

pub(super) mod endpoints;
mod groups;
mod list;
mod prometheus;
pub(super) mod signal;
mod target;
