//! The rules about a Metrics target.

use super::MetricsState;
use crate::core::alert::{RuleSpec, Rulebook, Signal};
use crate::core::ids::TargetId;
use crate::core::time::Now;

/// The rules of this system with their defaults.
pub const RULES: &[RuleSpec] = &[];

/// Everything that is wrong with `target` at `now` by `rules`.
#[must_use]
pub fn signals(_state: &MetricsState, _target: &TargetId, _rules: &Rulebook, _now: Now) -> Vec<Signal> {
    Vec::new()
}
