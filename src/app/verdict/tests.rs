//! The tests of the verdict.

use super::*;
use crate::app::keymap::Keymap;
use crate::core::alert::Severity;
use crate::core::alert::{Breach, Grade, RuleId, Rulebook};
use crate::core::chain::Chain;
use crate::core::ids::{SystemKind, TargetId};
use crate::core::part::Part;
use crate::core::place::Screen;
use crate::core::postgres::{PostgresReading, Session};
use crate::core::reading::Reading;
use crate::core::report::PollReport;
use crate::core::world::World;
use crate::core::world::{TargetState, all_rules};
use chrono::{Offset, Utc};
use std::time::Duration;

/// A finding of `rule` on `target` that began at `since`.
fn breach(rule: &'static str, target: &str, severity: Severity, since: u64) -> Breach {
    let spec = all_rules().into_iter().find(|spec| spec.id == rule).expect("a rule");
    let grade = Grade { severity, value: None, threshold: None };
    let about = ("one", format!("{rule} on {target}"));
    let mut breach = Breach::new(spec, &TargetId::new(target), Screen::Overview, grade, about);
    breach.since(Some(Duration::from_secs(200 - since))).hits(1_u64, "session");
    breach
}

/// Two databases and an endpoint at second 200; a session of `application` waits for a lock on `pg`.
fn world(application: &str, breaches: Vec<Breach>) -> World {
    let second = Duration::from_secs(1);
    let kinds =
        [("pg", SystemKind::Postgres), ("other", SystemKind::Postgres), ("shop-api", SystemKind::Metrics)];
    let target = |(id, kind): (&str, SystemKind)| {
        TargetState::new(TargetId::new(id), kind, String::new(), second, Now::example(0))
    };
    let mut world = World::new(kinds.map(target).to_vec(), Rulebook::defaults(&all_rules()));
    let at = Now::example(200);
    let waiter = Session {
        application: application.to_owned(),
        database: "shop".to_owned(),
        wait: Some(("Lock".to_owned(), "relation".to_owned())),
        ..Session::default()
    };
    let reading =
        |sessions| PostgresReading { sessions: Part::Ready(sessions), ..PostgresReading::default() };
    for (id, sessions) in [("pg", vec![waiter]), ("other", Vec::new())] {
        let reading = Ok(Reading::Postgres(Box::new(reading(sessions))));
        world.apply(PollReport::example(TargetId::new(id), reading, at));
    }
    let triage = |rule: RuleId| {
        let spec = all_rules().into_iter().find(|spec| spec.id == rule);
        spec.expect("a rule").triage
    };
    world.alerts.observe(breaches, &Rulebook::defaults(&all_rules()), triage, |_| false, at);
    world.chain = Chain::over(world.targets(), &world.topology, &world.alerts.firing());
    world
}

fn seen(world: &World, now: Now) -> Line {
    let keymap = Keymap::default();
    verdict(PanelContext {
        keys: keymap.words(),
        world,
        scope: &crate::core::scope::Scope::All,
        now,
        live: true,
        zone: Utc.fix(),
        who: "ana",
        arming: None,
    })
}

#[track_caller]
fn check(application: &str, breaches: Vec<Breach>, begins: &str, names: &str) {
    let line = seen(&world(application, breaches), Now::example(200)).plain();
    let began = line.split_once(" (").map_or("", |(_, rest)| rest);
    assert!(began.starts_with(begins), "{line}");
    if names.is_empty() {
        assert!(!line.contains("cause"), "{line}");
    } else {
        assert!(line.contains(names), "{line}");
    }
}

#[test]
fn a_cause_is_named_over_an_edge_and_never_by_its_age() {
    let errors = || breach("metrics.errors", "shop-api", Severity::Critical, 160);
    let blocked = |target, since| breach("postgres.blocked", target, Severity::Warning, since);
    let lead = "40 s): metrics.errors on shop-api";
    // An old prepared transaction on another server, which blocks nobody.
    let prepared = breach("postgres.prepared", "other", Severity::Warning, 10);
    check("shop-api", vec![errors(), prepared], lead, "");
    check("shop-api", vec![errors(), blocked("pg", 150)], lead, "; cause (likely): postgres.blocked on pg");
    check("shop-api", vec![errors(), blocked("other", 150)], lead, "");
    check("reports", vec![errors(), blocked("pg", 150)], lead, "");
    // It began a while after what it would have caused.
    check("shop-api", vec![errors(), blocked("pg", 195)], lead, "");
}

