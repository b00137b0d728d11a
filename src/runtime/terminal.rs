//! The terminal while stacktop has it, and giving it back: on quit, on an error, on a panic, on a signal, on suspension; also when it
//! takes no output any more.

use super::backend::Frames;
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen,
    LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{ExecutableCommand, QueueableCommand, cursor, style::ResetColor};
use ratatui::Terminal;
use ratatui::layout::{Rect, Size};
use rustix::process::{Signal, getpgrp, getpid, kill_process};
use rustix::termios::{QueueSelector, tcflush, tcgetpgrp, tcgetwinsize};
use std::io::{self, BufWriter, Stdout, Write};
use std::mem::ManuallyDrop;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, ThreadId};
use std::time::Duration;

/// Whether the terminal is ours right now; what was not taken is not given back.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Whether the mouse is ours: presses and the wheel, no movements.
static MOUSE: AtomicBool = AtomicBool::new(false);
const MOUSE_ON: &[u8] = b"\x1b[?1000h\x1b[?1006h";
const MOUSE_OFF: &[u8] = b"\x1b[?1006l\x1b[?1000l";

/// Whether output was thrown away because the terminal did not take it.
static STALLED: AtomicBool = AtomicBool::new(false);
/// Held by whoever throws output away, so that what gives the terminal back is not.
static OUTPUT: Mutex<()> = Mutex::new(());
/// How often, and how far apart, it is looked whether the shell has put us into the foreground.
const FOREGROUND_LOOKS: usize = 10;
const FOREGROUND_PAUSE: Duration = Duration::from_millis(20);

type Screen = Terminal<Frames<BufWriter<Stdout>>>;

/// The terminal, taken until this is dropped.
pub struct Tty {
    /// Never dropped: ratatui's own drop prints an error to a terminal that may be gone, which would end in an abort. [`leave`] does
    /// what is needed.
    screen: ManuallyDrop<Screen>,
}

impl std::fmt::Debug for Tty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tty")
    }
}

impl Tty {
    /// Takes the terminal: raw mode, the alternate screen, bracketed paste.
    ///
    /// # Errors
    /// When there is no terminal.
    pub fn take() -> io::Result<Self> {
        enter()?;
        let backend = Frames::new(BufWriter::with_capacity(64 * 1024, io::stdout()), size);
        Ok(Self { screen: ManuallyDrop::new(Terminal::new(backend)?) })
    }

    /// Draws one frame, wrapped so that the terminal shows it at once.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn draw(&mut self, paint: impl FnOnce(&mut ratatui::Frame<'_>)) -> io::Result<()> {
        // Step by step: ratatui's own `draw` writes before the end of the frame.
        self.screen.autoresize()?;
        paint(&mut self.screen.get_frame());
        self.screen.backend_mut().queue(BeginSynchronizedUpdate)?;
        let drawn = self.screen.flush();
        self.screen.swap_buffers();
        self.screen.backend_mut().queue(EndSynchronizedUpdate)?;
        Write::flush(self.screen.backend_mut())?;
        drawn
    }

    /// Writes what is not drawn: a bell, a notification. Between frames, so that it stands in none.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn call(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.screen.backend_mut().write_all(bytes)?;
        Write::flush(self.screen.backend_mut())
    }

    /// The size in columns and rows.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn size(&self) -> io::Result<(u16, u16)> {
        size().map(|size| (size.width, size.height))
    }

    /// Forgets what is on the screen, so that the next frame is drawn whole.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn redraw(&mut self) -> io::Result<()> {
        // Not `clear`: it asks the terminal where its cursor is, and the answer would come as keys.
        let (width, height) = self.size()?;
        self.screen.resize(Rect::new(0, 0, width, height))
    }

    /// Takes the terminal again after this process was stopped, whoever stopped it: the shell has given it other settings meanwhile.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn retake(&mut self) -> io::Result<()> {
        // What is believed to be in force already would not be set again.
        let _ = disable_raw_mode();
        enter()?;
        self.redraw()
    }
}

impl Drop for Tty {
    fn drop(&mut self) {
        leave();
    }
}

fn size() -> io::Result<Size> {
    // crossterm's own way opens the terminal's device anew each time.
    match tcgetwinsize(rustix::stdio::stdout()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => Ok(Size::new(size.ws_col, size.ws_row)),
        _ => crossterm::terminal::size().map(Size::from),
    }
}

