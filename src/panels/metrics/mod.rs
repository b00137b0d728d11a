//! The pages about endpoints and Prometheus.

pub(super) mod endpoints;
mod families;
mod groups;
mod list;
mod prometheus;
mod ranges;
mod service_levels;
pub(super) mod signal;
mod target;
mod vitals;
