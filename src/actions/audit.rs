//! The audit trail: append-only JSON lines, each flushed to disk before the next step. It never holds a secret.

use super::lines::{self, Lines};
use crate::core::text::ago;
use crate::core::time::Now;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How much of the end of the trail is read for the action log, also of files that it was rotated to: enough for some thousand lines.
const TAIL_BYTES: u64 = 512 * 1024;
/// An intent of another machine has no outcome only after this long: whether its stacktop still runs cannot be seen from here.
const ELSEWHERE: Duration = Duration::from_secs(3600);
/// What is said of an action whose stacktop ended before it was answered.
pub const UNKNOWN: &str = "its outcome is not known, stacktop ended before the answer came";

/// What a line tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It is about to be sent.
    Intent,
    /// It was refused; nothing was sent.
    Refused,
    /// What came of it.
    Outcome,
    /// What a look afterwards found.
    Verified,
    /// The run ended and could not wait for the outcome any longer; written by that run.
    Left,
    /// The run ended before the outcome was known; written by the next one, which tells it.
    Unknown,
}

/// One line of the trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditLine {
    /// When, in UTC (RFC 3339).
    pub at: String,
    /// What the line tells.
    pub phase: Phase,
    /// The same for all lines of one action.
    pub id: String,
    /// The operator's user name on this machine.
    pub who: String,
    /// This machine's name.
    pub host: String,
    /// The environment as configured ("demo" for the embedded stack).
    pub environment: String,
    /// The target's name.
    pub target: String,
    /// The target's address.
    pub address: String,
    /// What kind of action.
    pub action: String,
    /// The pinned identity.
    pub identity: String,
    /// Exactly what was, or would have been, sent.
    pub statement: String,
    /// What came of it; empty for an intent.
    pub result: String,
}

impl AuditLine {
    /// When it was written, for people: date and time in UTC, and how long ago (not in seconds: a line that changes all the time
    /// is not read).
    #[must_use]
    pub fn when(&self, now: Now) -> String {
        let shown = self.at.get(..19).unwrap_or(&self.at).replace('T', " ");
        let at = chrono::DateTime::parse_from_rfc3339(&self.at).ok();
        match at.and_then(|at| (now.wall - at.to_utc()).to_std().ok()) {
            None => format!("{shown}Z"),
            Some(age) => format!("{shown}Z ({})", ago(age)),
        }
    }
}

/// What could be read of the trail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tail {
    /// The newest lines, oldest first.
    pub lines: Vec<AuditLine>,
    /// How many lines among them cannot be read.
    pub unreadable: usize,
    /// Why nothing could be read at all.
    pub trouble: Option<String>,
    /// Intents of runs that are over, which have no outcome.
    pub unanswered: Vec<AuditLine>,
}

/// The trail in its file.
#[derive(Debug)]
pub struct AuditTrail {
    path: PathBuf,
}

impl AuditTrail {
    /// A trail at `path`. The file is made with the first line, readable by its owner only.
    #[must_use]
    pub const fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends `line` and waits until it is on the disk. Blocking: call it off the event loop.
    ///
    /// # Errors
    /// When it cannot be written or flushed; then the action must not happen.
    pub fn append(&self, line: &AuditLine) -> io::Result<()> {
        lines::append(&self.path, std::slice::from_ref(line))
    }

    /// The newest `count` lines that can be read, also from before the file was rotated; nothing when there is no file yet.
    #[must_use]
    pub fn tail(&self, count: usize) -> Tail {
        match lines::read_rotated::<AuditLine>(&self.path, TAIL_BYTES) {
            Ok(Lines { mut lines, unreadable }) => {
                lines.drain(..lines.len().saturating_sub(count));
                Tail { lines, unreadable, ..Tail::default() }
            }
            Err(error) => Tail {
                trouble: Some(format!("{} cannot be read: {error}", self.path.display())),
                ..Tail::default()
            },
        }
    }

    /// The intents without an outcome that nobody will answer any more: their stacktop ended first. Each gets a last line that
    /// says so, and is therefore told once.
    ///
    /// To be called at the start, before the first line of this run.
    #[must_use]
    pub fn close_unanswered(&self, host: &str, now: Now) -> Vec<AuditLine> {
        let ended = |line: &AuditLine| {
            if line.host == host {
                !runs(&line.id)
            } else {
                // Another machine writes here, too, or this one had another name.
                let at = chrono::DateTime::parse_from_rfc3339(&line.at).ok();
                at.is_some_and(|at| (now.wall - at.to_utc()).to_std().is_ok_and(|age| age > ELSEWHERE))
            }
        };
        let lines = self.tail(usize::MAX).lines;
        let found = unanswered(&lines).into_iter().filter(|line| ended(line)).cloned().collect::<Vec<_>>();
        for intent in &found {
            let line = AuditLine {
                at: stamp(now),
                phase: Phase::Unknown,
                result: format!("{UNKNOWN}: look at {}", intent.target),
                ..intent.clone()
            };
            // Where it cannot be written it is told again at the next start.
            let _ = self.append(&line);
        }
        found
    }
}

/// Intents after which nothing was written about the same action, or only that nobody could wait for its outcome.
fn unanswered(lines: &[AuditLine]) -> Vec<&AuditLine> {
    let answers = |line: &&AuditLine| !matches!(line.phase, Phase::Intent | Phase::Left);
    let answered: HashSet<&str> = lines.iter().filter(answers).map(|line| line.id.as_str()).collect();
    lines.iter().filter(|line| line.phase == Phase::Intent && !answered.contains(line.id.as_str())).collect()
}

