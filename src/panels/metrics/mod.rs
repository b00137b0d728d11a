//! The pages about endpoints and Prometheus.

pub(super) mod endpoints;
mod list;
mod prometheus;
mod target;

pub(super) use target::samples;
