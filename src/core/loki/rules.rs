//! The rules about a Loki server: it is not ready, errors far above what is usual, nothing comes any more, panels of the team's own.

use super::{LokiReading, LokiRow, LokiState};
use crate::core::alert::RuleUnit::{Seconds, State};
use crate::core::alert::Triage::{Errors, Saturation, Silent};
use crate::core::alert::{Judge, Judged, Missing, Need, Rule, RuleSpec, Severity};
use crate::core::error_rules::{self, LEVELS};
use crate::core::part::Part;
use crate::core::place::Screen;
use crate::core::prometheus::panel_rules;
use crate::core::row::RowKey;
use crate::core::text::tidy;

const READY: Need = Need("ready");
const RECEIVED: Need = Need("received");
const PANELS: Need = Need("panels");

/// The rules of this system, in the order in which they judge.
pub static RULES: &[&Rule<LokiState>] = &[&NOT_READY, &TOO_MANY, &NOTHING, &PANEL, &PANEL_BLIND];

pub(crate) static NOT_READY: Rule<LokiState> = Rule::new(
    RuleSpec::new(
        "loki.not_ready",
        "Loki says that it is not ready: lines are refused or not found",
        State,
        Errors,
    )
    .needs(&[READY])
    // That is how it begins.
    .hold(60)
    .root(),
    not_ready,
);

pub(crate) static TOO_MANY: Rule<LokiState> = Rule::new(
    error_rules::spec(
        "loki.errors",
        "lines a minute that say that they are errors, five times as many as is usual over the hour before",
    ),
    too_many,
);

pub(crate) static NOTHING: Rule<LokiState> = Rule::new(
    RuleSpec::new(
        "loki.silent",
        "for how long no line came at all, where lines came before, and never were away for a third of it",
        Seconds,
        Silent,
    )
    .warning(300.0)
    .needs(&[RECEIVED]),
    nothing,
);

pub(crate) static PANEL: Rule<LokiState> = Rule::new(
    RuleSpec::new("loki.panel", "a configured LogQL panel is past its own threshold", State, Saturation)
        .needs(&[PANELS]),
    panel,
);

pub(crate) static PANEL_BLIND: Rule<LokiState> = Rule::new(
    RuleSpec::new("loki.panel_blind", "a configured LogQL panel cannot be evaluated", State, Errors),
    panel_blind,
);

impl Judged for LokiState {
    type Reading = LokiReading;
    const SCREEN: Screen = Screen::Logs;

    fn rules() -> &'static [&'static Rule<Self>] {
        RULES
    }

    fn newest(&self) -> Option<&LokiReading> {
        self.reading()
    }

    fn awaited(reading: &LokiReading) -> Vec<(Need, &'static str)> {
        let waits = reading.received == Part::NotAsked;
        waits.then_some((RECEIVED, "whether lines come")).into_iter().collect()
    }

    fn unlearned(&self) -> Option<(Need, &'static str)> {
        // Where no error can be counted that is told, and no time mends it.
        let counts = self.reading().is_some_and(|reading| reading.errors.gap().is_none());
        (counts && !self.tally.knows_usual()).then_some((LEVELS, error_rules::UNLEARNED))
    }

    fn missing(reading: &LokiReading) -> Vec<Missing> {
        let panels = reading.panels.iter().find_map(|panel| panel.series.gap());
        Missing::of(&[
            (PANELS, panels, ""),
            (READY, reading.ready.gap(), "whether it is ready"),
            (RECEIVED, reading.received.gap(), "whether lines come"),
            (LEVELS, reading.errors.gap(), error_rules::UNREAD),
        ])
    }
}

type Its<'a> = Judge<'a, LokiState>;

const STEP: &str = "open the logs screen";

fn not_ready(its: &mut Its<'_>, reading: &LokiReading) {
    let Some(ready) = reading.ready.ready().filter(|ready| !ready.ready) else { return };
    let Some(grade) = its.state(Severity::Warning) else { return };
    let sentence = format!("Loki is not ready: {}", tidy(&ready.says, 100));
    its.tell(grade, "ready", sentence).say("its own log says which of its parts is not running");
}

fn too_many(its: &mut Its<'_>, _: &LokiReading) {
    let state = its.state;
    for (name, errors, usual) in state.far_above() {
        let who = if name.is_empty() { "the streams" } else { name };
        let row = RowKey::Loki(its.target.clone(), LokiRow::Stream(name.to_owned()));
        error_rules::tell(its, (name, who), (errors, usual), row);
    }
}

fn nothing(its: &mut Its<'_>, _: &LokiReading) {
    let Some(silent) = its.state.silent(its.now) else { return };
    let Some(grade) = its.grade(silent.as_secs_f64()) else { return };
    let sentence = "no line came at all, though lines came before: what sends them may be down or cut off";
    its.tell(grade, "silent", sentence.to_owned())
        .since(Some(silent))
        .say("look at what ships the logs (Alloy, Promtail, the Docker driver) and at what Loki refuses");
}

fn panel(its: &mut Its<'_>, reading: &LokiReading) {
    let target = its.target;
    let row = |title, labels| RowKey::Loki(target.clone(), LokiRow::Panel { title, labels });
    panel_rules::past(its, &reading.panels, |known, title| known.settings.panel(title), row, STEP);
}

fn panel_blind(its: &mut Its<'_>, reading: &LokiReading) {
    panel_rules::blind(its, &reading.panels, STEP);
}

