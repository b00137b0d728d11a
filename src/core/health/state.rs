//! What follows from several documents of one endpoint: what is gone, how long answers took, and in which unit shares are written.

use super::gone::Gone;
use super::{HealthReading, HealthSettings, Measure, Standing};
use crate::core::history::Series;
use crate::core::time::Now;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The latest document of an endpoint and everything derived from it and its predecessors.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HealthState {
    /// The newest document and when it was read.
    pub latest: Option<(Now, Arc<HealthReading>)>,
    /// How long its answers took, in seconds.
    pub latency: Series,
    /// What is configured of it.
    pub settings: HealthSettings,
    gone: Gone,
    /// Measures of which a share above 1 was seen: they are written in percent, also when they are small.
    percents: BTreeSet<String>,
}

impl HealthState {
    /// One that was not asked yet.
    #[must_use]
    pub fn new(settings: HealthSettings) -> Self {
        Self { settings, ..Self::default() }
    }

    /// The newest document.
    #[must_use]
    pub fn reading(&self) -> Option<&HealthReading> {
        self.latest.as_ref().map(|(_, reading)| &**reading)
    }

    /// What it told of and tells of no more, since when.
    pub fn gone(&self) -> impl Iterator<Item = (&str, Now)> {
        self.gone.since()
    }

    /// The checks that it ever told of and does not tell of now, by their names.
    pub fn silent_checks(&self) -> impl Iterator<Item = &str> {
        let told = |name: &&str| self.reading().is_some_and(|reading| reading.check(name).is_some());
        self.gone.ever().filter_map(|name| name.strip_prefix("check ")).filter(move |name| !told(name))
    }

    /// Seconds, or a share from 0 to 1.
    #[must_use]
    pub fn value(&self, measure: &Measure) -> f64 {
        let percent = measure.percent || measure.value > 1.0 || self.percents.contains(&name(measure));
        if measure.kind.is_share() && percent { measure.value / 100.0 } else { measure.value }
    }

    /// Takes in a new document.
    pub fn absorb(&mut self, reading: HealthReading, now: Now) {
        self.latency.push(now, Some(reading.took.as_secs_f64()));
        let above = |measure: &&Measure| measure.kind.is_share() && measure.value > 1.0;
        self.percents.extend(reading.measures.iter().filter(above).map(name));
        self.gone.look(names(&reading), reading.standing() == Standing::Down, now);
        self.latest = Some((now, Arc::new(reading)));
    }

    /// Nobody was running for a while: nothing is known of that time.
    pub fn interrupt(&mut self) {
        self.latency.interrupt();
    }

    /// Notes that a poll failed: the history gets an explicit gap; the latest document stays (its age is shown).
    pub fn gap(&mut self, now: Now) {
        self.latency.push(now, None);
    }
}

/// What a measure is called.
fn name(measure: &Measure) -> String {
    format!("{} {}", measure.of, measure.kind.words()).trim().to_owned()
}

/// What a document tells of and should go on telling of. Errors and lists come and go.
fn names(reading: &HealthReading) -> impl Iterator<Item = String> {
    let checks = reading.checks.iter().map(|check| format!("check {}", check.name));
    let breakers = reading.breakers.iter().map(|breaker| format!("breaker {}", breaker.name));
    let word = reading.word.iter().map(|_| "status".to_owned());
    word.chain(checks).chain(breakers).chain(reading.measures.iter().map(name))
}

#[cfg(test)]
mod tests {
    use super::super::{HealthCheck, MeasureKind};
    use super::*;

    fn with(value: f64) -> HealthReading {
        let measure = Measure {
            kind: MeasureKind::HitRate,
            of: "cache".to_owned(),
            queries: false,
            value,
            percent: false,
        };
        HealthReading { word: Some("ok".to_owned()), measures: vec![measure], ..HealthReading::default() }
    }

    #[test]
    fn a_share_that_was_in_percent_once_is_in_percent_always() {
        let mut state = HealthState::default();
        let mut share = |second, value| {
            state.absorb(with(value), Now::example(second));
            state.value(&state.reading().expect("it is read").measures[0])
        };
        assert!((share(0, 0.9) - 0.9).abs() < 1e-9);
        assert!((share(1, 87.0) - 0.87).abs() < 1e-9);
        assert!((share(2, 0.9) - 0.009).abs() < 1e-9);
    }

    #[test]
    fn a_check_that_is_told_no_more_is_silent() {
        let check = HealthCheck { name: "database".to_owned(), ..HealthCheck::default() };
        let mut state = HealthState::default();
        state.absorb(HealthReading { checks: vec![check], ..with(0.5) }, Now::example(0));
        assert_eq!(state.silent_checks().count(), 0);
        state.absorb(HealthReading::default(), Now::example(1));
        let gone: Vec<&str> = state.gone().map(|(name, _)| name).collect();
        assert_eq!(gone, ["cache hit rate", "check database", "status"]);
        assert_eq!(state.silent_checks().collect::<Vec<_>>(), ["database"]);
    }
}
