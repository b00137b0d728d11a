//! One document of a health endpoint, as data. Words are the application's own; what they mean is said elsewhere.

use super::standing::{Standing, standing};
use crate::core::exact;
use crate::core::whereabouts::Whereabouts;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What one poll of a health endpoint read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HealthReading {
    /// The status of its answer.
    pub status: u16,
    /// How long the answer took, a new connection included.
    pub took: Duration,
    /// By which shape it was recognised.
    pub shape: Shape,
    /// Its word for all of it; nothing where it has none.
    pub word: Option<String>,
    /// What it says beside that word.
    pub note: String,
    /// Its checks, in its own order.
    pub checks: Vec<HealthCheck>,
    /// The circuit breakers that it tells of.
    pub breakers: Vec<Breaker>,
    /// Numbers that mean the same in every application.
    pub measures: Vec<Measure>,
    /// Those of them that are told as nothing: without traffic there is no percentile.
    pub idle: Vec<String>,
    /// Statements that it calls slow.
    pub slow: Vec<SlowQuery>,
    /// Every value, by its JSON pointer.
    pub values: Vec<HealthValue>,
    /// How old the document is, by its own time and the clock of its server.
    pub age: Option<Duration>,
    /// There was more than is kept.
    pub truncated: bool,
}

/// Whose shape a document has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Shape {
    /// `components` of Spring Boot's Actuator.
    Spring,
    /// `entries` or `results` of ASP.NET.
    AspNet,
    /// `info`, `error` and `details` of terminus (NestJS and others).
    Terminus,
    /// `checks` of `application/health+json`.
    HealthJson,
    /// A list of `checks` of MicroProfile.
    MicroProfile,
    /// Names with `OK` or an error's text (healthcheck of Go, Django).
    Names,
    /// Lines `[+]name ok` (Kubernetes).
    Lines,
    /// Some text.
    Plain,
    /// The application's own.
    #[default]
    Own,
}

impl Shape {
    /// Whose it is, in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Spring => "Spring Boot Actuator",
            Self::AspNet => "ASP.NET health checks",
            Self::Terminus => "terminus",
            Self::HealthJson => "health+json",
            Self::MicroProfile => "MicroProfile",
            Self::Names => "names and words",
            Self::Lines => "lines as of Kubernetes",
            Self::Plain => "plain text",
            Self::Own => "its own JSON",
        }
    }
}

/// A check.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HealthCheck {
    /// Its name; of one inside another `outer/inner`.
    pub name: String,
    /// Its word; nothing where it has none.
    pub word: Option<String>,
    /// What it says beside that word: an error, a description.
    pub note: String,
    /// How long it took, in seconds.
    #[serde(with = "exact")]
    pub latency: Option<f64>,
}

impl HealthCheck {
    /// How it is.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.word.as_deref().map_or(Standing::Unknown, standing)
    }
}

/// A circuit breaker of the application.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breaker {
    /// What it guards.
    pub name: String,
    /// Its state, in its own word.
    pub word: String,
}

/// What a number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum MeasureKind {
    /// The share of looks into a cache that found something.
    HitRate,
    /// The share of a pool that is in use.
    PoolUse,
    /// A percentile of a duration, in seconds.
    P50,
    /// The same.
    P95,
    /// The same.
    P99,
}

impl MeasureKind {
    /// In words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::HitRate => "hit rate",
            Self::PoolUse => "pool in use",
            Self::P50 => "p50",
            Self::P95 => "p95",
            Self::P99 => "p99",
        }
    }

    /// In words, with what it is of.
    #[must_use]
    pub fn of(self, of: &str) -> String {
        if self == Self::PoolUse && of.to_ascii_lowercase().ends_with("pool") {
            return format!("{of} in use");
        }
        format!("{of} {}", self.words()).trim().to_owned()
    }

    /// Whether it is a share, and no duration.
    #[must_use]
    pub const fn is_share(self) -> bool {
        match self {
            Self::HitRate | Self::PoolUse => true,
            Self::P50 | Self::P95 | Self::P99 => false,
        }
    }
}

/// A number that means the same in every application.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    /// What it is.
    pub kind: MeasureKind,
    /// Of what: the names above it ("cache", "queries").
    pub of: String,
    /// Whether that is about queries of a database.
    pub queries: bool,
    /// Seconds, or a share as it is written: from 0 to 1, or in percent.
    #[serde(with = "exact")]
    pub value: f64,
    /// It is surely in percent: it says so.
    pub percent: bool,
    /// It is surely from 0 to 1: it says so, or was made here.
    pub ratio: bool,
}

impl Measure {
    /// What it is called.
    #[must_use]
    pub fn name(&self) -> String {
        self.kind.of(&self.of)
    }
}

