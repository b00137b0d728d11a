//! Whether the terminal's background is light: the terminal is asked when the first frame stands, and its answer is found among the keys.

use super::terminal;
use std::sync::atomic::{AtomicBool, Ordering};

/// The colour of the background (OSC 11).
const QUESTION: &[u8] = b"\x1b]11;?\x1b\\";
/// An answer is not longer.
const LONGEST: usize = 64;
/// Where black and white are equally far away (WCAG).
const MIDDLE: f64 = 0.179;

/// The question is asked, and nothing of an answer was seen.
static OPEN: AtomicBool = AtomicBool::new(false);

/// Asks the terminal, and waits for nothing. A terminal that takes no output is not asked.
pub(super) fn ask() {
    OPEN.store(terminal::send(QUESTION).is_ok(), Ordering::SeqCst);
}

/// Whether the colour that `answer` names ("11;rgb:ffff/ffff/ffff") is light.
fn light(answer: &str) -> Option<bool> {
    let (_, values) = answer.strip_prefix("11;rgb")?.split_once(':')?;
    let channels: Vec<f64> = values.split('/').map_while(channel).collect();
    let [red, green, blue, ..] = channels[..] else { return None };
    Some(0.2126 * red + 0.7152 * green + 0.0722 * blue > MIDDLE)
}

/// How much light a channel of one to four hexadecimal digits gives.
fn channel(digits: &str) -> Option<f64> {
    let most = match digits.len() {
        1 => 0xf,
        2 => 0xff,
        3 => 0xfff,
        4 => u16::MAX,
        _ => return None,
    };
    let share = f64::from(u16::from_str_radix(digits, 16).ok()?) / f64::from(most);
    Some(if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) })
}

/// Whether the terminal's own variable (`COLORFGBG`, "15;0") tells of a light background.
#[must_use]
pub fn told_by(variable: &str) -> Option<bool> {
    match variable.rsplit(';').next()?.parse().ok()? {
        0..=6 | 8 => Some(false),
        7 | 9..=15 => Some(true),
        16_u8.. => None,
    }
}

/// What a sign that came as a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// A key.
    Key,
    /// A part of the terminal's answer.
    Part,
    /// The end of the answer: whether the background is light.
    Told(bool),
}

/// Finds the answer among the keys: it reads as Alt-], then its signs, then what ends it.
#[derive(Debug, Default)]
pub struct Answer {
    /// Its signs so far.
    seen: Option<String>,
}

impl Answer {
    /// What this sign (with Alt or Ctrl) is. Only one answer is looked for.
    pub fn hear(&mut self, sign: char, alt: bool, ctrl: bool) -> Sign {
        self.hear_of(&OPEN, sign, (alt, ctrl))
    }

    fn hear_of(&mut self, open: &AtomicBool, sign: char, (alt, ctrl): (bool, bool)) -> Sign {
        let Some(seen) = &mut self.seen else {
            if alt && sign == ']' && open.swap(false, Ordering::SeqCst) {
                self.seen = Some(String::new());
                return Sign::Part;
            }
            return Sign::Key;
        };
        if (alt && sign == '\\') || (ctrl && sign == 'g') {
            let told = light(seen);
            self.seen = None;
            return told.map_or(Sign::Part, Sign::Told);
        }
        if !alt && !ctrl && seen.len() < LONGEST && "0123456789abcdefABCDEF;:/rg".contains(sign) {
            seen.push(sign);
            return Sign::Part;
        }
        self.seen = None;
        Sign::Key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn answered(answer: &str, expected: Option<bool>) {
        assert_eq!(light(answer), expected, "{answer}");
    }

    #[test]
    fn the_answer_of_a_terminal_is_understood() {
        answered("11;rgb:ffff/ffff/ffff", Some(true));
        answered("11;rgb:fdfd/f6f6/e3e3", Some(true));
        answered("11;rgb:0000/2b2b/3636", Some(false));
        answered("11;rgb:2e/34/36", Some(false));
        answered("11;rgba:ff/ff/ff/80", Some(true));
        answered("11;rgb:f/f/f", Some(true));
        answered("", None);
        answered("10;rgb:f/f/f", None);
        answered("11;rgb:ffff/ff", None);
        answered("11;rgb:fffff/ff/ff", None);
        answered("11;rgb://", None);
    }

    #[test]
    fn the_variable_of_a_terminal_is_understood() {
        for (variable, expected) in [
            ("15;0", Some(false)),
            ("0;15", Some(true)),
            ("0;default;7", Some(true)),
            ("12;8", Some(false)),
            ("0;default", None),
            ("", None),
            ("1;230", None),
        ] {
            assert_eq!(told_by(variable), expected, "{variable}");
        }
    }

    /// What is left of `typed` as keys, and what was told: `^` stands for Alt, `_` for Ctrl with the sign behind it.
    #[track_caller]
    fn keys(open: bool, typed: &str, expected: &str, told: Option<bool>) {
        let open = AtomicBool::new(open);
        let mut answer = Answer::default();
        let (mut alt, mut ctrl, mut left, mut heard) = (false, false, String::new(), None);
        for sign in typed.chars() {
            match sign {
                '^' => alt = true,
                '_' => ctrl = true,
                sign => {
                    match answer.hear_of(&open, sign, (alt, ctrl)) {
                        Sign::Key => left.push(sign),
                        Sign::Part => {}
                        Sign::Told(light) => heard = Some(light),
                    }
                    (alt, ctrl) = (false, false);
                }
            }
        }
        assert_eq!((left.as_str(), heard), (expected, told), "{typed}");
    }

    #[test]
    fn an_answer_is_no_key() {
        keys(true, "j^]11;rgb:1e1e/1e1e/1e1e^\\q", "jq", Some(false));
        keys(true, "^]11;rgb:ffff/ffff/ffff_gq", "q", Some(true));
        // Only one is looked for, and none that was not asked for.
        keys(true, "^]11^\\^]11", "]11", None);
        keys(false, "^]1r", "]1r", None);
        // Somebody typed the beginning of it.
        keys(true, "^]q1", "q1", None);
    }
}
