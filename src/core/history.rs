//! A bounded ring of samples per series, with explicit gaps: a missing sample is never drawn as zero.

use std::collections::VecDeque;

/// How many samples a series keeps: fifteen minutes at one sample a second.
pub const HISTORY_SAMPLES: usize = 900;

/// The recent past of one number, oldest first. `None` is a gap (no data), which is not zero.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    samples: VecDeque<Option<f64>>,
}

impl Series {
    /// Adds one sample; `None`, or a number that is not finite, is a gap.
    pub fn push(&mut self, sample: Option<f64>) {
        if self.samples.len() == HISTORY_SAMPLES {
            self.samples.pop_front();
        }
        self.samples.push_back(sample.filter(|value| value.is_finite()));
    }

    /// The newest sample, if there is one and it is not a gap.
    #[must_use]
    pub fn last(&self) -> Option<f64> {
        self.samples.back().copied().flatten()
    }

    /// The newest `count` samples, oldest first.
    #[must_use]
    pub fn tail(&self, count: usize) -> Vec<Option<f64>> {
        let skip = self.samples.len().saturating_sub(count);
        self.samples.iter().skip(skip).copied().collect()
    }

    /// How many samples there are, gaps included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// Whether nothing was ever pushed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_gaps_and_drops_the_oldest() {
        let mut series = Series::default();
        series.push(Some(1.0));
        series.push(None);
        series.push(Some(f64::NAN));
        series.push(Some(2.0));
        assert_eq!(series.tail(3), vec![None, None, Some(2.0)]);
        for _ in 0..HISTORY_SAMPLES {
            series.push(Some(3.0));
        }
        assert_eq!(series.len(), HISTORY_SAMPLES);
        assert_eq!(series.tail(HISTORY_SAMPLES)[0], Some(3.0));
        series.push(None);
        assert_eq!(series.last(), None);
    }
}
