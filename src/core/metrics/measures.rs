//! Which samples of an endpoint measure and count what it does: found once for all scrapes with the same samples. Pure.

use super::buckets::{Buckets, Together};
use super::layout::{Layout, Named};
use super::operation::{Operation, is_of_an_application, stem, unit};
use super::requests::{self, Requests};
use super::{MetricKind, MetricsReading};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// More are not followed: each has an hour of what it counted.
const MOST: usize = 12;

/// Names under which libraries measure how long requests take, where it is not the family that counts them.
const DURATIONS: [&str; 9] = [
    "http_request_duration_seconds",
    "http_server_request_duration_seconds",
    "http_server_requests_seconds",
    "http_server_duration_milliseconds",
    "http_request_duration_ms",
    "http_request_duration_highr_seconds",
    "traefik_entrypoint_request_duration_seconds",
    "grpc_server_handling_seconds",
    "request_duration_seconds",
];

/// The families that may tell how long requests take, the likeliest first.
pub(super) fn durations(requests: Option<&Requests>) -> impl Iterator<Item = &str> {
    requests.map(|requests| requests.family.as_str()).into_iter().chain(DURATIONS)
}

/// What a sample counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counts {
    /// What ended well, or nobody knows how.
    Ended,
    /// What ended badly.
    Failed,
    /// What ended badly, and is counted elsewhere, too.
    FailedBeside,
}

/// Where it is told how long something takes.
#[derive(Clone, Debug, PartialEq)]
enum Durations {
    Nowhere,
    /// The numbers of the series of a histogram.
    Histogram(BTreeSet<usize>),
    /// The samples of a summary's quantiles: the median, the 95th and the 99th percentile.
    Summary([Vec<usize>; 3]),
}

/// What measures one operation.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Measure {
    pub(super) operation: Operation,
    /// The family that tells how long it takes; the one that counts it where none does.
    pub(super) family: String,
    /// Seconds in its unit.
    pub(super) unit: f64,
    durations: Durations,
    counters: Vec<(usize, Counts)>,
    /// Some of its counters say how it ended.
    pub(super) told: bool,
}

/// How long an operation took, as far as that is told.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Took {
    /// Nothing tells it.
    Unknown,
    /// What its buckets grew by.
    Buckets(Together),
    /// The largest of each quantile, and of how many series.
    Quantiles([Option<f64>; 3], usize),
}

/// All of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Measures(pub(super) Vec<Measure>);

impl Measures {
    /// What there is among these samples. `named` are the families that the configuration names for operations.
    pub(super) fn of(
        layout: &Layout,
        requests: Option<&Requests>,
        named: &BTreeMap<Operation, String>,
    ) -> Self {
        let mut all = Vec::new();
        for operation in Operation::ALL {
            if operation.is_request() {
                all.extend(request(layout, requests, operation));
                continue;
            }
            let family = |(name, kind): (&str, MetricKind)| {
                let timed = matches!(kind, MetricKind::Histogram | MetricKind::Summary);
                if let Some(wanted) = named.get(&operation) {
                    return (timed && name == wanted).then(|| unit(&name.to_lowercase()).unwrap_or(1.0));
                }
                let lower = name.to_lowercase();
                let fits = timed && operation.measured_by(&lower) && is_of_an_application(&lower);
                unit(&lower).filter(|_| fits)
            };
            let found = layout.families().filter_map(|known| Some((known.0, known.1, family(known)?)));
            all.extend(found.filter_map(|found| other(layout, operation, found)));
        }
        all.truncate(MOST);
        Self(all)
    }

    /// What each of them counted between two scrapes of one process: all, and what ended badly.
    pub(super) fn counted(&self, old: &MetricsReading, new: &MetricsReading) -> Vec<(f64, f64)> {
        let same = old.is_like(new);
        let mut known: HashMap<(&str, String), f64> = HashMap::new();
        if !same {
            let counters = self.0.iter().flat_map(|measure| &measure.counters);
            let names: BTreeSet<&str> = counters.map(|(index, _)| new.layout.sample(*index).name()).collect();
            let ours = old.samples().filter(|(sample, _)| names.contains(sample.name()));
            known.extend(ours.map(|(sample, value)| ((sample.name(), sample.series("")), value)));
        }
        let before = |index: usize| {
            if same {
                return Some(old.value(index));
            }
            let sample = new.layout.sample(index);
            // A series that begins counts from nothing.
            known
                .get(&(sample.name(), sample.series("")))
                .copied()
                .or_else(|| (!old.truncated).then_some(0.0))
        };
        self.0.iter().map(|measure| measure.counted(&before, new)).collect()
    }
}

