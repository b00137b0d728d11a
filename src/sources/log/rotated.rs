//! What a file held before it was rotated: the files beside it that have its name and a number or a day behind it. They are read only for who
//! asks for a time before its first line, the newest first, and no more of them than of the file itself. Blocking.

use super::entries::Raw;
use super::tail::{FileId, Tail, end_of, number, opened, written};
use crate::core::text::{counted, sized, tidy};
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

/// So many names of a folder are looked at.
const MOST_NAMES: usize = 10_000;
/// And so many of these files are read.
const MOST_FILES: usize = 8;
/// How what is packed ends: it is not read.
const PACKED: [&str; 5] = ["gz", "xz", "zst", "bz2", "lz4"];
/// A name is shown up to here.
const NAME_CHARS: usize = 60;

/// What was found of it.
#[derive(Debug, Default)]
pub(super) struct Older {
    /// The oldest first.
    pub(super) lines: Vec<Raw>,
    /// Where these are from, and what was not read of the time that was asked for, in words; each begins with what parts it from the words
    /// before it.
    pub(super) of: String,
    /// There is more before, which was not read.
    pub(super) more: bool,
    /// When the newest of them was written to last, in nanoseconds since 1970.
    pub(super) written: i64,
}

/// A file beside it.
#[derive(Debug)]
struct Beside {
    path: PathBuf,
    name: String,
    written: i64,
    packed: bool,
}

/// What stands in the files beside this one that were written to at `from` or later, until `reaches` says of one that it goes back that far.
/// The file that is read already is none of them, whatever it is called by now.
pub(super) fn before(tail: &Tail, from: i64, reaches: impl Fn(&[Raw]) -> bool) -> Older {
    let mut older = Older::default();
    let (mut room, mut packed, mut unread, mut plain) = (tail.back(), 0, 0, 0);
    for beside in beside(tail.file(), from) {
        if beside.packed {
            packed += 1;
            continue;
        }
        if plain == MOST_FILES {
            older.more = true;
            break;
        }
        plain += 1;
        let Ok((file, about)) = opened(&beside.path) else {
            unread += 1;
            continue;
        };
        let Ok((lines, whole)) = end_of(&file, &about, room) else {
            unread += 1;
            continue;
        };
        room = room.saturating_sub(about.len());
        let size = sized(about.len() as f64);
        let part = if whole { String::new() } else { "the end of ".to_owned() };
        older.of.push_str(&format!(", and in {part}{} ({size})", beside.name));
        older.written = older.written.max(beside.written);
        let enough = reaches(&lines);
        older.lines.splice(0..0, lines);
        if !whole || enough {
            older.more = !whole;
            break;
        }
    }
    for (count, why) in [(packed, "packed, and not read"), (unread, "not readable")] {
        if count > 0 {
            let (files, is) = (counted(count, "older file"), if count == 1 { "is" } else { "are" });
            older.of.push_str(&format!("; {files} {is} {why}"));
        }
    }
    older
}

/// Those of its name that may hold lines of that time, the newest first.
fn beside((path, own): (&Path, Option<FileId>), from: i64) -> Vec<Beside> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let one = |entry: fs::DirEntry| {
        let its = entry.file_name().to_string_lossy().into_owned();
        let packed = is_older(&name, &its)?;
        // By the file that a link leads to: one that leads to the log itself holds nothing older.
        let about = entry.path().metadata().ok()?;
        let is_meant = about.is_file() && written(&about) >= from && own != Some(number(&about));
        let name = tidy(&its, NAME_CHARS);
        is_meant.then(|| Beside { path: entry.path(), name, written: written(&about), packed })
    };
    let mut all: Vec<Beside> = entries.take(MOST_NAMES).filter_map(Result::ok).filter_map(one).collect();
    all.sort_by_key(|beside| std::cmp::Reverse(beside.written));
    all
}

/// Whether it is a file that is not read, because it is packed.
pub(super) fn is_packed(path: &Path) -> bool {
    path.extension().is_some_and(|end| PACKED.iter().any(|packed| end == *packed))
}

/// Whether it is what one of these was called before it was rotated.
pub(super) fn is_older_of(path: &Path, all: &HashSet<PathBuf>) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return false };
    name.match_indices(['.', '-']).any(|(at, _)| {
        let before = &name[..at];
        is_older(before, name).is_some() && all.contains(&path.with_file_name(before))
    })
}

/// Whether `other` is what `name` was called once it was rotated (`name.1`, `name-20260921`, `name.2.gz`), and whether it is packed.
fn is_older(name: &str, other: &str) -> Option<bool> {
    let behind = other.strip_prefix(name)?.strip_prefix(['.', '-'])?;
    let (number, packed) = match behind.rsplit_once('.') {
        Some((number, end)) if PACKED.contains(&end) => (number, true),
        _ => (behind, false),
    };
    let is_number = number.starts_with(|first: char| first.is_ascii_digit())
        && number.chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | '.' | '_' | ':' | 'T'));
    is_number.then_some(packed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_was_called_once_it_was_rotated_has_a_number_or_a_day() {
        for (other, expected) in [
            ("app.log.1", Some(false)),
            ("app.log.12.gz", Some(true)),
            ("app.log-20260921", Some(false)),
            ("app.log-2026-09-21.zst", Some(true)),
            ("app.log.2026-09-21T14:00", Some(false)),
            ("app.log", None),
            ("app.log.bak", None),
            ("app.log.1.swp", None),
            ("app.log1", None),
            ("other.log.1", None),
        ] {
            assert_eq!(is_older("app.log", other), expected, "{other}");
        }
    }

    #[test]
    fn what_was_rotated_is_known_beside_the_file_itself() {
        let all = ["/log/app.log", "/log/app.log.1", "/log/web-1.log", "/log/web-2.log", "/old/x.log.1"];
        let all: HashSet<PathBuf> = all.iter().map(PathBuf::from).collect();
        let older: Vec<&Path> =
            all.iter().map(PathBuf::as_path).filter(|path| is_older_of(path, &all)).collect();
        assert_eq!(older, [Path::new("/log/app.log.1")]);
        assert!(is_older_of(Path::new("/log/app.log-20260921"), &all));
        assert!(!is_older_of(Path::new("/other/app.log.1"), &all), "in another folder");
    }
}
