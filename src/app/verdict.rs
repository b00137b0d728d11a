//! Line two of every screen: what is broken, since when, by what cause if one can be told; in one sentence, and never green while a source
//! is silent.

use crate::core::alert::{Finding, Severity};
use crate::core::chain;
use crate::core::freshness::Freshness;
use crate::core::time::Now;
use crate::core::world::World;
use crate::panels::PanelContext;
use crate::ui::content::{Line, Role};
use crate::ui::format::duration;
use chrono::FixedOffset;

/// The sentence for what is looked at.
#[must_use]
pub fn verdict(seen: PanelContext<'_>) -> Line {
    let PanelContext { world, now, zone, .. } = seen;
    if world.targets().is_empty() {
        return Line::of(
            Role::Warning,
            "NOTHING TO WATCH: no target was found (! shows what was looked for)",
        );
    }
    let (silent, others): (Vec<&Finding>, Vec<&Finding>) =
        world.alerts.firing().into_iter().partition(|finding| finding.signal.rule == "source.silent");
    let (blind, others): (Vec<&Finding>, Vec<&Finding>) =
        others.into_iter().partition(|finding| finding.signal.rule == "source.unread");
    // What will be stands behind what is, and alone it makes nothing bad.
    let (ahead, others): (Vec<&Finding>, Vec<&Finding>) =
        others.into_iter().partition(|finding| finding.is_forecast());
    let worst = others.first().map(|finding| finding.signal.severity);
    let lost = silent.iter().any(|finding| finding.signal.severity == Severity::Critical);
    let now_bad = || Told { world, others: &others, silent: &silent, now, zone };
    let line = match worst {
        Some(Severity::Critical) => half_seen(now_bad().broken(Role::Critical, "BROKEN"), &blind),
        _ if lost => half_seen(unknown(&silent, &others, (now, zone)), &blind),
        Some(Severity::Warning) => half_seen(now_bad().broken(Role::Warning, "DEGRADED"), &blind),
        _ if !silent.is_empty() => half_seen(unknown(&silent, &others, (now, zone)), &blind),
        // Nothing is past its threshold where somebody looks; what nobody looks at is not well.
        _ if !blind.is_empty() => unknown(&blind, &others, (now, zone)),
        _ => calm(world, &others, now),
    };
    let line = match ahead.first() {
        Some(first) => line.then(Role::Warning, format!("; {}", first.sentence(now))),
        None => line,
    };
    as_of(line, world, now)
}

/// What is said of a source that is late is old: how old stands behind the first word, for the end of a long sentence is cut. (Of one that
/// is lost each finding carries its age.) Where nothing is known, the sentence itself is about that.
fn as_of(mut line: Line, world: &World, now: Now) -> Line {
    if line.spans.first().is_some_and(|first| first.text.starts_with("UNKNOWN")) {
        return line;
    }
    let late = world.targets().iter().filter_map(|target| match target.freshness(now) {
        Freshness::Late(age) if target.seen.is_some() => Some((age, target)),
        _ => None,
    });
    let late: Vec<_> = late.collect();
    let Some((age, oldest)) = late.iter().max_by_key(|(age, _)| *age) else { return line };
    let more = if late.len() > 1 { format!(", {} more late", late.len() - 1) } else { String::new() };
    let words = Line::of(Role::Warning, format!("({} as of {} ago{more}) ", oldest.id, duration(*age)));
    let at = usize::from(line.spans.len() > 1);
    line.spans.splice(at..at, words.spans);
    line
}

fn since(finding: &Finding, now: Now, zone: FixedOffset) -> String {
    let local = finding.since.wall.with_timezone(&zone);
    format!("since {} ({})", local.format("%H:%M:%S"), duration(finding.lasted(now)))
}

/// What fires now, worst first, and who is silent.
struct Told<'a> {
    world: &'a World,
    others: &'a [&'a Finding],
    silent: &'a [&'a Finding],
    now: Now,
    zone: FixedOffset,
}

impl Told<'_> {
    /// The worst symptom with its own time leads. A cause is named only where something ties the two together; that one is older than the
    /// other ties nothing.
    fn broken(&self, role: Role, word: &str) -> Line {
        let Self { world, others, silent, now, zone } = *self;
        let Some((first, rest)) = others.split_first() else {
            return Line::default();
        };
        let mut line = Line::of(role, format!("{word} "))
            .then(Role::Text, format!("{}: ", since(first, now, zone)))
            .then(Role::Strong, first.sentence(now));
        let cause = chain::cause(world, first, rest);
        if let Some((cause, tie)) = cause {
            line = line
                .then(Role::Text, format!("; cause ({}): ", tie.word()))
                .then(Role::Strong, cause.sentence(now));
        }
        let more: Vec<&&Finding> = rest
            .iter()
            .filter(|finding| cause.is_none_or(|(cause, _)| !std::ptr::eq(cause, **finding)))
            .collect();
        let told = if cause.is_some() { 1 } else { 2 };
        for finding in more.iter().take(told) {
            line = line.then(Role::Text, format!("; {}", finding.sentence(now)));
        }
        if more.len() > told {
            line = line.then(Role::Muted, format!("; +{} more", more.len() - told));
        }
        for finding in silent {
            line = line.then(Role::Warning, format!("; no data from {}", finding.signal.target));
        }
        line
    }
}

/// The same, with what nobody watches.
fn half_seen(line: Line, blind: &[&Finding]) -> Line {
    match blind {
        [] => line,
        [one] => line.then(Role::Warning, format!("; {}", one.signal.sentence)),
        [one, more @ ..] => {
            line.then(Role::Warning, format!("; {} (+{} unread)", one.signal.sentence, more.len()))
        }
    }
}

