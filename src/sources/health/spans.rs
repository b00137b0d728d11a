//! Durations as applications write them: numbers whose unit stands in the name, texts with a unit, `00:00:00.0123` of .NET. Pure.

use serde_json::{Map, Value};

/// Letters and digits of a name in small letters: `responseTime_ms` is `responsetimems`.
pub(super) fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}

/// Beginnings of the names of durations.
const SPANS: [&str; 8] =
    ["latency", "responsetime", "duration", "elapsed", "took", "ping", "roundtrip", "rtt"];

/// Seconds in one of what a name ends with. Without such an end JavaScript's unit is meant, as in nearly all of these documents.
const ENDS: [(&str, f64); 10] = [
    ("milliseconds", 0.001),
    ("millis", 0.001),
    ("ms", 0.001),
    ("microseconds", 1e-6),
    ("micros", 1e-6),
    ("us", 1e-6),
    ("nanoseconds", 1e-9),
    ("ns", 1e-9),
    ("seconds", 1.0),
    ("secs", 1.0),
];

/// A plain name without its unit, and the seconds of that.
pub(super) fn unit(plain: &str) -> (&str, f64) {
    let end = ENDS.iter().find_map(|(end, seconds)| Some((plain.strip_suffix(end)?, *seconds)));
    end.filter(|(rest, _)| !rest.is_empty()).unwrap_or((plain, 0.001))
}

/// How long something took that has these fields, in seconds.
pub(super) fn took(fields: &Map<String, Value>) -> Option<f64> {
    let observed = fields.get("observedValue").zip(fields.get("observedUnit").and_then(Value::as_str));
    if let Some((value, unit)) = observed
        && let Some((_, seconds)) =
            ENDS.iter().find(|(end, _)| *end == unit).or_else(|| (unit == "s").then_some(&("s", 1.0)))
    {
        return value.as_f64().map(|value| value * seconds);
    }
    fields.iter().find_map(|(name, value)| {
        let plain = plain(name);
        let (bare, seconds) = unit(&plain);
        let is = SPANS.iter().any(|span| bare.starts_with(span)) || matches!(bare, "time" | "timetaken");
        match value {
            Value::Number(number) if is => number.as_f64().map(|number| number * seconds),
            Value::String(text) if is => of_text(text),
            _ => None,
        }
    })
}

/// `12 ms`, `1.5s`, `00:00:00.0123456`, in seconds.
pub(super) fn of_text(text: &str) -> Option<f64> {
    let text = text.trim();
    if let [hours, minutes, seconds] = text.split(':').collect::<Vec<_>>()[..] {
        let (hours, minutes, seconds): (f64, f64, f64) =
            (hours.parse().ok()?, minutes.parse().ok()?, seconds.parse().ok()?);
        return Some(hours * 3600.0 + minutes * 60.0 + seconds);
    }
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = text.split_at(end);
    let unit = unit.trim();
    let known = ENDS.iter().find(|(end, _)| *end == unit).map(|(_, seconds)| *seconds);
    let seconds = known
        .or_else(|| matches!(unit, "s" | "sec").then_some(1.0))
        .or_else(|| (unit == "µs").then_some(1e-6))?;
    number.parse::<f64>().ok().map(|number| number * seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(fields: &Value, expected: Option<f64>) {
        let found = took(fields.as_object().expect("fields"));
        let near = found.zip(expected).is_some_and(|(a, b)| (a - b).abs() < 1e-9);
        assert!(near || found == expected, "{fields}: {found:?}");
    }

    #[test]
    fn durations_are_read_in_the_unit_that_they_name() {
        check(&json!({"latency": 12}), Some(0.012));
        check(&json!({"latencyMs": 12.5}), Some(0.0125));
        check(&json!({"response_time_seconds": 0.5}), Some(0.5));
        check(&json!({"responseTime": "12ms"}), Some(0.012));
        check(&json!({"duration": "00:00:01.2500000"}), Some(1.25));
        check(
            &json!({"observedValue": 250, "observedUnit": "ms", "time": "2018-01-17T03:36:48Z"}),
            Some(0.25),
        );
        check(&json!({"observedValue": 85, "observedUnit": "percent"}), None);
        check(&json!({"time": "2018-01-17T03:36:48Z"}), None);
        check(&json!({"uptime": 4}), None);
        check(&json!({"timeout": 4}), None);
        check(&json!({"durations": "much"}), None);
    }
}
