//! What is known of the files of a log between two looks: of one file, or of all that a pattern names. Blocking; what it reads and keeps is
//! bounded for all of them together.

use super::entries::{Entry, Raw, grouped};
use super::follow::{self, Follow, MOST_KEPT};
use super::minute::{Minute, Missed};
use super::names::{self, Names};
use super::rotated;
use super::stamp::{self, Stamp};
use super::tail::{FileId, Past, Seen, Tail};
use crate::config::target::{LogConnect, LogPlace};
use crate::core::lines::{Asked, LeftOut, LogLine, Question};
use crate::core::log::LogReading;
use crate::core::part::{Gap, Part};
use crate::core::report::{PollError, PollErrorKind};
use crate::core::text::{counted, tidy};
use crate::core::time::Now;
use crate::sources::http::gap;
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::time::Duration;

/// So many files of a pattern are read, those that were written to last; and among so many they are looked for.
const MOST_FILES: usize = 32;
const MOST_FOUND: usize = 10_000;
/// It is looked that often which files there are.
const SEEK: Duration = Duration::from_secs(10);
/// A file that is gone, or that others were written to after, is followed for so long: what was written to it last is read.
const LINGERS: Duration = Duration::from_secs(30);
/// Of so many files it is said how much of them was looked through.
const MOST_TOLD: usize = 4;
const NAME_CHARS: usize = 60;
/// Of so many lines at an end of what is read one has a time, or none has.
const NEAR: usize = 1000;

/// What is known of a log between two looks.
#[derive(Debug)]
pub(super) struct Watch {
    whose: Whose,
    pattern: Option<Pattern>,
    files: Vec<Followed>,
    pub(super) minute: Minute,
}

/// What the configuration says of its lines.
#[derive(Debug)]
pub(super) struct Whose {
    name: String,
    of: Vec<String>,
    masks: Vec<String>,
}

impl Whose {
    /// The lines of a page that is opened.
    pub(super) fn follow(&self, question: Question) -> Follow {
        Follow::new(question, &self.name, &self.of, &self.masks)
    }
}

/// Which files there are.
#[derive(Debug)]
struct Pattern {
    text: String,
    sought: Option<Now>,
    /// The files that it named, and how far they were read, or how long they were when they were met. Of one that was gone meanwhile nobody
    /// knows when it was written to. What is none of them is new from its beginning.
    known: HashMap<FileId, Option<u64>>,
    /// Why it may name others.
    unseen: Option<PollError>,
    /// How many files it names besides those that are read, counted up to a limit.
    beyond: usize,
}

/// A file that is followed.
#[derive(Debug)]
struct Followed {
    path: PathBuf,
    tail: Tail,
    timed: bool,
    /// Seconds east of Greenwich of the clock in its lines.
    east: Option<i64>,
    follow: Option<Follow>,
    /// Since when it is not among those that are read.
    gone: Option<Now>,
}

impl Watch {
    pub(super) fn new(name: &str, connect: &LogConnect) -> Self {
        let (mut files, mut pattern) = (Vec::new(), None);
        if let LogPlace::File(path) = &connect.place {
            match path.to_str().filter(|path| path.contains(['*', '?'])) {
                Some(text) => {
                    let (text, known) = (text.to_owned(), HashMap::new());
                    pattern = Some(Pattern { text, sought: None, known, unseen: None, beyond: 0 });
                }
                None => files.push(Followed::new(path.clone(), None)),
            }
        }
        let whose = Whose { name: name.to_owned(), of: connect.of.clone(), masks: connect.masks.clone() };
        Self { whose, pattern, files, minute: Minute::default() }
    }

    /// What the configuration says of its lines.
    pub(super) const fn whose(&self) -> &Whose {
        &self.whose
    }

