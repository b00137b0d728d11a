//! A text field of one line: what is typed, where its cursor stands, and the part of it that is in view. What it holds is bounded and
//! tame. The editing itself is the crate `tui-input`; which key does what is not known here.

use crate::core::text::is_tame;
use crate::ui::content::{Line, Role};
use tui_input::{Input, InputRequest};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// What can be done inside a text field, besides typing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Edit {
    /// One sign to the left.
    Left,
    /// One sign to the right.
    Right,
    /// To the begin of the word.
    WordLeft,
    /// To the begin of the next word.
    WordRight,
    /// To the begin.
    Start,
    /// To the end.
    End,
    /// Takes away the sign before the cursor.
    Erase,
    /// Takes away the sign under the cursor.
    Delete,
    /// Takes away the word before the cursor.
    EraseWord,
    /// Takes away everything before the cursor.
    EraseBefore,
    /// Takes away everything from the cursor on.
    EraseAfter,
}

impl Edit {
    const fn request(self) -> InputRequest {
        match self {
            Self::Left => InputRequest::GoToPrevChar,
            Self::Right => InputRequest::GoToNextChar,
            Self::WordLeft => InputRequest::GoToPrevWord,
            Self::WordRight => InputRequest::GoToNextWord,
            Self::Start => InputRequest::GoToStart,
            Self::End => InputRequest::GoToEnd,
            Self::Erase => InputRequest::DeletePrevChar,
            Self::Delete => InputRequest::DeleteNextChar,
            Self::EraseWord => InputRequest::DeletePrevWord,
            Self::EraseBefore => InputRequest::DeleteFromStart,
            Self::EraseAfter => InputRequest::DeleteTillEnd,
        }
    }
}

/// A text field.
#[derive(Clone, Debug, Default)]
pub struct Field(Input);

impl PartialEq for Field {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text() && self.0.cursor() == other.0.cursor()
    }
}

impl Field {
    /// A field that holds `text`, with the cursor behind it.
    #[must_use]
    pub fn of(text: impl Into<String>) -> Self {
        Self(Input::new(text.into()))
    }

    /// What was typed.
    #[must_use]
    pub fn text(&self) -> &str {
        self.0.value()
    }

    /// Puts `text` in at the cursor: as much of it as there is room for within `limit` bytes, without anything that is not tame.
    pub fn insert(&mut self, text: &str, limit: usize) {
        let (before, after) = self.halves();
        let room = limit.saturating_sub(before.len() + after.len());
        let tame: String = text.chars().filter(|c| is_tame(*c)).collect();
        let mut end = tame.len().min(room);
        while !tame.is_char_boundary(end) {
            end -= 1;
        }
        let cursor = self.0.cursor() + tame[..end].chars().count();
        self.0 = Input::new(format!("{before}{}{after}", &tame[..end])).with_cursor(cursor);
    }

    /// Moves the cursor or takes something away.
    pub fn edit(&mut self, edit: Edit) {
        self.0.handle(edit.request());
    }

    /// What stands before and from the cursor on.
    fn halves(&self) -> (&str, &str) {
        let text = self.text();
        let at = text.char_indices().nth(self.0.cursor()).map_or(text.len(), |(at, _)| at);
        text.split_at(at)
    }

    /// The part in view within `columns`, behind `line`, with the cursor where it stands.
    #[must_use]
    pub fn behind(&self, line: Line, columns: usize) -> Line {
        let mut skipped = 0;
        // What is under the cursor has to have room, too.
        let under = self.halves().1.graphemes(true).next().map_or(1, UnicodeWidthStr::width);
        let scroll = self.0.visual_scroll(columns.saturating_sub(under));
        let shown = |(_, sign): &(usize, &str)| {
            let hidden = skipped < scroll;
            skipped += sign.width();
            !hidden
        };
        let signs: Vec<(usize, &str)> = self.text().grapheme_indices(true).filter(shown).collect();
        self.marked(line, &signs, columns, true)
    }

    /// All of it on lines of at most `columns`, and on which of them the cursor is.
    #[must_use]
    pub fn lines(&self, columns: usize) -> (Vec<Line>, usize) {
        let columns = columns.max(2);
        let cursor = self.halves().0.len();
        let (mut rows, mut row, mut used) = (Vec::new(), Vec::new(), 0);
        for (at, sign) in self.text().grapheme_indices(true) {
            if used + sign.width() > columns {
                rows.push(std::mem::take(&mut row));
                used = 0;
            }
            used += sign.width();
            row.push((at, sign));
        }
        // The mark behind the end needs a column, too.
        if used == columns && cursor == self.text().len() {
            rows.push(std::mem::take(&mut row));
        }
        rows.push(row);
        let here = rows.iter().rposition(|row| row.first().is_some_and(|(at, _)| *at <= cursor));
        let last = rows.len() - 1;
        let here = if cursor == self.text().len() { last } else { here.unwrap_or(0) };
        let lines = rows
            .iter()
            .enumerate()
            .map(|(number, row)| self.marked(Line::default(), row, columns, number == last));
        (lines.collect(), here)
    }

