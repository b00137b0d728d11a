//! Whether the terminal's background is light: the terminal is asked, once, before anything is drawn, and not waited for long.

use super::terminal;
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, isatty, tcgetattr, tcsetattr};
use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// So long the answer may take. What comes later is not taken for keys (see [`Late`]).
const PATIENCE: Duration = Duration::from_millis(100);
/// The colour of the background (OSC 11), and what the terminal is: that is answered by every terminal, and after the colour.
const QUESTION: &[u8] = b"\x1b]11;?\x1b\\\x1b[c";
/// An answer is not longer.
const LONGEST: usize = 64;
/// Where black and white are equally far away (WCAG).
const MIDDLE: f64 = 0.179;

/// The question was not answered in time: the answer may still come.
static OPEN: AtomicBool = AtomicBool::new(false);

/// Asks the terminal; nothing when there is none, or when it does not say.
#[must_use]
pub fn is_light() -> Option<bool> {
    let input = rustix::stdio::stdin();
    if !isatty(input) || !std::io::stdout().is_terminal() {
        return None;
    }
    let before = tcgetattr(input).ok()?;
    // No echo, no line: what comes is read at once, or within a tenth of a second not at all.
    let mut quiet: Termios = before.clone();
    quiet.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON);
    quiet.special_codes[SpecialCodeIndex::VMIN] = 0;
    quiet.special_codes[SpecialCodeIndex::VTIME] = 1;
    tcsetattr(input, OptionalActions::Now, &quiet).ok()?;
    let answer = ask();
    let _ = tcsetattr(input, OptionalActions::Now, &before);
    light(&answer)
}

fn ask() -> Vec<u8> {
    let mut answer = Vec::new();
    if terminal::send(QUESTION).is_err() {
        return answer;
    }
    let began = Instant::now();
    let mut piece = [0; LONGEST];
    while !is_whole(&answer) {
        match rustix::io::read(rustix::stdio::stdin(), &mut piece) {
            Ok(count @ 1..) if began.elapsed() < PATIENCE && answer.len() < 4 * LONGEST => {
                answer.extend_from_slice(&piece[..count]);
            }
            _ => {
                OPEN.store(true, Ordering::SeqCst);
                break;
            }
        }
    }
    answer
}

/// Whether the terminal has also said what it is: no colour comes behind that.
fn is_whole(answer: &[u8]) -> bool {
    let begins = answer.windows(3).position(|three| three == b"\x1b[?");
    begins.is_some_and(|at| answer[at..].contains(&b'c'))
}

/// Whether the colour in `answer` is light.
fn light(answer: &[u8]) -> Option<bool> {
    let text = String::from_utf8_lossy(answer);
    let (_, behind) = text.split_once("]11;rgb")?;
    let (_, values) = behind.split_once(':')?;
    let end = values.find(|sign: char| !sign.is_ascii_hexdigit() && sign != '/').unwrap_or(values.len());
    let channels: Vec<f64> = values[..end].split('/').map_while(channel).collect();
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

/// Takes an answer that came too late out of the keys: it reads as Alt-], then its signs, then what ends it.
#[derive(Debug, Default)]
pub struct Late {
    /// How many of its signs were seen.
    seen: Option<usize>,
}

impl Late {
    /// Whether this sign (with Alt or Ctrl) is a part of a late answer and no key. Only one answer is waited for.
    pub fn takes(&mut self, sign: char, alt: bool, ctrl: bool) -> bool {
        self.takes_of(&OPEN, sign, (alt, ctrl))
    }

    fn takes_of(&mut self, open: &AtomicBool, sign: char, (alt, ctrl): (bool, bool)) -> bool {
        match self.seen {
            None => {
                let begins = alt && sign == ']' && open.swap(false, Ordering::SeqCst);
                self.seen = begins.then_some(0);
                begins
            }
            Some(count) => {
                let ends = (alt && sign == '\\') || (ctrl && sign == 'g');
                let inside = !alt && !ctrl && count < LONGEST && "0123456789abcdefABCDEF;:/rg".contains(sign);
                self.seen = inside.then_some(count + 1);
                ends || inside
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn answered(answer: &str, expected: Option<bool>) {
        assert_eq!(light(answer.as_bytes()), expected);
    }

    #[test]
    fn the_answer_of_a_terminal_is_understood() {
        answered("\x1b]11;rgb:ffff/ffff/ffff\x1b\\\x1b[?62;c", Some(true));
        answered("\x1b]11;rgb:fdfd/f6f6/e3e3\x07", Some(true));
        answered("\x1b]11;rgb:0000/2b2b/3636\x07", Some(false));
        answered("\x1b]11;rgb:2e/34/36\x1b\\", Some(false));
        answered("\x1b]11;rgba:ff/ff/ff/80\x1b\\", Some(true));
        answered("jj\x1b]11;rgb:f/f/f\x1b\\", Some(true));
        answered("\x1b[?62;c", None);
        answered("\x1b]11;rgb:ffff/ff\x1b\\", None);
        answered("\x1b]11;rgb:fffff/ff/ff\x1b\\", None);
        answered("\x1b]11;rgb://\x1b\\", None);
        assert!(is_whole(b"\x1b]11;rgb:ffff/ffff/cccc\x1b\\\x1b[?62;22c"));
        assert!(!is_whole(b"\x1b]11;rgb:ffff/ffff/cccc\x1b\\\x1b[?62;22"));
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

    /// What is left of `typed` as keys: `^` stands for Alt, `_` for Ctrl with the sign behind it.
    #[track_caller]
    fn keys(open: bool, typed: &str, expected: &str) {
        let open = AtomicBool::new(open);
        let mut late = Late::default();
        let (mut alt, mut ctrl, mut left) = (false, false, String::new());
        for sign in typed.chars() {
            match sign {
                '^' => alt = true,
                '_' => ctrl = true,
                sign => {
                    if !late.takes_of(&open, sign, (alt, ctrl)) {
                        left.push(sign);
                    }
                    (alt, ctrl) = (false, false);
                }
            }
        }
        assert_eq!(left, expected);
    }

    #[test]
    fn an_answer_that_is_late_is_no_key() {
        keys(true, "j^]11;rgb:1e1e/1e1e/1e1e^\\q", "jq");
        keys(true, "^]11;rgb:ffff/ffff/ffff_gq", "q");
        // Only one is waited for, and none when it came in time.
        keys(true, "^]11^\\^]11", "]11");
        keys(false, "^]1r", "]1r");
        // Somebody typed the beginning of it.
        keys(true, "^]q1", "q1");
    }
}
