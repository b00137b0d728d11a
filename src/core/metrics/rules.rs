//! The rules about a `/metrics` endpoint.

pub(crate) mod budget;
pub(crate) mod levels;
mod parts;
pub(crate) mod vitals;

use super::{MetricsReading, MetricsRow, MetricsState, Quantile};
use crate::core::alert::RuleUnit::{Count, Ratio, Seconds, State};
use crate::core::alert::Triage::{Capacity, Errors, Forecast, Latency, Saturation, Silent};
use crate::core::alert::{Judged, Missing, Rule, RuleSpec, Severity};
use crate::core::place::Screen;
use crate::core::row::RowKey;
use crate::core::text::{lasting, sized, tidy};
use parts::{Its, SUBJECT};

/// The rules of this system, in the order in which they judge.
pub static RULES: &[&Rule<MetricsState>] = &[
    &ERRORS,
    &LATENCY,
    &levels::QUERY_P95,
    &levels::SLOW_QUERIES,
    &levels::CACHE_HIT,
    &levels::POOL,
    &levels::EVENT_LOOP,
    &vitals::HEAP,
    &vitals::COLLECTING,
    &vitals::HANDLES,
    &vitals::FILES,
    &budget::ERROR_BUDGET,
    &budget::BURN,
    &levels::SIMPLE_P50,
    &levels::SIMPLE_P95,
    &levels::SIMPLE_P99,
    &levels::COMPLEX_P50,
    &levels::COMPLEX_P95,
    &levels::COMPLEX_P99,
    &levels::CACHE_P50,
    &levels::CACHE_P95,
    &levels::CACHE_P99,
    &levels::SEARCH_P50,
    &levels::SEARCH_P95,
    &levels::SEARCH_P99,
    &levels::JOB_P50,
    &levels::JOB_P95,
    &levels::JOB_P99,
    &levels::GET_P50,
    &levels::GET_P95,
    &levels::GET_P99,
    &levels::POST_P50,
    &levels::POST_P95,
    &levels::POST_P99,
    &DISK,
    &DISK_ERROR,
    &DISK_LEFT,
    &BAD_LINES,
    &TRUNCATED,
];

/// The share of requests that are answered with 5xx.
pub static ERRORS: Rule<MetricsState> = Rule::new(
    RuleSpec::new(
        "metrics.errors",
        "share of requests answered with a 5xx status, of at least two that were",
        Ratio,
        Errors,
    )
    .warning(0.01)
    .critical(0.05)
    .hold(10)
    .over(60),
    errors,
);

/// How long requests take.
pub static LATENCY: Rule<MetricsState> = Rule::new(
    RuleSpec::new(
        "metrics.latency_p95",
        "95th percentile of request durations over the last minute",
        Seconds,
        Latency,
    )
    .clear(15)
    .warning(0.5)
    .hold(10)
    .over(60),
    latency,
);

/// How full a file system is.
pub static DISK: Rule<MetricsState> = Rule::new(
    RuleSpec::new(
        "metrics.disk",
        "how full a file system is, in bytes or inodes (node_exporter)",
        Ratio,
        Saturation,
    )
    .warning(0.9)
    .critical(0.97)
    .hold(10)
    .root(),
    disk,
);

pub(crate) static DISK_ERROR: Rule<MetricsState> = Rule::new(
    RuleSpec::new(
        "metrics.disk_error",
        "a file system that the kernel cannot read (node_exporter)",
        State,
        Errors,
    )
    .hold(10)
    .root(),
    disk_error,
);

pub(crate) static DISK_LEFT: Rule<MetricsState> = Rule::new(
    RuleSpec::new(
        "metrics.disk_left",
        "less than this until a file system is full, at most a warning (node_exporter)",
        Seconds,
        Forecast,
    )
    .warning(14_400.0)
    .hold(60),
    disk_left,
);

pub(crate) static BAD_LINES: Rule<MetricsState> = Rule::new(
    RuleSpec::new("metrics.bad_lines", "lines of the exposition that cannot be read", Count, Capacity)
        .warning(1.0),
    bad_lines,
);

pub(crate) static TRUNCATED: Rule<MetricsState> = Rule::new(
    RuleSpec::new("metrics.truncated", "the exposition has more samples than are kept", State, Silent),
    truncated,
);

impl Judged for MetricsState {
    type Reading = MetricsReading;
    const SCREEN: Screen = Screen::Metrics;

    fn rules() -> &'static [&'static Rule<Self>] {
        RULES
    }

    fn newest(&self) -> Option<&MetricsReading> {
        self.reading()
    }

    fn missing(_: &MetricsReading) -> Vec<Missing> {
        Vec::new()
    }
}