    /// `signs` behind `line`, as many as have room; the one under the cursor is marked, or the place behind the last one.
    fn marked(&self, mut line: Line, signs: &[(usize, &str)], columns: usize, ends: bool) -> Line {
        let cursor = self.halves().0.len();
        let (mut before, mut under, mut after, mut used) = (String::new(), String::new(), String::new(), 0);
        for (at, sign) in signs {
            used += sign.width();
            if used > columns {
                break;
            }
            let part = match at.cmp(&cursor) {
                std::cmp::Ordering::Less => &mut before,
                std::cmp::Ordering::Equal => &mut under,
                std::cmp::Ordering::Greater => &mut after,
            };
            part.push_str(sign);
        }
        line = line.then_as_it_is(Role::Strong, &before);
        if !under.is_empty() {
            line = line.then_as_it_is(Role::Cursor, &under);
        } else if ends && cursor == self.text().len() {
            line = line.then(Role::Accent, "_");
        }
        line.then_as_it_is(Role::Strong, &after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 40;

    /// A field in which `|` is the cursor.
    fn field(text: &str) -> Field {
        let (before, after) = text.split_once('|').expect("a cursor");
        let mut field = Field::of(after);
        field.edit(Edit::Start);
        field.insert(before, LIMIT);
        field
    }

    fn shown(field: &Field) -> String {
        let (before, after) = field.halves();
        format!("{before}|{after}")
    }

    #[track_caller]
    fn edits(from: &str, edits: &[Edit], expected: &str) {
        let mut field = field(from);
        for edit in edits {
            field.edit(*edit);
        }
        assert_eq!(shown(&field), expected);
    }

    #[test]
    fn every_edit_does_what_it_says() {
        edits("ab|c", &[Edit::Left], "a|bc");
        edits("ab|c", &[Edit::Right, Edit::Right], "abc|");
        edits("one two| three", &[Edit::WordLeft], "one |two three");
        edits("|one two", &[Edit::WordRight], "one |two");
        edits("ab|c", &[Edit::Start], "|abc");
        edits("ab|c", &[Edit::End], "abc|");
        edits("ab|c", &[Edit::Erase], "a|c");
        edits("|abc", &[Edit::Erase], "|abc");
        edits("ab|c", &[Edit::Delete], "ab|");
        edits("one two| three", &[Edit::EraseWord], "one | three");
        edits("one two| three", &[Edit::EraseBefore], "| three");
        edits("one two| three", &[Edit::EraseAfter], "one two|");
    }

    #[test]
    fn a_sign_of_several_characters_is_one() {
        edits("日本|語", &[Edit::Left, Edit::Delete], "日|語");
        edits("e\u{301}|x", &[Edit::Erase], "|x");
        edits("a👍🏽|", &[Edit::Left], "a|👍🏽");
    }

    #[test]
    fn what_is_put_in_is_bounded_tame_and_stands_at_the_cursor() {
        let mut field = field("ab|cd");
        field.insert("x\u{1b}\u{7}\u{202e}y\n", LIMIT);
        assert_eq!(shown(&field), "abxy|cd");
        field.insert(&"日".repeat(100), LIMIT);
        assert!(field.text().len() <= LIMIT && field.text().len() > LIMIT - 3, "{}", field.text());
        assert!(field.text().ends_with("日cd"));
        field.insert("z", 5);
        assert!(!field.text().contains('z'), "there is no room");
    }

    #[track_caller]
    fn view(from: &str, columns: usize, expected: &str) {
        let line = field(from).behind(Line::of(Role::Muted, "> "), columns);
        let marked = line.spans.iter().map(|span| match span.role {
            Role::Cursor => format!("[{}]", span.text),
            _ => span.text.clone(),
        });
        assert_eq!(marked.collect::<String>(), format!("> {expected}"));
    }

    #[test]
    fn the_cursor_is_in_view_where_it_stands() {
        view("abc|", 10, "abc_");
        view("a|bc", 10, "a[b]c");
        view("a|  b", 10, "a[ ] b");
        view("0123456789|", 5, "6789_");
        view("|0123456789", 5, "[0]1234");
        view("日本語日本語|", 5, "本語_");
        view("日本|語日本語", 6, "日本[語]");
    }

    #[test]
    fn a_long_text_stands_on_several_lines() {
        let check = |from: &str, expected: &[&str], here: usize| {
            let (lines, at) = field(from).lines(4);
            let lines: Vec<String> = lines.iter().map(Line::plain).collect();
            assert_eq!(
                (lines.iter().map(String::as_str).collect::<Vec<_>>().as_slice(), at),
                (expected, here)
            );
        };
        check("|", &["_"], 0);
        check("abcdef|", &["abcd", "ef_"], 1);
        check("abcdefgh|", &["abcd", "efgh", "_"], 2);
        check("ab|cdefgh", &["abcd", "efgh"], 0);
        check("abcd|efgh", &["abcd", "efgh"], 1);
        check("日本語|", &["日本", "語_"], 1);
    }
}
