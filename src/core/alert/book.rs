//! Follows breaches over time: pending until they held long enough, firing, resolved. Findings come out ranked by triage.

use super::{Breach, RuleId, Rulebook, Severity, Triage};
use crate::core::alert::FindingKey;
use crate::core::text::lasting;
use crate::core::time::Now;
use std::collections::BTreeMap;
use std::time::Duration;

/// A finding keeps its place this long before a less severe change of rank moves it, so rows do not jump under the finger.
const KEEP_PLACE: Duration = Duration::from_secs(10);
/// How long a finding that is over stays on the list, marked as resolved.
const SHOW_RESOLVED: Duration = Duration::from_secs(60);

/// What another system has been saying for so long stands behind whatever is measured here: it is no news.
const STANDING: Duration = Duration::from_secs(3600);

/// How far an alert has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Seen, but not yet for as long as the rule asks.
    Pending,
    /// It holds.
    Firing,
    /// It held, and is over since then.
    Resolved(Now),
}

/// One alert as it is followed: the newest breach, and since when.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// What the newest evaluation saw.
    pub breach: Breach,
    /// When it began (what the server knows, or our first sight of it).
    pub since: Now,
    /// How far it has come.
    pub stage: Stage,
    /// When it was last seen, if since then nobody could look whether it still is so.
    pub unseen: Option<Now>,
    seen: Now,
    /// Nobody was running for a while: when it is seen again, it begins then.
    interrupted: bool,
    rank: (Severity, Triage),
    ranked_at: Now,
    standing: bool,
}

impl Finding {
    /// Which it is.
    #[must_use]
    pub fn key(&self) -> FindingKey {
        self.breach.key()
    }

    /// How long it has been so, by the clock that nobody sets.
    #[must_use]
    pub const fn lasted(&self, now: Now) -> Duration {
        now.since(self.since)
    }

    /// It tells what will be, not what is.
    #[must_use]
    pub fn is_forecast(&self) -> bool {
        self.rank.1 == Triage::Forecast
    }

    /// Another system has been saying it for so long that it is no news.
    #[must_use]
    pub const fn is_standing(&self) -> bool {
        self.standing
    }

    /// What is measured here stands before what another system has been saying for long, and both before notes.
    fn place(&self) -> u8 {
        match (self.rank.0, self.standing) {
            (Severity::Warning | Severity::Critical, false) => 0,
            (Severity::Warning | Severity::Critical, true) => 1,
            (Severity::Info, _) => 2,
        }
    }

    /// Its sentence, with its age where that is the newest that is known.
    #[must_use]
    pub fn sentence(&self, now: Now) -> String {
        match self.unseen {
            Some(seen) => format!("{} (as of {} ago)", self.breach.sentence, lasting(now.since(seen))),
            None => self.breach.sentence.clone(),
        }
    }
}

