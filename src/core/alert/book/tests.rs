//! The tests of the book of breaches.

use super::*;
use crate::core::alert::finding::SAMPLED;
use crate::core::alert::{Grade, RuleSpec, RuleUnit, Until};
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
fn what_the_first_look_finds_may_be_older() {
    let mut book = AlertBook::default();
    let earlier = |book: &AlertBook| -> Vec<(String, bool)> {
        let all = book.followed();
        all.map(|finding| (finding.breach.subject.clone(), finding.onset == Onset::OrEarlier)).collect()
    };
    let (warning, known) = (Severity::Warning, Some(30));
    observe(&mut book, vec![breach("a", warning, None), breach("known", warning, known)], false, 100);
    book.doubt(|_| true, Now::example(100));
    assert_eq!(earlier(&book), [("a".to_owned(), true), ("known".to_owned(), false)]);
    // What comes while it is watched has begun then, and stays so.
    let all = || vec![breach("a", warning, None), breach("b", warning, None)];
    observe(&mut book, all(), false, 101);
    book.doubt(|_| false, Now::example(101));
    observe(&mut book, all(), false, 102);
    book.doubt(|_| true, Now::example(102));
    let told = earlier(&book);
    assert!(told.contains(&("a".to_owned(), true)) && told.contains(&("b".to_owned(), false)), "{told:?}");
    // It ended, and came again.
    observe(&mut book, Vec::new(), false, 110);
    observe(&mut book, Vec::new(), false, 125);
    observe(&mut book, all(), false, 130);
    book.doubt(|_| false, Now::example(130));
    assert!(earlier(&book).iter().all(|(_, earlier)| !earlier), "{:?}", earlier(&book));
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
fn what_swings_about_its_threshold_is_one_finding_that_recovers() {
    const SWINGS: RuleSpec =
        RuleSpec::new("test.rule", "", RuleUnit::Ratio, Triage::Saturation).critical(1.0).clear(15);
    let rules = Rulebook::defaults(&[&SWINGS]);
    let mut book = AlertBook::default();
    let mut look = |seen: bool, at: u64| {
        let breaches = if seen { vec![breach("a", Severity::Critical, None)] } else { Vec::new() };
        book.observe(breaches, &rules, |_| Triage::Saturation, |_| false, Now::example(at));
        let told = |finding: &Finding| {
            (finding.sentence(Now::example(at)), finding.severity(), finding.since == Now::example(100))
        };
        (book.firing().first().map(|finding| told(finding)), book.findings().len())
    };
    let fires = |words: &str, severity| (Some((words.to_owned(), severity, true)), 1);
    assert_eq!(look(true, 100), fires("a", Severity::Critical));
    assert_eq!(look(false, 101), fires("a (recovering, clear for 0 s)", Severity::Warning));
    assert_eq!(look(false, 114), fires("a (recovering, clear for 13 s)", Severity::Warning));
    assert_eq!(look(true, 115), fires("a", Severity::Critical), "it is the same finding");
    assert_eq!(look(false, 120), fires("a (recovering, clear for 0 s)", Severity::Warning));
    assert_eq!(look(false, 135), (None, 1), "over, since it is clear");
    assert_eq!(book.findings()[0].stage, Stage::Resolved(Now::example(120)));
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
    let breaches = vec![breach("a", Severity::Warning, Some(60)), breach("b", Severity::Critical, Some(60))];
    observe(&mut book, breaches, false, 100);
    assert_eq!(book.firing()[0].breach.subject, "b");
}

fn heard(until: Until, at: u64) -> Heard {
    Heard { who: "ana".to_owned(), note: String::new(), at: Now::example(at), until }
}

fn two(severity: Severity) -> Vec<Breach> {
    vec![breach("a", severity, Some(90)), breach("b", Severity::Warning, Some(60))]
}

fn first(book: &AlertBook) -> (String, String) {
    let first = book.firing()[0];
    (first.breach.subject.clone(), first.sentence(Now::example(130)))
}

#[test]
fn what_is_noted_stands_behind_what_is_as_bad_and_says_so() {
    let mut book = AlertBook::default();
    observe(&mut book, two(Severity::Warning), false, 100);
    let key = breach("a", Severity::Warning, None).key();
    assert!(book.hear(&key, heard(Until::Over, 100)));
    assert_eq!(first(&book).0, "b");
    assert_eq!(book.firing()[1].sentence(Now::example(100)), "(acknowledged) a");
    // It is the worst of all: it stays first, and says that somebody is at it.
    let mut book = AlertBook::default();
    observe(&mut book, two(Severity::Critical), false, 100);
    assert!(book.hear(&key, heard(Until::Then(Now::example(1000)), 100)));
    observe(&mut book, two(Severity::Critical), false, 110);
    assert_eq!(first(&book), ("a".to_owned(), "(snoozed, 15 min left) a".to_owned()));
    assert!(book.unhear(&key) && !book.unhear(&key));
    assert_eq!(first(&book).1, "a");
}

/// Whether a note of 100 still holds after `a` was there, gone or worse at these seconds.
#[track_caller]
fn note(until: Until, steps: &[(u64, Option<Severity>)], holds: bool) {
    let mut book = AlertBook::default();
    observe(&mut book, vec![breach("a", Severity::Warning, Some(60))], false, 100);
    let key = breach("a", Severity::Warning, None).key();
    assert!(book.hear(&key, heard(until, 100)));
    for (second, severity) in steps {
        let there = severity.map(|severity| breach("a", severity, Some(60)));
        observe(&mut book, there.into_iter().collect(), false, *second);
    }
    assert_eq!(book.get(&key).is_some_and(|finding| finding.heard.is_some()), holds, "{steps:?}");
    assert_eq!(book.is_heard("test.rule", "pg", "a"), holds, "{steps:?}");
}

#[test]
fn a_note_lasts_as_long_as_the_finding_or_its_time() {
    let (there, worse) = (Some(Severity::Warning), Some(Severity::Critical));
    let then = Until::Then(Now::example(1000));
    for until in [Until::Over, Until::Clear] {
        note(until, &[(101, there), (5000, there)], true);
        note(until, &[(101, None), (102, there)], false);
        note(until, &[(101, worse)], false);
    }
    note(then, &[(999, there)], true);
    note(then, &[(1000, there)], false);
    // It comes and goes: that is what a snooze is for.
    note(then, &[(101, None), (500, None), (600, there)], true);
    note(then, &[(101, worse)], false);
}

#[test]
fn of_what_is_not_there_no_note_is_taken() {
    let mut book = AlertBook::default();
    let key = breach("a", Severity::Warning, None).key();
    assert!(!book.hear(&key, heard(Until::Over, 100)));
    observe(&mut book, vec![breach("a", Severity::Warning, None)], false, 100);
    assert!(!book.hear(&key, heard(Until::Over, 100)), "it does not fire yet");
}

#[test]
fn the_number_of_a_finding_is_kept_with_gaps_while_nobody_looks() {
    let mut book = AlertBook::default();
    let measured = |value| {
        let mut breach = breach("a", Severity::Warning, Some(60));
        breach.value = Some(value);
        vec![breach]
    };
    for (second, value) in [(100, 1.0), (101, 9.0), (103, 2.0)] {
        observe(&mut book, measured(value), false, second);
    }
    observe(&mut book, vec![], true, 106);
    observe(&mut book, measured(3.0), false, 109);
    let past = book.firing()[0].past.columns(4, SAMPLED);
    assert_eq!(past, [Some(1.0), Some(2.0), None, Some(3.0)], "one each three seconds");
}
