//! The end of a file that somebody writes: what came since the look before, across rotation (another file of the same name) and truncation
//! (the same file, begun anew). Blocking; what it reads is bounded.

use super::entries::Raw;
use crate::core::report::{PollError, PollErrorKind};
use crate::core::text::sized;
use rustix::fs::OFlags;
use std::fs::{File, Metadata, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

/// One look reads so much of what came; before that some is left out.
const AT_ONCE: u64 = 4 * 1024 * 1024;
/// And so much of what was there before, for who looks for something.
const BACK: u64 = 8 * 1024 * 1024;
/// A line is kept up to here.
const LINE_BYTES: usize = 64 * 1024;
/// By so many bytes at its beginning a file is known again: a number of a file is given to the next one.
const HEAD_BYTES: usize = 256;

/// A file that is followed.
#[derive(Debug)]
pub(super) struct Tail {
    path: PathBuf,
    open: Option<Open>,
    /// How far it was read before it could not be opened.
    left: Option<Place>,
    /// Where what it meets next is new from; its end, where nothing says so.
    begin: Option<u64>,
    /// So many files share what is read at once.
    shared: u64,
}

/// What one look found.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// How large the file is.
    pub(super) bytes: u64,
    /// When it was written to last, in nanoseconds since 1970.
    pub(super) written: i64,
    /// What came since the look before.
    pub(super) lines: Vec<Raw>,
    /// More came than is read at once.
    pub(super) left_out: bool,
    /// How far which files were read.
    pub(super) read: Vec<(FileId, u64)>,
}

/// What stood there before.
#[derive(Debug, Default)]
pub(super) struct Past {
    pub(super) lines: Vec<Raw>,
    /// Of what they are, in words.
    pub(super) of: String,
    /// There is more before.
    pub(super) more: bool,
}

#[derive(Debug)]
struct Open {
    file: File,
    place: Place,
}

/// By what one file is told from all others of this machine: a number is given again, but not with the moment at which its file began.
pub(super) type FileId = (u64, u64, Duration);

/// How far which file was read.
#[derive(Debug)]
struct Place {
    id: FileId,
    /// So far it was read.
    at: u64,
    head: Vec<u8>,
    cutter: Cutter,
}

impl Tail {
    /// A file of which is new what stands behind `begin`, or what comes once it was looked at.
    pub(super) const fn new(path: PathBuf, begin: Option<u64>) -> Self {
        Self { path, open: None, left: None, begin, shared: 1 }
    }

    /// What is read at once is shared by so many files.
    pub(super) fn shared_by(&mut self, files: u64) {
        self.shared = files.max(1);
    }

    /// Of what was there before so much is read.
    pub(super) const fn back(&self) -> u64 {
        BACK / self.shared
    }

    /// What came since the look before; of the first one nothing.
    pub(super) fn look(&mut self) -> Result<Seen, PollError> {
        let (file, about) = match opened(&self.path) {
            Ok(found) => found,
            Err(error) => {
                // Who keeps a file open that is gone keeps its room on the disk. It may be there again, and nothing of it is new then.
                self.left = self.open.take().map(|open| open.place).or(self.left.take());
                return Err(refused(&self.path, &error));
            }
        };
        self.read(file, &about).map_err(|error| refused(&self.path, &error))
    }

    fn read(&mut self, file: File, about: &Metadata) -> io::Result<Seen> {
        let id = number(about);
        let mut seen = Seen { bytes: about.len(), written: written(about), ..Seen::default() };
        let known = self.open.as_ref().map(|open| &open.place).or(self.left.as_ref());
        let same = match known {
            Some(place) => place.id == id && about.len() >= place.at && place.begins_alike(&file)?,
            None => false,
        };
        let left = self.left.take().filter(|_| same);
        if let Some(place) = left {
            self.open = Some(Open { file, place });
        } else if !same {
            if let Some(mut before) = self.open.take().filter(|before| before.place.id != id) {
                // What was written to the old file after the look before.
                let end = before.file.metadata()?.len();
                seen.left_out |= before.advance(end, AT_ONCE / self.shared, &mut seen.lines)?;
                before.place.cutter.emit(&mut seen.lines);
                seen.read.push((before.place.id, before.place.at));
            }
            // One that is shorter was begun anew.
            let begin = self.begin.map_or(about.len(), |at| if at > about.len() { 0 } else { at });
            let (at, skips) = line_end(&file, begin)?;
            let cutter = Cutter { skips, ..Cutter::at(id, at) };
            self.open = Some(Open { file, place: Place { id, at, head: Vec::new(), cutter } });
            self.begin = Some(0);
        }
        if let Some(open) = &mut self.open {
            open.learn()?;
            seen.left_out |= open.advance(about.len(), AT_ONCE / self.shared, &mut seen.lines)?;
            seen.read.push((open.place.id, open.place.at));
        }
        Ok(seen)
    }

