//! A line of a log as it may be shown: cut, without colours, cleaned and masked. Every line of every source comes through here.

use crate::core::redact;
use crate::core::text::{clean, clean_lines};

/// A line is read up to here.
const READ_CHARS: usize = 8000;
/// And shown up to here: what fills a screen is read by nobody.
const SHOWN_CHARS: usize = 4000;

/// A line, on one line.
#[must_use]
pub fn shown(text: &str, masks: &[String]) -> String {
    tamed(text, masks, clean)
}

/// A line with those that belong to it, each on its own: a trace below an error.
#[must_use]
pub fn shown_whole(text: &str, masks: &[String]) -> String {
    tamed(text, masks, |text| clean_lines(text).join("\n"))
}

fn tamed(text: &str, masks: &[String], clean: impl Fn(&str) -> String) -> String {
    let whole = cut(text, READ_CHARS);
    let masked = redact::line(&clean(&without_colours(whole)), masks);
    let shown = cut(&masked, SHOWN_CHARS);
    if shown.len() < masked.len() || whole.len() < text.len() { format!("{shown}…") } else { masked }
}

fn cut(text: &str, chars: usize) -> &str {
    text.char_indices().nth(chars).map_or(text, |(at, _)| &text[..at])
}

/// A text without what colours it in a terminal.
fn without_colours(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("\u{1b}[") {
        out.push_str(&rest[..at]);
        let behind = &rest[at + 2..];
        let end = behind.find(|c: char| !matches!(c, '0'..='9' | ';' | ':' | '?')).unwrap_or(behind.len());
        let last = behind[end..].chars().next().map_or(0, char::len_utf8);
        rest = &behind[end + last..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_without_an_end_is_cut() {
        let long = format!("{} password=x", "a".repeat(20_000));
        assert_eq!(shown(&long, &[]).chars().count(), SHOWN_CHARS + 1);
        assert_eq!(without_colours("a\u{1b}[1;31mb\u{1b}[mc\u{1b}["), "abc");
    }

    #[test]
    fn a_trace_keeps_its_lines_and_no_secret() {
        let text =
            "\u{1b}[31mError\u{1b}[0m: pass\u{7}word=geheim\n\tat x (redis://:geheim@h)\u{202e}\nmail=a@b";
        let masks = ["mail".to_owned()];
        assert_eq!(shown_whole(text, &masks), "Error: password=•••\n    at x (redis://•••@h)\nmail=•••");
        assert!(!shown(text, &masks).contains('\n'));
    }
}
