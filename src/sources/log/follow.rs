//! The lines of a page that is open: those of a log that a question is about, the newest first.

use super::entries::Entry;
use super::stamp;
use crate::core::lines::{About, Asked, LeftOut, LogLine, Question, Tone, Window, level_in};
use crate::core::part::Part;
use crate::core::time::Now;
use crate::sources::line::shown_whole;

/// A page keeps so many lines.
pub(super) const MOST_KEPT: usize = 2000;
/// A line with all that belongs to it has no more characters.
const MOST_CHARS: usize = 16_000;
/// A line may be written by a clock that is ahead of ours by so much.
const AHEAD: i64 = 60 * SECOND;
const SECOND: i64 = 1_000_000_000;
const MILLI: i64 = 1_000_000;

/// The lines of one page.
#[derive(Debug)]
pub(super) struct Follow {
    question: Question,
    /// Nothing is looked for and nobody says that these lines are of what is asked about: only errors are shown.
    only_errors: bool,
    /// What was looked through, in words.
    through: String,
    /// The newest first.
    lines: Vec<LogLine>,
    more: bool,
    left_out: Option<LeftOut>,
    /// The newest line that was looked at is one of them: what belongs to it is shown with it.
    goes_on: bool,
    /// When the newest line that says it was written.
    newest: i64,
    masks: Vec<String>,
}

impl Follow {
    /// Lines of the log called `name`, which holds lines of `of`.
    pub(super) fn new(question: Question, name: &str, of: &[String], masks: &[String]) -> Self {
        let only_errors = match &question.lines {
            About::Query(_) => false,
            About::Named { words, text, of: wanted, .. } => {
                let own = of.is_empty() && wanted.iter().all(|wanted| wanted != name);
                words.is_empty() && text.is_empty() && own
            }
        };
        Self {
            question,
            only_errors,
            through: String::new(),
            lines: Vec::new(),
            more: false,
            left_out: None,
            goes_on: false,
            newest: 0,
            masks: masks.to_vec(),
        }
    }

    pub(super) fn is_of(&self, question: &Question) -> bool {
        self.question == *question
    }

    /// Begins anew with all that there is.
    pub(super) fn begin(&mut self, entries: &[Entry], of: String, more: bool, east: Option<i64>, now: Now) {
        let moment = |entry: &Entry| entry.stamp.and_then(|stamp| stamp::moment(stamp, east));
        let from = span(self.question.window, now).0;
        let later = !more && entries.iter().find_map(moment).is_some_and(|first| first > from);
        let of =
            if later { format!("{of}; what is older than its first line would be elsewhere") } else { of };
        self.lines.clear();
        (self.through, self.more, self.goes_on, self.newest) = (of, more, false, 0);
        self.take(entries, false, east, now);
    }

    /// Takes in what came.
    pub(super) fn take(&mut self, entries: &[Entry], left_out: bool, east: Option<i64>, now: Now) {
        if left_out {
            self.left_out = Some(LeftOut { counted: 0, more: true });
        }
        // Only the first of them can belong to what was taken in before.
        let (belongs, alone) =
            entries.split_at(usize::from(entries.first().is_some_and(|first| first.goes_on)));
        if let (Some(first), true) = (belongs.first(), self.goes_on)
            && let Some(line) = self.lines.first_mut()
        {
            line.text = cut(&format!("{}\n{}", line.text, shown_whole(&first.text, &self.masks)));
        }
        let mut wanted = Vec::new();
        for entry in alone {
            if let Some(at) = entry.stamp.and_then(|stamp| stamp::moment(stamp, east)) {
                self.newest = at;
            }
            self.goes_on = self.wants(entry, east, now);
            if self.goes_on {
                wanted.push((entry, self.newest));
            }
        }
        self.more |= wanted.len() + self.lines.len() > MOST_KEPT;
        let new = wanted.into_iter().rev().take(MOST_KEPT);
        let mut lines: Vec<LogLine> =
            new.map(|(entry, before)| entry.line(east, before, &self.masks)).collect();
        lines.append(&mut self.lines);
        lines.truncate(MOST_KEPT);
        self.lines = lines;
    }

