//! The one door to standard output and standard error, for everything but the screen: what goes through holds nothing that a terminal
//! could act on, and no login of a URL. Whoever prints around it is found by a test.

use crate::core::spoken::{document as written, lines};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::Value;
use std::io::{self, Write};

/// Prints without a panic when nobody reads it.
pub(super) fn print(text: &str) {
    let _ = std::io::stdout().write_all(lines(text).as_bytes());
}

/// Prints a line that somebody waits for, and gives it away at once. It has gone through the door already.
///
/// # Errors
/// When nobody reads it any more.
pub(super) fn say(line: &str) -> io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{line}\n").as_bytes())?;
    out.flush()
}

/// Whether somebody may still read what is said: false when the other end of a pipe is closed.
pub(super) fn is_read() -> bool {
    let out = std::io::stdout();
    let mut ends = [PollFd::new(&out, PollFlags::empty())];
    match poll(&mut ends, Some(&Timespec::default())) {
        Ok(_) => !ends[0].revents().intersects(PollFlags::ERR | PollFlags::HUP),
        Err(_) => true,
    }
}

/// Prints a document for programs.
pub(super) fn document(value: &Value) {
    raw(&written(value));
}

/// Prints what has gone through the door already: a document would mean something else behind a second one.
pub(super) fn raw(spoken: &str) {
    let _ = std::io::stdout().write_all(spoken.as_bytes());
}

/// Prints text of our own as it is.
pub(super) fn verbatim(text: &'static str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// Prints to standard error without a panic when that is a terminal that is gone (a panic here would end in an abort).
pub(super) fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "{}", lines(text).trim_end_matches('\n'));
}