    /// Where it is, and which file it was at the newest look.
    pub(super) fn file(&self) -> (&Path, Option<FileId>) {
        (&self.path, self.open.as_ref().map(|open| open.place.id))
    }

    /// The end of what was there at the newest look.
    pub(super) fn past(&self) -> io::Result<Past> {
        let Some(open) = &self.open else { return Ok(Past::default()) };
        let end = open.place.cutter.from;
        let from = end.saturating_sub(self.back());
        let lines = between(&open.file, open.place.id, from, end)?;
        let of = match from {
            0 => format!("all of it ({})", sized(end as f64)),
            _ => format!("the last {} of {}", sized(self.back() as f64), sized(end as f64)),
        };
        Ok(Past { lines, of, more: from > 0 })
    }
}

impl Open {
    /// Reads up to `end`; whether some was left out.
    fn advance(&mut self, end: u64, most: u64, lines: &mut Vec<Raw>) -> io::Result<bool> {
        let place = &mut self.place;
        let left_out = end.saturating_sub(place.at) > most;
        let from = if left_out { end - most } else { place.at };
        let bytes = part(&self.file, from, end)?;
        if left_out {
            place.at = from;
            place.cutter = Cutter { skips: true, ..Cutter::at(place.id, from) };
        }
        if bytes.is_empty() {
            place.cutter.wait(lines);
        }
        place.at += bytes.len() as u64;
        place.cutter.cut(&bytes, lines);
        Ok(left_out)
    }

    fn learn(&mut self) -> io::Result<()> {
        if self.place.head.len() < HEAD_BYTES {
            self.place.head = part(&self.file, 0, HEAD_BYTES as u64)?;
        }
        Ok(())
    }
}

impl Place {
    /// Whether what is opened now begins as this did.
    fn begins_alike(&self, file: &File) -> io::Result<bool> {
        Ok(part(file, 0, self.head.len() as u64)? == self.head)
    }
}

/// Makes lines of bytes.
#[derive(Debug, Default)]
struct Cutter {
    id: FileId,
    /// Where the next byte stands.
    at: u64,
    /// What stands behind the last line break.
    rest: Vec<u8>,
    /// Where that begins.
    from: u64,
    /// What comes up to the next line break is not wanted.
    skips: bool,
    /// It did not grow at the look before.
    waited: bool,
}

impl Cutter {
    fn at(id: FileId, at: u64) -> Self {
        Self { id, at, from: at, ..Self::default() }
    }

