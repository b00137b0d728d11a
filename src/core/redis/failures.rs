//! Failed jobs grouped by what is wrong: the reason without what differs from job to job, and the place in the code. Pure.

use super::{FailedPage, QueueRef};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A normalised reason is cut here: what tells failures apart stands at the beginning.
const REASON_CHARS: usize = 160;
/// Failures this young show whether it still goes on.
const RECENT: Duration = Duration::from_secs(300);

/// Failed jobs with the same fingerprint.
#[derive(Clone, Debug, PartialEq)]
pub struct FailureGroup {
    /// The normalised reason.
    pub reason: String,
    /// The topmost place in the application's own code; empty where that is not known.
    pub frame: String,
    /// The jobs, newest first: queue and id.
    pub jobs: Vec<(QueueRef, String)>,
    /// The names of the jobs.
    pub names: BTreeSet<String>,
    /// Age of the newest.
    pub newest: Option<Duration>,
    /// Age of the oldest.
    pub oldest: Option<Duration>,
    /// How many failed within the last five minutes.
    pub recent: usize,
}

/// A kind of failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailureKind {
    /// As [`FailureGroup::reason`].
    pub reason: String,
    /// As [`FailureGroup::frame`].
    pub frame: String,
}

impl FailureKind {
    /// Whether a job that failed for `reason` (as it is shown: masked and cut) with the stacks `stacktrace` is of this kind.
    #[must_use]
    pub fn is(&self, reason: &str, stacktrace: &str) -> bool {
        normalised(reason) == self.reason && own_frame(stacktrace) == self.frame
    }
}

impl FailureGroup {
    /// Which kind it is.
    #[must_use]
    pub fn kind(&self) -> FailureKind {
        FailureKind { reason: self.reason.clone(), frame: self.frame.clone() }
    }

    /// What identifies the group.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        format!("{} @ {}", self.reason, self.frame)
    }
}

/// The groups of all `pages`, the largest first. Jobs whose data is gone belong to none.
#[must_use]
pub fn groups(pages: &[&FailedPage]) -> Vec<FailureGroup> {
    let mut found: BTreeMap<(String, String), FailureGroup> = BTreeMap::new();
    for page in pages {
        for job in page.jobs.iter().filter(|job| !job.ghost) {
            let reason = normalised(&job.reason);
            let group = found.entry((reason.clone(), job.frame.clone())).or_insert_with(|| FailureGroup {
                reason,
                frame: job.frame.clone(),
                jobs: Vec::new(),
                names: BTreeSet::new(),
                newest: None,
                oldest: None,
                recent: 0,
            });
            group.jobs.push((page.queue.clone(), job.id.clone()));
            group.names.insert(job.name.clone());
            group.newest = group.newest.into_iter().chain(job.age).min();
            group.oldest = group.oldest.max(job.age);
            group.recent += usize::from(job.age.is_some_and(|age| age <= RECENT));
        }
    }
    let mut list: Vec<FailureGroup> = found.into_values().collect();
    list.sort_by_key(|group| (std::cmp::Reverse(group.jobs.len()), group.newest));
    list
}

/// A reason without what differs from job to job: numbers, ids, what stands in quotes; its first line only.
#[must_use]
pub fn normalised(reason: &str) -> String {
    let line = reason.lines().next().unwrap_or_default();
    let mut out = String::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        if matches!(first, '"' | '\'' | '`') {
            let inside = &rest[1..];
            // An apostrophe inside a word is no quote.
            let quotes = !out.ends_with(char::is_alphanumeric);
            if let Some(end) = inside.find(first).filter(|_| quotes) {
                out.push_str("'…'");
                rest = &inside[end + 1..];
                continue;
            }
        }
        if first.is_ascii_alphanumeric() {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            out.push_str(&word_of(word));
            rest = after;
            continue;
        }
        out.push(first);
        rest = &rest[first.len_utf8()..];
    }
    out.chars().take(REASON_CHARS).collect::<String>().trim().to_owned()
}

