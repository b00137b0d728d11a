//! The journal of a redrive: which letters were chosen, what came of each. Written before and flushed after every step, so that a
//! redrive that was interrupted can be continued. Blocking: called off the event loop.

use crate::actions::lines;
use crate::core::redis::{JobState, QueueRef};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

/// A journal is read to this size: its first line names all letters, which are bounded.
const MOST_BYTES: u64 = 256 * 1024 * 1024;

/// One line.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    /// What was chosen: id and state of each letter.
    Begin { address: String, prefix: String, queue: String, letters: Vec<(String, String)> },
    /// What came of one letter.
    Letter { id: String, result: String },
    /// It is over.
    End { summary: String },
}

/// An open journal.
#[derive(Debug)]
pub(super) struct Journal {
    /// Where it is.
    pub(super) path: PathBuf,
}

impl Journal {
    /// A new journal in `folder`, called by `now` (microseconds of the server).
    pub(super) fn begin(
        folder: &Path,
        address: &str,
        queue: &QueueRef,
        now: i64,
        letters: &[(String, JobState)],
    ) -> io::Result<Self> {
        let path = folder.join(format!("redrive-{now}-{}.jsonl", std::process::id()));
        let mut journal = Self { path };
        let letters = letters.iter().map(|(id, state)| (id.clone(), state.word().to_owned())).collect();
        journal.write(&[Line::Begin {
            address: address.to_owned(),
            prefix: queue.prefix.clone(),
            queue: queue.name.clone(),
            letters,
        }])?;
        Ok(journal)
    }

    /// Writes what came of some letters, and waits until it is on the disk.
    pub(super) fn letters(&mut self, results: &[(String, String)]) -> io::Result<()> {
        let line = |(id, result): &(String, String)| Line::Letter { id: id.clone(), result: result.clone() };
        self.write(&results.iter().map(line).collect::<Vec<_>>())
    }

    /// Writes that it is over.
    pub(super) fn end(&mut self, summary: &str) -> io::Result<()> {
        self.write(&[Line::End { summary: summary.to_owned() }])
    }

    fn write(&mut self, lines: &[Line]) -> io::Result<()> {
        lines::append(&self.path, lines)
    }

    /// The newest journal for `queue` at `address` that has no end, and the letters that it has not dealt with.
    pub(super) fn unfinished(
        folder: &Path,
        address: &str,
        queue: &QueueRef,
    ) -> Option<(Self, Vec<(String, JobState)>)> {
        // One that was rotated meanwhile is known by the name that it had.
        let paths: BTreeSet<PathBuf> = std::fs::read_dir(folder)
            .ok()?
            .filter_map(|entry| {
                let name = entry.ok()?.file_name();
                let (stem, _) = name.to_str()?.split_once(".jsonl")?;
                stem.starts_with("redrive-").then(|| folder.join(format!("{stem}.jsonl")))
            })
            .collect();
        paths.into_iter().rev().find_map(|path| {
            let left = left(&path, address, queue)?;
            Some((Self { path }, left))
        })
    }
}

/// The letters of the journal at `path` that it has not dealt with; nothing when it is another queue's, or over.
fn left(path: &Path, address: &str, queue: &QueueRef) -> Option<Vec<(String, JobState)>> {
    let mut chosen: Vec<(String, JobState)> = Vec::new();
    let mut ours = false;
    // A line that was cut by a crash was not flushed: it does not count.
    for line in lines::read_rotated(path, MOST_BYTES).ok()?.lines {
        match line {
            Line::Begin { address: at, prefix, queue: name, letters } => {
                ours = at == address && prefix == queue.prefix && name == queue.name;
                chosen = letters
                    .into_iter()
                    .filter_map(|(id, state)| Some((id, JobState::parse(&state)?)))
                    .collect();
            }
            Line::Letter { id, .. } => chosen.retain(|(other, _)| *other != id),
            Line::End { .. } => return None,
        }
    }
    ours.then_some(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn what_was_not_dealt_with_is_found_again_until_it_is_over() {
        let folder = tempfile::tempdir().unwrap();
        let queue = QueueRef { prefix: "bull".into(), name: "emails-dlq".into() };
        let letters: Vec<(String, JobState)> =
            ["1", "2", "3"].map(|id| (id.to_owned(), JobState::Waiting)).to_vec();
        let mut journal = Journal::begin(folder.path(), "h:1", &queue, 5, &letters).unwrap();
        journal.letters(&[("2".to_owned(), "done".to_owned())]).unwrap();
        let mut torn = std::fs::OpenOptions::new().append(true).open(&journal.path).unwrap();
        torn.write_all(b"{\"lett\xff").unwrap();
        assert!(Journal::unfinished(folder.path(), "h:2", &queue).is_none());
        let (mut again, left) = Journal::unfinished(folder.path(), "h:1", &queue).unwrap();
        assert_eq!(left, [letters[0].clone(), letters[2].clone()]);
        again.letters(&[("1".to_owned(), "done".to_owned())]).unwrap();
        assert_eq!(Journal::unfinished(folder.path(), "h:1", &queue).unwrap().1, [letters[2].clone()]);
        // Rotated in the midst of it: what was written before and after belongs together.
        std::fs::rename(&again.path, again.path.with_extension("jsonl.1")).unwrap();
        assert_eq!(Journal::unfinished(folder.path(), "h:1", &queue).unwrap().1, [letters[2].clone()]);
        again.letters(&[("3".to_owned(), "done".to_owned())]).unwrap();
        assert_eq!(Journal::unfinished(folder.path(), "h:1", &queue).unwrap().1, []);
        again.end("all").unwrap();
        assert!(Journal::unfinished(folder.path(), "h:1", &queue).is_none());
    }
}
