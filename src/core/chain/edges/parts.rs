//! Rules that several edges lead from or to, and words that several edges share.

use crate::core::alert::RuleId;
use crate::core::metrics::rules as metrics_rules;
use crate::core::postgres::rules::{pools, sessions};
use crate::core::redis::rules::ends;
use crate::core::search::rules as search_rules;

/// What the requests to a service suffer from.
pub(super) const SERVICE: &[RuleId] = &[metrics_rules::ERRORS.spec.id, metrics_rules::LATENCY.spec.id];
/// The same, and its own pool that is full.
pub(super) const SERVICE_OR_POOL: &[RuleId] =
    &[metrics_rules::ERRORS.spec.id, metrics_rules::LATENCY.spec.id, metrics_rules::levels::POOL.spec.id];
/// Jobs that fail.
pub(super) const JOBS_FAIL: &[RuleId] = &[ends::FAILING.spec.id, ends::DEAD_LETTERS.spec.id];
/// Sessions that are open for long.
pub(super) const OPEN: &[RuleId] = &[
    sessions::IDLE_IN_TRANSACTION.spec.id,
    sessions::LONG_QUERY.spec.id,
    sessions::LONG_TRANSACTION.spec.id,
];
/// Clients of a pooler that wait for their turn.
pub(super) const POOL_WAITS: &[RuleId] = &[pools::WAITING.spec.id];
/// Shards that are nowhere.
pub(super) const CLUSTER: &[RuleId] = &[search_rules::RED.spec.id, search_rules::YELLOW.spec.id];
/// A disk that is full, or will be.
pub(super) const DISKS: &[RuleId] = &[metrics_rules::DISK.spec.id, metrics_rules::DISK_LEFT.spec.id];

/// The reasons of failing jobs are read anew each minute.
pub(super) const REASON: &str = "the newest failures name another reason";
