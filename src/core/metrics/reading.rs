//! One scrape of a `/metrics` endpoint, as data.

use std::collections::BTreeMap;

/// What the exposition says a family is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum MetricKind {
    /// Only grows, until the process restarts.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Cumulative buckets with `_sum` and `_count`.
    Histogram,
    /// Quantiles computed by the process itself; they cannot be added up.
    Summary,
    /// Not said.
    #[default]
    Untyped,
}

impl MetricKind {
    /// The word of the format.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Summary => "summary",
            Self::Untyped => "untyped",
        }
    }
}

/// One sample.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MetricSample {
    /// Its full name, `_bucket`, `_sum`, `_total` included.
    pub name: String,
    /// Its labels as the endpoint lists them.
    pub labels: Vec<(String, String)>,
    /// Its value; NaN and infinities are values too.
    pub value: f64,
}

impl MetricSample {
    /// The value of label `name`.
    #[must_use]
    pub fn label(&self, name: &str) -> Option<&str> {
        self.labels.iter().find(|(label, _)| label == name).map(|(_, value)| value.as_str())
    }

    /// Its labels in one canonical text, without `except`.
    #[must_use]
    pub fn series(&self, except: &str) -> String {
        let mut pairs: Vec<&(String, String)> =
            self.labels.iter().filter(|(name, _)| name != except).collect();
        pairs.sort();
        let mut text = String::new();
        for (name, value) in pairs {
            if !text.is_empty() {
                text.push_str(", ");
            }
            text.push_str(name);
            text.push_str("=\"");
            text.push_str(value);
            text.push('"');
        }
        text
    }
}

/// What one scrape brought.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MetricsReading {
    /// The samples.
    pub samples: Vec<MetricSample>,
    /// What the families are, by family name.
    pub kinds: BTreeMap<String, MetricKind>,
    /// The first lines that could not be read: line number and why.
    pub bad: Vec<(usize, String)>,
    /// How many could not be read.
    pub bad_total: usize,
    /// Bytes of the body.
    pub bytes: usize,
    /// More samples than are kept.
    pub truncated: bool,
    /// The family that counts requests, where the configuration names it.
    pub requests: Option<String>,
}

impl MetricsReading {
    /// The family of a sample: its name without the suffix that its kind adds.
    #[must_use]
    pub fn family<'a>(&self, name: &'a str) -> (&'a str, MetricKind) {
        if let Some(kind) = self.kinds.get(name) {
            return (name, *kind);
        }
        for suffix in ["_bucket", "_sum", "_count", "_total"] {
            if let Some(base) = name.strip_suffix(suffix)
                && let Some(kind) = self.kinds.get(base)
                && (suffix == "_total" || matches!(kind, MetricKind::Histogram | MetricKind::Summary))
            {
                return (base, *kind);
            }
        }
        let counts = name.ends_with("_total");
        (name, if counts { MetricKind::Counter } else { MetricKind::Untyped })
    }
}
