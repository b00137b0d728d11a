//! An incident: findings that were there at the same time, from the first to the end of the last, and what was done from here meanwhile.
//! What came after what is told, never why, but for what a look after an action found itself. Pure.

use crate::core::alert::{Parted, Severity};
use crate::core::text::lasting;
use crate::core::time::Now;
use std::time::Duration;

/// An incident is over when nothing of it was there for so long: what begins again earlier belongs to it.
const QUIET: Duration = Duration::from_secs(15);
/// More findings, and more actions, are not followed as one incident.
const MOST: usize = 200;
/// So many findings, and so many actions, are named.
const NAMED: usize = 2;

/// The finding: rule, target, subject.
pub(super) type Key = (String, String, String);

/// A finding of the incident.
#[derive(Clone, Debug, PartialEq)]
struct Member {
    key: Key,
    severity: Severity,
    sentence: String,
    since: Now,
    ended: Option<Now>,
    /// It is over only because nobody follows it any more.
    parted: bool,
    /// It was there at the first look: it may be there for ever, and nothing waits for its end.
    background: bool,
}

/// What was done from here.
#[derive(Clone, Debug, PartialEq)]
struct Act {
    at: Now,
    named: String,
    came_of_it: String,
}

/// What an incident was, once it is over.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Over {
    /// When the last of it ended.
    pub(super) at: Now,
    /// From the first to that.
    pub(super) lasted: Duration,
    /// One sentence without its time.
    pub(super) words: String,
}

/// Findings that were there at the same time.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Incident {
    members: Vec<Member>,
    acts: Vec<Act>,
}

impl Incident {
    /// A finding is there, at first sight or anew.
    pub(super) fn begins(&mut self, key: &Key, severity: Severity, since: Now, at_first_sight: bool) {
        if let Some(member) = self.members.iter_mut().find(|member| member.key == *key) {
            (member.ended, member.parted, member.background) = (None, false, false);
            member.severity = member.severity.max(severity);
        } else if self.members.len() < MOST {
            self.members.push(Member {
                key: key.clone(),
                severity,
                sentence: String::new(),
                since,
                ended: None,
                parted: false,
                background: at_first_sight,
            });
        }
    }

    /// It has become worse.
    pub(super) fn worsens(&mut self, key: &Key, severity: Severity) {
        if let Some(member) = self.members.iter_mut().find(|member| member.key == *key) {
            (member.severity, member.background) = (severity, false);
        }
    }

    /// It is over: what it was, and whether it is so only because nobody follows it any more.
    pub(super) fn ends(&mut self, key: &Key, (sentence, parted): (&str, bool), since: Now, now: Now) {
        if let Some(member) = self.members.iter_mut().find(|member| member.key == *key) {
            (member.sentence, member.ended, member.parted) = (sentence.to_owned(), Some(now), parted);
            if !since.reached(member.since) {
                member.since = since;
            }
        }
    }

    /// An action was sent from here.
    pub(super) fn acted(&mut self, named: &str, at: Now) {
        if self.open().next().is_some() && self.acts.len() < MOST {
            self.acts.push(Act { at, named: named.to_owned(), came_of_it: String::new() });
        }
    }

    /// What came of it, or what a look afterwards found.
    pub(super) fn told(&mut self, named: &str, came_of_it: &str) {
        if let Some(act) = self.acts.iter_mut().rev().find(|act| act.named == named) {
            came_of_it.clone_into(&mut act.came_of_it);
        }
    }

    fn open(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|member| member.ended.is_none())
    }

    /// What it was, if it is over at `now`; then another one may begin.
    pub(super) fn over(&mut self, now: Now) -> Option<Over> {
        if self.open().any(|member| !member.background) {
            return None;
        }
        let last = self.members.iter().filter_map(|member| member.ended).max_by_key(|at| at.mono)?;
        if now.since(last) < QUIET {
            return None;
        }
        let left = self.open().count();
        // That one of the warnings of before ended ends no incident.
        let mut ended = self.members.iter().filter(|member| member.ended.is_some());
        let matters = ended.any(|member| !member.background || member.severity == Severity::Critical);
        let over = (left == 0 || matters).then(|| self.sum_up(last, left));
        self.members.retain(|member| member.ended.is_none());
        self.acts.clear();
        over
    }

    fn sum_up(&self, last: Now, left: usize) -> Over {
        let mut ended: Vec<(&Member, Duration)> = self
            .members
            .iter()
            .filter_map(|member| Some((member, member.ended?.since(member.since))))
            .collect();
        let first = ended.iter().map(|(member, _)| member.since).min_by_key(|since| since.mono);
        let lasted = first.map_or(Duration::ZERO, |first| last.since(first));
        ended.sort_by_key(|(member, lasted)| std::cmp::Reverse((member.severity, *lasted)));
        let named: Vec<String> = ended
            .iter()
            .take(NAMED)
            .map(|(member, lasted)| format!("{} ({})", member.sentence, lasting(*lasted)))
            .collect();
        let mut words = format!("after {}: {}", lasting(lasted), named.join("; "));
        if ended.len() > NAMED {
            words.push_str(&format!("; {} more ended", ended.len() - NAMED));
        }
        for (index, act) in self.acts.iter().take(NAMED).enumerate() {
            let begins = if index == 0 { "; from here: " } else { ", " };
            let when =
                first.map_or_else(String::new, |first| format!(" after {}", lasting(act.at.since(first))));
            words.push_str(&format!("{begins}{}{when}", act.named));
            if !act.came_of_it.is_empty() {
                words.push_str(&format!(" ({})", act.came_of_it));
            }
        }
        if self.acts.len() > NAMED {
            words.push_str(&format!(" and {} more", self.acts.len() - NAMED));
        }
        if left > 0 {
            words.push_str(&format!("; {left} that were there before go on"));
        }
        let begin = match left {
            0 if ended.iter().any(|(member, _)| member.parted) => Parted::Unwatched.words(),
            0 => "all clear",
            _ => "over",
        };
        Over { at: last, lasted, words: format!("{begin} {words}") }
    }
}
