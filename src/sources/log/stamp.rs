//! When a line says that it was written: the times at the beginning of a line, and in JSON. Pure.

use chrono::{DateTime, NaiveDate, NaiveDateTime};

/// So far into a line a time may begin.
const HEAD: usize = 40;
/// So far into a line a named time, or that of a web server, may begin.
const FAR: usize = 400;
/// Names of times in JSON.
const NAMES: [&str; 4] = ["\"time\":", "\"timestamp\":", "\"ts\":", "\"@timestamp\":"];
/// No zone is further from Greenwich, and each is a multiple of this, in seconds.
const FARTHEST: i64 = 14 * 3600;
const QUARTER: i64 = 900;
/// A file is written so soon after the time in its last line, in seconds.
const SOON: i64 = 5;
const SECOND: i64 = 1_000_000_000;

/// A time as it stands in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stamp {
    /// A moment, in nanoseconds since 1970.
    At(i64),
    /// A time of a clock whose zone is not said, in nanoseconds as if it were UTC.
    Clock(i64),
}

/// The time in a line, if one is found.
pub(super) fn of(line: &str) -> Option<Stamp> {
    let bytes = line.as_bytes();
    let first = (0..HEAD.min(bytes.len())).find_map(|at| iso(bytes.get(at..)?));
    first.or_else(|| json(bytes)).or_else(|| web(line))
}

fn digits(bytes: &[u8], from: usize, count: usize) -> Option<u32> {
    let part = bytes.get(from..from + count)?;
    part.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0')))
}

