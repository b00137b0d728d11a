//! Numbers as people read them: durations, bytes, counts, rates, shares.

use std::time::Duration;

/// A duration in at most seven columns: `850 ms`, `4.2 s`, `5m44s`, `3h07m`, `12d4h`.
#[must_use]
pub fn duration(value: Duration) -> String {
    let seconds = value.as_secs();
    match seconds {
        0 if value.as_micros() == 0 => "0 s".to_owned(),
        0 if value.as_millis() == 0 => format!("{} µs", value.as_micros()),
        0 => format!("{} ms", value.as_millis()),
        1..=9 => format!("{:.1} s", (value.as_millis() / 100) as f64 / 10.0),
        10..=59 => format!("{seconds} s"),
        60..=3599 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        3600..=86_399 => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{}d{}h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

/// How old something is, in whole seconds: a number that changes with every frame says nothing and costs bytes.
#[must_use]
pub fn age(value: Duration) -> String {
    match value.as_secs() {
        seconds @ 0..=59 => format!("{seconds} s"),
        _ => duration(value),
    }
}

/// Seconds as [`duration`]; `—` for what is not known.
#[must_use]
pub fn seconds(value: Option<f64>) -> String {
    value
        .and_then(|seconds| Duration::try_from_secs_f64(seconds.max(0.0)).ok())
        .map_or_else(|| "—".to_owned(), duration)
}

/// Bytes with binary units: `512 B`, `4.0 KiB`, `1.2 GiB`.
#[must_use]
pub fn bytes(value: f64) -> String {
    scaled(value, 1024.0, &["B", "KiB", "MiB", "GiB", "TiB", "PiB"])
}

/// A count: `999`, `3.2k`, `18M`.
#[must_use]
pub fn count(value: f64) -> String {
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

/// What `format` makes of a number, or `—` when there is none: absent is never zero.
#[must_use]
pub fn or_dash(value: Option<f64>, format: impl Fn(f64) -> String) -> String {
    value.map_or_else(|| "—".to_owned(), format)
}

fn scaled(value: f64, step: f64, units: &[&str]) -> String {
    let mut scaled = value;
    let mut unit = 0;
    while scaled.abs() >= step - 0.5 && unit + 1 < units.len() {
        scaled /= step;
        unit += 1;
    }
    let name = units.get(unit).copied().unwrap_or_default();
    if unit == 0 || scaled.abs() >= 9.95 {
        format!("{scaled:.0} {name}").trim_end().to_owned()
    } else {
        format!("{scaled:.1} {name}").trim_end().to_owned()
    }
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
