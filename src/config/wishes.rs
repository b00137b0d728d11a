//! What the command line wants of the configuration.

use crate::config::bounded;
use crate::core::text::clean;
use std::path::{Path, PathBuf};

/// What the command line says.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// `--config`.
    pub config: Option<PathBuf>,
    /// What to watch instead of anything that is configured or found.
    pub urls: Vec<String>,
    /// `--read-only`.
    pub read_only: bool,
    /// The folder's own file, if it is trusted.
    pub folder: Option<FolderFile>,
}

/// The configuration that lies in the current folder, with the text that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderFile {
    /// Where it is.
    pub path: PathBuf,
    /// What it says.
    pub text: String,
}

impl FolderFile {
    /// Reads it.
    ///
    /// # Errors
    /// A sentence that names it.
    pub fn read(path: &Path) -> Result<Self, String> {
        Ok(Self {
            path: path.to_owned(),
            text: bounded::text(path).map_err(|error| unreadable(path, &error))?,
        })
    }
}

pub(super) fn unreadable(path: &Path, error: &std::io::Error) -> String {
    format!("the configuration {} cannot be read: {error}", shown(path))
}

/// The path on one line, whatever is in its name.
pub(super) fn shown(path: &Path) -> String {
    clean(&path.display().to_string())
}
