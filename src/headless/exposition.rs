//! The two text formats that Prometheus reads: OpenMetrics 1.0 and its own 0.0.4. Pure.

use crate::core::spoken;
use std::collections::HashSet;
use std::fmt::Write;

/// What a number of a family means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It goes up and down.
    Gauge,
    /// It only grows.
    Counter,
    /// A sum and a count.
    Summary,
}

/// One number.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// What stands behind the name of its family ("", `_sum`, `_count`).
    pub suffix: &'static str,
    /// Its labels, each name once.
    pub labels: Vec<(&'static str, String)>,
    /// The number.
    pub value: f64,
}

/// Numbers of one name.
#[derive(Clone, Debug, PartialEq)]
pub struct Family {
    /// The name, of a counter without its `_total`.
    pub name: String,
    /// What they mean.
    pub kind: Kind,
    /// The unit, where the name ends with it.
    pub unit: &'static str,
    /// What they are, in one sentence.
    pub help: String,
    /// The numbers.
    pub samples: Vec<Sample>,
}

/// A format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// OpenMetrics 1.0.
    OpenMetrics,
    /// Prometheus text 0.0.4.
    Text,
}

impl Format {
    /// The one that `accept` asks for.
    #[must_use]
    pub fn accepted(accept: &str) -> Self {
        if accept.contains("application/openmetrics-text") { Self::OpenMetrics } else { Self::Text }
    }

    /// What stands in `Content-Type`.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

/// The families in a format. One without a number is left out. Labels that are alike once they are tame would be one series told twice,
/// for which the whole page is refused: the first of them stays.
#[must_use]
pub fn written(families: &[Family], format: Format) -> String {
    let mut out = String::new();
    for family in families.iter().filter(|family| !family.samples.is_empty()) {
        let total = if family.kind == Kind::Counter { "_total" } else { "" };
        let kind = match family.kind {
            Kind::Gauge => "gauge",
            Kind::Counter => "counter",
            Kind::Summary => "summary",
        };
        // In the older format a counter is declared with all of its name.
        let declared = match format {
            Format::OpenMetrics => family.name.clone(),
            Format::Text => format!("{}{total}", family.name),
        };
        let _ = writeln!(out, "# HELP {declared} {}", escaped(&family.help));
        let _ = writeln!(out, "# TYPE {declared} {kind}");
        if format == Format::OpenMetrics && !family.unit.is_empty() {
            let _ = writeln!(out, "# UNIT {declared} {}", family.unit);
        }
        let mut told: HashSet<(&str, String)> = HashSet::new();
        for sample in &family.samples {
            let labels: Vec<String> =
                sample.labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
            let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
            if !told.insert((sample.suffix, labels.clone())) {
                continue;
            }
            let _ = writeln!(out, "{}{total}{}{labels} {}", family.name, sample.suffix, number(sample.value));
        }
    }
    if format == Format::OpenMetrics {
        out.push_str("# EOF\n");
    }
    out
}

/// Text as it stands behind `HELP` and in the quotes of a label: tame, without the login of a URL, and on one line.
fn escaped(text: &str) -> String {
    spoken::lines(text).replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn number(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf".to_owned() } else { "-Inf".to_owned() }
    } else {
        value.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn family(kind: Kind, name: &str, unit: &'static str) -> Family {
        let labels = vec![("target", "a\"b\\c\nd redis://u:pw@h\u{1b}".to_owned())];
        let sample = |suffix, labels, value| Sample { suffix, labels, value };
        let samples = match kind {
            Kind::Summary => vec![sample("_sum", Vec::new(), 0.25), sample("_count", Vec::new(), 3.0)],
            Kind::Gauge | Kind::Counter => vec![sample("", labels, f64::INFINITY)],
        };
        Family { name: name.to_owned(), kind, unit, help: "it is \\ so".to_owned(), samples }
    }

    #[track_caller]
    fn check(kind: Kind, (name, unit): (&str, &'static str), format: Format, expected: &str) {
        assert_eq!(written(&[family(kind, name, unit)], format), expected);
    }

    #[test]
    fn no_series_is_told_twice() {
        let sample = |subject: &str, value| Sample {
            suffix: "",
            labels: vec![("subject", subject.to_owned())],
            value,
        };
        let samples =
            vec![sample("redis://a:one@h", 1.0), sample("redis://a:two@h", 2.0), sample("other", 3.0)];
        let family =
            Family { name: "x".to_owned(), kind: Kind::Gauge, unit: "", help: "x".to_owned(), samples };
        for format in [Format::OpenMetrics, Format::Text] {
            let text = written(std::slice::from_ref(&family), format);
            let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
            let mut keys: Vec<&str> = lines.iter().filter_map(|line| line.split(' ').next()).collect();
            keys.dedup();
            assert_eq!((lines.len(), keys.len()), (2, 2), "{text}");
            assert!(lines[0].ends_with(" 1") && !text.contains("one"), "{text}");
        }
    }

    #[test]
    fn each_format_has_its_own_names_and_end() {
        let labels = r#"{target="a\"b\\c\nd redis://•••@h"} +Inf"#;
        check(
            Kind::Counter,
            ("x", ""),
            Format::OpenMetrics,
            &format!("# HELP x it is \\\\ so\n# TYPE x counter\nx_total{labels}\n# EOF\n"),
        );
        check(
            Kind::Counter,
            ("x", ""),
            Format::Text,
            &format!("# HELP x_total it is \\\\ so\n# TYPE x_total counter\nx_total{labels}\n"),
        );
        check(
            Kind::Summary,
            ("x_seconds", "seconds"),
            Format::OpenMetrics,
            "# HELP x_seconds it is \\\\ so\n# TYPE x_seconds summary\n# UNIT x_seconds seconds\nx_seconds_sum 0.25\nx_seconds_count 3\n# EOF\n",
        );
        check(
            Kind::Gauge,
            ("x_bytes", "bytes"),
            Format::Text,
            &format!("# HELP x_bytes it is \\\\ so\n# TYPE x_bytes gauge\nx_bytes{labels}\n"),
        );
        let empty = Family { samples: Vec::new(), ..family(Kind::Gauge, "x", "") };
        assert_eq!(written(&[empty], Format::OpenMetrics), "# EOF\n");
    }

    #[test]
    fn the_format_is_the_one_that_is_asked_for() {
        let scraper = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3";
        assert_eq!(Format::accepted(scraper), Format::OpenMetrics);
        assert_eq!(Format::accepted("*/*"), Format::Text);
        assert_eq!(Format::accepted(""), Format::Text);
    }
}
