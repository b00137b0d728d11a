//! What is known of a Search target: the reading of one poll, the state that follows from several, and its rules. Pure.

mod reading;
mod rules;
mod state;

pub use reading::*;
pub use rules::{RULES, node_key, signals};
pub use state::{SearchRates, SearchState};
