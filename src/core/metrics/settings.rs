//! What the configuration says of a `/metrics` endpoint beyond how it is reached.

use super::operation::Operation;
use std::collections::BTreeMap;

/// The settings of one endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetricsSettings {
    /// The family that counts requests, where it is named.
    pub requests: Option<String>,
    /// The families that measure its operations, where they are named.
    pub operations: BTreeMap<Operation, String>,
}
