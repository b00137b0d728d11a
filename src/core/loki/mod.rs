//! What is known of a Loki server: the reading of one poll, the state that follows from several, its rules, and its language.
//! Pure.

pub mod logql;
mod reading;
mod row;
pub(crate) mod rules;
mod settings;
mod state;

pub use reading::*;
pub use row::LokiRow;
pub use rules::RULES;
pub use settings::LokiSettings;
pub use state::LokiState;