fn enter() -> io::Result<()> {
    enable_raw_mode()?;
    TAKEN.store(true, Ordering::SeqCst);
    let mut out = io::stdout();
    out.queue(EnterAlternateScreen)?.queue(EnableBracketedPaste)?.queue(cursor::Hide)?;
    // Some have no other screen (GNU screen as it comes, a Linux console): frames are drawn over what is there.
    out.queue(ResetColor)?.queue(Clear(ClearType::All))?;
    if MOUSE.load(Ordering::SeqCst) {
        out.write_all(MOUSE_ON)?;
    }
    out.flush()
}

/// Takes the mouse, or gives it back; says which. A mouse that is ours does not select text.
pub(super) fn switch_mouse() -> &'static str {
    let taken = !MOUSE.fetch_xor(true, Ordering::SeqCst);
    match (send(if taken { MOUSE_ON } else { MOUSE_OFF }), taken) {
        (Err(_), _) => "the terminal does not take it",
        (Ok(()), true) => "the mouse chooses and opens; to select text hold Shift, or switch it off",
        (Ok(()), false) => "the mouse selects text",
    }
}

/// Writes `bytes` to the terminal as they are.
///
/// # Errors
/// When the terminal is gone.
pub(super) fn send(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout();
    out.write_all(bytes)?;
    out.flush()
}

/// Gives the terminal back. Never prints an error: a dead terminal has nobody to read it.
pub fn leave() {
    {
        let _alone = OUTPUT.lock();
        if !TAKEN.swap(false, Ordering::SeqCst) {
            return;
        }
        if STALLED.load(Ordering::SeqCst) {
            let _ = tcflush(rustix::stdio::stdout(), QueueSelector::OFlush);
        }
    }
    let mut out = io::stdout();
    let _ = out.execute(EndSynchronizedUpdate);
    if MOUSE.load(Ordering::SeqCst) {
        let _ = out.write_all(MOUSE_OFF);
    }
    let _ = out.execute(DisableBracketedPaste);
    // Where there is no other screen to come back to, what is said at the end does not stand amid the last frame.
    let _ = out.queue(ResetColor).and_then(|out| out.queue(Clear(ClearType::All)));
    let _ = out.queue(cursor::MoveTo(0, 0));
    let _ = out.execute(LeaveAlternateScreen);
    let _ = out.execute(cursor::Show);
    let _ = disable_raw_mode();
}

/// Throws away what was written and the terminal does not take, so that whoever waits for it goes on. Only for the end: the screen is
/// no longer whole.
pub fn let_go() {
    let _alone = OUTPUT.lock();
    if !TAKEN.load(Ordering::SeqCst) {
        return;
    }
    STALLED.store(true, Ordering::SeqCst);
    let _ = tcflush(rustix::stdio::stdout(), QueueSelector::OFlush);
    // A write that waits does not see the room that there is now before a signal wakes it: this one is ours anyway.
    let _ = kill_process(getpid(), Signal::WINCH);
}

/// Ends the program at once, with the terminal's settings given back. Nothing can be written to it any more.
pub fn give_up(code: i32) -> ! {
    let _ = disable_raw_mode();
    std::process::exit(code)
}

/// Stops this process until it is continued, unless nobody could continue it (the kernel knows).
pub fn stop() {
    // Not SIGSTOP, which stops a program that nobody can continue; not SIGTSTP, which is caught.
    let _ = kill_process(getpid(), Signal::TTOU);
}

/// Whether we are in the foreground of our terminal. After `fg` the shell may take a moment for that.
#[must_use]
pub fn is_ours() -> bool {
    let ours = || tcgetpgrp(rustix::stdio::stdin()).map_or(true, |group| group == getpgrp());
    for _ in 0..FOREGROUND_LOOKS {
        if ours() {
            return true;
        }
        thread::sleep(FOREGROUND_PAUSE);
    }
    ours()
}

/// Whether the terminal still answers; a dead one never becomes alive again.
#[must_use]
pub fn is_alive() -> bool {
    rustix::termios::tcgetwinsize(rustix::stdio::stdin()).is_ok()
        || rustix::termios::tcgetwinsize(rustix::stdio::stdout()).is_ok()
}

/// Installs the panic hook. On the thread that draws, the terminal is given back and the report printed; a panic in a task goes to
/// the log only, because the program goes on and must keep its screen.
pub fn guard_panics(report: impl Fn(&std::panic::PanicHookInfo<'_>) + Send + Sync + 'static) {
    let drawing: ThreadId = thread::current().id();
    std::panic::set_hook(Box::new(move |info| {
        if thread::current().id() == drawing {
            leave();
            report(info);
        } else {
            let place = info.location().map(ToString::to_string).unwrap_or_default();
            tracing::error!(%place, "a task panicked: {info}");
        }
    }));
}
