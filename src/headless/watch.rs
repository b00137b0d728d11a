//! A run that goes on: a line for each change, and answers for those who ask over HTTP, where that is wanted.

use super::changes::{Form, Looked, beginning};
use super::ending::Ending;
use super::host::Host;
use super::publish::Published;
use super::watching::{Setup, Watching};
use crate::engine::settle;
use std::io;

/// Why it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// A signal: its number.
    Signal(i32),
    /// Nobody reads the lines any more.
    NobodyReads,
}

/// Where the lines go.
#[derive(Clone, Copy, Debug)]
pub struct Out {
    /// Gives a line away at once; it fails where nobody reads it.
    pub say: fn(&str) -> io::Result<()>,
    /// Whether somebody may still read the next one.
    pub is_read: fn() -> bool,
}

/// The lines of a run, as long as somebody reads them.
struct Lines {
    out: Out,
    form: Form,
    read: bool,
}

impl Lines {
    fn say(&mut self, line: &str) {
        self.read = self.read && (self.out.say)(line).is_ok();
    }

    fn look(&mut self) {
        self.read = self.read && (self.out.is_read)();
    }
}

/// Runs until a signal ends it. With `host` everybody may ask it for what is known; without, it ends when nobody reads what it says.
///
/// # Errors
/// When signals cannot be caught.
pub async fn run(setup: Setup, form: Form, host: Option<Host>, out: Out) -> io::Result<End> {
    let end = go_on(setup, form, host, out).await;
    settle().await;
    end
}

async fn go_on(setup: Setup, form: Form, mut host: Option<Host>, out: Out) -> io::Result<End> {
    let mut ending = Ending::catch()?;
    let mut watching = Watching::start(setup);
    let mut looked = Looked::default();
    let mut published = Published::default();
    let mut lines = Lines { out, form, read: true };
    lines.say(&beginning(form, watching.seen()));
    loop {
        if !lines.read && host.is_none() {
            return Ok(End::NobodyReads);
        }
        tokio::select! {
            biased;
            number = ending.next() => return Ok(End::Signal(number)),
            () = watching.next() => {
                let seen = watching.seen();
                lines.look();
                for change in looked.look(seen) {
                    lines.say(&change.line(lines.form, seen));
                }
            }
            ask = asked(host.as_mut()) => {
                let page = published.page(ask.page(), watching.seen());
                ask.answer(page);
            }
        }
    }
}

async fn asked(host: Option<&mut Host>) -> super::host::Ask {
    match host {
        Some(host) => host.next().await,
        None => std::future::pending().await,
    }
}