impl Measure {
    fn counted(&self, before: &impl Fn(usize) -> Option<f64>, new: &MetricsReading) -> (f64, f64) {
        let (mut all, mut failed) = (0.0, 0.0);
        for (index, counts) in &self.counters {
            let grown = before(*index).map(|before| new.value(*index) - before);
            let Some(grown) = grown.filter(|grown| grown.is_finite() && *grown >= 0.0) else { continue };
            all += if *counts == Counts::FailedBeside { 0.0 } else { grown };
            failed += if *counts == Counts::Ended { 0.0 } else { grown };
        }
        (f64::max(all, failed), failed)
    }

    /// How long it took since these buckets.
    pub(super) fn took(&self, since: Option<&Buckets>, new: &MetricsReading) -> Took {
        match &self.durations {
            Durations::Nowhere => Took::Unknown,
            Durations::Histogram(series) => Took::Buckets(since.map_or(Together::Nothing, |old| {
                old.sum(new, &self.family, |number| series.contains(&number))
            })),
            Durations::Summary(places) => {
                let most = |places: &Vec<usize>| {
                    let told = places.iter().map(|index| new.value(*index) * self.unit);
                    told.filter(|value| value.is_finite()).reduce(f64::max)
                };
                let series = places.iter().map(Vec::len).max().unwrap_or_default();
                Took::Quantiles([most(&places[0]), most(&places[1]), most(&places[2])], series)
            }
        }
    }

    /// Whether a histogram tells how long it takes.
    pub(super) const fn has_buckets(&self) -> bool {
        matches!(self.durations, Durations::Histogram(_))
    }
}

/// Where `family` tells how long this operation takes.
fn timed(layout: &Layout, operation: Operation, family: &str, kind: MetricKind) -> Durations {
    let has = |labels: &str| operation.has(labels);
    if kind == MetricKind::Summary {
        let mut places = [const { Vec::new() }; 3];
        for sample in layout.samples().filter(|sample| sample.name() == family) {
            let place = match sample.label("quantile").and_then(|quantile| quantile.parse::<f64>().ok()) {
                Some(quantile) if (quantile - 0.5).abs() < 1e-9 => 0,
                Some(quantile) if (quantile - 0.95).abs() < 1e-9 => 1,
                Some(quantile) if (quantile - 0.99).abs() < 1e-9 => 2,
                _ => continue,
            };
            if has(&sample.series("quantile")) {
                places[place].push(sample.index());
            }
        }
        let none = places.iter().all(Vec::is_empty);
        return if none { Durations::Nowhere } else { Durations::Summary(places) };
    }
    let series = layout.histograms(family).filter(|series| has(&layout.labels_of(*series)));
    let series: BTreeSet<usize> = series.collect();
    if series.is_empty() { Durations::Nowhere } else { Durations::Histogram(series) }
}

/// What measures one kind of request.
fn request(layout: &Layout, requests: Option<&Requests>, operation: Operation) -> Option<Measure> {
    let counters: Vec<(usize, Option<bool>)> = requests
        .into_iter()
        .flat_map(Requests::samples)
        .filter(|index| operation.has(&layout.sample(*index).series("")))
        .map(|index| (index, requests::failed(layout.sample(index))))
        .collect();
    let family = durations(requests).find_map(|name| {
        let (_, kind) = layout.families().find(|(known, _)| *known == name)?;
        let found = timed(layout, operation, name, kind);
        (found != Durations::Nowhere).then(|| (name.to_owned(), found))
    });
    if counters.is_empty() && family.is_none() {
        return None;
    }
    let told = counters.iter().any(|(_, failed)| failed.is_some());
    let counts = |failed: Option<bool>| if failed == Some(true) { Counts::Failed } else { Counts::Ended };
    let mut counters: Vec<_> = counters.into_iter().map(|(index, failed)| (index, counts(failed))).collect();
    let (family, durations) = match family {
        Some(found) => found,
        None => (requests?.family.clone(), Durations::Nowhere),
    };
    if counters.is_empty() {
        counters = samples(layout, &format!("{family}_count"), operation)
            .map(|sample| (sample.index(), Counts::Ended))
            .collect();
    }
    let unit = unit(&family.to_lowercase()).unwrap_or(1.0);
    Some(Measure { operation, family, unit, durations, counters, told })
}

/// The samples of this name that are of an operation.
fn samples<'a>(layout: &'a Layout, name: &str, operation: Operation) -> impl Iterator<Item = Named<'a>> {
    let name = name.to_owned();
    let ours = move |sample: &Named<'_>| sample.name() == name && operation.has(&sample.series(""));
    layout.samples().filter(ours)
}

