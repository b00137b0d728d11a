//! The rules about a Prometheus server: what it watches is down, what it says fires, what it cannot evaluate.

use super::{AlertingRule, PrometheusReading, PrometheusRow, PrometheusState, panel_rules};
use crate::core::alert::RuleUnit::State;
use crate::core::alert::Triage::{Errors, Saturation, Silent, Told};
use crate::core::alert::always_fires;
use crate::core::alert::{Judge, Judged, Missing, Need, Rule, RuleSpec, Severity};
use crate::core::place::Screen;
use crate::core::row::RowKey;
use crate::core::text::{counted, tidy};
use std::collections::BTreeMap;
use std::time::Duration;

/// Alerts of one rule and severity beyond this are one finding that counts them.
const MOST_ALERTS: usize = 20;

/// Of one job's targets that are down so many are a finding each; the others are one that counts them.
const MOST_TARGETS: usize = 20;

const TARGETS: Need = Need("targets");
const ALERTS: Need = Need("rules");
const MANAGERS: Need = Need("alertmanagers");
const PANELS: Need = Need("panels");

/// The rules of this system, in the order in which they judge.
pub static RULES: &[&Rule<PrometheusState>] =
    &[&TARGET_DOWN, &ALERT, &RULE_FAILING, &NOWHERE, &PANEL, &PANEL_BLIND];

pub(crate) static TARGET_DOWN: Rule<PrometheusState> = Rule::new(
    RuleSpec::new("prometheus.target_down", "Prometheus cannot scrape a target", State, Errors)
        .needs(&[TARGETS])
        .root(),
    target_down,
);

pub(crate) static ALERT: Rule<PrometheusState> = Rule::new(
    RuleSpec::new("prometheus.alert", "an alerting rule of Prometheus fires", State, Told).needs(&[ALERTS]),
    alert,
);

pub(crate) static RULE_FAILING: Rule<PrometheusState> = Rule::new(
    RuleSpec::new(
        "prometheus.rule_failing",
        "a rule cannot be evaluated: its alert would stay silent",
        State,
        Silent,
    )
    .needs(&[ALERTS]),
    rule_failing,
);

pub(crate) static NOWHERE: Rule<PrometheusState> = Rule::new(
    RuleSpec::new(
        "prometheus.nowhere",
        "there are alerting rules, and no Alertmanager is told when they fire",
        State,
        Silent,
    )
    .needs(&[ALERTS, MANAGERS])
    // It looks for them anew after its start.
    .hold(120),
    nowhere,
);

pub(crate) static PANEL: Rule<PrometheusState> = Rule::new(
    RuleSpec::new(
        "prometheus.panel",
        "a configured PromQL panel is past its own threshold",
        State,
        Saturation,
    )
    .needs(&[PANELS]),
    panel,
);

pub(crate) static PANEL_BLIND: Rule<PrometheusState> = Rule::new(
    RuleSpec::new("prometheus.panel_blind", "a configured PromQL panel cannot be evaluated", State, Errors),
    panel_blind,
);

impl Judged for PrometheusState {
    type Reading = PrometheusReading;
    const SCREEN: Screen = Screen::Metrics;

    fn rules() -> &'static [&'static Rule<Self>] {
        RULES
    }

    fn newest(&self) -> Option<&PrometheusReading> {
        self.reading()
    }

    fn missing(reading: &PrometheusReading) -> Vec<Missing> {
        let panels = reading.panels.iter().find_map(|panel| panel.series.gap());
        Missing::of(&[
            (PANELS, panels, ""),
            (TARGETS, reading.targets.gap(), "targets that are down"),
            (ALERTS, reading.rules.gap(), "its alerts and rules"),
            (MANAGERS, reading.alertmanagers.gap(), "whom it tells of alerts"),
        ])
    }
}

type Its<'a> = Judge<'a, PrometheusState>;

const STEP: &str = "open the metrics screen";

