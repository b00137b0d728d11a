//! The part of a dialog that is in view, and what of it was drawn since it opened. A key that decides counts only for what was drawn to
//! its last line in the size that is in force; when the text or the size changes, nothing of it was.

use super::command::Command;
use super::layout::{Laid, Size};
use crate::ui::content::Line;
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
            *self = Self { at, size, ..Self::default() };
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
