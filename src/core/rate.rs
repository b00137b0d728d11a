//! From two counter values to a rate. A counter that went down was reset: that interval is a gap, not a zero.

use std::time::Duration;

/// The increase of a counter that only grows, or `None` when it fell (reset, restart, eviction).
#[must_use]
pub fn increase(before: f64, after: f64) -> Option<f64> {
    let grown = after - before;
    (grown >= 0.0 && grown.is_finite()).then_some(grown)
}

/// Increase per second over the *measured* time between two samples; `None` on a reset or without elapsed time.
#[must_use]
pub fn per_second(before: f64, after: f64, elapsed: Duration) -> Option<f64> {
    let seconds = elapsed.as_secs_f64();
    if seconds <= 0.0 {
        return None;
    }
    increase(before, after).map(|grown| grown / seconds)
}

/// `part / whole` as 0–1, or `None` when `whole` is below `floor` (too little happened to say anything).
#[must_use]
pub fn ratio(part: f64, whole: f64, floor: f64) -> Option<f64> {
    (whole >= floor && whole > 0.0).then(|| (part / whole).clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reset_is_a_gap() {
        assert_eq!(increase(10.0, 4.0), None);
        assert_eq!(per_second(10.0, 30.0, Duration::from_secs(2)), Some(10.0));
        assert_eq!(per_second(10.0, 30.0, Duration::ZERO), None);
        assert_eq!(per_second(10.0, f64::NAN, Duration::from_secs(1)), None);
    }

    #[test]
    fn too_little_traffic_has_no_ratio() {
        assert_eq!(ratio(1.0, 1.0, 1000.0), None);
        assert_eq!(ratio(900.0, 1000.0, 1000.0), Some(0.9));
        assert_eq!(ratio(0.0, 0.0, 0.0), None);
    }
}
