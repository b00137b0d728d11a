//! What the rules about an endpoint have in common.

use crate::core::alert::Judge;
use crate::core::ids::TargetId;
use crate::core::metrics::{MetricsRow, MetricsState, ServiceLevel};
use crate::core::row::RowKey;

/// What a rule about an endpoint has before it.
pub(super) type Its<'a> = Judge<'a, MetricsState>;

/// What is about the endpoint itself, and not about one of its disks.
pub(super) const SUBJECT: &str = "endpoint";

/// The row that shows what an operation reaches.
pub(super) fn row_of(target: &TargetId, level: &ServiceLevel) -> RowKey {
    RowKey::Metrics(target.clone(), MetricsRow::Level(level.operation, level.family.clone()))
}