/// Whoever starts it amid an incident sees the cause for the first time after its effects are known to have begun.
#[test]
fn what_the_first_look_finds_can_be_the_cause_of_what_began_before() {
    let errors = breach("metrics.errors", "shop-api", Severity::Critical, 100);
    let mut blocked = breach("postgres.blocked", "pg", Severity::Warning, 200);
    blocked.since(None);
    let mut world = world("shop-api", vec![errors, blocked]);
    let told = |world: &World| seen(world, Now::example(200)).plain();
    assert!(!told(&world).contains("cause"), "it was watched and began after it: {}", told(&world));
    world.alerts.doubt(|_| true, Now::example(200));
    world.chain = Chain::over(world.targets(), &world.topology, &world.alerts.firing());
    let text = told(&world);
    assert!(text.contains("; cause (likely): postgres.blocked on pg"), "{text}");
    let blocked = breach("postgres.prepared", "pg", Severity::Warning, 200);
    let mut world = self::world("x", vec![Breach { observed_for: None, ..blocked }]);
    assert!(told(&world).starts_with("DEGRADED since 14:16:40 (0 s)"), "{}", told(&world));
    world.alerts.doubt(|_| true, Now::example(200));
    let text = told(&world);
    assert!(text.starts_with("DEGRADED since 14:16:40, or earlier (0 s)"), "{text}");
}

#[test]
fn beside_an_unexplained_lead_stand_roots_with_the_number_of_their_effects() {
    let errors = breach("queue.failing", "other", Severity::Critical, 190);
    let late = breach("metrics.latency_p95", "shop-api", Severity::Warning, 160);
    let blocked = breach("postgres.blocked", "pg", Severity::Warning, 150);
    let text = seen(&world("shop-api", vec![errors, late, blocked]), Now::example(200)).plain();
    let root = text.find("postgres.blocked on pg (explains 1 more, likely)");
    assert!(root.is_some() && !text.contains("metrics.latency_p95"), "{text}");
    assert!(!text.contains("+1 more"), "it is told with its root: {text}");
}

#[test]
fn what_is_told_of_a_host_stands_beside_what_is_broken_without_its_members() {
    let errors = breach("metrics.errors", "shop-api", Severity::Critical, 160);
    let host = breach("source.host_silent", "pg", Severity::Critical, 150);
    let (one, two) = (
        breach("source.silent", "pg", Severity::Critical, 150),
        breach("source.silent", "other", Severity::Critical, 151),
    );
    let mut world = world("x", vec![errors, host.clone(), one.clone(), two.clone()]);
    let told = |world: &World| seen(world, Now::example(200)).plain();
    assert!(told(&world).contains("; no data from pg; no data from other"), "{}", told(&world));
    world.chain.gather(&host.key(), [one.key(), two.key()].into_iter(), "on one host");
    let text = told(&world);
    assert!(text.starts_with("BROKEN") && text.contains("; source.host_silent on pg"), "{text}");
    assert!(!text.contains("no data from") && !text.contains("cause ("), "{text}");
    assert!(!text.contains("explains"), "that explains nothing: {text}");
}

#[test]
fn an_alert_that_fires_for_days_leads_nothing_while_something_is_measured() {
    let alert = |age| {
        let mut breach = breach("prometheus.alert", "shop-api", Severity::Critical, 0);
        breach.since(Some(Duration::from_secs(age)));
        breach
    };
    let told = |breaches| seen(&world("x", breaches), Now::example(200)).plain();
    // It hits nobody.
    let prepared = || {
        let mut breach = breach("postgres.prepared", "pg", Severity::Warning, 190);
        breach.hits(1_u64, "");
        breach
    };
    let text = told(vec![alert(9 * 86_400), prepared()]);
    assert!(text.starts_with("DEGRADED") && text.contains("): postgres.prepared on pg"), "{text}");
    assert!(text.ends_with("; prometheus.alert on shop-api, for 9d0h"), "{text}");
    let text = told(vec![alert(60), prepared()]);
    assert!(text.starts_with("BROKEN") && text.contains("): prometheus.alert"), "a new one: {text}");
    let blocked = breach("postgres.blocked", "pg", Severity::Warning, 190);
    let text = told(vec![alert(60), blocked]);
    assert!(text.starts_with("BROKEN") && text.contains("): postgres.blocked on pg"), "victims: {text}");
    let text = told(vec![alert(9 * 86_400)]);
    assert!(text.starts_with("BROKEN") && text.contains("(9d0h): prometheus.alert"), "alone: {text}");
}

