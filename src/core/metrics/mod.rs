//! What is known of a `/metrics` endpoint: the reading of one scrape, the state that follows from several, and its rules. Pure.

mod buckets;
mod disks;
mod kind;
mod layout;
mod levels;
mod processes;
mod quantile;
mod rates;
mod reading;
mod requests;
mod row;
pub(crate) mod rules;
mod service;
mod settings;
mod state;
mod written;

pub use buckets::{ALL_SERIES, Distribution};
pub use disks::{Disk, Disks};
pub use kind::MetricKind;
pub use layout::{Builder, Layout, Named};
pub use levels::{Operation, PoolUse};
pub use quantile::{LEAST_OBSERVATIONS, Quantile, quantile};
pub use reading::*;
pub use requests::is_judged;
pub use row::MetricsRow;
pub use rules::{DISK, ERRORS, LATENCY, RULES};
pub use settings::MetricsSettings;
pub use state::{Golden, MetricsState};
