//! What the configuration says of a health endpoint beyond how it is reached: the fields that matter, and their thresholds.

use super::Leaf;
use crate::core::alert::{Grade, Severity};
use crate::core::text::{duration, sized};

/// The settings of one health endpoint.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HealthSettings {
    /// The fields that matter, in their order.
    pub fields: Vec<HealthField>,
}

/// One field of the document.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HealthField {
    /// What it is called on the screen.
    pub name: String,
    /// Where it stands, as a JSON pointer.
    pub pointer: String,
    /// In what it is told.
    pub unit: Unit,
    /// At or above this.
    pub above: Bound,
    /// Below this.
    pub below: Bound,
    /// The only word that is right.
    pub expect: Option<String>,
}

/// From where on something is worth a warning, and from where on it is critical.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bound {
    /// A warning from here on.
    pub warning: Option<f64>,
    /// Critical from here on.
    pub critical: Option<f64>,
}

/// In what a number is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    /// As it is.
    #[default]
    Plain,
    /// A share from 0 to 1.
    Ratio,
    /// Milliseconds.
    Milliseconds,
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// With this behind it.
    Behind(String),
}

impl Unit {
    /// The unit of this word.
    #[must_use]
    pub fn of(word: &str) -> Self {
        match word {
            "" | "count" => Self::Plain,
            "ratio" => Self::Ratio,
            "ms" => Self::Milliseconds,
            "s" | "seconds" => Self::Seconds,
            "bytes" => Self::Bytes,
            other => Self::Behind(other.to_owned()),
        }
    }

    /// A number in it.
    #[must_use]
    pub fn told(&self, value: f64) -> String {
        let span = crate::core::time::span_of;
        let plain = || {
            let text = format!("{value:.3}");
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        };
        match self {
            Self::Plain => plain(),
            Self::Ratio => format!("{:.0} %", value * 100.0),
            Self::Milliseconds => duration(span(value / 1000.0)),
            Self::Seconds => duration(span(value)),
            Self::Bytes => sized(value),
            Self::Behind(words) => format!("{} {words}", plain()),
        }
    }
}

impl HealthField {
    /// Whether a number has to stand there.
    #[must_use]
    pub const fn is_measured(&self) -> bool {
        self.above.warning.is_some()
            || self.above.critical.is_some()
            || self.below.warning.is_some()
            || self.below.critical.is_some()
    }

    /// Whether it says nothing because nothing happens: of no request there is no duration and no percentile.
    #[must_use]
    pub fn is_idle(&self, leaf: &Leaf) -> bool {
        let name = self.pointer.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        let of_traffic = [
            "p50",
            "p75",
            "p90",
            "p95",
            "p99",
            "latency",
            "duration",
            "percentile",
            "average",
            "avg",
            "mean",
        ];
        *leaf == Leaf::Nothing && self.expect.is_none() && of_traffic.iter().any(|word| name.contains(word))
    }

    /// How bad it is that this stands there; nothing where it is fine.
    #[must_use]
    pub fn grade(&self, leaf: &Leaf) -> Option<Grade> {
        if self.expect.as_ref().is_some_and(|word| !word.eq_ignore_ascii_case(&leaf.word())) {
            return Some(Grade { severity: Severity::Critical, value: None, threshold: None });
        }
        let value = leaf.number()?;
        let past = |severity, is: bool, threshold: Option<f64>| {
            is.then_some(Grade { severity, value: Some(value), threshold })
        };
        let reaches = |bound: Option<f64>| bound.is_some_and(|bound| value >= bound);
        let falls = |bound: Option<f64>| bound.is_some_and(|bound| value < bound);
        let (above, below) = (self.above, self.below);
        past(Severity::Critical, reaches(above.critical), above.critical)
            .or_else(|| past(Severity::Critical, falls(below.critical), below.critical))
            .or_else(|| past(Severity::Warning, reaches(above.warning), above.warning))
            .or_else(|| past(Severity::Warning, falls(below.warning), below.warning))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(field: &HealthField, leaf: &Leaf, expected: Option<Severity>) {
        assert_eq!(field.grade(leaf).map(|grade| grade.severity), expected, "{leaf:?}");
    }

    #[test]
    fn a_field_is_graded_from_both_sides() {
        let bound = |warning, critical| Bound { warning: Some(warning), critical: Some(critical) };
        let field =
            HealthField { above: bound(80.0, 90.0), below: bound(5.0, 2.0), ..HealthField::default() };
        check(&field, &Leaf::Number(79.9), None);
        check(&field, &Leaf::Number(80.0), Some(Severity::Warning));
        check(&field, &Leaf::Text("95 %".to_owned()), Some(Severity::Critical));
        check(&field, &Leaf::Number(4.0), Some(Severity::Warning));
        check(&field, &Leaf::Number(1.0), Some(Severity::Critical));
        check(&field, &Leaf::Nothing, None);
        let word = HealthField { expect: Some("primary".to_owned()), ..HealthField::default() };
        check(&word, &Leaf::Text("Primary".to_owned()), None);
        check(&word, &Leaf::Text("replica".to_owned()), Some(Severity::Critical));
    }

    #[test]
    fn a_percentile_of_nothing_is_no_traffic() {
        let field = |pointer: &str| HealthField { pointer: pointer.to_owned(), ..HealthField::default() };
        assert!(field("/queries/p95").is_idle(&Leaf::Nothing));
        assert!(field("/http/avgDurationMs").is_idle(&Leaf::Nothing));
        assert!(!field("/queries/p95").is_idle(&Leaf::Number(0.0)));
        assert!(!field("/pool/used").is_idle(&Leaf::Nothing));
        let word = HealthField { expect: Some("x".to_owned()), ..field("/p95") };
        assert!(!word.is_idle(&Leaf::Nothing));
    }

    #[test]
    fn a_number_is_told_in_its_unit() {
        for (unit, value, expected) in [
            ("", 12.0, "12"),
            ("count", 0.25, "0.25"),
            ("ratio", 0.314, "31 %"),
            ("ms", 1500.0, "1.5 s"),
            ("bytes", 1_572_864.0, "1.5 MiB"),
            ("jobs", 3.0, "3 jobs"),
        ] {
            assert_eq!(Unit::of(unit).told(value), expected, "{unit}");
        }
    }
}
