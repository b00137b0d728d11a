//! What a panel shows, as data: lines and tables with roles, no colours and no coordinates. One renderer draws all of it.

use super::graph::Graphs;
use crate::core::alert::Severity;
use crate::core::freshness::Freshness;
use crate::core::row::RowKey;
use crate::ui::text::{clean, clean_lines, split, width};
use std::borrow::Cow;
use std::sync::Arc;

pub use crate::ui::column::{Column, Width};

/// What a piece of text is, never what colour it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Role {
    /// Plain data.
    #[default]
    Text,
    /// Less important: labels, units, things in the background.
    Muted,
    /// A heading or a key figure.
    Strong,
    /// The object that the line is about; keys in hints.
    Accent,
    /// Explicitly good.
    Ok,
    /// Worth a look.
    Note,
    /// A warning.
    Warning,
    /// Critical.
    Critical,
    /// Too old to be believed.
    Stale,
    /// The sign under the cursor of a text field.
    Cursor,
}

impl Role {
    /// The role of a severity.
    #[must_use]
    pub const fn of(severity: Severity) -> Self {
        match severity {
            Severity::Info => Self::Note,
            Severity::Warning => Self::Warning,
            Severity::Critical => Self::Critical,
        }
    }

    /// The role of data of this freshness.
    #[must_use]
    pub const fn of_freshness(freshness: Freshness) -> Self {
        match freshness {
            Freshness::Waiting => Self::Muted,
            Freshness::Fresh(_) => Self::Text,
            Freshness::Late(_) => Self::Warning,
            Freshness::Lost(_) => Self::Stale,
        }
    }
}

/// A run of text with one role. The text is cleaned when it is made.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Span {
    /// The text, safe to show.
    pub text: String,
    /// What it is.
    pub role: Role,
}

/// One line of spans.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Line {
    /// The spans from left to right.
    pub spans: Vec<Span>,
    /// Samples drawn as a sparkline behind the text (`None` is a gap).
    pub spark: Option<Vec<Option<f64>>>,
    /// It is a drawing: it is never broken into several.
    pub drawn: bool,
    /// Graphs drawn instead of the text, where there is room for them: the text says the same in words.
    pub graphs: Option<Arc<Graphs>>,
    /// It is of a statement or of the data of a job: hidden while others look on.
    pub private: bool,
}

impl Line {
    /// A line of plain text.
    #[must_use]
    pub fn text(text: impl AsRef<str>) -> Self {
        Self::default().then(Role::Text, text)
    }

    /// A line of one role.
    #[must_use]
    pub fn of(role: Role, text: impl AsRef<str>) -> Self {
        Self::default().then(role, text)
    }

    /// The same line with more text behind it. Leading and trailing blanks of `text` are kept: they align.
    #[must_use]
    pub fn then(mut self, role: Role, text: impl AsRef<str>) -> Self {
        self.spans.push(Span { text: cleaned(text.as_ref()), role });
        self
    }

    /// The same line with what somebody typed behind it: every blank stays.
    #[must_use]
    pub fn then_as_it_is(mut self, role: Role, text: &str) -> Self {
        if !text.is_empty() {
            self.spans.push(Span { text: clean_lines(text).concat(), role });
        }
        self
    }

    /// The same line with a sparkline behind it.
    #[must_use]
    pub fn spark(mut self, samples: Vec<Option<f64>>) -> Self {
        self.spark = Some(samples);
        self
    }

    /// The same line as a drawing.
    #[must_use]
    pub const fn drawn(mut self) -> Self {
        self.drawn = true;
        self
    }

    /// The text without roles.
    #[must_use]
    pub fn plain(&self) -> String {
        self.spans.iter().map(|span| span.text.as_str()).collect()
    }

    /// The same text on lines of at most `columns`, those after the first moved in by `indent`. It is broken behind blanks, and inside a
    /// word only where that is longer than a line: nothing is left out. A sparkline stays behind the last of them.
    #[must_use]
    pub fn flow(&self, columns: usize, indent: usize) -> Vec<Self> {
        let columns = columns.max(1);
        let indent = indent.min(columns / 2);
        let mut lines = vec![Self::default()];
        let mut used = 0;
        for span in &self.spans {
            for piece in span.text.split_inclusive(' ') {
                let needed = width(piece.trim_end_matches(' '));
                let moved = if lines.len() > 1 { indent } else { 0 };
                if used + needed > columns && used > moved {
                    trim(&mut lines);
                    lines.push(Self::indented(indent));
                    used = indent;
                }
                let mut rest = piece;
                while used + width(rest.trim_end_matches(' ')) > columns {
                    let (fits, over) = split(rest, columns - used);
                    push(&mut lines, fits, span.role);
                    lines.push(Self::indented(indent));
                    (rest, used) = (over, indent);
                }
                push(&mut lines, rest, span.role);
                used += width(rest);
            }
        }
        trim(&mut lines);
        if let Some(last) = lines.last_mut() {
            last.spark.clone_from(&self.spark);
        }
        lines
    }