/// An alert that fires, with its row.
fn tell_alert(its: &mut Its<'_>, severity: Severity, rule: &AlertingRule, sentence: String) {
    let Some(grade) = its.state(severity) else { return };
    let row = PrometheusRow::Rule {
        group: rule.group.clone(),
        name: rule.name.clone(),
        labels: rule.labels.clone(),
    };
    let row = RowKey::Prometheus(its.target.clone(), row);
    its.tell(grade, rule.subject(), sentence).since(rule.active_for).row(row).look(STEP);
}

fn tell(its: &mut Its<'_>, severity: Severity, subject: String, sentence: String, age: Option<Duration>) {
    let Some(grade) = its.state(severity) else { return };
    its.tell(grade, subject, sentence).since(age).look(STEP);
}

fn target_down(its: &mut Its<'_>, reading: &PrometheusReading) {
    let mut jobs: BTreeMap<&str, usize> = BTreeMap::new();
    for down in reading.targets.ready().into_iter().flatten().filter(|target| target.is_down()) {
        let told = jobs.entry(&down.job).or_default();
        *told += 1;
        if *told > MOST_TARGETS {
            continue;
        }
        let name = format!("{} of job {}", tidy(&down.instance, 40), tidy(&down.job, 30));
        let sentence = format!("{name} is down: {}", tidy(&down.last_error, 100));
        tell(its, Severity::Warning, name, sentence, None);
    }
    for (job, down) in jobs {
        if let Some(more @ 1..) = down.checked_sub(MOST_TARGETS) {
            let job = tidy(job, 30);
            let sentence = format!("{more} more targets of job {job} are down, {down} in all");
            tell(its, Severity::Warning, format!("{job} more"), sentence, None);
        }
    }
}

fn notable(reading: &PrometheusReading) -> impl Iterator<Item = &AlertingRule> {
    reading.rules.ready().into_iter().flat_map(|rules| &rules.notable)
}

fn rule_failing(its: &mut Its<'_>, reading: &PrometheusReading) {
    for rule in notable(reading).filter(|rule| !rule.error.is_empty()) {
        let sentence =
            format!("rule {} cannot be evaluated: {}", tidy(&rule.name, 60), tidy(&rule.error, 100));
        tell(its, Severity::Warning, rule.subject(), sentence, None);
    }
}

fn nowhere(its: &mut Its<'_>, reading: &PrometheusReading) {
    let alerting = reading.rules.ready().map_or(0, |rules| rules.alerting);
    let Some(managers) = reading.alertmanagers.ready().filter(|managers| managers.told.is_empty()) else {
        return;
    };
    let Some(grade) = its.state(Severity::Warning).filter(|_| alerting > 0) else { return };
    let dropped = match managers.dropped {
        0 => String::new(),
        dropped => format!(" ({} found, and dropped by its relabelling)", counted(dropped, "Alertmanager")),
    };
    let rules = counted(alerting, "alerting rule");
    let sentence = format!("{rules}, and no Alertmanager is told when one fires{dropped}");
    its.tell(grade, "alertmanagers", sentence)
        .say("set `alerting` in its configuration; where others send its alerts switch this rule off");
}

fn alert(its: &mut Its<'_>, reading: &PrometheusReading) {
    let mut beyond: BTreeMap<(&str, &str, Severity), usize> = BTreeMap::new();
    let fires =
        |rule: &&AlertingRule| rule.error.is_empty() && rule.state == "firing" && !always_fires(&rule.name);
    for rule in notable(reading).filter(fires) {
        let name = tidy(&rule.name, 60);
        if let Some(muted) = &rule.muted {
            let sentence = format!("{}, {muted}", firing(rule, &name));
            tell_alert(its, Severity::Info, rule, sentence);
            continue;
        }
        let told = beyond.entry((&rule.group, &rule.name, Severity::of_label(&rule.severity))).or_default();
        *told += 1;
        if *told <= MOST_ALERTS {
            tell_alert(its, Severity::of_label(&rule.severity), rule, firing(rule, &name));
        }
    }
    for ((group, name, severity), alerts) in beyond {
        if let Some(others @ 1..) = alerts.checked_sub(MOST_ALERTS) {
            let sentence = format!("Prometheus alert {} fires for {others} more", tidy(name, 60));
            tell(its, severity, more(group, name), sentence, None);
        }
    }
}

