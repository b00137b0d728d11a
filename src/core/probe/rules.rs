//! The rules about a probe: an answer that is another one than expected, its certificate, how long it takes.

use super::{ProbeReading, ProbeRow, ProbeState};
use crate::core::alert::RuleUnit::{Seconds, State};
use crate::core::alert::Triage::{Capacity, Errors, Latency};
use crate::core::alert::{Grade, Judge, Judged, Missing, Rule, RuleSpec, Severity};
use crate::core::place::Screen;
use crate::core::row::RowKey;
use crate::core::text::{counted, duration, tidy};

/// The rules of this system, in the order in which they judge.
pub static RULES: &[&Rule<ProbeState>] = &[&ANSWER, &CERTIFICATE, &LATENCY];

const DAY_SECONDS: f64 = 86_400.0;

pub(crate) static ANSWER: Rule<ProbeState> = Rule::new(
    RuleSpec::new(
        "probe.answer",
        "what a probe asks answers otherwise than it should: another status, another text, a part that is not well",
        State,
        Errors,
    )
    // One bad answer between good ones is one condition.
    .clear(15),
    answer,
);

pub(crate) static CERTIFICATE: Rule<ProbeState> = Rule::new(
    RuleSpec::new(
        "probe.certificate",
        "less than this long until the certificate that a probe was shown ends (14 days, 3 days); of one that lasts less than eight weeks in proportion",
        Seconds,
        Capacity,
    )
    .warning(14.0 * DAY_SECONDS)
    .critical(3.0 * DAY_SECONDS),
    certificate,
);

pub(crate) static LATENCY: Rule<ProbeState> = Rule::new(
    RuleSpec::new(
        "probe.latency",
        "how long what a probe asks takes to take a connection, or to answer",
        Seconds,
        Latency,
    )
    .warning(2.0)
    .hold(30)
    .clear(30),
    latency,
);

impl Judged for ProbeState {
    type Reading = ProbeReading;
    const SCREEN: Screen = Screen::Metrics;

    fn rules() -> &'static [&'static Rule<Self>] {
        RULES
    }

    fn newest(&self) -> Option<&ProbeReading> {
        self.reading()
    }

    fn missing(_: &ProbeReading) -> Vec<Missing> {
        Vec::new()
    }
}

type Its<'a> = Judge<'a, ProbeState>;

fn row(its: &Its<'_>) -> RowKey {
    RowKey::Probe(its.target.clone(), ProbeRow::Probe)
}

fn answer(its: &mut Its<'_>, reading: &ProbeReading) {
    for look in reading.looks.iter().filter(|look| !look.fine) {
        let Some(grade) = its.state(Severity::Critical) else { return };
        let sentence = format!("{}: {}", its.target, tidy(&look.found, 120));
        let row = row(its);
        its.tell(grade, look.name.clone(), sentence).row(row).look("open its own page, or its log");
    }
}

/// Whole days, or what is left of one.
fn left(seconds: i64) -> String {
    let days = seconds / 86_400;
    if days > 0 {
        counted(days, "day")
    } else {
        duration(std::time::Duration::from_secs(seconds.unsigned_abs()))
    }
}

fn certificate(its: &mut Its<'_>, reading: &ProbeReading) {
    let Some(shown) = &reading.certificate else { return };
    let Some(grade) = its.grade(shown.judged_seconds()) else { return };
    let threshold = grade.threshold.map(|seconds| seconds / shown.shortness());
    let grade = Grade { value: Some(shown.left_seconds as f64), threshold, ..grade };
    let subject = tidy(&shown.subject, 60);
    let sentence = if shown.left_seconds < 0 {
        format!("{}: the certificate of {subject} has ended {} ago", its.target, left(-shown.left_seconds))
    } else {
        format!("{}: the certificate of {subject} ends in {}", its.target, left(shown.left_seconds))
    };
    let row = row(its);
    its.tell(grade, "certificate", sentence)
        .row(row)
        .say("renew it, and have the server read it anew: a new file alone changes nothing");
}

fn latency(its: &mut Its<'_>, reading: &ProbeReading) {
    let Some(grade) = its.level("probe", reading.took.as_secs_f64()) else { return };
    let sentence = format!("{} takes {} to answer", its.target, duration(reading.took));
    let row = row(its);
    its.tell(grade, "probe", sentence).row(row).look("compare with the others on its host");
}

#[cfg(test)]
mod tests {
    use super::super::{Certificate, Look};
    use super::*;
    use crate::core::alert::{Rulebook, judge};
    use crate::core::ids::TargetId;
    use crate::core::time::Now;
    use std::time::Duration;

    #[track_caller]
    fn check(reading: ProbeReading, expected: &[(&str, Severity, &str)]) {
        let mut state = ProbeState::default();
        state.absorb(reading, Now::example(0));
        let rules = Rulebook::defaults(&RULES.iter().map(|rule| &rule.spec).collect::<Vec<_>>());
        let breaches = judge(&state, &TargetId::new("web"), &rules, Now::example(0));
        let told: Vec<_> = breaches
            .iter()
            .map(|breach| (breach.rule.as_str(), breach.severity, breach.sentence.as_str()))
            .collect();
        assert_eq!(told, expected);
    }

    #[test]
    fn an_answer_is_as_expected_or_told() {
        let look =
            |name: &str, fine, found: &str| Look { name: name.to_owned(), fine, found: found.to_owned() };
        let looks =
            vec![look("status", true, "200"), look("text", false, "its answer does not contain \"x\"")];
        check(
            ProbeReading { looks, took: Duration::from_secs(3), ..ProbeReading::default() },
            &[
                ("probe.answer", Severity::Critical, "web: its answer does not contain \"x\""),
                ("probe.latency", Severity::Warning, "web takes 3.0 s to answer"),
            ],
        );
        check(ProbeReading { looks: vec![look("status", true, "200")], ..ProbeReading::default() }, &[]);
    }

    #[test]
    fn a_certificate_is_told_before_it_ends() {
        let lasting = |days: f64, lasts: Option<i64>| {
            let certificate = Certificate {
                subject: "web.example".to_owned(),
                left_seconds: (days * DAY_SECONDS) as i64,
                lasts_seconds: lasts,
            };
            ProbeReading { certificate: Some(certificate), ..ProbeReading::default() }
        };
        let ends = |days: f64| lasting(days, None);
        check(ends(14.1), &[]);
        let words = "web: the certificate of web.example ends in 13 days";
        check(ends(13.5), &[("probe.certificate", Severity::Warning, words)]);
        let words = "web: the certificate of web.example ends in 1 day";
        check(ends(1.5), &[("probe.certificate", Severity::Critical, words)]);
        let words = "web: the certificate of web.example has ended 2 days ago";
        check(ends(-2.5), &[("probe.certificate", Severity::Critical, words)]);
        // Of six days, renewed when three are left; and of a year.
        let six = Some(6 * 86_400);
        check(lasting(2.9, six), &[]);
        let words = "web: the certificate of web.example ends in 1 day";
        check(lasting(1.4, six), &[("probe.certificate", Severity::Warning, words)]);
        let words = "web: the certificate of web.example ends in 6h00m";
        check(lasting(0.25, six), &[("probe.certificate", Severity::Critical, words)]);
        let words = "web: the certificate of web.example ends in 13 days";
        check(lasting(13.5, Some(365 * 86_400)), &[("probe.certificate", Severity::Warning, words)]);
    }
}