    fn indented(indent: usize) -> Self {
        let spans =
            if indent == 0 { Vec::new() } else { vec![Span { text: " ".repeat(indent), role: Role::Text }] };
        Self { spans, ..Self::default() }
    }
}

/// `raw` cleaned, with the blanks at both of its ends.
fn cleaned(raw: &str) -> String {
    let leading = raw.len() - raw.trim_start_matches(' ').len();
    let trailing = if leading == raw.len() { 0 } else { raw.len() - raw.trim_end_matches(' ').len() };
    if leading + trailing == 0 {
        return clean(raw);
    }
    format!("{}{}{}", " ".repeat(leading), clean(raw).trim(), " ".repeat(trailing))
}

/// Takes the blanks away at which the last of `lines` was broken: they would take room that it does not have.
fn trim(lines: &mut [Line]) {
    if let Some(span) = lines.last_mut().and_then(|line| line.spans.last_mut()) {
        span.text.truncate(span.text.trim_end_matches(' ').len());
    }
}

/// Adds `text` to the last of `lines`.
fn push(lines: &mut [Line], text: &str, role: Role) {
    let Some(line) = lines.last_mut() else { return };
    match line.spans.last_mut() {
        Some(span) if span.role == role => span.text.push_str(text),
        _ if text.is_empty() => {}
        _ => line.spans.push(Span { text: text.to_owned(), role }),
    }
}

/// By what a cell sorts.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum SortKey {
    /// By its text.
    #[default]
    Text,
    /// By a number; `None` sorts last.
    Number(Option<f64>),
}

/// One cell. What it shows of a number is made when it is drawn: of a long list that is what is in view.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    shown: Shown,
    /// What it is.
    pub role: Role,
    /// By what it sorts.
    pub sort: SortKey,
    /// Samples drawn as a sparkline instead of the text.
    pub spark: Option<Vec<Option<f64>>>,
}

/// How a cell comes to its text.
#[derive(Clone, Debug)]
enum Shown {
    /// It is this one, safe to show.
    Text(String),
    /// The number that it sorts by, written like this.
    Figure(fn(f64) -> String),
}

impl Default for Shown {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

impl PartialEq for Cell {
    fn eq(&self, other: &Self) -> bool {
        (self.role, &self.sort, &self.spark) == (other.role, &other.sort, &other.spark)
            && self.words() == other.words()
    }
}

impl Cell {
    /// A cell of plain text.
    #[must_use]
    pub fn text(text: impl AsRef<str>) -> Self {
        Self::of(Role::Text, text)
    }

    /// A cell of one role. Leading blanks are kept (trees are indented with them).
    #[must_use]
    pub fn of(role: Role, text: impl AsRef<str>) -> Self {
        Self { shown: Shown::Text(cleaned(text.as_ref())), role, ..Self::default() }
    }

    /// A cell that shows `text` and sorts by `value`.
    #[must_use]
    pub fn number(value: Option<f64>, text: impl AsRef<str>) -> Self {
        Self { sort: SortKey::Number(value), ..Self::of(Role::Text, text) }
    }

    /// A cell of a number that is written by `shown` where it is seen; `—` for what is not known.
    #[must_use]
    pub fn figure(value: Option<f64>, shown: fn(f64) -> String) -> Self {
        Self { shown: Shown::Figure(shown), sort: SortKey::Number(value), ..Self::default() }
    }

    /// The same cell, its text told otherwise. What a number is written as stays.
    #[must_use]
    pub fn reworded(&self, told: impl Fn(&str) -> String) -> Self {
        match &self.shown {
            Shown::Text(text) => Self { shown: Shown::Text(told(text)), ..self.clone() },
            Shown::Figure(_) => self.clone(),
        }
    }

    /// The same cell with another role.
    #[must_use]
    pub const fn role(mut self, role: Role) -> Self {
        self.role = role;
        self
    }

