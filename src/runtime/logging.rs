//! Our own log: a file, never the terminal. Errors (a task that panicked) and sources that fell silent or came back always; more when
//! `STACKTOP_LOG` names a level.
//!
//! The file is opened only when there is something to write: a run without trouble leaves none behind.

use crate::actions::lines;
use crate::core::redact::logins;
use crate::core::text::clean_lines;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use tracing_subscriber::EnvFilter;

/// Under this name stands when a source fell silent and why; it is written whatever level is asked for.
pub const SOURCES: &str = "sources";

/// Starts logging to `file`. What cannot be written is not logged: the run does not depend on it.
pub fn start(file: &Path, level: Option<&str>) {
    let with_sources = |level: &str| format!("{level},{SOURCES}=warn");
    let filter = EnvFilter::try_new(with_sources(level.unwrap_or("error")))
        .unwrap_or_else(|_| EnvFilter::new(with_sources("error")));
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
        Ok(file) => Box::new(Tame(file)),
        Err(_) => Box::new(io::sink()),
    }
}

/// Keeps what servers say from acting on the terminal in which somebody reads the log, and each entry to its line.
struct Tame<W>(W);

impl<W: Write> Write for Tame<W> {
    /// One call is one entry.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let lines = clean_lines(&String::from_utf8_lossy(bytes));
        self.0.write_all(format!("{}\n", logins(&lines.join(" "))).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_one_tame_line() {
        let mut log = Tame(Vec::new());
        log.write_all(b"ERROR a\x1b]0;t\x07\nINFO forged postgres://u:p@h \xc2\x9b\x9b\n").expect("written");
        assert_eq!(
            String::from_utf8(log.0).expect("text"),
            "ERROR a]0;t INFO forged postgres://•••@h \u{fffd}\n"
        );
    }
}
