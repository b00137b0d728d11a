//! Which of an endpoint's families counts its requests and how they ended. Libraries give it many names and few shapes: a counter, or a
//! histogram or summary with its count, that has a label with a status. Pure.

use super::layout::{Layout, Named};
use super::{MetricKind, MetricsReading};
use std::collections::HashMap;
use std::sync::Arc;

/// Labels that carry the status of a request.
const STATUS: [&str; 12] = [
    "status",
    "code",
    "status_code",
    "statusCode",
    "http_response_status_code",
    "http_status_code",
    "http_status",
    "response_code",
    "grpc_code",
    "grpc_status",
    "rpc_grpc_status_code",
    "envoy_response_code_class",
];

/// Codes of gRPC that are the server's fault, by name and number.
const GRPC_FAULTS: [(&str, &str); 6] = [
    ("unknown", "2"),
    ("deadlineexceeded", "4"),
    ("unimplemented", "12"),
    ("internal", "13"),
    ("unavailable", "14"),
    ("dataloss", "15"),
];
/// The other codes of gRPC by name.
const GRPC_OTHERS: [&str; 11] = [
    "ok",
    "cancelled",
    "canceled",
    "invalidargument",
    "notfound",
    "alreadyexists",
    "permissiondenied",
    "resourceexhausted",
    "failedprecondition",
    "aborted",
    "outofrange",
];

/// Parts of a name that say that it counts what this process asks of others, or what it is asked for its metrics.
const NOT_OURS: [&str; 8] =
    ["client", "upstream", "outbound", "egress", "outgoing", "metric_handler", "cluster_", "fetch"];

/// Whether something is judged by samples of this name: requests and how long they take, file systems, when a process began.
#[must_use]
pub fn is_judged(name: &str) -> bool {
    name == "process_start_time_seconds"
        || name.starts_with("node_filesystem_")
        || (rank(name) >= 10 && !NOT_OURS.iter().any(|part| name.contains(part)))
}

/// The status of a request as far as a share of errors needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Fault,
    Other,
}

/// What a label says, if it is a status.
fn status(label: &str, value: &str) -> Option<Status> {
    let of = |fault: bool| Some(if fault { Status::Fault } else { Status::Other });
    let grpc = label.contains("grpc");
    if grpc && value.parse::<u8>().is_ok_and(|code| code <= 16) {
        return of(GRPC_FAULTS.iter().any(|(_, number)| *number == value));
    }
    let bytes = value.as_bytes();
    let class = label.ends_with("class") && bytes.len() == 1;
    let code = bytes.len() == 3
        && bytes[1..].iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'x' | b'X'));
    if (class || code) && matches!(bytes.first(), Some(b'1'..=b'5')) {
        return of(bytes[0] == b'5');
    }
    let plain: String = value.chars().filter(|c| *c != '_').flat_map(char::to_lowercase).collect();
    if GRPC_FAULTS.iter().any(|(name, _)| *name == plain) {
        // A status that is merely unknown is none of gRPC's.
        return if grpc || plain != "unknown" { of(true) } else { None };
    }
    (GRPC_OTHERS.contains(&plain.as_str()) || grpc && plain == "unauthenticated").then_some(Status::Other)
}

/// How this sample's request ended, and by which label.
fn ended(sample: Named<'_>) -> Option<Status> {
    let known =
        |(label, value): (&str, &str)| STATUS.contains(&label).then(|| status(label, value)).flatten();
    sample.labels().find_map(known)
}

/// Whether this sample counts requests that ended by the server's fault; nothing where it does not say how they ended.
pub(super) fn failed(sample: Named<'_>) -> Option<bool> {
    ended(sample).map(|status| status == Status::Fault)
}

/// How likely a family counts what this process is asked for; more is better.
fn rank(family: &str) -> u32 {
    let has = |part: &str| family.contains(part);
    // The same requests on their way through a proxy are counted at its door.
    let door = has("entrypoint") || has("frontend") || has("downstream");
    let server = has("server") || door;
    let requests = has("request") || has("http") || has("grpc") || has("handled") || has("responses");
    10 * u32::from(requests) + 5 * u32::from(server) + u32::from(has("http")) + u32::from(has("_total"))
}

