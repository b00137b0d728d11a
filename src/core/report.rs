//! What one poll brought back: a reading or an error, when, and how long it took.

use super::ids::TargetId;
use super::reading::Reading;
use super::time::Now;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The class of a failed poll; it decides the remedy shown and whether retrying soon makes sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PollErrorKind {
    /// No connection: refused, unreachable, name not found.
    Unreachable,
    /// It did not answer within the target's timeout.
    TimedOut,
    /// The server refused the credentials, or there are none.
    Credentials,
    /// The connection works but the right is missing.
    NotPermitted,
    /// TLS failed: certificate, name or mode.
    Tls,
    /// Something else answers on this port.
    WrongServer,
    /// The server is starting or stopping.
    NotReady,
    /// Every place for a connection is taken: it refuses whoever comes.
    Full,
    /// The configuration of this target cannot work.
    Configuration,
    /// The server answered with an error that has no class of its own.
    Failed,
    /// Our own code failed (a panic in the source); the source was built anew.
    Internal,
}

impl PollErrorKind {
    /// The class in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Unreachable => "not reachable",
            Self::TimedOut => "no answer in time",
            Self::Credentials => "refused the credentials",
            Self::NotPermitted => "not permitted",
            Self::Tls => "TLS failed",
            Self::WrongServer => "another kind of server",
            Self::NotReady => "not ready",
            Self::Full => "no slot is left",
            Self::Configuration => "cannot work as it is configured",
            Self::Failed => "it answered with an error",
            Self::Internal => "stacktop's own fault",
        }
    }
}

/// A poll that failed, as a sentence for the operator: what happened, and what to do about it. No secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{message}")]
pub struct PollError {
    /// The class of the failure.
    pub kind: PollErrorKind,
    /// What happened, in one sentence.
    pub message: String,
    /// What the operator can do about it, if anything is known.
    pub remedy: Option<String>,
}

impl PollError {
    /// A failure without a known remedy.
    pub fn new(kind: PollErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), remedy: None }
    }

    /// The same failure with what the operator can do about it.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }
}

/// What the circuit breaker of a target lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum BreakerState {
    /// Polls go through.
    #[default]
    Closed,
    /// Too many failures in a row: no poll until the wait is over.
    Open,
    /// The wait is over: single polls are let through, successes close it.
    HalfOpen,
}

/// The plan for a target after a poll: what the status line and a lost source's note say.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The interval in force (longer than configured when polls are slow).
    pub interval: Duration,
    /// Whether the interval was widened because polls are slow.
    pub widened: bool,
    /// When the next poll starts.
    pub next: Now,
    /// The breaker after this poll.
    pub breaker: BreakerState,
    /// Failures in a row.
    pub failures: u32,
    /// Until then knocks tell whether it answers again.
    pub knocks: bool,
}

/// One finished poll.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PollReport {
    /// Who was asked.
    pub target: TargetId,
    /// When the poll ended.
    pub at: Now,
    /// How long it took, connection included.
    pub took: Duration,
    /// What it brought.
    pub result: Result<Reading, PollError>,
    /// What happens next.
    pub plan: Plan,
    /// Reports of this target that this one overtook, because nobody took them in time.
    pub overtaken: u64,
    /// Statements, commands or requests that were sent since the report before: by it, and beside it.
    pub asked: u64,
}

impl Plan {
    /// A made-up plan after a poll at `at`: asked each `interval`, without trouble before. For tests, benchmarks and drills.
    #[must_use]
    pub fn example(interval: Duration, at: Now) -> Self {
        let breaker = BreakerState::Closed;
        Self { interval, widened: false, next: at.plus(interval), breaker, failures: 0, knocks: false }
    }
}

impl PollReport {
    /// A made-up report: asked each second, at once, without trouble before. For tests, benchmarks and drills.
    #[must_use]
    pub fn example(target: TargetId, result: Result<Reading, PollError>, at: Now) -> Self {
        let plan = Plan::example(Duration::from_secs(1), at);
        Self { target, at, took: Duration::ZERO, result, plan, overtaken: 0, asked: 0 }
    }
}
