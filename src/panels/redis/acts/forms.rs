//! Values that people type for an action: a span of time, JSON.

use crate::core::action::Refusal;
use crate::core::redis::Rhythm;
use crate::core::text;
use serde_json::Value;
use std::time::Duration;

/// A hundred years: whatever is longer was mistyped.
const LONGEST: Duration = Duration::from_secs(3_153_600_000);

/// "90s", "5m", "2h", "1d".
pub(in crate::panels) fn span(given: &str) -> Result<Duration, Refusal> {
    let form = || Refusal::new(format!("`{given}` is no time")).remedy("write it as 30s, 5m, 2h or 1d");
    // Less than a second would be a flood of jobs.
    text::span(given).filter(|span| *span < LONGEST && span.subsec_nanos() == 0).ok_or_else(form)
}

/// How often, and what follows it: "5m NAME …", or a cron pattern in quotes. Nothing where the form is another.
pub(in crate::panels) fn rhythm(text: &str) -> Result<Option<(Rhythm, &str)>, Refusal> {
    if let Some(quoted) = text.strip_prefix('"') {
        let Some((pattern, rest)) = quoted.split_once("\" ") else { return Ok(None) };
        let remedy = "five fields: minute hour day month weekday, as 0 2 * * * for 02:00 UTC every day";
        let rhythm = Rhythm::cron(pattern).map_err(|why| Refusal::new(why).remedy(remedy))?;
        return Ok(Some((rhythm, rest)));
    }
    let Some((every, rest)) = text.split_once(' ') else { return Ok(None) };
    let every = span(every)?;
    Ok((!every.is_zero()).then_some((Rhythm::Every(every), rest)))
}

pub(in crate::panels) fn json(text: &str) -> Result<(), Refusal> {
    serde_json::from_str::<serde_json::Value>(text).map(|_| ()).map_err(|error| {
        let at = error.column();
        Refusal::new(format!("that is no JSON at character {at}: {error}")).remedy("mend it, or leave it")
    })
}

/// One or two pieces of JSON; the second is `{}` where there is one.
pub(in crate::panels) fn two(text: &str) -> Result<(&str, &str), Refusal> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<serde::de::IgnoredAny>();
    if values.next().is_none_or(|first| first.is_err()) {
        json(text)?;
    }
    let (first, rest) = text.split_at(values.byte_offset());
    let rest = rest.trim();
    if rest.is_empty() {
        return Ok((first.trim(), "{}"));
    }
    json(rest)?;
    Ok((first.trim(), rest))
}

/// What an option of a job may be.
type Fits = fn(&Value) -> bool;

/// The options that a new job may be given, each in the library's own form.
const JOB_OPTIONS: [(&str, &str, Fits); 8] = [
    ("attempts", "a number from 1 on", |value| value.as_u64().is_some_and(|n| n > 0)),
    (
        "backoff",
        "milliseconds, or {\"type\": \"fixed\" or \"exponential\", \"delay\": milliseconds}",
        |value| value.is_u64() || value.get("type").is_some_and(Value::is_string),
    ),
    ("delay", "milliseconds", Value::is_u64),
    ("priority", "a number from 0 to 2097151", |value| value.as_u64().is_some_and(|n| n <= 2_097_151)),
    ("lifo", "true or false", Value::is_boolean),
    ("jobId", "a text that is no number and has no colon", |value| {
        value.as_str().is_some_and(|id| !id.is_empty() && !id.contains(':') && id.parse::<u64>().is_err())
    }),
    ("removeOnComplete", "true, false, a number or {\"age\": seconds, \"count\": jobs}", |value| {
        value.is_boolean() || value.is_u64() || value.is_object()
    }),
    ("removeOnFail", "true, false, a number or {\"age\": seconds, \"count\": jobs}", |value| {
        value.is_boolean() || value.is_u64() || value.is_object()
    }),
];

/// The options of a new job.
pub(in crate::panels) fn job_options(text: &str) -> Result<serde_json::Map<String, Value>, Refusal> {
    let read: Value = serde_json::from_str(text).map_err(|error| Refusal::new(error.to_string()))?;
    let Value::Object(options) = read else {
        return Err(Refusal::new("options are an object, as {\"attempts\": 3}"));
    };
    for (name, value) in &options {
        let Some((_, form, fits)) = JOB_OPTIONS.iter().find(|(known, ..)| known == name) else {
            let known = JOB_OPTIONS.map(|(name, ..)| name).join(", ");
            return Err(Refusal::new(format!("`{name}` is no option that is set from here"))
                .remedy(format!("these are: {known}")));
        };
        if !fits(value) {
            return Err(Refusal::new(format!("{name} is {form}, not {value}")));
        }
    }
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rhythms_of_people() {
        let every = Rhythm::Every(Duration::from_secs(300));
        assert_eq!(rhythm("5m mail {}").expect("a rhythm"), Some((every, "mail {}")));
        let cron = Rhythm::Cron("0 2 * * *".to_owned());
        assert_eq!(rhythm("\"0 2  * * *\" mail").expect("a rhythm"), Some((cron, "mail")));
        for other in ["", "5m", "0s mail", "\"0 2 * * *\"", "\"0 2 * * * mail"] {
            assert_eq!(rhythm(other).expect("a form"), None, "{other}");
        }
        assert!(rhythm("\"0 25 * * *\" mail").is_err() && rhythm("often mail").is_err());
    }

    #[test]
    fn a_job_has_data_and_perhaps_options() {
        assert_eq!(two(r#"{"a": 1}"#).expect("data"), (r#"{"a": 1}"#, "{}"));
        assert_eq!(two(r#"{"a": 1} {"attempts":3}"#).expect("both"), (r#"{"a": 1}"#, r#"{"attempts":3}"#));
        assert_eq!(two("7 {}").expect("both"), ("7", "{}"));
        for wrong in ["{", "{} {", "{} {} {}", ""] {
            assert!(two(wrong).is_err(), "{wrong}");
        }
        assert_eq!(
            job_options(r#"{"attempts":3,"backoff":{"type":"fixed","delay":5}}"#).expect("known").len(),
            2
        );
        for wrong in [
            r#"{"attempts":0}"#,
            r#"{"repeat":{}}"#,
            "[]",
            r#"{"jobId":"a:b"}"#,
            r#"{"delay":"5s"}"#,
            r#"{"jobId":"7"}"#,
        ] {
            assert!(job_options(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn spans_of_people() {
        for (text, seconds) in
            [("30s", 30), ("5m", 300), ("2h", 7200), ("1d", 86_400), ("1.5h", 5400), ("0s", 0)]
        {
            assert_eq!(span(text).ok(), Some(Duration::from_secs(seconds)));
        }
        for bad in ["", "s", "5", "-1s", "1.5s", "500ms", "é", "99999999999999999999d", "4000000000s"] {
            assert!(span(bad).is_err(), "{bad}");
        }
    }
}
