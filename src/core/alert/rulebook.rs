//! The rules in force: each rule's defaults with what the configuration changed, for everything or for one target or copy.

use super::{Grade, RuleId, RuleSpec, Severity, Triage};
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
    /// How long it must be clear before it is over.
    pub clear: Duration,
    /// The address of the page that says what to do about it: stacktop's own unless the configuration names another.
    pub runbook: Option<String>,
}

impl RuleSetting {
    /// How bad `value` is where `past` says whether it is past a threshold.
    fn grade(&self, value: f64, past: impl Fn(f64) -> bool) -> Option<Grade> {
        let by = |severity, threshold: Option<f64>| {
            let threshold = threshold.filter(|threshold| past(*threshold))?;
            Some(Grade { severity, value: Some(value), threshold: Some(threshold) })
        };
        if !self.enabled {
            return None;
        }
        by(Severity::Critical, self.critical).or_else(|| by(Severity::Warning, self.warning))
    }
}

/// Where the page called `page` is: in the repository that whoever publishes names in Cargo.toml, at this version; without one in the
/// folder that lies beside README.md in every archive and package.
fn address(page: &str, repository: &str) -> String {
    let path = format!("docs/rules/{page}.md");
    match repository.trim_end_matches('/') {
        "" => path,
        repository => format!("{repository}/blob/v{}/{path}", env!("CARGO_PKG_VERSION")),
    }
}

/// All rules in force, by id.
#[derive(Clone, Debug, PartialEq)]
pub struct Rulebook {
    settings: HashMap<&'static str, RuleSetting>,
    /// What holds for one place instead, by its name.
    on: HashMap<&'static str, HashMap<String, RuleSetting>>,
    /// What holds for the targets of one group instead, by its name.
    of: HashMap<&'static str, HashMap<String, RuleSetting>>,
    /// The group of each target.
    groups: HashMap<String, String>,
}

