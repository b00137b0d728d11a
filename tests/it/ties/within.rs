//! Ties of what was done from here, of clocks, and of what a service measures of itself.

use super::{check, failing};
use crate::pages::blocking::two_behind_one;
use crate::pages::world::{FIRST, Stage, backend, postgres, queue, queue_ref, redis, redis_at, secs, target};
use stacktop::core::action::Action;
use stacktop::core::chain::Tie;
use stacktop::core::ids::SystemKind;
use stacktop::core::metrics::{MetricKind, MetricSample, MetricsReading};
use stacktop::core::part::Part;
use stacktop::core::postgres::{PgAction, PostgresReading, Promise, Standby};
use stacktop::core::redis::{Brake, JobAct, Letters, QueueReading, RedisAction, RetryOptions};
use stacktop::core::time::Now;

type Expected<'a> = Option<(Tie, &'a str)>;

fn terminate() -> Action {
    let act = PgAction::Terminate { backend: backend(7), promise: Promise::default() };
    Action::Postgres { target: target("pg"), act }
}

fn pause(name: &str) -> Action {
    Action::Redis { target: target("cache"), act: RedisAction::Pause { queue: queue_ref(name) } }
}

/// `action` is done from here in second 100; from second `at` on `cache` has this queue.
fn done(action: &Action, servers: &[&str], at: u64, after: &QueueReading) -> Stage {
    let mut kinds = vec![("cache", SystemKind::Redis)];
    kinds.extend(servers.iter().map(|name| (*name, SystemKind::Postgres)));
    let mut stage = Stage::with(&kinds);
    for second in 0..400 {
        if second == 100 {
            stage.world.timeline.asked(action, Now::example(FIRST + second));
        }
        let calm = QueueReading { queue: after.queue.clone(), ..queue("mails") };
        let its = if second >= at { after.clone() } else { calm };
        stage = stage.then(FIRST + second, "cache", redis_at(FIRST + second, vec![its]));
        for name in servers {
            stage = stage.then(FIRST + second, name, postgres(Vec::new()));
        }
    }
    stage
}

/// Whether what was done from here is told at all.
fn is_told(stage: &Stage) -> bool {
    stage.world.alerts.firing().iter().any(|finding| finding.breach.rule == "source.ours")
}

#[test]
fn jobs_whose_sessions_were_ended_from_here_fail_by_our_own_doing() {
    let (cause, effect) = ("source.ours", "queue.failing");
    let text = "terminating connection due to administrator command";
    let fails = |reason: &str| failing("mails", reason, &[]);
    let certain = Some((Tie::Certain, "which was done on pg from here just then"));
    check(&done(&terminate(), &["pg"], 102, &fails(text)), cause, effect, certain);
    let likely = Some((Tie::Likely, text));
    // Somebody may have done the same on another server just then; later, that is as likely.
    check(&done(&terminate(), &["pg", "other"], 102, &fails(text)), cause, effect, likely);
    check(&done(&terminate(), &["pg"], 130, &fails(text)), cause, effect, likely);
    for stage in [
        done(&terminate(), &["pg", "other"], 130, &fails(text)),
        done(&terminate(), &["pg"], 102, &fails("the provider said no")),
        // They failed long before, and long after.
        done(&terminate(), &["pg"], 20, &fails(text)),
        done(&terminate(), &["pg"], 300, &fails(text)),
        done(&pause("mails"), &["pg"], 102, &fails(text)),
    ] {
        assert!(!is_told(&stage), "what explains nothing is not told");
    }
}

#[test]
fn jobs_that_fail_again_after_they_were_retried_from_here_are_known_by_their_ids() {
    let retried = |ids: &[&str]| {
        let ids = ids.iter().map(|id| (*id).to_owned()).collect();
        let act =
            RedisAction::Jobs { queue: queue_ref("mails"), ids, act: JobAct::Retry(RetryOptions::default()) };
        Action::Redis { target: target("cache"), act }
    };
    let redriven = || {
        let act = RedisAction::Redrive {
            queue: queue_ref("mails-dlq"),
            to: Some(queue_ref("mails")),
            letters: Letters::All,
            brake: Brake::default(),
        };
        Action::Redis { target: target("cache"), act }
    };
    // The job 7 failed so long before each look.
    let fails = |id: &str, ago: u64| {
        let mut queue = failing("mails", "boom", &[]);
        let Part::Ready(happened) = &mut queue.happened else { unreachable!("it is told") };
        happened.failed_jobs = vec![(id.to_owned(), secs(ago))];
        queue
    };
    let (cause, effect) = ("source.ours", "queue.failing");
    let certain =
        Some((Tie::Certain, "1 job of those that were made to run again from here failed after that"));
    check(&done(&retried(&["7", "8"]), &[], 102, &fails("7", 0)), cause, effect, certain);
    let letter = fails("redrive-mails-dlq-7-ab12", 0);
    check(&done(&redriven(), &[], 102, &letter), cause, effect, certain);
    let likely = Some((Tie::Likely, "jobs of this queue were retried from here"));
    check(&done(&retried(&["8"]), &[], 102, &fails("7", 0)), cause, effect, likely);
    check(&done(&redriven(), &[], 102, &fails("7", 0)), cause, effect, likely);
    // It is why it was retried.
    check(&done(&retried(&["7"]), &[], 102, &fails("7", 400)), cause, effect, likely);
}

