//! The one door to standard output and standard error, for everything but the screen: what goes through holds nothing that a terminal
//! could act on, and no login of a URL. Whoever prints around it is found by a test.

use crate::core::redact::logins;
use crate::core::text::clean_lines;
use std::io::Write;

/// Prints without a panic when nobody reads it.
pub(super) fn print(text: &str) {
    let _ = std::io::stdout().write_all(shown(text).as_bytes());
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
fn shown(text: &str) -> String {
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
    fn what_goes_through_is_tame_and_keeps_its_lines() {
        assert_eq!(
            shown("  a\u{1b}]52;c;eA==\u{7}\n\nredis://:pw@h\u{9b}x\n"),
            "  a]52;c;eA==\n\nredis://•••@hx\n"
        );
        assert_eq!(shown("no end"), "no end");
    }
}
