//! What a terminal is told that is not drawn: its bell, and notifications of the desktop by the sequences that terminals have for them.

use crate::core::notify::Desktop;
use crate::core::text::tidy;

/// Rings the bell.
pub(super) const BELL: &[u8] = b"\x07";

/// A notification is cut to so many columns.
const COLUMNS: usize = 200;

/// The sequence that shows `text` as a notification of the desktop; inside tmux it is handed through to the terminal outside.
pub(super) fn shown(how: Desktop, text: &str) -> Vec<u8> {
    sequence(how, text, std::env::var_os("TMUX").is_some())
}

fn sequence(how: Desktop, text: &str, tmux: bool) -> Vec<u8> {
    // A semicolon parts the fields.
    let text = tidy(text, COLUMNS).replace(';', ",");
    let begin = match how {
        Desktop::Off => return Vec::new(),
        Desktop::Osc9 => "9;stacktop: ",
        Desktop::Osc777 => "777;notify;stacktop;",
    };
    // The end is not a bell: that would be one.
    let plain = format!("\x1b]{begin}{text}\x1b\\");
    let whole = if tmux { format!("\x1bPtmux;{}\x1b\\", plain.replace('\x1b', "\x1b\x1b")) } else { plain };
    whole.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(how: Desktop, text: &str, tmux: bool, expected: &str) {
        assert_eq!(String::from_utf8(sequence(how, text, tmux)).expect("text"), expected);
    }

    #[test]
    fn each_terminal_has_its_sequence_and_no_text_ends_it() {
        check(Desktop::Off, "x", false, "");
        check(Desktop::Osc9, "pg is down", false, "\x1b]9;stacktop: pg is down\x1b\\");
        check(Desktop::Osc777, "a; b", false, "\x1b]777;notify;stacktop;a, b\x1b\\");
        check(Desktop::Osc9, "a\x07\x1b\\b\u{9c}\nc", false, "\x1b]9;stacktop: a\\b c\x1b\\");
        check(Desktop::Osc9, "x", true, "\x1bPtmux;\x1b\x1b]9;stacktop: x\x1b\x1b\\\x1b\\");
    }
}