    /// A sparkline.
    #[must_use]
    pub fn spark(samples: Vec<Option<f64>>) -> Self {
        Self { spark: Some(samples), ..Self::default() }
    }

    /// Its text, safe to show.
    #[must_use]
    pub fn words(&self) -> Cow<'_, str> {
        match (&self.shown, &self.sort) {
            (Shown::Text(text), _) => Cow::Borrowed(text),
            (Shown::Figure(shown), SortKey::Number(Some(value))) => Cow::Owned(shown(*value)),
            (Shown::Figure(_), SortKey::Number(None) | SortKey::Text) => Cow::Borrowed("—"),
        }
    }
}

/// One row: an identity and its cells, one per column.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Who it is, wherever it stands.
    pub key: RowKey,
    /// One cell per column.
    pub cells: Vec<Cell>,
    /// There is something behind it.
    pub opens: bool,
    /// It has one line only.
    pub brief: bool,
}

impl Row {
    /// A row with something behind it.
    #[must_use]
    pub const fn opens(key: RowKey, cells: Vec<Cell>) -> Self {
        Self { key, cells, opens: true, brief: false }
    }

    /// A row with nothing behind it.
    #[must_use]
    pub const fn flat(key: RowKey, cells: Vec<Cell>) -> Self {
        Self { key, cells, opens: false, brief: false }
    }

    /// The same row, on one line only.
    #[must_use]
    pub const fn brief(mut self) -> Self {
        self.brief = true;
        self
    }
}

/// A table; the selection, the filter, the sort and the marks are kept by the app.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Table {
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows, in the panel's own order.
    pub rows: Vec<Row>,
    /// What stands there when there is no row: a sentence, never nothing.
    pub empty: String,
    /// The order means something (a tree): it cannot be sorted.
    pub fixed_order: bool,
}

/// A part of a screen: a heading, lines, a table.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Section {
    /// The heading; empty for none.
    pub title: String,
    /// Lines above the table.
    pub lines: Vec<Line>,
    /// The table, if there is one.
    pub table: Option<Table>,
}

impl Section {
    /// A section of lines.
    #[must_use]
    pub fn lines(title: impl Into<String>, lines: Vec<Line>) -> Self {
        Self { title: title.into(), lines, ..Self::default() }
    }

    /// A section with a table.
    #[must_use]
    pub fn table(title: impl Into<String>, table: Table) -> Self {
        Self { title: title.into(), table: Some(table), ..Self::default() }
    }

    /// The same section; its lines are hidden while others look on.
    #[must_use]
    pub fn private(mut self) -> Self {
        for line in &mut self.lines {
            line.private = true;
        }
        self
    }
}

/// Everything that a panel shows at one level. The cursor moves through the rows of all sections as through one list.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Content {
    /// What this level is called in the title bar ("queue emails · failed jobs").
    pub title: String,
    /// From top to bottom.
    pub sections: Vec<Section>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &Line, (columns, indent): (usize, usize), expected: &[&str]) {
        let lines = line.flow(columns, indent);
        let texts: Vec<String> = lines.iter().map(Line::plain).collect();
        assert_eq!(texts, expected);
        assert!(texts.iter().all(|text| width(text) <= columns), "{texts:?}");
    }

    #[test]
    fn long_lines_flow_and_nothing_is_left_out() {
        check(&Line::text("one two three"), (20, 2), &["one two three"]);
        check(&Line::text("one two three"), (8, 2), &["one two", "  three"]);
        check(&Line::text("abcdefghijkl"), (5, 1), &["abcde", " fghi", " jkl"]);
        check(&Line::text("a abcdefgh"), (5, 0), &["a", "abcde", "fgh"]);
        check(&Line::text("日本語テキスト"), (7, 0), &["日本語", "テキス", "ト"]);
        check(
            &Line::of(Role::Muted, "who   ").then(Role::Text, "billing on shop"),
            (16, 6),
            &["who   billing on", "      shop"],
        );
        check(&Line::default(), (10, 0), &[""]);
    }

    #[test]
    fn roles_go_along() {
        let line = Line::of(Role::Critical, "t").then(Role::Strong, " = Terminate pid 4711");
        let lines = line.flow(12, 0);
        assert_eq!(lines[0].spans[0], Span { text: "t".to_owned(), role: Role::Critical });
        assert!(lines[1].spans.iter().all(|span| span.role == Role::Strong), "{lines:?}");
    }
}
