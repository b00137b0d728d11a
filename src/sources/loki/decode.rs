//! From the interface's JSON to ours. Pure. A line is cleaned and masked on its way: nothing else of it goes further.

use crate::core::lines::{Count, LogLine, Tone};
use crate::core::part::{Gap, GapKind, Part};
use crate::core::redact;
use crate::core::text::clean;
use crate::sources::line::shown;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// What every answer is in.
#[derive(Debug, Deserialize)]
pub(super) struct Envelope<T> {
    pub(super) status: String,
    pub(super) data: Option<T>,
}

/// The result of a question for numbers at a moment.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Vector {
    result_type: String,
    #[serde(default)]
    result: Value,
}

/// A number with its labels.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Sample {
    pub(super) labels: BTreeMap<String, String>,
    pub(super) value: f64,
}

#[derive(Debug, Deserialize)]
struct Entry {
    #[serde(default)]
    metric: BTreeMap<String, String>,
    value: (Value, String),
}

impl Vector {
    /// The numbers; nothing where it is something else.
    pub(super) fn samples(self) -> Option<Vec<Sample>> {
        let number = |text: &str| text.parse::<f64>().ok();
        match self.result_type.as_str() {
            "vector" => {
                let list: Vec<Entry> = serde_json::from_value(self.result).ok()?;
                let sample =
                    |entry: Entry| Some(Sample { value: number(&entry.value.1)?, labels: entry.metric });
                Some(list.into_iter().filter_map(sample).collect())
            }
            "scalar" => {
                let (_, text): (Value, String) = serde_json::from_value(self.result).ok()?;
                Some(vec![Sample { value: number(&text)?, labels: BTreeMap::new() }])
            }
            _ => None,
        }
    }
}

impl Sample {
    /// Its labels as one text.
    pub(super) fn words(&self) -> String {
        self.labels.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
    }

    fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }

    fn tone(&self) -> Tone {
        Tone::of(match self.label("level") {
            "" => self.label("detected_level"),
            word => word,
        })
    }
}

/// Lines by stream, told apart by `label`; and those of them that say that they are errors, where any line says what it is.
pub(super) fn counted(samples: &[Sample], label: Option<&str>) -> (Vec<Count>, Part<Vec<Count>>) {
    let mut lines: BTreeMap<&str, f64> = BTreeMap::new();
    let mut errors: BTreeMap<&str, f64> = BTreeMap::new();
    for sample in samples {
        let name = label.map_or("", |label| sample.label(label));
        *lines.entry(name).or_default() += sample.value;
        if sample.tone() == Tone::Error {
            *errors.entry(name).or_default() += sample.value;
        }
    }
    let list = |all: BTreeMap<&str, f64>| {
        let mut list: Vec<Count> =
            all.into_iter().map(|(name, lines)| Count { name: name.to_owned(), lines }).collect();
        list.sort_by(|a, b| b.lines.total_cmp(&a.lines));
        list
    };
    let told = samples.is_empty() || samples.iter().any(|sample| sample.tone() != Tone::Unknown);
    let errors = if told {
        Part::Ready(list(errors))
    } else {
        let note = "no line says what level it has (level or detected_level): set `errors` to a LogQL expression that counts errors";
        Part::Unavailable(Gap::new(GapKind::NotSupported, note))
    };
    (list(lines), errors)
}

/// Errors by a configured expression: by stream where it says which.
pub(super) fn errors(samples: &[Sample]) -> Vec<Count> {
    let name = |sample: &Sample| match sample.labels.len() {
        1 => sample.labels.values().next().cloned().unwrap_or_default(),
        _ => sample.words(),
    };
    samples.iter().map(|sample| Count { name: name(sample), lines: sample.value }).collect()
}

/// The result of a question for lines.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Streams {
    result_type: String,
    #[serde(default)]
    result: Value,
}

#[derive(Debug, Deserialize)]
struct Stream {
    stream: BTreeMap<String, String>,
    values: Vec<Vec<Value>>,
}

impl Streams {
    /// The lines, the newest first; nothing where it is something else.
    pub(super) fn lines(self, masks: &[String]) -> Option<Vec<LogLine>> {
        if self.result_type != "streams" {
            return None;
        }
        let streams: Vec<Stream> = serde_json::from_value(self.result).ok()?;
        let mut list = Vec::new();
        for stream in &streams {
            let labels: Vec<(String, String)> =
                stream.stream.iter().map(|(name, value)| label(name, value, masks)).collect();
            for entry in &stream.values {
                let (Some(at), Some(text)) = (entry.first(), entry.get(1).and_then(Value::as_str)) else {
                    continue;
                };
                let Some(at) = at.as_str().and_then(|text| text.parse().ok()) else { continue };
                let mut hasher = DefaultHasher::new();
                (&stream.stream, text).hash(&mut hasher);
                let line = LogLine {
                    at,
                    dated: true,
                    digest: hasher.finish(),
                    labels: labels.clone(),
                    text: shown(text, masks),
                };
                list.push(line);
            }
        }
        list.sort_by(|a, b| b.at.cmp(&a.at).then(a.digest.cmp(&b.digest)));
        Some(list)
    }
}

