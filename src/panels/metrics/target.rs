//! What the pages about endpoints and Prometheus share.

use crate::core::metrics::{MetricsReading, Quantile};
use crate::core::time::Now;
use crate::core::world::TargetState;
use crate::panels::panel::PanelContext;
use crate::ui::content::{Cell, Role};
use crate::ui::format::{bytes, count, percent, seconds};
use chrono::DateTime;

/// What is smaller is called almost nothing.
const SMALLEST: f64 = 1e-6;

pub(super) fn tone(target: &TargetState, context: PanelContext<'_>) -> Role {
    if target.freshness(context.now).is_old() { Role::Stale } else { Role::Text }
}

/// "1 sample", "3.2k samples".
pub(in crate::panels) fn samples(reading: &MetricsReading) -> String {
    let many = reading.len();
    format!("{} sample{}", count(many as f64), if many == 1 { "" } else { "s" })
}

/// A number as short as it can be told.
pub(super) fn figure(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf".to_owned() } else { "-Inf".to_owned() }
    } else if value.abs() >= 1000.0 {
        count(value)
    } else if value.fract() == 0.0 {
        format!("{value:.0}")
    } else if value.abs() >= 0.01 {
        format!("{value:.2}")
    } else if value.abs() < SMALLEST {
        "almost 0".to_owned()
    } else {
        // Three digits that say something, and no exponent.
        let places = (2.0 - value.abs().log10().floor()) as usize;
        format!("{value:.places$}")
    }
}

/// A value of the metric `name` in the unit that its name tells of.
pub(super) fn measured(name: &str, value: f64, now: Now) -> String {
    let told = value.is_finite() && value >= 0.0;
    let ends = |suffix| told && name.ends_with(suffix);
    if ends("_time_seconds") || ends("_timestamp_seconds") {
        moment(value, now)
    } else if ends("_seconds") {
        seconds(Some(value))
    } else if ends("_bytes") {
        bytes(value)
    } else if ends("_ratio") {
        percent(value)
    } else {
        figure(value)
    }
}

/// Seconds since 1970 as a time of today, or as another day. Small numbers are none: they are not set, or count something else.
fn moment(value: f64, now: Now) -> String {
    let at = DateTime::from_timestamp(value as i64, 0).filter(|at| at.timestamp() > i64::from(u32::MAX / 4));
    let Some(at) = at else { return figure(value) };
    let shape = if at.date_naive() == now.wall.date_naive() { "%H:%M:%SZ" } else { "%Y-%m-%d" };
    at.format(shape).to_string()
}

/// A quantile as a cell, of seconds or of milliseconds.
pub(super) fn quantile(value: Option<Quantile>, milliseconds: bool) -> Cell {
    let scale = if milliseconds { 0.001 } else { 1.0 };
    match value {
        None => Cell::number(None, "—"),
        Some(Quantile::Value(value)) => Cell::number(Some(value), seconds(Some(value * scale))),
        Some(Quantile::Above(value)) => {
            Cell::number(Some(value), format!(">{}", seconds(Some(value * scale))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, value: f64, expected: &str) {
        assert_eq!(measured(name, value, Now::example(0)), expected);
    }

    #[test]
    fn values_have_the_unit_that_their_name_tells_of() {
        check("loop_lag_seconds", 0.004_18, "4 ms");
        check("resident_memory_bytes", 1_288_490_188.8, "1.2 GiB");
        check("process_start_time_seconds", 1_699_900_000.0, "2023-11-13");
        let now = Now::example(0).wall;
        let today = now.format("%H:%M:%SZ").to_string();
        check("process_start_time_seconds", now.timestamp() as f64, &today);
        check("process_cpu_time_seconds", 12.0, "12");
        check("heap_used_ratio", 0.5, "50 %");
        check("loop_lag_seconds", f64::NAN, "NaN");
        check("offset_seconds", -0.5, "-0.50");
        check("share", 0.004_18, "0.00418");
        check("share", -0.000_012_34, "-0.0000123");
        check("share", 0.000_000_1, "almost 0");
        check("share", 0.0, "0");
        check("jobs", 3200.0, "3.2k");
    }
}
