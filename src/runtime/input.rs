//! From terminal events to keys and text. Only key presses count (not releases); pasted text is never keys.

use super::background::{Answer, Sign};
use crate::app::key::{Code, Key};
use crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers, MouseButton, MouseEventKind};
use rustix::process::{Signal, getpid, kill_process};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{io, thread};
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Events that may wait for the loop; it takes each at once.
const QUEUE: usize = 256;

/// What came from the terminal.
#[derive(Clone, Debug)]
pub enum Heard {
    /// Something was pressed, pasted, or changed.
    Event(Event),
    /// The terminal has said what its background is.
    Background {
        /// Whether it is light.
        light: bool,
    },
}

/// Reads the terminal's events on a thread of their own, until there are no more.
///
/// Not as a stream on the loop: crossterm spins inside the poll of a terminal that is gone, and the loop would never see the signal.
///
/// # Errors
/// When the thread cannot be started.
pub fn start() -> io::Result<mpsc::Receiver<Heard>> {
    let (sender, receiver) = mpsc::channel(QUEUE);
    thread::Builder::new().name("input".to_owned()).spawn(move || {
        let mut answer = Answer::default();
        loop {
            if QUIET.load(Ordering::SeqCst) {
                IDLE.store(true, Ordering::SeqCst);
                thread::sleep(LOOK);
                continue;
            }
            IDLE.store(false, Ordering::SeqCst);
            let Ok(event) = event::read() else { return };
            let heard = match sign(&mut answer, &event) {
                Sign::Key => Heard::Event(event),
                Sign::Part => continue,
                Sign::Told(light) => Heard::Background { light },
            };
            if sender.blocking_send(heard).is_err() {
                return;
            }
        }
    })?;
    Ok(receiver)
}

/// What `event` is of what the terminal answers.
fn sign(answer: &mut Answer, event: &Event) -> Sign {
    let Event::Key(key) = event else { return Sign::Key };
    let KeyCode::Char(sign) = key.code else { return Sign::Key };
    let with = |modifier| key.modifiers.contains(modifier);
    answer.hear(sign, with(KeyModifiers::ALT), with(KeyModifiers::CONTROL))
}

/// The terminal is another program's: no key is read.
static QUIET: AtomicBool = AtomicBool::new(false);
/// The thread has seen that.
static IDLE: AtomicBool = AtomicBool::new(false);
/// Between two looks whether it may go on.
const LOOK: Duration = Duration::from_millis(20);

/// While this is kept, no key is read.
pub struct Quiet;

impl Quiet {
    /// Begins when the thread has let go of the terminal, or after `most`.
    pub async fn keep(most: Duration) -> Self {
        QUIET.store(true, Ordering::SeqCst);
        // It waits for an event without an end, for each look at a terminal costs: a change of the size that is none wakes it.
        let _ = kill_process(getpid(), Signal::WINCH);
        let began = Instant::now();
        while !IDLE.load(Ordering::SeqCst) && began.elapsed() < most {
            tokio::time::sleep(LOOK).await;
        }
        Self
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        QUIET.store(false, Ordering::SeqCst);
    }
}

/// What an event of the terminal means.
#[derive(Clone, Debug)]
pub enum Input {
    /// A key was pressed.
    Key(Key),
    /// Text was pasted.
    Paste(String),
    /// The mouse was pressed at this column and row.
    Click(u16, u16),
    /// The size changed.
    Resize,
    /// Nothing that concerns us.
    Nothing,
}

/// Translates one event.
#[must_use]
pub fn translate(event: Event) -> Input {
    match event {
        Event::Resize(..) => Input::Resize,
        Event::Paste(text) => Input::Paste(text),
        Event::Key(key) if key.kind != KeyEventKind::Release => {
            // Alt is no modifier of ours: a terminal sends Esc and a letter typed quickly as Alt with that letter.
            let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
            code(key.code).map_or(Input::Nothing, |code| Input::Key(Key { code, ctrl }.as_sent()))
        }
        Event::Mouse(mouse) => match mouse.kind {
            MouseEventKind::Down(MouseButton::Left) => Input::Click(mouse.column, mouse.row),
            // The wheel is as good as the arrows, wherever these go.
            MouseEventKind::ScrollUp => Input::Key(Key { code: Code::Up, ctrl: false }),
            MouseEventKind::ScrollDown => Input::Key(Key { code: Code::Down, ctrl: false }),
            _ => Input::Nothing,
        },
        Event::Key(_) | Event::FocusGained | Event::FocusLost => Input::Nothing,
    }
}

