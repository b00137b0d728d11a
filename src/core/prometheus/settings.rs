//! What the configuration says of a Prometheus target beyond how it is reached.

use crate::core::alert::{Grade, Severity};

/// The settings of one Prometheus target.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PrometheusSettings {
    /// The configured panels.
    pub panels: Vec<PromQuery>,
    /// What its memory is asked for our own numbers, beside what is known of exporters.
    pub past: Vec<PromPast>,
}

/// What the configuration says of the past of one number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PromPast {
    /// The target.
    pub target: String,
    /// Its number, as its graph is called.
    pub number: String,
    /// The expression.
    pub expr: String,
}

/// One configured PromQL panel.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PromQuery {
    /// What it is called on the screen; no two of a target are called the same.
    pub title: String,
    /// The expression.
    pub expr: String,
    /// Unit shown behind the number ("s", "%", "/s" or nothing).
    pub unit: String,
    /// At or above this it is a warning.
    pub warning: Option<f64>,
    /// At or above this it is critical.
    pub critical: Option<f64>,
}

impl PrometheusSettings {
    /// The panel called `title`.
    #[must_use]
    pub fn panel(&self, title: &str) -> Option<&PromQuery> {
        self.panels.iter().find(|panel| panel.title == title)
    }
}

impl PromQuery {
    /// How bad `value` is; nothing where it is fine.
    #[must_use]
    pub fn grade(&self, value: f64) -> Option<Grade> {
        let by = |severity, threshold: Option<f64>| {
            let threshold = threshold.filter(|threshold| value >= *threshold)?;
            Some(Grade { severity, value: Some(value), threshold: Some(threshold) })
        };
        by(Severity::Critical, self.critical).or_else(|| by(Severity::Warning, self.warning))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_graded_by_the_panel_of_its_title() {
        let query = |title: &str, warning: Option<f64>, critical: Option<f64>| PromQuery {
            title: title.to_owned(),
            warning,
            critical,
            ..PromQuery::default()
        };
        let settings = PrometheusSettings {
            panels: vec![
                query("a", Some(1.0), Some(10.0)),
                query("b", None, Some(5.0)),
                query("c", None, None),
            ],
            past: Vec::new(),
        };
        let grade = |title: &str, value: f64| {
            settings.panel(title).and_then(|panel| panel.grade(value)).map(|grade| grade.severity)
        };
        assert_eq!(grade("a", 0.9), None);
        assert_eq!(grade("a", 1.0), Some(Severity::Warning));
        assert_eq!(grade("a", f64::INFINITY), Some(Severity::Critical));
        assert_eq!((grade("b", 4.0), grade("b", 5.0)), (None, Some(Severity::Critical)));
        assert_eq!((grade("c", 99.0), grade("a", f64::NAN), grade("gone", 99.0)), (None, None, None));
    }
}
