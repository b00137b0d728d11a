//! Text from servers is untrusted: control bytes are stripped and it is cut by display width, never interpreted.

pub use crate::core::text::{clean, clean_lines, columns as width, cut, cut_front, is_printable};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// `text` in two: what has room in `columns` (at least one sign, so that whoever splits comes to an end), and the rest.
#[must_use]
pub fn split(text: &str, columns: usize) -> (&str, &str) {
    if text.len() <= columns && is_printable(text) {
        return (text, "");
    }
    let mut used = 0;
    for (at, grapheme) in text.grapheme_indices(true) {
        used += grapheme.width();
        if used > columns && at > 0 {
            return text.split_at(at);
        }
    }
    (text, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_by_display_width() {
        assert_eq!(cut("日本語テキスト", 7), "日本語…");
        assert_eq!(cut("short", 5), "short");
        assert_eq!(cut("longer", 5), "long…");
        assert_eq!(cut("x", 0), "");
        assert_eq!(cut_front("日本語テキスト", 7), "…キスト");
        assert_eq!(cut_front("日本語テキスト", 8), "…キスト");
        assert_eq!(cut_front("short", 5), "short");
        assert_eq!(cut_front("/a/long/way/p95", 8), "…way/p95");
        assert_eq!((cut_front("xy", 1), cut_front("x", 0)), ("…".into(), "".into()));
    }
}