/// Every alert that is not over for long, by (rule, target, subject).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlertBook {
    alerts: BTreeMap<FindingKey, Finding>,
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
        silent: impl Fn(&Breach) -> bool,
        now: Now,
    ) {
        let mut seen = BTreeMap::new();
        for breach in breaches {
            seen.insert(breach.key(), breach);
        }
        for (key, finding) in &mut self.alerts {
            if seen.contains_key(key) || matches!(finding.stage, Stage::Resolved(_)) {
                finding.unseen = None;
            } else if silent(&finding.breach) {
                finding.unseen = Some(finding.seen);
            } else {
                finding.unseen = None;
                finding.stage = Stage::Resolved(now);
            }
        }
        for (key, breach) in seen {
            let rank = (breach.severity, triage(breach.rule));
            let hold = rules.get(breach.rule).hold;
            let entry = self.alerts.entry(key).or_insert_with(|| Finding {
                since: now.minus(breach.observed_for.unwrap_or_default()),
                stage: Stage::Pending,
                unseen: None,
                seen: now,
                interrupted: false,
                rank,
                ranked_at: now,
                standing: false,
                breach: breach.clone(),
            });
            let resolved = matches!(entry.stage, Stage::Resolved(_));
            if resolved || std::mem::take(&mut entry.interrupted) {
                entry.since = now.minus(breach.observed_for.unwrap_or_default());
            }
            if resolved {
                entry.stage = Stage::Pending;
            }
            if entry.stage == Stage::Pending && entry.lasted(now) >= hold {
                entry.stage = Stage::Firing;
            }
            let worse = rank.0 > entry.rank.0;
            if rank != entry.rank && (worse || now.since(entry.ranked_at) >= KEEP_PLACE) {
                entry.rank = rank;
                entry.ranked_at = now;
            }
            entry.standing = entry.rank.1 == Triage::Told && entry.lasted(now) >= STANDING;
            entry.seen = now;
            entry.breach = breach;
        }
        self.alerts.retain(|_, finding| match finding.stage {
            Stage::Pending | Stage::Firing => true,
            Stage::Resolved(at) => now.since(at) < SHOW_RESOLVED && finding.rank.0 > Severity::Info,
        });
    }

    /// Nobody was running for a while, so that nobody knows whether things were so all the time: what is not known by the servers
    /// themselves begins anew when it is seen again.
    pub fn interrupt(&mut self) {
        self.alerts.retain(|_, finding| finding.stage != Stage::Pending);
        for finding in self.alerts.values_mut() {
            finding.interrupted = true;
        }
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
                .then(b.rank.0.cmp(&a.rank.0))
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
mod tests {
    use super::*;
    use crate::core::alert::{Grade, RuleSpec, RuleUnit};
    use crate::core::ids::TargetId;
    use crate::core::place::Screen;

    const SPEC: RuleSpec =
        RuleSpec::new("test.rule", "", RuleUnit::Count, Triage::Saturation).warning(1.0).hold(10);

    fn breach(subject: &str, severity: Severity, observed: Option<u64>) -> Breach {
        let grade = Grade { severity, value: None, threshold: None };
        let about = (subject, subject.to_owned());
        let mut breach = Breach::new(&SPEC, &TargetId::new("pg"), Screen::Overview, grade, about);
        breach.since(observed.map(Duration::from_secs)).hits(1_u64, "session");
        breach
    }

    fn observe(book: &mut AlertBook, breaches: Vec<Breach>, silent: bool, at: u64) {
        let rules = Rulebook::defaults(&[&SPEC]);
        book.observe(breaches, &rules, |_| Triage::Saturation, |_| silent, Now::example(at));
    }

    #[test]
    fn pending_then_firing_then_resolved_then_gone() {
        let mut book = AlertBook::default();
        observe(&mut book, vec![breach("a", Severity::Warning, None)], false, 100);
        assert!(book.firing().is_empty());
        observe(&mut book, vec![breach("a", Severity::Warning, None)], false, 110);
        assert_eq!(book.firing().len(), 1);
        observe(&mut book, vec![], false, 111);
        assert!(book.firing().is_empty());
        assert_eq!(book.findings().len(), 1);
        observe(&mut book, vec![], false, 200);
        assert!(book.findings().is_empty());
    }

    #[test]
    fn what_the_server_knows_counts_towards_the_hold() {
        let mut book = AlertBook::default();
        observe(&mut book, vec![breach("a", Severity::Warning, Some(60))], false, 100);
        let firing = book.firing();
        assert_eq!(firing.len(), 1);
        assert_eq!(firing[0].since, Now::example(40));
    }

    #[test]
    fn a_silent_target_resolves_nothing() {
        let mut book = AlertBook::default();
        observe(&mut book, vec![breach("a", Severity::Warning, Some(60))], false, 100);
        observe(&mut book, vec![], true, 101);
        observe(&mut book, vec![], true, 105);
        assert_eq!(book.firing()[0].sentence(Now::example(105)), "a (as of 5 s ago)");
        observe(&mut book, vec![breach("a", Severity::Warning, Some(60))], false, 106);
        assert_eq!(book.firing()[0].sentence(Now::example(106)), "a");
        observe(&mut book, vec![], true, 107);
        observe(&mut book, vec![], false, 108);
        assert!(book.firing().is_empty());
        assert_eq!(book.findings()[0].sentence(Now::example(108)), "a");
    }

    /// `seconds` later by the clock that nobody sets, with the clock on the wall so many seconds off.
    fn observe_at(book: &mut AlertBook, observed: Option<u64>, mono: u64, wall_off: i64) -> Now {
        let now = Now::example(mono);
        let now = Now { wall: now.wall + chrono::Duration::seconds(wall_off), ..now };
        let rules = Rulebook::defaults(&[&SPEC]);
        let breaches = vec![breach("a", Severity::Warning, observed)];
        book.observe(breaches, &rules, |_| Triage::Saturation, |_| false, now);
        now
    }

    #[test]
    fn a_wall_clock_that_is_set_suppresses_nothing_and_ages_nothing() {
        for off in [-3600, 0, 3600, 10 * 365 * 86_400] {
            let mut book = AlertBook::default();
            observe_at(&mut book, None, 100, 0);
            observe_at(&mut book, None, 109, off);
            assert!(book.firing().is_empty(), "{off}: nine seconds are no ten");
            let now = observe_at(&mut book, None, 110, off);
            assert_eq!(book.firing().len(), 1, "{off}: it held for ten seconds");
            assert_eq!(book.firing()[0].lasted(now), Duration::from_secs(10), "{off}");
        }
    }

    #[test]
    fn what_the_server_knows_is_older_than_this_process() {
        let mut book = AlertBook::default();
        let ten_days = 864_000;
        let now = observe_at(&mut book, Some(ten_days), 3, 0);
        assert_eq!(book.firing()[0].lasted(now), Duration::from_secs(ten_days));
    }

    #[test]
    fn after_a_sleep_ages_begin_anew() {
        let mut book = AlertBook::default();
        observe_at(&mut book, None, 100, 0);
        book.interrupt();
        observe_at(&mut book, None, 25_000, 0);
        assert!(book.firing().is_empty(), "seven hours of sleep are no hold");
        let fired = observe_at(&mut book, None, 25_010, 0);
        assert_eq!(book.firing()[0].lasted(fired), Duration::from_secs(10));
        book.interrupt();
        let now = observe_at(&mut book, None, 50_000, 0);
        assert_eq!(book.firing()[0].lasted(now), Duration::ZERO, "it fires, since it is seen again");
        book.interrupt();
        let now = observe_at(&mut book, Some(90_000), 75_000, 0);
        assert_eq!(book.firing()[0].lasted(now), Duration::from_secs(90_000), "the server knows better");
    }

    #[test]
    fn what_another_system_says_for_long_stands_behind_what_is_measured() {
        const TOLD: RuleSpec = RuleSpec::new("test.told", "", RuleUnit::State, Triage::Told);
        let alert = |observed| {
            let grade = Grade { severity: Severity::Critical, value: None, threshold: None };
            let about = ("alert", "alert".to_owned());
            let mut breach = Breach::new(&TOLD, &TargetId::new("prom"), Screen::Overview, grade, about);
            breach.since(Some(Duration::from_secs(observed)));
            breach
        };
        let order = |observed, beside: Severity| {
            let mut book = AlertBook::default();
            let breaches = vec![alert(observed), breach("ours", beside, Some(60))];
            let triage = |rule| if rule == TOLD.id { Triage::Told } else { Triage::Lag };
            let rules = Rulebook::defaults(&[&SPEC, &TOLD]);
            book.observe(breaches, &rules, triage, |_| false, Now::example(10_000));
            book.firing().iter().map(|finding| finding.breach.subject.clone()).collect::<Vec<_>>()
        };
        assert_eq!(order(9_000, Severity::Warning), ["ours", "alert"]);
        assert_eq!(order(60, Severity::Warning), ["alert", "ours"], "a new one is news");
        assert_eq!(order(60, Severity::Critical), ["ours", "alert"], "measured before told");
        assert_eq!(order(9_000, Severity::Info), ["alert", "ours"], "a note is no trouble");
    }

    #[test]
    fn critical_stands_first() {
        let mut book = AlertBook::default();
        let breaches =
            vec![breach("a", Severity::Warning, Some(60)), breach("b", Severity::Critical, Some(60))];
        observe(&mut book, breaches, false, 100);
        assert_eq!(book.firing()[0].breach.subject, "b");
    }
}
