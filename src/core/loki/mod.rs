//! What is known of a Loki server: the reading of one poll, the state that follows from several, its rules, and how lines are asked for.
//! Pure.

mod levels;
pub mod logql;
mod question;
mod reading;
mod row;
pub(crate) mod rules;
mod settings;
mod state;

pub use levels::Tone;
pub use question::{About, Question, Window};
pub use reading::*;
pub use row::LokiRow;
pub use rules::RULES;
pub use settings::LokiSettings;
pub use state::LokiState;
