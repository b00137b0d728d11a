//! What an operation of a service reaches: how long it takes, how much of it fails, and how fast that uses up what may fail. Pure.

use super::buckets::{self, Buckets, Distribution, Together};
use super::budget::Budget;
use super::measures::{Measure, Measures, Took};
use super::operation::Operation;
use super::quantile::LEAST_OBSERVATIONS;
use super::{MetricsReading, Quantile};
use crate::core::time::Now;
use std::time::Duration;

/// How well it is known how long something takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Known {
    /// Nothing tells it.
    #[default]
    Not,
    /// By buckets, which are added up.
    Buckets,
    /// Its series have different buckets, which cannot be added up.
    Differ,
    /// The process computes it: the worst of so many series stands there, for they cannot be added up.
    Worst(usize),
}

/// One operation by one family that measures it.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceLevel {
    /// Which operation.
    pub operation: Operation,
    /// The family.
    pub family: String,
    /// How long it takes, in seconds, and of how many within the last minute.
    pub spread: Distribution,
    /// How well that is known.
    pub known: Known,
    /// It is told how it ended.
    pub told: bool,
    /// How it ended within the last hour.
    pub budget: Budget,
    /// What its buckets grew by over the last minute, with bounds in seconds.
    grown: Vec<(f64, f64)>,
}

impl ServiceLevel {
    fn new(measure: &Measure) -> Self {
        Self {
            operation: measure.operation,
            family: measure.family.clone(),
            spread: Distribution::default(),
            known: Known::Not,
            told: measure.told,
            budget: Budget::default(),
            grown: Vec::new(),
        }
    }

    fn is(&self, measure: &Measure) -> bool {
        self.operation == measure.operation && self.family == measure.family
    }

    /// Takes in how long it took since the window began.
    fn took(&mut self, took: Took, unit: f64, now: Now) {
        self.grown.clear();
        (self.spread, self.known) = match took {
            Took::Unknown => (self.counted(now), Known::Not),
            Took::Buckets(Together::Nothing) => (Distribution::default(), Known::Buckets),
            Took::Buckets(Together::Differ(count)) => {
                (Distribution { count, ..Distribution::default() }, Known::Differ)
            }
            Took::Buckets(Together::Grown(grown)) => {
                self.grown = grown.into_iter().map(|(bound, count)| (bound * unit, count)).collect();
                (Distribution::of(&self.grown), Known::Buckets)
            }
            Took::Quantiles([p50, p95, p99], series) => {
                let counted = self.counted(now);
                let told = |value: Option<f64>| {
                    value.filter(|_| counted.count >= LEAST_OBSERVATIONS).map(Quantile::Value)
                };
                let spread = Distribution { p50: told(p50), p95: told(p95), p99: told(p99), ..counted };
                (spread, Known::Worst(series))
            }
        };
    }

    /// How many there were within the last minute, by its counters.
    fn counted(&self, now: Now) -> Distribution {
        let count = self.budget.within(now, Duration::from_secs(60)).all;
        Distribution { count, ..Distribution::default() }
    }

    /// The same operation of several endpoints: what they count is added up, and so are buckets with the same bounds. Of what cannot be added
    /// up nothing is said but how many there were.
    #[must_use]
    pub fn together(all: &[&Self]) -> Option<Self> {
        let first = *all.first()?;
        if all.len() == 1 {
            return Some(first.clone());
        }
        let count = all.iter().map(|level| level.spread.count).sum();
        let mut grown: Vec<(f64, f64)> = Vec::new();
        let mut fits = all.iter().all(|level| level.known == Known::Buckets);
        for level in all.iter().filter(|level| !level.grown.is_empty()) {
            if grown.is_empty() {
                grown.clone_from(&level.grown);
            } else {
                fits &= buckets::add(&mut grown, &level.grown);
            }
        }
        let spread = if fits { Distribution::of(&grown) } else { Distribution::default() };
        Some(Self {
            operation: first.operation,
            family: first.family.clone(),
            spread: Distribution { count, ..spread },
            known: if fits { Known::Buckets } else { Known::Differ },
            told: all.iter().any(|level| level.told),
            budget: Budget::together(all.iter().filter(|level| level.told).map(|level| &level.budget)),
            grown,
        })
    }
}

/// Counts for each level what ended between two scrapes of one process.
pub(super) fn count(
    levels: &mut Vec<ServiceLevel>,
    measures: &Measures,
    (old, new): (&MetricsReading, &MetricsReading),
    (now, over): (Now, Duration),
) {
    for (measure, counted) in measures.0.iter().zip(measures.counted(old, new)) {
        let found = levels.iter().position(|level| level.is(measure));
        let place = found.unwrap_or(levels.len());
        if found.is_none() {
            levels.push(ServiceLevel::new(measure));
        }
        levels[place].told = measure.told;
        levels[place].budget.add(now, counted, over);
    }
}

/// Brings up to date how long each takes. What is measured no more is kept as long as it counts within the hour.
pub(super) fn take(
    levels: &mut Vec<ServiceLevel>,
    measures: &Measures,
    since: Option<&Buckets>,
    new: &MetricsReading,
    now: Now,
) {
    for measure in &measures.0 {
        let took = measure.took(since, new);
        if let Some(level) = levels.iter_mut().find(|level| level.is(measure)) {
            level.took(took, measure.unit, now);
        } else {
            let mut level = ServiceLevel::new(measure);
            level.took(took, measure.unit, now);
            levels.push(level);
        }
    }
    let current = |level: &ServiceLevel| measures.0.iter().any(|measure| level.is(measure));
    levels.retain(|level| current(level) || level.budget.within(now, super::budget::LONG).all > 0.0);
    for gone in levels.iter_mut().filter(|level| !current(level)) {
        gone.took(Took::Unknown, 1.0, now);
    }
    levels.sort_by(|a, b| (a.operation, &a.family).cmp(&(b.operation, &b.family)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(grown: &[(f64, f64)], known: Known) -> ServiceLevel {
        ServiceLevel {
            operation: Operation::Job,
            family: "job_seconds".to_owned(),
            spread: Distribution::of(grown),
            known,
            told: true,
            budget: Budget::default(),
            grown: grown.to_vec(),
        }
    }

    #[test]
    fn buckets_with_the_same_bounds_are_added_up_and_no_others() {
        let inf = f64::INFINITY;
        let (fast, slow) = (
            level(&[(0.1, 90.0), (inf, 90.0)], Known::Buckets),
            level(&[(0.1, 0.0), (inf, 30.0)], Known::Buckets),
        );
        let both = ServiceLevel::together(&[&fast, &slow]).expect("two");
        assert_eq!((both.spread.count, both.spread.p95), (120.0, Some(Quantile::Above(0.1))));
        let finer = level(&[(0.05, 50.0), (0.1, 90.0), (inf, 90.0)], Known::Buckets);
        let told = level(&[], Known::Worst(3));
        for other in [&finer, &told] {
            let both = ServiceLevel::together(&[&fast, other]).expect("two");
            assert_eq!((both.known, both.spread.p95), (Known::Differ, None));
            assert!((both.spread.count - 90.0 - other.spread.count).abs() < 0.1);
        }
        assert_eq!(ServiceLevel::together(&[&told]).map(|alone| alone.known), Some(Known::Worst(3)));
        assert_eq!(ServiceLevel::together(&[]), None);
    }
}
