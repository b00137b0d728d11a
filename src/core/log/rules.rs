//! The rule about a log that is read here: errors far above what is usual. That it cannot be read is told as of every source.

use super::{LogReading, LogRow, LogState};
use crate::core::alert::RuleUnit::Count;
use crate::core::alert::Triage::Errors;
use crate::core::alert::{Judge, Judged, Missing, Need, Rule, RuleSpec};
use crate::core::place::Screen;
use crate::core::row::RowKey;
use crate::core::text::counted;

const LEVELS: Need = Need("errors");

/// The rules of this system, in the order in which they judge.
pub static RULES: &[&Rule<LogState>] = &[&TOO_MANY];

pub(crate) static TOO_MANY: Rule<LogState> = Rule::new(
    RuleSpec::new(
        "log.errors",
        "lines a minute of a log that say that they are errors, five times as many as is usual over the hour before",
        Count,
        Errors,
    )
    .warning(10.0)
    .hold(30)
    .over(60)
    .clear(60)
    .needs(&[LEVELS]),
    too_many,
);

impl Judged for LogState {
    type Reading = LogReading;
    const SCREEN: Screen = Screen::Logs;

    fn rules() -> &'static [&'static Rule<Self>] {
        RULES
    }

    fn newest(&self) -> Option<&LogReading> {
        self.reading()
    }

    fn missing(reading: &LogReading) -> Vec<Missing> {
        Missing::of(&[(LEVELS, reading.errors.gap(), "errors in the log")])
    }
}

fn too_many(its: &mut Judge<'_, LogState>, _: &LogReading) {
    let Some((errors, usual)) = its.state.far_above() else { return };
    let Some(grade) = its.grade(errors) else { return };
    let many = counted(errors as u64, "error");
    let usual = if usual < 1.0 { "less than one".to_owned() } else { format!("{usual:.0}") };
    let sentence = format!("{many} a minute in the log, {usual} a minute over the hour before");
    let row = RowKey::Log(its.target.clone(), LogRow::all(its.target.as_str()));
    its.tell(grade, "errors", sentence).row(row).look("open its lines");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::alert::{Rulebook, judge};
    use crate::core::ids::TargetId;
    use crate::core::part::{Part, Warm};
    use crate::core::time::Now;

    #[test]
    fn errors_far_above_the_usual_are_told_with_both_numbers() {
        let mut state = LogState::default();
        let rules = Rulebook::defaults(&RULES.iter().map(|rule| &rule.spec).collect::<Vec<_>>());
        for quarter in 0..=60_u64 {
            let at = Now::example(quarter * 15);
            let part = |count| Part::Ready(Warm::new(at, count));
            let errors = if quarter == 60 { 25 } else { 2 };
            state.absorb(LogReading { lines: part(90), errors: part(errors), ..LogReading::default() }, at);
        }
        let found = judge(&state, &TargetId::new("shop"), &rules, Now::example(900));
        let told: Vec<&str> = found.iter().map(|breach| breach.sentence.as_str()).collect();
        assert_eq!(told, ["25 errors a minute in the log, 2 a minute over the hour before"]);
    }
}