/// What a family measures that is no request. How it ended is told by labels of its own, by a counter of the same thing that has such labels,
/// or by one that counts failures only.
fn other(
    layout: &Layout,
    operation: Operation,
    (family, kind, unit): (&str, MetricKind, f64),
) -> Option<Measure> {
    let durations = timed(layout, operation, family, kind);
    if durations == Durations::Nowhere {
        return None;
    }
    let counts = |sample: Named<'_>| {
        let failed = went(sample);
        let counts = if failed == Some(true) { Counts::Failed } else { Counts::Ended };
        ((sample.index(), counts), failed.is_some())
    };
    let split = |all: Vec<((usize, Counts), bool)>| {
        let told = all.iter().any(|(_, told)| *told);
        (all.into_iter().map(|(counter, _)| counter).collect::<Vec<_>>(), told)
    };
    let own = samples(layout, &format!("{family}_count"), operation).map(counts).collect();
    let (mut counters, mut told) = split(own);
    let same = |sample: &Named<'_>| {
        let (name, kind) = sample.family();
        kind == MetricKind::Counter
            && name != family
            && operation.has(&sample.series(""))
            && stem(without_failure(&name.to_lowercase())) == stem(&family.to_lowercase())
    };
    let beside: Vec<Named<'_>> = if told { Vec::new() } else { layout.samples().filter(same).collect() };
    let (failures, ends): (Vec<_>, Vec<_>) = beside.into_iter().partition(|sample| {
        let name = sample.family().0.to_lowercase();
        without_failure(&name).len() < name.strip_suffix("_total").unwrap_or(&name).len()
    });
    let (ends, they_tell) = split(ends.into_iter().map(counts).collect());
    if they_tell {
        (counters, told) = (ends, true);
    } else if !failures.is_empty() {
        counters.extend(failures.into_iter().map(|sample| (sample.index(), Counts::FailedBeside)));
        told = true;
    }
    Some(Measure { operation, family: family.to_owned(), unit, durations, counters, told })
}

/// A name without what says that it counts failures.
fn without_failure(name: &str) -> &str {
    let bare = name.strip_suffix("_total").unwrap_or(name);
    ["_failed", "_failures", "_failure", "_errors", "_error"]
        .iter()
        .find_map(|end| bare.strip_suffix(end))
        .unwrap_or(bare)
}

/// Whether what a sample counts ended badly, by one of its labels.
fn went(sample: Named<'_>) -> Option<bool> {
    let by_label = |(label, value): (&str, &str)| {
        let value = value.to_lowercase();
        match label.to_lowercase().as_str() {
            "status" | "result" | "outcome" | "state" => match value.as_str() {
                "failed" | "failure" | "fail" | "error" | "errored" | "timeout" | "exception" => Some(true),
                "ok" | "success" | "successful" | "succeeded" | "completed" | "complete" | "done" => {
                    Some(false)
                }
                _ => None,
            },
            "success" | "ok" => truth(&value).map(|good| !good),
            "error" | "failed" => truth(&value),
            _ => None,
        }
    };
    sample.labels().find_map(by_label).or_else(|| requests::failed(sample))
}