    /// Whether it is one of them. What does not say when it was written is of any time.
    fn wants(&self, entry: &Entry, east: Option<i64>, now: Now) -> bool {
        let at = entry.stamp.and_then(|stamp| stamp::moment(stamp, east));
        let (from, to) = span(self.question.window, now);
        let is_error = || level_in(&entry.text).is_some_and(|word| Tone::of(word) == Tone::Error);
        at.is_none_or(|at| from <= at && at <= to)
            && self.question.lines.is_in(&entry.text)
            && (!self.only_errors || is_error())
    }

    /// Forgets what is older: others are shown instead.
    pub(super) fn forget(&mut self, oldest: i64) {
        self.lines.retain(|line| line.at >= oldest);
    }

    /// What was looked through, in words.
    pub(super) fn through(&self) -> &str {
        &self.through
    }

    /// What was looked for, in words.
    pub(super) fn what(&self) -> String {
        match &self.question.lines {
            About::Query(query) => query.clone(),
            About::Named { words, text, .. } if self.only_errors && words.is_empty() && text.is_empty() => {
                "errors".to_owned()
            }
            About::Named { words, text, .. } => match (words.is_empty(), text.is_empty()) {
                (true, true) => "every line".to_owned(),
                (false, _) => format!("lines with {}", words.join(" or ")),
                (true, false) => format!("lines with {text}"),
            },
        }
    }

    /// As it stands.
    pub(super) fn asked(&self) -> Asked {
        Asked {
            question: self.question.clone(),
            query: format!("{} in {}", self.what(), self.through),
            why: String::new(),
            lines: Part::Ready(self.lines.clone()),
            more: self.more,
            left_out: self.left_out,
            asking: false,
        }
    }
}

/// A text that grows with every look has an end.
fn cut(text: &str) -> String {
    text.char_indices().nth(MOST_CHARS).map_or(text, |(at, _)| &text[..at]).to_owned()
}

/// The beginning of the time that a question is about, asked at `now`, in nanoseconds.
pub(super) fn from(window: Window, now: Now) -> i64 {
    span(window, now).0
}

/// The span of a question that is asked at `now`, in nanoseconds.
fn span(window: Window, now: Now) -> (i64, i64) {
    let of_millis = |millis: i64| millis.saturating_mul(MILLI);
    let at = now.wall.timestamp_nanos_opt().unwrap_or_default();
    match window {
        Window::Last(seconds) => (at - i64::from(seconds) * SECOND, at + AHEAD),
        Window::Since(from) => (of_millis(from), at + AHEAD),
        Window::Between(from, to) => (of_millis(from), of_millis(to)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::entries::{Raw, grouped};
    use super::*;
    use crate::core::log::LogRow;

    /// Where it is said to be looked in a log of which the first line is so many seconds old.
    fn through(seconds: i64, more: bool) -> String {
        let now = Now::example(86_400);
        let LogRow::Lines(question) = LogRow::all("shop") else { return String::new() };
        let at = (now.wall - chrono::Duration::seconds(seconds)).to_rfc3339();
        let lines = ["undated".to_owned(), format!("{at} INFO begun"), "and so on".to_owned()];
        let raw = lines.map(|text| Raw { id: 0, text }).to_vec();
        let mut follow = Follow::new(question, "shop", &[], &[]);
        follow.begin(&grouped(raw, &mut false), "all of it".to_owned(), more, None, now);
        follow.asked().query
    }

    #[test]
    fn a_file_that_begins_later_than_is_asked_for_is_not_all_there_was() {
        let elsewhere = "every line in all of it; what is older than its first line would be elsewhere";
        assert_eq!(through(60, false), elsewhere);
        assert_eq!(through(3600, false), "every line in all of it");
        assert_eq!(through(60, true), "every line in all of it", "more is told already");
    }
}
