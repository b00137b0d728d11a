//! Writes jobs down before they are removed: one JSON line each, flushed to disk, so that nothing is lost for good; and finds those that
//! were removed last, to be put back.

use crate::actions::lines;
use crate::core::redis::QueueRef;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The file in which removed jobs are kept.
const FILE: &str = "removed-jobs.jsonl";
/// It is read to this size, with those that it was rotated to.
const MOST_BYTES: u64 = 512 * 1024 * 1024;

/// Names and values of a hash as the server has them.
pub(super) type Bytes = BTreeMap<Vec<u8>, Vec<u8>>;

/// One job as it is written down.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Removed {
    /// When, in the server's milliseconds.
    #[serde(rename = "removed_at_ms")]
    pub(super) at: i64,
    /// Which removal it was part of: the moment of its first job.
    #[serde(default)]
    pub(super) removal: i64,
    /// Where the server is.
    #[serde(default)]
    pub(super) address: String,
    pub(super) prefix: String,
    pub(super) queue: String,
    pub(super) id: String,
    /// Where it was, by the library's word; empty in lines of before that was written.
    #[serde(default)]
    pub(super) state: String,
    /// Its place there, where it is in order of a number.
    #[serde(default)]
    pub(super) score: Option<String>,
    /// The fields of its hash that are text.
    pub(super) fields: BTreeMap<String, String>,
    /// The others, as hexadecimal digits.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) hex: BTreeMap<String, String>,
    /// Its log.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) logs: Vec<String>,
    /// What waited for its end by its deduplication id (`keepLastIfActive`), as far as that is text: it was removed with it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) next: BTreeMap<String, String>,
    /// The rest of that, as hexadecimal digits.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) next_hex: BTreeMap<String, String>,
    /// It was a letter whose job was put back: it is not put back, too.
    #[serde(default)]
    pub(super) redriven: bool,
}

/// A line of the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Line {
    Removed(Box<Removed>),
    /// A removal was undone.
    PutBack {
        put_back: i64,
        address: String,
        prefix: String,
        queue: String,
    },
}

/// Appends `jobs` to the file in `folder` and waits until it is on the disk. Blocking.
///
/// # Errors
/// A sentence that names the file; then nothing may be removed.
pub(super) fn append(folder: &Path, jobs: &[Removed]) -> Result<PathBuf, String> {
    let path = folder.join(FILE);
    lines::append(&path, jobs).map_err(|error| format!("{} cannot be written: {error}", path.display()))?;
    Ok(path)
}

/// Notes that a removal was undone. Blocking.
///
/// # Errors
/// As [`append`].
pub(super) fn put_back(folder: &Path, address: &str, queue: &QueueRef, removal: i64) -> Result<(), String> {
    let path = folder.join(FILE);
    let line = Line::PutBack {
        put_back: removal,
        address: address.to_owned(),
        prefix: queue.prefix.clone(),
        queue: queue.name.clone(),
    };
    lines::append(&path, &[line]).map_err(|error| format!("{} cannot be written: {error}", path.display()))
}

/// The jobs of the last removal from `queue` at `address` that was not undone; none where there is none. Blocking.
///
/// # Errors
/// When the file is there and cannot be read.
pub(super) fn last(folder: &Path, address: &str, queue: &QueueRef) -> Result<Vec<Removed>, String> {
    let path = folder.join(FILE);
    let all = lines::read_rotated::<Line>(&path, MOST_BYTES)
        .map_err(|error| format!("{}: {error}", path.display()))?;
    let mut removals: BTreeMap<i64, Vec<Removed>> = BTreeMap::new();
    for line in all.lines {
        match line {
            Line::Removed(job)
                if job.address == address
                    && (&job.prefix, &job.queue) == (&queue.prefix, &queue.name)
                    && !job.redriven
                    && !job.state.is_empty() =>
            {
                removals.entry(job.removal).or_default().push(*job);
            }
            Line::PutBack { put_back, address: at, prefix, queue: name }
                if at == address && prefix == queue.prefix && name == queue.name =>
            {
                removals.remove(&put_back);
            }
            Line::Removed(_) | Line::PutBack { .. } => {}
        }
    }
    Ok(removals.pop_last().map(|(_, jobs)| jobs).unwrap_or_default())
}

/// The fields of a hash that are text, and the others as hexadecimal digits.
pub(super) fn apart(hash: Bytes) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
    let (mut texts, mut others) = (BTreeMap::new(), BTreeMap::new());
    for (name, value) in hash {
        let name = String::from_utf8_lossy(&name).into_owned();
        match String::from_utf8(value) {
            Ok(text) => texts.insert(name, text),
            Err(bytes) => others.insert(name, hex(bytes.as_bytes())),
        };
    }
    (texts, others)
}

/// And back.
pub(super) fn joined(texts: &BTreeMap<String, String>, others: &BTreeMap<String, String>) -> Bytes {
    let texts = texts.iter().map(|(name, text)| (name.as_bytes().to_vec(), text.as_bytes().to_vec()));
    let others =
        others.iter().filter_map(|(name, digits)| Some((name.as_bytes().to_vec(), from_hex(digits)?)));
    texts.chain(others).collect()
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    bytes.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]).collect()
}

/// And back; nothing where it is none.
pub(super) fn from_hex(digits: &str) -> Option<Vec<u8>> {
    let digits = digits.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.chunks(2).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_job_is_a_line_and_a_file_that_cannot_be_written_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let queue = QueueRef { prefix: "bull".into(), name: "emails".into() };
        let job = |id: &str, removal: i64| Removed {
            removal,
            address: "h:1".to_owned(),
            prefix: "bull".to_owned(),
            queue: "emails".to_owned(),
            id: id.to_owned(),
            state: "failed".to_owned(),
            fields: BTreeMap::from([("data".to_owned(), "{}".to_owned())]),
            ..Removed::default()
        };
        append(folder.path(), &[job("1", 5)]).unwrap();
        let letter = Removed { redriven: true, ..job("9", 7) };
        let path = append(folder.path(), &[job("2", 6), job("3", 6), letter]).unwrap();
        // A line of before states were written.
        let old = r#"{"removed_at_ms":99,"prefix":"bull","queue":"emails","id":"0","fields":{}}"#;
        lines::append(&path, &[serde_json::from_str::<serde_json::Value>(old).unwrap()]).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 5);
        assert!(text.contains(r#""queue":"emails""#) && text.contains(r#""id":"3""#));
        let ids = |address: &str| -> Vec<String> {
            last(folder.path(), address, &queue).unwrap().into_iter().map(|job| job.id).collect()
        };
        assert_eq!(ids("h:1"), ["2", "3"]);
        assert!(ids("h:2").is_empty());
        // Rotated meanwhile: what was removed before is still known, also what was put back since.
        std::fs::rename(&path, folder.path().join("removed-jobs.jsonl.1")).unwrap();
        assert_eq!(ids("h:1"), ["2", "3"]);
        put_back(folder.path(), "h:1", &queue, 6).unwrap();
        assert_eq!(ids("h:1"), ["1"]);
        put_back(folder.path(), "h:1", &queue, 5).unwrap();
        assert!(ids("h:1").is_empty());
        assert!(append(&path, &[]).unwrap_err().contains("removed-jobs.jsonl"));
        assert_eq!(from_hex(&hex(b"\xff\x00a")).as_deref(), Some(&b"\xff\x00a"[..]));
        assert!(from_hex("f").is_none() && from_hex("zz").is_none());
    }
}
