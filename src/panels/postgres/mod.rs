//! The pages about Postgres.

mod activity;
mod acts;
pub(super) mod blocking;
mod card;
mod clients;
pub(super) mod health;
mod looks;
mod pooler;
pub(super) mod queries;
pub(super) mod replication;
mod sessions;
pub(super) mod signal;
mod statements;
mod target;
