//! What a server that refuses says about it, in words: type, reason and the privilege that is missing, not JSON and not a page. Pure.

use crate::core::redact::said;
use crate::core::text::tidy;
use crate::sources::json;
use serde_json::Value;

/// So much of a reason is repeated.
const MOST: usize = 300;

/// What is read of an error: Elasticsearch and OpenSearch, Prometheus, AWS and others.
const ERROR: &[&str] = &[
    "error/type",
    "error/reason",
    "error/message",
    "error",
    "errorType",
    "Message",
    "message",
    "detail",
    "reason",
];

/// The words of a body that came with a refusal, without those in `hide`; empty where it says nothing.
pub(super) fn told<'a>(body: &[u8], hide: impl IntoIterator<Item = &'a str>) -> String {
    let text = match json::read(body, ERROR) {
        Some(value) => of_json(&value),
        None => String::new(),
    };
    let text = if text.is_empty() { of_text(&String::from_utf8_lossy(body)) } else { text };
    tidy(&said(&text, hide), MOST)
}

fn of_json(value: &Value) -> String {
    let word = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let first = |pointers: &[&'static str]| {
        pointers
            .iter()
            .map(|pointer| word(pointer))
            .find(|word| !word.is_empty())
            .unwrap_or_default()
            .to_owned()
    };
    let kind = first(&["/error/type", "/errorType"]);
    let reason =
        first(&["/error/reason", "/error/message", "/error", "/Message", "/message", "/detail", "/reason"]);
    match (kind.is_empty(), reason.is_empty()) {
        (true, _) => reason,
        (false, true) => kind,
        (false, false) => format!("{kind}: {reason}"),
    }
}

/// The title of a page, else the first line that says something.
fn of_text(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let title = lower.find("<title>").and_then(|at| {
        let rest = text.get(at + "<title>".len()..)?;
        rest.split('<').next()
    });
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    match title {
        Some(title) => title.trim().to_owned(),
        None if line.starts_with(['{', '[', '<']) => String::new(),
        None => line.to_owned(),
    }
}

/// What to grant, where the words name it: Elasticsearch lists the privileges that would do.
pub(super) fn grant(told: &str) -> Option<String> {
    let (_, rest) = told.split_once("this action is granted by the ")?;
    let (level, rest) = rest.split_once(" privileges [")?;
    let least = rest.split([',', ']']).next()?;
    Some(format!("grant the {level} privilege {least}"))
}

/// Whether a service closes this path to everybody, whatever the credentials (AWS says so with 401).
pub(super) fn is_closed_path(told: &str) -> bool {
    told.starts_with("Your request:") && told.contains("is not allowed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expected: &str) {
        assert_eq!(told(body.as_bytes(), []), expected);
    }

    #[test]
    fn type_and_reason_and_never_json() {
        check(
            r#"{"error":{"root_cause":[],"type":"master_not_discovered_exception","reason":null},"status":503}"#,
            "master_not_discovered_exception",
        );
        check(
            r#"{"error":{"type":"security_exception","reason":"api key is expired"},"status":401}"#,
            "security_exception: api key is expired",
        );
        check(r#"{"status":"error","errorType":"forbidden","error":"no org id"}"#, "forbidden: no org id");
        check(
            r#"{"Message":"Your request: '/_plugins' is not allowed."}"#,
            "Your request: '/_plugins' is not allowed.",
        );
        check(
            "<html>\n<head><title>503 Service Temporarily Unavailable</title></head>",
            "503 Service Temporarily Unavailable",
        );
        check(r#"{"status": 503}"#, "");
        check("\n no healthy upstream\n", "no healthy upstream");
        check("", "");
    }

    #[test]
    fn the_privilege_that_is_missing_is_named() {
        let words = "security_exception: action [cluster:monitor/nodes/stats] is unauthorized for user [x] with effective roles [y], \
            this action is granted by the cluster privileges [monitor,manage,all]";
        assert_eq!(grant(words).as_deref(), Some("grant the cluster privilege monitor"));
        assert_eq!(grant("forbidden"), None);
        assert!(is_closed_path("Your request: '/_plugins' is not allowed."));
        assert!(!is_closed_path("security_exception: api key is expired"));
    }
}
