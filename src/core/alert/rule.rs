//! What is told of a rule: its words, unit, thresholds and hold, and the parts of a reading that it needs.

use super::{Severity, Triage};
use crate::core::ids::TargetId;
use crate::core::text::{duration, scaled, sized};
use std::fmt;
use std::time::Duration;

/// What swings is over once it was clear for this long.
const SWINGS: Duration = Duration::from_secs(15);

/// Which rule: `system.what`, as the configuration names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(&'static str);

impl RuleId {
    /// As the configuration writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl PartialEq<&str> for RuleId {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

/// Which finding: it stays the same while its sentence changes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FindingKey {
    /// Its rule.
    pub rule: RuleId,
    /// Where.
    pub target: TargetId,
    /// What exactly.
    pub subject: String,
}

/// What the numbers of a rule mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleUnit {
    /// A plain count.
    Count,
    /// 0–1.
    Ratio,
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// Events per second.
    PerSecond,
    /// There is no number: the state itself is what is wrong.
    State,
}

impl RuleUnit {
    /// How a threshold of this unit is written in the sample configuration.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Ratio => "ratio 0–1",
            Self::Seconds => "seconds",
            Self::Bytes => "bytes",
            Self::PerSecond => "per second",
            Self::State => "no number",
        }
    }

    /// A number of this unit, as short as people say it.
    #[must_use]
    pub fn told(self, value: f64) -> String {
        let short = |value: f64| {
            let text = scaled(value, 1000.0, &["", "k", "M", "G"]).replace(' ', "");
            if value.abs() < 10.0 && value.fract() != 0.0 { format!("{value:.1}") } else { text }
        };
        match self {
            Self::Count | Self::State => short(value),
            Self::Ratio => format!("{} %", short(value * 100.0)),
            Self::Seconds => duration(crate::core::time::span_of(value)),
            Self::Bytes => sized(value),
            Self::PerSecond => format!("{}/s", short(value)),
        }
    }
}

/// A part of a reading that rules look at ("sessions", "queues"); named by the system that reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need(pub &'static str);

/// What is told of a rule; every number can be changed in the configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleSpec {
    /// Its name in the configuration, unique.
    pub id: RuleId,
    /// What it means, in one sentence.
    pub help: &'static str,
    /// The unit of the thresholds.
    pub unit: RuleUnit,
    /// At or above this it is a warning. Rules that look for too little say so in their help and compare the other way.
    pub warning: Option<f64>,
    /// At or above this it is critical.
    pub critical: Option<f64>,
    /// How long it must hold before it is shown as firing.
    pub hold: Duration,
    /// How long it must not hold before it is over: while that runs, the finding says that it recovers.
    pub clear: Duration,
    /// Where it stands in triage.
    pub triage: Triage,
    /// The parts that it looks at: without one of them nobody can say whether it is over.
    pub needs: &'static [Need],
    /// It counts what happened within this span: so long after the last of it, it may still be past its threshold.
    pub window: Duration,
    /// What it finds is a root: it may be the cause of others' trouble and names who or what it is.
    pub names_root: bool,
    /// It signals unless it is switched off; otherwise only where it is switched on.
    pub on: bool,
}

/// The page about all rules that ship switched off: they are of one kind.
const AIMS: &str = "metrics.aims";

impl RuleSpec {
    /// The name of the page about it in `docs/rules`.
    #[must_use]
    pub const fn page(&self) -> &'static str {
        if self.on { self.id.0 } else { AIMS }
    }

    /// A rule without thresholds and hold. What is a share or a rate swings about a threshold: it is over once it was clear for a while.
    #[must_use]
    pub const fn new(id: &'static str, help: &'static str, unit: RuleUnit, triage: Triage) -> Self {
        let (warning, critical) = (None, None);
        let (hold, window, needs, names_root) = (Duration::ZERO, Duration::ZERO, &[], false);
        let clear = match unit {
            RuleUnit::Ratio | RuleUnit::PerSecond => SWINGS,
            RuleUnit::Count | RuleUnit::Seconds | RuleUnit::Bytes | RuleUnit::State => Duration::ZERO,
        };
        Self {
            id: RuleId(id),
            help,
            unit,
            warning,
            critical,
            hold,
            clear,
            triage,
            needs,
            window,
            names_root,
            on: true,
        }
    }

    /// From here on a warning.
    #[must_use]
    pub const fn warning(self, at: f64) -> Self {
        Self { warning: Some(at), ..self }
    }

    /// From here on critical.
    #[must_use]
    pub const fn critical(self, at: f64) -> Self {
        Self { critical: Some(at), ..self }
    }

    /// It must hold for so many seconds.
    #[must_use]
    pub const fn hold(self, seconds: u64) -> Self {
        Self { hold: Duration::from_secs(seconds), ..self }
    }

    /// It must be clear for so many seconds.
    #[must_use]
    pub const fn clear(self, seconds: u64) -> Self {
        Self { clear: Duration::from_secs(seconds), ..self }
    }

    /// It counts what happened within so many seconds.
    #[must_use]
    pub const fn over(self, seconds: u64) -> Self {
        Self { window: Duration::from_secs(seconds), ..self }
    }

    /// It looks at these parts.
    #[must_use]
    pub const fn needs(self, needs: &'static [Need]) -> Self {
        Self { needs, ..self }
    }

    /// It signals only where it is switched on.
    #[must_use]
    pub const fn off(self) -> Self {
        Self { on: false, ..self }
    }

    /// It names a root.
    #[must_use]
    pub const fn root(self) -> Self {
        Self { names_root: true, ..self }
    }

    /// Whether it looks for too little: its help says so, and its critical threshold is the lower one.
    #[must_use]
    pub fn less_is_worse(&self) -> bool {
        self.help.starts_with("less than ")
    }
}

/// How bad something is, with the number that says so.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grade {
    /// How bad.
    pub severity: Severity,
    /// What was measured, in the unit of the rule.
    pub value: Option<f64>,
    /// The threshold that it is past.
    pub threshold: Option<f64>,
}

impl Grade {
    /// The worse of two.
    #[must_use]
    pub fn worse(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        match (one, other) {
            (Some(one), Some(other)) => Some(if other.severity > one.severity { other } else { one }),
            (one, other) => one.or(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(unit: RuleUnit, value: f64, expected: &str) {
        assert_eq!(unit.told(value), expected);
    }

    #[test]
    fn a_number_is_told_in_its_unit() {
        check(RuleUnit::Ratio, 0.01, "1 %");
        check(RuleUnit::Ratio, 0.076, "7.6 %");
        check(RuleUnit::Ratio, 0.256, "26 %");
        check(RuleUnit::Seconds, 0.5, "500 ms");
        check(RuleUnit::Seconds, f64::INFINITY, &duration(Duration::MAX));
        check(RuleUnit::Bytes, 1_572_864.0, "1.5 MiB");
        check(RuleUnit::Count, 4.0, "4");
        check(RuleUnit::Count, 12_000.0, "12k");
        check(RuleUnit::PerSecond, 2.5, "2.5/s");
    }
}
