//! The rules about a log that is read here: errors far above what is usual, and that it cannot be read. A log that is not there is no outage:
//! it is told as a warning, and never as silence of a server.

use super::{LogReading, LogRow, LogState};
use crate::core::alert::RuleUnit::State;
use crate::core::alert::Triage::Capacity;
use crate::core::alert::{Judge, Judged, Missing, Need, Rule, RuleSpec, Severity};
use crate::core::error_rules::{self, LEVELS};
use crate::core::place::Screen;
use crate::core::row::RowKey;

const LINES: Need = Need("lines");

/// The rules of this system, in the order in which they judge.
pub static RULES: &[&Rule<LogState>] = &[&TOO_MANY, &UNREAD];

pub(crate) static TOO_MANY: Rule<LogState> = Rule::new(
    error_rules::spec(
        "log.errors",
        "lines a minute of a log that say that they are errors, five times as many as is usual over the hour before",
    ),
    too_many,
);

pub(crate) static UNREAD: Rule<LogState> = Rule::new(
    RuleSpec::new(
        "log.unread",
        "a log of this machine cannot be read, or not all that comes: nobody watches its errors",
        State,
        // What is found out about the servers themselves goes before it.
        Capacity,
    )
    // A rotation takes a moment.
    .hold(10),
    unread,
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

    fn unlearned(&self) -> Option<(Need, &'static str)> {
        // Where no error can be counted that is told, and no time mends it.
        let counts = self.reading().is_some_and(|reading| reading.errors.gap().is_none());
        (counts && !self.tally.knows_usual()).then_some((LEVELS, error_rules::UNLEARNED))
    }

    fn missing(reading: &LogReading) -> Vec<Missing> {
        // A rule of its own says so.
        Missing::of(&[(LINES, reading.lines.gap(), ""), (LEVELS, reading.errors.gap(), "")])
    }
}

fn too_many(its: &mut Judge<'_, LogState>, _: &LogReading) {
    let Some(far) = its.state.far_above() else { return };
    let row = RowKey::Log(its.target.clone(), LogRow::all(its.target.as_str()));
    error_rules::tell(its, ("", ""), far, row);
}

fn unread(its: &mut Judge<'_, LogState>, reading: &LogReading) {
    let Some(gap) = reading.lines.gap() else { return };
    let Some(grade) = its.state(Severity::Warning) else { return };
    let sentence = format!("{}: {}", its.target, gap.note);
    its.tell(grade, "unread", sentence).look("see what is known of it");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::alert::{Rulebook, judge};
    use crate::core::ids::TargetId;
    use crate::core::part::{Gap, GapKind, Part, Warm};
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

    #[test]
    fn what_cannot_be_read_is_a_warning_with_its_reason() {
        let mut state = LogState::default();
        let rules = Rulebook::defaults(&RULES.iter().map(|rule| &rule.spec).collect::<Vec<_>>());
        let gap = || Part::Unavailable(Gap::new(GapKind::Failed, "there is no file /var/log/shop.log"));
        state.absorb(LogReading { lines: gap(), errors: gap(), ..LogReading::default() }, Now::example(0));
        let found = judge(&state, &TargetId::new("shop"), &rules, Now::example(0));
        let told: Vec<(Severity, &str)> =
            found.iter().map(|breach| (breach.severity, breach.sentence.as_str())).collect();
        assert_eq!(told, [(Severity::Warning, "shop: there is no file /var/log/shop.log")]);
        // Lines that say no level are no fault.
        let errors = Part::Unavailable(Gap::new(GapKind::NotSupported, "no line says what level it has"));
        let lines = Part::Ready(Warm::new(Now::example(60), 5));
        state.absorb(LogReading { lines, errors, ..LogReading::default() }, Now::example(60));
        assert!(judge(&state, &TargetId::new("shop"), &rules, Now::example(60)).is_empty());
    }
}