/// What the finding is about that counts further alerts of a rule.
pub(crate) fn more(group: &str, name: &str) -> String {
    format!("{group} {name} more")
}

fn panel_blind(its: &mut Its<'_>, reading: &PrometheusReading) {
    panel_rules::blind(its, &reading.panels, STEP);
}

fn panel(its: &mut Its<'_>, reading: &PrometheusReading) {
    let target = its.target;
    let row = |title, labels| RowKey::Prometheus(target.clone(), PrometheusRow::Panel { title, labels });
    panel_rules::past(its, &reading.panels, |known, title| known.settings.panel(title), row, STEP);
}

fn firing(rule: &AlertingRule, name: &str) -> String {
    let labels =
        if rule.labels.is_empty() { String::new() } else { format!(" ({})", tidy(&rule.labels, 60)) };
    if rule.summary.is_empty() {
        format!("Prometheus alert {name} fires{labels}")
    } else {
        format!("Prometheus alert {name} fires{labels}: {}", tidy(&rule.summary, 100))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::alert::{Breach, Rulebook, judge};
    use crate::core::ids::TargetId;
    use crate::core::part::Part;
    use crate::core::prometheus::{
        Alertmanagers, PanelReading, PromQuery, PrometheusReading, RulesReading, ScrapeTarget,
    };
    use crate::core::time::Now;

    fn defaults() -> Rulebook {
        Rulebook::defaults(&RULES.iter().map(|rule| &rule.spec).collect::<Vec<_>>())
    }

    fn told(notable: Vec<AlertingRule>) -> Vec<Breach> {
        let rules = Part::Ready(RulesReading { total: notable.len(), notable, ..RulesReading::default() });
        let mut state = PrometheusState::default();
        state.absorb(PrometheusReading { rules, ..PrometheusReading::default() }, Now::example(0));
        judge(&state, &TargetId::new("p"), &defaults(), Now::example(0))
    }

    fn alert(group: &str, labels: &str, severity: &str, state: &str) -> AlertingRule {
        AlertingRule {
            group: group.to_owned(),
            name: "HighErrors".to_owned(),
            labels: labels.to_owned(),
            severity: severity.to_owned(),
            state: state.to_owned(),
            ..AlertingRule::default()
        }
    }

    #[test]
    fn alerts_of_one_name_are_apart_and_none_hides_another() {
        let list = told(vec![
            alert("a", "host=x", "warning", "firing"),
            alert("a", "host=x", "critical", "firing"),
            alert("a", "host=y", "critical", "pending"),
            alert("b", "host=x", "warning", "firing"),
        ]);
        let mut subjects: Vec<&str> = list.iter().map(|breach| breach.subject.as_str()).collect();
        subjects.sort_unstable();
        subjects.dedup();
        assert_eq!(subjects.len(), 3, "{subjects:?}");
        assert_eq!(list.iter().filter(|breach| breach.severity == Severity::Critical).count(), 1);
    }

    #[test]
    fn rules_whose_alerts_go_nowhere_are_told() {
        let sentences = |alerting: usize, managers: Part<Alertmanagers>| {
            let rules = Part::Ready(RulesReading { total: alerting, alerting, ..RulesReading::default() });
            let reading =
                PrometheusReading { rules, alertmanagers: managers, ..PrometheusReading::default() };
            let mut state = PrometheusState::default();
            state.absorb(reading, Now::example(0));
            let found = judge(&state, &TargetId::new("p"), &defaults(), Now::example(0));
            found.into_iter().map(|breach| format!("{} {}", breach.rule, breach.sentence)).collect::<Vec<_>>()
        };
        let none = |dropped| Part::Ready(Alertmanagers { told: Vec::new(), dropped });
        let words = "prometheus.nowhere 3 alerting rules, and no Alertmanager is told when one fires";
        assert_eq!(sentences(3, none(0)), [words]);
        let dropped = format!("{words} (2 Alertmanagers found, and dropped by its relabelling)");
        assert_eq!(sentences(3, none(2)), [dropped]);
        assert_eq!(sentences(0, none(0)), Vec::<String>::new());
        let one = Alertmanagers { told: vec!["http://am:9093".to_owned()], dropped: 0 };
        assert_eq!(sentences(3, Part::Ready(one)), Vec::<String>::new());
        assert_eq!(sentences(3, Part::NotAsked), Vec::<String>::new());
    }

    #[test]
    fn the_alert_that_must_always_fire_is_no_finding() {
        let always =
            |name: &str| AlertingRule { name: name.to_owned(), ..alert("a", "", "critical", "firing") };
        assert_eq!(told(vec![always("Watchdog"), always("DeadMansSwitch")]), []);
        assert_eq!(told(vec![always("WatchdogOfX")]).len(), 1);
    }

    #[test]
    fn a_panel_past_its_threshold_is_told_with_the_row_of_its_series() {
        let query = PromQuery { title: "queue".to_owned(), warning: Some(5.0), ..PromQuery::default() };
        let panel = |labels: &str, value: f64| PanelReading {
            title: "queue".to_owned(),
            series: Part::Ready(vec![(labels.to_owned(), value)]),
            ..PanelReading::default()
        };
        let mut state = PrometheusState::default();
        state.settings.panels = vec![query];
        let panels = vec![panel("", 7.0), panel("shop=eu", 9.0), panel("shop=us", 4.0)];
        state.absorb(PrometheusReading { panels, ..PrometheusReading::default() }, Now::example(0));
        let list = judge(&state, &TargetId::new("p"), &defaults(), Now::example(0));
        let told: Vec<&str> = list.iter().map(|breach| breach.sentence.as_str()).collect();
        assert_eq!(told, ["queue is 7.00", "queue is 9.00 (shop=eu)"]);
        let row = PrometheusRow::Panel { title: "queue".to_owned(), labels: "shop=eu".to_owned() };
        assert_eq!(list[1].place.row, Some(RowKey::Prometheus(TargetId::new("p"), row)));
    }

    #[test]
    fn what_is_silenced_is_told_and_makes_nothing_bad() {
        let muted = AlertingRule {
            muted: Some("silenced by ana".to_owned()),
            ..alert("a", "host=x", "critical", "firing")
        };
        let list = told(vec![muted]);
        assert_eq!((list.len(), list[0].severity), (1, Severity::Info));
        assert!(list[0].sentence.ends_with(", silenced by ana"), "{}", list[0].sentence);
    }

    #[test]
    fn a_job_whose_targets_are_all_down_is_a_few_findings() {
        let target = |n: usize| ScrapeTarget {
            job: if n < 3000 { "node".to_owned() } else { "api".to_owned() },
            instance: format!("host-{n}"),
            health: "down".to_owned(),
            ..ScrapeTarget::default()
        };
        let targets = Part::Ready((0..3001).map(target).collect());
        let mut state = PrometheusState::default();
        state.absorb(PrometheusReading { targets, ..PrometheusReading::default() }, Now::example(0));
        let list = judge(&state, &TargetId::new("p"), &defaults(), Now::example(0));
        assert_eq!(list.len(), 22);
        let said = |words: &str| list.iter().any(|breach| breach.sentence.contains(words));
        assert!(
            said("2980 more targets of job node are down, 3000 in all")
                && said("host-3000 of job api is down")
        );
    }

    #[test]
    fn a_flood_of_alerts_is_counted() {
        let list = told((0..50).map(|n| alert("a", &format!("host={n}"), "critical", "firing")).collect());
        assert_eq!(list.len(), 21);
        assert!(list.iter().any(|breach| breach.sentence == "Prometheus alert HighErrors fires for 30 more"));
    }
}
