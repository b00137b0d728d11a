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

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::{Signal as Number, getpid, kill_process};
    use std::process::Command;

    /// Where this is set, the test is the child of itself: what it catches must not stay caught in the process of all other tests.
    const CHILD: &str = "STACKTOP_TEST_SIGNALS";

    /// Whether this process is the child; else it is started and has to end well.
    fn is_child(name: &str) -> bool {
        if std::env::var_os(CHILD).is_some() {
            return true;
        }
        let itself = std::env::current_exe().expect("a path");
        let name = format!("runtime::signals::tests::{name}");
        let ended = Command::new(itself).args([name.as_str(), "--exact"]).env(CHILD, "1").output();
        let ended = ended.expect("it starts");
        let text = String::from_utf8_lossy(&ended.stdout).into_owned();
        assert!(ended.status.success() && text.contains("1 passed"), "{text}");
        false
    }

    fn send(signal: Number) {
        kill_process(getpid(), signal).expect("it is ours");
    }

    /// The cause that ends what runs, by the signal that came.
    async fn ends(signal: Number, cause: Cause) {
        let stops = Stops::default();
        let running = stops.begin();
        let mut signals = Signals::catch(&stops).expect("they are caught");
        send(signal);
        assert_eq!(signals.next().await, Caught::End(signal.as_raw()));
        assert_eq!(running.cause(), Some(cause));
    }

    #[tokio::test]
    async fn a_request_to_terminate_ends_what_runs() {
        if is_child("a_request_to_terminate_ends_what_runs") {
            ends(Number::TERM, Cause::Terminate).await;
        }
    }

    #[tokio::test]
    async fn a_hang_up_ends_what_runs() {
        if is_child("a_hang_up_ends_what_runs") {
            ends(Number::HUP, Cause::HangUp).await;
        }
    }

    #[tokio::test]
    async fn an_interrupt_ends_what_runs() {
        if is_child("an_interrupt_ends_what_runs") {
            ends(Number::INT, Cause::Interrupt).await;
        }
    }

    #[tokio::test]
    async fn an_interrupt_is_the_editors_while_it_has_the_terminal() {
        if !is_child("an_interrupt_is_the_editors_while_it_has_the_terminal") {
            return;
        }
        let stops = Stops::default();
        let running = stops.begin();
        let mut signals = Signals::catch(&stops).expect("they are caught");
        signals.lend(true);
        send(Number::INT);
        let waited = tokio::time::timeout(Duration::from_millis(200), signals.next()).await;
        assert!(waited.is_err() && running.cause().is_none(), "{waited:?}");
        signals.lend(false);
        send(Number::INT);
        assert_eq!(signals.next().await, Caught::End(2));
    }

    #[tokio::test]
    async fn a_request_to_terminate_is_ours_while_the_editor_has_the_terminal() {
        if !is_child("a_request_to_terminate_is_ours_while_the_editor_has_the_terminal") {
            return;
        }
        let mut signals = Signals::catch(&Stops::default()).expect("they are caught");
        signals.lend(true);
        send(Number::TERM);
        assert_eq!(signals.next().await, Caught::End(15));
    }

    #[tokio::test]
    async fn a_stop_and_going_on_end_nothing() {
        if !is_child("a_stop_and_going_on_end_nothing") {
            return;
        }
        let stops = Stops::default();
        let running = stops.begin();
        let mut signals = Signals::catch(&stops).expect("they are caught");
        send(Number::TSTP);
        assert_eq!(signals.next().await, Caught::Stop);
        send(Number::CONT);
        assert_eq!(signals.next().await, Caught::Continue);
        assert_eq!(running.cause(), None);
    }

    #[tokio::test]
    async fn what_ends_the_program_goes_before_what_stops_it() {
        if !is_child("what_ends_the_program_goes_before_what_stops_it") {
            return;
        }
        let mut signals = Signals::catch(&Stops::default()).expect("they are caught");
        send(Number::TSTP);
        send(Number::HUP);
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(signals.next().await, Caught::End(1));
    }
}