/// A statement that the application calls slow.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SlowQuery {
    /// Its text.
    pub text: String,
    /// How long it took, in seconds.
    #[serde(with = "exact")]
    pub took: Option<f64>,
    /// How often.
    #[serde(with = "exact")]
    pub times: Option<f64>,
}

/// One value of the document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HealthValue {
    /// Where it stands.
    pub pointer: String,
    /// What stands there.
    pub leaf: Leaf,
}

/// What stands at the end of a pointer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Leaf {
    /// `null`.
    Nothing,
    /// A truth value.
    Flag(bool),
    /// A number.
    Number(#[serde(with = "exact")] f64),
    /// A text, safe to repeat.
    Text(String),
    /// So many entries, or names, below it.
    Many(u64),
}

impl Leaf {
    /// As a number, also one that is written as a text (`"12.5"`, `"87 %"`).
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Many(count) => Some(*count as f64),
            Self::Text(text) => {
                text.trim().trim_end_matches('%').trim_end().parse().ok().filter(|n: &f64| n.is_finite())
            }
            Self::Nothing | Self::Flag(_) => None,
        }
    }

    /// As it is compared with what is expected.
    #[must_use]
    pub fn word(&self) -> String {
        match self {
            Self::Nothing => "null".to_owned(),
            Self::Flag(flag) => flag.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
            Self::Many(count) => count.to_string(),
        }
    }
}

impl HealthReading {
    /// Not known: nothing is changed there.
    #[must_use]
    pub const fn whereabouts(&self) -> Option<&Whereabouts> {
        None
    }

    /// How it is as a whole. The status counts beside the word: whoever sends traffic there looks at nothing else.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let fails = self.status >= 500;
        match self.word.as_deref().map(standing) {
            Some(Standing::OutOfService) => Standing::OutOfService,
            Some(_) | None if fails => Standing::Down,
            Some(said) => said,
            // An empty answer says what it has to say by its status.
            None if self.shape == Shape::Plain && self.note.is_empty() && self.status < 300 => Standing::Up,
            None => self.checks.iter().map(HealthCheck::standing).max().unwrap_or_default(),
        }
    }

    /// The value at `pointer`.
    #[must_use]
    pub fn at(&self, pointer: &str) -> Option<&Leaf> {
        self.values.iter().find(|value| value.pointer == pointer).map(|value| &value.leaf)
    }

    /// The check of this name.
    #[must_use]
    pub fn check(&self, name: &str) -> Option<&HealthCheck> {
        self.checks.iter().find(|check| check.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(status: u16, word: Option<&str>, checks: &[&str], expected: Standing) {
        let one = |word: &&str| HealthCheck { word: Some((*word).to_owned()), ..HealthCheck::default() };
        let reading = HealthReading {
            status,
            word: word.map(str::to_owned),
            checks: checks.iter().map(one).collect(),
            ..HealthReading::default()
        };
        assert_eq!(reading.standing(), expected, "{status} {word:?} {checks:?}");
    }

    #[test]
    fn word_status_and_checks_make_one_standing() {
        check(200, Some("UP"), &["DOWN"], Standing::Up);
        check(503, Some("UP"), &[], Standing::Down);
        check(503, Some("DOWN"), &[], Standing::Down);
        check(200, Some("error"), &[], Standing::Down);
        check(503, Some("shutting_down"), &[], Standing::OutOfService);
        check(503, None, &[], Standing::Down);
        check(200, None, &["ok", "ok"], Standing::Up);
        check(200, None, &["ok", "meh"], Standing::Unknown);
        check(200, None, &["ok", "meh", "fail"], Standing::Down);
        // Who says nothing is not good.
        check(200, None, &[], Standing::Unknown);
        check(200, Some("purple"), &["ok"], Standing::Unknown);
        let empty = HealthReading { status: 204, shape: Shape::Plain, ..HealthReading::default() };
        assert_eq!(empty.standing(), Standing::Up);
        let text = HealthReading { note: "log in".to_owned(), ..empty };
        assert_eq!(text.standing(), Standing::Unknown);
    }

    #[test]
    fn a_measure_is_called_after_what_it_is_of() {
        let all = [
            (MeasureKind::P95, "queries", "queries p95"),
            (MeasureKind::P95, "", "p95"),
            (MeasureKind::PoolUse, "db", "db pool in use"),
            (MeasureKind::PoolUse, "connectionPool", "connectionPool in use"),
        ];
        for (kind, of, expected) in all {
            assert_eq!(kind.of(of), expected);
        }
    }

    #[test]
    fn a_number_may_be_written_as_a_text() {
        assert_eq!(Leaf::Text("87.5 %".to_owned()).number(), Some(87.5));
        assert_eq!(Leaf::Text("NaN".to_owned()).number(), None);
        assert_eq!(Leaf::Flag(true).number(), None);
        assert_eq!((Leaf::Many(3).number(), Leaf::Nothing.number()), (Some(3.0), None));
    }
}
