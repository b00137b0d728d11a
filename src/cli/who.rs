//! Who runs stacktop.

use crate::config::discover::Surroundings;

/// The operator's user name on this machine.
pub(super) fn user(around: &Surroundings) -> String {
    let who = around.var("SUDO_USER").or_else(|| around.var("USER")).or_else(|| around.var("LOGNAME"));
    who.unwrap_or_else(|| format!("uid {}", rustix::process::getuid().as_raw()))
}
