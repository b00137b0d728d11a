//! What is known of a health endpoint: the document of one poll, the state that follows from several, and its rules. Pure.

mod gone;
mod reading;
mod row;
pub(crate) mod rules;
mod settings;
mod standing;
mod state;

pub use gone::Absent;
pub use reading::*;
pub use row::HealthRow;
pub use rules::RULES;
pub use settings::{Bound, HealthField, HealthSettings, Unit};
pub use standing::{Standing, breaker, standing};
pub use state::{HealthState, Scale};
