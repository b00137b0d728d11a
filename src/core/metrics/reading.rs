//! One scrape of a `/metrics` endpoint, as data.

use super::kind::MetricKind;
use super::layout::{Builder, Layout, Named};
use crate::core::alert::Unread;
use crate::core::exact;
use crate::core::whereabouts::Whereabouts;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One sample, to make a reading of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MetricSample {
    /// Its full name, `_bucket`, `_sum`, `_total` included.
    pub name: String,
    /// Its labels as the endpoint lists them.
    pub labels: Vec<(String, String)>,
    /// Its value; NaN and infinities are values too.
    pub value: f64,
}

/// What one scrape brought.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MetricsReading {
    /// The samples without their values.
    pub layout: Arc<Layout>,
    /// The value of each sample; NaN and infinities are values too.
    #[serde(with = "exact")]
    pub values: Box<[f64]>,
    /// The first lines that could not be read: line number and why.
    pub bad: Vec<(usize, String)>,
    /// How many could not be read.
    pub bad_total: usize,
    /// Bytes of the body.
    pub bytes: usize,
    /// More samples than are kept.
    pub truncated: bool,
}

impl MetricsReading {
    /// Not known: nothing is changed there.
    #[must_use]
    pub const fn whereabouts(&self) -> Option<&Whereabouts> {
        None
    }

    /// A reading of these samples, of families of these kinds.
    #[must_use]
    pub fn of(samples: &[MetricSample], kinds: &BTreeMap<String, MetricKind>) -> Self {
        let mut builder = Builder::default();
        for sample in samples {
            let labels = sample.labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            builder.push(&sample.name, labels);
        }
        let values = samples.iter().map(|sample| sample.value).collect();
        Self { layout: Arc::new(builder.finish(kinds)), values, ..Self::default() }
    }

    /// Every sample with its value.
    pub fn samples(&self) -> impl Iterator<Item = (Named<'_>, f64)> + Clone {
        self.layout.samples().zip(self.values.iter().copied())
    }

    /// How many samples there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The value of the sample at place `index`.
    #[must_use]
    pub fn value(&self, index: usize) -> f64 {
        self.values.get(index).copied().unwrap_or(f64::NAN)
    }

    /// Whether the samples of both are the same, whatever their values.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.layout, &other.layout)
    }
}

/// An exposition is read whole or not at all.
#[must_use]
pub const fn unread(_reading: &MetricsReading) -> Vec<Unread> {
    Vec::new()
}
