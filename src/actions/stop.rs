//! The signal to stop: the operator asks for it, or the run ends. Whatever is under way looks at it between two steps that are whole.

use std::fmt;
use std::time::Duration;
use tokio::sync::watch;

/// Who or what stops an action: "stopped by …", in the words of its outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The operator asked for that, and stays.
    Operator,
    /// The operator leaves.
    Quit,
    /// The session ended.
    HangUp,
    /// The system, or somebody on this machine, ends the program.
    Terminate,
    /// An interrupt from outside.
    Interrupt,
    /// Nobody is at the other end of the terminal any more.
    TerminalGone,
    /// The program itself fails.
    Fault,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Operator => "you",
            Self::Quit => "your leaving",
            Self::HangUp => "a hang-up",
            Self::Terminate => "a request to terminate",
            Self::Interrupt => "an interrupt",
            Self::TerminalGone => "the loss of the terminal",
            Self::Fault => "a fault inside stacktop",
        })
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    /// How often the operator has asked.
    asked: u64,
    /// Why the run ends, once it does.
    end: Option<Cause>,
}

/// Where stops are asked for.
#[derive(Clone, Debug, Default)]
pub struct Stops(watch::Sender<State>);

impl Stops {
    /// What runs now stops, and what begins later does not.
    pub fn ask(&self) {
        self.0.send_modify(|state| state.asked += 1);
    }

    /// The run ends: what runs stops, and nothing begins any more. The first reason stands.
    pub fn end(&self, cause: Cause) {
        self.0.send_modify(|state| state.end = state.end.or(Some(cause)));
    }

    /// For something that begins now.
    #[must_use]
    pub fn begin(&self) -> Stop {
        let state = self.0.subscribe();
        let before = state.borrow().asked;
        Stop { state, before }
    }
}

/// What something that runs looks at.
#[derive(Clone, Debug)]
pub struct Stop {
    state: watch::Receiver<State>,
    /// Stops that were asked for before it began are not meant for it.
    before: u64,
}

impl Stop {
    fn of(&self, state: State) -> Option<Cause> {
        state.end.or((state.asked > self.before).then_some(Cause::Operator))
    }

    /// Why it has to stop, if it has to.
    #[must_use]
    pub fn cause(&self) -> Option<Cause> {
        self.of(*self.state.borrow())
    }

    /// Waits until the run ends; for ever where nobody can end it any more.
    pub async fn run_ends(&self) -> Cause {
        self.until(|state| state.end).await
    }

    /// A pause that a stop ends.
    pub async fn pause(&self, length: Duration) {
        let _ = tokio::time::timeout(length, self.until(|state| self.of(state))).await;
    }

    async fn until(&self, found: impl Fn(State) -> Option<Cause>) -> Cause {
        let mut state = self.state.clone();
        loop {
            let now = *state.borrow_and_update();
            if let Some(cause) = found(now) {
                return cause;
            }
            if state.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::Instant;

    #[tokio::test(start_paused = true)]
    async fn a_stop_is_for_what_runs_and_an_end_is_for_all() {
        let stops = Stops::default();
        let first = stops.begin();
        stops.ask();
        let second = stops.begin();
        assert_eq!((first.cause(), second.cause()), (Some(Cause::Operator), None));
        stops.end(Cause::HangUp);
        stops.end(Cause::Terminate);
        let third = stops.begin();
        for stop in [first, second, third] {
            assert_eq!(stop.cause(), Some(Cause::HangUp), "the first reason stands");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_ends_early_only_by_a_stop() {
        let stops = Stops::default();
        let stop = stops.begin();
        let began = Instant::now();
        stop.pause(Duration::from_secs(1)).await;
        assert_eq!(began.elapsed(), Duration::from_secs(1));
        let asking = async {
            tokio::time::sleep(Duration::from_secs(2)).await;
            stops.ask();
        };
        tokio::join!(stop.pause(Duration::from_secs(600)), asking);
        assert_eq!(began.elapsed(), Duration::from_secs(3));
        let ends = tokio::time::timeout(Duration::from_secs(9), stop.run_ends()).await;
        assert!(ends.is_err(), "what the operator stops does not end the run");
    }
}
