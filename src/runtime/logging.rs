//! Our own log: a file, never the terminal. Off unless `STACKTOP_LOG` names a level.

use std::fs::OpenOptions;
use std::path::Path;
use std::sync::Mutex;
use tracing_subscriber::EnvFilter;

/// Starts logging to `file` when `level` is given. What cannot be opened is not logged: the run does not depend on it.
pub fn start(file: &Path, level: Option<&str>) {
    let Some(level) = level else {
        return;
    };
    if let Some(folder) = file.parent() {
        let _ = std::fs::create_dir_all(folder);
    }
    let Ok(file) = OpenOptions::new().create(true).append(true).open(file) else {
        return;
    };
    let filter = EnvFilter::try_new(level).unwrap_or_else(|_| EnvFilter::new("warn"));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(Mutex::new(file))
        .finish();
    let _ = tracing::subscriber::set_global_default(subscriber);
}
