//! What the counters of an endpoint grew by between two scrapes. Each rate is worked out when it is looked at.

use super::MetricsReading;
use super::layout::Named;
use crate::core::rate;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// Two scrapes of one process, and the time between them.
#[derive(Clone, Debug, PartialEq)]
pub struct Rates {
    old: Arc<MetricsReading>,
    new: Arc<MetricsReading>,
    elapsed: Duration,
    /// Where each sample of the new one stands in the old one, where their samples are not the same.
    places: Option<Box<[Option<u32>]>>,
}

impl Rates {
    pub(super) fn between(old: Arc<MetricsReading>, new: Arc<MetricsReading>, elapsed: Duration) -> Self {
        let places = (!old.is_like(&new)).then(|| places(&old, &new));
        Self { old, new, elapsed, places }
    }

    /// Increase per second of a sample of `reading`, if it is a counter that was there before and was not reset.
    #[must_use]
    pub fn of(&self, reading: &MetricsReading, sample: Named<'_>) -> Option<f64> {
        if !self.new.is_like(reading) || !sample.counts() {
            return None;
        }
        let index = sample.index();
        let before = match &self.places {
            None => index,
            Some(places) => (*places.get(index)?)? as usize,
        };
        rate::per_second(self.old.value(before), self.new.value(index), self.elapsed)
    }
}

fn places(old: &MetricsReading, new: &MetricsReading) -> Box<[Option<u32>]> {
    let known: HashMap<(&str, String), u32> = old
        .layout
        .samples()
        .filter(|sample| sample.counts())
        .map(|sample| ((sample.name(), sample.series("")), sample.index() as u32))
        .collect();
    let place = |sample: Named<'_>| {
        sample.counts().then(|| known.get(&(sample.name(), sample.series(""))).copied()).flatten()
    };
    new.layout.samples().map(place).collect()
}
