//! How to change each system. An executor here only executes; the gate around it keeps the order guard → audit → execute → audit.

pub mod alertmanager;
pub mod audit;
pub mod executor;
mod follow;
pub mod gate;
pub mod keeper;
mod kept;
pub mod lines;
pub mod notes;
pub mod ongoing;
pub mod postgres;
pub mod redis;
pub mod search;
pub mod sizes;
pub mod stop;
pub mod webhook;
mod writer;

pub use executor::Executor;
