//! Our own log: a file, never the terminal. Errors (a task that panicked) and sources that fell silent or came back always; more when
//! `STACKTOP_LOG` names a level.
//!
//! The file is opened only when there is something to write: a run without trouble leaves none behind.

use crate::actions::lines;
use crate::app::overlay::LogTail;
use crate::core::redact::logins;
use crate::core::text::{clean_lines, tidy};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::layer;
use tracing_subscriber::layer::SubscriberExt;

/// Under this name stands when a source fell silent and why; it is written whatever level is asked for.
pub const SOURCES: &str = "sources";

/// So much of its end is read, so many lines of that are shown, and so many columns of each.
const TAIL_BYTES: u64 = 256 * 1024;
const TAIL_LINES: usize = 500;
const LINE_COLUMNS: usize = 1000;

/// Starts logging to `file`. What cannot be written is not logged: the run does not depend on it.
pub fn start(file: &Path, level: Option<&str>) {
    let path = file.to_owned();
    let written = layer().with_ansi(false).with_writer(move || open(&path));
    let subscriber = tracing_subscriber::registry().with(wanted(level)).with(written);
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// What is written at this level: `debug`, or levels of parts (`warn,tokio_postgres=debug`). Errors alone where it is none.
fn wanted(level: Option<&str>) -> Targets {
    let levels = level.and_then(|level| level.parse::<Targets>().ok());
    levels.unwrap_or_else(|| Targets::new().with_default(Level::ERROR)).with_target(SOURCES, Level::WARN)
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

/// The newest lines of the log at `path`, as they may be shown: the file may have been written by others, too.
pub async fn tail(path: Option<PathBuf>) -> LogTail {
    let Some(path) = path else {
        return LogTail { place: "no file".to_owned(), lines: Ok(Vec::new()) };
    };
    let place = path.display().to_string();
    let read = tokio::task::spawn_blocking(move || newest(&path));
    let lines = match read.await.unwrap_or_else(|error| Err(io::Error::other(error))) {
        Ok(lines) => Ok(lines),
        // A run without trouble leaves none behind.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error.to_string()),
    };
    LogTail { place, lines }
}

fn newest(path: &Path) -> io::Result<Vec<String>> {
    let mut file = File::open(path)?;
    let begin = file.metadata()?.len().saturating_sub(TAIL_BYTES);
    file.seek(SeekFrom::Start(begin))?;
    let mut bytes = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    // The first one is not whole where more stands before it.
    let lines = text.lines().skip(usize::from(begin > 0)).map(|line| logins(&tidy(line, LINE_COLUMNS)));
    let lines: Vec<String> = lines.filter(|line| !line.is_empty()).collect();
    let over = lines.len().saturating_sub(TAIL_LINES);
    Ok(lines.into_iter().skip(over).collect())
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

    #[tokio::test]
    async fn the_newest_lines_are_read_and_made_tame() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("stacktop.log");
        assert_eq!(tail(Some(path.clone())).await.lines, Ok(Vec::new()), "a run without trouble");
        let many = (0..600).map(|n| format!("line {n}")).collect::<Vec<_>>().join("\n");
        std::fs::write(&path, format!("{many}\n\u{1b}[2Jat redis://:pw@h\n\n")).expect("written");
        let told = tail(Some(path.clone())).await;
        let lines = told.lines.expect("read");
        assert_eq!((lines.len(), lines[0].as_str()), (TAIL_LINES, "line 101"));
        assert_eq!(lines.last().map(String::as_str), Some("[2Jat redis://•••@h"));
        assert_eq!(told.place, path.display().to_string());
        std::fs::write(&path, format!("{}\nnew\n", "x".repeat(TAIL_BYTES as usize))).expect("written");
        assert_eq!(tail(Some(path)).await.lines, Ok(vec!["new".to_owned()]), "half a line is none");
        assert!(tail(Some(folder.path().to_owned())).await.lines.is_err());
    }

    #[track_caller]
    fn check(level: Option<&str>, target: &str, most: Level) {
        let wanted = wanted(level);
        let levels = [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE];
        let written: Vec<Level> =
            levels.into_iter().filter(|level| wanted.would_enable(target, level)).collect();
        assert_eq!(written.last(), Some(&most), "{level:?} {target}");
    }

    #[test]
    fn errors_are_written_and_more_where_it_is_wanted() {
        check(None, "stacktop::runtime", Level::ERROR);
        check(None, SOURCES, Level::WARN);
        check(Some("debug"), "hyper::client", Level::DEBUG);
        check(Some("info,tokio_postgres=trace"), "tokio_postgres::query", Level::TRACE);
        check(Some("info,tokio_postgres=trace"), "stacktop", Level::INFO);
        check(Some("error"), SOURCES, Level::WARN);
        check(Some("no=level=at all"), "stacktop", Level::ERROR);
    }

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
