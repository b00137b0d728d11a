//! Our own log: a file, never the terminal. Errors (a task that panicked) always; more when `STACKTOP_LOG` names a level.
//!
//! The file is opened only when there is something to write: a run without trouble leaves none behind.

use crate::actions::lines;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use tracing_subscriber::EnvFilter;

/// Starts logging to `file`. What cannot be written is not logged: the run does not depend on it.
pub fn start(file: &Path, level: Option<&str>) {
    let filter = EnvFilter::try_new(level.unwrap_or("error")).unwrap_or_else(|_| EnvFilter::new("error"));
    let path = file.to_owned();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(move || open(&path))
        .finish();
    let _ = tracing::subscriber::set_global_default(subscriber);
}

fn open(path: &PathBuf) -> Box<dyn Write> {
    if let Some(folder) = path.parent() {
        let _ = lines::make_folder(folder);
    }
    match OpenOptions::new().create(true).append(true).mode(0o600).open(path) {
        Ok(file) => Box::new(file),
        Err(_) => Box::new(io::sink()),
    }
}