impl Rulebook {
    /// The defaults of `specs`.
    #[must_use]
    pub fn defaults(specs: &[&RuleSpec]) -> Self {
        let settings = specs
            .iter()
            .map(|spec| {
                let setting = RuleSetting {
                    enabled: spec.on,
                    warning: spec.warning,
                    critical: spec.critical,
                    hold: spec.hold,
                    clear: spec.clear,
                    runbook: Some(address(spec.page(), env!("CARGO_PKG_REPOSITORY"))),
                };
                (spec.id.as_str(), setting)
            })
            .collect();
        Self { settings, on: HashMap::new(), of: HashMap::new(), groups: HashMap::new() }
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

    /// What holds of `id` for the target or copy called `place` instead; false when there is no such rule.
    pub fn set_on(&mut self, id: &str, place: &str, setting: RuleSetting) -> bool {
        let Some((id, _)) = self.settings.get_key_value(id) else { return false };
        self.on.entry(*id).or_default().insert(place.to_owned(), setting);
        true
    }

    /// What holds of `id` for every target of `group` instead; false when there is no such rule.
    pub fn set_of(&mut self, id: &str, group: &str, setting: RuleSetting) -> bool {
        let Some((id, _)) = self.settings.get_key_value(id) else { return false };
        self.of.entry(*id).or_default().insert(group.to_owned(), setting);
        true
    }

    /// Whether any rule asks of which group a target is.
    #[must_use]
    pub fn asks_for_groups(&self) -> bool {
        !self.of.is_empty()
    }

    /// The target called `target` is of this group.
    pub fn belongs(&mut self, target: &str, group: &str) {
        match self.groups.get_mut(target) {
            Some(known) if known == group => {}
            Some(known) => group.clone_into(known),
            None => {
                self.groups.insert(target.to_owned(), group.to_owned());
            }
        }
    }

    /// The setting of rule `id` for the first of these places that has one of its own, else for its group; else what holds for all.
    #[must_use]
    pub fn on(&self, id: RuleId, places: &[&str]) -> RuleSetting {
        let own = self.on.get(id.as_str());
        let own = own.and_then(|own| places.iter().find_map(|place| own.get(*place)));
        let grouped = || {
            let of = self.of.get(id.as_str())?;
            places.iter().find_map(|place| of.get(self.groups.get(*place)?))
        };
        own.or_else(grouped).cloned().unwrap_or_else(|| self.get(id))
    }

    /// The setting of rule `id`; a rule nobody declared is off.
    #[must_use]
    pub fn get(&self, id: RuleId) -> RuleSetting {
        self.settings.get(id.as_str()).cloned().unwrap_or(RuleSetting {
            enabled: false,
            warning: None,
            critical: None,
            hold: Duration::ZERO,
            clear: Duration::ZERO,
            runbook: None,
        })
    }

    /// How bad `value` is by `rule`: more is worse, or less, as the rule says. Of the future, it is never more than a warning, whatever is
    /// configured.
    #[must_use]
    pub fn grade(&self, rule: &RuleSpec, value: f64) -> Option<Grade> {
        self.grade_on(rule, &[], value)
    }

    /// The same for the first of these places that has thresholds of its own.
    #[must_use]
    pub fn grade_on(&self, rule: &RuleSpec, places: &[&str], value: f64) -> Option<Grade> {
        let setting = self.on(rule.id, places);
        let grade = if rule.less_is_worse() {
            setting.grade(value, |threshold| value < threshold)
        } else {
            setting.grade(value, |threshold| value >= threshold)
        };
        let most = if rule.triage == Triage::Forecast { Severity::Warning } else { Severity::Critical };
        grade.map(|grade| Grade { severity: grade.severity.min(most), ..grade })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::alert::RuleUnit;

    const MORE: RuleSpec =
        RuleSpec::new("test.rule", "", RuleUnit::Ratio, Triage::Saturation).warning(0.8).critical(0.9);
    const LESS: RuleSpec = RuleSpec::new("test.low", "less than this", RuleUnit::Ratio, Triage::Latency)
        .warning(0.8)
        .critical(0.5);
    const AHEAD: RuleSpec =
        RuleSpec::new("test.ahead", "less than this", RuleUnit::Seconds, Triage::Forecast).critical(0.5);

    #[track_caller]
    fn check(rule: &RuleSpec, value: f64, severity: Option<Severity>, threshold: Option<f64>) {
        let grade = Rulebook::defaults(&[&MORE, &LESS, &AHEAD]).grade(rule, value);
        assert_eq!(grade.map(|grade| grade.severity), severity);
        assert_eq!(grade.and_then(|grade| grade.threshold), threshold);
    }

    #[test]
    fn grades_both_ways_and_names_the_threshold() {
        check(&MORE, 0.79, None, None);
        check(&MORE, 0.8, Some(Severity::Warning), Some(0.8));
        check(&MORE, 0.95, Some(Severity::Critical), Some(0.9));
        check(&LESS, 0.8, None, None);
        check(&LESS, 0.7, Some(Severity::Warning), Some(0.8));
        check(&LESS, 0.4, Some(Severity::Critical), Some(0.5));
        check(&MORE, f64::NAN, None, None);
        check(&LESS, f64::NAN, None, None);
    }

    #[test]
    fn the_future_is_not_broken() {
        check(&AHEAD, 0.4, Some(Severity::Warning), Some(0.5));
        check(&AHEAD, 0.6, None, None);
    }

    #[test]
    fn a_place_can_have_thresholds_of_its_own() {
        let mut book = Rulebook::defaults(&[&MORE]);
        let own = RuleSetting { warning: Some(0.1), critical: Some(0.2), ..book.get(MORE.id) };
        assert!(book.set_on("test.rule", "replica", own));
        assert!(!book.set_on("no.such", "replica", book.get(MORE.id)));
        let severity =
            |places: &[&str], value| book.grade_on(&MORE, places, value).map(|grade| grade.severity);
        assert_eq!(severity(&["replica", "pg"], 0.15), Some(Severity::Warning));
        assert_eq!(severity(&["other", "replica"], 0.25), Some(Severity::Critical));
        assert_eq!(severity(&["pg"], 0.25), None);
        assert_eq!(severity(&["pg"], 0.95), Some(Severity::Critical));
    }

    #[test]
    fn a_rule_can_be_switched_off_and_one_that_nobody_declared_is() {
        let mut book = Rulebook::defaults(&[&MORE]);
        let off = RuleSetting { enabled: false, ..book.get(MORE.id) };
        assert!(book.set("test.rule", off));
        assert_eq!(book.grade(&MORE, 1.0), None);
        assert_eq!(book.grade(&LESS, 0.0), None);
        assert!(!book.set("no.such", book.get(MORE.id)));
    }

    #[test]
    fn a_rule_leads_to_its_own_page() {
        assert_eq!(address(MORE.page(), ""), "docs/rules/test.rule.md");
        let version = env!("CARGO_PKG_VERSION");
        let whole = format!("https://code.example/stacktop/blob/v{version}/docs/rules/test.rule.md");
        assert_eq!(address(MORE.page(), "https://code.example/stacktop/"), whole);
        assert_eq!(RuleSpec { on: false, ..MORE }.page(), "metrics.aims");
    }
}
