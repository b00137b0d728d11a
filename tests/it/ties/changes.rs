//! Versions that come, and ways in which jobs fail that were not seen before.

use super::check;
use crate::pages::world::{FIRST, Stage, payload, postgres, queue, redis_at, session, target};
use stacktop::core::chain::Tie;
use stacktop::core::ids::SystemKind;
use stacktop::core::metrics::{MetricKind, MetricSample, MetricsReading};
use stacktop::core::part::Part;
use stacktop::core::redis::{Happened, QueueReading};
use stacktop::core::time::Now;
use stacktop::core::topology::{Depends, Topology};

const EFFECT: &str = "queue.failing";
const CAUSE: &str = "source.changed";

/// What a service says of itself.
fn info(version: &str) -> MetricsReading {
    let labels = vec![("version".to_owned(), version.to_owned())];
    let sample = MetricSample { name: "app_info".to_owned(), labels, value: 1.0 };
    MetricsReading {
        bytes: 99,
        ..MetricsReading::of(&[sample], &[("app_info".to_owned(), MetricKind::Gauge)].into())
    }
}

/// In second 200 another version comes, of the endpoint `worker` or in the sessions of `mailer` on `pg`; jobs fail for `before` until
/// second `at`, and for `after` from then on. `depends` depends on the server of the queue.
fn deployed(endpoint: bool, depends: &str, reasons: (&str, &str), at: u64) -> Stage {
    deployed_until(endpoint, depends, reasons, (at, at + 60))
}

/// The same, looked at until second `end`.
fn deployed_until(
    endpoint: bool,
    depends: &str,
    (before, after): (&str, &str),
    (at, end): (u64, u64),
) -> Stage {
    let mut stage = Stage::with(&[
        ("worker", SystemKind::Metrics),
        ("pg", SystemKind::Postgres),
        ("cache", SystemKind::Redis),
    ]);
    let said = Depends { service: depends.to_owned(), on: target("cache"), because: "it is said".to_owned() };
    stage.world.topology = Topology::new(vec![said]);
    for second in (0..=end).step_by(2) {
        let now = FIRST + second;
        let version = if second >= 200 { "1.4.3" } else { "1.4.2" };
        let fails = |reason: &str| {
            let failed = if reason.is_empty() { 0 } else { 60 };
            let happened = Happened { completed: 30, failed, reason: payload(reason), ..Happened::default() };
            QueueReading { happened: Part::Ready(happened), ..queue("mails") }
        };
        let mails = fails(if second >= at { after } else { before });
        let mut runs = session(7);
        runs.application = format!("mailer@{}", if endpoint { "1.4.2" } else { version });
        stage = stage.then(now, "worker", info(if endpoint { version } else { "1.4.2" }));
        stage = stage.then(now, "pg", postgres(vec![runs]));
        stage = stage.then(now, "cache", redis_at(now, vec![mails]));
    }
    stage
}

#[test]
fn a_new_kind_of_failure_after_a_new_version_is_likely_of_it() {
    let tied = |stage: &Stage, words| check(stage, CAUSE, EFFECT, Some((Tie::Likely, words)));
    let words = "its jobs fail by \u{201c}no such template\u{201d}, which was not seen before that; it depends on cache";
    let new = ("", "no such template");
    tied(&deployed(true, "worker", new, 260), words);
    tied(&deployed(false, "mailer", new, 260), words);
    let strict = ("", "strict_dynamic_mapping_exception: [1:50] introduction of [colour] is not allowed");
    tied(&deployed(true, "worker", strict, 260), "a field that their index does not allow");
}

#[test]
fn a_version_stays_the_cause_for_as_long_as_its_jobs_fail() {
    let stage = deployed_until(true, "worker", ("", "no such template"), (260, 1500));
    check(&stage, CAUSE, EFFECT, Some((Tie::Likely, "no such template")));
}

/// That a version came explains nothing here, and is not told as if it did.
#[track_caller]
fn untold(stage: &Stage) {
    let firing = stage.world.alerts.firing();
    assert!(firing.iter().any(|one| one.breach.rule == EFFECT), "they fail");
    assert!(firing.iter().all(|one| one.breach.rule != CAUSE), "{firing:?}");
}

#[test]
fn a_version_that_came_just_before_is_no_cause_by_that_alone() {
    let new = ("", "no such template");
    // The same failures were there before.
    untold(&deployed(true, "worker", ("no such template", "no such template"), 260));
    // Nobody says that the service has to do with the queue.
    untold(&deployed(true, "payroll", new, 260));
    // Long after, and before.
    untold(&deployed(true, "worker", new, 820));
    untold(&deployed(true, "worker", new, 120));
}

#[test]
fn a_version_in_the_names_of_sessions_is_told_in_the_timeline() {
    let stage = deployed(false, "mailer", ("", ""), 260);
    let told: Vec<String> = stage.world.timeline.events().map(|event| event.words.clone()).collect();
    let words = "mailer: version 1.4.3 is there for the first time (application_name)";
    assert_eq!(told, [words], "at {:?}", Now::example(FIRST));
}
