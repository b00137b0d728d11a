//! Keeps the timeline for runs to come: append-only JSON lines in a file of bounded size, which several stacktops may share. Marks that
//! others write into it are found while a run lasts. Its failure is told once and never breaks the run.

use super::audit::stamp;
use super::follow::Shared;
use super::kept::Kept;
use crate::core::alert::{Parted, Severity};
use crate::core::ids::TargetId;
use crate::core::time::Now;
use crate::core::timeline::{About, Event, Kind, Mark};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The file is put aside once it has so many bytes; one older one is kept.
const FILE_BYTES: u64 = 4 * 1024 * 1024;
/// So much of the end of each is read at the start.
const TAIL_BYTES: u64 = 512 * 1024;
/// So many events of earlier runs are shown.
const RECALLED: usize = 500;

/// One line of the file.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Line {
    /// When, in UTC (RFC 3339).
    at: String,
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    words: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    severity: Option<String>,
    /// When the finding began.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    /// It may have begun earlier.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    at_least: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    lasted_seconds: Option<f64>,
    /// Why nobody saw it end.
    #[serde(skip_serializing_if = "Option::is_none")]
    parted: Option<String>,
}

/// The word of a severity in files and messages.
pub(super) const fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Critical => "critical",
    }
}

/// The severity with this word.
pub(super) fn severity_named(word: &str) -> Option<Severity> {
    let all = [Severity::Info, Severity::Warning, Severity::Critical];
    all.into_iter().find(|severity| severity_word(*severity) == word)
}

impl Line {
    fn of(event: &Event) -> Self {
        let about = event.about.as_ref();
        Self {
            at: stamp(event.at),
            kind: event.kind.word().to_owned(),
            target: event.target.as_ref().map(ToString::to_string),
            words: event.words.clone(),
            rule: about.map(|about| about.rule.clone()),
            subject: about.map(|about| about.subject.clone()),
            severity: about.map(|about| severity_word(about.severity).to_owned()),
            since: about.map(|about| stamp(about.since)),
            at_least: about.is_some_and(|about| about.at_least),
            lasted_seconds: event.lasted.map(|lasted| lasted.as_secs_f64()),
            parted: event.parted.map(|parted| parted.words().to_owned()),
        }
    }

    /// The event, if this stacktop knows what the line tells.
    fn event(&self, now: Now) -> Option<Event> {
        let at = moment(&self.at, now)?;
        let target = self.target.as_deref().map(TargetId::new);
        let event = Event::new(Kind::named(&self.kind)?, target.as_ref(), at, &self.words);
        let severity = self.severity.as_deref().and_then(severity_named);
        let about = severity.map(|severity| About {
            rule: self.rule.clone().unwrap_or_default(),
            subject: self.subject.clone().unwrap_or_default(),
            severity,
            since: self.since.as_deref().and_then(|since| moment(since, now)).unwrap_or(at),
            at_least: self.at_least,
        });
        let lasted = self.lasted_seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let parted = self.parted.as_deref().and_then(Parted::named);
        Some(Event { about, lasted, parted, ..event })
    }
}

/// A moment of the clock on the wall (RFC 3339).
pub(super) fn wall(text: &str) -> Option<DateTime<Utc>> {
    Some(DateTime::parse_from_rfc3339(text).ok()?.to_utc())
}

/// A moment of the past on both clocks.
fn moment(text: &str, now: Now) -> Option<Now> {
    Some(now.at_wall(wall(text)?))
}

/// Marks that were written since this was asked last, and perhaps some before them.
fn marks(file: &Shared) -> Vec<Mark> {
    let marks = file.news::<Line>().into_iter().filter(|line| Kind::named(&line.kind) == Some(Kind::Marked));
    marks.filter_map(|line| Some(Mark { at: wall(&line.at)?, words: line.words })).collect()
}

fn recall(file: &Shared, now: Now) -> Vec<Event> {
    let lines = file.all::<Line>().into_iter();
    let mut events: Vec<Event> = lines.filter_map(|line| line.event(now)).collect();
    events.sort_by_key(|event| event.at.wall);
    events.drain(..events.len().saturating_sub(RECALLED));
    events
}

fn keep(file: &Shared, events: &[Arc<Event>]) -> std::io::Result<()> {
    let lines: Vec<Line> = events.iter().map(|event| Line::of(event)).collect();
    file.keep(&lines)
}

/// Writes a mark into the timeline at `path`, beside whoever else writes there.
///
/// # Errors
/// When it cannot be written.
pub fn mark(path: PathBuf, event: Event) -> std::io::Result<()> {
    keep(&Shared::at(path, FILE_BYTES, TAIL_BYTES), &[Arc::new(event)])
}

/// Who keeps the timeline.
#[derive(Debug)]
pub struct Keeper(Kept);

impl Keeper {
    /// One that keeps it at `path`, and one older file beside it.
    #[must_use]
    pub fn at(path: PathBuf) -> Self {
        Self::of(path, FILE_BYTES)
    }

