//! The part of a dialog that is in view, and what of it was drawn since it opened. A key that decides counts only for what was drawn to
//! its last line in the size that is in force; when the text or the size changes, nothing of it was.

use super::command::Command;
use super::layout::{Laid, Size};
use crate::ui::content::Line;
use crate::ui::field::Field;
use crate::ui::mark;
use std::collections::BTreeSet;
use std::ops::Range;

/// Where a dialog is scrolled to, and what of it was seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Window {
    at: usize,
    size: Size,
    /// The lines that were drawn last.
    lines: Vec<Line>,
    /// Which of them were in view since.
    seen: BTreeSet<usize>,
    /// Which of them are in view now.
    view: Range<usize>,
    /// What is looked for in it.
    pub find: Find,
}

/// A text that is looked for in lines.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Find {
    /// It is being typed here.
    pub field: Option<Field>,
    /// It, as far as it was typed.
    pub text: String,
    /// The line on which it was found last.
    line: Option<usize>,
}

impl Window {
    /// The first line in view.
    #[must_use]
    pub fn top(&self, laid: &Laid) -> usize {
        self.at.min(laid.last())
    }

    /// A frame with `laid` in it was drawn; or one in which it had no room.
    pub fn drawn(&mut self, laid: Option<&Laid>, size: Size) {
        let Some(laid) = laid else {
            let at = self.at;
            let find = std::mem::take(&mut self.find);
            *self = Self { at, size, find, ..Self::default() };
            return;
        };
        if !self.is_of(laid) {
            self.size = laid.size;
            self.lines.clone_from(&laid.sheet.body);
            self.seen.clear();
        }
        let top = self.top(laid);
        self.view = top..top + laid.rows;
        self.seen.extend(self.view.clone());
    }

    fn is_of(&self, laid: &Laid) -> bool {
        self.size == laid.size && self.lines == laid.sheet.body
    }

    /// Whether every line of `laid` was drawn.
    #[must_use]
    pub fn saw_all(&self, laid: &Laid) -> bool {
        self.is_of(laid) && !self.view.is_empty() && self.seen.len() == laid.sheet.body.len()
    }

    /// Whether these lines of `laid` are on the screen now.
    #[must_use]
    pub fn shows(&self, laid: &Laid, lines: &Range<usize>) -> bool {
        self.is_of(laid) && !lines.is_empty() && self.view.start <= lines.start && lines.end <= self.view.end
    }

    /// How many lines above and below the view will not have been drawn once this frame is.
    #[must_use]
    pub fn unseen(&self, laid: &Laid) -> (usize, usize) {
        let top = self.top(laid);
        let known = self.is_of(laid);
        let missing = |lines: Range<usize>| lines.filter(|line| !known || !self.seen.contains(line)).count();
        (missing(0..top), missing(top + laid.rows..laid.sheet.body.len()))
    }

    /// The next line in which the text is found, or the one before, comes into view; whether there is one.
    pub fn find(&mut self, down: bool, laid: &Laid) -> bool {
        let found = mark::next(&self.matches(laid), self.find.line, down);
        if let Some(line) = found {
            self.find.line = Some(line);
            self.reveal(line, laid);
        }
        found.is_some()
    }

    /// The text is another one: the first line from the view on in which it is found comes into view.
    pub fn look_for(&mut self, text: &str, laid: &Laid) {
        text.clone_into(&mut self.find.text);
        self.find.line = self.top(laid).checked_sub(1);
        if !self.find(true, laid) {
            self.find.line = None;
        }
    }

    /// How many lines hold the text, and which of them was found last.
    #[must_use]
    pub fn found(&self, laid: &Laid) -> (usize, usize) {
        let matches = self.matches(laid);
        let upto =
            self.find.line.map_or(0, |line| matches.iter().take(line + 1).filter(|found| **found).count());
        (upto, matches.into_iter().filter(|found| *found).count())
    }

    /// Whether the text was found last on this line.
    #[must_use]
    pub fn is_found(&self, line: usize) -> bool {
        self.find.line == Some(line)
    }

    fn matches(&self, laid: &Laid) -> Vec<bool> {
        laid.sheet.body.iter().map(|line| mark::holds(line, &self.find.text)).collect()
    }

    /// Brings a line into view.
    pub fn reveal(&mut self, line: usize, laid: &Laid) {
        let top = self.top(laid);
        if line < top || line >= top + laid.rows {
            self.at = line.saturating_sub(laid.rows / 3).min(laid.last());
        }
    }

    /// Scrolls, if `command` is one for that.
    pub fn scroll(&mut self, command: Command, laid: &Laid) -> bool {
        let page = laid.rows.saturating_sub(1).max(1) as i64;
        let Some(by) = command.moves(page) else { return false };
        self.at = (self.top(laid) as i64 + by).clamp(0, laid.last() as i64) as usize;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::layout::Sheet;

    fn laid(lines: usize, height: u16) -> Laid {
        let body = (0..lines).map(|line| Line::text(line.to_string())).collect();
        let sheet = Sheet { body, foot: vec![Line::text("t = do it")], ..Sheet::default() };
        Laid::new(sheet, Size { width: 80, height }).expect("room")
    }

    #[test]
    fn every_line_must_have_been_drawn_and_a_jump_to_the_end_shows_only_the_end() {
        let long = laid(60, 24);
        let mut window = Window::default();
        assert!(!window.saw_all(&long), "nothing was drawn yet");
        window.drawn(Some(&long), long.size);
        assert_eq!(window.unseen(&long), (0, 60 - long.rows));
        assert!(window.scroll(Command::Bottom, &long));
        window.drawn(Some(&long), long.size);
        assert!(!window.saw_all(&long));
        assert_eq!(window.unseen(&long), (60 - 2 * long.rows, 0));
        for _ in 0..10 {
            window.scroll(Command::PageUp, &long);
            window.drawn(Some(&long), long.size);
        }
        assert!(window.saw_all(&long));
        assert!(window.shows(&long, &(0..2)) && !window.shows(&long, &(58..60)));
    }

    #[test]
    fn what_is_found_comes_into_view_and_the_next_one_is_around_the_end() {
        let long = laid(60, 24);
        let mut window = Window::default();
        window.look_for("5", &long);
        assert_eq!((window.found(&long), window.top(&long)), ((1, 15), 0));
        for expected in 2..=15 {
            assert!(window.find(true, &long));
            assert_eq!(window.found(&long), (expected, 15));
        }
        assert_eq!(window.top(&long), long.last());
        assert!(window.find(true, &long));
        assert_eq!(window.found(&long), (1, 15));
        assert!(window.find(false, &long));
        assert_eq!(window.found(&long), (15, 15));
        window.look_for("nothing", &long);
        assert!(!window.find(true, &long));
        assert_eq!(window.found(&long), (0, 0));
    }

    #[test]
    fn other_words_another_size_and_no_room_begin_anew() {
        let short = laid(5, 24);
        let mut window = Window::default();
        window.drawn(Some(&short), short.size);
        assert!(window.saw_all(&short));
        assert!(!window.saw_all(&laid(6, 24)), "a line more");
        assert!(!window.saw_all(&laid(5, 30)), "another size");
        window.drawn(None, Size { width: 59, height: 24 });
        assert!(!window.saw_all(&short), "it had no room");
        window.drawn(Some(&short), short.size);
        assert!(window.saw_all(&short));
    }
}
