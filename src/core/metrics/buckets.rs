//! Histograms, scrape by scrape: what the buckets of their series grew by, and the quantiles of that.

use super::layout::Layout;
use super::{MetricsReading, Quantile, quantile};
use crate::core::rate;
use std::collections::HashMap;
use std::sync::Arc;

/// The buckets of one scrape.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Buckets {
    layout: Arc<Layout>,
    /// In the order of [`Layout::all_buckets`].
    counts: Arc<[f64]>,
}

/// What is known of one histogram series over the window.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Distribution {
    /// Observations within the window.
    pub count: f64,
    /// Median.
    pub p50: Option<Quantile>,
    /// 95th percentile.
    pub p95: Option<Quantile>,
    /// 99th percentile.
    pub p99: Option<Quantile>,
}

/// What several series grew by together.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Together {
    /// None of them is known from before.
    Nothing,
    /// Their bounds differ: so many observations, and nothing is known of how they are spread.
    Differ(f64),
    /// Upper bounds and cumulative counts.
    Grown(Vec<(f64, f64)>),
}

impl Distribution {
    /// The distribution of what buckets grew by.
    pub(super) fn of(grown: &[(f64, f64)]) -> Self {
        Self {
            count: grown.iter().map(|(_, count)| *count).fold(0.0, f64::max),
            p50: quantile(0.5, grown),
            p95: quantile(0.95, grown),
            p99: quantile(0.99, grown),
        }
    }
}

impl Buckets {
    /// The buckets of a reading.
    pub(super) fn of(reading: &MetricsReading) -> Self {
        let counts = reading.layout.all_buckets().map(|index| reading.value(index)).collect();
        Self { layout: Arc::clone(&reading.layout), counts }
    }

    /// What each series of `family` grew by until `new`, by its number there: a series that was reset, is new or has other bounds has none.
    fn growth(&self, new: &MetricsReading, family: &str) -> Vec<(usize, Vec<(f64, f64)>)> {
        let same = Arc::ptr_eq(&self.layout, &new.layout);
        // Elsewhere a series is found again by its labels.
        let known: HashMap<String, usize> = if same {
            HashMap::new()
        } else {
            self.layout.histograms(family).map(|series| (self.layout.labels_of(series), series)).collect()
        };
        let grown = |series: usize| {
            let old = if same { series } else { *known.get(&new.layout.labels_of(series))? };
            let (before, after) = (self.layout.buckets(old), new.layout.buckets(series));
            let counts = self.counts.get(self.layout.bucket_places(old))?;
            if before.len() != after.len() {
                return None;
            }
            let pairs = before.iter().zip(after).zip(counts);
            let grown = pairs.map(|(((known, _), (bound, index)), before)| {
                let fits = known.total_cmp(bound).is_eq();
                fits.then(|| Some((*bound, rate::increase(*before, new.value(*index as usize))?)))?
            });
            Some((series, grown.collect::<Option<Vec<_>>>()?))
        };
        new.layout.histograms(family).filter_map(grown).collect()
    }

    /// All series of `family` together, over the time since this; different bounds are not added up.
    pub(super) fn together(&self, new: &MetricsReading, family: &str) -> Option<Distribution> {
        match self.sum(new, family, |_| true) {
            Together::Grown(sum) => Some(Distribution::of(&sum)),
            Together::Nothing | Together::Differ(_) => None,
        }
    }

    /// What those of its series grew by together whose numbers are `wanted`.
    pub(super) fn sum(&self, new: &MetricsReading, family: &str, wanted: impl Fn(usize) -> bool) -> Together {
        let all = self.growth(new, family).into_iter();
        let all: Vec<_> = all.filter(|(series, _)| wanted(*series)).map(|(_, grown)| grown).collect();
        let Some((first, others)) = all.split_first() else { return Together::Nothing };
        let mut sum = first.clone();
        if others.iter().all(|grown| add(&mut sum, grown)) {
            return Together::Grown(sum);
        }
        let most = |grown: &Vec<(f64, f64)>| grown.iter().map(|(_, count)| *count).fold(0.0, f64::max);
        Together::Differ(all.iter().map(most).sum())
    }

    /// How many observations of `family` were certainly above `limit`, and the bound by which that is known: the next one of its buckets.
    /// Nothing where no finite bound is that high.
    pub(super) fn above(&self, new: &MetricsReading, family: &str, limit: f64) -> Option<(f64, f64)> {
        let mut found: Option<(f64, f64)> = None;
        for (_, grown) in self.growth(new, family) {
            let total = grown.iter().map(|(_, count)| *count).fold(0.0, f64::max);
            let bound = grown.iter().filter(|(bound, _)| *bound >= limit && bound.is_finite());
            let (bound, below) = bound.min_by(|a, b| a.0.total_cmp(&b.0))?;
            let (sum, widest) = found.unwrap_or_default();
            found = Some((sum + (total - below).max(0.0), bound.max(widest)));
        }
        found
    }

    /// Each series of `family` by its labels.
    pub(super) fn each(&self, new: &MetricsReading, family: &str) -> Vec<(String, Distribution)> {
        let each = self.growth(new, family).into_iter();
        each.map(|(series, grown)| (new.layout.labels_of(series), Distribution::of(&grown))).collect()
    }
}

/// Adds `more` to `sum` where both have the same bounds; false, and nothing is added, where they do not.
pub(super) fn add(sum: &mut [(f64, f64)], more: &[(f64, f64)]) -> bool {
    let same = |((bound, _), (other, _)): (&(f64, f64), &(f64, f64))| bound.total_cmp(other).is_eq();
    if sum.len() != more.len() || !sum.iter().zip(more).all(same) {
        return false;
    }
    for ((_, count), (_, grown)) in sum.iter_mut().zip(more) {
        *count += grown;
    }
    true
}

/// The key under which the sum over all series of a family stands.
pub const ALL_SERIES: &str = "(all)";