const ROOM: &str = "look what grows there, or give it room";

fn errors(its: &mut Its<'_>, _: &MetricsReading) {
    // One that failed is no share: a quiet service would be broken by it.
    let Some(share) = its.state.golden.errors else { return };
    let Some(grade) = its.level(SUBJECT, share).filter(|_| its.state.golden.failed > 1.0) else { return };
    let sentence = format!("{} answers {:.1} % of its requests with 5xx", its.target, share * 100.0);
    let row = RowKey::Metrics(its.target.clone(), MetricsRow::Endpoint);
    its.tell(grade, SUBJECT, sentence).look("look at what it depends on").row(row);
}

fn latency(its: &mut Its<'_>, _: &MetricsReading) {
    let (seconds, word) = match its.state.golden.p95 {
        Some(Quantile::Value(seconds)) => (seconds, ""),
        Some(Quantile::Above(seconds)) => (seconds, "more than "),
        None => return,
    };
    let Some(grade) = its.level(SUBJECT, seconds) else { return };
    let sentence = format!("{}: 5 % of requests take {word}{:.0} ms or longer", its.target, seconds * 1000.0);
    let row = RowKey::Metrics(its.target.clone(), MetricsRow::Endpoint);
    its.tell(grade, SUBJECT, sentence).look("look at what it depends on").row(row);
}

fn disk_error(its: &mut Its<'_>, _: &MetricsReading) {
    for (place, _) in its.state.disks.iter().filter(|(_, disk)| disk.failed) {
        let Some(grade) = its.state(Severity::Warning) else { return };
        let name = tidy(place, 40);
        let sentence = format!("{}: {name} cannot be read: its device or its server fails", its.target);
        its.tell(grade, place, sentence).say("look into the kernel's log (dmesg)");
    }
}

fn disk(its: &mut Its<'_>, _: &MetricsReading) {
    for (place, disk) in its.state.disks.iter().filter(|(_, disk)| !disk.failed) {
        let name = tidy(place, 40);
        if let Some(inodes) = disk.inodes.filter(|_| !disk.read_only)
            && let Some(grade) = its.grade(inodes)
        {
            let sentence = format!("{}: {name} has {:.1} % of its inodes in use", its.target, inodes * 100.0);
            let breach = its.tell(grade, format!("{place} inodes"), sentence);
            breach.say("find the folder of many small files (du --inodes)");
        }
        let Some(grade) = its.level(place, disk.used()).filter(|_| disk.may_fill_up(place)) else { continue };
        let (used, left) = (disk.used() * 100.0, sized(disk.free));
        let sentence = format!("{}: {name} is {used:.1} % full, {left} left", its.target);
        its.tell(grade, place, sentence).say(ROOM);
    }
}

fn disk_left(its: &mut Its<'_>, _: &MetricsReading) {
    let filling = its.state.disks.iter().filter(|(place, disk)| !disk.failed && disk.may_fill_up(place));
    for (place, disk) in filling {
        let Some(left) = disk.left() else { continue };
        let Some(grade) = its.grade(left.as_secs_f64()) else { continue };
        let (name, left) = (tidy(place, 40), lasting(left));
        let sentence = format!("{}: if it goes on like this, {name} is full in {left}", its.target);
        its.tell(grade, place, sentence).say(ROOM);
    }
}

fn bad_lines(its: &mut Its<'_>, reading: &MetricsReading) {
    if let Some((named, grade)) = its.state.unnamed().zip(its.state(Severity::Warning)) {
        let named = tidy(named, 60);
        let sentence = format!("{}: `requests` names {named}, and there is no such family", its.target);
        let step = "mend `requests` in the configuration; the families stand on the metrics screen";
        its.tell(grade, SUBJECT, sentence).say(step);
    }
    let Some((line, why)) = reading.bad.first() else { return };
    let Some(grade) = its.grade(reading.bad_total as f64) else { return };
    let sentence = if reading.bad_total == 1 {
        format!("1 line of {}'s exposition cannot be read, line {line}: {why}", its.target)
    } else {
        let total = reading.bad_total;
        format!(
            "{total} lines of {}'s exposition cannot be read; the first is line {line}: {why}",
            its.target
        )
    };
    its.tell(grade, SUBJECT, sentence).say("mend the exporter; the other lines are used");
}

fn truncated(its: &mut Its<'_>, reading: &MetricsReading) {
    let Some(grade) = its.state(Severity::Warning).filter(|_| reading.truncated) else { return };
    let sentence = format!(
        "{} has more than {} samples; those beyond are left out (requests and disks are kept)",
        its.target,
        reading.len()
    );
    its.tell(grade, SUBJECT, sentence).say("let Prometheus scrape it, or ask it for fewer families");
}
