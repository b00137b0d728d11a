//! The pages about endpoints and Prometheus.

pub(super) mod endpoints;
mod prometheus;
mod target;
