//! What is known of a Prometheus target: the reading of one poll, the state that follows from several, and its rules. Pure.

pub(crate) mod panel_rules;
mod range;
mod reading;
mod row;
pub(crate) mod rules;
mod same;
mod settings;
mod state;

pub use range::{Range, RangeReading, SPANS, graphed};
pub use reading::*;
pub use row::PrometheusRow;
pub use rules::RULES;
pub(crate) use rules::{ALERT, more};
pub(crate) use same::once;
pub use settings::{PromPast, PromQuery, PrometheusSettings};
pub use state::PrometheusState;
