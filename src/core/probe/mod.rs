//! What is known of a probe: what one try found, the state that follows from several, and its rules. Pure.

mod reading;
mod row;
pub(crate) mod rules;
mod settings;
mod state;

pub use reading::*;
pub use row::ProbeRow;
pub use rules::RULES;
pub use settings::ProbeSettings;
pub use state::ProbeState;