/// `2026-09-21T14:13:20.123Z` and its like, with a blank, with slashes, with a comma, with or without a zone.
fn iso(bytes: &[u8]) -> Option<Stamp> {
    let year = digits(bytes, 0, 4).filter(|year| (1970..2200).contains(year))?;
    let between = *bytes.get(4).filter(|byte| matches!(byte, b'-' | b'/'))?;
    let dated = bytes.get(7) == Some(&between) && matches!(bytes.get(10)?, b'T' | b' ');
    if !(dated && bytes.get(13) == Some(&b':') && bytes.get(16) == Some(&b':')) {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(year.cast_signed(), digits(bytes, 5, 2)?, digits(bytes, 8, 2)?)?;
    let time = date.and_hms_opt(digits(bytes, 11, 2)?, digits(bytes, 14, 2)?, digits(bytes, 17, 2)?)?;
    let whole = nanos(time)?;
    let mut at = 19;
    let mut fraction = 0;
    if matches!(bytes.get(at), Some(b'.' | b',')) {
        let mut unit = SECOND / 10;
        at += 1;
        while let Some(digit) = bytes.get(at).filter(|byte| byte.is_ascii_digit()) {
            fraction += i64::from(digit - b'0') * unit;
            unit /= 10;
            at += 1;
        }
    }
    let moment = whole + fraction;
    let behind = bytes.get(at..).unwrap_or_default();
    Some(zone(behind).map_or(Stamp::Clock(moment), |east| Stamp::At(moment - east * SECOND)))
}

/// Seconds east of Greenwich, as a zone behind a time says.
fn zone(behind: &[u8]) -> Option<i64> {
    let behind = behind.strip_prefix(b" ").unwrap_or(behind);
    if behind.first() == Some(&b'Z') || behind.starts_with(b"UTC") || behind.starts_with(b"GMT") {
        return Some(0);
    }
    let sign = match behind.first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let hours = digits(behind, 1, 2)?;
    let from = if behind.get(3) == Some(&b':') { 4 } else { 3 };
    let minutes = digits(behind, from, 2)?;
    (hours <= 14 && minutes < 60).then(|| sign * i64::from(hours * 3600 + minutes * 60))
}

fn nanos(time: NaiveDateTime) -> Option<i64> {
    time.and_utc().timestamp_nanos_opt()
}

/// What stands behind the name of a time: text, or a number of seconds or of milliseconds.
fn json(bytes: &[u8]) -> Option<Stamp> {
    let line = std::str::from_utf8(bytes).ok()?;
    NAMES.iter().find_map(|name| {
        let at = line.find(name).filter(|at| *at < FAR)?;
        let value = line[at + name.len()..].trim_start();
        if let Some(text) = value.strip_prefix('"') {
            return iso(text.as_bytes());
        }
        let end = value.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(value.len());
        let number: f64 = value[..end].parse().ok()?;
        let seconds = if number > 1e11 { number / 1000.0 } else { number };
        (seconds > 1e9 && seconds < 7e9).then(|| Stamp::At((seconds * 1e6) as i64 * 1000))
    })
}

/// `[21/Sep/2026:14:13:20 +0000]`, as web servers write it.
fn web(line: &str) -> Option<Stamp> {
    let at = line.find('[').filter(|at| *at < FAR)?;
    let inside = line[at + 1..].split(']').next()?;
    let time = DateTime::parse_from_str(inside, "%d/%b/%Y:%H:%M:%S %z").ok()?;
    time.timestamp_nanos_opt().map(Stamp::At)
}

/// Seconds east of Greenwich of a clock that stood at `clock` when a file was written last: nothing where that fits no zone.
pub(super) fn zone_by(clock: i64, written: i64) -> Option<i64> {
    let apart = (clock - written) / SECOND;
    let east = (apart + QUARTER / 2).div_euclid(QUARTER) * QUARTER;
    ((apart - east).abs() <= SOON && east.abs() <= FARTHEST).then_some(east)
}

/// The moment, where the zone of the clock is known.
pub(super) fn moment(stamp: Stamp, east: Option<i64>) -> Option<i64> {
    match stamp {
        Stamp::At(at) => Some(at),
        Stamp::Clock(clock) => east.map(|east| clock - east * SECOND),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn at(line: &str, expected: &str) {
        let told = match of(line) {
            Some(Stamp::At(at)) => DateTime::from_timestamp_nanos(at).format("%F %T%.3fZ").to_string(),
            Some(Stamp::Clock(at)) => DateTime::from_timestamp_nanos(at).format("%F %T%.3f").to_string(),
            None => String::new(),
        };
        assert_eq!(told, expected, "{line}");
    }

    #[test]
    fn times_are_read_as_programs_write_them() {
        at("2026-09-21T14:13:20.123Z job 42", "2026-09-21 14:13:20.123Z");
        at("[2026-09-21 14:13:20,5] ERROR", "2026-09-21 14:13:20.500");
        at("<6>2026-09-21T16:13:20+02:00 shop", "2026-09-21 14:13:20.000Z");
        at("2026-09-21T14:13:20+0000 host app[1]:", "2026-09-21 14:13:20.000Z");
        at("2026-09-21 14:13:20.1 UTC [77] LOG:  x", "2026-09-21 14:13:20.100Z");
        at("2026/09/21 14:13:20 [error] 7#7", "2026-09-21 14:13:20.000");
        at(r#"{"level":50,"time":1790000000123,"msg":"x"}"#, "2026-09-21 14:13:20.123Z");
        at(r#"{"ts":1790000000.25,"msg":"x"}"#, "2026-09-21 14:13:20.250Z");
        at(
            r#"{"msg":"a longer text than the head of a line is","time":"2026-09-21T14:13:20Z"}"#,
            "2026-09-21 14:13:20.000Z",
        );
        at(r#"10.0.0.1 - - [21/Sep/2026:16:13:20 +0200] "GET /" 200"#, "2026-09-21 14:13:20.000Z");
        for none in [
            "",
            "job 42 failed",
            "2026-13-45 99:99:99",
            "    at x (y.js:3:4)",
            "é2026-09",
            "Sep 21 14:13:20 h a:",
        ] {
            at(none, "");
        }
    }

    #[test]
    fn the_zone_of_a_clock_is_that_by_which_the_file_was_just_written() {
        let written = 1_790_000_000 * SECOND;
        for (apart, expected) in [
            (0, Some(0)),
            (7199, Some(7200)),
            (-18_002, Some(-18_000)),
            (20_700, Some(20_700)),
            (400, None),
            (72_000, None),
        ] {
            assert_eq!(zone_by(written + apart * SECOND, written), expected, "{apart}");
        }
    }
}
