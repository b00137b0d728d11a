//! What every page shows of small worlds: one thing a test, no server and no screen.

pub mod alerts;
pub mod blocking;
mod checks;
mod endpoints;
mod finding;
mod health;
mod job;
mod logs;
mod looks;
mod overview;
mod postgres;
mod probes;
mod prometheus;
mod queries;
mod queue;
mod queues;
mod redis;
mod replication;
mod search;
mod service_levels;
mod signals;
pub mod world;
