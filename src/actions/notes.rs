//! Keeps the notes that were taken of findings: for runs to come, and for stacktops that run beside this one. Each is a line of its own, so
//! that nobody overwrites another's; the newest line about a finding counts.

use super::audit::stamp;
use super::follow::Shared;
use super::keeper::{severity_named, severity_word, wall};
use super::writer::Writer;
use crate::core::alert::{Heard, Note, Until};
use crate::core::redact::logins;
use crate::core::text::tidy;
use crate::core::time::Now;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// At the end so long is waited for what was given.
const SETTLED_WITHIN: Duration = Duration::from_millis(500);

/// The file is put aside once it has so many bytes; one older one is kept.
const FILE_BYTES: u64 = 512 * 1024;
/// So much of the end of each is read.
const TAIL_BYTES: u64 = 256 * 1024;
/// A note that nobody took back is forgotten after so long: nobody knows of a finding for longer.
const OLDEST: Duration = Duration::from_secs(7 * 86_400);
/// Columns of a name and of a note.
const COLUMNS: usize = 200;

/// One line of the file.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Line {
    /// When it was noted, in UTC (RFC 3339); nothing where it holds no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    who: String,
    rule: String,
    target: String,
    subject: String,
    severity: String,
    note: String,
    /// Until when: `over`, `clear`, a moment; `ended` where it holds no more.
    until: String,
}

impl Line {
    fn of(note: &Note) -> Self {
        let until = match note.heard.as_ref().map(|heard| heard.until) {
            None => "ended".to_owned(),
            Some(Until::Over) => "over".to_owned(),
            Some(Until::Clear) => "clear".to_owned(),
            Some(Until::Then(end)) => stamp(end),
        };
        let heard = note.heard.as_ref();
        Self {
            at: heard.map(|heard| stamp(heard.at)),
            who: heard.map_or_else(String::new, |heard| heard.who.clone()),
            rule: note.rule.clone(),
            target: note.target.clone(),
            subject: note.subject.clone(),
            severity: severity_word(note.severity).to_owned(),
            note: heard.map_or_else(String::new, |heard| heard.note.clone()),
            until,
        }
    }

    /// The note, if this stacktop knows what the line tells; without what it holds where that is over.
    fn note(self, now: Now) -> Option<Note> {
        let severity = severity_named(&self.severity)?;
        let heard = self.heard(now).filter(|heard| heard.holds(now) && now.since(heard.at) < OLDEST);
        Some(Note { rule: self.rule, target: self.target, subject: self.subject, severity, heard })
    }

    fn heard(&self, now: Now) -> Option<Heard> {
        let until = match self.until.as_str() {
            "ended" => return None,
            "over" => Until::Over,
            "clear" => Until::Clear,
            then => {
                let end = wall(then)?;
                Until::Then(Now { wall: end, ..now.plus((end - now.wall).to_std().unwrap_or_default()) })
            }
        };
        let text = |text: &str| tidy(&logins(text), COLUMNS);
        let at = now.at_wall(wall(self.at.as_deref()?)?);
        Some(Heard { who: text(&self.who), note: text(&self.note), at, until })
    }
}

/// The newest line about each finding.
fn newest(lines: Vec<Line>, now: Now) -> Vec<Note> {
    let mut all = BTreeMap::new();
    for note in lines.into_iter().filter_map(|line| line.note(now)) {
        all.insert((note.rule.clone(), note.target.clone(), note.subject.clone()), note);
    }
    all.into_values().collect()
}

/// Who keeps them.
#[derive(Debug)]
pub struct Notes {
    writer: Writer<Shared>,
    shown: String,
}

impl Notes {
    /// One that keeps them at `path`, and one older file beside it.
    #[must_use]
    pub fn at(path: PathBuf) -> Self {
        let shown = path.display().to_string();
        Self { writer: Writer::start("notes", Arc::new(Shared::at(path, FILE_BYTES, TAIL_BYTES))), shown }
    }

