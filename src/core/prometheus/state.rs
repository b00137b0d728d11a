//! What follows from several readings of one Prometheus target: the past of its configured panels.

use super::{PrometheusReading, PrometheusSettings};
use crate::core::history::Series;
use crate::core::time::Now;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Series whose past is kept; more are shown without one.
const MOST_SERIES: usize = 500;
/// A series that is gone keeps its past for so long.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(600);

/// The latest reading of a target and everything derived from it and its predecessors.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PrometheusState {
    /// What the configuration says.
    pub settings: PrometheusSettings,
    /// The newest reading and when it was made.
    pub latest: Option<(Now, Arc<PrometheusReading>)>,
    /// The past of every series of every configured panel, by (title, labels).
    pub panels: BTreeMap<(String, String), Series>,
}

impl PrometheusState {
    /// The state of a target that was not asked yet.
    #[must_use]
    pub fn new(settings: PrometheusSettings) -> Self {
        Self { settings, ..Self::default() }
    }

    /// The newest reading.
    #[must_use]
    pub fn reading(&self) -> Option<&PrometheusReading> {
        self.latest.as_ref().map(|(_, reading)| &**reading)
    }

    /// Takes in a new reading.
    pub fn absorb(&mut self, reading: PrometheusReading, now: Now) {
        let mut seen = Vec::new();
        for panel in &reading.panels {
            for (labels, value) in panel.series.ready().into_iter().flatten() {
                let key = (panel.title.clone(), labels.clone());
                if self.panels.len() < MOST_SERIES || self.panels.contains_key(&key) {
                    self.panels.entry(key.clone()).or_default().push(now, Some(*value));
                }
                seen.push(key);
            }
        }
        for (key, series) in &mut self.panels {
            if !seen.contains(key) {
                series.push(now, None);
            }
        }
        self.panels
            .retain(|key, series| seen.contains(key) || series.within(FORGOTTEN_AFTER).next().is_some());
        self.latest = Some((now, Arc::new(reading)));
    }

    /// Nobody was running for a while: nothing is known of that time.
    pub fn interrupt(&mut self) {
        self.panels.values_mut().for_each(Series::interrupt);
    }

    /// Notes that a poll failed: every history gets an explicit gap; the latest reading stays (its age is shown).
    pub fn gap(&mut self, now: Now) {
        for series in self.panels.values_mut() {
            series.push(now, None);
        }
    }
}
