//! Looks for the newest backup file, in a place of its own: a network file system may hang.

use crate::core::part::{Gap, GapKind, Part};
use crate::core::postgres::Backup;
use crate::core::time::Now;
use crate::sources::bulkhead::BACKUPS;
use crate::sources::owned::Owned;
use chrono::{DateTime, Utc};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// It is looked for this often.
const INTERVAL: Duration = Duration::from_secs(60);

/// The backup files of one server.
pub(super) struct BackupWatch {
    pattern: String,
    /// What was found, and when: a file grows older between two looks.
    found: Arc<Mutex<(Option<Now>, Part<Backup>)>>,
    asked: Option<Now>,
    running: Option<Owned<()>>,
}

impl BackupWatch {
    pub(super) fn new(pattern: String) -> Self {
        Self { pattern, found: Arc::default(), asked: None, running: None }
    }

    /// Looks if that is due, and tells what is known. Waits for nothing.
    pub(super) fn step(&mut self, now: Now) -> Part<Backup> {
        let busy = self.running.as_ref().is_some_and(|task| !task.is_finished());
        if !busy && self.asked.is_none_or(|at| now.since(at) >= INTERVAL) {
            self.asked = Some(now);
            let (pattern, found) = (self.pattern.clone(), Arc::clone(&self.found));
            self.running = Some(Owned::spawn(async move {
                let part = find(pattern, now).await;
                *found.lock().unwrap_or_else(PoisonError::into_inner) = (Some(now), part);
            }));
        }
        let (looked, mut part) = self.found.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let (Some(looked), Part::Ready(backup)) = (looked, &mut part) {
            backup.age += now.since(looked);
        }
        part
    }
}

/// The newest of the files that `pattern` names.
pub(super) async fn find(pattern: String, now: Now) -> Part<Backup> {
    let key = pattern.clone();
    let failed =
        || Part::Unavailable(Gap::new(GapKind::Failed, "looking for backups failed inside stacktop"));
    BACKUPS.run(&key, move || newest(&pattern, now.wall)).await.unwrap_or_else(failed)
}

fn newest(pattern: &str, now: DateTime<Utc>) -> Part<Backup> {
    let failed = |note: String| Part::Unavailable(Gap::new(GapKind::Failed, note));
    let paths = match glob::glob(pattern) {
        Ok(paths) => paths,
        Err(error) => return failed(format!("backups {pattern}: {error}")),
    };
    let mut newest: Option<Backup> = None;
    let mut files = 0;
    for path in paths {
        let path = match path {
            Ok(path) => path,
            Err(error) => return failed(format!("backups: {} cannot be read", error.path().display())),
        };
        let Ok(meta) = std::fs::metadata(&path) else { continue };
        let Ok(written) = meta.modified() else { continue };
        if !meta.is_file() {
            continue;
        }
        files += 1;
        // A dump that has just begun is empty, and so is one that failed: neither is a backup.
        if meta.len() == 0 {
            continue;
        }
        let age = (now - DateTime::<Utc>::from(written)).to_std().unwrap_or_default();
        if newest.as_ref().is_none_or(|newest| age < newest.age) {
            newest = Some(Backup { path: path.display().to_string(), age, bytes: meta.len(), files: 0 });
        }
    }
    let none = match files {
        0 => format!("no backup: no file is named {pattern}"),
        _ => format!("no backup: every file named {pattern} is empty"),
    };
    newest.map_or_else(|| failed(none), |newest| Part::Ready(Backup { files, ..newest }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_file_counts_and_none_is_said() {
        let folder = std::env::temp_dir().join(format!("stacktop-backups-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("a.dump.d")).expect("a folder");
        std::fs::write(folder.join("a.dump"), "older").expect("a file");
        let old = std::fs::File::options().write(true).open(folder.join("a.dump")).expect("a file");
        let written = old.metadata().and_then(|meta| meta.modified()).expect("its time");
        old.set_modified(written - Duration::from_secs(7200)).expect("set");
        let now = DateTime::<Utc>::from(written) + Duration::from_secs(1);
        let new = folder.join("b.dump");
        std::fs::write(&new, "x").expect("a file");
        let pattern = format!("{}/*.dump*", folder.display());
        std::fs::write(folder.join("begun.dump"), "").expect("an empty file");
        let found = newest(&pattern, now);
        let none = newest(&format!("{}/*.tar", folder.display()), now);
        std::fs::remove_dir_all(&folder).expect("removed");
        let Part::Ready(found) = found else { panic!("{found:?}") };
        assert_eq!((found.path, found.bytes, found.files), (new.display().to_string(), 1, 3));
        assert!(found.age < Duration::from_secs(60));
        assert!(none.gap().is_some_and(|gap| gap.note.contains("no backup")));
    }
}