fn label(name: &str, value: &str, masks: &[String]) -> (String, String) {
    let both = redact::line(&format!("{name}=\"{}\"", clean(value).replace('"', "'")), masks);
    let value = both.strip_prefix(name).and_then(|rest| rest.strip_prefix("=\"")?.strip_suffix('"'));
    (clean(name), value.unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[expect(clippy::needless_pass_by_value, reason = "made for it")]
    fn samples(result: Value) -> Vec<Sample> {
        let vector: Vector =
            serde_json::from_value(json!({"resultType": "vector", "result": result})).expect("a vector");
        vector.samples().expect("samples")
    }

    #[expect(clippy::needless_pass_by_value, reason = "made for it")]
    fn sample(labels: Value, value: &str) -> Value {
        json!({"metric": labels, "value": [1_790_000_000.5, value]})
    }

    #[track_caller]
    fn check(result: Value, lines: &[(&str, f64)], errors: Option<&[(&str, f64)]>) {
        let pairs = |list: &[Count]| -> Vec<(String, f64)> {
            list.iter().map(|count| (count.name.clone(), count.lines)).collect()
        };
        let owned = |list: &[(&str, f64)]| -> Vec<(String, f64)> {
            list.iter().map(|(name, lines)| ((*name).to_owned(), *lines)).collect()
        };
        let (read, told) = counted(&samples(result), Some("app"));
        assert_eq!(pairs(&read), owned(lines));
        assert_eq!(told.ready().map(|list| pairs(list)), errors.map(owned));
    }

    #[test]
    fn lines_are_counted_by_stream_and_level_and_no_level_is_not_no_error() {
        check(
            json!([
                sample(json!({"app": "api", "detected_level": "info"}), "90"),
                sample(json!({"app": "api", "detected_level": "error"}), "3"),
                sample(json!({"app": "worker", "level": "FATAL", "detected_level": "info"}), "2"),
                sample(json!({"app": "worker", "detected_level": "unknown"}), "5"),
            ]),
            &[("api", 93.0), ("worker", 7.0)],
            Some(&[("api", 3.0), ("worker", 2.0)]),
        );
        check(
            json!([sample(json!({"app": "api", "detected_level": "info"}), "9")]),
            &[("api", 9.0)],
            Some(&[]),
        );
        check(json!([]), &[], Some(&[]));
        check(
            json!([sample(json!({"app": "api"}), "9"), sample(json!({"detected_level": "unknown"}), "1")]),
            &[("api", 9.0), ("", 1.0)],
            None,
        );
    }

    #[test]
    fn errors_of_an_expression_have_the_name_that_it_gives() {
        let all = samples(json!([
            sample(json!({"app": "api"}), "4"),
            sample(json!({}), "1"),
            sample(json!({"a": "1", "b": "2"}), "2")
        ]));
        let named: Vec<(String, f64)> =
            errors(&all).into_iter().map(|count| (count.name, count.lines)).collect();
        assert_eq!(named, [("api".to_owned(), 4.0), (String::new(), 1.0), ("a=1 b=2".to_owned(), 2.0)]);
    }

    #[expect(clippy::needless_pass_by_value, reason = "made for it")]
    fn lines(result: Value) -> Vec<LogLine> {
        let streams: Streams =
            serde_json::from_value(json!({"resultType": "streams", "result": result})).expect("streams");
        streams.lines(&["email".to_owned()]).expect("lines")
    }

    #[test]
    fn lines_of_all_streams_are_in_the_order_of_time_cleaned_and_masked() {
        let all = lines(json!([
            {"stream": {"app": "api", "detected_level": "error"}, "values": [
                ["1790000000000000003", "\u{1b}[31mERROR\u{1b}[0m job 42 email=a@b.c failed\u{7}"],
                ["1790000000000000001", "password: hunter2", {"trace_id": "abc"}],
            ]},
            {"stream": {"app": "worker", "api_key": "xyz"}, "values": [["1790000000000000002", "redis://:pw@h gone"]]},
        ]));
        let texts: Vec<&str> = all.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(texts, ["ERROR job 42 email=••• failed", "redis://•••@h gone", "password: •••"]);
        assert_eq!((all[0].level(), all[0].tone(), all[0].label("app")), ("error", Tone::Error, "api"));
        assert_eq!(all[1].label("api_key"), redact::HIDDEN);
        assert_ne!(all[0].digest, all[2].digest);
        let vector: Streams =
            serde_json::from_value(json!({"resultType": "matrix", "result": []})).expect("an answer");
        assert!(vector.lines(&[]).is_none());
    }
}
