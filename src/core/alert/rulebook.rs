//! The rules in force: each rule's defaults with what the configuration changed.

use super::{RuleSpec, RuleUnit, Severity};
use std::collections::HashMap;
use std::time::Duration;

/// One rule as it is in force.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleSetting {
    /// Off means that it never signals.
    pub enabled: bool,
    /// The threshold of a warning, in the unit of the rule.
    pub warning: Option<f64>,
    /// The threshold of a critical finding.
    pub critical: Option<f64>,
    /// How long it must hold before it fires.
    pub hold: Duration,
}

impl RuleSetting {
    /// How bad `value` is when more is worse.
    #[must_use]
    pub fn grade(&self, value: f64) -> Option<Severity> {
        self.grade_by(|threshold| value >= threshold)
    }

    /// How bad `value` is when less is worse (a hit ratio).
    #[must_use]
    pub fn grade_low(&self, value: f64) -> Option<Severity> {
        self.grade_by(|threshold| value < threshold)
    }

    /// How bad it is that something will happen in so many seconds: never more than a warning, whatever is configured.
    #[must_use]
    pub fn foresee(&self, seconds: f64) -> Option<Severity> {
        self.grade_low(seconds).map(|severity| severity.min(Severity::Warning))
    }

    fn grade_by(&self, past: impl Fn(f64) -> bool) -> Option<Severity> {
        if !self.enabled {
            None
        } else if self.critical.is_some_and(&past) {
            Some(Severity::Critical)
        } else if self.warning.is_some_and(&past) {
            Some(Severity::Warning)
        } else {
            None
        }
    }
}

/// All rules in force, by id.
#[derive(Clone, Debug, PartialEq)]
pub struct Rulebook {
    settings: HashMap<&'static str, RuleSetting>,
}

impl Rulebook {
    /// The defaults of `specs`.
    #[must_use]
    pub fn defaults(specs: &[RuleSpec]) -> Self {
        let settings = specs
            .iter()
            .map(|spec| {
                let setting = RuleSetting {
                    enabled: true,
                    warning: spec.warning,
                    critical: spec.critical,
                    hold: spec.hold,
                };
                (spec.id, setting)
            })
            .collect();
        Self { settings }
    }

    /// Replaces the setting of `id`; false when there is no such rule.
    pub fn set(&mut self, id: &str, setting: RuleSetting) -> bool {
        match self.settings.get_mut(id) {
            Some(slot) => {
                *slot = setting;
                true
            }
            None => false,
        }
    }

    /// The setting of rule `id`; a rule nobody declared is off.
    #[must_use]
    pub fn get(&self, id: &str) -> RuleSetting {
        self.settings.get(id).cloned().unwrap_or(RuleSetting {
            enabled: false,
            warning: None,
            critical: None,
            hold: Duration::ZERO,
        })
    }

    /// How bad `value` is by rule `id` when more is worse.
    #[must_use]
    pub fn grade(&self, id: &str, value: f64) -> Option<Severity> {
        self.get(id).grade(value)
    }
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::alert::Triage;

    const SPEC: RuleSpec = RuleSpec {
        id: "test.rule",
        help: "",
        unit: RuleUnit::Ratio,
        warning: Some(0.8),
        critical: Some(0.9),
        hold: Duration::ZERO,
        triage: Triage::Saturation,
    };

    #[test]
    fn grades_both_ways() {
        let book = Rulebook::defaults(&[SPEC]);
        assert_eq!(book.grade("test.rule", 0.79), None);
        assert_eq!(book.grade("test.rule", 0.8), Some(Severity::Warning));
        assert_eq!(book.grade("test.rule", 0.95), Some(Severity::Critical));
        let low = RuleSetting { critical: Some(0.5), ..book.get("test.rule") };
        assert_eq!(low.grade_low(0.7), Some(Severity::Warning));
        assert_eq!(low.grade_low(0.4), Some(Severity::Critical));
        assert_eq!(low.foresee(0.4), Some(Severity::Warning), "the future is not broken");
        assert_eq!(low.foresee(0.9), None);
        assert_eq!(book.grade("no.such", 1e9), None);
    }

    #[test]
    fn a_rule_can_be_switched_off() {
        let mut book = Rulebook::defaults(&[SPEC]);
        let off = RuleSetting { enabled: false, ..book.get("test.rule") };
        assert!(book.set("test.rule", off));
        assert_eq!(book.grade("test.rule", 1.0), None);
    }
}