#[test]
fn what_was_noted_leads_only_where_nothing_as_bad_stands_and_says_so() {
    use crate::core::alert::{Heard, Until};
    let told = |breaches: Vec<Breach>, noted: &Breach| {
        let mut world = world("x", breaches);
        let (who, at) = ("ana".to_owned(), Now::example(200));
        let heard = Heard { who, note: String::new(), at, until: Until::Over };
        assert!(world.alerts.hear(&noted.key(), heard));
        seen(&world, Now::example(200)).plain()
    };
    let errors = || breach("metrics.errors", "shop-api", Severity::Critical, 160);
    let prepared = |severity| breach("postgres.prepared", "other", severity, 190);
    // As bad: the one that nobody has noted leads.
    let text = told(vec![errors(), prepared(Severity::Critical)], &errors());
    assert!(text.starts_with("BROKEN") && text.contains("s): postgres.prepared on other"), "{text}");
    assert!(text.contains("; (acknowledged) metrics.errors on shop-api"), "{text}");
    // Nothing else is broken: the first word stays true, and so does what it is about.
    let text = told(vec![errors(), prepared(Severity::Warning)], &errors());
    let lead = "s): (acknowledged) metrics.errors on shop-api";
    assert!(text.starts_with("BROKEN") && text.contains(lead), "{text}");
    let text = told(vec![errors()], &errors());
    assert!(text.starts_with("BROKEN") && text.contains(lead), "{text}");
}

#[test]
fn what_nobody_watches_is_never_ok() {
    let unread = || breach("source.unread", "pg", Severity::Warning, 100);
    let told = |breaches| seen(&world("x", breaches), Now::example(200)).plain();
    let text = told(vec![unread()]);
    assert!(text.starts_with("UNKNOWN since") && text.ends_with("source.unread on pg"), "{text}");
    let text = told(vec![unread(), breach("postgres.prepared", "pg", Severity::Warning, 190)]);
    assert!(text.starts_with("DEGRADED") && text.ends_with("; source.unread on pg"), "{text}");
}

/// What leads (or its root) is what the list puts first, whatever stands beside it.
#[test]
fn the_line_and_the_list_agree_on_what_comes_first() {
    use crate::core::alert::{Heard, Until};
    let rules = [
        ("postgres.blocked", "pg"),
        ("postgres.prepared", "other"),
        ("metrics.errors", "shop-api"),
        ("prometheus.alert", "shop-api"),
        ("source.silent", "other"),
        ("source.unread", "pg"),
        ("postgres.time_left", "pg"),
    ];
    let grades = [None, Some(Severity::Info), Some(Severity::Warning), Some(Severity::Critical)];
    let mut tried = 0;
    for number in 0..grades.len().pow(7) {
        let grade = |place: usize| grades[number / grades.len().pow(u32::try_from(place).expect("few")) % 4];
        // A forecast is at most a warning.
        if number % 7 != 0 || grade(6) == Some(Severity::Critical) {
            continue;
        }
        let breaches: Vec<Breach> = (0..rules.len())
            .filter_map(|place| {
                let (rule, target) = rules[place];
                let mut breach = breach(rule, target, grade(place)?, 190 - place as u64);
                if rule == "postgres.prepared" {
                    breach.hits(1_u64, "");
                }
                Some(breach)
            })
            .collect();
        let noted = breaches.get(number % 3).map(Breach::key);
        let mut world = world("shop-api", breaches);
        if let Some(noted) = noted.filter(|_| number % 2 == 0) {
            let (who, at) = ("ana".to_owned(), Now::example(200));
            world.alerts.hear(&noted, Heard { who, note: String::new(), at, until: Until::Over });
        }
        let firing = world.alerts.firing();
        let listed = world.chain.branches(&firing);
        let verdict = Verdict::over(&world, Now::example(200));
        let Some(lead) = verdict.lead else { continue };
        let root = verdict.cause.map_or(lead, |cause| cause.root);
        let first = listed.first().expect("a finding leads").finding;
        assert_eq!(
            first.key(),
            root.key(),
            "{:?}: {}",
            verdict.overall,
            seen(&world, Now::example(200)).plain()
        );
        tried += 1;
    }
    assert!(tried > 1000, "{tried}");
}

