//! Which files a pattern names, those that were written to last first, and what of it cannot be seen. Each file is named once: not by its links
//! as well, and not by what it was rotated to. Blocking; it is bounded.

use super::rotated;
use super::tail::{FileId, number, written};
use crate::core::report::{PollError, PollErrorKind};
use std::collections::HashSet;
use std::fs::Metadata;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// A file that a pattern names.
pub(super) struct Found {
    pub(super) path: PathBuf,
    pub(super) id: FileId,
    pub(super) bytes: u64,
    written: i64,
    is_link: bool,
}

/// What a pattern names.
#[derive(Default)]
pub(super) struct Names {
    /// Its files, those that were written to last first.
    pub(super) found: Vec<Found>,
    /// Why there may be more of them, or newer ones.
    pub(super) unseen: Option<PollError>,
}

/// What this pattern names; among `most` names the files are looked for.
pub(super) fn named(pattern: &str, most: usize) -> Names {
    let mut names = Names::default();
    let mut paths = vec![PathBuf::from(".")];
    for part in Path::new(pattern).components() {
        let part = part.as_os_str().to_string_lossy();
        paths = if part.contains(['*', '?', '[']) {
            paths.iter().flat_map(|path| names.inside(path, &part)).collect()
        } else {
            paths.into_iter().map(|path| path.join(&*part)).collect()
        };
        paths.retain(|path| !rotated::is_packed(path));
        if paths.len() > most {
            paths.truncate(most);
            let why = format!("{pattern} names more than {most} files, and only so many are looked at");
            names.unseen = Some(
                PollError::new(PollErrorKind::Failed, why)
                    .remedy("let it name fewer: those of this month, or those that are written"),
            );
        }
    }
    let all: HashSet<PathBuf> = paths.iter().cloned().collect();
    for path in paths.into_iter().filter(|path| !rotated::is_older_of(path, &all)) {
        let Some(about) = names.seen(&path, path.metadata()).filter(Metadata::is_file) else { continue };
        let (id, bytes, written, is_link) = (number(&about), about.len(), written(&about), path.is_symlink());
        names.found.push(Found { path, id, bytes, written, is_link });
    }
    names.found.sort_by(|one, other| {
        let links = one.is_link.cmp(&other.is_link);
        other.written.cmp(&one.written).then(links).then_with(|| one.path.cmp(&other.path))
    });
    let mut ids = HashSet::new();
    names.found.retain(|found| ids.insert(found.id));
    names
}

impl Names {
    /// What in this folder has such a name.
    fn inside(&mut self, folder: &Path, part: &str) -> Vec<PathBuf> {
        // A pattern says nothing of what stands in a folder that may not be entered.
        if self.seen(folder, folder.metadata()).is_none() {
            return Vec::new();
        }
        let whole = Path::new(&glob::Pattern::escape(&folder.to_string_lossy())).join(part);
        let found = glob::glob(&whole.to_string_lossy()).into_iter().flatten();
        // That stands for no folder, too.
        let own = (part == "**").then(|| folder.to_path_buf());
        found
            .filter_map(|found| match found {
                Ok(path) => Some(path),
                Err(error) => {
                    let path = error.path().to_path_buf();
                    self.seen(&path, Err(error.into()))
                }
            })
            .chain(own)
            .collect()
    }

    /// What is there; what nobody can say is told.
    fn seen<T>(&mut self, path: &Path, found: io::Result<T>) -> Option<T> {
        found.map_err(|error| self.unseen = self.unseen.take().or_else(|| untold(path, &error))).ok()
    }
}

/// Why nobody can say whether it is there; nothing where it is not.
fn untold(path: &Path, error: &io::Error) -> Option<PollError> {
    let kind = match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => return None,
        ErrorKind::PermissionDenied => PollErrorKind::NotPermitted,
        _ => PollErrorKind::Failed,
    };
    Some(PollError::new(kind, format!("{} cannot be looked into: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    /// The names that a pattern in a folder with these files leads to, and why there may be others.
    fn all(files: &[&str], pattern: &str, most: usize) -> (Vec<String>, String) {
        let folder = tempfile::tempdir().expect("a folder");
        for name in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            match name.split_once('>') {
                Some((link, to)) => symlink(to, folder.path().join(link)).expect("linked"),
                None => fs::write(&path, name).expect("written"),
            }
        }
        let names = named(&folder.path().join(pattern).to_string_lossy(), most);
        let short = |found: &Found| {
            let path = found.path.strip_prefix(folder.path()).expect("in it");
            path.to_string_lossy().into_owned()
        };
        let mut found: Vec<String> = names.found.iter().map(short).collect();
        found.sort();
        (found, names.unseen.map(|error| error.message).unwrap_or_default())
    }

    #[test]
    fn a_file_is_named_once() {
        let check = |files: &[&str], pattern: &str, expected: &[&str]| {
            assert_eq!(
                all(files, pattern, 9),
                (expected.iter().map(ToString::to_string).collect(), String::new())
            );
        };
        check(&["a.log", "a.log.1", "a.log.2.gz", "b.log-1"], "*.log*", &["a.log", "b.log-1"]);
        check(&["a-1.log", "a-2.log", "a.log"], "a*.log", &["a-1.log", "a-2.log", "a.log"]);
        check(&["a-current.log>app-1.log", "app-1.log", "app-2.log"], "*.log", &["app-1.log", "app-2.log"]);
        check(&["a.log>x/app.txt", "x/app.txt", "b.log>nowhere"], "*.log", &["a.log"]);
        check(&["x/app.log", "y/app.log", "y/b.log", "app.log"], "*/app.log", &["x/app.log", "y/app.log"]);
        check(
            &["[x]/logs/a.log", "y/logs/b.log", "y/b.log"],
            "*/logs/*.log",
            &["[x]/logs/a.log", "y/logs/b.log"],
        );
        check(&["x/y/a.log", "a.log"], "**/a.log", &["a.log", "x/y/a.log"]);
    }

    #[test]
    fn what_cannot_be_seen_is_told() {
        for pattern in ["*/app.log", "*/logs/*.log", "y/*.log"] {
            let (_, why) = all(&["x/app.log", "y>y"], pattern, 9);
            assert!(
                why.contains('y') && why.contains("cannot be looked into: Too many levels"),
                "{pattern}: {why}"
            );
        }
        let (found, why) = all(&["a.log", "b.log", "c.log.gz"], "*.*", 2);
        assert_eq!((found.len(), why.as_str()), (2, ""));
        let (found, why) = all(&["a.log", "b.log", "c.log"], "*.log", 2);
        assert!(found.len() == 2 && why.contains("names more than 2 files"), "{why}");
        for (kind, expected) in [
            (ErrorKind::NotFound, None),
            (ErrorKind::NotADirectory, None),
            (ErrorKind::PermissionDenied, Some(PollErrorKind::NotPermitted)),
            (ErrorKind::TimedOut, Some(PollErrorKind::Failed)),
        ] {
            assert_eq!(untold(Path::new("/log"), &kind.into()).map(|error| error.kind), expected, "{kind}");
        }
    }
}
