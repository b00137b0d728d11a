//! The rules about a health endpoint: what it says of itself, what it says no more, its circuit breakers, what it measures, its age.

use super::{Absent, HealthReading, HealthRow, HealthState, Measure, MeasureKind, Standing, breaker};
use crate::core::alert::RuleUnit::{Ratio, Seconds, State};
use crate::core::alert::Triage::{Errors, Latency, Saturation, Silent};
use crate::core::alert::{Judge, Judged, Missing, Rule, RuleSpec, Severity};
use crate::core::place::Screen;
use crate::core::row::RowKey;
use crate::core::text::{duration, lasting, tidy};
use std::time::Duration;

/// The rules of this system, in the order in which they judge.
pub static RULES: &[&Rule<HealthState>] =
    &[&STATUS, &UNKNOWN, &BREAKER, &QUERY_P95, &CACHE_HIT, &POOL, &FIELD, &OLD, &LATENCY];

pub(crate) static STATUS: Rule<HealthState> = Rule::new(
    RuleSpec::new(
        "health.status",
        "an application says of itself, or of one of its checks, that it is down, degraded or out of service",
        State,
        Errors,
    )
    // One bad answer between good ones is one condition.
    .clear(15),
    status,
);

pub(crate) static UNKNOWN: Rule<HealthState> = Rule::new(
    RuleSpec::new(
        "health.unknown",
        "nobody can tell how an application is: a word that means nothing, or a check or field that was there and is gone",
        State,
        Silent,
    )
    // A process that is just replaced may answer before it knows everything.
    .hold(30),
    unknown,
);

pub(crate) static BREAKER: Rule<HealthState> = Rule::new(
    RuleSpec::new(
        "health.breaker",
        "a circuit breaker of an application is open: it asks no more what is behind it (half open: it tries again)",
        State,
        Errors,
    )
    .clear(15),
    breakers,
);

pub(crate) static QUERY_P95: Rule<HealthState> = Rule::new(
    RuleSpec::new(
        "health.query_p95",
        "95th percentile of the duration of database queries, as the application itself tells it",
        Seconds,
        Latency,
    )
    .warning(0.5)
    .hold(10)
    .clear(15),
    query_p95,
);

pub(crate) static CACHE_HIT: Rule<HealthState> = Rule::new(
    RuleSpec::new(
        "health.cache_hit",
        "less than this share of looks into a cache find something, as the application itself tells it",
        Ratio,
        Latency,
    )
    .warning(0.5)
    .hold(60),
    cache_hit,
);

pub(crate) static POOL: Rule<HealthState> = Rule::new(
    RuleSpec::new(
        "health.pool",
        "connections of an application's pool in use against its limit, as the application itself tells it",
        Ratio,
        Saturation,
    )
    .warning(0.8)
    .critical(0.9)
    .hold(10),
    pool,
);

pub(crate) static FIELD: Rule<HealthState> = Rule::new(
    RuleSpec::new(
        "health.field",
        "a configured field of a health endpoint is past its own threshold, or is not the word that is expected",
        State,
        Saturation,
    )
    .clear(15),
    fields,
);

pub(crate) static OLD: Rule<HealthState> = Rule::new(
    RuleSpec::new(
        "health.old",
        "how old the document is by its own time: a health endpoint that answers from memory says nothing about now",
        Seconds,
        Silent,
    )
    .warning(300.0),
    old,
);

pub(crate) static LATENCY: Rule<HealthState> = Rule::new(
    RuleSpec::new(
        "health.latency",
        "how long a health endpoint takes to answer; whoever watches it for a load balancer gives up after seconds",
        Seconds,
        Latency,
    )
    .warning(2.0)
    .hold(30)
    .clear(30),
    latency,
);

impl Judged for HealthState {
    type Reading = HealthReading;
    const SCREEN: Screen = Screen::Metrics;

    fn rules() -> &'static [&'static Rule<Self>] {
        RULES
    }

    fn newest(&self) -> Option<&HealthReading> {
        self.reading()
    }

    fn missing(_: &HealthReading) -> Vec<Missing> {
        Vec::new()
    }
}

type Its<'a> = Judge<'a, HealthState>;

/// What a finding about all of it is about.
pub(crate) const WHOLE: &str = "endpoint";

/// Tells of a state, with the row that shows it.
fn tell(
    its: &mut Its<'_>,
    severity: Severity,
    (subject, row): (String, HealthRow),
    sentence: String,
    step: &str,
) {
    let Some(grade) = its.state(severity) else { return };
    let row = RowKey::Health(its.target.clone(), row);
    its.tell(grade, subject, sentence).row(row).look(step);
}

fn said(note: &str) -> String {
    if note.is_empty() { String::new() } else { format!(": {}", tidy(note, 120)) }
}

