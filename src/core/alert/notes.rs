//! The notes that were taken of findings, also those of earlier runs and of stacktops beside this one: a note of theirs waits until its
//! finding is there, and is forgotten when it is not. What becomes of our own is told to whoever keeps them.

use super::{FindingKey, Heard, Note, Severity, Until};
use crate::core::ids::TargetId;
use crate::core::time::Now;
use std::collections::BTreeMap;
use std::time::Duration;

/// Of so many findings somebody can have taken note at once.
const MOST: usize = 500;
/// A note of an earlier run waits so long for its finding: what is looked at seldom was looked at by then.
const PATIENCE: Duration = Duration::from_secs(180);
/// Clocks of servers differ by no more than this.
const SKEW: Duration = Duration::from_secs(60);

/// What is to be known of a finding that is there.
pub(super) struct There {
    pub(super) severity: Severity,
    /// When it began, where the server says so.
    pub(super) began: Option<Now>,
}

/// A note of another run, and since when it waits for its finding.
#[derive(Clone, Debug, PartialEq)]
struct Waiting {
    severity: Severity,
    heard: Heard,
    since: Now,
}

/// All of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Notes {
    /// Also of what comes again before the time of its note is over.
    heard: BTreeMap<FindingKey, (Severity, Heard)>,
    waiting: BTreeMap<FindingKey, Waiting>,
    news: Vec<Note>,
}

impl Notes {
    pub(super) fn has_room(&self, key: &FindingKey) -> bool {
        self.heard.len() < MOST || self.heard.contains_key(key)
    }

    /// Somebody takes note here.
    pub(super) fn take(&mut self, key: &FindingKey, severity: Severity, heard: Heard) {
        self.waiting.remove(key);
        self.news.push(Note::of(key, severity, Some(heard.clone())));
        self.heard.insert(key.clone(), (severity, heard));
    }

    /// It holds no more; false where there was none.
    pub(super) fn drop(&mut self, key: &FindingKey) -> bool {
        self.waiting.remove(key);
        let Some((severity, _)) = self.heard.remove(key) else { return false };
        self.news.push(Note::of(key, severity, None));
        true
    }

    /// What another run noted, or that it holds no more.
    pub(super) fn recall(&mut self, key: FindingKey, severity: Severity, heard: Option<Heard>, now: Now) {
        let Some(heard) = heard else {
            self.heard.remove(&key);
            self.waiting.remove(&key);
            return;
        };
        let same = |(_, known): &(Severity, Heard)| known.at.wall == heard.at.wall && known.who == heard.who;
        let newer = |(_, known): &(Severity, Heard)| known.at.wall > heard.at.wall;
        if self.heard.get(&key).is_some_and(|known| same(known) || newer(known)) {
            return;
        }
        if self.waiting.len() < MOST || self.waiting.contains_key(&key) {
            self.waiting.insert(key, Waiting { severity, heard, since: now });
        }
    }

    /// Of these targets nobody follows anything any more as it was: what was noted of them is about nothing that comes. Nothing of it is
    /// told: for others, who watch them still, their notes hold.
    pub(super) fn part(&mut self, gone: impl Fn(&TargetId) -> bool) {
        self.heard.retain(|key, _| !gone(&key.target));
        self.waiting.retain(|key, _| !gone(&key.target));
    }

    pub(super) fn get(&self, key: &FindingKey) -> Option<&Heard> {
        self.heard.get(key).map(|(_, heard)| heard)
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &FindingKey> {
        self.heard.keys()
    }

    pub(super) fn news(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.news)
    }

