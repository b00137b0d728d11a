//! Text that is not ours, made tame: the one place that says what a terminal, a log or a file may be given of it.

use std::borrow::Cow;
use std::fmt::Display;
use std::time::Duration;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Marks that may stand on one letter. No script needs more; a pile of them is drawn over the lines above and below.
const MARKS: usize = 4;

/// Whether a terminal neither acts on `c` nor hides or reorders others because of it.
#[must_use]
pub fn is_tame(c: char) -> bool {
    !c.is_control() && !is_unseen(c)
}

/// Characters that reorder or hide text, or carry some that nobody sees: bidi controls, joiners, fillers, variation selectors, tags.
const fn is_unseen(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{13430}'..='\u{1345f}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// The tame characters of one line; marks are capped, and none stands on what is not part of this text.
fn tame(line: &str) -> impl Iterator<Item = char> {
    let mut marks = MARKS;
    line.chars().filter(|c| is_tame(*c)).filter(move |c| {
        marks = if c.width() == Some(0) { marks + 1 } else { 0 };
        marks <= MARKS
    })
}

/// `text` on one line without anything that a terminal could act on: blanks are folded, the rest of what is not tame vanishes.
#[must_use]
pub fn clean(text: &str) -> String {
    // Nearly every text is so already: names, numbers, words of our own.
    if is_plain(text) {
        return text.to_owned();
    }
    let words = text.split(['\n', '\t', '\r', ' ']);
    let words = words.map(|word| tame(word).collect::<String>()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

/// Printable ASCII with single blanks inside: nothing is to be cleaned.
fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    let blank = |byte: Option<&u8>| byte == Some(&b' ');
    is_printable(text)
        && !blank(bytes.first())
        && !blank(bytes.last())
        && !bytes.windows(2).any(|pair| pair == b"  ")
}

/// The same, but keeps line breaks and indentation: for full texts.
#[must_use]
pub fn clean_lines(text: &str) -> Vec<String> {
    text.lines().map(|line| tame(&line.replace('\t', "    ")).collect()).collect()
}

/// JSON whose strings hold nothing that a terminal could act on when somebody looks at the file: escaped, so that it means the same.
#[must_use]
pub fn tame_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if is_tame(c) {
            out.push(c);
        } else {
            let mut units = [0; 2];
            out.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    out
}

/// `text` on one line, tame, cut to `most` columns (with `…` where something was cut).
#[must_use]
pub fn tidy(text: &str, most: usize) -> String {
    cut(&clean(text), most).into_owned()
}

/// Display columns of `text`.
#[must_use]
pub fn columns(text: &str) -> usize {
    if is_printable(text) { text.len() } else { text.width() }
}

/// Printable ASCII, as nearly all that is drawn: a column for each byte, and each byte a sign of its own.
#[must_use]
pub fn is_printable(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// `text` cut to at most `width` columns, with `…` where something was cut.
#[must_use]
pub fn cut(text: &str, width: usize) -> Cow<'_, str> {
    if columns(text) <= width {
        return Cow::Borrowed(text);
    }
    let Some(room) = width.checked_sub(1) else { return Cow::Borrowed("") };
    let mut used = 0;
    let over = text.grapheme_indices(true).find(|(_, grapheme)| {
        used += grapheme.width();
        used > room
    });
    Cow::Owned(format!("{}…", &text[..over.map_or(text.len(), |(at, _)| at)]))
}

/// The end of `text` in at most `width` columns, with `…` where something was cut before it: of paths whose beginnings are alike.
#[must_use]
pub fn cut_front(text: &str, width: usize) -> Cow<'_, str> {
    if columns(text) <= width {
        return Cow::Borrowed(text);
    }
    let Some(room) = width.checked_sub(1) else { return Cow::Borrowed("") };
    let (mut used, mut from) = (0, text.len());
    for (at, grapheme) in text.grapheme_indices(true).rev() {
        used += grapheme.width();
        if used > room {
            break;
        }
        from = at;
    }
    Cow::Owned(format!("…{}", &text[from..]))
}

/// A duration in at most seven columns: `850 ms`, `4.2 s`, `5m44s`, `3h07m`, `12d4h`.
#[must_use]
pub fn duration(value: Duration) -> String {
    let seconds = value.as_secs();
    match seconds {
        0 if value.as_micros() == 0 => "0 s".to_owned(),
        0 if value.as_millis() == 0 => format!("{} µs", value.as_micros()),
        0 => format!("{} ms", value.as_millis()),
        1..=9 => format!("{:.1} s", (value.as_millis() / 100) as f64 / 10.0),
        10..=59 => format!("{seconds} s"),
        60..=3599 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        3600..=86_399 => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{}d{}h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

/// A duration as people write it: a number with `ms`, `s`, `m` (or `min`), `h` or `d`.
#[must_use]
pub fn span(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit() && c != '.')?);
    let number: f64 = number.parse().ok()?;
    let scale = match unit.trim() {
        "ms" => 0.001,
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number * scale).ok()
}

/// A duration in whole seconds, for sentences and ages: a number that changes with every frame says nothing and costs bytes.
#[must_use]
pub fn lasting(value: Duration) -> String {
    match value.as_secs() {
        seconds @ 0..=59 => format!("{seconds} s"),
        _ => duration(value),
    }
}

/// How long ago something was, for lines that should not change all the time: `just now`, `59 min ago`, `24 h ago`, `9 days ago`.
#[must_use]
pub fn ago(value: Duration) -> String {
    match value.as_secs() {
        0..60 => "just now".to_owned(),
        seconds @ 60..3600 => format!("{} min ago", seconds / 60),
        seconds @ 3600..172_800 => format!("{} h ago", seconds / 3600),
        seconds => format!("{} days ago", seconds / 86_400),
    }
}

/// So many of a thing, however the number is written: `1 session`, `9 sessions`, `3.2k jobs`, `— jobs`.
#[must_use]
pub fn counted(number: impl Display, noun: &str) -> String {
    let number = number.to_string();
    let end = if number == "1" { "" } else { "s" };
    format!("{number} {noun}{end}")
}

/// Bytes with binary units: `512 B`, `4.0 KiB`, `1.2 GiB`.
#[must_use]
pub fn sized(bytes: f64) -> String {
    scaled(bytes, 1024.0, &["B", "KiB", "MiB", "GiB", "TiB", "PiB"])
}

/// A number with the unit in which it is short; each unit is `step` of the one before.
#[must_use]
pub fn scaled(value: f64, step: f64, units: &[&str]) -> String {
    let mut scaled = value;
    let mut unit = 0;
    while scaled.abs() >= step - 0.5 && unit + 1 < units.len() {
        scaled /= step;
        unit += 1;
    }
    let name = units.get(unit).copied().unwrap_or_default();
    if unit == 0 || scaled.abs() >= 9.95 {
        format!("{scaled:.0} {name}").trim_end().to_owned()
    } else {
        format!("{scaled:.1} {name}").trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_is_no_many() {
        assert_eq!(
            [counted(1, "job"), counted(0, "job"), counted("—", "job")],
            ["1 job", "0 jobs", "— jobs"]
        );
    }

    #[test]
    fn nothing_that_a_terminal_acts_on_passes() {
        for (text, expected) in [
            ("a\u{1b}[31mred\u{7}\n\tb", "a[31mred b"),
            ("\u{1b}]52;c;ZXZpbA==\u{7}x", "]52;c;ZXZpbA==x"),
            ("\u{9b}2Jx\u{9d}0;t\u{9c}", "2Jx0;t"),
            ("\u{202e}evil\u{200b}\u{2066}\u{61c}", "evil"),
            ("a\u{e0041}\u{fe0f}\u{3164}\u{ad}b", "ab"),
            ("  two   words  ", "two words"),
            ("\u{7f}", ""),
        ] {
            assert_eq!(clean(text), expected);
        }
        assert_eq!(clean_lines("a\tb\r\n  \u{1b}c"), ["a    b", "  c"]);
    }

    #[test]
    fn marks_are_capped_and_never_stand_on_what_is_not_theirs() {
        let pile = "\u{301}".repeat(50);
        assert_eq!(clean(&format!("z{pile}a")), format!("z{}a", "\u{301}".repeat(MARKS)));
        assert_eq!(clean(&pile), "");
        assert_eq!(clean("nố cạn กี่"), "nố cạn กี่");
    }

    #[test]
    fn json_means_the_same_and_is_tame() {
        let text = serde_json::json!({"a": "\u{9b}1\u{202e}\u{e0041}\u{1b}é"}).to_string();
        let tame = tame_json(&text);
        assert!(tame.chars().all(is_tame), "{tame}");
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
        assert_eq!(read(&tame), read(&text));
    }

    #[test]
    fn what_is_written_is_read_again() {
        for (text, millis) in
            [("500ms", 500), ("1.5s", 1500), ("2min", 120_000), ("2h", 7_200_000), ("1d", 86_400_000)]
        {
            assert_eq!(span(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "5", "s", "-5s", "5 x", "9e99h", "1.2.3s"] {
            assert_eq!(span(text), None, "{text}");
        }
    }

    #[test]
    fn server_text_is_tame() {
        assert_eq!(tidy("a\u{1b}[2J\n  b", 20), "a[2J b");
        assert_eq!(tidy("abcdef", 4), "abc…");
        assert_eq!(counted(1, "session"), "1 session");
        assert_eq!(counted(9, "session"), "9 sessions");
        assert_eq!(sized(1_572_864.0), "1.5 MiB");
        assert_eq!(tidy("日本語テキスト", 7), "日本語…");
    }
}
