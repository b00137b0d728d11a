//! What holds where nothing is said: names and intervals of targets.

use super::system;
use crate::core::ids::SystemKind;
use std::collections::BTreeSet;
use std::time::Duration;

/// How often a system is asked unless the configuration says otherwise.
#[must_use]
pub fn default_interval(kind: SystemKind) -> Duration {
    system::of(kind).interval
}

/// The first free name for a target of `kind`: `pg`, `pg-2`, …
pub(super) fn free_name(kind: SystemKind, taken: &BTreeSet<String>) -> String {
    let base = kind.short();
    if !taken.contains(base) {
        return base.to_owned();
    }
    (2..=taken.len() + 2)
        .map(|n| format!("{base}-{n}"))
        .find(|name| !taken.contains(name))
        .unwrap_or_default()
}
