//! The signals. Those that end the program do so even while its terminal takes nothing any more; those that stop it and let it go on
//! give the terminal back and take it again.

use super::terminal;
use std::io;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::Instant;

/// So long the loop may take to end by itself.
const IN_ORDER: Duration = Duration::from_millis(500);
/// After so long the program ends without it.
const AT_LAST: Duration = Duration::from_secs(3);
/// How often, in between, what the terminal does not take is thrown away.
const AGAIN: Duration = Duration::from_millis(50);

/// What a signal wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caught {
    /// The program ends: the signal's number.
    End(i32),
    /// Back to the shell until it is continued.
    Stop,
    /// It was stopped, and goes on.
    Continue,
}

/// Every signal that concerns us.
#[derive(Debug)]
pub struct Signals {
    ends: mpsc::Receiver<i32>,
    stop: Signal,
    go_on: Signal,
}

impl Signals {
    /// From now on they are ours.
    ///
    /// # Errors
    /// When they cannot be caught.
    pub fn catch() -> io::Result<Self> {
        let (sender, ends) = mpsc::channel(3);
        for kind in [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()] {
            let (mut caught, sender) = (signal(kind)?, sender.clone());
            // Beside the loop, which may be held by a write to its terminal.
            tokio::spawn(async move {
                if caught.recv().await.is_some() {
                    let _ = sender.try_send(kind.as_raw_value());
                    insist(kind.as_raw_value()).await;
                }
            });
        }
        let other = |of: rustix::process::Signal| signal(SignalKind::from_raw(of.as_raw()));
        let (stop, go_on) = (other(rustix::process::Signal::TSTP)?, other(rustix::process::Signal::CONT)?);
        Ok(Self { ends, stop, go_on })
    }

    /// The next one.
    pub async fn next(&mut self) -> Caught {
        tokio::select! {
            biased;
            Some(number) = self.ends.recv() => Caught::End(number),
            _ = self.go_on.recv() => Caught::Continue,
            _ = self.stop.recv() => Caught::Stop,
        }
    }
}

/// Sees to it that the program ends: by its loop if that can be, else without it and with the terminal's settings given back.
async fn insist(number: i32) {
    let begun = Instant::now();
    tokio::time::sleep(IN_ORDER).await;
    while begun.elapsed() < AT_LAST {
        terminal::let_go();
        tokio::time::sleep(AGAIN).await;
    }
    terminal::give_up(128 + number);
}
