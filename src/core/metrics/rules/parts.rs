//! What the rules about an endpoint have in common.

use crate::core::alert::Judge;
use crate::core::metrics::MetricsState;

/// What a rule about an endpoint has before it.
pub(super) type Its<'a> = Judge<'a, MetricsState>;

/// What is about the endpoint itself, and not about one of its disks.
pub(super) const SUBJECT: &str = "endpoint";
