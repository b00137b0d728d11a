//! Follows breaches over time: pending until they held long enough, firing, resolved. Findings come out ranked by triage.

use super::finding::{Finding, Onset, Parted, Stage};
use super::notes::{Notes, There};
use super::{Breach, FindingKey, Heard, Note, RuleId, Rulebook, Severity, Triage};
use crate::core::history::Series;
use crate::core::ids::TargetId;
use crate::core::time::Now;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A finding keeps its place this long before a less severe change of rank moves it, so rows do not jump under the finger.
const KEEP_PLACE: Duration = Duration::from_secs(10);
/// How long a finding that is over stays on the list, marked as resolved.
const SHOW_RESOLVED: Duration = Duration::from_secs(60);

/// What another system has been saying for so long stands behind whatever is measured here: it is no news.
const STANDING: Duration = Duration::from_secs(3600);

/// Every alert that is not over for long, by (rule, target, subject).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlertBook {
    alerts: BTreeMap<FindingKey, Finding>,
    notes: Notes,
}

impl AlertBook {
    /// Takes in all breaches of one evaluation at `now`; what is not among them any more is resolved.
    ///
    /// `silent` tells of what nobody can say now whether it is over, because its data is too old or was not read: it stays as it is.
    pub fn observe(
        &mut self,
        breaches: Vec<Breach>,
        rules: &Rulebook,
        triage: impl Fn(RuleId) -> Triage,
        silent: impl Fn(&FindingKey) -> bool,
        now: Now,
    ) {
        let mut seen = BTreeMap::new();
        for breach in breaches {
            seen.insert(breach.key(), breach);
        }
        for (key, finding) in &mut self.alerts {
            if seen.contains_key(key) || matches!(finding.stage, Stage::Resolved(_)) {
                finding.unseen = None;
            } else if silent(key) {
                finding.unseen = Some(finding.seen);
                finding.sample(None, now);
            } else {
                finding.unseen = None;
                // Over since the first look that did not see it, even where that has to last for a while before it is told.
                if finding.clear.is_none() {
                    finding.past.push(now, None);
                }
                let clear = *finding.clear.get_or_insert(now);
                let must = rules.on(key.rule, &[key.target.as_str()]).clear;
                let lasts = finding.stage == Stage::Firing && now.since(clear) < must;
                if !lasts {
                    finding.stage = Stage::Resolved(clear);
                }
            }
        }
        for (key, breach) in seen {
            let rank = (breach.severity, triage(breach.rule));
            let hold = rules.on(breach.rule, &[breach.target.as_str()]).hold;
            let entry = self.alerts.entry(key).or_insert_with(|| Finding {
                since: now.minus(breach.observed_for.unwrap_or_default()),
                onset: Onset::Seen,
                stage: Stage::Pending,
                clear: None,
                parted: None,
                unseen: None,
                heard: None,
                past: Series::default(),
                seen: now,
                sampled: None,
                preceded: false,
                interrupted: false,
                rank,
                ranked_at: now,
                standing: false,
                breach: breach.clone(),
            });
            let resolved = matches!(entry.stage, Stage::Resolved(_));
            if resolved || std::mem::take(&mut entry.interrupted) {
                entry.since = now.minus(breach.observed_for.unwrap_or_default());
                entry.onset = Onset::Seen;
            }
            if resolved {
                (entry.stage, entry.parted) = (Stage::Pending, None);
            }
            if entry.stage == Stage::Pending && entry.lasted(now) >= hold {
                entry.stage = Stage::Firing;
            }
            let worse = rank.0 > entry.rank.0;
            if rank != entry.rank && (worse || now.since(entry.ranked_at) >= KEEP_PLACE) {
                entry.rank = rank;
                entry.ranked_at = now;
            }
            // Of a warning note was taken, not of what it has become.
            if breach.severity > entry.breach.severity {
                self.notes.drop(&breach.key());
            }
            entry.sample(breach.value, now);
            entry.standing = entry.rank.1 == Triage::Told && entry.lasted(now) >= STANDING;
            entry.seen = now;
            entry.clear = None;
            entry.breach = breach;
        }
        self.alerts.retain(|_, finding| match finding.stage {
            Stage::Pending | Stage::Firing => true,
            Stage::Resolved(at) => now.since(at) < SHOW_RESOLVED && finding.rank.0 > Severity::Info,
        });
        self.settle(silent, now);
    }

    /// What was seen at `now` for the first time, and of which nobody knows since when, may be older where its source is `new` to us.
    pub fn doubt(&mut self, new: impl Fn(&FindingKey) -> bool, now: Now) {
        for (key, finding) in &mut self.alerts {
            let unknown = finding.breach.observed_for.is_none() && finding.since == now;
            if unknown && new(key) {
                finding.onset = Onset::OrEarlier;
            }
        }
    }

    /// Targets are watched no more, or asked in another way: what was found of them is over for us, and nobody says that it is over there.
    pub fn part(&mut self, how: impl Fn(&TargetId) -> Option<Parted>, now: Now) {
        self.notes.part(|target| how(target).is_some());
        self.alerts.retain(|key, finding| finding.stage != Stage::Pending || how(&key.target).is_none());
        for (key, finding) in &mut self.alerts {
            let parted = how(&key.target).filter(|_| finding.stage == Stage::Firing);
            if parted.is_some() {
                finding.stage = Stage::Resolved(now);
                finding.parted = parted;
                (finding.clear, finding.unseen, finding.heard) = (None, None, None);
            }
        }
    }

