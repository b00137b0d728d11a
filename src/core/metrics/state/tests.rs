//! The tests of what follows from several scrapes.

use super::*;
use crate::core::metrics::{MetricKind, MetricSample};

fn sample(name: &str, labels: &[(&str, &str)], value: f64) -> MetricSample {
    let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    MetricSample { name: name.to_owned(), labels, value }
}

fn reading(ok: f64, failed: f64, started: f64) -> MetricsReading {
    let bucket = |le: &str, count| sample("http_request_duration_seconds_bucket", &[("le", le)], count);
    MetricsReading::of(
        &[
            sample("process_start_time_seconds", &[], started),
            sample("http_requests_total", &[("status", "200")], ok),
            sample("http_requests_total", &[("status", "503")], failed),
            bucket("0.1", ok),
            bucket("1", ok + failed),
            bucket("+Inf", ok + failed),
        ],
        &[("http_request_duration_seconds".to_owned(), MetricKind::Histogram)].into(),
    )
}

#[test]
fn golden_signals_come_from_deltas() {
    let mut state = MetricsState::default();
    state.absorb(reading(1000.0, 50.0, 1.0), Now::example(0));
    assert_eq!(state.golden, Golden::default());
    state.absorb(reading(1090.0, 60.0, 1.0), Now::example(10));
    assert_eq!(state.golden.requests, Some(10.0));
    assert_eq!(state.golden.errors, Some(0.1));
    assert_eq!(state.golden.p95, Some(Quantile::Value(0.55)));
}

#[test]
fn polls_that_come_too_soon_change_no_signal() {
    let mut state = MetricsState::default();
    state.absorb(reading(1000.0, 50.0, 1.0), Now::example(0));
    state.absorb(reading(1090.0, 60.0, 1.0), Now::example(10));
    let golden = state.golden.clone();
    for at in 1..=6 {
        let now = Now::example(10).plus(Duration::from_millis(at * 100));
        state.absorb(reading(1091.0, 60.0, 1.0), now);
        assert_eq!((&state.golden.requests, &state.golden.errors), (&golden.requests, &golden.errors));
    }
}

#[test]
fn another_process_is_no_rate() {
    let mut state = MetricsState::default();
    state.absorb(reading(1000.0, 50.0, 1.0), Now::example(0));
    state.absorb(reading(2000.0, 60.0, 20.0), Now::example(10));
    assert!(state.restarted);
    assert_eq!(state.rates, None);
    assert_eq!(state.golden.requests, None);
}

#[test]
fn processes_that_answer_in_turn_are_kept_apart_and_added_up() {
    let mut state = MetricsState::default();
    // Three processes, one answer each second, each has ten requests a second; one tells its start a bit differently each time.
    for second in 0..60_u32 {
        let process = f64::from(second % 3);
        let jitter = if second % 2 == 0 { 0.4 } else { -0.4 };
        let done = 1000.0 * process + 10.0 * f64::from(second);
        state.absorb(reading(done, 0.0, 100.0 * process + jitter), Now::example(u64::from(second)));
    }
    assert_eq!(state.in_turn, 3);
    assert!(!state.restarted);
    assert!(state.golden.requests.is_some_and(|rate| (rate - 30.0).abs() < 0.1), "{:?}", state.golden);
    // One alone that tells its start anew each time has rates, too.
    let mut alone = MetricsState::default();
    for second in (0..30_u32).step_by(5) {
        alone.absorb(
            reading(10.0 * f64::from(second), 0.0, 7.0 + f64::from(second) / 20.0),
            Now::example(u64::from(second)),
        );
    }
    assert_eq!((alone.in_turn, alone.golden.requests), (1, Some(10.0)));
}

#[test]
fn few_requests_are_judged_over_a_minute() {
    let mut state = MetricsState::default();
    for step in 0..=10_u32 {
        let done = f64::from(step);
        state.absorb(reading(100.0 + done, 50.0 + done, 1.0), Now::example(u64::from(step) * 5));
    }
    assert_eq!(state.golden.errors, Some(0.5));
}

/// What a service answers, scraped each five seconds for so many: `failed` says which of its requests fail.
fn shares(seconds: u32, each: u32, count: u32, failed: impl Fn(u32) -> bool) -> Vec<(u32, Option<f64>, f64)> {
    let mut state = MetricsState::default();
    let (mut good, mut bad, mut asked) = (0.0, 0.0, 0);
    let mut seen = Vec::new();
    for second in 0..=seconds {
        if second > 0 && second % each == 0 {
            for _ in 0..count {
                asked += 1;
                *(if failed(asked) { &mut bad } else { &mut good }) += 1.0;
            }
        }
        if second % 5 == 0 {
            state.absorb(reading(good, bad, 1.0), Now::example(u64::from(second)));
            seen.push((second, state.golden.errors, state.golden.failed));
        }
    }
    seen
}

/// Five requests a minute, one of three fails: told within two minutes, and then without a break.
#[test]
fn a_quiet_service_neither_flaps_nor_hides() {
    for (second, share, failed) in shares(1800, 12, 1, |asked| asked % 3 == 0) {
        if second >= 120 {
            let share = share.unwrap_or_else(|| panic!("{second}: nothing is told"));
            assert!((0.25..0.42).contains(&share) && failed >= 3.0, "{second}: {share} {failed}");
        }
    }
}

#[test]
fn one_request_that_fails_is_a_share_of_a_hundred_and_an_outage_is_seen_at_once() {
    // Two a second, and one of two hundred fails: never five of a hundred.
    for (second, share, _) in shares(600, 1, 2, |asked| asked % 200 == 0).into_iter().skip(11) {
        assert!(share.is_some_and(|share| share <= 0.011), "{second}: {share:?}");
    }
    // A hundred a second, all of which fail after a minute, for ten seconds.
    let told = shares(120, 1, 100, |asked| (6000..7000).contains(&asked));
    let at = |second: u32| told.iter().find(|(at, ..)| *at == second).and_then(|(_, share, _)| *share);
    assert_eq!(
        [at(60), at(65), at(70), at(75), at(80)],
        [Some(0.002), Some(1.0), Some(0.998), Some(0.0), Some(0.0)]
    );
}

#[test]
fn after_a_gap_the_last_minute_is_the_last_minute() {
    let mut state = MetricsState::default();
    let spread = |state: &MetricsState| state.spread("http_request_duration_seconds").map(|all| all.count);
    for step in 0..=12_u32 {
        state.absorb(reading(100.0 * f64::from(step), 0.0, 1.0), Now::example(u64::from(step) * 5));
    }
    assert_eq!(spread(&state), Some(1200.0));
    state.gap(Now::example(62));
    state.absorb(reading(90_000.0, 0.0, 1.0), Now::example(660));
    assert_eq!(spread(&state), None);
    state.absorb(reading(90_100.0, 0.0, 1.0), Now::example(665));
    assert_eq!(spread(&state), Some(100.0));
}
