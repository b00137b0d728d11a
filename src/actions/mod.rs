//! How to change each system. An executor here only executes; the gate around it keeps the order guard → audit → execute → audit.

pub mod audit;
pub mod executor;
pub mod gate;
pub mod keeper;
pub mod lines;
pub mod ongoing;
pub mod postgres;
pub mod redis;
pub mod stop;
pub mod webhook;
mod writer;

pub use executor::Executor;

use crate::config::target::{Connect, TargetConfig};
use std::path::Path;
use std::sync::Arc;

/// The executor for a target, which keeps what it must write down in `folder`; `None` for a system that nothing is changed in.
#[must_use]
pub fn open(target: &TargetConfig, folder: &Path) -> Option<Arc<dyn Executor>> {
    match &target.connect {
        Connect::Postgres(connect) => Some(Arc::new(postgres::PostgresExecutor::new(connect.clone()))),
        Connect::Redis(connect) => Some(Arc::new(redis::RedisExecutor::new(connect.clone(), folder))),
        Connect::Search(_) | Connect::Prometheus(_) | Connect::Metrics(_) | Connect::Unusable { .. } => None,
    }
}