fn status(its: &mut Its<'_>, reading: &HealthReading) {
    let (target, whole) = (its.target.clone(), reading.standing());
    let mut explained = false;
    for check in &reading.checks {
        let standing = check.standing();
        let severity = match standing {
            Standing::Up | Standing::Unknown => continue,
            // What it can do without may be down, where all of it is not.
            Standing::Down if whole == Standing::Down => Severity::Critical,
            Standing::Down | Standing::Degraded | Standing::OutOfService => Severity::Warning,
        };
        explained |= standing >= whole;
        let name = tidy(&check.name, 60);
        let (word, note) = (standing.word().to_lowercase(), said(&check.note));
        let sentence = format!("{target} says that its check {name} is {word}{note}");
        let about = (format!("check {name}"), HealthRow::Check(check.name.clone()));
        tell(its, severity, about, sentence, "look at the server behind that check");
    }
    let severity = match whole {
        Standing::Up | Standing::Unknown => return,
        Standing::Degraded | Standing::OutOfService => Severity::Warning,
        Standing::Down => Severity::Critical,
    };
    if explained {
        return;
    }
    let (word, note) = (whole.word().to_lowercase(), said(&reading.note));
    let own = reading.word.as_deref().filter(|own| super::standing(own) != whole);
    let own = own.map_or(String::new(), |own| format!(" though it says \u{201c}{}\u{201d}", tidy(own, 30)));
    let sentence = format!("{target} is {word} by its health endpoint ({}{own}){note}", reading.status);
    tell(
        its,
        severity,
        (WHOLE.to_owned(), HealthRow::Endpoint),
        sentence,
        "open it: every value that it tells",
    );
}

const STEP: &str = "look whether a new version of it tells this elsewhere, or has lost a check";

/// How bad it is that something is not told: of what comes and goes a note is taken.
fn missed(missing: Option<Absent<'_>>) -> Severity {
    if missing.is_some_and(|one| one.is_sometimes()) { Severity::Info } else { Severity::Warning }
}

fn unknown(its: &mut Its<'_>, reading: &HealthReading) {
    let (state, target, now) = (its.state, its.target.clone(), its.now);
    for one in state.gone() {
        let Some(grade) = its.state(missed(Some(one))) else { return };
        let check = one.name.strip_prefix("check ");
        let row = check.map_or(HealthRow::Endpoint, |name| HealthRow::Check(name.to_owned()));
        let row = RowKey::Health(target.clone(), row);
        let name = tidy(one.name, 60);
        let habit = one.habit().map_or_else(String::new, |habit| format!("{habit}; "));
        let sentence = format!("{target} tells of {name} no more: {habit}how it is nobody knows");
        let since = Some(now.since(one.since));
        its.tell(grade, format!("gone {name}"), sentence).since(since).row(row).look(STEP);
    }
    // What is down may well say less.
    for field in state.settings.fields.iter().filter(|_| reading.standing() != Standing::Down) {
        let why = match reading.at(&field.pointer) {
            None => "is not there",
            Some(leaf) if field.is_idle(leaf) => continue,
            Some(leaf) if field.is_measured() && leaf.number().is_none() => "is no number",
            Some(_) => continue,
        };
        let missing = state.missing(field);
        let habit =
            missing.and_then(|one| one.habit()).map_or_else(String::new, |habit| format!("{habit}; "));
        let (name, pointer) = (&field.name, &field.pointer);
        let sentence = format!("{target}: {name} ({pointer}) {why}: {habit}how it is nobody knows");
        let about = (format!("field {name}"), HealthRow::Endpoint);
        tell(its, missed(missing), about, sentence, "compare the pointer with the document");
    }
    for check in reading.checks.iter().filter(|check| check.standing() == Standing::Unknown) {
        let name = tidy(&check.name, 60);
        let word = check
            .word
            .as_deref()
            .map_or_else(|| "nothing".to_owned(), |word| format!("\u{201c}{}\u{201d}", tidy(word, 30)));
        let sentence = format!("{target} says {word} of its check {name}: nobody can tell how it is");
        let about = (format!("check {name}"), HealthRow::Check(check.name.clone()));
        tell(its, Severity::Info, about, sentence, "a field with `expect` says which word is right");
    }
    // Told, unless a part that is gone says so already, or nothing but numbers is told and these are judged.
    let judged = reading.word.is_none() && !(reading.measures.is_empty() && state.settings.fields.is_empty());
    let gone = state.gone().any(|one| !one.is_sometimes());
    if reading.standing() == Standing::Unknown && !gone && !judged {
        let word = reading.word.as_deref().unwrap_or(&reading.note);
        let word = if word.is_empty() {
            "nothing of itself".to_owned()
        } else {
            format!("\u{201c}{}\u{201d}", tidy(word, 40))
        };
        let sentence =
            format!("{target} answers {} and says {word}: nobody can tell how it is", reading.status);
        let about = (WHOLE.to_owned(), HealthRow::Endpoint);
        tell(its, Severity::Warning, about, sentence, "check that the URL is that of a health endpoint");
    }
}

