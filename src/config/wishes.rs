//! What the command line wants of the configuration.

use crate::config::written::FolderFile;
use std::path::PathBuf;

/// What the command line says.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// `--config`.
    pub config: Option<PathBuf>,
    /// `--read-only`.
    pub read_only: bool,
    /// The folder's own file, if it is trusted.
    pub folder: Option<FolderFile>,
}
