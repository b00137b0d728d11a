//! A file of lines that several stacktops share: what others have written since it was read last.

use super::lines;
use serde::de::DeserializeOwned;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// So much more than what is new is read: a file may grow meanwhile.
const SLACK_BYTES: u64 = 16 * 1024;

/// Which file it is, and how long.
type Seen = Option<(u64, u64, u64)>;

/// The file, and the one older that it is put aside as.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) path: PathBuf,
    older: PathBuf,
    /// It is put aside once it has so many bytes.
    most: u64,
    /// So much of the end of each is read.
    tail: u64,
    read: Mutex<Seen>,
}

impl Shared {
    pub(super) fn at(path: PathBuf, most: u64, tail: u64) -> Self {
        let older = PathBuf::from(format!("{}.1", path.display()));
        Self { path, older, most, tail, read: Mutex::default() }
    }

    /// The end of both files, oldest first.
    pub(super) fn all<T: DeserializeOwned>(&self) -> Vec<T> {
        // What comes while it is read is looked for afterwards.
        let _ = self.moved();
        self.both()
    }

    /// What was written since it was read last, by others and by us, perhaps with some lines from before.
    pub(super) fn news<T: DeserializeOwned>(&self) -> Vec<T> {
        match self.moved() {
            (before, here) if before == here => Vec::new(),
            // It may grow while it is read.
            (Some((_, file, length)), Some((_, now, longer))) if file == now && longer >= length => {
                some(&self.path, (longer - length).saturating_add(SLACK_BYTES).min(self.tail))
            }
            _ => self.both(),
        }
    }

    /// Appends these lines; all of them, or none.
    pub(super) fn keep<T: serde::Serialize>(&self, lines: &[T]) -> io::Result<()> {
        lines::rotate(&self.path, &self.older, self.most)?;
        lines::append(&self.path, lines)
    }

    fn both<T: DeserializeOwned>(&self) -> Vec<T> {
        let mut lines = some(&self.older, self.tail);
        lines.extend(some(&self.path, self.tail));
        lines
    }

    /// How far it was read before, and where it is now.
    fn moved(&self) -> (Seen, Seen) {
        let here = std::fs::metadata(&self.path).ok().map(|is| (is.dev(), is.ino(), is.len()));
        (std::mem::replace(&mut *self.read.lock().unwrap_or_else(PoisonError::into_inner), here), here)
    }
}

fn some<T: DeserializeOwned>(path: &Path, most: u64) -> Vec<T> {
    lines::read(path, most).map(|found| found.lines).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_write_is_found_also_where_the_file_was_put_aside() {
        let folder = tempfile::tempdir().unwrap();
        let file = || Shared::at(folder.path().join("a.jsonl"), 200, 1000);
        let (ours, theirs) = (file(), file());
        theirs.keep(&["a"]).unwrap();
        assert_eq!(ours.all::<String>(), ["a"]);
        assert_eq!(ours.news::<String>(), Vec::<String>::new());
        theirs.keep(&["b"]).unwrap();
        assert_eq!(ours.news::<String>().last().map(String::as_str), Some("b"));
        theirs.keep(&["c".repeat(190)]).unwrap();
        theirs.keep(&["d"]).unwrap();
        let news = ours.news::<String>();
        assert!(news.len() == 4 && news[3] == "d", "{news:?}");
        assert_eq!(ours.news::<String>(), Vec::<String>::new());
        assert_eq!(file().all::<String>().len(), 4);
    }
}