/// The family that counts requests.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Requests {
    /// The name of its samples.
    pub(super) samples: String,
    /// Its name without what its kind adds.
    pub(super) family: String,
    /// Some of its samples say how requests ended.
    pub(super) told: bool,
    /// The samples that it was found among.
    layout: Arc<Layout>,
    /// Its own samples there, and how the requests ended that they count.
    places: Vec<(usize, Option<Status>)>,
}

/// What it counted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Counted {
    pub(super) all: f64,
    pub(super) failed: f64,
}

impl Requests {
    /// The samples that count them, by their places.
    pub(super) fn samples(&self) -> impl Iterator<Item = usize> {
        self.places.iter().map(|(index, _)| *index)
    }

    /// The family of this reading that counts requests: the one that is `named`, or the likeliest by its shape; without a status the likeliest
    /// by its name.
    pub(super) fn of(reading: &MetricsReading, named: Option<&str>) -> Option<Self> {
        let mut best: Option<(bool, u32, &str, &str)> = None;
        let mut last = "";
        let mut open = false;
        for sample in reading.layout.samples() {
            let name = sample.name();
            if name != last {
                // Those of one family stand together.
                (last, open) = (name, true);
            }
            if !open || name.ends_with("_bucket") {
                continue;
            }
            let (family, kind) = sample.family();
            let counts = match kind {
                MetricKind::Counter => true,
                MetricKind::Histogram | MetricKind::Summary => name.ends_with("_count"),
                // Without types, by what the names end in.
                MetricKind::Untyped => name.ends_with("_count") || name.ends_with("_total"),
                MetricKind::Gauge => false,
            };
            let bare = name.strip_suffix("_count").unwrap_or(name);
            if let Some(named) = named {
                if counts && [name, family, bare].contains(&named) {
                    best = Some((true, 0, name, bare));
                    break;
                }
                continue;
            }
            if !counts || NOT_OURS.iter().any(|part| name.contains(part)) {
                open = false;
                continue;
            }
            let told = ended(sample).is_some();
            let usual = name.contains("http") && name.contains("request") && !name.contains("_bytes");
            let rank = rank(name);
            if (told || usual) && best.is_none_or(|(known, most, ..)| (told, rank) > (known, most)) {
                best = Some((told, rank, name, bare));
            }
        }
        best.map(|(_, _, name, bare)| {
            let named = reading.layout.samples().filter(|sample| sample.name() == name);
            let places: Vec<_> = named.map(|sample| (sample.index(), ended(sample))).collect();
            Self {
                layout: Arc::clone(&reading.layout),
                samples: name.to_owned(),
                family: bare.to_owned(),
                told: places.iter().any(|(_, status)| status.is_some()),
                places,
            }
        })
    }

    /// What was counted between two readings of one process. A series that was not there before began at nothing.
    pub(super) fn between(&self, old: &MetricsReading, new: &MetricsReading) -> Counted {
        let mut counted = Counted::default();
        let mut add = |before: Option<f64>, after: f64, status: Option<Status>| {
            let before = before.or_else(|| (!old.truncated).then_some(0.0));
            let Some(grown) = before.map(|before| after - before).filter(|grown| *grown >= 0.0) else {
                return;
            };
            counted.all += grown;
            if status == Some(Status::Fault) {
                counted.failed += grown;
            }
        };
        if Arc::ptr_eq(&self.layout, &new.layout) && old.is_like(new) {
            for (index, status) in &self.places {
                add(Some(old.value(*index)), new.value(*index), *status);
            }
            return counted;
        }
        let ours = |(sample, _): &(Named<'_>, f64)| sample.name() == self.samples;
        let before = old.samples().filter(ours).map(|(sample, value)| (sample.series(""), value));
        let before: HashMap<String, f64> = before.collect();
        for (sample, value) in new.samples().filter(ours) {
            add(before.get(&sample.series("")).copied(), value, ended(sample));
        }
        counted
    }
}

#[cfg(test)]
mod tests {
    use super::super::MetricSample;
    use super::*;
    use std::collections::BTreeMap;

    fn sample(name: &str, labels: &[(&str, &str)], value: f64) -> MetricSample {
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        MetricSample { name: name.to_owned(), labels, value }
    }

