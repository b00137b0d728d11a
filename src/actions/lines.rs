//! Append-only files of JSON lines: the audit trail, the timeline, the journals of redrives, the jobs that were removed.
//!
//! They outlive what happens to files: each write opens the file anew (it may have been rotated), stands on whole lines whatever a
//! crash or a full disk left behind, takes back what it could not finish, and is on the disk when it returns. Blocking.

use crate::core::text::tame_json;
use rustix::fs::{FlockOperation, OFlags, flock};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::{DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Only its owner reads and writes such a file.
const FILE_MODE: u32 = 0o600;
/// Only its owner enters the folder.
const FOLDER_MODE: u32 = 0o700;
/// Everybody's rights in a mode.
const OTHERS: u32 = 0o077;
/// Tries to get the file for ourselves, and the wait between them: another stacktop needs milliseconds, and one that was
/// stopped while it wrote must not keep this one from acting.
const LOCK_TRIES: u32 = 40;
const LOCK_WAIT: Duration = Duration::from_millis(25);
/// A file that is rotated just between being opened and being locked is opened again, this often.
const OPEN_TRIES: u32 = 5;

/// What could be read of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lines<T> {
    /// The lines, oldest first.
    pub lines: Vec<T>,
    /// How many lines are there that cannot be read.
    pub unreadable: usize,
}

impl<T> Default for Lines<T> {
    fn default() -> Self {
        Self { lines: Vec::new(), unreadable: 0 }
    }
}

/// Appends one line for each of `items` and waits until they are on the disk; all of them, or none.
///
/// # Errors
/// When they cannot be written or flushed; then the file is as long as before.
pub fn append<T: Serialize>(path: &Path, items: &[T]) -> io::Result<()> {
    let mut text = Vec::new();
    for item in items {
        // Somebody will look at it in a terminal, and it holds names of servers and jobs.
        text.extend(tame_json(&serde_json::to_string(item)?).into_bytes());
        text.push(b'\n');
    }
    let (mut file, alone) = open_alone(path)?;
    let length = file.metadata()?.len();
    if length > 0 {
        let mut last = [0];
        // A line that was torn (a crash, a full disk) keeps its own line: nothing is glued to it.
        if file.read_exact_at(&mut last, length - 1).is_ok() && last != *b"\n" {
            text.insert(0, b'\n');
        }
    }
    let written = file.write_all(&text).and_then(|()| file.sync_data());
    if written.is_err() && alone {
        // Half a line is no line, and a line that was told as not written must not be found later.
        let _ = file.set_len(length);
    }
    if length == 0 && written.is_ok() {
        // A new file is on the disk when its folder knows it.
        if let Some(folder) = path.parent().and_then(|folder| File::open(folder).ok()) {
            let _ = folder.sync_all();
        }
    }
    written
}

/// Puts the file at `path` aside as `older` (which it takes the place of) once it has `most` bytes; another stacktop may do so at the same
/// time.
///
/// # Errors
/// When it cannot be moved; then it goes on growing.
pub fn rotate(path: &Path, older: &Path, most: u64) -> io::Result<()> {
    let is_large = |is: &Metadata| is.len() >= most;
    if !std::fs::metadata(path).is_ok_and(|is| is_large(&is)) {
        return Ok(());
    }
    let (file, alone) = open_alone(path)?;
    // Whoever waits for it meanwhile opens the file anew that is at its place.
    if alone && is_large(&file.metadata()?) { std::fs::rename(path, older) } else { Ok(()) }
}

/// The file that is at `path` now, and whether it is ours alone until it is closed.
fn open_alone(path: &Path) -> io::Result<(File, bool)> {
    if let Some(folder) = path.parent() {
        make_folder(folder)?;
    }
    let mut tries = OPEN_TRIES;
    loop {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .read(true)
            .mode(FILE_MODE)
            .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
            .open(path)?;
        let is = file.metadata()?;
        if !is.is_file() {
            return Err(io::Error::other("it is no regular file"));
        }
        if is.mode() & OTHERS != 0 {
            // It was made by somebody else, or by an older stacktop. Where it is not ours to change it stays as it is.
            let _ = file.set_permissions(Permissions::from_mode(FILE_MODE));
        }
        let alone = lock(&file);
        tries -= 1;
        if tries == 0 || std::fs::metadata(path).is_ok_and(|now| same(&is, &now)) {
            return Ok((file, alone));
        }
    }
}

