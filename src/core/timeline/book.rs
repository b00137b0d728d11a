//! The timeline itself: it follows targets, findings and our own actions, and keeps what happened, bounded. Pure.

use super::event::{About, Event, Kind, Mark};
use super::facts::{Change, Facts, QueueSwitch};
use super::incident::{Incident, Key};
use super::numbers::Numbers;
use super::ours::{self, Deed, Ours};
use crate::core::action::{Action, ActionError, Outcome, Verdict, Verification};
use crate::core::alert::{AlertBook, Finding, Parted, RuleId, RuleUnit, Severity};
use crate::core::ids::{EventId, TargetId};
use crate::core::place::{Place, Screen};
use crate::core::row::RowKey;
use crate::core::target::TargetState;
use crate::core::text::{counted, lasting};
use crate::core::time::Now;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// So many events are kept: some hours of an incident that flaps.
const MOST: usize = 2000;
/// So many queues that were switched at once are told one by one.
const ONE_BY_ONE: usize = 5;
/// What came is kept as a cause for so long. Whether what is found began soon enough after it is for the tie to say.
const KEPT: Duration = Duration::from_secs(86_400);
/// A finding that is told within this time of its begin began now.
const NOW: Duration = Duration::from_secs(2);

/// A finding that is there.
#[derive(Clone, Debug, PartialEq)]
struct Open {
    target: TargetId,
    about: About,
    /// What it said when it was at its worst.
    sentence: String,
    hit: u64,
    place: Place,
    /// What will be is no incident.
    forecast: bool,
    /// Its number, if it has one, and of which unit that is.
    numbers: Option<Numbers>,
    unit: RuleUnit,
}

/// What happened, and what is compared to find that out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timeline {
    /// Oldest first.
    events: VecDeque<Arc<Event>>,
    /// Those that nobody has taken yet.
    news: VecDeque<Arc<Event>>,
    last: u64,
    facts: BTreeMap<TargetId, Arc<Facts>>,
    /// Targets of which a reading was judged, and when for the first time.
    judged: BTreeMap<TargetId, Now>,
    open: BTreeMap<Key, Open>,
    ours: Ours,
    incident: Incident,
}

impl Timeline {
    /// What happened, newest first.
    pub fn events(&self) -> impl Iterator<Item = &Event> {
        self.events.iter().rev().map(|event| &**event)
    }

    /// The event with this number.
    #[must_use]
    pub fn event(&self, id: EventId) -> Option<&Event> {
        self.events().find(|event| event.id == id)
    }

    /// What happened in this run since this was asked last.
    pub fn take_news(&mut self) -> Vec<Arc<Event>> {
        std::mem::take(&mut self.news).into()
    }

    /// Takes in what an earlier run has kept, oldest first; it stands before everything of this run.
    pub fn recall(&mut self, kept: Vec<Event>) {
        let room = MOST.saturating_sub(self.events.len());
        for mut event in kept.into_iter().rev().take(room) {
            event.kept = true;
            event.id = self.next();
            self.events.push_front(Arc::new(event));
        }
    }

    fn next(&mut self) -> EventId {
        self.last += 1;
        EventId(self.last)
    }

    /// Somebody else has set a mark, which is in the file already; nothing where it is known.
    pub fn marked(&mut self, mark: &Mark, now: Now) -> Option<Arc<Event>> {
        let event = Event::new(Kind::Marked, None, now.at_wall(mark.at), &mark.words);
        let same = |other: &Event| (other.at.wall, &other.words) == (event.at.wall, &event.words);
        let known = self.events().any(|other| other.kind == Kind::Marked && same(other));
        (!known).then(|| self.take(event))
    }

    fn take(&mut self, mut event: Event) -> Arc<Event> {
        event.id = self.next();
        let event = Arc::new(event);
        self.events.push_back(Arc::clone(&event));
        if self.events.len() > MOST {
            self.events.pop_front();
        }
        event
    }

    fn push(&mut self, event: Event) {
        let event = self.take(event);
        self.news.push_back(event);
        if self.news.len() > MOST {
            self.news.pop_front();
        }
    }

    /// A reading of `target` was taken in.
    pub(in crate::core) fn look(&mut self, target: &TargetState, at: Now) {
        let facts = Arc::make_mut(self.facts.entry(target.id.clone()).or_default());
        let changes = facts.follow(&target.system, at);
        let switched = facts.switched(&target.system);
        for Change { kind, words, place, at: told } in changes {
            let event = Event::new(kind, Some(&target.id), told.unwrap_or(at), &words);
            // An earlier run, or another stacktop, may have told the same.
            if told.is_none() || !self.is_known(&event) {
                self.push(event.leading_to(Some(place)));
            }
        }
        for paused in [true, false] {
            let (ours, others): (Vec<_>, Vec<_>) = switched
                .iter()
                .filter(|switch| switch.paused == paused)
                .partition(|switch| self.ours.did(&target.id, switch, at));
            self.switched(&target.id, &ours, paused, "from here", at);
            self.switched(&target.id, &others, paused, "not by this stacktop", at);
        }
    }

