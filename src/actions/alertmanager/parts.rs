//! Small things that every change needs: where a silence is, when it ends, what an error means. Pure.

use crate::core::action::ActionError;
use crate::core::alertmanager::End;
use crate::core::report::{PollError, PollErrorKind};
use crate::sources::http::Answer;
use chrono::{DateTime, SecondsFormat, Utc};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// Whether what was sent may have been carried out.
pub(super) const fn is_lost(kind: PollErrorKind) -> bool {
    match kind {
        PollErrorKind::TimedOut
        | PollErrorKind::WrongServer
        | PollErrorKind::NotReady
        | PollErrorKind::Failed
        | PollErrorKind::Internal => true,
        PollErrorKind::Unreachable
        | PollErrorKind::Tls
        | PollErrorKind::Credentials
        | PollErrorKind::NotPermitted
        | PollErrorKind::Full
        | PollErrorKind::Configuration => false,
    }
}

pub(super) fn words(error: &PollError) -> String {
    match &error.remedy {
        Some(remedy) => format!("{}; {remedy}", error.message),
        None => error.message.clone(),
    }
}

/// Where a silence is. Its id comes from a server.
pub(super) fn place(id: &str) -> String {
    format!("/api/v2/silence/{}", utf8_percent_encode(id, NON_ALPHANUMERIC))
}

/// The id that an answer names; none in that of somebody else, who answers in its place.
pub(super) fn id_of(answer: &Answer) -> Option<String> {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    body.get("silenceID").and_then(Value::as_str).map(str::to_owned)
}

/// A moment as it is sent.
pub(super) fn written(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// When it ends: so long after `from`, or at the moment that was said; in either case after `now`.
pub(super) fn ends(
    end: End,
    from: Option<DateTime<Utc>>,
    now: Option<DateTime<Utc>>,
) -> Result<DateTime<Utc>, ActionError> {
    let ends = match end {
        End::At(at) => Some(at),
        End::After(span) => {
            let span = chrono::Duration::from_std(span).ok();
            from.zip(span).and_then(|(from, span)| from.checked_add_signed(span))
        }
    };
    let ends = ends.ok_or_else(|| {
        ActionError::NotDone(
            "the server does not say what time it is: give the end as `until` a time".to_owned(),
        )
    })?;
    match now {
        Some(now) if ends <= now => {
            let (ends, now) = (written(ends), written(now));
            Err(ActionError::NotDone(format!("{ends} is past by the server's clock, which shows {now}")))
        }
        _ => Ok(ends),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn at(text: &str) -> Option<DateTime<Utc>> {
        DateTime::parse_from_rfc3339(text).ok().map(|at| at.with_timezone(&Utc))
    }

    #[track_caller]
    fn check(end: End, from: Option<&str>, now: Option<&str>, expected: Result<&str, &str>) {
        let found = ends(end, from.and_then(at), now.and_then(at));
        let found = found.map(written).map_err(|error| error.to_string());
        assert_eq!(found.as_deref().map_err(String::as_str), expected);
    }

    #[test]
    fn an_end_is_by_the_clock_of_the_server() {
        let hour = End::After(Duration::from_secs(3600));
        let (noon, one) = ("2026-01-02T12:00:00Z", "2026-01-02T13:00:00Z");
        check(hour, Some(noon), Some(noon), Ok("2026-01-02T13:00:00.000Z"));
        check(hour, Some("2026-01-02T12:00:00.678Z"), Some(noon), Ok("2026-01-02T13:00:00.678Z"));
        check(End::At(at(one).expect("a time")), None, None, Ok("2026-01-02T13:00:00.000Z"));
        let past = "not done: 2026-01-02T12:00:00.000Z is past by the server's clock, which shows 2026-01-02T13:00:00.000Z";
        check(End::At(at(noon).expect("a time")), Some(one), Some(one), Err(past));
        let none = "not done: the server does not say what time it is: give the end as `until` a time";
        check(hour, None, None, Err(none));
    }

    #[test]
    fn an_id_leads_nowhere_else() {
        assert_eq!(place("a-b/../x?y"), "/api/v2/silence/a%2Db%2F%2E%2E%2Fx%3Fy");
    }
}
