//! One poll of a Prometheus server's HTTP interface, as data.

use super::range::RangeReading;
use crate::core::exact;
use crate::core::part::Part;
use crate::core::whereabouts::Whereabouts;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;

/// What one poll of a Prometheus server read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PrometheusReading {
    /// Its version.
    pub version: Part<String>,
    /// Every active scrape target.
    pub targets: Part<Vec<ScrapeTarget>>,
    /// Every alert that fires or waits and every rule that fails; how many rules there are in all stands beside.
    pub rules: Part<RulesReading>,
    /// Whom it tells of alerts that fire; look-alikes do not say.
    pub alertmanagers: Part<Alertmanagers>,
    /// Whether the Alertmanager told which alerts it keeps back; not asked where none is configured.
    pub muted: Part<()>,
    /// The configured PromQL panels, in their order.
    pub panels: Vec<PanelReading>,
    /// The ranges that somebody looks at.
    pub ranges: Vec<RangeReading>,
    /// The names of its metrics, while somebody looks at them.
    pub names: Part<Vec<String>>,
}

impl PrometheusReading {
    /// The answer to a range that is looked at; nothing while it is on its way.
    #[must_use]
    pub fn range(&self, expr: &str, span: Duration) -> Option<&RangeReading> {
        self.ranges.iter().find(|reading| reading.range.expr == expr && reading.range.span == span)
    }

    /// Not known: nothing is changed there.
    #[must_use]
    pub const fn whereabouts(&self) -> Option<&Whereabouts> {
        None
    }
}

/// The Alertmanagers that a server knows of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alertmanagers {
    /// Those that are told: the URL of each without the path of its interface, as the server reaches it.
    pub told: Vec<String>,
    /// How many were found and are not told, by its own relabelling.
    pub dropped: usize,
}

/// One scrape target.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ScrapeTarget {
    /// Its job.
    pub job: String,
    /// Its instance.
    pub instance: String,
    /// `up`, `down` or `unknown`.
    pub health: String,
    /// Why the last scrape failed.
    pub last_error: String,
    /// How long the last scrape took, seconds.
    #[serde(with = "exact")]
    pub took_seconds: f64,
}

impl ScrapeTarget {
    /// Whether its last scrape failed.
    #[must_use]
    pub fn is_down(&self) -> bool {
        self.health == "down"
    }
}

/// The rules of the server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RulesReading {
    /// How many rules there are.
    pub total: usize,
    /// How many of them are alerting rules.
    pub alerting: usize,
    /// Every alert that fires or waits, and every rule that cannot be evaluated.
    pub notable: Vec<AlertingRule>,
}

impl RulesReading {
    /// How many rules fire: several alerts of one rule are one.
    #[must_use]
    pub fn firing(&self) -> usize {
        let firing = self.notable.iter().filter(|alert| alert.state == "firing");
        firing.map(|alert| (&alert.group, &alert.name, &alert.query)).collect::<BTreeSet<_>>().len()
    }

    /// How many rules cannot be evaluated.
    #[must_use]
    pub fn failing(&self) -> usize {
        let failing = self.notable.iter().filter(|rule| !rule.error.is_empty());
        failing.map(|rule| (&rule.group, &rule.name, &rule.query)).collect::<BTreeSet<_>>().len()
    }
}

/// One alert of a rule, or a rule that cannot be evaluated. Group, name and labels tell it from all others.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AlertingRule {
    /// Its group.
    pub group: String,
    /// Its name.
    pub name: String,
    /// Its labels beyond name and severity, as one text.
    pub labels: String,
    /// `firing`, `pending` or `inactive`.
    pub state: String,
    /// The `severity` label, if it has one: the alert's own goes before the rule's, which may be a template.
    pub severity: String,
    /// Why it cannot be evaluated; empty when it can.
    pub error: String,
    /// Its PromQL.
    pub query: String,
    /// Its summary or description.
    pub summary: String,
    /// How long it has been active.
    pub active_for: Option<Duration>,
    /// All labels of the alert; none of a rule that cannot be evaluated.
    pub all_labels: Vec<(String, String)>,
    /// What keeps it from people, by the Alertmanager's word.
    pub muted: Option<String>,
}

impl AlertingRule {
    /// What tells an alert from all others of the server.
    #[must_use]
    pub fn subject(&self) -> String {
        let about = if self.labels.is_empty() { &self.query } else { &self.labels };
        format!("{} {} {} {}", self.group, self.name, self.severity, about)
    }
}

/// What one configured PromQL panel shows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PanelReading {
    /// What the panel is called.
    pub title: String,
    /// The series, by their labels, where there are thresholds the largest first; or why there are none.
    #[serde(with = "exact")]
    pub series: Part<Vec<(String, f64)>>,
    /// Why not all series are judged, if so.
    pub cut: Option<String>,
}
