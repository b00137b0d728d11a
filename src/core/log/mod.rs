//! What is known of a log that is read here: a file of this machine, or what a command prints. Its lines are those of [`super::lines`].
//! Pure.

mod reading;
mod row;
pub(crate) mod rules;
mod settings;
mod state;

pub use reading::LogReading;
pub use row::LogRow;
pub use rules::RULES;
pub use settings::LogSettings;
pub use state::LogState;
