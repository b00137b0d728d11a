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
mod tests {
    use super::super::{Bound, Breaker, HealthCheck, HealthField, HealthSettings, HealthValue, Leaf};
    use super::*;
    use crate::core::alert::{Rulebook, judge};
    use crate::core::ids::TargetId;
    use crate::core::time::Now;

    fn told_with(settings: HealthSettings, readings: Vec<HealthReading>) -> Vec<(String, Severity, String)> {
        let mut state = HealthState::new(settings);
        let mut now = Now::example(0);
        for reading in readings {
            now = now.plus(Duration::from_secs(5));
            state.absorb(reading, now);
        }
        let rules = Rulebook::defaults(&RULES.iter().map(|rule| &rule.spec).collect::<Vec<_>>());
        let breaches = judge(&state, &TargetId::new("shop"), &rules, now);
        breaches
            .into_iter()
            .map(|breach| (breach.rule.to_string(), breach.severity, breach.sentence))
            .collect()
    }

    /// What is told of the last of these documents.
    #[track_caller]
    fn check(readings: Vec<HealthReading>, expected: &[(&str, Severity, &str)]) {
        let told = told_with(HealthSettings::default(), readings);
        let told: Vec<_> =
            told.iter().map(|(rule, how, words)| (rule.as_str(), *how, words.as_str())).collect();
        assert_eq!(told, expected);
    }

    fn one(name: &str, word: &str, note: &str) -> HealthCheck {
        let (name, note) = (name.to_owned(), note.to_owned());
        HealthCheck { name, word: Some(word.to_owned()), note, latency: None }
    }

    fn says(status: u16, word: &str, checks: Vec<HealthCheck>) -> HealthReading {
        HealthReading { status, word: Some(word.to_owned()), checks, ..HealthReading::default() }
    }

    #[test]
    fn a_check_that_is_down_is_told_instead_of_the_whole() {
        check(vec![says(200, "ok", vec![one("database", "up", "")])], &[]);
        let down = vec![one("database", "down", "connection refused"), one("redis", "up", "")];
        let words = "shop says that its check database is down: connection refused";
        check(vec![says(503, "error", down.clone())], &[("health.status", Severity::Critical, words)]);
        check(vec![says(200, "ok", down)], &[("health.status", Severity::Warning, words)]);
        // A check that is only degraded does not explain why all of it is down.
        let checks = vec![one("disk", "warn", "")];
        check(
            vec![says(503, "DOWN", checks)],
            &[
                ("health.status", Severity::Warning, "shop says that its check disk is degraded"),
                ("health.status", Severity::Critical, "shop is down by its health endpoint (503)"),
            ],
        );
    }

    #[test]
    fn the_whole_is_told_where_no_check_says_why() {
        let words = "shop is down by its health endpoint (503 though it says \u{201c}UP\u{201d})";
        check(vec![says(503, "UP", vec![])], &[("health.status", Severity::Critical, words)]);
        let words = "shop is out of service by its health endpoint (500)";
        check(vec![says(500, "SERVER_IS_NOT_READY", vec![])], &[("health.status", Severity::Warning, words)]);
    }

    #[test]
    fn what_is_gone_or_means_nothing_is_unknown() {
        let first = says(200, "ok", vec![one("database", "up", ""), one("redis", "up", "")]);
        let then = says(200, "ok", vec![one("database", "up", "")]);
        let words = "shop tells of check redis no more: how it is nobody knows";
        check(vec![first.clone(), then.clone()], &[("health.unknown", Severity::Warning, words)]);
        check(vec![first.clone(), then, first.clone()], &[]);
        // What is down may well say less.
        let bare =
            HealthReading { note: "no healthy upstream".to_owned(), status: 503, ..HealthReading::default() };
        let words = "shop is down by its health endpoint (503): no healthy upstream";
        check(vec![first, bare], &[("health.status", Severity::Critical, words)]);
        let words = "shop answers 200 and says \u{201c}purple\u{201d}: nobody can tell how it is";
        check(vec![says(200, "purple", vec![])], &[("health.unknown", Severity::Warning, words)]);
        let words = "shop says \u{201c}meh\u{201d} of its check search: nobody can tell how it is";
        check(
            vec![says(200, "ok", vec![one("search", "meh", "")])],
            &[("health.unknown", Severity::Info, words)],
        );
    }

    #[test]
    fn what_comes_and_goes_is_a_note_and_still_unknown() {
        let with = || says(200, "ok", vec![one("database", "up", ""), one("job-7", "up", "")]);
        let without = || says(200, "ok", vec![one("database", "up", "")]);
        let words = "shop tells of check job-7 no more: how it is nobody knows";
        check(vec![with(), without(), with(), without()], &[("health.unknown", Severity::Warning, words)]);
        let words = "shop tells of check job-7 no more: it is only sometimes there (gone 2 times before); how it is nobody knows";
        let often = vec![with(), without(), with(), without(), with(), without()];
        check(often.clone(), &[("health.unknown", Severity::Info, words)]);
        check([often, vec![with()]].concat(), &[]);
    }

