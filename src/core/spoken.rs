//! What leaves stacktop as text for somebody else: nothing in it that a terminal could act on, and no login of a URL. Whatever is printed,
//! served or logged without a screen goes through here.

use super::redact::logins;
use super::text::{clean_lines, tame_json};
use serde_json::Value;

/// Line by line, so that a terminal can only show it.
#[must_use]
pub fn lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in clean_lines(text) {
        out.push_str(&logins(&line));
        out.push('\n');
    }
    if !text.ends_with('\n') {
        out.pop();
    }
    out
}

/// A document for programs: each value stands on a line of its own, so that what is hidden never joins two of them.
#[must_use]
pub fn document(value: &Value) -> String {
    lines(&written(value)) + "\n"
}

/// Its strings hold nothing that would be taken away.
#[must_use]
pub fn written(value: &Value) -> String {
    format!("{value:#}").lines().map(tame_json).collect::<Vec<_>>().join("\n")
}

/// A value on one line: what is hidden is hidden in each of its strings first, so that none is joined with the next.
#[must_use]
pub fn in_one_line(value: &Value) -> String {
    tame_json(&hidden(value.clone()).to_string())
}

fn hidden(value: Value) -> Value {
    match value {
        Value::String(text) => logins(&text).into(),
        Value::Array(list) => list.into_iter().map(hidden).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, hidden(value))).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_means_the_same_and_shows_no_login() {
        let value =
            serde_json::json!({"a": "x\u{9b}\u{1b}y", "b": ["redis://:p\"w@h", "no", "@"], "c": "http://h"});
        for text in [document(&value), in_one_line(&value)] {
            let back: Value = serde_json::from_str(&text).expect("JSON");
            assert_eq!(back["a"], value["a"]);
            assert_eq!(
                (&back["b"][0], &back["b"][2], &back["c"]),
                (&"redis://•••@h".into(), &"@".into(), &"http://h".into())
            );
            assert!(!text.contains(['\u{9b}', '\u{1b}']), "{text}");
        }
        assert_eq!(in_one_line(&value).lines().count(), 1);
    }

    #[test]
    fn what_goes_through_is_tame_and_keeps_its_lines() {
        assert_eq!(
            lines("  a\u{1b}]52;c;eA==\u{7}\n\nredis://:pw@h\u{9b}x\n"),
            "  a]52;c;eA==\n\nredis://•••@hx\n"
        );
        assert_eq!(lines("no end"), "no end");
    }
}
