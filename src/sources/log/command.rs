//! What a command prints, told apart from what it printed before. It never meets a shell; its arguments may hold a secret, and are not
//! repeated.

use super::entries::Raw;
use crate::core::redact;
use crate::core::report::{PollError, PollErrorKind};
use crate::core::text::tidy;
use crate::sources::process::{self, Ended, Fault};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;
use tokio::process::Command;

/// What it prints is no longer: some thousands of lines.
const MOST_BYTES: usize = 2 * 1024 * 1024;
/// A line is kept up to here.
const LINE_BYTES: usize = 64 * 1024;
/// So much of a complaint is repeated.
const COMPLAINT_CHARS: usize = 160;

/// Runs it, and gives what it printed.
pub(super) async fn printed(
    program: String,
    arguments: Vec<String>,
    within: Duration,
) -> Result<Vec<Raw>, PollError> {
    let mut command = Command::new(&program);
    command.args(&arguments);
    let name = tidy(program.rsplit('/').next().unwrap_or(&program), COMPLAINT_CHARS);
    let told = |kind, why: String| PollError::new(kind, format!("the command `{name}`: {why}"));
    let ended = process::run(command, MOST_BYTES, within).await;
    let Ended { status, printed, complaint } = ended.map_err(|fault| match fault {
        Fault::NotStarted(error) => {
            told(PollErrorKind::Configuration, format!("it cannot be started: {error}"))
                .remedy("it is a program of this machine, with each argument by itself and no shell")
        }
        Fault::Late => {
            let why = format!("it did not end within {:.1} s and was stopped", within.as_secs_f64());
            told(PollErrorKind::TimedOut, why)
                .remedy("let it print its lines and end: without -f or --follow")
        }
        Fault::TooLong(kib) => told(PollErrorKind::Failed, format!("it prints more than {kib} KiB"))
            .remedy("let it print fewer lines: -n 500 and the like"),
        Fault::Unread(error) => {
            told(PollErrorKind::Failed, format!("what it prints cannot be read: {error}"))
        }
    })?;
    if !status.success() {
        let complaint = String::from_utf8_lossy(&complaint).into_owned();
        let line = complaint.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let said = tidy(&redact::said(line, arguments.iter().map(String::as_str)), COMPLAINT_CHARS);
        let said = if said.is_empty() { said } else { format!(": {said}") };
        return Err(told(PollErrorKind::Failed, format!("it ended with {status}{said}")));
    }
    Ok(lines(&printed))
}

/// Its lines: each is known by its text, and by how many like it stand above it.
fn lines(printed: &[u8]) -> Vec<Raw> {
    let mut seen: HashMap<u64, u64> = HashMap::new();
    let mut lines = Vec::new();
    for line in printed.split(|byte| *byte == b'\n') {
        let line = line.get(..line.len().min(LINE_BYTES)).unwrap_or_default();
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end_matches('\r');
        if text.trim().is_empty() {
            continue;
        }
        let turn = seen.entry(digest(text)).or_default();
        *turn += 1;
        lines.push(Raw { id: digest((text, *turn)), text: text.to_owned() });
    }
    lines
}

fn digest(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

/// Of what is printed now what was not printed before; and whether nothing is as it was, so that some may have come and gone.
pub(super) fn fresh(before: &[Raw], now: &[Raw]) -> (Vec<Raw>, bool) {
    let mut known: HashMap<&str, usize> = HashMap::new();
    for raw in before {
        *known.entry(&raw.text).or_default() += 1;
    }
    let mut fresh = Vec::new();
    for raw in now {
        match known.get_mut(raw.text.as_str()).filter(|left| **left > 0) {
            Some(left) => *left -= 1,
            None => fresh.push(raw.clone()),
        }
    }
    let apart = !before.is_empty() && !now.is_empty() && fresh.len() == now.len();
    (fresh, apart)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(before: &str, now: &str, expected: &[&str], apart: bool) {
        let (found, told) = fresh(&lines(before.as_bytes()), &lines(now.as_bytes()));
        let texts: Vec<&str> = found.iter().map(|raw| raw.text.as_str()).collect();
        assert_eq!((texts, told), (expected.to_vec(), apart), "{before:?} {now:?}");
    }

    #[test]
    fn what_was_printed_before_is_not_new() {
        check("a\nb\n", "b\nc\n", &["c"], false);
        check("a\na\n", "a\na\na\n", &["a"], false);
        check("a\nb\n", "x\ny\n", &["x", "y"], true);
        check("", "x\n\n \ny\r\n", &["x", "y"], false);
        check("a\n", "", &[], false);
        let ids: Vec<u64> = lines(b"a\na\n").iter().map(|raw| raw.id).collect();
        assert_ne!(ids[0], ids[1], "two that are alike are two");
    }
}