    /// One look at each of its files.
    pub(super) fn look(&mut self, now: Now, wanted: Option<&Question>) -> Result<LogReading, PollError> {
        if self.files.is_empty() {
            self.seek(now);
        }
        let Self { whose, files, pattern, .. } = self;
        let share = files.len() as u64;
        let (mut entries, mut wrong) = (Vec::new(), Vec::new());
        let (mut left_out, mut bytes, mut newest) = (false, 0, i64::MIN);
        let mut read = 0;
        for file in files.iter_mut() {
            file.tail.shared_by(share);
            match file.look(whose, wanted, now) {
                Ok((seen, mut came)) => {
                    (read, bytes, left_out) = (read + 1, bytes + seen.bytes, left_out | seen.left_out);
                    newest = newest.max(seen.written);
                    if let Some(pattern) = pattern {
                        pattern.known.extend(seen.read.iter().map(|(id, at)| (*id, Some(*at))));
                    }
                    entries.append(&mut came);
                }
                // Which files there are the pattern says.
                Err(error) if pattern.is_some() && error.kind == PollErrorKind::Unreachable => {}
                Err(error) => wrong.push(error),
            }
        }
        // Once it is known how far each of them was read, for one may go by another name by now.
        self.seek(now);
        let unseen = self.pattern.as_ref().and_then(|pattern| pattern.unseen.clone());
        if read == 0 {
            self.minute.interrupt();
            return Err(wrong.into_iter().next().or(unseen).unwrap_or_else(|| self.nothing()));
        }
        let unread = wrong.first().map(|first| {
            let gap = gap(first);
            let note = format!("{} of {}: {}", wrong.len(), counted(wrong.len() + read, "file"), gap.note);
            Gap::new(gap.kind, note)
        });
        let (lines, errors) = if let Some(gap) = unread.or_else(|| unseen.as_ref().map(gap)) {
            // What comes of it once it can be read came at a time that nobody knows.
            self.minute.interrupt();
            (Part::Unavailable(gap.clone()), Part::Unavailable(gap))
        } else {
            self.minute.take(now, &entries, left_out.then_some(Missed::Flood));
            self.minute.parts(now)
        };
        let at = now.wall.timestamp_nanos_opt().unwrap_or_default();
        let ago = u64::try_from(at.saturating_sub(newest)).unwrap_or_default();
        Ok(LogReading {
            bytes: Some(bytes),
            written: Some(Duration::from_nanos(ago)),
            lines,
            errors,
            asked: self.asked().into_iter().collect(),
        })
    }

    fn nothing(&self) -> PollError {
        let pattern = self.pattern.as_ref().map(|pattern| pattern.text.as_str()).unwrap_or_default();
        PollError::new(PollErrorKind::Unreachable, format!("there is no file {pattern}"))
            .remedy("files that come later are read once they are there")
    }

    /// Looks which files there are, now and then.
    fn seek(&mut self, now: Now) {
        let Some(pattern) = &mut self.pattern else { return };
        if pattern.sought.is_some_and(|at| now.since(at) < SEEK) {
            return;
        }
        let Names { found, unseen } = names::named(&pattern.text, MOST_FOUND);
        let ids: HashSet<FileId> = found.iter().map(|found| found.id).collect();
        let first = pattern.sought.is_none();
        for found in &found {
            let at = pattern.known.entry(found.id).or_insert(Some(if first { found.bytes } else { 0 }));
            *at = at.or(Some(found.bytes));
        }
        for (_, at) in pattern.known.iter_mut().filter(|(id, _)| !ids.contains(id)) {
            *at = None;
        }
        if pattern.known.len() > 2 * MOST_FOUND {
            pattern.known.retain(|id, _| ids.contains(id));
        }
        let beyond = found.len().saturating_sub(MOST_FILES);
        let read = &found[..found.len() - beyond];
        for file in &mut self.files {
            let is_read = read.iter().any(|found| found.path == file.path);
            file.gone = if is_read { None } else { file.gone.or(Some(now)) };
        }
        // One that goes by another name is read by that.
        self.files.retain(|file| {
            let renamed = || read.iter().any(|found| Some(found.id) == file.tail.file().1);
            file.gone.is_none_or(|since| now.since(since) < LINGERS && !renamed())
        });
        for found in read {
            if self.files.iter().all(|file| file.path != found.path) {
                let begin = pattern.known.get(&found.id).copied().flatten();
                self.files.push(Followed::new(found.path.clone(), begin));
            }
        }
        self.files.sort_by(|one, other| one.path.cmp(&other.path));
        (pattern.sought, pattern.unseen, pattern.beyond) = (Some(now), unseen, beyond);
    }

