//! From the body of a scrape to a reading. Pure.

use super::scan;
use super::template::Templates;
use crate::core::metrics::{Builder, MetricKind, MetricsReading, is_judged};
use std::collections::hash_map::{Entry, RandomState};
use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;
use std::sync::Arc;

/// Samples beyond this are not kept: a screen cannot show them, and memory must stay bounded.
const MAX_SAMPLES: usize = 100_000;

/// The reading of a body; what is learnt from it is remembered in `templates`.
pub(super) fn decode(body: &[u8], templates: &mut Templates) -> MetricsReading {
    let text = String::from_utf8_lossy(body);
    if let Some((layout, values)) = templates.read(&text) {
        return MetricsReading {
            layout,
            values: values.into_boxed_slice(),
            bytes: body.len(),
            ..MetricsReading::default()
        };
    }
    let scanned = scan::scan(&text);
    let lasting = last_points(&scanned);
    let truncated = lasting.len() > MAX_SAMPLES;
    // What is judged is kept whatever else is there.
    let mut chosen: Vec<&scan::Sample> = lasting;
    if truncated {
        let (mut judged, others): (Vec<_>, Vec<_>) =
            chosen.into_iter().partition(|sample| is_judged(&scanned.name_of(sample)));
        judged.extend(others);
        judged.truncate(MAX_SAMPLES);
        chosen = judged;
    }
    let mut builder = Builder::default();
    for sample in &chosen {
        let labels: Vec<_> = scanned.labels_of(sample).collect();
        let labels = labels.iter().map(|(name, value)| (&**name, &**value));
        builder.push(&scanned.name_of(sample), labels);
    }
    let kinds: BTreeMap<String, MetricKind> =
        scanned.kinds.iter().map(|(name, kind)| (name.clone().into_owned(), *kind)).collect();
    let layout = Arc::new(builder.finish(&kinds));
    let values: Box<[f64]> = chosen.iter().map(|sample| sample.value).collect();
    if scanned.bad_total == 0 && !truncated {
        templates.learn(&text, &layout, &values);
    }
    MetricsReading {
        layout,
        values,
        bad: scanned.bad.iter().map(|(line, why)| (*line, (*why).to_owned())).collect(),
        bad_total: scanned.bad_total,
        bytes: body.len(),
        truncated,
    }
}

/// The samples without those that are repeated later on (the same name and labels): the last point of a series is its value.
fn last_points<'a>(scanned: &'a scan::Exposition<'_>) -> Vec<&'a scan::Sample> {
    let key = |sample: &scan::Sample| {
        let mut labels: Vec<_> = scanned.labels_of(sample).collect();
        labels.sort();
        (scanned.name_of(sample), labels)
    };
    let hashes = RandomState::new();
    let mut places: HashMap<u64, usize> = HashMap::with_capacity(scanned.samples.len());
    let mut kept: Vec<&scan::Sample> = Vec::with_capacity(scanned.samples.len());
    for sample in &scanned.samples {
        let own = key(sample);
        match places.entry(hashes.hash_one(&own)) {
            Entry::Occupied(place) if key(kept[*place.get()]) == own => kept[*place.get()] = sample,
            Entry::Occupied(_) => kept.push(sample),
            Entry::Vacant(place) => {
                place.insert(kept.len());
                kept.push(sample);
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = "# TYPE a counter\na{x=\"1\"} 1\na{x=\"} 2\"} 2.5\nb +Inf\n\nc NaN\n";

    /// Whether `next` is read by what was learnt from `first`; either way it is read as if nothing had been known before.
    #[track_caller]
    fn check(first: &str, next: &str, quick: bool) {
        let mut templates = Templates::default();
        let before = decode(first.as_bytes(), &mut templates);
        let after = decode(next.as_bytes(), &mut templates);
        assert_eq!(Arc::ptr_eq(&before.layout, &after.layout), quick, "{next}");
        let alone = decode(next.as_bytes(), &mut Templates::default());
        let told = |reading: &crate::core::metrics::MetricsReading| {
            let told = |(sample, value): (crate::core::metrics::Named<'_>, f64)| {
                format!("{} {} {value} {:?}", sample.name(), sample.series(""), sample.family())
            };
            reading.samples().map(told).collect::<Vec<_>>()
        };
        assert_eq!(told(&after), told(&alone), "{next}");
        assert_eq!((after.bad_total, after.bytes), (alone.bad_total, alone.bytes), "{next}");
    }

    #[test]
    fn only_values_may_differ() {
        check(PLAIN, PLAIN, true);
        check(PLAIN, &PLAIN.replace("2.5", "1e9").replace("NaN", "-0"), true);
        check(PLAIN, &PLAIN.replace("} 2\"", "} 3\""), false);
        check(PLAIN, &PLAIN.replace("counter", "gauge"), false);
        check(PLAIN, &PLAIN.replace("\nb ", "\nbb "), false);
        check(PLAIN, &format!("{PLAIN}d 1\n"), false);
        check(PLAIN, &PLAIN.replace("c NaN\n", ""), false);
        check(PLAIN, &PLAIN.replace("2.5", "0x10"), false);
        check(PLAIN, &PLAIN.replace("2.5", "2.5 1700000000"), false);
        check(PLAIN, &PLAIN.replace("2.5", "nonsense"), false);
    }

    #[test]
    fn what_is_not_read_as_the_scanner_does_is_never_read_quickly() {
        for odd in [
            "a 1 1700000000000\nb 2\n",
            "a{x=\"1\"} 1\na{x=\"1\"} 2\n",
            "a  1\n b 2\n",
            "a 1\r\nb 2\r\n",
            "a{x=\"1\"} 1 # {trace=\"x\"} 0.5\n",
            "{\"a\",x=\"1\"} 1\nbad line here\n",
            "a{x=\"1\"}\t1\n",
        ] {
            check(odd, odd, false);
        }
    }

    #[test]
    fn processes_that_answer_in_turn_are_all_known() {
        let mut templates = Templates::default();
        let texts = ["a 1\n", "b 1\n", "c 1\n"];
        let first = texts.map(|text| decode(text.as_bytes(), &mut templates));
        for (text, first) in texts.iter().zip(&first) {
            let again = decode(text.as_bytes(), &mut templates);
            assert!(Arc::ptr_eq(&again.layout, &first.layout), "{text}");
        }
    }

    #[test]
    fn a_repeated_point_is_its_series_last_value() {
        let body = b"a{x=\"1\",y=\"2\"} 1 1000\nb 7\na{y=\"2\",x=\"1\"} 3 2000\n";
        let read = decode(body, &mut Templates::default());
        let told: Vec<_> = read.samples().map(|(sample, value)| (sample.name(), value)).collect();
        assert_eq!(told, [("a", 3.0), ("b", 7.0)]);
    }
}
