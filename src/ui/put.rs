//! Writes one line of text into a buffer.

use super::text::is_printable;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// Writes `text` at the left of `area`; what does not fit is cut off.
pub fn put(buffer: &mut Buffer, area: Rect, text: &str, style: Style) {
    if area.is_empty() {
        return;
    }
    if !is_printable(text) {
        buffer.set_stringn(area.x, area.y, text, usize::from(area.width), style);
        return;
    }
    // The same without a search for signs of several characters, which takes longer than all the rest.
    let last = area.right().min(buffer.area.right());
    let mut sign = [0; 4];
    for (x, byte) in (area.x..last).zip(text.bytes()) {
        buffer[(x, area.y)].set_symbol(char::from(byte).encode_utf8(&mut sign)).set_style(style);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use ratatui::style::{Color, Modifier};

    proptest! {
        /// Whatever stands there and wherever it goes, as the slow way writes it.
        #[test]
        fn what_is_short_to_write_is_written_the_same(text in "[ -~é日]{0,30}", x in 0u16..12, columns in 0u16..30, bold: bool) {
            let mut quick = Buffer::filled(Rect::new(0, 0, 20, 2), ratatui::buffer::Cell::new("#"));
            let mut slow = quick.clone();
            let style = Style::new().fg(Color::Red);
            let style = if bold { style.add_modifier(Modifier::BOLD) } else { style };
            put(&mut quick, Rect::new(x, 1, columns, 1), &text, style);
            slow.set_stringn(x, 1, &text, usize::from(columns), style);
            prop_assert_eq!(quick, slow);
        }
    }
}
