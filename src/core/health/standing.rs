//! What a word of a health document means. A word that is not known here is "unknown": it never counts as good.

use crate::core::alert::Severity;

/// How something is, by its own word; the worst last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It does its work.
    Up,
    /// Nobody can tell.
    #[default]
    Unknown,
    /// It does its work, and not well.
    Degraded,
    /// It was taken out, or is not in yet.
    OutOfService,
    /// It does not work.
    Down,
}

impl Standing {
    /// In a word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Unknown => "unknown",
            Self::Degraded => "degraded",
            Self::OutOfService => "out of service",
            Self::Down => "DOWN",
        }
    }
}

const UP: &[&str] = &[
    "ok",
    "okay",
    "healthy",
    "up",
    "pass",
    "passed",
    "passing",
    "success",
    "successful",
    "available",
    "running",
    "ready",
    "alive",
    "green",
    "online",
    "connected",
    "reachable",
    "operational",
    "normal",
    "working",
    "serving",
    "pong",
    "true",
    "server_is_ready",
    "server_is_not_shutting_down",
];
const DEGRADED: &[&str] =
    &["degraded", "warn", "warning", "yellow", "partial", "partially_degraded", "slow", "unstable"];
const OUT: &[&str] = &[
    "out_of_service",
    "maintenance",
    "draining",
    "shutting_down",
    "not_ready",
    "starting",
    "paused",
    "suspended",
    "server_is_not_ready",
    "server_is_shutting_down",
];
const DOWN: &[&str] = &[
    "down",
    "fail",
    "failed",
    "failing",
    "failure",
    "error",
    "errored",
    "unhealthy",
    "unavailable",
    "critical",
    "red",
    "offline",
    "disconnected",
    "unreachable",
    "not_serving",
    "timeout",
    "dead",
    "broken",
    "ko",
    "false",
    "circuit_open",
];

/// What `word` says, in whichever case and however its parts are joined.
#[must_use]
pub fn standing(word: &str) -> Standing {
    let word = word.trim().trim_end_matches(['.', '!']).to_ascii_lowercase().replace(['-', ' '], "_");
    let among = |list: &[&str]| list.contains(&word.as_str());
    match () {
        () if among(UP) => Standing::Up,
        () if among(DEGRADED) => Standing::Degraded,
        () if among(OUT) => Standing::OutOfService,
        () if among(DOWN) || ["_down", "_failed", "_unavailable"].iter().any(|end| word.ends_with(end)) => {
            Standing::Down
        }
        () => Standing::Unknown,
    }
}

/// What the word of a circuit breaker says: how bad that is, nothing where it is closed. The outer nothing is no word of a breaker.
#[must_use]
pub fn breaker(word: &str) -> Option<Option<Severity>> {
    let word: String = word.chars().filter(char::is_ascii_alphanumeric).collect();
    match word.to_ascii_lowercase().as_str() {
        "closed" | "disabled" | "metricsonly" => Some(None),
        "open" | "opened" | "forcedopen" => Some(Some(Severity::Critical)),
        "halfopen" => Some(Some(Severity::Warning)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(words: &[&str], expected: Standing) {
        for word in words {
            assert_eq!(standing(word), expected, "{word}");
        }
    }

    #[test]
    fn words_of_every_framework_are_known_and_no_other_is_good() {
        check(&["UP", "ok", "Healthy", "pass", " OK ", "SERVER_IS_READY", "Pong!", "true"], Standing::Up);
        check(&["Degraded", "warn", "yellow"], Standing::Degraded);
        check(&["OUT_OF_SERVICE", "out of service", "shutting-down", "maintenance"], Standing::OutOfService);
        check(
            &["DOWN", "fail", "Unhealthy", "error", "CIRCUIT_OPEN", "not serving", "REDIS_DOWN"],
            Standing::Down,
        );
        check(&["UNKNOWN", "", "meh", "okish", "not ok", "0", "200"], Standing::Unknown);
    }

    #[test]
    fn a_breaker_is_open_half_open_or_closed() {
        assert_eq!(breaker("CLOSED"), Some(None));
        assert_eq!(breaker("OPEN"), Some(Some(Severity::Critical)));
        for word in ["HALF_OPEN", "half-open", "halfOpen"] {
            assert_eq!(breaker(word), Some(Some(Severity::Warning)), "{word}");
        }
        assert_eq!(breaker("ajar"), None);
    }
}