#[test]
fn a_queue_that_was_paused_from_here_says_so_and_another_does_not() {
    let paused = |name: &str| QueueReading { paused: true, waiting: 9, ..queue(name) };
    let certain = Some((Tie::Certain, "the queue was paused from here"));
    check(&done(&pause("mails"), &[], 102, &paused("mails")), "source.ours", "queue.paused", certain);
    assert!(!is_told(&done(&pause("letters"), &[], 102, &paused("mails"))));
    assert!(!is_told(&done(&pause("mails"), &[], 20, &paused("mails"))), "it was paused before");
}

#[test]
fn a_queue_stays_paused_from_here_for_as_long_as_it_is() {
    let paused = QueueReading { paused: true, waiting: 9, ..queue("mails") };
    let mut stage = done(&pause("mails"), &[], 102, &paused);
    for second in (400..2000).step_by(5) {
        stage = stage.then(FIRST + second, "cache", redis_at(FIRST + second, vec![paused.clone()]));
    }
    let certain = Some((Tie::Certain, "the queue was paused from here"));
    check(&stage, "source.ours", "queue.paused", certain);
}

/// The clock of `cache` is ahead of ours by so much, and a job there has waited.
fn clock(ahead: f64, waited: u64) -> Stage {
    let mut stage = Stage::waiting(SystemKind::Redis);
    for second in 0..100 {
        let waits = QueueReading { waiting: 3, oldest_wait: Some(secs(waited)), ..queue("mails") };
        let mut reading = redis(if second >= 70 { vec![waits] } else { Vec::new() });
        reading.clock = Some(ahead);
        stage = stage.then(FIRST + second, "cache", reading);
    }
    stage
}

#[test]
fn an_age_as_large_as_a_clock_is_ahead_is_of_the_clock() {
    let check = |ahead: f64, waited: u64, expected: Expected<'_>| {
        check(&clock(ahead, waited), "source.clock", "queue.wait", expected);
    };
    check(120.0, 122, Some((Tie::Certain, "by a clock that is 2m00s ahead of ours")));
    check(120.0, 1000, None);
    // One that is behind makes no age larger.
    check(-120.0, 122, None);
}

#[test]
fn a_copy_whose_clock_is_ahead_seems_to_be_behind() {
    let lag = |name: &'static str, ahead: f64, expected: Expected<'_>| {
        let mut stage = Stage::with(&[("copy", SystemKind::Postgres), ("pg", SystemKind::Postgres)]);
        for second in 0..100 {
            let late = second >= 70;
            let standby = Standby {
                behind_bytes: Some(if late { 100.0 } else { 0.0 }),
                staleness_seconds: Some(60.0),
                ..Standby::default()
            };
            let mut copy = PostgresReading { standby: Part::Ready(standby), ..postgres(Vec::new()) };
            let mut primary = postgres(Vec::new());
            if name == "copy" {
                copy.clock = Some(ahead);
            } else {
                primary.clock = Some(ahead);
            }
            stage = stage.then(FIRST + second, "copy", copy).then(FIRST + second, "pg", primary);
        }
        check(&stage, "source.clock", "postgres.replication_lag", expected);
    };
    lag("copy", 60.0, Some((Tie::Certain, "the age is 1m00s by a clock")));
    lag("copy", 600.0, None);
    lag("pg", 60.0, None);
}

fn sample(name: &str, labels: &[(&str, &str)], value: f64) -> MetricSample {
    let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    MetricSample { name: name.to_owned(), labels, value }
}

