//! What a poll of the shop's Prometheus, and a scrape of its API, would say.

use super::sim::{Sim, TROUBLE_AT};
use crate::core::focus::Focus;
use crate::core::metrics::{MetricKind, MetricSample, MetricsReading};
use crate::core::part::Part;
use crate::core::prometheus::{
    AlertingRule, PanelReading, PrometheusReading, Range, RangeReading, RulesReading, ScrapeTarget,
};
use std::time::Duration;

/// The alert fires this long after the trouble began.
const ALERT_AFTER: f64 = 20.0;

/// The Prometheus server.
pub(super) fn prometheus(sim: &Sim, focus: &[Focus]) -> PrometheusReading {
    let target = |job: &str, instance: &str| ScrapeTarget {
        job: job.to_owned(),
        instance: instance.to_owned(),
        health: "up".to_owned(),
        last_error: String::new(),
        took_seconds: 0.004 * sim.wave(40),
    };
    let fires = sim.blocked() && sim.told > TROUBLE_AT + ALERT_AFTER;
    let alert = AlertingRule {
        group: "shop".to_owned(),
        name: "CheckoutErrorsHigh".to_owned(),
        labels: String::new(),
        state: "firing".to_owned(),
        severity: "warning".to_owned(),
        error: String::new(),
        query: "sum(rate(http_requests_total{code=~\"5..\"}[1m])) > 1".to_owned(),
        summary: "more than one checkout per second fails".to_owned(),
        all_labels: vec![
            ("alertname".to_owned(), "CheckoutErrorsHigh".to_owned()),
            ("service".to_owned(), "shop-api".to_owned()),
        ],
        muted: None,
        active_for: Some(Duration::from_secs_f64((sim.told - TROUBLE_AT - ALERT_AFTER).max(0.0))),
    };
    PrometheusReading {
        alertmanagers: Part::NotAsked,
        version: Part::Ready("3.1.0".to_owned()),
        targets: Part::Ready(vec![
            target("api", "shop-api:9100"),
            target("node", "db-1:9100"),
            target("node", "db-2:9100"),
        ]),
        rules: Part::Ready(RulesReading {
            total: 14,
            alerting: 14,
            notable: if fires { vec![alert] } else { Vec::new() },
        }),
        muted: Part::NotAsked,
        panels: vec![PanelReading {
            title: "checkouts per minute".to_owned(),
            series: Part::Ready(vec![(
                String::new(),
                if sim.blocked() { 31.0 } else { 212.0 } * sim.wave(41),
            )]),
            ..PanelReading::default()
        }],
        ranges: focus.iter().filter_map(Focus::range).map(|range| past(sim, range)).collect(),
        names: if focus.contains(&Focus::MetricNames) {
            Part::Ready(NAMES.map(str::to_owned).to_vec())
        } else {
            Part::NotAsked
        },
    }
}

/// The metrics that the demo's Prometheus knows.
const NAMES: [&str; 4] =
    ["checkouts_total", "http_requests_total", "nodejs_eventloop_lag_seconds", "process_start_time_seconds"];

/// The past of an expression: calm, and since the trouble began less of everything.
fn past(sim: &Sim, range: &Range) -> RangeReading {
    let (columns, step) = (range.columns(), range.step().as_secs_f64());
    let value = |column: usize| {
        let ago = (columns - 1 - column) as f64 * step;
        let trouble = sim.blocked() && ago < sim.told - TROUBLE_AT;
        let day = (column as f64 / columns as f64 * std::f64::consts::TAU).sin();
        if trouble { 31.0 } else { 212.0 + 20.0 * day }
    };
    // What no panel shows and no name stands for is not known.
    let known = NAMES.iter().any(|name| range.expr.contains(name));
    let series = if known { vec![(String::new(), (0..columns).map(value).collect())] } else { Vec::new() };
    let series = Part::Ready(series);
    RangeReading { range: range.clone(), series, cut: false }
}

fn sample(name: &str, labels: &[(&str, &str)], value: f64) -> MetricSample {
    let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    MetricSample { name: name.to_owned(), labels, value }
}

/// The API's own exposition.
pub(super) fn api(sim: &Sim) -> MetricsReading {
    let counters = &sim.counters;
    let (all, failed, slow) = (counters.requests.floor(), counters.errors.floor(), counters.slow.floor());
    let fast = all - slow;
    let bucket =
        |le: &str, count: f64| sample("http_request_duration_seconds_bucket", &[("le", le)], count.floor());
    let samples = vec![
        sample("process_start_time_seconds", &[], 1.7e9),
        sample("http_requests_total", &[("code", "200")], all - failed),
        sample("http_requests_total", &[("code", "503")], failed),
        bucket("0.05", fast * 0.8),
        bucket("0.1", fast * 0.95),
        bucket("0.25", fast * 0.99),
        bucket("0.5", fast),
        bucket("2.5", fast + slow * 0.2),
        bucket("5", all),
        bucket("+Inf", all),
        sample("http_request_duration_seconds_count", &[], all),
        sample("http_request_duration_seconds_sum", &[], fast * 0.04 + slow * 3.1),
        sample("nodejs_eventloop_lag_seconds", &[], 0.004 * sim.wave(42)),
        sample("db_pool_connections", &[("state", "busy")], 6.0 + sim.waiters.len() as f64),
        sample("db_pool_connections", &[("state", "idle")], 14.0 - sim.waiters.len() as f64),
    ];
    let kind = |name: &str, kind: MetricKind| (name.to_owned(), kind);
    let kinds = [
        kind("http_requests_total", MetricKind::Counter),
        kind("http_request_duration_seconds", MetricKind::Histogram),
        kind("nodejs_eventloop_lag_seconds", MetricKind::Gauge),
        kind("db_pool_connections", MetricKind::Gauge),
        kind("process_start_time_seconds", MetricKind::Gauge),
    ];
    MetricsReading { bytes: 1400, ..MetricsReading::of(&samples, &kinds.into()) }
}
