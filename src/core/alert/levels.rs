//! The numbers that rules judge while nothing is wrong with them, so that a finding can show what was before it began. Bounded: forty numbers
//! of a target, each with a sample each ten seconds over a quarter of an hour, which is 3 KiB a number and 120 KiB a target at the most.

use super::{FindingKey, RuleId};
use crate::core::history::Series;
use crate::core::time::Now;
use std::collections::BTreeMap;
use std::time::Duration;

/// So many numbers of one target are followed.
const MOST: usize = 40;
/// Between two samples.
const EACH: Duration = Duration::from_secs(10);
/// They reach back so far: what the page of a finding draws.
const SPAN: Duration = Duration::from_secs(15 * 60);

/// What a rule judged, as bad as it may be.
#[derive(Clone, Debug, PartialEq)]
pub struct Level {
    /// The rule.
    pub rule: RuleId,
    /// What exactly it is about, as a finding would say.
    pub subject: String,
    /// The number, in the unit of the rule.
    pub value: f64,
}

/// The numbers of one target.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Levels(BTreeMap<(RuleId, String), Series>);

impl Levels {
    /// Takes in what was judged at `now`.
    pub fn take(&mut self, judged: Vec<Level>, now: Now) {
        for Level { rule, subject, value } in judged {
            let (key, room) = ((rule, subject), self.0.len() < MOST);
            let series = match self.0.get_mut(&key) {
                Some(series) => series,
                None if room => self.0.entry(key).or_default(),
                None => continue,
            };
            let due = series.span().is_none_or(|(_, newest)| newest.saturating_add(EACH) <= now.mono);
            if due {
                series.push(now, Some(value));
                series.forget_before(now.minus(SPAN));
            }
        }
        self.0.retain(|_, series| {
            series.span().is_some_and(|(_, newest)| now.mono.saturating_sub(newest) < SPAN)
        });
    }

    /// Nobody knows what they were at `now`.
    pub fn gap(&mut self, now: Now) {
        for series in self.0.values_mut().filter(|series| series.last().is_some()) {
            series.push(now, None);
        }
    }

    /// The number that the finding of `key` is about.
    #[must_use]
    pub fn of(&self, key: &FindingKey) -> Option<&Series> {
        self.0.get(&(key.rule, key.subject.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::alert::{RuleSpec, RuleUnit, Triage};
    use crate::core::ids::TargetId;

    const SPEC: RuleSpec = RuleSpec::new("test.rule", "", RuleUnit::Ratio, Triage::Saturation);

    fn level(subject: &str, value: f64) -> Level {
        Level { rule: SPEC.id, subject: subject.to_owned(), value }
    }

    fn known(levels: &Levels, subject: &str) -> Vec<f64> {
        let key = FindingKey { rule: SPEC.id, target: TargetId::new("pg"), subject: subject.to_owned() };
        levels.of(&key).map_or_else(Vec::new, |series| series.within(SPAN * 9).collect())
    }

    #[test]
    fn a_number_is_kept_each_ten_seconds_for_a_quarter_of_an_hour() {
        let mut levels = Levels::default();
        for second in 0..2000 {
            levels.take(vec![level("a", f64::from(second))], Now::example(u64::try_from(second).unwrap()));
        }
        let kept = known(&levels, "a");
        assert_eq!((kept.len(), kept[0], kept[kept.len() - 1]), (91, 1090.0, 1990.0));
        levels.gap(Now::example(2001));
        levels.gap(Now::example(2002));
        assert_eq!(known(&levels, "a").len(), 91, "a gap is no number");
        levels.take(vec![level("b", 1.0)], Now::example(2902));
        assert_eq!((known(&levels, "a"), known(&levels, "b")), (Vec::new(), vec![1.0]), "it is told no more");
    }

    #[test]
    fn no_more_than_so_many_are_followed() {
        let mut levels = Levels::default();
        let all = (0..100).map(|number| level(&number.to_string(), 1.0)).collect();
        levels.take(all, Now::example(1));
        assert_eq!(levels.0.len(), MOST);
    }
}