    /// The lines of the page that is open.
    fn asked(&mut self) -> Option<Asked> {
        let Some(pattern) = &self.pattern else {
            return self.files.first()?.follow.as_ref().map(Follow::asked);
        };
        let follows = || self.files.iter().filter_map(|file| Some((file, file.follow.as_ref()?)));
        let mut asked = follows().next().map(|(_, follow)| follow.asked())?;
        let what = follows().next().map(|(_, follow)| follow.what()).unwrap_or_default();
        let mut through: Vec<String> = follows()
            .take(MOST_TOLD)
            .map(|(file, follow)| format!("{}: {}", file.name(), follow.through()))
            .collect();
        let (files, told) = (follows().count(), through.len());
        if files > told {
            through.push(format!("and {} more", files - told));
        }
        let beyond = match pattern.beyond {
            0 => String::new(),
            beyond => format!(", written to last ({beyond} older not read)"),
        };
        asked.query = format!("{what} in {}{beyond} ({})", counted(files, "file"), through.join("; "));
        let mut lines: Vec<LogLine> = Vec::new();
        for (file, follow) in follows() {
            let its = follow.asked();
            asked.more |= its.more;
            asked.left_out = asked.left_out.or(its.left_out.map(|left| LeftOut { more: true, ..left }));
            for mut line in its.lines.ready().cloned().unwrap_or_default() {
                line.labels.push(("file".to_owned(), file.name()));
                lines.push(line);
            }
        }
        lines.sort_by_key(|line| std::cmp::Reverse(line.at));
        // One that was renamed a moment ago is read by both names. A digest is that of a file and a place in it.
        let mut seen = HashSet::new();
        lines.retain(|line| seen.insert(line.digest));
        if lines.len() > MOST_KEPT {
            asked.more = true;
            lines.truncate(MOST_KEPT);
            let oldest = lines.last().map_or(0, |line| line.at);
            self.files
                .iter_mut()
                .filter_map(|file| file.follow.as_mut())
                .for_each(|follow| follow.forget(oldest));
        }
        asked.lines = Part::Ready(lines);
        Some(asked)
    }
}

impl Followed {
    fn new(path: PathBuf, begin: Option<u64>) -> Self {
        let tail = Tail::new(path.clone(), begin);
        Self { path, tail, timed: false, east: None, follow: None, gone: None }
    }

    fn name(&self) -> String {
        tidy(&self.path.file_name().unwrap_or_default().to_string_lossy(), NAME_CHARS)
    }

    /// One look at the file, with what came.
    fn look(
        &mut self,
        whose: &Whose,
        wanted: Option<&Question>,
        now: Now,
    ) -> Result<(Seen, Vec<Entry>), PollError> {
        let mut seen = self.tail.look()?;
        let entries = grouped(std::mem::take(&mut seen.lines), &mut self.timed);
        self.clock(entries.iter().rev().find_map(|entry| entry.stamp), seen.written);
        match wanted {
            Some(question) if self.follow.as_ref().is_some_and(|follow| follow.is_of(question)) => {
                if let Some(follow) = &mut self.follow {
                    follow.take(&entries, seen.left_out, self.east, now);
                }
            }
            Some(question) => self.follow = Some(self.begin(whose, question.clone(), seen.written, now)?),
            None => self.follow = None,
        }
        Ok((seen, entries))
    }

    /// What was there before, for a question that is new; where that begins too late, also what the file was rotated to.
    fn begin(
        &mut self,
        whose: &Whose,
        question: Question,
        written: i64,
        now: Now,
    ) -> Result<Follow, PollError> {
        let failed = |error| {
            PollError::new(PollErrorKind::Failed, format!("what was written before cannot be read: {error}"))
        };
        let Past { mut lines, mut of, mut more } = self.tail.past().map_err(failed)?;
        self.clock(newest_in(&lines), written);
        let from = follow::from(question.window, now);
        let reaches = |lines: &[Raw], east| {
            let moment = |raw: &Raw| stamp::of(&raw.text).and_then(|stamp| stamp::moment(stamp, east));
            lines.iter().take(NEAR).find_map(moment).is_some_and(|first| first <= from)
        };
        if !more && !reaches(&lines, self.east) {
            let east = self.east;
            let older = rotated::before(&self.tail, from, |lines| reaches(lines, east));
            if newest_in(&lines).is_none() {
                self.clock(newest_in(&older.lines), older.written);
            }
            lines.splice(0..0, older.lines);
            of.push_str(&older.of);
            more = older.more;
        }
        let entries = grouped(lines, &mut false);
        let mut follow = whose.follow(question);
        follow.begin(&entries, of, more, self.east, now);
        Ok(follow)
    }

    /// The zone of the clock in its lines: the newest was written when the file was.
    fn clock(&mut self, newest: Option<Stamp>, written: i64) {
        if let Some(Stamp::Clock(clock)) = newest {
            self.east = stamp::zone_by(clock, written).or(self.east);
        }
    }
}

/// The newest time in lines, where one stands near their end.
fn newest_in(lines: &[Raw]) -> Option<Stamp> {
    lines.iter().rev().take(NEAR).find_map(|raw| stamp::of(&raw.text))
}