    #[test]
    fn a_field_that_comes_back_is_judged_again() {
        let field = HealthField {
            name: "lag".to_owned(),
            pointer: "/lag".to_owned(),
            above: Bound { warning: Some(10.0), critical: None },
            ..HealthField::default()
        };
        let settings = HealthSettings { fields: vec![field] };
        let reading = |leaf: Option<Leaf>| {
            let value = |leaf| HealthValue { pointer: "/lag".to_owned(), leaf };
            HealthReading { values: leaf.map(value).into_iter().collect(), ..says(200, "ok", vec![]) }
        };
        let (there, none) = (|| reading(Some(Leaf::Number(12.0))), || reading(None));
        let null = || reading(Some(Leaf::Nothing));
        let last = |readings: Vec<HealthReading>| {
            let told = told_with(settings.clone(), readings);
            told.into_iter().map(|(_, severity, words)| (severity, words)).collect::<Vec<_>>()
        };
        let one = |severity, words: &str| vec![(severity, words.to_owned())];
        let lag = || one(Severity::Warning, "shop: lag is 12 (threshold 10)");
        assert_eq!(last(vec![there(), null(), there()]), lag());
        let gone = "shop: lag (/lag) is not there: how it is nobody knows";
        assert_eq!(last(vec![there(), none()]), one(Severity::Warning, gone));
        let gone = "shop: lag (/lag) is no number: it is only sometimes there (gone 2 times before); how it is nobody knows";
        let night = vec![there(), null(), there(), none(), there(), null()];
        assert_eq!(last(night.clone()), one(Severity::Info, gone));
        assert_eq!(last([night, vec![there()]].concat()), lag());
        // It never was there: the pointer may be wrong.
        let gone = "shop: lag (/lag) is not there: how it is nobody knows";
        assert_eq!(last(vec![none(), none(), none()]), one(Severity::Warning, gone));
    }

    #[test]
    fn breakers_and_measures_are_judged() {
        let breaker = |name: &str, word: &str| Breaker { name: name.to_owned(), word: word.to_owned() };
        let measure = |kind, of: &str, value: f64| Measure {
            kind,
            of: of.to_owned(),
            queries: of == "queries",
            value,
            percent: false,
            ratio: false,
        };
        let reading = HealthReading {
            breakers: vec![breaker("redis", "OPEN"), breaker("mail", "HALF_OPEN"), breaker("pg", "CLOSED")],
            measures: vec![
                measure(MeasureKind::HitRate, "cache", 0.31),
                measure(MeasureKind::P95, "queries", 0.8),
                measure(MeasureKind::P95, "render", 0.8),
                measure(MeasureKind::PoolUse, "db", 95.0),
            ],
            age: Some(Duration::from_secs(600)),
            took: Duration::from_secs(3),
            ..says(200, "ok", vec![HealthCheck { latency: Some(2.5), ..one("database", "up", "") }])
        };
        check(
            vec![reading],
            &[
                (
                    "health.breaker",
                    Severity::Critical,
                    "shop: its circuit breaker redis is open: what is behind it is not asked",
                ),
                (
                    "health.breaker",
                    Severity::Warning,
                    "shop: its circuit breaker mail is half open: it tries what is behind it again",
                ),
                ("health.query_p95", Severity::Warning, "shop: its 95th percentile of queries is 800 ms"),
                ("health.cache_hit", Severity::Warning, "shop: its hit rate of cache is 31 %"),
                ("health.pool", Severity::Critical, "shop: 95 % of its pool of db is in use"),
                ("health.old", Severity::Warning, "shop: what its health endpoint answers is 10m00s old"),
                (
                    "health.latency",
                    Severity::Warning,
                    "shop: its health endpoint takes 3.0 s to answer, 2.5 s of it by its check database",
                ),
            ],
        );
    }

    #[test]
    fn configured_fields_are_judged_and_missed() {
        let field = |name: &str, pointer: &str| HealthField {
            name: name.to_owned(),
            pointer: pointer.to_owned(),
            below: Bound { warning: Some(0.5), critical: None },
            ..HealthField::default()
        };
        let role = HealthField {
            expect: Some("primary".to_owned()),
            below: Bound::default(),
            ..field("role", "/role")
        };
        let settings = HealthSettings {
            fields: vec![field("fresh", "/fresh"), field("left", "/left"), field("text", "/text"), role],
        };
        let at = |pointer: &str, leaf| HealthValue { pointer: pointer.to_owned(), leaf };
        let values = vec![
            at("/fresh", Leaf::Number(0.25)),
            at("/text", Leaf::Text("much".to_owned())),
            at("/role", Leaf::Text("replica".to_owned())),
        ];
        let told = told_with(settings, vec![HealthReading { values, ..says(200, "ok", vec![]) }]);
        let words: Vec<&str> = told.iter().map(|(.., words)| words.as_str()).collect();
        assert_eq!(
            words,
            [
                "shop: left (/left) is not there: how it is nobody knows",
                "shop: text (/text) is no number: how it is nobody knows",
                "shop: fresh is 0.25 (threshold 0.5)",
                "shop: role is \u{201c}replica\u{201d}, not \u{201c}primary\u{201d}",
            ]
        );
    }
}
