//! Numbers as people read them: counts, rates, shares; durations and bytes as sentences have them, too.

pub use crate::core::text::{duration, lasting as age, sized as bytes};

use crate::core::text::scaled;
use std::time::Duration;

/// How old data are that came in time: within two seconds they are as new as can be, and what says so stands still.
#[must_use]
pub fn lately(old: Duration) -> String {
    if old < Duration::from_secs(2) { "<2 s".to_owned() } else { age(old) }
}

/// Seconds as [`duration`]; `—` for what is not known.
#[must_use]
pub fn seconds(value: Option<f64>) -> String {
    value
        .and_then(|seconds| Duration::try_from_secs_f64(seconds.max(0.0)).ok())
        .map_or_else(|| "—".to_owned(), duration)
}

/// Seconds of a column as [`duration`].
#[must_use]
pub fn of_seconds(value: f64) -> String {
    seconds(Some(value))
}

/// A whole number, in full: `12345`.
#[must_use]
pub fn whole(value: f64) -> String {
    format!("{value:.0}")
}

/// A count: `999`, `3.2k`, `18M`.
#[must_use]
pub fn count(value: f64) -> String {
    // Most counts on a screen are small and whole.
    if value.fract() == 0.0 && (0.0..1000.0).contains(&value) {
        return (value as u16).to_string();
    }
    let text = scaled(value, 1000.0, &["", "k", "M", "G", "T"]);
    text.replace(' ', "")
}

/// Events per second: `0/s`, `0.3/s`, `18/s`, `1.1k/s`.
#[must_use]
pub fn rate(value: f64) -> String {
    if value > 0.0 && value < 9.95 { format!("{value:.1}/s") } else { format!("{}/s", count(value)) }
}

/// A share of 0–1 as `98 %` or, near the ends, `99.7 %`.
#[must_use]
pub fn percent(value: f64) -> String {
    let percent = value * 100.0;
    if (99.0..100.0).contains(&percent) || (percent > 0.0 && percent < 1.0) {
        // Never rounds 99.96 up to "100": that would claim perfection.
        format!("{:.1} %", (percent * 10.0).floor() / 10.0)
    } else {
        format!("{percent:.0} %")
    }
}

/// Seconds as milliseconds, for a column that is compared: `0.6 ms`, `38.0 ms`, `1200 ms`.
#[must_use]
pub fn milliseconds(seconds: f64) -> String {
    let millis = seconds.max(0.0) * 1000.0;
    if millis < 100.0 { format!("{millis:.1} ms") } else { format!("{millis:.0} ms") }
}

/// An age for a column that is compared, never in less than seconds: `0.04 s`, `40 s`, `5m44s`.
#[must_use]
pub fn in_seconds(age: Option<Duration>) -> String {
    match age {
        None => "—".to_owned(),
        Some(age) if age < Duration::from_secs(1) => format!("{:.2} s", age.as_secs_f64().min(0.99)),
        Some(age) => duration(age),
    }
}

/// What `format` makes of a number, or `—` when there is none: absent is never zero.
#[must_use]
pub fn or_dash(value: Option<f64>, format: impl Fn(f64) -> String) -> String {
    value.map_or_else(|| "—".to_owned(), format)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (millis, text) in [
            (0, "0 s"),
            (850, "850 ms"),
            (4_250, "4.2 s"),
            (59_000, "59 s"),
            (344_000, "5m44s"),
            (11_220_000, "3h07m"),
            (1_051_200_000, "12d4h"),
        ] {
            assert_eq!(duration(Duration::from_millis(millis)), text);
        }
        assert_eq!(duration(Duration::from_micros(130)), "130 µs");
        assert_eq!(seconds(None), "—");
    }

    #[test]
    fn numbers_of_a_column_have_one_unit() {
        let ages = [(300, "0.00 s"), (38_000, "0.04 s"), (999_900, "0.99 s"), (40_000_000, "40 s")];
        for (micros, text) in ages {
            assert_eq!(in_seconds(Some(Duration::from_micros(micros))), text);
        }
        assert_eq!(in_seconds(None), "—");
        for (seconds, text) in [(0.0006, "0.6 ms"), (0.038, "38.0 ms"), (1.2, "1200 ms")] {
            assert_eq!(milliseconds(seconds), text);
        }
    }

    #[test]
    fn sizes_counts_and_shares() {
        assert_eq!(bytes(512.0), "512 B");
        assert_eq!(bytes(4096.0), "4.0 KiB");
        assert_eq!(bytes(1_288_490_188.8), "1.2 GiB");
        assert_eq!(count(999.0), "999");
        assert_eq!(count(3_200.0), "3.2k");
        assert_eq!(rate(0.3), "0.3/s");
        assert_eq!(rate(1_100.0), "1.1k/s");
        assert_eq!(percent(0.9996), "99.9 %");
        assert_eq!(percent(1.0), "100 %");
        assert_eq!(percent(0.5), "50 %");
        assert_eq!(percent(0.0), "0 %");
    }
}
