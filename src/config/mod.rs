//! Where targets, thresholds and secrets come from: command line over environment over file over discovery over defaults.

pub mod secret;
pub mod target;
pub mod url;
