//! What follows from several documents of one endpoint: what is gone, how long answers took, and in which unit shares are written.

use super::gone::{Absent, Gone};
use super::{HealthField, HealthReading, HealthSettings, Leaf, Measure, Standing};
use crate::core::history::Series;
use crate::core::time::Now;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What stands before the name of a check among what is followed.
const CHECK: &str = "check ";
/// What stands before the pointer of a field of the configuration.
const FIELD: &str = "field ";

/// In what a share is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// In percent: it says so.
    Percent,
    /// From 0 to 1: it says so.
    Ratio,
    /// In percent: more than 1 was seen.
    SeenPercent,
    /// From 0 to 1: nothing above 1 was seen, and something between.
    SeenRatio,
    /// Nobody can tell.
    Unknown,
}

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
    /// Those of which one between 0 and 1 was seen.
    ratios: BTreeSet<String>,
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

    /// What it told of and tells of no more, but for fields of the configuration.
    pub fn gone(&self) -> impl Iterator<Item = Absent<'_>> {
        self.gone.missing().filter(|one| !one.name.starts_with(FIELD))
    }

    /// The checks that it told of and does not tell of now, by their names.
    pub fn silent_checks(&self) -> impl Iterator<Item = Absent<'_>> {
        self.gone.ever().filter_map(|one| {
            let name = one.name.strip_prefix(CHECK)?;
            let told = self.reading().is_some_and(|reading| reading.check(name).is_some());
            (!told).then_some(Absent { name, ..one })
        })
    }

    /// How a field of the configuration is missing that is not there now; nothing where it never was.
    #[must_use]
    pub fn missing(&self, field: &HealthField) -> Option<Absent<'_>> {
        self.gone.of(&format!("{FIELD}{}", field.pointer))
    }

    /// In what a share is written, as far as it says so or was seen. A number between 0 and 1 may still be one in percent, until a larger
    /// one comes; 1 alone may be all of it, or one in a hundred.
    #[must_use]
    pub fn scale(&self, measure: &Measure) -> Scale {
        let name = measure.name();
        match () {
            () if measure.percent => Scale::Percent,
            () if measure.ratio => Scale::Ratio,
            () if measure.value > 1.0 || self.percents.contains(&name) => Scale::SeenPercent,
            () if measure.value < 1.0 || self.ratios.contains(&name) => Scale::SeenRatio,
            () => Scale::Unknown,
        }
    }

    /// Seconds, or a share from 0 to 1; nothing where nobody can tell which share it is.
    #[must_use]
    pub fn value(&self, measure: &Measure) -> Option<f64> {
        if !measure.kind.is_share() {
            return Some(measure.value);
        }
        match self.scale(measure) {
            Scale::Percent | Scale::SeenPercent => Some(measure.value / 100.0),
            Scale::Ratio | Scale::SeenRatio => Some(measure.value),
            Scale::Unknown => None,
        }
    }

    /// Takes in a new document.
    pub fn absorb(&mut self, reading: HealthReading, now: Now) {
        self.latency.push(now, Some(reading.took.as_secs_f64()));
        let above = |measure: &&Measure| measure.kind.is_share() && measure.value > 1.0;
        self.percents.extend(reading.measures.iter().filter(above).map(Measure::name));
        let between =
            |measure: &&Measure| measure.kind.is_share() && measure.value > 0.0 && measure.value < 1.0;
        self.ratios.extend(reading.measures.iter().filter(between).map(Measure::name));
        let says = |field: &&HealthField| {
            reading.at(&field.pointer).is_some_and(|leaf| *leaf != Leaf::Nothing || field.is_idle(leaf))
        };
        let fields = self.settings.fields.iter().filter(says);
        let fields = fields.map(|field| format!("{FIELD}{}", field.pointer));
        let told: Vec<String> = names(&reading).chain(fields).collect();
        self.gone.look(told.into_iter(), reading.standing() == Standing::Down, now);
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

/// What a document tells of and should go on telling of. Errors and lists come and go.
fn names(reading: &HealthReading) -> impl Iterator<Item = String> {
    let checks = reading.checks.iter().map(|check| format!("{CHECK}{}", check.name));
    let breakers = reading.breakers.iter().map(|breaker| format!("breaker {}", breaker.name));
    let word = reading.word.iter().map(|_| "status".to_owned());
    let measures = reading.measures.iter().map(Measure::name).chain(reading.idle.iter().cloned());
    word.chain(checks).chain(breakers).chain(measures)
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
            ratio: false,
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
        let is = |found: Option<f64>, share: f64| found.is_some_and(|found| (found - share).abs() < 1e-9);
        // All of it, or one in a hundred: that is not guessed.
        assert_eq!(share(0, 1.0), None);
        assert!(is(share(1, 0.9), 0.9) && is(share(2, 1.0), 1.0));
        assert!(is(share(3, 87.0), 0.87) && is(share(4, 0.9), 0.009) && is(share(5, 1.0), 0.01));
    }

    #[test]
    fn a_share_that_says_in_what_it_is_written_is_believed() {
        let state = HealthState::default();
        let one = |percent, ratio| Measure { percent, ratio, ..with(1.0).measures.remove(0) };
        assert_eq!(state.value(&one(true, false)), Some(0.01));
        assert_eq!(state.value(&one(false, true)), Some(1.0));
        assert_eq!(state.scale(&one(false, false)), Scale::Unknown);
    }

    #[test]
    fn what_is_told_as_nothing_is_not_gone() {
        let mut state = HealthState::default();
        state.absorb(with(0.5), Now::example(0));
        let night =
            HealthReading { measures: Vec::new(), idle: vec!["cache hit rate".to_owned()], ..with(0.5) };
        state.absorb(night, Now::example(10));
        assert_eq!(state.gone().count(), 0);
    }

    #[test]
    fn a_check_that_is_told_no_more_is_silent() {
        let check = HealthCheck { name: "database".to_owned(), ..HealthCheck::default() };
        let mut state = HealthState::default();
        state.absorb(HealthReading { checks: vec![check], ..with(0.5) }, Now::example(0));
        assert_eq!(state.silent_checks().count(), 0);
        state.absorb(HealthReading::default(), Now::example(1));
        let gone: Vec<&str> = state.gone().map(|one| one.name).collect();
        assert_eq!(gone, ["cache hit rate", "check database", "status"]);
        assert_eq!(state.silent_checks().map(|one| one.name).collect::<Vec<_>>(), ["database"]);
    }
}
