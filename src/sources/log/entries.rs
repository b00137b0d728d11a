//! Lines of a log as they belong together: a trace belongs to the error above it. Pure.

use super::stamp::{self, Stamp};
use crate::core::lines::{LogLine, level_in};
use crate::sources::line::shown_whole;

/// What belongs to a line is no longer than this.
const MOST_BYTES: usize = 16 * 1024;

/// A line as it was read, not cleaned yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Raw {
    /// What tells it from every other line of its log.
    pub(super) id: u64,
    pub(super) text: String,
}

/// A line with those that belong to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) id: u64,
    /// When it says that it was written.
    pub(super) stamp: Option<Stamp>,
    pub(super) text: String,
    /// It belongs to what was read before.
    pub(super) goes_on: bool,
}

impl Entry {
    /// Takes in a line that belongs to it.
    fn append(&mut self, text: &str) {
        if self.text.len() + text.len() < MOST_BYTES {
            self.text.push('\n');
            self.text.push_str(text);
        }
    }

    /// As it may be shown; `before` is when what stands before it was written, as far as that is known.
    pub(super) fn line(&self, east: Option<i64>, before: i64, masks: &[String]) -> LogLine {
        let at = self.stamp.and_then(|stamp| stamp::moment(stamp, east));
        let level = level_in(&self.text).map(|word| ("level".to_owned(), word.to_owned()));
        LogLine {
            at: at.unwrap_or(before),
            dated: at.is_some(),
            digest: self.id,
            labels: level.into_iter().collect(),
            text: shown_whole(&self.text, masks),
        }
    }
}

/// Puts lines together. `timed` says whether the newest line that stands alone has a time: then what has none belongs to it.
pub(super) fn grouped(lines: Vec<Raw>, timed: &mut bool) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for Raw { id, text } in lines {
        let stamp = stamp::of(&text);
        let goes_on = text.starts_with([' ', '\t']) || (*timed && stamp.is_none());
        match entries.last_mut() {
            Some(before) if goes_on => before.append(&text),
            _ => entries.push(Entry { id, stamp, text, goes_on }),
        }
        if !goes_on {
            *timed = stamp.is_some();
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(lines: &[&str], timed: bool, expected: &[&str]) {
        let raw = lines.iter().map(|text| Raw { id: 0, text: (*text).to_owned() }).collect();
        let found = grouped(raw, &mut timed.clone());
        let texts: Vec<String> = found
            .iter()
            .map(|entry| format!("{}{}", if entry.goes_on { "+" } else { "" }, entry.text))
            .collect();
        assert_eq!(texts, expected);
    }

    #[test]
    fn a_trace_belongs_to_the_line_above_it() {
        let first = "2026-09-21T14:13:20Z ERROR x";
        check(
            &[first, "Traceback:", "  a", "ValueError", first],
            false,
            &["2026-09-21T14:13:20Z ERROR x\nTraceback:\n  a\nValueError", first],
        );
        check(&["a", "b", "\tat c", "d"], false, &["a", "b\n\tat c", "d"]);
        check(&["ValueError", first], true, &["+ValueError", first]);
        check(&["ValueError", first], false, &["ValueError", first]);
    }

    #[test]
    fn what_has_no_end_does_not_grow() {
        let long = vec!["  x".repeat(1000); 100];
        let mut lines: Vec<&str> = vec!["begin"];
        lines.extend(long.iter().map(String::as_str));
        let raw = lines.iter().map(|text| Raw { id: 0, text: (*text).to_owned() }).collect();
        let found = grouped(raw, &mut false);
        assert!(found.len() == 1 && found[0].text.len() < MOST_BYTES, "{}", found[0].text.len());
    }
}