    /// What others noted since this was asked last, everything at first; also that something holds no more.
    pub fn news(&self, now: Now) -> impl Future<Output = Vec<Note>> + Send + use<> {
        let found = self.writer.give(move |file| newest(file.news(), now));
        async move { found.await.unwrap_or_default() }
    }

    /// Keeps `notes`, in the order in which this is called. When they cannot be kept, why.
    pub fn keep(&self, notes: &[Note]) -> impl Future<Output = Option<String>> + Send + use<> {
        let lines: Vec<Line> = notes.iter().map(Line::of).collect();
        let kept = self.writer.give(move |file| file.keep(&lines));
        let shown = self.shown.clone();
        async move {
            let why = match kept.await {
                Some(Ok(())) => return None,
                Some(Err(error)) => error.to_string(),
                None => "the disk does not keep up".to_owned(),
            };
            Some(format!("the note is of this run only: {shown} cannot be written: {why}"))
        }
    }

    /// Waits for what was given to be on the disk, but not long: one that hangs must not keep anybody here.
    pub async fn settle(&self) {
        let _ = tokio::time::timeout(SETTLED_WITHIN, self.writer.give(|_| ())).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::alert::Severity;
    use std::os::unix::fs::PermissionsExt;

    fn note(subject: &str, who: &str, until: Option<Until>) -> Note {
        let heard = |until| Heard {
            who: who.to_owned(),
            note: "see redis://u:secret@h\u{1b}[2J".to_owned(),
            at: Now::example(100),
            until,
        };
        Note {
            rule: "test.rule".to_owned(),
            target: "pg".to_owned(),
            subject: subject.to_owned(),
            severity: Severity::Warning,
            heard: until.map(heard),
        }
    }

    /// Who holds which note for a run that reads the file at so many seconds.
    async fn read(path: &std::path::Path, second: u64) -> Vec<(String, Option<String>)> {
        let found = Notes::at(path.to_path_buf()).news(Now::example(second)).await;
        let told = |note: Note| (note.subject, note.heard.map(|heard| heard.who));
        found.into_iter().map(told).collect()
    }

    #[tokio::test]
    async fn the_next_run_knows_who_noted_what_and_what_is_over_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/notes.jsonl");
        let (ana, bob) = (Notes::at(path.clone()), Notes::at(path.clone()));
        let end = Until::Then(Now::example(1000));
        assert_eq!(ana.keep(&[note("a", "ana", Some(Until::Over)), note("b", "ana", Some(end))]).await, None);
        // Another one beside it neither takes these away nor writes over them.
        assert_eq!(
            bob.keep(&[note("c", "bob", Some(Until::Clear)), note("a", "bob", Some(Until::Over))]).await,
            None
        );
        assert_eq!(bob.keep(&[note("c", "", None)]).await, None);
        let of = |subject: &str, who: Option<&str>| (subject.to_owned(), who.map(str::to_owned));
        assert_eq!(read(&path, 200).await, [of("a", Some("bob")), of("b", Some("ana")), of("c", None)]);
        assert_eq!(read(&path, 1000).await[1], of("b", None), "a snooze keeps its end");
        assert_eq!(read(&path, 8 * 86_400).await[0], of("a", None));
        let found = ana.news(Now::example(200)).await;
        let heard = found[0].heard.as_ref().unwrap();
        assert!(!heard.note.contains("secret") && !heard.note.contains('\u{1b}'), "{heard:?}");
        assert_eq!((heard.at, heard.until), (Now::example(100), Until::Over));
        assert_eq!(found[1].heard.as_ref().map(|heard| heard.until), Some(end));
        let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_written_is_said() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a"), "").unwrap();
        let notes = Notes::at(folder.path().join("a/notes.jsonl"));
        let said = notes.keep(&[note("a", "ana", Some(Until::Over))]).await.unwrap();
        assert!(said.starts_with("the note is of this run only"), "{said}");
        assert_eq!(notes.news(Now::example(1)).await, []);
    }
}
