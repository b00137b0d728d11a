//! What follows from several readings of one Alertmanager: deliveries that fail, and the alert that must always be there.

use super::{AlertmanagerReading, AlertmanagerSettings, Counters};
use crate::core::alert::always_fires;
use crate::core::history::Series;
use crate::core::part::Part;
use crate::core::rate::{Lately, Meter, Window, increase};
use crate::core::time::Now;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The latest reading of a target and everything derived from it and its predecessors.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlertmanagerState {
    /// The newest reading and when it was made.
    pub latest: Option<(Now, Arc<AlertmanagerReading>)>,
    /// Alerts that nothing keeps from people, over time.
    pub active: Series,
    /// Requests to each integration that failed within the last minute.
    pub failing: BTreeMap<String, Lately>,
    /// The alert that must always fire, as it was last there, and since when it is not; by what it is called.
    missed: BTreeMap<String, Option<Now>>,
    meter: Meter<Counters>,
}

impl AlertmanagerState {
    /// One that was not asked yet.
    #[must_use]
    pub fn new(_: AlertmanagerSettings) -> Self {
        Self::default()
    }

    /// The newest reading.
    #[must_use]
    pub fn reading(&self) -> Option<&AlertmanagerReading> {
        self.latest.as_ref().map(|(_, reading)| &**reading)
    }

    /// The alerts that must always fire, were seen here, and are gone; since when.
    pub fn missed(&self) -> impl Iterator<Item = (&str, Now)> {
        self.missed.iter().filter_map(|(name, since)| Some((name.as_str(), (*since)?)))
    }

    /// Takes in a new reading.
    pub fn absorb(&mut self, reading: AlertmanagerReading, now: Now) {
        let reading = Arc::new(reading);
        if reading.groups.ready().is_some() {
            let there = |name: &str| reading.alerts().any(|alert| alert.name() == name);
            for (name, since) in &mut self.missed {
                *since = if there(name) { None } else { since.or(Some(now)) };
            }
            let always = reading.alerts().filter(|alert| always_fires(alert.name()));
            for alert in always {
                self.missed.entry(alert.name().to_owned()).or_default();
            }
        }
        let active = reading.groups.ready().map(|_| {
            reading.alerts().filter(|alert| alert.held.is_empty() && !always_fires(alert.name())).count()
                as f64
        });
        self.active.push(now, active);
        if let Part::Ready(counters) = &reading.counters {
            self.count(counters, now);
        }
        self.latest = Some((now, reading));
    }

    fn count(&mut self, counters: &Counters, now: Now) {
        let before =
            self.latest.as_ref().and_then(|(at, reading)| Some((*at, reading.counters.ready()?.clone())));
        match self.meter.window(before, now) {
            Window::Early => {}
            Window::Nothing => self.failing.clear(),
            Window::Over(old, elapsed) => {
                self.failing.retain(|name, _| counters.failed.contains_key(name));
                for (name, total) in &counters.failed {
                    // An integration that was not counted before has failed for the first time.
                    let grown = increase(old.failed.get(name).copied().unwrap_or_default(), *total);
                    self.failing.entry(name.clone()).or_default().add(grown, elapsed, now);
                }
            }
        }
    }

    /// Nobody was running for a while: nothing is known of that time.
    pub fn interrupt(&mut self) {
        self.active.interrupt();
        self.meter.begin_anew();
        self.failing.clear();
    }

    /// Notes that a poll failed: the history gets an explicit gap; the latest reading stays (its age is shown).
    pub fn gap(&mut self, now: Now) {
        self.active.push(now, None);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{AlertGroup, HeldAlert};
    use super::*;

    fn reading(alerts: &[&str], failed: Option<f64>) -> AlertmanagerReading {
        let alert = |name: &&str| HeldAlert {
            fingerprint: (*name).to_owned(),
            labels: vec![("alertname".to_owned(), (*name).to_owned())],
            ..HeldAlert::default()
        };
        let group = AlertGroup { alerts: alerts.iter().map(alert).collect(), ..AlertGroup::default() };
        let failed = failed.map(|failed| BTreeMap::from([("slack".to_owned(), failed)])).unwrap_or_default();
        AlertmanagerReading {
            groups: Part::Ready(vec![group]),
            counters: Part::Ready(Counters { failed, loaded: None }),
            ..AlertmanagerReading::default()
        }
    }

    #[test]
    fn the_alert_that_always_fires_is_missed_when_it_was_there() {
        let mut state = AlertmanagerState::default();
        let mut seen = Vec::new();
        for (second, alerts) in
            [(0, &["A"][..]), (10, &["Watchdog"]), (20, &["A"]), (30, &[]), (40, &["Watchdog"])]
        {
            state.absorb(reading(alerts, None), Now::example(second));
            seen.push(state.missed().map(|(name, since)| (name.to_owned(), since)).collect::<Vec<_>>());
        }
        let gone = vec![("Watchdog".to_owned(), Now::example(20))];
        assert_eq!(seen, [vec![], vec![], gone.clone(), gone, vec![]]);
    }

    #[test]
    fn the_alert_that_always_fires_is_not_counted_among_the_active_ones() {
        let mut state = AlertmanagerState::default();
        state.absorb(reading(&["Watchdog", "A", "B"], None), Now::example(0));
        assert_eq!(state.active.last(), Some(2.0));
    }

    #[test]
    fn requests_that_fail_are_counted_from_poll_to_poll() {
        let mut state = AlertmanagerState::default();
        let mut lately = |second: u64, failed: Option<f64>| {
            state.absorb(reading(&[], failed), Now::example(second));
            state.failing.get("slack").map(Lately::times)
        };
        // What failed before we came is no news.
        assert_eq!(lately(0, Some(7.0)), None);
        assert_eq!(lately(10, Some(7.0)), Some(0.0));
        assert_eq!(lately(20, Some(9.0)), Some(2.0));
        // It was started again.
        assert_eq!(lately(30, Some(1.0)), Some(2.0));
        assert_eq!(lately(90, Some(1.0)), Some(0.0));
        assert_eq!(lately(100, None), None);
    }
}
