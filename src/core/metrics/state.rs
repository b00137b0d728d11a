//! What follows from several scrapes of one endpoint: rates of counters, quantiles of histograms over the last minute.

use super::{Disks, MetricKind, MetricsReading, Quantile, quantile};
use crate::core::history::Series;
use crate::core::rate::{self, LEAST_WINDOW, Meter, Window};
use crate::core::time::Now;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

/// Over how long histogram buckets are compared.
pub const WINDOW: Duration = Duration::from_secs(60);
/// At most one snapshot of all buckets is kept for each of these steps.
const STEP: Duration = Duration::from_secs(10);

/// Cumulative buckets by (family, labels without `le`).
type Buckets = HashMap<(String, String), Vec<(f64, f64)>>;

/// What is known of one histogram series over the window.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Distribution {
    /// Observations within the window.
    pub count: f64,
    /// Median.
    pub p50: Option<Quantile>,
    /// 95th percentile.
    pub p95: Option<Quantile>,
    /// 99th percentile.
    pub p99: Option<Quantile>,
}

/// The golden signals of an endpoint, by the names that instrumentation libraries give them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Golden {
    /// Requests per second.
    pub requests: Option<f64>,
    /// Share of requests answered with a 5xx status, 0–1; needs 20 requests in the interval.
    pub errors: Option<f64>,
    /// 95th percentile of request durations over the window, seconds.
    pub p95: Option<Quantile>,
}

/// The latest scrape of an endpoint and everything derived from it and its predecessors.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MetricsState {
    /// The newest reading and when it was made.
    pub latest: Option<(Now, MetricsReading)>,
    /// Increase per second of every counter sample, by (name, labels).
    pub rates: HashMap<(String, String), f64>,
    /// Distributions of every histogram series, by (family, labels without `le`).
    pub distributions: BTreeMap<(String, String), Distribution>,
    /// The golden signals.
    pub golden: Golden,
    /// Requests per second over time.
    pub requests: Series,
    /// The process restarted with the newest scrape.
    pub restarted: bool,
    /// File systems, where the endpoint tells of them.
    pub disks: Disks,
    past: VecDeque<(Now, Buckets)>,
    meter: Meter<MetricsReading>,
}

impl MetricsState {
    /// The newest reading.
    #[must_use]
    pub fn reading(&self) -> Option<&MetricsReading> {
        self.latest.as_ref().map(|(_, reading)| reading)
    }

    /// Takes in a new reading: derives rates against its predecessor over the measured time between them.
    pub fn absorb(&mut self, reading: MetricsReading, now: Now) {
        let before = self.latest.take();
        self.restarted = before.as_ref().is_some_and(|(_, old)| start_time(old) != start_time(&reading));
        if self.restarted {
            self.past.clear();
            self.meter.begin_anew();
        }
        match self.meter.window(before, now) {
            Window::Early => {}
            Window::Nothing => self.rates = HashMap::new(),
            Window::Over(old, elapsed) => self.rates = rates(&old, &reading, elapsed),
        }
        let buckets = buckets(&reading);
        self.distributions = match self.past.front().filter(|(at, _)| now.since(*at) >= LEAST_WINDOW) {
            Some((_, old)) => distributions(old, &buckets),
            None => BTreeMap::new(),
        };
        if self.past.back().is_none_or(|(at, _)| now.since(*at) >= STEP) {
            self.past.push_back((now, buckets));
        }
        while self.past.len() > 1 && self.past.get(1).is_some_and(|(at, _)| now.since(*at) >= WINDOW) {
            self.past.pop_front();
        }
        self.golden = golden(&reading, &self.rates, &self.distributions);
        self.requests.push(self.golden.requests);
        self.disks.absorb(&reading, now);
        self.latest = Some((now, reading));
    }

    /// Nobody was running for a while: what is counted from poll to poll begins anew.
    pub fn interrupt(&mut self) {
        self.past.clear();
        self.meter.begin_anew();
    }

    /// Notes that a poll failed: every history gets an explicit gap; the latest reading stays (its age is shown).
    pub fn gap(&mut self) {
        self.requests.push(None);
    }
}

/// When the process behind the endpoint started; a cluster of processes answers with another one each time.
fn start_time(reading: &MetricsReading) -> Option<f64> {
    reading
        .samples
        .iter()
        .find(|sample| sample.name == "process_start_time_seconds")
        .map(|sample| sample.value)
}

fn rates(old: &MetricsReading, new: &MetricsReading, elapsed: Duration) -> HashMap<(String, String), f64> {
    let counts = |reading: &MetricsReading, name: &str| {
        let (family, kind) = reading.family(name);
        match kind {
            MetricKind::Counter => true,
            MetricKind::Histogram | MetricKind::Summary => name != family && !name.ends_with("_bucket"),
            MetricKind::Gauge | MetricKind::Untyped => false,
        }
    };
    let before: HashMap<(&str, String), f64> = old
        .samples
        .iter()
        .filter(|sample| counts(new, &sample.name))
        .map(|sample| ((sample.name.as_str(), sample.series("")), sample.value))
        .collect();
    new.samples
        .iter()
        .filter(|sample| counts(new, &sample.name))
        .filter_map(|sample| {
            let series = sample.series("");
            let earlier = before.get(&(sample.name.as_str(), series.clone()))?;
            Some(((sample.name.clone(), series), rate::per_second(*earlier, sample.value, elapsed)?))
        })
        .collect()
}

