//! The audit trail: append-only JSON lines, each flushed to disk before the next step. It never holds a secret.

use crate::core::time::Now;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// How much of the end of an existing file is read for the action log: enough for some thousand lines.
const TAIL_BYTES: u64 = 512 * 1024;

/// What a line tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It is about to be sent.
    Intent,
    /// It was refused; nothing was sent.
    Refused,
    /// What came of it.
    Outcome,
    /// What a look afterwards found.
    Verified,
}

/// One line of the trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditLine {
    /// When, in UTC (RFC 3339).
    pub at: String,
    /// What the line tells.
    pub phase: Phase,
    /// The same for all lines of one action.
    pub id: String,
    /// The operator's user name on this machine.
    pub who: String,
    /// This machine's name.
    pub host: String,
    /// The environment as configured ("demo" for the embedded stack).
    pub environment: String,
    /// The target's name.
    pub target: String,
    /// The target's address.
    pub address: String,
    /// What kind of action.
    pub action: String,
    /// The pinned identity.
    pub identity: String,
    /// Exactly what was, or would have been, sent.
    pub statement: String,
    /// What came of it; empty for an intent.
    pub result: String,
}

/// The open trail.
#[derive(Debug)]
pub struct AuditTrail {
    path: PathBuf,
    file: Mutex<Option<File>>,
}

impl AuditTrail {
    /// A trail at `path`. The file is made with the first line, readable by its owner only.
    #[must_use]
    pub const fn at(path: PathBuf) -> Self {
        Self { path, file: Mutex::new(None) }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends `line` and waits until it is on the disk. Blocking: call it off the event loop.
    ///
    /// # Errors
    /// When it cannot be written or flushed; then the action must not happen.
    pub fn append(&self, line: &AuditLine) -> io::Result<()> {
        let mut text = serde_json::to_string(line)?;
        text.push('\n');
        let mut slot =
            self.file.lock().map_err(|_| io::Error::other("the audit trail broke in an earlier write"))?;
        // Opened anew when it was moved away (log rotation): a line in a deleted file is no trail.
        if !self.path.exists() {
            *slot = None;
        }
        if slot.is_none() {
            *slot = Some(self.open()?);
        }
        match slot.as_mut() {
            Some(file) => {
                file.write_all(text.as_bytes())?;
                file.sync_data()
            }
            None => Err(io::Error::other("the audit trail is not open")),
        }
    }

    fn open(&self) -> io::Result<File> {
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut options = OpenOptions::new();
        options.create(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&self.path)
    }

    /// The newest `count` lines that can be read, oldest first; nothing when there is no file yet.
    #[must_use]
    pub fn tail(&self, count: usize) -> Vec<AuditLine> {
        let Ok(mut file) = File::open(&self.path) else {
            return Vec::new();
        };
        let length = file.metadata().map_or(0, |meta| meta.len());
        if length > TAIL_BYTES && file.seek(SeekFrom::Start(length - TAIL_BYTES)).is_err() {
            return Vec::new();
        }
        let mut lines: Vec<AuditLine> = BufReader::new(file)
            .lines()
            .map_while(Result::ok)
            .filter_map(|line| serde_json::from_str(&line).ok())
            .collect();
        let skip = lines.len().saturating_sub(count);
        lines.drain(..skip);
        lines
    }
}

/// The moment as the trail writes it.
#[must_use]
pub fn stamp(now: Now) -> String {
    now.wall.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(id: &str) -> AuditLine {
        AuditLine {
            at: stamp(Now::example(0)),
            phase: Phase::Intent,
            id: id.to_owned(),
            who: "ana".to_owned(),
            host: "ops1".to_owned(),
            environment: "prod".to_owned(),
            target: "pg".to_owned(),
            address: "db:5432/app".to_owned(),
            action: "terminate_backend".to_owned(),
            identity: "pid 4711".to_owned(),
            statement: "SELECT 1".to_owned(),
            result: String::new(),
        }
    }

    #[test]
    fn appends_and_reads_back_the_newest() {
        let folder = tempfile::tempdir().unwrap();
        let trail = AuditTrail::at(folder.path().join("deep/audit.jsonl"));
        assert!(trail.tail(5).is_empty());
        for id in ["a", "b", "c"] {
            trail.append(&line(id)).unwrap();
        }
        let ids: Vec<String> = trail.tail(2).into_iter().map(|line| line.id).collect();
        assert_eq!(ids, ["b", "c"]);
        let again = AuditTrail::at(trail.path().to_owned());
        again.append(&line("d")).unwrap();
        assert_eq!(again.tail(9).len(), 4);
    }

    #[test]
    fn a_moved_file_is_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let trail = AuditTrail::at(folder.path().join("audit.jsonl"));
        trail.append(&line("a")).unwrap();
        std::fs::rename(trail.path(), folder.path().join("old")).unwrap();
        trail.append(&line("b")).unwrap();
        assert_eq!(trail.tail(9).len(), 1);
    }

    #[test]
    fn an_impossible_place_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let blocker = folder.path().join("file");
        std::fs::write(&blocker, "").unwrap();
        let trail = AuditTrail::at(blocker.join("audit.jsonl"));
        assert!(trail.append(&line("a")).is_err());
    }
}