const fn code(code: KeyCode) -> Option<Code> {
    Some(match code {
        KeyCode::Char(c) => Code::Char(c),
        KeyCode::Enter => Code::Enter,
        KeyCode::Esc => Code::Esc,
        KeyCode::Backspace => Code::Backspace,
        KeyCode::Delete => Code::Delete,
        KeyCode::Tab => Code::Tab,
        KeyCode::BackTab => Code::BackTab,
        KeyCode::Up => Code::Up,
        KeyCode::Down => Code::Down,
        KeyCode::Left => Code::Left,
        KeyCode::Right => Code::Right,
        KeyCode::Home => Code::Home,
        KeyCode::End => Code::End,
        KeyCode::PageUp => Code::PageUp,
        KeyCode::PageDown => Code::PageDown,
        KeyCode::F(n) => Code::F(n),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossterm::event::{KeyEvent, MouseEvent, MouseEventKind};

    fn press(code: KeyCode, modifiers: KeyModifiers) -> Event {
        Event::Key(KeyEvent::new(code, modifiers))
    }

    fn of_kind(kind: KeyEventKind) -> Event {
        Event::Key(KeyEvent::new_with_kind(KeyCode::Char('x'), KeyModifiers::NONE, kind))
    }

    /// The key that an event is, by its name.
    #[track_caller]
    fn check(event: Event, expected: &str) {
        match translate(event) {
            Input::Key(key) => assert_eq!(key.to_string(), expected),
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn plain(code: KeyCode, expected: &str) {
        check(press(code, KeyModifiers::NONE), expected);
    }

    #[track_caller]
    fn nothing(event: Event) {
        assert!(matches!(translate(event), Input::Nothing));
    }

    #[test]
    fn characters_are_keys() {
        plain(KeyCode::Char('x'), "x");
        plain(KeyCode::Char('ß'), "ß");
        plain(KeyCode::Char(' '), "Space");
    }

    #[test]
    fn the_case_of_a_character_says_whether_shift_was_down() {
        check(press(KeyCode::Char('G'), KeyModifiers::SHIFT), "G");
        check(press(KeyCode::Char('g'), KeyModifiers::NONE), "g");
    }

    #[test]
    fn keys_with_names_keep_them() {
        for (code, name) in [
            (KeyCode::Enter, "Enter"),
            (KeyCode::Esc, "Esc"),
            (KeyCode::Backspace, "Backspace"),
            (KeyCode::Delete, "Delete"),
            (KeyCode::Tab, "Tab"),
            (KeyCode::BackTab, "Shift-Tab"),
            (KeyCode::Up, "↑"),
            (KeyCode::Down, "↓"),
            (KeyCode::Left, "←"),
            (KeyCode::Right, "→"),
            (KeyCode::Home, "Home"),
            (KeyCode::End, "End"),
            (KeyCode::PageUp, "PgUp"),
            (KeyCode::PageDown, "PgDn"),
            (KeyCode::F(5), "F5"),
        ] {
            plain(code, name);
        }
    }

    #[test]
    fn control_knows_no_case() {
        check(press(KeyCode::Char('R'), KeyModifiers::CONTROL), "Ctrl-R");
        check(press(KeyCode::Char('r'), KeyModifiers::CONTROL), "Ctrl-R");
    }

    #[test]
    fn what_a_terminal_cannot_tell_apart_is_one_key() {
        check(press(KeyCode::Char('i'), KeyModifiers::CONTROL), "Tab");
        check(press(KeyCode::Char('m'), KeyModifiers::CONTROL), "Enter");
        check(press(KeyCode::Char('['), KeyModifiers::CONTROL), "Esc");
    }

    #[test]
    fn control_with_an_arrow_is_another_key_than_the_arrow() {
        check(press(KeyCode::Left, KeyModifiers::CONTROL), "Ctrl-←");
    }

    #[test]
    fn escape_and_a_letter_typed_quickly_are_that_letter() {
        check(press(KeyCode::Char('x'), KeyModifiers::ALT), "x");
    }

    #[test]
    fn a_key_that_is_held_counts_again() {
        check(of_kind(KeyEventKind::Repeat), "x");
    }

    #[test]
    fn a_key_that_is_let_go_is_nothing() {
        nothing(of_kind(KeyEventKind::Release));
    }

    #[test]
    fn keys_that_mean_nothing_here_are_nothing() {
        nothing(press(KeyCode::Insert, KeyModifiers::NONE));
        nothing(press(KeyCode::Null, KeyModifiers::NONE));
        nothing(press(KeyCode::CapsLock, KeyModifiers::NONE));
    }

    #[test]
    fn pasted_text_is_text_with_all_that_it_holds() {
        let text = "x\r\nq\u{1b}[A";
        assert!(matches!(translate(Event::Paste(text.to_owned())), Input::Paste(found) if found == text));
    }

    #[test]
    fn another_size_is_a_resize() {
        assert!(matches!(translate(Event::Resize(0, 0)), Input::Resize));
    }

    #[test]
    fn focus_and_a_mouse_that_only_moves_are_nothing() {
        nothing(Event::FocusGained);
        nothing(Event::FocusLost);
        let (kind, modifiers) = (MouseEventKind::Moved, KeyModifiers::NONE);
        nothing(Event::Mouse(MouseEvent { kind, column: 0, row: 0, modifiers }));
    }

    #[tokio::test(start_paused = true)]
    async fn a_thread_that_does_not_let_go_of_the_terminal_is_waited_for_only_so_long() {
        let began = Instant::now();
        // No thread reads keys here, so that nobody says that it has seen it.
        let quiet = Quiet::keep(Duration::from_secs(2)).await;
        assert!(began.elapsed() >= Duration::from_secs(2) && began.elapsed() < Duration::from_secs(3));
        assert!(QUIET.load(Ordering::SeqCst));
        drop(quiet);
        assert!(!QUIET.load(Ordering::SeqCst), "keys are read again");
    }
}
