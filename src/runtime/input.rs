//! From terminal events to keys and text. Only key presses count (not releases); pasted text is never keys.

use super::background::Late;
use crate::app::key::{Code, Key};
use ratatui::crossterm::event::{
    self, Event, KeyCode, KeyEventKind, KeyModifiers, MouseButton, MouseEventKind,
};
use rustix::process::{Signal, getpid, kill_process};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{io, thread};
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Events that may wait for the loop; it takes each at once.
const QUEUE: usize = 256;

/// Reads the terminal's events on a thread of their own, until there are no more.
///
/// Not as a stream on the loop: crossterm spins inside the poll of a terminal that is gone, and the loop would never see the signal.
///
/// # Errors
/// When the thread cannot be started.
pub fn start() -> io::Result<mpsc::Receiver<Event>> {
    let (sender, receiver) = mpsc::channel(QUEUE);
    thread::Builder::new().name("input".to_owned()).spawn(move || {
        let mut late = Late::default();
        loop {
            if QUIET.load(Ordering::SeqCst) {
                IDLE.store(true, Ordering::SeqCst);
                thread::sleep(LOOK);
                continue;
            }
            IDLE.store(false, Ordering::SeqCst);
            let Ok(event) = event::read() else { return };
            if is_late(&mut late, &event) {
                continue;
            }
            if sender.blocking_send(event).is_err() {
                return;
            }
        }
    })?;
    Ok(receiver)
}

/// Whether `event` is a part of what the terminal answered too late.
fn is_late(late: &mut Late, event: &Event) -> bool {
    let Event::Key(key) = event else { return false };
    let KeyCode::Char(sign) = key.code else { return false };
    let with = |modifier| key.modifiers.contains(modifier);
    late.takes(sign, with(KeyModifiers::ALT), with(KeyModifiers::CONTROL))
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
