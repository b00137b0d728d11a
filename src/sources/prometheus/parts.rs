//! What every question to a Prometheus server has in common: its limit, how a form is written, and the envelope of an answer.

use crate::core::part::{Gap, GapKind, Part};
use crate::sources::http::{Answer, Http};
use crate::sources::json;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// A question has this long: the others do not wait for a slow one, and the whole poll's limit is not reached by it.
pub(super) const LIMIT: Duration = Duration::from_secs(3);

/// The JSON envelope that every answer of the interface has.
pub(super) async fn envelope(body: &Arc<Vec<u8>>, paths: &[&'static str]) -> Option<Value> {
    let value = json::read_beside(body, &[&["status", "error"], paths].concat()).await?;
    value.get("status")?.as_str()?;
    Some(value)
}

pub(super) fn says(answer: &Answer) -> String {
    match answer.told() {
        none if none.is_empty() => "Prometheus says error, without a reason".to_owned(),
        told => format!("Prometheus says: {told}"),
    }
}

/// One part from its answer; a refusal costs this part only.
pub(super) async fn part<T>(
    http: &Http,
    answer: &Answer,
    paths: &[&'static str],
    decode: impl FnOnce(&Value) -> Option<T>,
) -> Part<T> {
    let Some(value) = envelope(&answer.body, paths).await else {
        let note = http.refusal(answer).map_or_else(
            || format!("{} gave an answer that is not understood", http.shown()),
            |error| error.message,
        );
        // Who speaks this interface answers in its envelope. What only evaluates rules (vmalert, Mimir's and Thanos' rulers) does not know
        // every question: vmalert says 400, others 404.
        let kind = match answer.status.as_u16() {
            400 | 404 | 405 | 501 => GapKind::NotSupported,
            _ => GapKind::Failed,
        };
        return Part::Unavailable(Gap::new(kind, note));
    };
    if value.get("status").and_then(Value::as_str) != Some("success") {
        return Part::Unavailable(Gap::new(GapKind::Failed, says(answer)));
    }
    match value.get("data").and_then(decode) {
        Some(read) => Part::Ready(read),
        None => Part::Unavailable(Gap::new(GapKind::Failed, "the answer has not the expected shape")),
    }
}

/// What of a form is encoded: all but the unreserved characters of RFC 3986.
const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub(super) fn encoded(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, FORM)
}
