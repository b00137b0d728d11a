//! Quantiles of a histogram from the growth of its cumulative buckets, as Prometheus' `histogram_quantile` computes them.

/// Observations below this say nothing about a quantile.
pub const LEAST_OBSERVATIONS: f64 = 20.0;

/// A quantile: within the finite buckets, or beyond the largest of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Quantile {
    /// About this much.
    Value(f64),
    /// More than the largest finite bound.
    Above(f64),
}

/// Quantile `q` (0–1) of buckets `(upper bound, cumulative count)` in any order; `None` without an infinite bucket, with fewer than
/// two buckets or fewer than [`LEAST_OBSERVATIONS`] observations. Counts are made monotonic first: a scrape is not atomic.
#[must_use]
pub fn quantile(q: f64, buckets: &[(f64, f64)]) -> Option<Quantile> {
    let mut sorted: Vec<(f64, f64)> = buckets.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    if sorted.len() < 2 || !sorted.last()?.0.is_infinite() {
        return None;
    }
    let mut highest: f64 = 0.0;
    for bucket in &mut sorted {
        highest = highest.max(bucket.1);
        bucket.1 = highest;
    }
    if highest < LEAST_OBSERVATIONS {
        return None;
    }
    let rank = q * highest;
    let index = sorted.iter().position(|bucket| bucket.1 >= rank)?;
    let (upper, count) = sorted[index];
    if upper.is_infinite() {
        return Some(Quantile::Above(sorted[index - 1].0));
    }
    let (lower, below) = match index {
        0 if upper <= 0.0 => return Some(Quantile::Value(upper)),
        0 => (0.0, 0.0),
        _ => sorted[index - 1],
    };
    let inside = count - below;
    if inside <= 0.0 {
        return Some(Quantile::Value(upper));
    }
    Some(Quantile::Value(lower + (upper - lower) * (rank - below) / inside))
}

#[cfg(test)]
mod tests {
    use super::*;

    const INF: f64 = f64::INFINITY;

    #[track_caller]
    fn check(q: f64, buckets: &[(f64, f64)], expected: Option<Quantile>) {
        assert_eq!(quantile(q, buckets), expected, "{buckets:?}");
    }

    #[test]
    fn as_prometheus_does() {
        let even = [(0.1, 50.0), (0.2, 100.0), (INF, 100.0)];
        check(0.5, &even, Some(Quantile::Value(0.1)));
        check(0.5, &[(0.5, 50.0), (1.0, 100.0), (INF, 100.0)], Some(Quantile::Value(0.5)));
        check(0.25, &even, Some(Quantile::Value(0.05)));
        check(0.99, &[(0.1, 10.0), (INF, 100.0)], Some(Quantile::Above(0.1)));
        check(0.5, &[(INF, 100.0), (0.1, 100.0)], Some(Quantile::Value(0.05)));
        // Not monotonic: the later bucket was scraped earlier.
        check(0.5, &[(0.1, 60.0), (0.2, 58.0), (INF, 60.0)], Some(Quantile::Value(0.05)));
        check(0.5, &[(0.1, 60.0)], None);
        check(0.5, &[(0.1, 60.0), (0.2, 80.0)], None);
        check(0.5, &[(0.1, 5.0), (INF, 10.0)], None);
        check(0.5, &[(-1.0, 60.0), (INF, 60.0)], Some(Quantile::Value(-1.0)));
    }
}
