//! How much room there is: which sizes of the terminal show a screen at all, and how a dialog is laid out in one of them. Pure numbers,
//! read by what draws and by what decides whether a key may count.

use crate::ui::content::Line;
use std::ops::Range;

/// Below this a terminal says only what matters most, and nothing can be chosen or confirmed.
pub const LEAST: Size = Size { width: 60, height: 16 };
/// Rows of the verdict: two full lines at every width.
const VERDICT: u16 = 2;
/// Rows below the screen: the newest message and the hints. A dialog leaves them visible.
const BELOW: u16 = 2;
/// Columns of the widest dialog: longer lines are hard to read.
const WIDEST: u16 = 114;
/// Columns of a dialog that are not text: its border and a blank, on both sides.
const EDGES: u16 = 4;
/// A dialog that scrolls shows at least this many lines at once; with fewer nobody could read it.
const LEAST_ROWS: usize = 3;

/// The size of the terminal in columns and rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
}

impl Size {
    /// Whether a screen and a dialog have room.
    #[must_use]
    pub const fn shows(self) -> bool {
        self.width >= LEAST.width && self.height >= LEAST.height
    }

    /// Rows of the verdict.
    #[must_use]
    pub const fn verdict_rows(self) -> u16 {
        VERDICT
    }

    /// Rows that the open screen has: all but the status, the verdict, the tabs, the message and the hints.
    #[must_use]
    pub fn page(self) -> usize {
        usize::from(self.height.saturating_sub(self.verdict_rows() + 2 + BELOW)).max(1)
    }

    /// Columns of text in a dialog.
    #[must_use]
    pub fn columns(self) -> usize {
        usize::from(self.frame_width().saturating_sub(EDGES))
    }

    /// Lines of text in a dialog that is as high as it can be.
    #[must_use]
    pub fn dialog_rows(self) -> usize {
        usize::from(self.height.saturating_sub(1 + self.verdict_rows() + BELOW + 2))
    }

    fn frame_width(self) -> u16 {
        self.width.saturating_sub(EDGES).min(WIDEST)
    }
}

/// How lists and what belongs to them are laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// The row that is chosen beside its list, where the screen is wide enough.
    #[default]
    Beside,
    /// The list alone.
    List,
    /// The list alone, each row on one line, and what graphs show in words.
    Dense,
}

impl Layout {
    /// All of them, in the order in which they are gone through.
    pub const ALL: [Self; 3] = [Self::Beside, Self::List, Self::Dense];

    /// Its name, as it is typed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Beside => "beside",
            Self::List => "list",
            Self::Dense => "dense",
        }
    }

    /// What it looks like.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Beside => "the row beside its list, where the screen is wide enough (150x40)",
            Self::List => "the list alone",
            Self::Dense => "the list alone, every row on one line, graphs in words",
        }
    }

    /// The one after it.
    #[must_use]
    pub const fn following(self) -> Self {
        match self {
            Self::Beside => Self::List,
            Self::List => Self::Dense,
            Self::Dense => Self::Beside,
        }
    }
}

/// What a dialog says, broken into lines of [`Size::columns`] already.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sheet {
    /// Stands in its border.
    pub title: String,
    /// What scrolls where it is longer than the room.
    pub body: Vec<Line>,
    /// What is always shown: the key or the word that decides, and what it does.
    pub foot: Vec<Line>,
    /// A key decides something here, so that it matters what was shown.
    pub decides: bool,
    /// Which lines of the body belong to which letter.
    pub letters: Vec<(char, Range<usize>)>,
}

/// A dialog laid out in a terminal: where it is, and how many of its lines are seen at once.
#[derive(Clone, Debug, PartialEq)]
pub struct Laid {
    /// What it says.
    pub sheet: Sheet,
    /// In a terminal of this size.
    pub size: Size,
    /// The first column of its border.
    pub x: u16,
    /// The first row of its border.
    pub y: u16,
    /// Columns with its border.
    pub width: u16,
    /// Rows with its border.
    pub height: u16,
    /// Lines of the body that are seen at once.
    pub rows: usize,
}

impl Laid {
    /// `sheet` in a terminal of `size`: below the status and the verdict, above the newest message. Nothing where it has no room.
    #[must_use]
    pub fn new(mut sheet: Sheet, size: Size) -> Option<Self> {
        if !size.shows() {
            return None;
        }
        let head = 1 + size.verdict_rows();
        let room = size.height - head - BELOW;
        let inner = usize::from(room.saturating_sub(2));
        if sheet.decides && sheet.body.len() + sheet.foot.len() > inner {
            // Lines that only keep others apart give way before anything has to be scrolled.
            sheet.body.retain(|line| !line.spans.is_empty());
            if sheet.body.len() + sheet.foot.len() > inner {
                sheet.foot.retain(|line| !line.spans.is_empty());
            }
        }
        let (body, foot) = (sheet.body.len(), sheet.foot.len());
        let rows = if body + foot <= inner {
            body
        } else {
            // One row says how much more there is.
            inner.checked_sub(foot + 1).filter(|rows| *rows >= LEAST_ROWS)?
        };
        let scrolls = usize::from(rows < body);
        let height = u16::try_from(rows + scrolls + foot + 2).ok()?;
        let width = size.frame_width();
        let (x, y) = ((size.width - width) / 2, head + (room - height) / 2);
        Some(Self { sheet, size, x, y, width, height, rows })
    }

    /// Whether there is more than is seen at once.
    #[must_use]
    pub const fn scrolls(&self) -> bool {
        self.rows < self.sheet.body.len()
    }

    /// The first line where the last ones are in view.
    #[must_use]
    pub const fn last(&self) -> usize {
        self.sheet.body.len() - self.rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dialog_stays_between_the_verdict_and_the_message_at_every_size() {
        for width in 0..200 {
            for height in 0..60 {
                let size = Size { width, height };
                for (body, foot) in [(1, 1), (4, 3), (12, 5), (400, 4), (3, 40)] {
                    let sheet = Sheet {
                        body: vec![Line::text("body"); body],
                        foot: vec![Line::text("foot"); foot],
                        ..Sheet::default()
                    };
                    let Some(laid) = Laid::new(sheet, size) else {
                        assert!(!size.shows() || foot == 40, "{size:?} has room for {body} and {foot}");
                        continue;
                    };
                    assert!(size.shows());
                    assert!(laid.y > size.verdict_rows(), "{size:?}: PROD and the verdict stay visible");
                    assert!(laid.y + laid.height + BELOW <= height && laid.x + laid.width <= width);
                    let needed = laid.rows + foot + usize::from(laid.scrolls()) + 2;
                    assert_eq!(needed, usize::from(laid.height), "every row has its place");
                    assert!(!laid.scrolls() || laid.rows >= LEAST_ROWS);
                }
            }
        }
    }
}