fn buckets(reading: &MetricsReading) -> Buckets {
    let mut all: Buckets = HashMap::new();
    for sample in &reading.samples {
        let Some(family) = sample.name.strip_suffix("_bucket") else { continue };
        let Some(bound) = sample.label("le").and_then(|bound| bound.parse::<f64>().ok()) else { continue };
        all.entry((family.to_owned(), sample.series("le"))).or_default().push((bound, sample.value));
    }
    all
}

/// The growth of one series' buckets; `None` when a bucket shrank (reset) or the layout changed.
fn growth(old: &[(f64, f64)], new: &[(f64, f64)]) -> Option<Vec<(f64, f64)>> {
    if old.len() != new.len() {
        return None;
    }
    new.iter()
        .map(|(bound, count)| {
            let (_, before) = old.iter().find(|(known, _)| known.total_cmp(bound).is_eq())?;
            Some((*bound, rate::increase(*before, *count)?))
        })
        .collect()
}

fn distribution(grown: &[(f64, f64)]) -> Distribution {
    Distribution {
        count: grown.iter().map(|(_, count)| *count).fold(0.0, f64::max),
        p50: quantile(0.5, grown),
        p95: quantile(0.95, grown),
        p99: quantile(0.99, grown),
    }
}

fn distributions(old: &Buckets, new: &Buckets) -> BTreeMap<(String, String), Distribution> {
    let mut sums: HashMap<&str, Option<Vec<(f64, f64)>>> = HashMap::new();
    let mut all = BTreeMap::new();
    for (key, buckets) in new {
        let Some(grown) = old.get(key).and_then(|old| growth(old, buckets)) else { continue };
        let sum = sums
            .entry(&key.0)
            .or_insert_with(|| Some(grown.iter().map(|(bound, _)| (*bound, 0.0)).collect()));
        // Different layouts must not be added up.
        *sum = sum.take().and_then(|sum| add(sum, &grown));
        all.insert(key.clone(), distribution(&grown));
    }
    for (family, sum) in sums {
        if let Some(sum) = sum {
            all.insert((family.to_owned(), ALL_SERIES.to_owned()), distribution(&sum));
        }
    }
    all
}

/// The key under which the sum over all series of a family stands.
pub const ALL_SERIES: &str = "(all)";

fn add(mut sum: Vec<(f64, f64)>, grown: &[(f64, f64)]) -> Option<Vec<(f64, f64)>> {
    if sum.len() != grown.len() {
        return None;
    }
    for (bound, count) in grown {
        sum.iter_mut().find(|(known, _)| known.total_cmp(bound).is_eq())?.1 += count;
    }
    Some(sum)
}

/// Names under which libraries count requests and measure their durations.
const REQUESTS: [&str; 4] =
    ["http_requests_total", "http_server_requests_total", "http_request_count_total", "requests_total"];
const DURATIONS: [&str; 5] = [
    "http_request_duration_seconds",
    "http_server_request_duration_seconds",
    "http_server_requests_seconds",
    "http_request_duration_ms",
    "request_duration_seconds",
];
/// Labels that carry the status of a request.
const STATUS: [&str; 4] = ["status", "code", "status_code", "http_response_status_code"];

fn golden(
    reading: &MetricsReading,
    rates: &HashMap<(String, String), f64>,
    distributions: &BTreeMap<(String, String), Distribution>,
) -> Golden {
    let mut golden = Golden::default();
    if let Some(name) =
        REQUESTS.iter().find(|name| reading.samples.iter().any(|sample| sample.name == **name))
    {
        let (mut all, mut failed, mut known, mut labelled) = (0.0, 0.0, false, false);
        for sample in reading.samples.iter().filter(|sample| sample.name == *name) {
            let Some(rate) = rates.get(&(sample.name.clone(), sample.series(""))) else { continue };
            known = true;
            all += rate;
            if let Some(status) = STATUS.iter().find_map(|label| sample.label(label)) {
                labelled = true;
                if status.starts_with('5') {
                    failed += rate;
                }
            }
        }
        golden.requests = known.then_some(all);
        golden.errors = if labelled { rate::ratio(failed, all, 0.2) } else { None };
    }
    golden.p95 = DURATIONS.iter().find_map(|family| {
        let found = distributions.get(&((*family).to_owned(), ALL_SERIES.to_owned()))?.p95?;
        Some(if family.ends_with("_ms") { scaled(found) } else { found })
    });
    golden
}

fn scaled(quantile: Quantile) -> Quantile {
    match quantile {
        Quantile::Value(ms) => Quantile::Value(ms / 1000.0),
        Quantile::Above(ms) => Quantile::Above(ms / 1000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::metrics::MetricSample;

    fn sample(name: &str, labels: &[(&str, &str)], value: f64) -> MetricSample {
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        MetricSample { name: name.to_owned(), labels, value }
    }

    fn reading(ok: f64, failed: f64, started: f64) -> MetricsReading {
        let bucket = |le: &str, count| sample("http_request_duration_seconds_bucket", &[("le", le)], count);
        MetricsReading {
            samples: vec![
                sample("process_start_time_seconds", &[], started),
                sample("http_requests_total", &[("status", "200")], ok),
                sample("http_requests_total", &[("status", "503")], failed),
                bucket("0.1", ok),
                bucket("1", ok + failed),
                bucket("+Inf", ok + failed),
            ],
            kinds: [("http_request_duration_seconds".to_owned(), MetricKind::Histogram)].into(),
            ..MetricsReading::default()
        }
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
        state.absorb(reading(2000.0, 60.0, 2.0), Now::example(10));
        assert!(state.restarted);
        assert!(state.rates.is_empty());
        assert_eq!(state.golden.requests, None);
    }
}
