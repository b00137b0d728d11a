//! What ties two findings together, by the system that knows it.

pub(super) mod changes;
pub(super) mod copies;
pub(super) mod health;
pub(super) mod lately;
pub(super) mod load;
pub(super) mod network;
pub(super) mod ours;
pub(super) mod postgres;
pub(super) mod redis;
pub(super) mod refused;
pub(super) mod search;
pub(super) mod service;
pub(super) mod workers;