    fn cut(&mut self, bytes: &[u8], lines: &mut Vec<Raw>) {
        self.waited &= bytes.is_empty();
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, ends) = part.strip_suffix(b"\n").map_or((part, false), |text| (text, true));
            // Behind a hole of zeros a line begins, whatever stood before it.
            let hole = text.windows(2).rposition(|pair| pair == [0, 0]).map(|at| at + 2);
            if hole.is_some() {
                self.rest.clear();
                self.skips = false;
            }
            let text = text.get(hole.unwrap_or_default()..).unwrap_or_default();
            if !self.skips {
                let room = LINE_BYTES.saturating_sub(self.rest.len());
                self.rest.extend_from_slice(text.get(..text.len().min(room)).unwrap_or_default());
            }
            self.at += part.len() as u64;
            if ends {
                self.emit(lines);
                self.skips = false;
            }
        }
    }

    /// Nothing came: what waited before for its end has none. If the rest comes all the same, it is no line of its own, and what is masked
    /// behind a name could not be known in it.
    fn wait(&mut self, lines: &mut Vec<Raw>) {
        if self.waited {
            self.emit(lines);
            self.skips = true;
        }
        self.waited = !self.rest.is_empty();
    }

    /// What stands there is a line.
    fn emit(&mut self, lines: &mut Vec<Raw>) {
        let text = String::from_utf8_lossy(&self.rest);
        let text = text.trim_matches(['\0', '\r']);
        if !text.trim().is_empty() {
            let mut hasher = DefaultHasher::new();
            (self.id, self.from).hash(&mut hasher);
            lines.push(Raw { id: hasher.finish(), text: text.to_owned() });
        }
        self.rest.clear();
        self.from = self.at;
    }
}

/// The file, which has to be a plain one: a pipe would be emptied by reading it, and a device may have no end.
pub(super) fn opened(path: &Path) -> io::Result<(File, Metadata)> {
    plain(&path.metadata()?)?;
    let file =
        OpenOptions::new().read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path)?;
    let about = file.metadata()?;
    plain(&about)?;
    Ok((file, about))
}

fn plain(about: &Metadata) -> io::Result<()> {
    let kind = about.file_type();
    if kind.is_file() {
        return Ok(());
    }
    let words = if kind.is_dir() {
        "it is a folder"
    } else if kind.is_fifo() {
        "it is a pipe, and reading it would take its lines from whoever else reads it"
    } else {
        "it is a device"
    };
    Err(io::Error::new(io::ErrorKind::InvalidInput, words))
}

fn refused(path: &Path, error: &io::Error) -> PollError {
    let shown = path.display();
    match error.kind() {
        io::ErrorKind::NotFound => {
            PollError::new(PollErrorKind::Unreachable, format!("there is no file {shown}"))
                .remedy("name the file that is written now; one that comes later is read once it is there")
        }
        io::ErrorKind::PermissionDenied => {
            PollError::new(PollErrorKind::NotPermitted, format!("{shown} may not be read by this user"))
                .remedy("let this user read it: a group (often adm), or an ACL; or name a command that may")
        }
        io::ErrorKind::InvalidInput => {
            PollError::new(PollErrorKind::Configuration, format!("{shown} is no file of lines: {error}"))
                .remedy("name a plain file, or a command that prints the lines")
        }
        _ => PollError::new(PollErrorKind::Failed, format!("{shown} cannot be read: {error}")),
    }
}

/// Which file it is.
pub(super) fn number(about: &Metadata) -> FileId {
    let born = about.created().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    (about.dev(), about.ino(), born.unwrap_or_default())
}

/// When it was written to last, in nanoseconds since 1970.
pub(super) fn written(about: &Metadata) -> i64 {
    about.mtime().saturating_mul(1_000_000_000).saturating_add(about.mtime_nsec())
}

/// The lines at the end of a file that is written no more, of so many bytes; and whether that is all of it.
pub(super) fn end_of(file: &File, about: &Metadata, room: u64) -> io::Result<(Vec<Raw>, bool)> {
    let from = about.len().saturating_sub(room);
    let lines = between(file, number(about), from, about.len())?;
    Ok((lines, from == 0))
}

/// The lines from there to there; what is in the middle of one at the beginning is left out.
fn between(file: &File, id: FileId, from: u64, end: u64) -> io::Result<Vec<Raw>> {
    let mut cutter = Cutter { skips: from > 0, ..Cutter::at(id, from) };
    let mut lines = Vec::new();
    cutter.cut(&part(file, from, end)?, &mut lines);
    if !cutter.skips {
        cutter.emit(&mut lines);
    }
    Ok(lines)
}

