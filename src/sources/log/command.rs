//! What a command prints, told apart from what it printed before. It never meets a shell; its arguments may hold a secret, and are not
//! repeated.

use super::entries::{Entry, Raw, grouped};
use super::minute::Missed;
use crate::core::redact;
use crate::core::report::{PollError, PollErrorKind};
use crate::core::text::tidy;
use crate::sources::process::{self, Complaints, Ended, Fault};
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

/// What it printed, by where it went: `docker logs` writes there what its container wrote there.
#[derive(Clone, Debug, Default)]
pub(super) struct Printed {
    out: Vec<Raw>,
    errors: Vec<Raw>,
}

impl Printed {
    /// How many lines it has.
    pub(super) const fn count(&self) -> usize {
        self.out.len() + self.errors.len()
    }

    /// Its lines as they belong together.
    pub(super) fn entries(self) -> Vec<Entry> {
        let mut all = grouped(self.out, &mut false);
        all.append(&mut grouped(self.errors, &mut false));
        all
    }

    /// What was not printed before; and why that may not be all of it.
    pub(super) fn fresh(&self, before: &Self) -> (Self, Option<Missed>) {
        let (out, missed) = fresh(&before.out, &self.out);
        let (errors, also) = fresh(&before.errors, &self.errors);
        let missed = missed.filter(|why| *why != Missed::Same).or(also).or(missed);
        (Self { out, errors }, missed)
    }
}

/// Runs it, and gives what it printed.
pub(super) async fn printed(
    program: String,
    arguments: Vec<String>,
    within: Duration,
) -> Result<Printed, PollError> {
    let mut command = Command::new(&program);
    command.args(&arguments);
    let name = tidy(program.rsplit('/').next().unwrap_or(&program), COMPLAINT_CHARS);
    let told = |kind, why: String| PollError::new(kind, format!("the command `{name}`: {why}"));
    let ended = process::run(command, MOST_BYTES, within, Complaints::All).await;
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
    Ok(Printed { out: lines(&printed, 1), errors: lines(&complaint, 2) })
}

/// The lines that went to `place`: each is known by its text, and by how many like it stand above it.
fn lines(printed: &[u8], place: u8) -> Vec<Raw> {
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
        lines.push(Raw { id: digest((text, *turn, place)), text: text.to_owned() });
    }
    lines
}

fn digest(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

/// Of what is printed now what was not printed before; and why that may not be all of it.
fn fresh(before: &[Raw], now: &[Raw]) -> (Vec<Raw>, Option<Missed>) {
    if before.is_empty() || now.is_empty() {
        return (now.to_vec(), None);
    }
    // The last lines of before are the first ones of now; what is short may be so by chance.
    let fits =
        |all: usize| before[before.len() - all..].iter().zip(now).all(|(old, new)| old.text == new.text);
    let mut overlaps = (1..=before.len().min(now.len())).rev().filter(|all| fits(*all));
    if let Some(longest) = overlaps.next() {
        // Nothing went away at the top of what grew by lines only.
        let grew = longest == before.len() && now.len() > longest;
        let again = overlaps.next().is_some_and(|other| other * 2 >= longest);
        let same = longest == before.len() && now.len() == longest;
        let missed = (again && !grew).then_some(if same { Missed::Same } else { Missed::Alike });
        return (now[longest..].to_vec(), missed);
    }
    // Several files, or lines in another order.
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
    let apart = (fresh.len() == now.len()).then_some(Missed::Flood);
    (fresh, apart)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(before: &str, now: &str, expected: &[&str], missed: Option<Missed>) {
        let (found, told) = fresh(&lines(before.as_bytes(), 1), &lines(now.as_bytes(), 1));
        let texts: Vec<&str> = found.iter().map(|raw| raw.text.as_str()).collect();
        assert_eq!((texts, told), (expected.to_vec(), missed), "{before:?} {now:?}");
    }

    #[test]
    fn what_was_printed_before_is_not_new() {
        check("a\nb\n", "b\nc\n", &["c"], None);
        check("a\na\n", "a\na\na\n", &["a"], None);
        check("a\nb\n", "x\ny\n", &["x", "y"], Some(Missed::Flood));
        check("", "x\n\n \ny\r\n", &["x", "y"], None);
        check("a\n", "", &[], None);
        check("x\na\ny\nb\n", "x\na\nc\ny\nb\nd\n", &["c", "d"], None);
        let ids: Vec<u64> = lines(b"a\na\n", 1).iter().map(|raw| raw.id).collect();
        assert_ne!(ids[0], ids[1], "two that are alike are two");
        assert_ne!(ids[0], lines(b"a\n", 2)[0].id, "of two places");
    }

    #[test]
    fn lines_that_are_alike_are_not_counted_as_none() {
        check("a\na\na\n", "a\na\na\n", &[], Some(Missed::Same));
        check("a\nb\na\nb\n", "a\nb\na\nb\n", &[], Some(Missed::Same));
        check("x\na\na\n", "a\na\na\n", &["a"], Some(Missed::Alike));
        // What is alike here and there is no doubt.
        check("a\n", "a\n", &[], None);
        check("a\nb\na\n", "a\nb\na\n", &[], None);
        check("1 a\n2 a\n3 a\n", "2 a\n3 a\n3 a\n", &["3 a"], None);
    }

    #[test]
    fn what_goes_where_complaints_go_is_lines_too() {
        let printed = |out: &str, errors: &str| Printed {
            out: lines(out.as_bytes(), 1),
            errors: lines(errors.as_bytes(), 2),
        };
        let before = printed("2026-09-21T14:13:20Z INFO a\n", "b\n");
        let now = printed("2026-09-21T14:13:20Z INFO a\n", "b\nERROR c\n");
        assert_eq!(now.count(), 3);
        let (fresh, missed) = now.fresh(&before);
        let texts: Vec<String> = fresh.entries().into_iter().map(|entry| entry.text).collect();
        assert_eq!((texts, missed), (vec!["ERROR c".to_owned()], None));
        let texts: Vec<String> = now.entries().into_iter().map(|entry| entry.text).collect();
        assert_eq!(texts, ["2026-09-21T14:13:20Z INFO a", "b", "ERROR c"], "none belongs to another's");
    }
}
