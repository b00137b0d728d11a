//! What stacktop is told: the configuration file, the environment, what discovery finds, secrets. Resolved once, at the start.

pub mod bounded;
pub mod command;
pub mod discover;
mod entries;
pub mod file;
pub mod near;
mod panels;
mod pgpass;
pub mod resolve;
pub mod secret;
pub mod target;
pub mod url;
