//! What is known of an Alertmanager: the reading of one poll, the state that follows from several, its rules, and what
//! can be done there. Pure.

mod action;
mod dialect;
pub mod matcher;
mod reading;
mod row;
pub(crate) mod rules;
mod settings;
mod state;
mod told;

pub use action::{AlertmanagerAct, End, SeenSilence, sent};
pub use matcher::{Matcher, Matching};
pub use reading::*;
pub use row::AlertmanagerRow;
pub use rules::RULES;
pub use settings::AlertmanagerSettings;
pub use state::AlertmanagerState;
pub use told::sent_by;
pub(crate) use told::{ToldTo, Whom, kept_back, more, once, told_by_its_prometheus};