fn same(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

fn lock(file: &File) -> bool {
    for _ in 0..LOCK_TRIES {
        if flock(file, FlockOperation::NonBlockingLockExclusive).is_ok() {
            return true;
        }
        std::thread::sleep(LOCK_WAIT);
    }
    false
}

/// Makes `folder`, entered only by its owner; the folders above it as usual. One that exists stays as it is.
///
/// # Errors
/// When it cannot be made.
pub fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(above) = folder.parent() {
        std::fs::create_dir_all(above)?;
    }
    match DirBuilder::new().mode(FOLDER_MODE).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Makes the folder that belongs to stacktop, and shuts one that exists to everybody else.
pub fn own_folder(folder: &Path) {
    let _ = make_folder(folder);
    // A link leads to a folder that somebody else chose, perhaps for other things as well.
    if std::fs::symlink_metadata(folder).is_ok_and(|is| is.is_dir() && is.mode() & OTHERS != 0) {
        let _ = std::fs::set_permissions(folder, Permissions::from_mode(FOLDER_MODE));
    }
}

/// The lines in the last `most` bytes of the file at `path`; none when there is no file. A line that cannot be read is counted.
///
/// # Errors
/// When the file is there and cannot be read.
pub fn read<T: DeserializeOwned>(path: &Path, most: u64) -> io::Result<Lines<T>> {
    let opened = OpenOptions::new().read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path);
    let mut file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Lines::default()),
        Err(error) => return Err(error),
    };
    let is = file.metadata()?;
    if !is.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let skipped = is.len().saturating_sub(most);
    // One byte before: when it ends a line, the next one is whole.
    file.seek(SeekFrom::Start(skipped.saturating_sub(1)))?;
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes)?;
    let mut parts = bytes.split(|byte| *byte == b'\n');
    if skipped > 0 {
        parts.next();
    }
    let mut found = Lines::default();
    for part in parts.filter(|part| !part.trim_ascii().is_empty()) {
        // Bytes that are no text cost themselves, not the line.
        match serde_json::from_str(&String::from_utf8_lossy(part)) {
            Ok(line) => found.lines.push(line),
            Err(_) => found.unreadable += 1,
        }
    }
    Ok(found)
}

/// The lines in the last `most` bytes of the file at `path` and of those that it was rotated to (`path.1`, `path-20260101`, as logrotate
/// names them; those that are packed are not read), oldest first. A rotated file that cannot be read counts as one such line.
///
/// # Errors
/// When the file at `path` is there and cannot be read.
pub fn read_rotated<T: DeserializeOwned>(path: &Path, most: u64) -> io::Result<Lines<T>> {
    let newest = read(path, most)?;
    let length = |path: &Path| std::fs::metadata(path).map_or(0, |is| is.len());
    let mut left = most.saturating_sub(length(path));
    let mut parts = vec![newest];
    for older in rotated(path) {
        if left == 0 {
            break;
        }
        parts.push(read(&older, left).unwrap_or(Lines { lines: Vec::new(), unreadable: 1 }));
        left = left.saturating_sub(length(&older));
    }
    let mut all = Lines::default();
    for part in parts.into_iter().rev() {
        all.lines.extend(part.lines);
        all.unreadable += part.unreadable;
    }
    Ok(all)
}

