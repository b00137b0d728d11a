//! The one door to standard output and standard error, for everything but the screen: what goes through holds nothing that a terminal
//! could act on, and no login of a URL. Whoever prints around it is found by a test.

use crate::core::redact::logins;
use crate::core::text::{clean_lines, tame_json};
use serde_json::Value;
use std::io::Write;

/// Prints without a panic when nobody reads it.
pub(super) fn print(text: &str) {
    let _ = std::io::stdout().write_all(shown(text).as_bytes());
}

/// Prints a document for programs: each value stands on a line of its own, so that what the door hides never joins two of them.
pub(super) fn document(value: &Value) {
    print(&format!("{}\n", written(value)));
}

/// Its strings hold nothing that the door would take away.
fn written(value: &Value) -> String {
    format!("{value:#}").lines().map(tame_json).collect::<Vec<_>>().join("\n")
}

/// Prints text of our own as it is.
pub(super) fn verbatim(text: &'static str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// Prints to standard error without a panic when that is a terminal that is gone (a panic here would end in an abort).
pub(super) fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "{}", shown(text).trim_end_matches('\n'));
}

/// Line by line, so that a terminal can only show it.
pub(super) fn shown(text: &str) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_means_the_same_behind_the_door_and_shows_no_login() {
        let value =
            serde_json::json!({"a": "x\u{9b}\u{1b}y", "b": ["redis://:p\"w@h", "no", "@"], "c": "http://h"});
        let text = shown(&written(&value));
        let back: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(back["a"], value["a"]);
        assert_eq!(
            (&back["b"][0], &back["b"][2], &back["c"]),
            (&"redis://•••@h".into(), &"@".into(), &"http://h".into())
        );
    }

    #[test]
    fn what_goes_through_is_tame_and_keeps_its_lines() {
        assert_eq!(
            shown("  a\u{1b}]52;c;eA==\u{7}\n\nredis://:pw@h\u{9b}x\n"),
            "  a]52;c;eA==\n\nredis://•••@hx\n"
        );
        assert_eq!(shown("no end"), "no end");
    }
}
