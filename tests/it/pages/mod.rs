//! What every page shows of small worlds: one thing a test, no server and no screen.

pub mod blocking;
mod health;
mod looks;
mod postgres;
mod queries;
mod replication;
pub mod world;
