//! Text from servers is untrusted: control bytes are stripped and it is cut by display width, never interpreted.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// `text` on one line without anything that a terminal could act on: control and format characters become spaces or vanish.
#[must_use]
pub fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut space = false;
    for c in text.chars() {
        if c == '\n' || c == '\t' || c == '\r' || c == ' ' {
            space = !out.is_empty();
        } else if !(c.is_control() || is_format(c)) {
            if space {
                out.push(' ');
                space = false;
            }
            out.push(c);
        }
    }
    out
}

/// The same, but keeps line breaks and indentation: for full texts in a detail view.
#[must_use]
pub fn clean_lines(text: &str) -> Vec<String> {
    text.lines()
        .map(|line| {
            line.replace('\t', "    ").chars().filter(|c| !(c.is_control() || is_format(*c))).collect()
        })
        .collect()
}

/// Invisible characters that reorder or hide text.
const fn is_format(c: char) -> bool {
    matches!(c,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// `text` cut to at most `width` columns, with `…` where something was cut.
#[must_use]
pub fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    if width == 0 {
        return String::new();
    }
    let mut out = String::new();
    let mut used = 0;
    for grapheme in text.graphemes(true) {
        let columns = grapheme.width();
        if used + columns > width - 1 {
            break;
        }
        out.push_str(grapheme);
        used += columns;
    }
    out.push('…');
    out
}

/// Display columns of `text`.
#[must_use]
pub fn width(text: &str) -> usize {
    text.width()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_bytes_never_pass() {
        assert_eq!(clean("a\u{1b}[31mred\u{7}\n\tb"), "a[31mred b");
        assert_eq!(clean("\u{202e}evil\u{200b}"), "evil");
        assert_eq!(clean("  two   words  "), "two words");
    }

    #[test]
    fn cuts_by_display_width() {
        assert_eq!(cut("日本語テキスト", 7), "日本語…");
        assert_eq!(cut("short", 5), "short");
        assert_eq!(cut("longer", 5), "long…");
        assert_eq!(cut("x", 0), "");
    }
}