    /// Looks at what is there now: a note ends with its time, or its finding; one of another run finds its finding, or is forgotten once
    /// it could have. `unknown` is what nobody can say now whether it is there.
    pub(super) fn settle(
        &mut self,
        there: impl Fn(&FindingKey) -> Option<There>,
        unknown: impl Fn(&FindingKey) -> bool,
        now: Now,
    ) {
        let news = &mut self.news;
        self.heard.retain(|key, (severity, heard)| {
            let timed = matches!(heard.until, Until::Then(_));
            let over = !timed && there(key).is_none();
            if over {
                news.push(Note::of(key, *severity, None));
            }
            heard.holds(now) && !over
        });
        let heard = &mut self.heard;
        self.waiting.retain(|key, waiting| {
            let timed = matches!(waiting.heard.until, Until::Then(_));
            if !waiting.heard.holds(now) {
                return false;
            }
            let Some(there) = there(key) else {
                return timed || unknown(key) || now.since(waiting.since) < PATIENCE;
            };
            // Of a warning note was taken, not of what it has become; and of that one, not of the next.
            let another = there.began.is_some_and(|began| began.mono > waiting.heard.at.plus(SKEW).mono);
            if there.severity <= waiting.severity && (timed || !another) {
                heard.insert(key.clone(), (waiting.severity, waiting.heard.clone()));
            }
            false
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::alert::{Breach, Grade, RuleSpec, RuleUnit, Triage};
    use crate::core::place::Screen;

    const SPEC: RuleSpec = RuleSpec::new("test.rule", "", RuleUnit::Count, Triage::Errors);

    fn key() -> FindingKey {
        let grade = Grade { severity: Severity::Warning, value: None, threshold: None };
        Breach::new(&SPEC, &TargetId::new("pg"), Screen::Overview, grade, ("a", "a".to_owned())).key()
    }

    fn heard(until: Until) -> Heard {
        Heard { who: "ana".to_owned(), note: String::new(), at: Now::example(1000), until }
    }

    /// Nothing, or this severity and since when by the server.
    type Seen = Option<(Severity, Option<u64>)>;

    /// A warning was noted at 1000 by a run that ended; the next one begins at 2000. Whether the note holds after what it saw at these
    /// seconds.
    #[track_caller]
    fn check(until: Until, seen: &[(u64, Seen)], holds: bool) {
        let mut notes = Notes::default();
        notes.recall(key(), Severity::Warning, Some(heard(until)), Now::example(2000));
        for (second, seen) in seen {
            let there = |_: &FindingKey| {
                seen.map(|(severity, began)| There { severity, began: began.map(Now::example) })
            };
            notes.settle(there, |_| false, Now::example(*second));
        }
        assert_eq!(notes.get(&key()).is_some(), holds, "{until:?} {seen:?}");
        assert_eq!(notes.news(), [], "it is in the file already");
    }

    #[test]
    fn a_note_of_an_earlier_run_finds_its_finding_and_no_other() {
        let (warns, critical) = (Some((Severity::Warning, None)), Some((Severity::Critical, None)));
        let later = Until::Then(Now::example(3000));
        for until in [Until::Over, Until::Clear, later] {
            check(until, &[(2001, warns)], true);
            check(until, &[(2001, None), (2100, warns)], true);
            check(until, &[(2001, critical)], false);
            check(until, &[(2001, Some((Severity::Warning, Some(900))))], true);
        }
        for until in [Until::Over, Until::Clear] {
            check(until, &[(2001, None), (2200, None), (2201, warns)], false);
            // The server says that this one began later.
            check(until, &[(2001, Some((Severity::Warning, Some(1500))))], false);
        }
        check(later, &[(2001, None), (2500, None), (2501, warns)], true);
        check(later, &[(3000, warns)], false);
    }

    #[test]
    fn while_nobody_can_look_a_note_waits() {
        let mut notes = Notes::default();
        notes.recall(key(), Severity::Warning, Some(heard(Until::Over)), Now::example(2000));
        notes.settle(|_| None, |_| true, Now::example(9000));
        let warns = |_: &FindingKey| Some(There { severity: Severity::Warning, began: None });
        notes.settle(warns, |_| false, Now::example(9001));
        assert!(notes.get(&key()).is_some());
    }

    #[test]
    fn what_was_noted_of_a_target_that_has_gone_holds_for_no_other_and_stays_in_the_file() {
        let warns = |_: &FindingKey| Some(There { severity: Severity::Warning, began: None });
        let later = Until::Then(Now::example(9000));
        for (gone, holds) in [("pg", false), ("another", true)] {
            let (mut ours, mut theirs) = (Notes::default(), Notes::default());
            ours.take(&key(), Severity::Warning, heard(later));
            assert_eq!(ours.news().len(), 1);
            theirs.recall(key(), Severity::Warning, Some(heard(later)), Now::example(2000));
            for notes in [&mut ours, &mut theirs] {
                notes.part(|target| target.as_str() == gone);
                notes.settle(warns, |_| false, Now::example(2001));
                assert_eq!(notes.get(&key()).is_some(), holds, "{gone}");
                assert_eq!(notes.news(), [], "{gone}");
            }
        }
    }

    #[test]
    fn what_becomes_of_our_own_is_told_and_of_two_the_newer_holds() {
        let warns = |_: &FindingKey| Some(There { severity: Severity::Warning, began: None });
        let mut notes = Notes::default();
        notes.take(&key(), Severity::Warning, heard(Until::Over));
        let bob = Heard { who: "bob".to_owned(), at: Now::example(1100), ..heard(Until::Clear) };
        let older = Heard { who: "eve".to_owned(), at: Now::example(900), ..heard(Until::Clear) };
        for other in [bob, older] {
            notes.recall(key(), Severity::Warning, Some(other), Now::example(1101));
            notes.settle(warns, |_| false, Now::example(1102));
        }
        assert_eq!(notes.get(&key()).map(|heard| heard.who.as_str()), Some("bob"));
        notes.settle(|_| None, |_| false, Now::example(1103));
        let told: Vec<bool> = notes.news().iter().map(|note| note.heard.is_some()).collect();
        assert_eq!(told, [true, false]);
        // Another one takes it back.
        notes.take(&key(), Severity::Warning, heard(Until::Over));
        notes.recall(key(), Severity::Warning, None, Now::example(1200));
        assert!(notes.get(&key()).is_none() && !notes.drop(&key()));
    }
}
