//! What changed between two looks, and how that is told: a line each, for people or for programs.

use super::report::{Told, finding, sentence};
use super::watching::Seen;
use super::words::{State, severity, stamp};
use crate::core::alert::{Finding, FindingKey, Parted, Severity};
use crate::core::ids::TargetId;
use crate::core::source_rules::SILENT;
use crate::core::spoken;
use crate::core::text::{counted, duration};
use crate::core::time::Now;
use crate::core::verdict::{Overall, Verdict};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A form of the lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Text,
    /// An object a line.
    Json,
}

/// What line 2 is about; its ages change each second, this does not.
#[derive(Clone, Debug, PartialEq)]
struct Line2 {
    overall: Overall,
    lead: Option<FindingKey>,
    cause: Option<FindingKey>,
}

/// A finding as it was told last.
#[derive(Clone, Debug, PartialEq)]
struct Fired {
    severity: Severity,
    since: Now,
    told: Told,
}

/// What was known at the look before.
#[derive(Clone, Debug, Default)]
pub struct Looked {
    line: Option<Line2>,
    firing: BTreeMap<FindingKey, Fired>,
    /// Targets that are lost, and since when they gave no data.
    lost: BTreeMap<TargetId, Now>,
    /// Who was watched.
    watched: Option<BTreeSet<TargetId>>,
}

/// What changed.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Line 2 is about something else.
    Verdict(State, String),
    /// A finding fires.
    Began(Box<Told>),
    /// It is worse or better than it was.
    Severity(Severity, Box<Told>),
    /// It is over; as it was told last, how long it lasted, and why nobody follows it any more, where it is over for that reason alone.
    Ended(Box<Told>, std::time::Duration, Option<Parted>),
    /// A target gives no data any more, and why.
    Lost(TargetId, String),
    /// It does again, and how long it did not.
    Back(TargetId, std::time::Duration),
    /// A list names these now.
    Joined(Vec<TargetId>),
    /// No list names these any more.
    Left(Vec<TargetId>),
}

impl Looked {
    /// Takes in a look: what changed since the one before, the worst and what explains it first. Until every target has answered once or
    /// failed, line 2 is not told: it would say that it waits.
    pub fn look(&mut self, seen: Seen<'_>) -> Vec<Change> {
        let mut changes = self.roster(seen);
        changes.extend(self.targets(seen));
        changes.extend(self.findings(seen));
        let verdict = Verdict::over(seen.world, seen.now);
        let line = Line2 {
            overall: verdict.overall,
            lead: verdict.lead.map(Finding::key),
            cause: verdict.cause.map(|cause| cause.root.key()),
        };
        if line.overall != Overall::Waiting && self.line.as_ref() != Some(&line) {
            changes.push(Change::Verdict(State::of(line.overall), sentence(seen)));
            self.line = Some(line);
        }
        changes
    }

    /// Who has come and gone.
    fn roster(&mut self, seen: Seen<'_>) -> Vec<Change> {
        let now: BTreeSet<TargetId> = seen.world.targets().iter().map(|target| target.id.clone()).collect();
        let before = self.watched.get_or_insert_with(|| now.clone());
        let joined: Vec<TargetId> = now.difference(before).cloned().collect();
        let left: Vec<TargetId> = before.difference(&now).cloned().collect();
        // One that comes again is no other that is back.
        self.lost.retain(|target, _| now.contains(target));
        *before = now;
        let some = |targets: Vec<TargetId>, change: fn(Vec<TargetId>) -> Change| {
            (!targets.is_empty()).then(|| change(targets))
        };
        [some(left, Change::Left), some(joined, Change::Joined)].into_iter().flatten().collect()
    }

    fn targets(&mut self, seen: Seen<'_>) -> Vec<Change> {
        let mut changes = Vec::new();
        for target in seen.world.targets() {
            let lost = target.freshness(seen.now).is_lost();
            let silent = target.seen.unwrap_or(target.started);
            if lost && !self.lost.contains_key(&target.id) {
                changes.push(Change::Lost(target.id.clone(), target.silence(seen.now)));
                self.lost.insert(target.id.clone(), silent);
            } else if !lost
                && target.failure.is_none()
                && let Some(since) = self.lost.remove(&target.id)
            {
                changes.push(Change::Back(target.id.clone(), seen.now.since(since)));
            }
        }
        changes
    }

