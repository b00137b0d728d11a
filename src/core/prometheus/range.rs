//! What is asked of a Prometheus server only while somebody looks: an expression over a span of the past, or the names of all its metrics.

use crate::core::exact;
use crate::core::part::Part;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Columns of a range: more than the widest graph has, and far below the limit of a server (11 000).
const COLUMNS: u32 = 240;
/// No finer: nobody scrapes more often.
const LEAST_STEP: Duration = Duration::from_secs(5);
/// Nor asked again sooner, however short the span.
const LEAST_REST: Duration = Duration::from_secs(15);

/// The spans of a page about one expression.
pub const SPANS: [Duration; 3] =
    [Duration::from_secs(3600), Duration::from_secs(24 * 3600), Duration::from_secs(6 * 24 * 3600)];

/// An expression over a span that ends now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Range {
    /// The expression.
    pub expr: String,
    /// How far it reaches back.
    pub span: Duration,
}

impl Range {
    /// From one column to the next.
    #[must_use]
    pub fn step(&self) -> Duration {
        Duration::from_secs((self.span / COLUMNS).as_secs()).max(LEAST_STEP)
    }

    /// So many columns it has.
    #[must_use]
    pub fn columns(&self) -> usize {
        usize::try_from(self.span.as_secs() / self.step().as_secs().max(1)).unwrap_or(0)
    }

    /// It is asked again after so long, while somebody looks.
    #[must_use]
    pub fn rest(&self) -> Duration {
        self.step().max(LEAST_REST)
    }
}

/// What a range brought.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RangeReading {
    /// What was asked.
    pub range: Range,
    /// The series by their labels, a number a column, oldest first; NaN where there is none.
    #[serde(with = "exact")]
    pub series: Part<Vec<(String, Vec<f64>)>>,
    /// There are more series than are read.
    pub cut: bool,
}

impl RangeReading {
    /// A series, with gaps.
    #[must_use]
    pub fn samples(values: &[f64]) -> Vec<Option<f64>> {
        values.iter().map(|value| Some(*value).filter(|value| value.is_finite())).collect()
    }
}

/// What graphs a metric of this name: counters as rates; by job, so that a metric of thousands of series is few lines.
#[must_use]
pub fn graphed(name: &str) -> String {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':'));
    let selector = if plain {
        name.to_owned()
    } else {
        format!("{{\"{}\"}}", name.replace('\\', "\\\\").replace('"', "\\\""))
    };
    let counts = ["_total", "_count", "_sum", "_bucket"].iter().any(|end| name.ends_with(end));
    if counts { format!("sum by (job) (rate({selector}[5m]))") } else { format!("sum by (job) ({selector})") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_has_as_many_columns_as_a_graph_and_no_more() {
        for (seconds, step, columns) in
            [(900, 5, 180), (3600, 15, 240), (86_400, 360, 240), (518_400, 2160, 240)]
        {
            let range = Range { expr: "up".to_owned(), span: Duration::from_secs(seconds) };
            assert_eq!((range.step().as_secs(), range.columns()), (step, columns), "{seconds}");
            assert!(range.rest() >= LEAST_REST);
        }
    }

    #[test]
    fn a_name_becomes_an_expression() {
        assert_eq!(graphed("http_requests_total"), "sum by (job) (rate(http_requests_total[5m]))");
        assert_eq!(graphed("job:up:sum"), "sum by (job) (job:up:sum)");
        assert_eq!(graphed("my.metric"), "sum by (job) ({\"my.metric\"})");
    }
}