/// A service whose requests take 0.9 s from second 30 on, with these gauges.
fn service(second: u64, gauges: &[(&str, f64)]) -> MetricsReading {
    let long = second.saturating_sub(30) as f64;
    let family = "http_request_duration_seconds";
    let bucket = |le: &str, count| sample(&format!("{family}_bucket"), &[("le", le)], count * 10.0);
    let all = second as f64;
    let mut samples = vec![bucket("0.1", all - long), bucket("1", all), bucket("+Inf", all)];
    samples.extend(gauges.iter().map(|(name, value)| sample(name, &[], *value)));
    let mut kinds = std::collections::BTreeMap::from([(family.to_owned(), MetricKind::Histogram)]);
    kinds.extend(gauges.iter().map(|(name, _)| ((*name).to_owned(), MetricKind::Gauge)));
    MetricsReading { bytes: 99, ..MetricsReading::of(&samples, &kinds) }
}

/// `checkout` and `other` are asked; the gauges of `place` are these from second 30 on, and requests to `checkout` take long.
fn measured(place: &str, gauges: &[(&str, f64)], sessions_of: &str) -> Stage {
    let mut stage = Stage::with(&[
        ("checkout", SystemKind::Metrics),
        ("other", SystemKind::Metrics),
        ("pg", SystemKind::Postgres),
    ]);
    for second in 0..120 {
        let calm: Vec<(&str, f64)> =
            gauges.iter().map(|(name, value)| (*name, if *value > 15.0 { *value } else { 0.0 })).collect();
        for name in ["checkout", "other"] {
            let busy = name == place && second >= 30;
            let at = if name == "checkout" { second } else { second.min(30) };
            let reading = service(at, if busy { gauges } else { &calm });
            stage = stage.then(FIRST + second, name, reading);
        }
        let mut reading =
            if second >= 30 && !sessions_of.is_empty() { two_behind_one() } else { postgres(Vec::new()) };
        if let Part::Ready(sessions) = &mut reading.sessions {
            for session in sessions.iter_mut() {
                sessions_of.clone_into(&mut session.application);
            }
        }
        stage = stage.then(FIRST + second, "pg", reading);
    }
    stage
}

#[test]
fn an_event_loop_that_is_late_is_why_its_own_service_is_slow() {
    let check = |place: &str, expected: Expected<'_>| {
        let stage = measured(place, &[("nodejs_eventloop_lag_p99_seconds", 0.6)], "");
        check(&stage, "metrics.event_loop", "metrics.latency_p95", expected);
    };
    check("checkout", Some((Tie::Likely, "checkout measures both")));
    check("other", None);
}

const POOL: [(&str, f64); 2] = [("db_pool_active", 15.0), ("db_pool_max", 16.0)];

#[test]
fn the_pool_of_a_service_is_full_by_its_own_waiters_and_slows_itself_down() {
    let stage = measured("checkout", &POOL, "checkout");
    let words = "named checkout wait for locks";
    check(&stage, "postgres.blocked", "metrics.pool", Some((Tie::Likely, words)));
    check(&measured("checkout", &POOL, "reports"), "postgres.blocked", "metrics.pool", None);
    let slow = |place: &str, expected: Expected<'_>| {
        check(&measured(place, &POOL, ""), "metrics.pool", "metrics.latency_p95", expected);
    };
    slow("checkout", Some((Tie::Likely, "checkout measures both")));
    slow("other", None);
}

/// Seven minutes of a service of which one of five of what this family counts fails, and of its requests.
fn burning(family: &str) -> Stage {
    let mut stage = Stage::with(&[("checkout", SystemKind::Metrics)]);
    for step in 0..=42_u32 {
        let ended = |name: &str, label: &str, value: &str, count: f64| MetricSample {
            name: name.to_owned(),
            labels: vec![(label.to_owned(), value.to_owned())],
            value: count * f64::from(step),
        };
        let samples = [
            ended("http_requests_total", "code", "200", 80.0),
            ended("http_requests_total", "code", "500", if family.is_empty() { 20.0 } else { 2.0 }),
            ended("job_seconds_count", "status", "completed", 80.0),
            ended("job_seconds_count", "status", "failed", if family.is_empty() { 0.0 } else { 20.0 }),
            ended("job_seconds_bucket", "le", "+Inf", 100.0),
        ];
        let kinds = [
            ("job_seconds".to_owned(), MetricKind::Histogram),
            ("http_requests_total".to_owned(), MetricKind::Counter),
        ];
        let reading = MetricsReading::of(&samples, &kinds.into());
        stage = stage.then(FIRST + u64::from(step) * 10, "checkout", reading);
    }
    stage
}

#[test]
fn a_budget_of_requests_burns_by_the_requests_that_fail_and_one_of_jobs_does_not() {
    let words = "checkout counts both among its requests";
    check(&burning(""), "metrics.errors", "metrics.burn", Some((Tie::Certain, words)));
    check(&burning("job_seconds"), "metrics.errors", "metrics.burn", None);
}