fn truth(value: &str) -> Option<bool> {
    match value {
        "true" | "1" | "yes" => Some(true),
        "false" | "0" | "no" | "none" => Some(false),
        _ => None,
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

    fn histogram(family: &str, labels: &[(&str, &str)], count: f64) -> Vec<MetricSample> {
        let with = |bound| labels.iter().copied().chain([("le", bound)]).collect::<Vec<_>>();
        vec![
            sample(&format!("{family}_bucket"), &with("1"), count),
            sample(&format!("{family}_bucket"), &with("+Inf"), count),
            sample(&format!("{family}_count"), labels, count),
        ]
    }

    fn reading(samples: &[MetricSample]) -> MetricsReading {
        let kinds = samples.iter().map(|sample| match sample.name.strip_suffix("_bucket") {
            Some(family) => (family.to_owned(), MetricKind::Histogram),
            None if sample.name.ends_with("_total") => (sample.name.clone(), MetricKind::Counter),
            None => (sample.name.clone(), MetricKind::Gauge),
        });
        let kinds: BTreeMap<_, _> = kinds.filter(|(name, _)| !name.ends_with("_count")).collect();
        MetricsReading::of(samples, &kinds)
    }

    fn found(reading: &MetricsReading, named: &BTreeMap<Operation, String>) -> Measures {
        let requests = Requests::of(reading, None);
        Measures::of(&reading.layout, requests.as_ref(), named)
    }

    #[track_caller]
    fn measures(family: &str, expected: &[Operation]) {
        let labels = [[("kind", "simple")], [("kind", "complex")]];
        let samples: Vec<_> = labels.iter().flat_map(|labels| histogram(family, labels, 1.0)).collect();
        let all = found(&reading(&samples), &BTreeMap::new());
        let operations: Vec<Operation> = all.0.iter().map(|measure| measure.operation).collect();
        assert_eq!(operations, expected, "{family}");
    }

    #[test]
    fn operations_are_known_by_the_names_of_their_histograms() {
        use Operation::{Cache, ComplexQuery, Job, Query, Request, Search, SimpleQuery};
        let queries = [Query, SimpleQuery, ComplexQuery];
        measures("db_query_duration_seconds", &queries);
        measures("prisma_client_queries_duration_histogram_ms", &queries);
        measures("elasticsearch_query_duration_seconds", &[Search]);
        measures("app_search_duration_seconds", &[Search]);
        measures("job_processing_duration_seconds", &[Job]);
        measures("job_wait_seconds", &[]);
        measures("cache_lookup_duration_seconds", &[Cache]);
        measures("http_request_duration_seconds", &[Request]);
        measures("prometheus_engine_query_duration_seconds", &[]);
        measures("db_query_duration", &[]);
        measures("db_query_rows", &[]);
    }

    #[test]
    fn a_family_that_is_named_for_an_operation_takes_the_place_of_others() {
        let samples = [histogram("job_seconds", &[], 1.0), histogram("mailing", &[], 1.0)].concat();
        let named = BTreeMap::from([(Operation::Job, "mailing".to_owned())]);
        let all = found(&reading(&samples), &named);
        let told: Vec<_> = all.0.iter().map(|one| (one.operation, one.family.as_str(), one.unit)).collect();
        assert_eq!(told, [(Operation::Job, "mailing", 1.0)]);
        let gone = BTreeMap::from([(Operation::Job, "none".to_owned())]);
        assert!(found(&reading(&samples), &gone).0.is_empty());
    }

    /// What the first measure of these samples counts, which grow from nothing to what they are.
    #[track_caller]
    fn ends(samples: &[Vec<MetricSample>], expected: Option<(f64, f64)>) {
        let after = samples.concat();
        let zero: Vec<_> = after.iter().map(|sample| MetricSample { value: 0.0, ..sample.clone() }).collect();
        let (old, new) = (reading(&zero), reading(&after));
        let all = found(&new, &BTreeMap::new());
        let told = all.0.first().filter(|measure| measure.told).map(|_| all.counted(&old, &new)[0]);
        assert_eq!(told, expected, "{samples:?}");
    }

    #[test]
    fn how_it_ended_is_told_by_labels_or_by_a_counter_of_the_same_thing() {
        let jobs = |labels: &[(&str, &str)], count| histogram("job_duration_seconds", labels, count);
        let counter = |name: &str, labels: &[(&str, &str)], count| vec![sample(name, labels, count)];
        ends(
            &[jobs(&[("status", "completed")], 90.0), jobs(&[("status", "failed")], 10.0)],
            Some((100.0, 10.0)),
        );
        ends(&[jobs(&[("success", "true")], 9.0), jobs(&[("success", "false")], 1.0)], Some((10.0, 1.0)));
        ends(&[jobs(&[], 50.0), counter("jobs_failed_total", &[], 5.0)], Some((50.0, 5.0)));
        ends(
            &[
                jobs(&[], 50.0),
                counter("jobs_processed_total", &[("result", "success")], 45.0),
                counter("jobs_processed_total", &[("result", "error")], 9.0),
            ],
            Some((54.0, 9.0)),
        );
        // Nobody says it; and another thing's failures are none of its own.
        ends(&[jobs(&[], 50.0)], None);
        ends(&[jobs(&[], 50.0), counter("mail_failed_total", &[], 5.0)], None);
        let http = |code, count| {
            histogram("http_request_duration_seconds", &[("method", "GET"), ("code", code)], count)
        };
        ends(&[http("200", 40.0), http("404", 5.0), http("500", 5.0)], Some((50.0, 5.0)));
    }

    #[test]
    fn a_series_of_failures_that_begins_counts_from_nothing() {
        let good = |count| histogram("job_seconds", &[("status", "completed")], count);
        let old = reading(&good(100.0));
        let new = reading(&[good(150.0), histogram("job_seconds", &[("status", "failed")], 7.0)].concat());
        assert_eq!(found(&new, &BTreeMap::new()).counted(&old, &new), [(57.0, 7.0)]);
    }
}