/// Whether the stacktop that gave this name to an action still runs on this machine. Our own process is only starting.
fn runs(id: &str) -> bool {
    let Some(pid) = id.split('-').nth(1).and_then(|pid| pid.parse::<i32>().ok()) else { return false };
    if pid <= 0 || pid.cast_unsigned() == std::process::id() {
        return false;
    }
    let name = |pid: &str| std::fs::read(format!("/proc/{pid}/comm")).ok();
    match (name(&pid.to_string()), name("self")) {
        (Some(theirs), Some(ours)) => theirs == ours,
        (None, Some(_)) => false,
        // Without /proc: a process of this number is taken for ours.
        (_, None) => rustix::process::Pid::from_raw(pid)
            .is_some_and(|pid| rustix::process::test_kill_process(pid).is_ok()),
    }
}

/// The moment as the trail writes it.
#[must_use]
pub fn stamp(now: Now) -> String {
    now.wall.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(id: &str) -> AuditLine {
        AuditLine {
            at: stamp(Now::example(0)),
            phase: Phase::Intent,
            id: id.to_owned(),
            who: "ana".to_owned(),
            host: "ops1".to_owned(),
            environment: "prod".to_owned(),
            target: "pg".to_owned(),
            address: "db:5432/app".to_owned(),
            action: "terminate_backend".to_owned(),
            identity: "pid 4711".to_owned(),
            statement: "SELECT 1".to_owned(),
            result: String::new(),
        }
    }

    #[test]
    fn appends_and_reads_back_the_newest() {
        let folder = tempfile::tempdir().unwrap();
        let trail = AuditTrail::at(folder.path().join("deep/audit.jsonl"));
        assert!(trail.tail(5) == Tail::default());
        for id in ["a", "b", "c"] {
            trail.append(&line(id)).unwrap();
        }
        let ids: Vec<String> = trail.tail(2).lines.into_iter().map(|line| line.id).collect();
        assert_eq!(ids, ["b", "c"]);
        let again = AuditTrail::at(trail.path().to_owned());
        again.append(&line("d")).unwrap();
        assert_eq!(again.tail(9).lines.len(), 4);
    }

    #[test]
    fn old_lines_carry_date_and_age() {
        let check = |seconds, expected| assert_eq!(line("a").when(Now::example(seconds)), expected);
        check(59, "2026-09-21 14:13:20Z (just now)");
        check(3599, "2026-09-21 14:13:20Z (59 min ago)");
        check(86_400, "2026-09-21 14:13:20Z (24 h ago)");
        check(9 * 86_400, "2026-09-21 14:13:20Z (9 days ago)");
        // Written by a clock that was ahead.
        let later = AuditLine { at: stamp(Now::example(60)), ..line("a") };
        assert_eq!(later.when(Now::example(0)), "2026-09-21 14:14:20Z");
    }

    #[test]
    fn a_trail_that_cannot_be_read_is_not_an_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        let trail = AuditTrail::at(folder.path().join("audit.jsonl"));
        trail.append(&line("a")).unwrap();
        let mut bytes = std::fs::read(trail.path()).unwrap();
        bytes.splice(0..0, *b"\xff\n");
        std::fs::write(trail.path(), bytes).unwrap();
        let Tail { lines, unreadable, trouble, .. } = trail.tail(9);
        assert_eq!((lines.len(), unreadable, trouble), (1, 1, None));
        let folder = AuditTrail::at(folder.path().to_owned());
        assert!(folder.tail(9).trouble.unwrap().contains("no regular file"));
    }

    #[test]
    fn an_intent_that_nobody_will_answer_is_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let trail = AuditTrail::at(folder.path().join("audit.jsonl"));
        if std::env::var_os("STACKTOP_TEST_WAIT").is_some() {
            std::io::stdin().read_line(&mut String::new()).unwrap();
            return;
        }
        // Another process of our name: this test, waiting.
        let mut other = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "actions::audit::tests::an_intent_that_nobody_will_answer_is_told_once"])
            .env("STACKTOP_TEST_WAIT", "1")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let running = other.id();
        let far =
            |at: u64| AuditLine { host: "ops2".to_owned(), at: stamp(Now::example(at)), ..line("x-1-2") };
        let ours = std::process::id();
        for written in [
            line(&format!("x-{ours}-0")),
            AuditLine { phase: Phase::Outcome, ..line(&format!("x-{ours}-0")) },
            line(&format!("x-{ours}-1")),
            line(&format!("x-{running}-1")),
            line("x-2147483647-1"),
            AuditLine { phase: Phase::Left, ..line("x-2147483647-1") },
            far(5000),
            AuditLine { id: "x-1-3".to_owned(), ..far(0) },
        ] {
            trail.append(&written).unwrap();
        }
        let ids = |now| -> Vec<String> {
            trail.close_unanswered("ops1", Now::example(now)).into_iter().map(|line| line.id).collect()
        };
        assert_eq!(ids(5010), [format!("x-{ours}-1"), "x-2147483647-1".to_owned(), "x-1-3".to_owned()]);
        assert!(ids(5011).is_empty(), "each is told once");
        let last = trail.tail(1).lines.remove(0);
        assert_eq!((last.phase, last.result), (Phase::Unknown, format!("{UNKNOWN}: look at pg")));
        // What began before the file was rotated is still waited for.
        std::fs::rename(trail.path(), folder.path().join("audit.jsonl.1")).unwrap();
        other.kill().unwrap();
        other.wait().unwrap();
        assert_eq!(ids(5012), [format!("x-{running}-1")]);
    }

    #[test]
    fn an_impossible_place_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let blocker = folder.path().join("file");
        std::fs::write(&blocker, "").unwrap();
        let trail = AuditTrail::at(blocker.join("audit.jsonl"));
        assert!(trail.append(&line("a")).is_err());
    }
}