    fn findings(&mut self, seen: Seen<'_>) -> Vec<Change> {
        let mut before = std::mem::take(&mut self.firing);
        let mut changes = Vec::new();
        let firing = seen.world.alerts.firing();
        for branch in seen.world.chain.branches(&firing) {
            let (key, severity) = (branch.finding.key(), branch.finding.severity());
            // Targets have lines of their own.
            if key.rule == SILENT.id {
                continue;
            }
            let told = || finding(seen, branch.finding, branch.link, branch.depth);
            let fired = match before.remove(&key) {
                None => {
                    let told = told();
                    changes.push(Change::Began(Box::new(told.clone())));
                    Fired { severity, since: branch.finding.since, told }
                }
                Some(known) if known.severity != severity => {
                    let told = told();
                    changes.push(Change::Severity(known.severity, Box::new(told.clone())));
                    Fired { severity, told, ..known }
                }
                Some(known) => known,
            };
            self.firing.insert(key, fired);
        }
        let ended = before.into_iter().map(|(key, fired)| {
            let over = seen.world.alerts.get(&key);
            let ended = over.and_then(Finding::ended).unwrap_or(seen.now);
            Change::Ended(Box::new(fired.told), ended.since(fired.since), over.and_then(|it| it.parted))
        });
        // What is over makes room for what is not.
        ended.chain(changes).collect()
    }
}

impl Change {
    /// One line, ready to be printed.
    #[must_use]
    pub fn line(&self, form: Form, seen: Seen<'_>) -> String {
        match form {
            Form::Text => {
                let at = seen.now.wall.with_timezone(&seen.zone).format("%Y-%m-%d %H:%M:%S %:z");
                spoken::lines(&format!("{at}  {}", self.words()))
            }
            Form::Json => {
                let mut value = json!({ "at": stamp(seen.now, seen), "event": self.event() });
                if let (Some(all), Value::Object(fields)) = (value.as_object_mut(), self.data()) {
                    all.extend(fields);
                }
                spoken::in_one_line(&value)
            }
        }
    }

    const fn event(&self) -> &'static str {
        match self {
            Self::Verdict(..) => "verdict",
            Self::Began(_) => "finding_began",
            Self::Severity(..) => "finding_changed",
            Self::Ended(..) => "finding_ended",
            Self::Lost(..) => "target_lost",
            Self::Back(..) => "target_back",
            Self::Joined(_) => "targets_joined",
            Self::Left(_) => "targets_left",
        }
    }

    fn words(&self) -> String {
        let about = |told: &Told| {
            let tie = told
                .tie
                .filter(|_| told.depth > 0)
                .map_or(String::new(), |tie| format!(" ({tie}, below another)"));
            format!("{} [{} on {}]{tie}", told.sentence, told.rule, told.target)
        };
        match self {
            Self::Verdict(_, words) => words.clone(),
            Self::Began(told) => format!("began    {} {}", told.word, about(told)),
            Self::Severity(from, told) => {
                format!("changed  {} to {} {}", from.word(), told.word, about(told))
            }
            Self::Ended(told, lasted, parted) => {
                let parted = parted.map_or_else(String::new, |parted| format!(" ({})", parted.words()));
                format!("ended    after {}: {}{parted}", duration(*lasted), about(told))
            }
            Self::Lost(target, why) => format!("lost     {target}: {why}"),
            Self::Back(target, lasted) => {
                format!("back     {target}: it answers again, after {}", duration(*lasted))
            }
            Self::Joined(targets) => format!("joined   {}", named(targets)),
            Self::Left(targets) => format!("left     {}", named(targets)),
        }
    }

    fn data(&self) -> Value {
        match self {
            Self::Verdict(state, words) => json!({ "state": state.word(), "verdict": words }),
            Self::Began(told) => json!({ "finding": told }),
            Self::Severity(from, told) => json!({ "finding": told, "was": severity(*from) }),
            Self::Ended(told, lasted, parted) => json!({
                "finding": told,
                "lasted_seconds": lasted.as_secs_f64(),
                "parted": parted.map(Parted::words),
            }),
            Self::Lost(target, why) => json!({ "target": target.as_str(), "silence": why }),
            Self::Back(target, lasted) => {
                json!({ "target": target.as_str(), "silent_seconds": lasted.as_secs_f64() })
            }
            Self::Joined(targets) | Self::Left(targets) => {
                let names: Vec<&str> = targets.iter().map(TargetId::as_str).collect();
                json!({ "targets": names })
            }
        }
    }
}

/// "2 targets: a, b": each of them, for a log is searched for a name.
fn named(targets: &[TargetId]) -> String {
    let names: Vec<&str> = targets.iter().map(TargetId::as_str).collect();
    format!("{}: {}", counted(names.len(), "target"), names.join(", "))
}

/// The first line of a run: what is watched.
#[must_use]
pub fn beginning(form: Form, seen: Seen<'_>) -> String {
    let names: Vec<&str> = seen.world.targets().iter().map(|target| target.id.as_str()).collect();
    match form {
        Form::Text => {
            let at = seen.now.wall.with_timezone(&seen.zone).format("%Y-%m-%d %H:%M:%S %:z");
            let names = if names.is_empty() { "nothing yet".to_owned() } else { names.join(", ") };
            spoken::lines(&format!("{at}  watching {names}"))
        }
        Form::Json => spoken::in_one_line(
            &json!({ "at": stamp(seen.now, seen), "event": "watching", "targets": names }),
        ),
    }
}