#[cfg(test)]
mod tests {
    use super::super::{Readiness, Received};
    use super::*;
    use crate::core::alert::{Rulebook, judge};
    use crate::core::ids::TargetId;
    use crate::core::lines::Count as Lines;
    use crate::core::loki::LokiSettings;
    use crate::core::part::{Gap, GapKind, Part, Warm};
    use crate::core::prometheus::{PanelReading, PromQuery};
    use crate::core::time::Now;

    fn defaults() -> Rulebook {
        Rulebook::defaults(&RULES.iter().map(|rule| &rule.spec).collect::<Vec<_>>())
    }

    fn told(state: &LokiState, second: u64) -> Vec<String> {
        let list = judge(state, &TargetId::new("logs"), &defaults(), Now::example(second));
        list.into_iter().map(|breach| format!("{}: {}", breach.rule, breach.sentence)).collect()
    }

    fn reading(second: u64, lines: f64, errors: f64) -> LokiReading {
        let at = Now::example(second);
        let one = |lines| vec![Lines { name: "api".to_owned(), lines }];
        LokiReading {
            received: Part::Ready(Warm::new(at, Received { streams: one(lines), ..Received::default() })),
            errors: Part::Ready(Warm::new(at, one(errors))),
            ..LokiReading::default()
        }
    }

    /// After an hour of these numbers, a quarter of a minute each, and then so many of those.
    fn after(usual: (f64, f64), then: (f64, f64), times: u64) -> Vec<String> {
        let mut state = LokiState::default();
        let mut second = 0;
        for (times, (lines, errors)) in [(240, usual), (times, then)] {
            for _ in 0..times {
                second += 15;
                state.absorb(reading(second, lines, errors), Now::example(second));
            }
        }
        told(&state, second)
    }

    #[test]
    fn errors_far_above_the_hour_before_are_told_and_few_are_not() {
        let words = "loki.errors: api: 120 errors a minute in the log, 3 a minute over the hour before";
        assert_eq!(after((500.0, 3.0), (500.0, 120.0), 2), [words]);
        let words =
            "loki.errors: api: 10 errors a minute in the log, less than one a minute over the hour before";
        assert_eq!(after((500.0, 0.0), (500.0, 10.0), 1), [words]);
        assert_eq!(after((500.0, 0.0), (500.0, 9.0), 1), [""; 0], "below the threshold");
        assert_eq!(after((500.0, 60.0), (500.0, 200.0), 9), [""; 0], "as usual, or nearly");
    }

    #[test]
    fn nothing_that_comes_is_told_after_minutes() {
        let words = "loki.silent: no line came at all, though lines came before: what sends them may be down or cut off";
        assert_eq!(after((500.0, 0.0), (0.0, 0.0), 17), [words]);
        assert_eq!(after((500.0, 0.0), (0.0, 0.0), 16), [""; 0]);
        assert_eq!(after((0.0, 0.0), (0.0, 0.0), 100), [""; 0]);
    }

    #[test]
    fn it_tells_that_it_is_not_ready_and_nothing_where_it_does_not_say() {
        let of = |ready| {
            let mut state = LokiState::default();
            state.absorb(LokiReading { ready, ..LokiReading::default() }, Now::example(0));
            told(&state, 0)
        };
        let not = Readiness { ready: false, says: "Ingester not ready: waiting for 15s".to_owned() };
        assert_eq!(
            of(Part::Ready(not)),
            ["loki.not_ready: Loki is not ready: Ingester not ready: waiting for 15s"]
        );
        assert_eq!(of(Part::Ready(Readiness { ready: true, says: String::new() })), [""; 0]);
        assert_eq!(of(Part::Unavailable(Gap::new(GapKind::NotSupported, "behind a gateway"))), [""; 0]);
    }

    #[test]
    fn a_panel_is_judged_by_its_own_thresholds() {
        let query = PromQuery {
            title: "slow".to_owned(),
            expr: "sum(rate({app=\"pg\"} |= \"duration\"[1m]))".to_owned(),
            unit: "/s".to_owned(),
            warning: Some(2.0),
            ..PromQuery::default()
        };
        let of = |series| {
            let mut state = LokiState::new(LokiSettings { panels: vec![query.clone()] });
            let panels = vec![PanelReading { title: "slow".to_owned(), series, cut: None }];
            state.absorb(LokiReading { panels, ..LokiReading::default() }, Now::example(0));
            told(&state, 0)
        };
        let one = |value| Part::Ready(vec![("app=pg".to_owned(), value)]);
        assert_eq!(of(one(2.5)), ["loki.panel: slow is 2.50/s (app=pg)"]);
        assert_eq!(of(one(1.5)), [""; 0]);
        let gap = Part::Unavailable(Gap::new(GapKind::Failed, "parse error"));
        assert_eq!(of(gap), ["loki.panel_blind: panel slow watches nothing: parse error"]);
    }

    #[test]
    fn a_count_that_is_old_makes_nothing_new() {
        let mut state = LokiState::default();
        state.absorb(reading(15, 5.0, 0.0), Now::example(15));
        for second in 16..2000 {
            state.absorb(reading(15, 5.0, 0.0), Now::example(second));
        }
        assert_eq!(told(&state, 2000), [""; 0]);
        assert_eq!(state.silent(Now::example(2000)), None);
    }
}
