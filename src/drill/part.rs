//! Which part of the embedded stack a target is.

/// Which part of the stack a target is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Primary,
    Standby,
    Redis,
    Search,
    Prometheus,
    Api,
}
