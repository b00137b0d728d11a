//! What is drawn as bytes for the terminal: as few as it takes, because each second's frame goes through somebody's SSH session.

use crossterm::terminal::window_size;
use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use ratatui::style::{Color, Modifier};
use std::fmt::Write as _;
use std::io::{self, Write};

/// Every attribute with the numbers in SGR that switch it on and off (ECMA-48, 8.3.117).
const ATTRIBUTES: [(Modifier, u8, u8); 9] = [
    (Modifier::BOLD, 1, 22),
    (Modifier::DIM, 2, 22),
    (Modifier::ITALIC, 3, 23),
    (Modifier::UNDERLINED, 4, 24),
    (Modifier::SLOW_BLINK, 5, 25),
    (Modifier::RAPID_BLINK, 6, 25),
    (Modifier::REVERSED, 7, 27),
    (Modifier::HIDDEN, 8, 28),
    (Modifier::CROSSED_OUT, 9, 29),
];

/// Writes cells to `out`. The cursor is hidden by whoever takes the terminal, and stays so.
#[derive(Debug)]
pub(super) struct Frames<W> {
    out: W,
    /// How large the terminal is.
    size: fn() -> io::Result<Size>,
    /// One frame, before it is written.
    text: String,
}

/// How cells are drawn from here on.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Pen {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

/// What the terminal has before and after each frame.
const PLAIN: Pen = Pen { fg: Color::Reset, bg: Color::Reset, modifier: Modifier::empty() };

impl<W: Write> Frames<W> {
    pub const fn new(out: W, size: fn() -> io::Result<Size>) -> Self {
        Self { out, size, text: String::new() }
    }
}

impl<W: Write> Write for Frames<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl<W: Write> Backend for Frames<W> {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        self.text.clear();
        let mut pen = PLAIN;
        let mut at = None;
        for (x, y, cell) in content {
            go(&mut self.text, at, (x, y));
            let next = Pen { fg: cell.fg, bg: cell.bg, modifier: cell.modifier };
            if next != pen {
                switch(&mut self.text, pen, next);
                pen = next;
            }
            self.text.push_str(cell.symbol());
            // Terminals do not agree how wide other characters are: from behind one the next column is named by its number.
            let sure = cell.symbol().len() == 1 && at.is_none_or(|(_, row, sure)| row != y || sure);
            at = Some((x + 1, y, sure));
        }
        if pen != PLAIN {
            self.text.push_str("\x1b[m");
        }
        self.out.write_all(self.text.as_bytes())
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        // The terminal is never asked: its answer would come as keys.
        Ok(Position::ORIGIN)
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, _position: P) -> io::Result<()> {
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.out.write_all(b"\x1b[2J")
    }

    fn clear_region(&mut self, _region: ClearType) -> io::Result<()> {
        self.clear()
    }

    fn size(&self) -> io::Result<Size> {
        (self.size)()
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        let size = window_size()?;
        Ok(WindowSize {
            columns_rows: Size::new(size.columns, size.rows),
            pixels: Size::new(size.width, size.height),
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// The way from where the cursor is to `(x, y)`. `at` is the place and whether that is where every terminal has it.
fn go(text: &mut String, at: Option<(u16, u16, bool)>, (x, y): (u16, u16)) {
    let _ = match at {
        Some((column, row, _)) if (column, row) == (x, y) => Ok(()),
        Some((column, row, true)) if row == y && column < x => match x - column {
            1 => text.write_str("\x1b[C"),
            further => write!(text, "\x1b[{further}C"),
        },
        Some((_, row, false)) if row == y => write!(text, "\x1b[{}G", x + 1),
        _ => write!(text, "\x1b[{};{}H", y + 1, x + 1),
    };
}

/// Only what is another one.
fn switch(text: &mut String, from: Pen, to: Pen) {
    text.push_str("\x1b[");
    let mut first = true;
    let mut apart = |text: &mut String| {
        if !std::mem::take(&mut first) {
            text.push(';');
        }
    };
    // Some go together: what stays of those is switched on anew.
    let mut on = from.modifier;
    for (one, _, off) in ATTRIBUTES {
        if (on - to.modifier).contains(one) {
            apart(text);
            let _ = write!(text, "{off}");
            for (gone, ..) in ATTRIBUTES.iter().filter(|(.., number)| *number == off) {
                on.remove(*gone);
            }
        }
    }
    for (_, number, _) in ATTRIBUTES.iter().filter(|(one, ..)| (to.modifier - on).contains(*one)) {
        apart(text);
        let _ = write!(text, "{number}");
    }
    for (was, is, ground) in [(from.fg, to.fg, 30), (from.bg, to.bg, 40)] {
        if was != is {
            apart(text);
            colour(text, ground, is);
        }
    }
    text.push('m');
}

/// The colour as parameters of SGR: `ground` is 30 for text and 40 for what is behind it. The sixteen are named by their numbers, too: as 31
/// some terminals would make them brighter where they are bold.
fn colour(text: &mut String, ground: u8, colour: Color) {
    let number = match colour {
        Color::Reset => {
            let _ = write!(text, "{}", ground + 9);
            return;
        }
        Color::Rgb(red, green, blue) => {
            let _ = write!(text, "{};2;{red};{green};{blue}", ground + 8);
            return;
        }
        Color::Indexed(number) => number,
        Color::Black => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 8,
        Color::LightRed => 9,
        Color::LightGreen => 10,
        Color::LightYellow => 11,
        Color::LightBlue => 12,
        Color::LightMagenta => 13,
        Color::LightCyan => 14,
        Color::White => 15,
    };
    let _ = write!(text, "{};5;{number}", ground + 8);
}

#[cfg(test)]
mod tests;