    fn is_known(&self, event: &Event) -> bool {
        let same = |other: &Event| (&other.target, &other.words) == (&event.target, &event.words);
        self.events().any(|other| other.kind == event.kind && same(other))
    }

    fn switched(&mut self, target: &TargetId, queues: &[&QueueSwitch], paused: bool, by: &str, at: Now) {
        let (kind, word) = if paused { (Kind::Paused, "paused") } else { (Kind::Resumed, "resumed") };
        let place = |row| Some(Place { screen: Screen::Queues, row });
        if queues.len() > ONE_BY_ONE {
            let names: Vec<String> =
                queues.iter().take(ONE_BY_ONE).map(|switch| switch.queue.to_string()).collect();
            let words =
                format!("{} were {word}, {by}: {}, …", counted(queues.len(), "queue"), names.join(", "));
            self.push(Event::new(kind, Some(target), at, &words).leading_to(place(None)));
            return;
        }
        for QueueSwitch { queue, .. } in queues {
            let words = format!("queue {queue} was {word}, {by}");
            let row = Some(RowKey::of_queue(target, queue));
            self.push(Event::new(kind, Some(target), at, &words).leading_to(place(row)));
        }
    }

    /// Everything that is known was judged. `answered` are the targets that ever gave a reading: what is there when they are judged for
    /// the first time was there before.
    pub(in crate::core) fn judge<'a>(
        &mut self,
        alerts: &AlertBook,
        answered: impl Iterator<Item = &'a TargetId>,
        unit: impl Fn(RuleId) -> RuleUnit,
        now: Now,
    ) {
        let mut there = BTreeSet::new();
        for finding in alerts.firing() {
            let key = key(finding);
            self.fires(&key, finding, unit(finding.breach.rule), now);
            there.insert(key);
        }
        let over: Vec<Key> = self.open.keys().filter(|key| !there.contains(*key)).cloned().collect();
        for key in over {
            // It ended when it was clear, and not when that had lasted for long enough.
            let end = alerts.findings().into_iter().find(|finding| self::key(finding) == key);
            let parted = end.and_then(|finding| finding.parted);
            self.ends(&key, parted, end.and_then(Finding::ended).unwrap_or(now));
        }
        for target in answered {
            if !self.judged.contains_key(target) {
                self.judged.insert(target.clone(), now);
            }
        }
        if let Some(over) = self.incident.over(now) {
            let event = Event::new(Kind::AllClear, None, over.at, &over.words);
            self.push(Event { lasted: Some(over.lasted), ..event });
        }
    }

    fn fires(&mut self, key: &Key, finding: &Finding, unit: RuleUnit, now: Now) {
        let breach = &finding.breach;
        if let Some(open) = self.open.get_mut(key) {
            open.about.since = finding.since;
            // While it recovers, or nobody can look, there is no new number.
            let value = breach.value.filter(|_| finding.clear.is_none() && finding.unseen.is_none());
            match (value, &mut open.numbers) {
                (Some(value), Some(numbers)) => numbers.take(value, now),
                (Some(value), none) => *none = Some(Numbers::new(value, now)),
                (None, Some(numbers)) => numbers.rest(now),
                (None, None) => {}
            }
            let worst = (breach.severity, breach.hit.count) >= (open.about.severity, open.hit);
            if worst && (open.hit != breach.hit.count || open.sentence != breach.sentence) {
                open.sentence.clone_from(&breach.sentence);
                open.hit = breach.hit.count;
            }
            if breach.severity <= open.about.severity {
                return;
            }
            open.about.severity = breach.severity;
            let event = told(Kind::Worsened, open, now);
            self.incident.worsens(key, breach.severity);
            self.push(event);
            return;
        }
        // A note is nothing that begins or ends.
        if breach.severity == Severity::Info {
            return;
        }
        let first_look = self.judged.get(&breach.target).copied();
        let first = first_look.is_none();
        let open = Open {
            target: breach.target.clone(),
            about: About {
                rule: breach.rule.to_string(),
                subject: breach.subject.clone(),
                severity: breach.severity,
                since: finding.since,
                // It is as old as the first look: no server says how much older.
                at_least: first_look.unwrap_or(now).mono == finding.since.mono,
            },
            sentence: breach.sentence.clone(),
            hit: breach.hit.count,
            place: breach.place.clone(),
            forecast: finding.is_forecast(),
            numbers: breach.value.map(|value| Numbers::new(value, now)),
            unit,
        };
        if !open.forecast {
            self.incident.begins(key, breach.severity, finding.since, first);
        }
        if !first {
            self.push(told(Kind::Began, &open, now));
        }
        self.open.insert(key.clone(), open);
    }

    fn ends(&mut self, key: &Key, parted: Option<Parted>, now: Now) {
        let Some(mut open) = self.open.remove(key) else { return };
        // It ended for us: that it is over there nobody can say.
        if let Some(parted) = parted {
            open.sentence.push_str(&format!(" ({})", parted.words()));
        }
        let mut event = told(Kind::Ended, &open, now);
        if let Some(words) = open.numbers.as_ref().and_then(|numbers| numbers.words(open.unit)) {
            event.words.push_str(&format!("; {words}"));
        }
        self.push(Event { lasted: Some(now.since(open.about.since)), parted, ..event });
        let unknown = parted.is_some_and(Parted::is_unknown);
        self.incident.ends(key, (&open.sentence, unknown), open.about.since, now);
    }

    /// An action was confirmed and is sent.
    pub fn asked(&mut self, action: &Action, now: Now) {
        let named = ours::named(action);
        self.ours.sent(action, now);
        self.incident.acted(&named, now);
        self.act(Kind::Asked, action, &named, now);
    }

    /// What was done from here within the last minutes and others may suffer from.
    pub(in crate::core) fn deeds(&self, now: Now) -> Vec<&Deed> {
        self.ours.deeds(now)
    }

    /// Versions, processes and migrations that came within the last day of this run.
    pub(in crate::core) fn changes(&self, now: Now) -> impl Iterator<Item = &Event> {
        let came = |event: &&Event| {
            matches!(event.kind, Kind::Version | Kind::Restarted | Kind::Migrated) && !event.kept
        };
        self.events().filter(came).filter(move |event| now.since(event.at) < KEPT)
    }

    /// What came of it.
    pub fn done(&mut self, action: &Action, result: &Result<Outcome, ActionError>, now: Now) {
        let summary = match result {
            Ok(outcome) => outcome.summary.clone(),
            Err(error) => error.to_string(),
        };
        let undone = match result {
            Ok(outcome) => outcome.verdict == Verdict::Nothing,
            Err(ActionError::Unknown(_)) => false,
            Err(ActionError::Refused(_) | ActionError::NoAudit(_) | ActionError::NotDone(_)) => true,
        };
        if undone {
            self.ours.withdrawn(action);
        }
        self.came(Kind::Outcome, action, &summary, now);
    }

    /// What a look afterwards found.
    pub fn looked(&mut self, action: &Action, found: &Result<Verification, ActionError>, now: Now) {
        if let Ok(found) = found {
            self.came(Kind::Looked, action, &found.sentence, now);
        }
    }

    /// Somebody has taken note of a finding, or takes that back: how, in words.
    pub fn noted(&mut self, finding: &Finding, how: &str, now: Now) {
        let Finding { breach, .. } = finding;
        let words = format!("{how}: {}", breach.sentence);
        let event = Event::new(Kind::Noted, Some(&breach.target), now, &words);
        self.push(event.leading_to(Some(breach.place.clone())));
    }

    /// What came of what was predicted of an action.
    pub fn checked(&mut self, action: &Action, words: &str, now: Now) {
        self.came(Kind::Looked, action, words, now);
    }

    fn came(&mut self, kind: Kind, action: &Action, sentence: &str, now: Now) {
        let named = ours::named(action);
        self.incident.told(&named, sentence);
        self.act(kind, action, &format!("{named}: {sentence}"), now);
    }

    fn act(&mut self, kind: Kind, action: &Action, words: &str, now: Now) {
        let place = Some(ours::place(action));
        self.push(Event::new(kind, Some(action.target()), now, words).leading_to(place));
    }

    /// Nobody was running for a while: why. What happened meanwhile is seen only as far as it lasts.
    pub(in crate::core) fn unwatched(&mut self, why: &str, now: Now) {
        self.push(Event::new(Kind::Unwatched, None, now, why));
    }

    /// Targets are watched no more, or are asked in another way: who answers under their name next is compared with nothing.
    pub(in crate::core) fn part(&mut self, left: &[TargetId]) {
        for target in left {
            self.facts.remove(target);
            self.judged.remove(target);
        }
    }

    /// Targets have come or gone: which.
    pub(in crate::core) fn listed(&mut self, words: &str, now: Now) {
        self.push(Event::new(Kind::Listed, None, now, words));
    }
}

fn key(finding: &Finding) -> Key {
    let breach = &finding.breach;
    (breach.rule.to_string(), breach.target.to_string(), breach.subject.clone())
}

/// An event about a finding.
fn told(kind: Kind, open: &Open, now: Now) -> Event {
    let age = now.since(open.about.since);
    let words = if kind == Kind::Began && age >= NOW {
        let least = if open.about.at_least { ", or longer" } else { "" };
        format!("{} (for {} by then{least})", open.sentence, lasting(age))
    } else {
        open.sentence.clone()
    };
    let event = Event::new(kind, Some(&open.target), now, &words).leading_to(Some(open.place.clone()));
    Event { about: Some(open.about.clone()), ..event }
}

#[cfg(test)]
mod tests;