#[test]
fn a_source_that_gives_no_data_waits_behind_what_is_seen_to_be_as_bad() {
    let silent = |severity| breach("source.silent", "other", severity, 100);
    let blocked = || breach("postgres.blocked", "pg", Severity::Warning, 190);
    let told = |breaches| seen(&world("x", breaches), Now::example(200)).plain();
    let text = told(vec![silent(Severity::Warning), blocked()]);
    assert!(text.starts_with("DEGRADED") && text.contains("): postgres.blocked on pg"), "{text}");
    assert!(text.ends_with("; no data from other"), "{text}");
    let text = told(vec![silent(Severity::Critical), blocked()]);
    assert!(text.starts_with("UNKNOWN") && text.contains("source.silent on other"), "{text}");
    // A right that is missing for good hides neither an alert that stands for long nor what recovers.
    let mut alert = breach("prometheus.alert", "shop-api", Severity::Critical, 0);
    alert.since(Some(Duration::from_secs(9 * 86_400)));
    let unread = || breach("source.unread", "pg", Severity::Warning, 100);
    let text = told(vec![unread(), alert]);
    assert!(text.starts_with("BROKEN") && text.ends_with("; source.unread on pg"), "{text}");
    let mut world = world("x", vec![unread(), breach("queue.failing", "other", Severity::Critical, 20)]);
    let triage = |rule: RuleId| all_rules().into_iter().find(|spec| spec.id == rule).expect("a rule").triage;
    let rules = Rulebook::defaults(&all_rules());
    world.alerts.observe(vec![unread()], &rules, triage, |_| false, Now::example(201));
    let text = seen(&world, Now::example(201)).plain();
    assert!(text.starts_with("DEGRADED") && text.contains("(recovering"), "{text}");
}

#[test]
fn the_future_stands_last_and_alone_it_is_not_bad() {
    let ends = || breach("postgres.time_left", "pg", Severity::Warning, 100);
    let line = seen(
        &world("x", vec![ends(), breach("postgres.prepared", "pg", Severity::Warning, 190)]),
        Now::example(200),
    );
    let text = line.plain();
    assert!(text.starts_with("DEGRADED") && text.contains("): postgres.prepared on pg"), "{text}");
    assert!(text.ends_with("; postgres.time_left on pg"), "{text}");
    let text = seen(&world("x", vec![ends()]), Now::example(200)).plain();
    assert!(!text.contains("DEGRADED") && text.ends_with("; postgres.time_left on pg"), "{text}");
}

#[test]
fn what_a_late_source_said_carries_its_age() {
    let world = world("orders", Vec::new());
    let at = |second| seen(&world, Now::example(second)).plain();
    assert!(!at(201).contains("as of"), "{}", at(201));
    let late = at(204);
    let (first, rest) = late.split_once(' ').expect("a word");
    assert!(first.chars().all(char::is_uppercase) && rest.starts_with('('), "{late}");
    assert!(rest.split(')').next().is_some_and(|age| age.contains(" as of 4")), "{late}");
}

/// The list of a run that watches everything was told to be outside its scope, and no list at all where nothing was left to watch.
#[test]
fn a_list_that_cannot_be_read_is_told_in_every_scope() {
    use crate::core::enlisted::{Enlisted, Trouble};
    let trouble = Trouble { list: "shop".to_owned(), why: "a.json: EOF".to_owned() };
    let left = ["pg", "other", "shop-api"].map(TargetId::new).to_vec();
    let at = Now::example(200);
    let mut world = world("", Vec::new());
    let told = |world: &World| seen(world, at).plain();
    world.enlist(Enlisted { troubles: vec![trouble.clone()], ..Enlisted::default() }, at);
    world.evaluate(at);
    assert!(told(&world).contains("the list shop cannot be read"), "{}", told(&world));
    assert!(!told(&world).contains("outside the scope"), "{}", told(&world));
    world.enlist(Enlisted { left, troubles: vec![trouble], ..Enlisted::default() }, at);
    world.evaluate(at);
    assert!(told(&world).starts_with("NOTHING TO WATCH"), "{}", told(&world));
    assert!(told(&world).contains("; the list shop cannot be read"), "{}", told(&world));
}