    fn of(path: PathBuf, most: u64) -> Self {
        Self(Kept::at("the timeline is", path, most, TAIL_BYTES))
    }

    /// What earlier runs kept, oldest first; to be asked before anything of this run is kept.
    pub fn recall(&self, now: Now) -> impl Future<Output = Vec<Event>> + Send + use<> {
        self.0.read(move |file| recall(file, now))
    }

    /// Keeps `events`, in the order in which this is called. When they cannot be kept, why: told once.
    pub fn keep(&self, events: Vec<Arc<Event>>) -> impl Future<Output = Option<String>> + Send + use<> {
        self.0.keep(move |file| keep(file, &events))
    }

    /// The marks that others have set since the last time; some may have been told before.
    pub fn marks(&self) -> impl Future<Output = Vec<Mark>> + Send + use<> {
        self.0.read(marks)
    }

    /// Waits for what was given to be on the disk, but not for long.
    pub async fn settle(&self) {
        self.0.settle().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::lines;

    fn event(second: u64, words: &str) -> Arc<Event> {
        let about = About {
            rule: "postgres.blocked".to_owned(),
            subject: "pid 1".to_owned(),
            severity: Severity::Critical,
            since: Now::example(second),
            at_least: true,
        };
        let event = Event::new(Kind::Ended, Some(&TargetId::new("pg")), Now::example(second + 9), words);
        Arc::new(Event { about: Some(about), lasted: Some(Duration::from_secs(9)), ..event })
    }

    #[tokio::test]
    async fn what_is_kept_is_read_back_by_the_next_run_with_its_age() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/timeline.jsonl");
        let keeper = Keeper::at(path.clone());
        assert_eq!(keeper.recall(Now::example(0)).await, Vec::new());
        let kept = event(100, "9 sessions wait");
        assert_eq!(keeper.keep(vec![Arc::clone(&kept)]).await, None);
        // Another stacktop has another clock that only goes forward.
        let later = Now::example(709);
        let later = Now { mono: later.mono + Duration::from_secs(5000), ..later };
        let found = Keeper::at(path).recall(later).await;
        assert_eq!(found.len(), 1);
        let age = later.since(found[0].at);
        assert_eq!((age, found[0].at.wall), (Duration::from_secs(600), kept.at.wall));
        let alike = |event: &Event| (event.kind, event.words.clone(), event.lasted, event.severity());
        assert_eq!(alike(&found[0]), alike(&kept));
        assert!(found[0].about.as_ref().is_some_and(|about| about.at_least && about.subject == "pid 1"));
    }

    #[tokio::test]
    async fn the_file_is_bounded_and_two_who_write_it_garble_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("timeline.jsonl");
        let most = 4096;
        let (one, other) = (Keeper::of(path.clone(), most), Keeper::of(path.clone(), most));
        for number in 0..60 {
            let written = [
                one.keep(vec![event(number, &format!("one {number}"))]),
                other.keep(vec![event(number, &format!("other {number}"))]),
            ];
            assert_eq!(futures_util::future::join_all(written).await, [None, None]);
        }
        let size = |path: &PathBuf| std::fs::metadata(path).unwrap().len();
        let older = PathBuf::from(format!("{}.1", path.display()));
        assert!(size(&path) < most + 512 && size(&older) < most + 512, "{} {}", size(&path), size(&older));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
        for path in [&path, &older] {
            assert_eq!(lines::read::<Line>(path, most * 2).unwrap().unreadable, 0);
        }
        let recalled = one.recall(Now::example(1000)).await;
        let last = |who: &str| recalled.iter().any(|event| event.words == format!("{who} 59"));
        assert!(last("one") && last("other") && recalled.len() > 10, "{}", recalled.len());
    }

    #[tokio::test]
    async fn a_failure_is_told_once_and_lines_of_others_cost_only_themselves() {
        let folder = tempfile::tempdir().unwrap();
        let blocker = folder.path().join("file");
        std::fs::write(&blocker, "").unwrap();
        let keeper = Keeper::at(blocker.join("timeline.jsonl"));
        let told = keeper.keep(vec![event(1, "x")]).await.expect("told");
        assert!(told.contains("not kept for later"), "{told}");
        assert_eq!(keeper.keep(vec![event(2, "x")]).await, None);
        let path = folder.path().join("timeline.jsonl");
        std::fs::write(
            &path,
            "{\"kind\":\"of a later version\",\"at\":\"2026-01-01T00:00:00Z\"}\nnonsense\n",
        )
        .unwrap();
        let keeper = Keeper::at(path);
        keeper.keep(vec![event(3, "mine")]).await;
        let found = keeper.recall(Now::example(60)).await;
        assert_eq!(found.iter().map(|event| event.words.as_str()).collect::<Vec<_>>(), ["mine"]);
    }
}
