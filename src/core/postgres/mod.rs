//! What is known of a Postgres target: the reading of one poll, the state that follows from several, and its rules. Pure.

pub mod blocking;
pub mod locks;
mod reading;
mod rules;
mod state;

pub use reading::*;
pub use rules::{RULES, signals};
pub use state::PostgresState;

mod action;
pub use action::{BackendId, PgAction};