fn unknown(silent: &[&Finding], others: &[&Finding], (now, zone): (Now, FixedOffset)) -> Line {
    let Some(first) = silent.first() else {
        return Line::default();
    };
    let mut line = Line::of(Role::Critical, "UNKNOWN ")
        .then(Role::Text, format!("{}: ", since(first, now, zone)))
        .then(Role::Strong, &first.signal.sentence);
    for finding in silent.iter().skip(1) {
        let also = if finding.signal.rule == "source.unread" {
            format!("; {}", finding.signal.sentence)
        } else {
            format!("; no data from {}", finding.signal.target)
        };
        line = line.then(Role::Text, also);
    }
    for finding in others.iter().take(1) {
        line = line.then(Role::Text, format!("; {}", finding.sentence(now)));
    }
    line
}

fn calm(world: &World, notes: &[&Finding], now: Now) -> Line {
    let waiting: Vec<String> = world
        .targets()
        .iter()
        .filter(|target| matches!(target.freshness(now), Freshness::Waiting))
        .map(|target| target.id.to_string())
        .collect();
    if !waiting.is_empty() {
        return Line::of(Role::Note, format!("WAITING for the first answer of {}", waiting.join(", ")));
    }
    let count = world.targets().len();
    let line = Line::of(Role::Ok, "OK ").then(
        Role::Text,
        if count == 1 {
            "1 source answers, nothing is past its threshold".to_owned()
        } else {
            format!("{count} sources answer, nothing is past its threshold")
        },
    );
    match notes.first() {
        Some(note) => line.then(Role::Muted, format!("; {}", note.sentence(now))),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::keymap::Keymap;
    use crate::core::alert::{Rulebook, Signal};
    use crate::core::ids::{SystemKind, TargetId};
    use crate::core::part::Part;
    use crate::core::place::{Place, Screen};
    use crate::core::postgres::{PostgresReading, Session};
    use crate::core::reading::Reading;
    use crate::core::report::{BreakerState, Plan, PollReport};
    use crate::core::world::{TargetState, all_rules};
    use chrono::{Offset, Utc};
    use std::time::Duration;

    /// A finding of `rule` on `target` that began at `since`.
    fn signal(rule: &'static str, target: &str, severity: Severity, since: u64) -> Signal {
        Signal {
            rule,
            target: TargetId::new(target),
            subject: "one".to_owned(),
            severity,
            sentence: format!("{rule} on {target}"),
            observed_for: Some(Duration::from_secs(200 - since)),
            hit: 1,
            next_step: String::new(),
            place: Place { screen: Screen::Overview, row: None },
        }
    }

    /// Two databases and an endpoint at second 200; a session of `application` waits for a lock on `pg`.
    fn world(application: &str, signals: Vec<Signal>) -> World {
        let second = Duration::from_secs(1);
        let kinds = [
            ("pg", SystemKind::Postgres),
            ("other", SystemKind::Postgres),
            ("shop-api", SystemKind::Metrics),
        ];
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
            world.apply(PollReport {
                target: TargetId::new(id),
                at,
                took: second,
                plan: Plan {
                    interval: second,
                    widened: false,
                    next: at,
                    breaker: BreakerState::Closed,
                    failures: 0,
                    knocks: false,
                },
                overtaken: 0,
                result: Ok(Reading::Postgres(Box::new(reading(sessions)))),
            });
        }
        let triage = |rule: &str| {
            let spec = all_rules().into_iter().find(|spec| spec.id == rule);
            spec.expect("a rule").triage
        };
        world.alerts.observe(signals, &Rulebook::defaults(&all_rules()), triage, |_| false, at);
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
        })
    }

    #[track_caller]
    fn check(application: &str, signals: Vec<Signal>, begins: &str, names: &str) {
        let line = seen(&world(application, signals), Now::example(200)).plain();
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
        let errors = || signal("metrics.errors", "shop-api", Severity::Critical, 160);
        let blocked = |target, since| signal("postgres.blocked", target, Severity::Warning, since);
        let lead = "40 s): metrics.errors on shop-api";
        // An old prepared transaction on another server, which blocks nobody.
        let prepared = signal("postgres.prepared", "other", Severity::Warning, 10);
        check("shop-api", vec![errors(), prepared], lead, "");
        check(
            "shop-api",
            vec![errors(), blocked("pg", 150)],
            lead,
            "; cause (likely): postgres.blocked on pg",
        );
        check("shop-api", vec![errors(), blocked("other", 150)], lead, "");
        check("reports", vec![errors(), blocked("pg", 150)], lead, "");
        // It began a while after what it would have caused.
        check("shop-api", vec![errors(), blocked("pg", 195)], lead, "");
    }

    #[test]
    fn what_nobody_watches_is_never_ok() {
        let unread = || signal("source.unread", "pg", Severity::Warning, 100);
        let told = |signals| seen(&world("x", signals), Now::example(200)).plain();
        let text = told(vec![unread()]);
        assert!(text.starts_with("UNKNOWN since") && text.ends_with("source.unread on pg"), "{text}");
        let text = told(vec![unread(), signal("postgres.prepared", "pg", Severity::Warning, 190)]);
        assert!(text.starts_with("DEGRADED") && text.ends_with("; source.unread on pg"), "{text}");
    }

    #[test]
    fn the_future_stands_last_and_alone_it_is_not_bad() {
        let ends = || signal("postgres.time_left", "pg", Severity::Warning, 100);
        let line = seen(
            &world("x", vec![ends(), signal("postgres.prepared", "pg", Severity::Warning, 190)]),
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
}