/// A word, or what stands for it: an id is hexadecimal with a digit and long, a number begins with a digit.
fn word_of(word: &str) -> String {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let hex = word.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    if digits > 0 && hex && word.len() >= 8 {
        return "<id>".to_owned();
    }
    if digits == 0 {
        return word.to_owned();
    }
    let mut out = String::new();
    for c in word.chars() {
        if !c.is_ascii_digit() {
            out.push(c);
        } else if !out.ends_with('#') {
            out.push('#');
        }
    }
    out
}

/// The topmost place of the application's own code in a job's `stacktrace` (a JSON array, oldest first): "mails.js:38".
#[must_use]
pub fn own_frame(stacktrace: &str) -> String {
    let stacks: Vec<String> = serde_json::from_str(stacktrace).unwrap_or_default();
    let Some(stack) = stacks.last() else { return String::new() };
    let place = |line: &str| {
        let at = line.trim().strip_prefix("at ")?;
        let path = at.rsplit_once('(').map_or(at, |(_, inside)| inside.trim_end_matches(')'));
        let foreign =
            path.contains("node_modules") || path.starts_with("node:") || path.contains("<anonymous>");
        if foreign {
            return None;
        }
        // Without the column: it differs between builds that are the same to people.
        let path = path.rsplit_once(':').map_or(path, |(before, _)| before);
        Some(path.rsplit(['/', '\\']).next().unwrap_or(path).to_owned())
    };
    stack.lines().find_map(place).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::redis::{FailedJob, Masks};

    #[track_caller]
    fn check(reason: &str, expected: &str) {
        assert_eq!(normalised(reason), expected);
    }

    #[test]
    fn what_differs_from_job_to_job_is_taken_out() {
        check("order 4711 not found", "order # not found");
        check("timeout after 3000ms", "timeout after #ms");
        check("user 0f4d2c1a-0001-4b7e-9a31-5c6d7e8f9a0b is locked", "user <id> is locked");
        check("key \"user:77\" isn't there", "key '…' isn't there");
        check("connect ECONNREFUSED 10.0.3.7:5432", "connect ECONNREFUSED #.#.#.#:#");
        check("first line\n  at somewhere", "first line");
        check("Größe ist falsch", "Größe ist falsch");
        check("the cafe is a face", "the cafe is a face");
        check("", "");
    }

    #[test]
    fn the_own_code_is_found() {
        let stack = r#"["Error: old\n at x (/app/old.js:1:1)","Error: no\n    at Socket.x (node:net:12:3)\n    at y (/app/node_modules/pg/a.js:1:2)\n    at send (/app/src/mails.js:38:5)"]"#;
        assert_eq!(own_frame(stack), "mails.js:38");
        assert_eq!(own_frame("[]"), "");
        assert_eq!(own_frame("not json"), "");
    }

    #[test]
    fn groups_over_queues_the_largest_first() {
        let job = |id: &str, reason: &str, age: u64, ghost: bool| FailedJob {
            id: id.into(),
            name: "mail".into(),
            reason: Masks::default().payload(reason.into()),
            age: Some(Duration::from_secs(age)),
            ghost,
            ..FailedJob::default()
        };
        let page = |name: &str, jobs: Vec<FailedJob>| FailedPage {
            queue: QueueRef { prefix: "bull".into(), name: name.into() },
            jobs,
            ..FailedPage::default()
        };
        let first = page("a", vec![job("1", "order 1 lost", 10, false), job("2", "boom", 20, false)]);
        let second = page("b", vec![job("7", "order 9 lost", 900, false), job("8", "boom", 5, true)]);
        let found = groups(&[&first, &second]);
        let shown: Vec<(&str, usize, usize)> =
            found.iter().map(|group| (group.reason.as_str(), group.jobs.len(), group.recent)).collect();
        assert_eq!(shown, [("order # lost", 2, 1), ("boom", 1, 1)]);
        assert_eq!(found[0].newest, Some(Duration::from_secs(10)));
        assert_eq!(found[0].oldest, Some(Duration::from_secs(900)));
    }
}
