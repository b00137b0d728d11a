//! Writes jobs down before they are removed: one JSON line each, flushed to disk, so that nothing is lost for good.

use crate::actions::lines;
use crate::core::redis::QueueRef;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The file in which removed jobs are kept.
const FILE: &str = "removed-jobs.jsonl";

/// One job as it is written down: its id and the fields of its hash (bytes that are no text are read lossily).
pub(super) type Job = (String, BTreeMap<String, String>);

/// Appends `jobs` to the file in `folder` and waits until it is on the disk. Blocking.
///
/// # Errors
/// A sentence that names the file; then nothing may be removed.
pub(super) fn append(folder: &Path, queue: &QueueRef, now: i64, jobs: &[Job]) -> Result<PathBuf, String> {
    let path = folder.join(FILE);
    let line = |(id, fields): &Job| {
        serde_json::json!({
            "removed_at_ms": now, "prefix": queue.prefix, "queue": queue.name, "id": id, "fields": fields,
        })
    };
    lines::append(&path, &jobs.iter().map(line).collect::<Vec<_>>())
        .map_err(|error| format!("{} cannot be written: {error}", path.display()))?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_job_is_a_line_and_a_file_that_cannot_be_written_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let queue = QueueRef { prefix: "bull".into(), name: "emails".into() };
        let job = |id: &str| (id.to_owned(), BTreeMap::from([("data".to_owned(), "{}".to_owned())]));
        append(folder.path(), &queue, 5, &[job("1")]).unwrap();
        let path = append(folder.path(), &queue, 6, &[job("2"), job("3")]).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 3);
        assert!(text.contains(r#""queue":"emails""#) && text.contains(r#""id":"3""#));
        assert!(append(&path, &queue, 7, &[]).unwrap_err().contains("removed-jobs.jsonl"));
    }
}