    /// What another finding tells from now on is over as a finding of its own, and goes on there.
    pub fn join(&mut self, joined: &BTreeSet<FindingKey>, now: Now) {
        let mine = self.alerts.iter_mut().filter(|(key, _)| joined.contains(key));
        for (_, finding) in mine.filter(|(_, finding)| finding.stage == Stage::Firing) {
            finding.stage = Stage::Resolved(now);
            finding.parted = Some(Parted::Joined);
            (finding.clear, finding.unseen, finding.heard) = (None, None, None);
        }
    }

    /// Puts the number as it was before a finding began in front of what is known of it, and goes on with it while that recovers.
    /// `level` knows the numbers that are followed also while nothing is wrong.
    pub fn follow<'a>(&mut self, level: impl Fn(&FindingKey) -> Option<&'a Series>, now: Now) {
        for (key, finding) in &mut self.alerts {
            let recovers = finding.clear.is_some() && finding.stage == Stage::Firing;
            let known = if recovers || !finding.preceded { level(key) } else { None };
            if let (Some(known), false) = (known, std::mem::replace(&mut finding.preceded, true)) {
                finding.past.precede(known);
            } else if let (Some(known), true) = (known, recovers) {
                finding.sample(known.last(), now);
            }
        }
    }

    /// What ended its time, or its finding, holds no more.
    fn settle(&mut self, unknown: impl Fn(&FindingKey) -> bool, now: Now) {
        let lasts = |finding: &&Finding| !matches!(finding.stage, Stage::Resolved(_));
        let alerts = &self.alerts;
        let there = |key: &FindingKey| {
            let finding = alerts.get(key).filter(lasts)?;
            let began = finding.breach.observed_for.map(|_| finding.since);
            Some(There { severity: finding.breach.severity, began })
        };
        self.notes.settle(there, unknown, now);
        for (key, finding) in &mut self.alerts {
            let noted = self.notes.get(key).filter(|_| lasts(&&*finding)).cloned();
            finding.heard = noted;
        }
    }

    /// Somebody takes note of a finding that is there; false where it is not, or where too much is noted already.
    pub fn hear(&mut self, key: &FindingKey, heard: Heard) -> bool {
        let room = self.notes.has_room(key);
        let Some(finding) = self.alerts.get_mut(key).filter(|it| room && it.stage == Stage::Firing) else {
            return false;
        };
        finding.heard = Some(heard.clone());
        self.notes.take(key, finding.breach.severity, heard);
        true
    }

    /// It is taken back; false where there was nothing to be taken back.
    pub fn unhear(&mut self, key: &FindingKey) -> bool {
        if let Some(finding) = self.alerts.get_mut(key) {
            finding.heard = None;
        }
        self.notes.drop(key)
    }

    /// What another run noted of a finding, or that it holds no more there.
    pub fn recall(&mut self, key: FindingKey, severity: Severity, heard: Option<Heard>, now: Now) {
        self.notes.recall(key, severity, heard, now);
    }

    /// What became of notes since this was asked last, for runs to come.
    pub fn take_notes(&mut self) -> Vec<Note> {
        self.notes.news()
    }

    /// Whether somebody has taken note of the finding with these names.
    #[must_use]
    pub fn is_heard(&self, rule: &str, target: &str, subject: &str) -> bool {
        let is =
            |key: &FindingKey| key.rule == rule && key.target.as_str() == target && key.subject == subject;
        self.notes.keys().any(is)
    }

    /// Nobody was running for a while, so that nobody knows whether things were so all the time: what is not known by the servers
    /// themselves begins anew when it is seen again.
    pub fn interrupt(&mut self) {
        self.alerts.retain(|_, finding| finding.stage != Stage::Pending);
        for finding in self.alerts.values_mut() {
            finding.interrupted = true;
        }
    }

    /// The finding, however far it has come.
    #[must_use]
    pub fn get(&self, key: &FindingKey) -> Option<&Finding> {
        self.alerts.get(key)
    }

    /// All of them, also those that did not yet hold for long enough.
    pub fn followed(&self) -> impl Iterator<Item = &Finding> {
        self.alerts.values()
    }

    /// What fires, worst first; then what was resolved lately.
    #[must_use]
    pub fn findings(&self) -> Vec<&Finding> {
        let mut list: Vec<&Finding> =
            self.alerts.values().filter(|finding| finding.stage != Stage::Pending).collect();
        list.sort_by(|a, b| {
            let resolved = |finding: &Finding| matches!(finding.stage, Stage::Resolved(_));
            resolved(a)
                .cmp(&resolved(b))
                .then(a.place().cmp(&b.place()))
                .then(a.clear.is_some().cmp(&b.clear.is_some()))
                .then(b.rank.0.cmp(&a.rank.0))
                .then(a.heard.is_some().cmp(&b.heard.is_some()))
                .then(a.rank.1.cmp(&b.rank.1))
                .then(b.breach.hit.count.cmp(&a.breach.hit.count))
                .then(a.since.mono.cmp(&b.since.mono))
        });
        list
    }

    /// What fires now, worst first.
    #[must_use]
    pub fn firing(&self) -> Vec<&Finding> {
        let mut list = self.findings();
        list.retain(|finding| finding.stage == Stage::Firing);
        list
    }
}

#[cfg(test)]
mod tests;
