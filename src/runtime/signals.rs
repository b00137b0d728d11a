//! The signals. Those that end the program stop at once what it does, and do so even while its terminal takes nothing any more; those
//! that stop it and let it go on give the terminal back and take it again.

use super::terminal;
use crate::actions::stop::{Cause, Stops};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// So long the loop may take to end by itself.
const IN_ORDER: Duration = Duration::from_millis(500);
/// After so long the program ends without it: actions have three seconds to stop and be written down.
const AT_LAST: Duration = Duration::from_millis(3500);
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

/// Every signal that concerns us. What waits for them ends with this.
#[derive(Debug)]
pub struct Signals {
    ends: mpsc::Receiver<i32>,
    lent: Arc<AtomicBool>,
    _waiting: JoinSet<()>,
    stop: Signal,
    go_on: Signal,
}

impl Signals {
    /// From now on they are ours. Those that end the program end what `stops` stops.
    ///
    /// # Errors
    /// When they cannot be caught.
    pub fn catch(stops: &Stops) -> io::Result<Self> {
        let (sender, ends) = mpsc::channel(3);
        let lent = Arc::new(AtomicBool::new(false));
        let mut waiting = JoinSet::new();
        for (kind, cause) in [
            (SignalKind::terminate(), Cause::Terminate),
            (SignalKind::interrupt(), Cause::Interrupt),
            (SignalKind::hangup(), Cause::HangUp),
        ] {
            let (mut caught, sender) = (signal(kind)?, sender.clone());
            let (stops, lent) = (stops.clone(), Arc::clone(&lent));
            // Beside the loop, which may be held by a write to its terminal.
            waiting.spawn(async move {
                while caught.recv().await.is_some() {
                    if cause == Cause::Interrupt && lent.load(Ordering::SeqCst) {
                        continue;
                    }
                    stops.end(cause);
                    let _ = sender.try_send(kind.as_raw_value());
                    insist(kind.as_raw_value()).await;
                }
            });
        }
        let other = |of: rustix::process::Signal| signal(SignalKind::from_raw(of.as_raw()));
        let (stop, go_on) = (other(rustix::process::Signal::TSTP)?, other(rustix::process::Signal::CONT)?);
        Ok(Self { ends, lent, _waiting: waiting, stop, go_on })
    }

    /// While another program has the terminal, Ctrl-C is that one's.
    pub fn lend(&self, lent: bool) {
        self.lent.store(lent, Ordering::SeqCst);
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
