//! Our scanner against prometheus-parse, on the inputs that the crate reads correctly: it is the oracle of this test and nothing else.

use prometheus_parse::{Scrape, Value};
use proptest::prelude::*;
use stacktop::sources::metrics::scan::scan;
use std::collections::BTreeMap;

type Flat = BTreeMap<(String, Vec<(String, String)>), String>;

fn ours(text: &str) -> Flat {
    let all = scan(text);
    assert_eq!(all.bad_total, 0, "{:?}", all.bad);
    all.samples
        .iter()
        .map(|sample| {
            let mut labels: Vec<(String, String)> =
                all.labels_of(sample).map(|(name, value)| (name.to_string(), value.to_string())).collect();
            labels.sort();
            ((all.name_of(sample).to_string(), labels), format!("{:?}", sample.value))
        })
        .collect()
}

fn theirs(text: &str) -> Flat {
    let scrape = Scrape::parse(text.lines().map(|line| Ok(line.to_owned()))).expect("it reads");
    let mut flat = Flat::new();
    for sample in scrape.samples {
        let mut labels: Vec<(String, String)> =
            sample.labels.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        labels.sort();
        match sample.value {
            Value::Counter(value) | Value::Gauge(value) | Value::Untyped(value) => {
                flat.insert((sample.metric, labels), format!("{value:?}"));
            }
            Value::Histogram(buckets) => {
                for bucket in buckets {
                    let bound = if bucket.less_than.is_infinite() {
                        "+Inf".into()
                    } else {
                        bucket.less_than.to_string()
                    };
                    let mut own = labels.clone();
                    own.push(("le".to_owned(), bound));
                    own.sort();
                    flat.insert((format!("{}_bucket", sample.metric), own), format!("{:?}", bucket.count));
                }
            }
            Value::Summary(_) => {}
        }
    }
    flat
}

/// Label values without what the crate gets wrong: commas, equals signs, braces, quotes, escapes.
fn value() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9/._:-]{1,12}"
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), Just(f64::INFINITY), -1e12..1e12_f64, (0_u32..1_000_000).prop_map(f64::from)]
}

proptest! {
    #[test]
    fn agrees_with_the_oracle(
        samples in proptest::collection::vec(("[a-z_][a-z0-9_]{0,14}", proptest::collection::btree_map("[a-z_][a-z0-9_]{0,8}", value(), 0..4), number()), 1..30)
    ) {
        let mut text = String::new();
        let mut seen = std::collections::BTreeSet::new();
        for (name, labels, value) in samples {
            // The crate gives these endings a meaning of their own.
            if ["_bucket", "_sum", "_count"].iter().any(|end| name.ends_with(end)) || !seen.insert(name.clone()) {
                continue;
            }
            let inside: Vec<String> = labels.iter().map(|(label, value)| format!("{label}=\"{value}\"")).collect();
            let labels = if inside.is_empty() { String::new() } else { format!("{{{}}}", inside.join(",")) };
            text.push_str(&format!("# TYPE {name} gauge\n{name}{labels} {value}\n"));
        }
        prop_assert_eq!(ours(&text), theirs(&text));
    }
}

#[test]
fn agrees_on_a_histogram() {
    let text = "# TYPE h histogram\nh_bucket{m=\"GET\",le=\"0.5\"} 3\nh_bucket{m=\"GET\",le=\"1\"} 5\nh_bucket{m=\"GET\",le=\"+Inf\"} 6\n";
    assert_eq!(ours(text), theirs(text));
}

/// What the crate loses or mislabels, so that the reason for our own scanner stays true; when this fails, look again.
#[test]
fn the_oracle_still_loses_common_samples() {
    for text in ["f{route=\"/x/{id}\",m=\"GET\"} 1\n", "job:f:rate5m 1\n", "f{} 1\n", "f{path=\"a,b\"} 1\n"] {
        assert_ne!(ours(text), theirs(text), "{text}");
    }
}

/// A sample as the oracle prints it: name, labels by name, the value's bits.
type Told = (String, Vec<(String, String)>, String);

/// What a body says.
fn told(text: &str) -> Vec<Told> {
    let all = scan(text);
    let mut samples: Vec<_> = all
        .samples
        .iter()
        .map(|sample| {
            let mut labels: Vec<(String, String)> =
                all.labels_of(sample).map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
            labels.sort();
            let bits = if sample.value.is_nan() {
                "nan".to_owned()
            } else {
                format!("{:016x}", sample.value.to_bits())
            };
            (all.name_of(sample).into_owned(), labels, bits)
        })
        .collect();
    samples.sort();
    samples
}

/// The `OpenMetrics` suite's good cases, and what real exporters answered, against Prometheus' own Python client.
#[test]
fn expositions_are_read_as_prometheus_own_client_reads_them() {
    #[derive(serde::Deserialize)]
    struct Read {
        file: String,
        #[serde(default)]
        samples: Vec<Told>,
        error: Option<String>,
    }
    let name = "expositions_are_read_as_prometheus_own_client_reads_them";
    let Some(folder) = crate::live::server(name, "STACKTOP_TEST_EXPOSITIONS") else { return };
    let folder = std::path::Path::new(&folder);
    let oracle = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/stack/expositions/oracle.py");
    let output = std::process::Command::new("python3")
        .args([oracle.as_ref(), folder.join("client").as_os_str(), folder.join("texts").as_os_str()])
        .output()
        .expect("python3 runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (mut suite, mut exporters, mut samples, mut wrong) = (0, 0, 0, Vec::new());
    for line in String::from_utf8(output.stdout).expect("JSON is UTF-8").lines() {
        let read: Read = serde_json::from_str(line).expect("a line of JSON");
        assert_eq!(read.error, None, "the oracle does not read {}", read.file);
        let body = std::fs::read(folder.join("texts").join(&read.file)).expect("the text is there");
        let mut ours = told(&String::from_utf8_lossy(&body));
        // Points of one series within a nanosecond: the client keeps the first, we the last (`last_points`). Which series there are is the same.
        let mut theirs = read.samples;
        if read.file.starts_with("suite/duplicate_timestamps") {
            for all in [&mut ours, &mut theirs] {
                for sample in all.iter_mut() {
                    sample.2.clear();
                }
                all.dedup();
            }
        }
        samples += ours.len();
        if read.file.starts_with("suite") {
            suite += 1;
        } else {
            assert!(!ours.is_empty(), "{} holds no sample", read.file);
            exporters += 1;
        }
        if ours != theirs {
            let lost = theirs.iter().find(|sample| !ours.contains(sample));
            let added = ours.iter().find(|sample| !theirs.contains(sample));
            wrong.push(format!(
                "{}: {} samples of {}, lost {lost:?}, added {added:?}",
                read.file,
                ours.len(),
                theirs.len()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        suite >= 40 && exporters >= 60 && samples > 50_000,
        "{suite} + {exporters} texts, {samples} samples"
    );
}