/// The bytes from there to there, or to the end of the file.
fn part(file: &File, from: u64, to: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(to.saturating_sub(from)).unwrap_or_default()];
    let mut read = 0;
    while let Some(room) = bytes.get_mut(read..).filter(|room| !room.is_empty()) {
        match file.read_at(room, from + read as u64) {
            Ok(0) => break,
            Ok(count) => read += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(read);
    Ok(bytes)
}

/// Behind the last line break before `end`: a line that is being written is new. And whether that is in the middle of a longer one.
fn line_end(file: &File, end: u64) -> io::Result<(u64, bool)> {
    let from = end.saturating_sub(LINE_BYTES as u64);
    let bytes = part(file, from, end)?;
    let found = bytes.iter().rposition(|byte| *byte == b'\n');
    Ok(found.map_or((from, from > 0), |at| (from + at as u64 + 1, false)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Write;

    fn log() -> (tempfile::TempDir, Tail) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("shop.log");
        fs::write(&path, "first\n").expect("written");
        (folder, Tail::new(path, None))
    }

    /// What one look finds once this was written.
    #[track_caller]
    fn check(tail: &mut Tail, text: &str, expected: &[&str]) {
        let file = OpenOptions::new().append(true).open(&tail.path);
        file.and_then(|mut file| file.write_all(text.as_bytes())).expect("written");
        let seen = tail.look().expect("a look");
        let found: Vec<&str> = seen.lines.iter().map(|raw| raw.text.as_str()).collect();
        assert_eq!((found, seen.left_out), (expected.to_vec(), false), "{text:?}");
    }

    #[test]
    fn the_rest_of_a_line_that_was_told_is_no_line_of_its_own() {
        let (_folder, mut tail) = log();
        check(&mut tail, "", &[]);
        check(&mut tail, "password=hun", &[]);
        check(&mut tail, "", &[]);
        check(&mut tail, "", &["password=hun"]);
        check(&mut tail, "ter2 to", &[]);
        check(&mut tail, "", &[]);
        check(&mut tail, "", &[]);
        check(&mut tail, "night\nnext\n", &["next"]);
        let past = tail.past().expect("read");
        assert_eq!(past.lines[1].text, "password=hunter2 tonight", "it is whole for who asks anew");
    }

    #[test]
    fn a_line_that_is_longer_than_one_is_kept_is_not_begun_in_its_middle() {
        let (_folder, mut tail) = log();
        fs::write(&tail.path, "x".repeat(LINE_BYTES + 9)).expect("written");
        check(&mut tail, "", &[]);
        check(&mut tail, "geheim\nnext\n", &["next"]);
    }

    #[test]
    fn a_file_that_is_there_again_is_read_on() {
        let (folder, mut tail) = log();
        check(&mut tail, "one\n", &[]);
        let away = folder.path().join("away");
        for text in ["two\n", "three\n"] {
            fs::rename(&tail.path, &away).expect("renamed");
            assert!(tail.look().is_err() && tail.look().is_err() && tail.open.is_none());
            fs::rename(&away, &tail.path).expect("renamed");
            check(&mut tail, text, &[text.trim()]);
        }
        // Another one of its name is new from its beginning, and so is what it was emptied for.
        fs::rename(&tail.path, &away).expect("renamed");
        assert!(tail.look().is_err());
        fs::write(&tail.path, "other\n").expect("written");
        check(&mut tail, "four\n", &["other", "four"]);
    }

    #[test]
    fn a_file_that_was_read_before_is_read_on_from_there() {
        let text = "one\ntwo\nthree\n";
        for (begin, expected) in [
            (None, vec![]),
            (Some(0), vec!["one", "two", "three"]),
            (Some(4), vec!["two", "three"]),
            // What was known of a line is all of it, or the rest of what is masked in it is shown.
            (Some(6), vec!["two", "three"]),
            (Some(14), vec![]),
            (Some(99), vec!["one", "two", "three"]),
        ] {
            let (_folder, first) = log();
            fs::write(&first.path, text).expect("written");
            let mut tail = Tail::new(first.path, begin);
            let seen = tail.look().expect("a look");
            let found: Vec<&str> = seen.lines.iter().map(|raw| raw.text.as_str()).collect();
            assert_eq!(found, expected, "{begin:?}");
            assert_eq!(seen.read.iter().map(|read| read.1).collect::<Vec<_>>(), [14], "{begin:?}");
        }
    }
}