/// The files that the one at `path` was rotated to, the newest first.
fn rotated(path: &Path) -> Vec<PathBuf> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return Vec::new();
    };
    let is_older = |other: &str| {
        let rest = other.strip_prefix(name).and_then(|rest| rest.strip_prefix(['.', '-']));
        rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let entry = entry.ok()?;
            is_older(entry.file_name().to_str()?).then_some(())?;
            let is = entry.metadata().ok()?;
            Some(((is.mtime(), is.mtime_nsec()), entry.path()))
        })
        .collect();
    found.sort();
    found.into_iter().rev().map(|(_, path)| path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: u64 = 1 << 20;

    fn file() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines.jsonl");
        (folder, path)
    }

    #[track_caller]
    fn check(path: &Path, lines: &[&str], unreadable: usize) {
        let found: Lines<String> = read(path, ALL).unwrap();
        assert_eq!(
            (found.lines, found.unreadable),
            (lines.iter().map(ToString::to_string).collect(), unreadable)
        );
    }

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn a_rotated_file_is_followed_however_it_is_rotated() {
        let (folder, path) = file();
        let old = folder.path().join("lines.jsonl.1");
        append(&path, &["a"]).unwrap();
        std::fs::rename(&path, &old).unwrap();
        append(&path, &["b"]).unwrap();
        check(&path, &["b"], 0);
        // logrotate's `create`: the name is there, and it is another file.
        std::fs::rename(&path, &old).unwrap();
        std::fs::write(&path, "").unwrap();
        append(&path, &["c"]).unwrap();
        check(&path, &["c"], 0);
        // logrotate's `copytruncate`.
        File::options().write(true).open(&path).unwrap().set_len(0).unwrap();
        append(&path, &["d"]).unwrap();
        check(&path, &["d"], 0);
        check(&old, &["b"], 0);
    }

    #[test]
    fn nothing_is_glued_to_a_torn_line_and_a_strange_byte_costs_no_line() {
        let (_folder, path) = file();
        append(&path, &["a"]).unwrap();
        File::options().append(true).open(&path).unwrap().write_all(b"\"torn").unwrap();
        append(&path, &["b", "c"]).unwrap();
        File::options().append(true).open(&path).unwrap().write_all(b"\xff\xfe\n\"caf\xe9\"\n\n").unwrap();
        append(&path, &["d"]).unwrap();
        check(&path, &["a", "b", "c", "caf\u{fffd}", "d"], 2);
        assert_eq!(
            read::<String>(&path, 9).unwrap().lines,
            ["d"],
            "the end of a file begins with a whole line"
        );
    }

    /// The test runs itself in a child whose files may not grow beyond 1 or 2 KiB (as the shell counts), as on a full disk.
    #[test]
    fn what_does_not_fit_on_the_disk_is_taken_back() {
        let place = std::env::var_os("STACKTOP_TEST_FULL_DISK").map(PathBuf::from);
        if let Some(path) = place {
            let line = "x".repeat(400);
            let mut fitted = 0;
            while append(&path, &[&line]).is_ok() {
                fitted += 1;
                assert!(fitted < 20, "the limit does not hold");
            }
            let lengths: Vec<usize> =
                read::<String>(&path, ALL).unwrap().lines.iter().map(String::len).collect();
            assert_eq!(lengths, vec![400; fitted], "no half line stays");
            append(&path, &["y"]).unwrap();
            return;
        }
        let (_folder, path) = file();
        let output = std::process::Command::new("sh")
            .args(["-c", "trap '' XFSZ; ulimit -f 2; exec \"$0\" --exact \"$1\""])
            .arg(std::env::current_exe().unwrap())
            .arg("actions::lines::tests::what_does_not_fit_on_the_disk_is_taken_back")
            .env("STACKTOP_TEST_FULL_DISK", &path)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
        let found: Lines<String> = read(&path, ALL).unwrap();
        assert_eq!((found.lines.last().map(String::as_str), found.unreadable), (Some("y"), 0));
    }

    #[test]
    fn many_writers_keep_whole_lines() {
        let (_folder, path) = file();
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let path = &path;
                scope.spawn(move || {
                    for _ in 0..20 {
                        append(path, &[writer.to_string().repeat(3000)]).unwrap();
                    }
                });
            }
        });
        let found: Lines<String> = read(&path, ALL).unwrap();
        assert_eq!((found.lines.len(), found.unreadable), (80, 0));
    }

    #[test]
    fn only_the_owner_reads_it_also_where_it_existed() {
        let (folder, path) = file();
        std::fs::write(&path, "").unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        append(&path, &["a"]).unwrap();
        let deep = folder.path().join("state/stacktop");
        append(&deep.join("a.jsonl"), &["a"]).unwrap();
        assert_eq!((mode(&path), mode(&deep), mode(&deep.join("a.jsonl"))), (0o600, 0o700, 0o600));
        std::fs::set_permissions(&deep, Permissions::from_mode(0o755)).unwrap();
        own_folder(&deep);
        assert_eq!(mode(&deep), 0o700);
    }

    #[test]
    fn what_was_rotated_is_read_before_what_is_new_as_far_as_it_may() {
        let (folder, path) = file();
        let write = |name: &str, words: &[&str]| append(&folder.path().join(name), words).unwrap();
        for (name, word) in [
            ("lines.jsonl-20251101", "first"),
            ("lines.jsonl.2", "second"),
            ("lines.jsonl.1", "third"),
            ("lines.jsonl", "fourth"),
        ] {
            write(name, &[word]);
            std::thread::sleep(Duration::from_millis(20));
        }
        write("lines.jsonl.gz", &["packed"]);
        write("lines.jsonl.1.bak", &["another's"]);
        write("other.jsonl.1", &["another's"]);
        let found: Lines<String> = read_rotated(&path, ALL).unwrap();
        assert_eq!(
            (found.lines, found.unreadable),
            (["first", "second", "third", "fourth"].map(str::to_owned).to_vec(), 0)
        );
        // Nine bytes and eight: room for those two, and for no whole line before them.
        let found: Lines<String> = read_rotated(&path, 9 + 8 + 2).unwrap();
        assert_eq!(found.lines, ["third", "fourth"]);
        // Rotated, and nothing was written since.
        std::fs::remove_file(&path).unwrap();
        assert_eq!(read_rotated::<String>(&path, ALL).unwrap().lines.len(), 3);
        std::fs::create_dir(folder.path().join("lines.jsonl.3")).unwrap();
        assert_eq!(read_rotated::<String>(&path, ALL).unwrap().unreadable, 1);
    }

    #[test]
    fn what_is_no_file_is_an_error_at_once() {
        let (folder, path) = file();
        let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        for place in [path.as_path(), folder.path(), Path::new("/dev/full"), &path.join("below")] {
            assert!(append(place, &["a"]).is_err(), "{}", place.display());
            assert!(read::<String>(place, ALL).is_err(), "{}", place.display());
        }
    }
}
