//! One question of several: its own limit, and its failure as that of a part.

use crate::core::part::{Gap, GapKind};
use crate::core::report::{PollError, PollErrorKind};
use std::time::Duration;

/// An answer within its own limit, so that one slow question costs its own part only.
///
/// # Errors
/// As the question's, and when the limit passes.
pub async fn within<T>(
    limit: Duration,
    answer: impl Future<Output = Result<T, PollError>>,
) -> Result<T, PollError> {
    tokio::time::timeout(limit, answer).await.unwrap_or_else(|_| {
        let message = format!("no answer within {:.1} s", limit.as_secs_f64());
        Err(PollError::new(PollErrorKind::TimedOut, message))
    })
}

/// The same failure as one of a single part.
#[must_use]
pub fn gap(error: &PollError) -> Gap {
    let kind = match error.kind {
        PollErrorKind::TimedOut => GapKind::TimedOut,
        PollErrorKind::Credentials | PollErrorKind::NotPermitted => GapKind::NotPermitted,
        PollErrorKind::Unreachable
        | PollErrorKind::Tls
        | PollErrorKind::WrongServer
        | PollErrorKind::NotReady
        | PollErrorKind::Full
        | PollErrorKind::Configuration
        | PollErrorKind::Failed
        | PollErrorKind::Internal => GapKind::Failed,
    };
    match &error.remedy {
        Some(remedy) => Gap::new(kind, format!("{}; {remedy}", error.message)),
        None => Gap::new(kind, error.message.clone()),
    }
}
