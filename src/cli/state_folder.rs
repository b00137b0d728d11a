//! Where a run keeps what must outlive it.

use crate::config::discover::Surroundings;
use std::path::{Path, PathBuf};

/// Where the audit trail and the log live: `$XDG_STATE_HOME/stacktop`, else `~/.local/state/stacktop`.
pub(super) fn state_folder(around: &Surroundings) -> Result<PathBuf, String> {
    let base = around
        .var("XDG_STATE_HOME")
        .map(PathBuf::from)
        .or_else(|| around.var("HOME").map(|home| Path::new(&home).join(".local").join("state")))
        .ok_or("neither XDG_STATE_HOME nor HOME is set, so there is no place for the audit trail; set one of them")?;
    Ok(base.join("stacktop"))
}