fn breakers(its: &mut Its<'_>, reading: &HealthReading) {
    let target = its.target.clone();
    for one in &reading.breakers {
        let Some(Some(severity)) = breaker(&one.word) else { continue };
        let name = tidy(&one.name, 60);
        let word = if severity == Severity::Critical {
            "open: what is behind it is not asked"
        } else {
            "half open: it tries what is behind it again"
        };
        let sentence = format!("{target}: its circuit breaker {name} is {word}");
        let about = (format!("breaker {name}"), HealthRow::Breaker(one.name.clone()));
        tell(its, severity, about, sentence, "look at what is behind it; it closes by itself");
    }
}

fn measured(
    its: &mut Its<'_>,
    reading: &HealthReading,
    is: impl Fn(&Measure) -> bool,
    words: impl Fn(f64, &str) -> String,
    step: &str,
) {
    for measure in reading.measures.iter().filter(|measure| is(measure)) {
        let Some(value) = its.state.value(measure) else { continue };
        let subject = if measure.of.is_empty() { WHOLE } else { &measure.of };
        let Some(grade) = its.level(subject, value) else { continue };
        let sentence = format!("{}: {}", its.target, words(value, &tidy(&measure.of, 50)));
        let row = RowKey::Health(its.target.clone(), HealthRow::Endpoint);
        its.tell(grade, subject, sentence).row(row).look(step);
    }
}

fn of(name: &str) -> String {
    if name.is_empty() { String::new() } else { format!(" of {name}") }
}

fn query_p95(its: &mut Its<'_>, reading: &HealthReading) {
    let is = |measure: &Measure| measure.queries && measure.kind == MeasureKind::P95;
    let words =
        |value: f64, name: &str| format!("its 95th percentile{} is {:.0} ms", of(name), value * 1000.0);
    measured(its, reading, is, words, "look at the slowest statements (queries)");
}

fn cache_hit(its: &mut Its<'_>, reading: &HealthReading) {
    let words = |value: f64, name: &str| format!("its hit rate{} is {:.0} %", of(name), value * 100.0);
    let step = "look for evictions, a flush, or keys that changed";
    measured(its, reading, |measure| measure.kind == MeasureKind::HitRate, words, step);
}

fn pool(its: &mut Its<'_>, reading: &HealthReading) {
    let words = |value: f64, name: &str| {
        let name = if name.eq_ignore_ascii_case("pool") { "" } else { name };
        format!("{:.0} % of its pool{} is in use", value * 100.0, of(name))
    };
    let step = "look for what holds the connections (blocking, slow queries)";
    measured(its, reading, |measure| measure.kind == MeasureKind::PoolUse, words, step);
}

fn fields(its: &mut Its<'_>, reading: &HealthReading) {
    let state = its.state;
    let on = its.state(Severity::Warning).is_some();
    for field in state.settings.fields.iter().filter(|_| on) {
        let Some(leaf) = reading.at(&field.pointer) else { continue };
        let Some(grade) = field.grade(leaf) else { continue };
        let told = match (leaf.number(), &field.expect) {
            (_, Some(word)) if grade.threshold.is_none() => {
                format!("is \u{201c}{}\u{201d}, not \u{201c}{word}\u{201d}", tidy(&leaf.word(), 40))
            }
            (Some(value), _) => format!(
                "is {} (threshold {})",
                field.unit.told(value),
                grade.threshold.map_or_else(String::new, |bound| field.unit.told(bound))
            ),
            (None, _) => continue,
        };
        let sentence = format!("{}: {} {told}", its.target, field.name);
        let row = RowKey::Health(its.target.clone(), HealthRow::Value(field.pointer.clone()));
        its.tell(grade, field.name.clone(), sentence).row(row).look("open it: every value that it tells");
    }
}

fn old(its: &mut Its<'_>, reading: &HealthReading) {
    let Some(age) = reading.age else { return };
    let Some(grade) = its.level(WHOLE, age.as_secs_f64()) else { return };
    let sentence = format!("{}: what its health endpoint answers is {} old", its.target, lasting(age));
    its.tell(grade, WHOLE, sentence)
        .say("look whether what makes the document still runs, and for a cache before it");
}

fn latency(its: &mut Its<'_>, reading: &HealthReading) {
    let Some(grade) = its.level(WHOLE, reading.took.as_secs_f64()) else { return };
    let slowest = reading.checks.iter().filter_map(|check| Some((check.latency?, check)));
    let slowest = slowest.max_by(|(a, _), (b, _)| a.total_cmp(b));
    let because = slowest.map_or(String::new(), |(seconds, check)| {
        let span = Duration::try_from_secs_f64(seconds).unwrap_or_default();
        format!(", {} of it by its check {}", duration(span), tidy(&check.name, 40))
    });
    let sentence =
        format!("{}: its health endpoint takes {} to answer{because}", its.target, duration(reading.took));
    its.tell(grade, WHOLE, sentence).say("whoever takes it out of rotation by this endpoint may do so soon");
}

#[cfg(test)]
mod tests;
