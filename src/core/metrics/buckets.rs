//! Histograms, scrape by scrape: buckets, what they grew by, and the quantiles of that.

use crate::core::metrics::{MetricsReading, Quantile, quantile};
use crate::core::rate::{self};
use std::collections::{BTreeMap, HashMap};

/// Cumulative buckets by (family, labels without `le`).
pub(super) type Buckets = HashMap<(String, String), Vec<(f64, f64)>>;

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

pub(super) fn buckets(reading: &MetricsReading) -> Buckets {
    let mut all: Buckets = HashMap::new();
    for sample in &reading.samples {
        let Some(family) = sample.name.strip_suffix("_bucket") else { continue };
        let Some(bound) = sample.label("le").and_then(|bound| bound.parse::<f64>().ok()) else { continue };
        all.entry((family.to_owned(), sample.series("le"))).or_default().push((bound, sample.value));
    }
    all
}

/// The growth of one series' buckets; `None` when a bucket shrank (reset) or the layout changed.
pub(super) fn growth(old: &[(f64, f64)], new: &[(f64, f64)]) -> Option<Vec<(f64, f64)>> {
    if old.len() != new.len() {
        return None;
    }
    new.iter()
        .map(|(bound, count)| {
            let (_, before) = old.iter().find(|(known, _)| known.total_cmp(bound).is_eq())?;
            Some((*bound, rate::increase(*before, *count)?))
        })
        .collect()
}

pub(super) fn distribution(grown: &[(f64, f64)]) -> Distribution {
    Distribution {
        count: grown.iter().map(|(_, count)| *count).fold(0.0, f64::max),
        p50: quantile(0.5, grown),
        p95: quantile(0.95, grown),
        p99: quantile(0.99, grown),
    }
}

pub(super) fn distributions(old: &Buckets, new: &Buckets) -> BTreeMap<(String, String), Distribution> {
    let mut sums: HashMap<&str, Option<Vec<(f64, f64)>>> = HashMap::new();
    let mut all = BTreeMap::new();
    for (key, buckets) in new {
        let Some(grown) = old.get(key).and_then(|old| growth(old, buckets)) else { continue };
        let sum = sums
            .entry(&key.0)
            .or_insert_with(|| Some(grown.iter().map(|(bound, _)| (*bound, 0.0)).collect()));
        // Different layouts must not be added up.
        *sum = sum.take().and_then(|sum| add(sum, &grown));
        all.insert(key.clone(), distribution(&grown));
    }
    for (family, sum) in sums {
        if let Some(sum) = sum {
            all.insert((family.to_owned(), ALL_SERIES.to_owned()), distribution(&sum));
        }
    }
    all
}

/// The key under which the sum over all series of a family stands.
pub const ALL_SERIES: &str = "(all)";

fn add(mut sum: Vec<(f64, f64)>, grown: &[(f64, f64)]) -> Option<Vec<(f64, f64)>> {
    if sum.len() != grown.len() {
        return None;
    }
    for (bound, count) in grown {
        sum.iter_mut().find(|(known, _)| known.total_cmp(bound).is_eq())?.1 += count;
    }
    Some(sum)
}
