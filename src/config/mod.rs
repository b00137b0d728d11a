//! What stacktop is told: the configuration file, the environment, what discovery finds, secrets. Resolved once, at the start.

pub mod bounded;
mod check;
pub mod command;
mod defaults;
pub mod discover;
mod entries;
pub mod file;
pub mod form;
mod host;
pub mod keys;
pub mod libpq;
mod login;
pub mod misspelt;
pub mod named;
mod panels;
pub mod paths;
pub mod pgpass;
mod postgres;
pub mod resolve;
pub mod secret;
mod service;
pub mod surroundings;
mod systems;
pub mod target;
pub mod url;
pub mod wishes;
pub mod written;
