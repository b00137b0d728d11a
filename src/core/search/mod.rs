//! What is known of a Search target: the reading of one poll, the state that follows from several, and its rules. Pure.

mod reading;
mod row;
pub(crate) mod rules;
mod settings;
mod state;

pub use reading::*;
pub use row::SearchRow;
pub use rules::{CPU, HEAP, RULES};
pub use settings::SearchSettings;
pub use state::{SearchRates, SearchState};