    /// One request of ten that ended well, five that did not, in the shape of a library; and what must not be taken for them.
    fn shape(
        name: &str,
        kind: MetricKind,
        label: &str,
        (good, bad): (&str, &str),
        failed: f64,
    ) -> MetricsReading {
        let (samples, kinds) = shaped(name, kind, label, (good, bad), failed);
        MetricsReading::of(&samples, &kinds)
    }

    fn shaped(
        name: &str,
        kind: MetricKind,
        label: &str,
        (good, bad): (&str, &str),
        failed: f64,
    ) -> (Vec<MetricSample>, BTreeMap<String, MetricKind>) {
        let other = "http_client_requests_total";
        let base = name.strip_suffix("_count").unwrap_or(name);
        (
            vec![
                sample("promhttp_metric_handler_requests_total", &[("code", "200")], 90.0),
                sample(other, &[("status", "500")], 70.0),
                sample("jobs_total", &[("status", "failed")], 60.0),
                sample(name, &[("method", "GET"), (label, good)], 100.0 + failed),
                sample(name, &[("method", "GET"), (label, bad)], failed),
            ],
            [
                (base.to_owned(), kind),
                (other.to_owned(), MetricKind::Counter),
                ("jobs_total".to_owned(), MetricKind::Counter),
                ("promhttp_metric_handler_requests_total".to_owned(), MetricKind::Counter),
            ]
            .into(),
        )
    }

    #[test]
    fn requests_are_found_by_their_shape() {
        use MetricKind::{Counter, Histogram, Summary, Untyped};
        let http = ("200", "503");
        for (name, kind, label, values) in [
            ("http_requests_total", Counter, "code", http),
            ("http_requests_total", Counter, "status", ("2xx", "5xx")),
            ("http_request_duration_seconds_count", Histogram, "status_code", http),
            ("http_server_request_duration_seconds_count", Histogram, "http_response_status_code", http),
            ("http_server_duration_milliseconds_count", Histogram, "http_status_code", http),
            ("http_server_requests_seconds_count", Summary, "status", http),
            ("traefik_entrypoint_requests_total", Counter, "code", http),
            ("istio_requests_total", Counter, "response_code", http),
            ("nginx_ingress_controller_requests", Counter, "status", http),
            ("haproxy_frontend_http_responses_total", Counter, "code", ("2xx", "5xx")),
            ("envoy_http_downstream_rq_xx", Counter, "envoy_response_code_class", ("2", "5")),
            ("grpc_server_handled_total", Counter, "grpc_code", ("OK", "Unavailable")),
            ("rpc_server_duration_milliseconds_count", Histogram, "rpc_grpc_status_code", ("0", "14")),
            ("shop_answers_total", Untyped, "statusCode", http),
        ] {
            let (old, new) = (shape(name, kind, label, values, 0.0), shape(name, kind, label, values, 50.0));
            let found = Requests::of(&new, None).unwrap_or_else(|| panic!("{name}"));
            assert_eq!((found.samples.as_str(), found.told), (name, true));
            assert_eq!(found.between(&old, &new), Counted { all: 100.0, failed: 50.0 }, "{name}");
        }
        let gauge = shape("http_requests", MetricKind::Gauge, "code", http, 1.0);
        assert_eq!(Requests::of(&gauge, None), None);
        let odd = shape("answers", Counter, "outcome", ("good", "bad"), 1.0);
        assert_eq!(Requests::of(&odd, None), None);
        let named = Requests::of(&odd, Some("answers")).expect("it is named");
        assert_eq!((named.samples.as_str(), named.told), ("answers", false));
    }

    #[test]
    fn a_series_of_errors_that_begins_counts_from_nothing() {
        let http = ("200", "500");
        let name = "http_requests_total";
        let (mut samples, kinds) = shaped(name, MetricKind::Counter, "code", http, 0.0);
        samples.pop();
        let old = MetricsReading::of(&samples, &kinds);
        let new = shape(name, MetricKind::Counter, "code", http, 500.0);
        let found = Requests::of(&new, None).expect("it is there");
        assert_eq!(found.between(&old, &new), Counted { all: 1000.0, failed: 500.0 });
    }
}
