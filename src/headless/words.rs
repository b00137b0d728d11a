//! The words for programs: states, severities, units and moments, the same in documents, lines and numbers.

use super::watching::Seen;
use crate::core::alert::{FindingKey, RuleUnit, Severity};
use crate::core::echo;
use crate::core::report::BreakerState;
use crate::core::time::Now;
use crate::core::verdict::Overall;
use chrono::SecondsFormat;
use serde::Serialize;
use std::time::Duration;

/// The state of the whole in a word, by which the exit code goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Everything answers, and nothing is past its threshold.
    Ok,
    /// Something should be looked at.
    Degraded,
    /// Somebody must act.
    Broken,
    /// Nobody can say: something is silent, did not answer yet, or there is nothing to watch.
    Unknown,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Ok, Self::Degraded, Self::Broken, Self::Unknown];

    /// That of a verdict. What is not known yet is not known.
    #[must_use]
    pub const fn of(overall: Overall) -> Self {
        match overall {
            Overall::Ok => Self::Ok,
            Overall::Degraded => Self::Degraded,
            Overall::Broken => Self::Broken,
            Overall::Unknown | Overall::Waiting | Overall::Nothing => Self::Unknown,
        }
    }

    /// The exit code of `stacktop check`.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Degraded => 1,
            Self::Broken => 2,
            Self::Unknown => 3,
        }
    }

    /// In a word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Degraded => "degraded",
            Self::Broken => "broken",
            Self::Unknown => "unknown",
        }
    }
}

/// A moment with the local zone.
#[must_use]
pub fn stamp(at: Now, seen: Seen<'_>) -> String {
    at.wall.with_timezone(&seen.zone).to_rfc3339_opts(SecondsFormat::Secs, false)
}

/// The id of a finding.
#[must_use]
pub fn id(key: &FindingKey) -> String {
    echo::labels(key).join("/")
}

/// How bad, for programs.
#[must_use]
pub const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Critical => "critical",
    }
}

/// A unit, for programs.
#[must_use]
pub const fn unit(unit: RuleUnit) -> &'static str {
    match unit {
        RuleUnit::Count => "count",
        RuleUnit::Ratio => "ratio",
        RuleUnit::Seconds => "seconds",
        RuleUnit::Bytes => "bytes",
        RuleUnit::PerSecond => "per_second",
        RuleUnit::State => "none",
    }
}

/// The state of a breaker, for programs.
#[must_use]
pub const fn breaker(state: BreakerState) -> &'static str {
    match state {
        BreakerState::Closed => "closed",
        BreakerState::Open => "open",
        BreakerState::HalfOpen => "half_open",
    }
}

/// To the millisecond.
#[must_use]
pub fn seconds(span: Duration) -> f64 {
    (span.as_secs_f64() * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_never_ok() {
        for (overall, word, code) in [
            (Overall::Ok, "ok", 0),
            (Overall::Degraded, "degraded", 1),
            (Overall::Broken, "broken", 2),
            (Overall::Unknown, "unknown", 3),
            (Overall::Waiting, "unknown", 3),
            (Overall::Nothing, "unknown", 3),
        ] {
            let state = State::of(overall);
            assert_eq!((state.word(), state.exit_code()), (word, code), "{overall:?}");
            assert_eq!(serde_json::to_value(state).expect("JSON"), word);
        }
    }
}
