//! How long to wait after failures: exponential with jitter, capped. Pure.

use std::time::Duration;

/// The wait after `failures` in a row (1 or more) of a target polled each `interval`, at most `cap`.
///
/// It doubles with each failure; `random` (0–1) takes away up to half of it, so that many watchers do not come back in step
/// ("equal jitter", AWS Architecture Blog, Exponential Backoff and Jitter).
#[must_use]
pub fn delay(failures: u32, interval: Duration, cap: Duration, random: f64) -> Duration {
    let base = interval.max(Duration::from_millis(500)).min(cap);
    let doubled = base.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(cap);
    doubled.mul_f64(0.5f64.mul_add(random.clamp(0.0, 1.0), 0.5))
}

/// A number in 0–1 that looks random, from a seed (`SplitMix64`; no security is claimed).
#[must_use]
pub fn scatter(seed: u64) -> f64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(failures: u32, random: f64, expected_millis: u128) {
        let wait = delay(failures, Duration::from_secs(2), Duration::from_secs(30), random);
        assert_eq!(wait.as_millis(), expected_millis);
    }

    #[test]
    fn doubles_up_to_the_cap_with_jitter() {
        check(1, 1.0, 2_000);
        check(1, 0.0, 1_000);
        check(3, 1.0, 8_000);
        check(5, 1.0, 30_000);
        check(400, 1.0, 30_000);
        check(400, 0.0, 15_000);
    }

    #[test]
    fn scatters_over_the_whole_range() {
        let values: Vec<f64> = (0..1000).map(scatter).collect();
        assert!(values.iter().all(|v| (0.0..1.0).contains(v)));
        let mean = values.iter().sum::<f64>() / 1000.0;
        assert!((0.45..0.55).contains(&mean), "{mean}");
    }
}
