//! Whether what a configuration says is possible: bounds of every number, names, rules that there are. Every mistake is told.
//!
//! A number out of bounds is refused instead of being bent: `connections.warning = 80.0` would switch an alarm off without a word, and a
//! wait of a million years never ends.

use super::file::{File, Lasting, PostgresFile, RedisFile, RuleFile};
use super::form::Spans;
use super::misspelt::suggestion;
use crate::core::alert::{RuleSpec, RuleUnit};
use crate::core::text::is_tame;
use crate::core::world::all_rules;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::time::Duration;

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// More often a target would be burdened, more seldom it would not be watched.
const INTERVAL: RangeInclusive<Duration> = Duration::from_millis(200)..=seconds(3600);
/// A server that answers within less is none, and one that needs longer is of no use in an incident.
const TIMEOUT: RangeInclusive<Duration> = Duration::from_millis(100)..=seconds(300);
/// Between tries: not all the time, and never so long that nobody notices the recovery.
const WAIT: RangeInclusive<Duration> = seconds(1)..=seconds(3600);
/// How long something must hold before it is told, or be clear before it is over; longer than a day is "never".
const HOLD: RangeInclusive<Duration> = Duration::ZERO..=seconds(86_400);
/// How far a copy may be behind, or how slowly it may answer.
const BEHIND: RangeInclusive<Duration> = Duration::from_millis(1)..=seconds(30 * 86_400);
/// Between two questions of a panel.
const PANEL: RangeInclusive<Duration> = seconds(1)..=seconds(86_400);
/// Between two looks at a list of targets: a command may be run each time.
const REFRESH: RangeInclusive<Duration> = seconds(5)..=seconds(3600);
/// Failures or successes in a row.
const IN_A_ROW: RangeInclusive<u32> = 1..=1000;
/// Jobs a second; more would be no brake.
const PER_SECOND: RangeInclusive<u32> = 1..=10_000;
const PERCENT: RangeInclusive<u32> = 0..=100;
/// A name has to fit into a line.
const NAME_CHARS: usize = 64;
/// The address of a page: some lines of a terminal.
const RUNBOOK_CHARS: usize = 300;

/// Everything that cannot be so, each with its place.
pub(super) fn mistakes(file: &File, places: &Spans) -> Vec<String> {
    let mut check = Check { places, told: Vec::new() };
    check.name(&["environment"], file.environment.as_deref());
    check.name(&["theme"], file.theme.as_deref());
    let engine = &file.engine;
    check.span(&["engine", "backoff_cap"], engine.backoff_cap, &WAIT);
    check.whole(&["engine", "breaker_failures"], engine.breaker_failures, &IN_A_ROW);
    check.span(&["engine", "breaker_open"], engine.breaker_open, &WAIT);
    check.whole(&["engine", "breaker_successes"], engine.breaker_successes, &IN_A_ROW);
    check.rules(file);
    check.targets(file);
    for (index, entry) in file.postgres.iter().enumerate() {
        check.postgres(&index.to_string(), entry);
    }
    for (index, entry) in file.redis.iter().enumerate() {
        check.redis(&index.to_string(), entry);
    }
    check.panels(file);
    check.depends(file);
    check.discover(file);
    if let Some((key, why)) = file.notify.mistake() {
        check.tell(&["notify", "webhook", key], &why);
    }
    check.told
}

/// Why this is no address of a page that can be shown and copied.
fn no_runbook(url: &str) -> Option<&'static str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let place = rest.and_then(|rest| rest.split(['/', '?', '#']).next());
    match place {
        None | Some("") => Some("runbook is the address of a page: it begins with https:// or http://"),
        Some(place) if place.contains('@') => Some("runbook holds a login, which would be shown"),
        Some(_) if url.chars().count() > RUNBOOK_CHARS => Some("runbook is longer than 300 characters"),
        Some(_) if !url.chars().all(|c| is_tame(c) && !c.is_whitespace()) => {
            Some("runbook holds characters that cannot be in an address")
        }
        Some(_) => None,
    }
}

struct Check<'a> {
    places: &'a Spans,
    told: Vec<String>,
}

impl Check<'_> {
    fn tell(&mut self, path: &[&str], sentence: &str) {
        self.told.push(format!("{}: {sentence}", self.places.of(path)));
    }

    fn span(&mut self, path: &[&str], given: Option<Lasting>, range: &RangeInclusive<Duration>) {
        if given.is_some_and(|given| !range.contains(&given.0)) {
            let key = path.last().copied().unwrap_or_default();
            let (least, most) = (text(*range.start()), text(*range.end()));
            self.tell(path, &format!("{key} can be from {least} to {most}"));
        }
    }

    fn whole(&mut self, path: &[&str], given: Option<u32>, range: &RangeInclusive<u32>) {
        if given.is_some_and(|given| !range.contains(&given)) {
            let key = path.last().copied().unwrap_or_default();
            self.tell(path, &format!("{key} can be from {} to {}", range.start(), range.end()));
        }
    }

    fn name(&mut self, path: &[&str], given: Option<&str>) {
        let key = path.last().copied().unwrap_or_default();
        match given {
            Some(name) if name.trim().is_empty() => self.tell(path, &format!("{key} is empty")),
            Some(name) if !name.chars().all(is_tame) => {
                self.tell(path, &format!("{key} holds characters that cannot be shown"));
            }
            Some(_) | None => {}
        }
    }

    fn names(&mut self, path: &[&str], given: Option<&[String]>) {
        for (index, name) in given.unwrap_or_default().iter().enumerate() {
            let index = index.to_string();
            let mut inner = path.to_vec();
            inner.push(&index);
            if name.trim().is_empty() {
                self.tell(
                    &inner,
                    &format!("an entry of {} is empty", path.last().copied().unwrap_or_default()),
                );
            }
        }
    }

    /// What is at or above (or below) a threshold; a critical one is never reached before the warning.
    fn thresholds(&mut self, path: &[&str], warning: Option<f64>, critical: Option<f64>, low: bool) {
        let mut finite = true;
        for (key, value) in [("warning", warning), ("critical", critical)] {
            if value.is_some_and(|value| !value.is_finite()) {
                finite = false;
                self.tell(&[path, &[key]].concat(), &format!("{key} is no number that can be reached"));
            }
        }
        let wrong = warning
            .zip(critical)
            .filter(|_| finite)
            .is_some_and(|(warning, critical)| if low { warning < critical } else { warning > critical });
        if wrong {
            let side = if low { "above" } else { "below" };
            self.tell(
                &[path, &["critical"]].concat(),
                &format!("critical is {side} warning: it would be critical before it is worth a warning"),
            );
        }
    }

    fn rules(&mut self, file: &File) {
        let specs = all_rules();
        for (id, change) in &file.rules {
            let id = id.get_ref().as_str();
            let path = ["rules", id];
            let Some(spec) = specs.iter().find(|spec| spec.id.as_str() == id) else {
                let near = suggestion(id, specs.iter().map(|spec| spec.id.as_str()));
                self.tell(&path, &format!("there is no such rule{near}"));
                continue;
            };
            self.rule(&path, spec, change, &RuleFile::default());
            for (place, own) in &change.on {
                let path = ["rules", id, "on", place.as_str()];
                self.rule(&path, spec, own, change);
                if !own.on.is_empty() {
                    self.tell(&[&path[..], &["on"]].concat(), "`on` stands once, below the rule");
                }
                if !own.group.is_empty() {
                    self.tell(&[&path[..], &["group"]].concat(), "`group` stands once, below the rule");
                }
                if !spec.needs.iter().any(|need| matches!(need.0, "senders" | "partitions")) {
                    self.place(&path, place, file);
                }
            }
            // Targets say themselves which groups there are.
            for (group, own) in &change.group {
                let path = ["rules", id, "group", group.as_str()];
                self.rule(&path, spec, own, change);
                for (key, deeper) in [("on", own.on.is_empty()), ("group", own.group.is_empty())] {
                    if !deeper {
                        self.tell(
                            &[&path[..], &[key]].concat(),
                            &format!("`{key}` stands once, below the rule"),
                        );
                    }
                }
            }
        }
    }

    /// A rule about one target: where every target has a name, it has to be one of these. (The names of copies and tables are
    /// their own.)
    fn place(&mut self, path: &[&str], place: &str, file: &File) {
        let entries = file.entries();
        let names: Option<Vec<&str>> = entries
            .iter()
            .map(|(.., entry)| entry.common().name.map(|name| name.get_ref().as_str()))
            .collect();
        let Some(names) = names.filter(|names| !names.is_empty() && !names.contains(&place)) else { return };
        let near = suggestion(place, names);
        self.tell(path, &format!("there is no target called {place}{near}"));
    }

    fn rule(&mut self, path: &[&str], spec: &RuleSpec, change: &RuleFile, above: &RuleFile) {
        self.span(&[path, &["hold"]].concat(), change.hold, &HOLD);
        self.span(&[path, &["clear"]].concat(), change.clear, &HOLD);
        if let Some(sentence) = change.runbook.as_deref().and_then(no_runbook) {
            self.tell(&[path, &["runbook"]].concat(), sentence);
        }
        for (key, value) in [("warning", change.warning), ("critical", change.critical)] {
            if let Some(value) = value.filter(|value| value.is_finite())
                && let Some(sentence) = out_of_bounds(spec, key, value)
            {
                self.tell(&[path, &[key]].concat(), &sentence);
            }
        }
        let warning = change.warning.or(above.warning).or(spec.warning);
        let critical = change.critical.or(above.critical).or(spec.critical);
        if change.warning.is_some() || change.critical.is_some() {
            self.thresholds(path, warning, critical, spec.less_is_worse());
        }
    }

    /// What every target has: a name of its own, and how often and how long it is asked.
    fn targets(&mut self, file: &File) {
        let mut taken = BTreeSet::new();
        for (_, table, index, entry) in file.entries() {
            let (index, common) = (index.to_string(), entry.common());
            let name = common.name.map(|name| name.get_ref().as_str());
            self.target(table, &index, name, &mut taken);
            self.span(&[table, &index, "interval"], common.interval, &INTERVAL);
            self.span(&[table, &index, "timeout"], common.timeout, &TIMEOUT);
            self.name(&[table, &index, "user"], common.user);
            for (path, sentence) in entry.mistakes() {
                let below: Vec<&str> = path.iter().map(String::as_str).collect();
                self.tell(&[&[table, &index], &below[..]].concat(), &sentence);
            }
        }
    }

    fn target<'n>(&mut self, kind: &str, index: &str, name: Option<&'n str>, taken: &mut BTreeSet<&'n str>) {
        let path = [kind, index, "name"];
        self.name(&path, name);
        let Some(name) = name else { return };
        if name.chars().count() > NAME_CHARS {
            self.tell(&path, &format!("name is longer than {NAME_CHARS} characters"));
        } else if !taken.insert(name) {
            self.tell(&path, "a second target has this name; give each its own");
        }
    }

    fn postgres(&mut self, index: &str, entry: &PostgresFile) {
        let path = |key| ["postgres", index, key];
        self.name(&path("tenant_column"), entry.tenant_column.as_deref());
        self.name(&path("role"), entry.role.as_deref());
        self.span(&path("max_lag"), entry.max_lag, &BEHIND);
        self.span(&path("max_latency"), entry.max_latency, &BEHIND);
    }

    fn redis(&mut self, index: &str, entry: &RedisFile) {
        let path = |key| ["redis", index, key];
        for (key, list) in [
            ("prefixes", &entry.prefixes),
            ("queues", &entry.queues),
            ("dead_letter", &entry.dead_letter),
            ("mask", &entry.mask),
        ] {
            self.names(&path(key), list.as_deref());
        }
        self.whole(&path("redrive_per_second"), entry.redrive_per_second, &PER_SECOND);
        self.whole(&path("redrive_stop_above"), entry.redrive_stop_above, &PERCENT);
    }

    fn discover(&mut self, file: &File) {
        let mut taken = BTreeSet::new();
        for (index, entry) in file.discover.iter().enumerate() {
            let index = index.to_string();
            self.target("discover", &index, Some(entry.name.get_ref()), &mut taken);
            self.span(&["discover", &index, "refresh"], entry.refresh, &REFRESH);
            self.span(&["discover", &index, "interval"], entry.interval, &INTERVAL);
            self.span(&["discover", &index, "timeout"], entry.timeout, &TIMEOUT);
            if let Some((key, sentence)) = entry.mistake() {
                self.tell(&["discover", &index, key], sentence);
            }
        }
    }

    fn depends(&mut self, file: &File) {
        for (index, entry) in file.depends.iter().enumerate() {
            let index = index.to_string();
            self.name(&["depends", &index, "service"], Some(entry.service.get_ref()));
        }
    }

    fn panels(&mut self, file: &File) {
        for (index, entry) in file.panel.iter().enumerate() {
            let index = index.to_string();
            self.name(&["panel", &index, "name"], Some(entry.name.get_ref()));
            self.span(&["panel", &index, "interval"], entry.interval, &PANEL);
            let mut columns: BTreeMap<&str, (Option<f64>, Option<f64>)> = BTreeMap::new();
            for (column, value) in &entry.warning {
                columns.entry(column).or_default().0 = Some(*value);
            }
            for (column, value) in &entry.critical {
                columns.entry(column).or_default().1 = Some(*value);
            }
            for (warning, critical) in columns.into_values() {
                self.thresholds(&["panel", &index], warning, critical, false);
            }
        }
        for (target, entry) in file.prometheus.iter().enumerate() {
            let target = target.to_string();
            self.name(&["prometheus", &target, "user"], entry.user.as_deref());
            for (index, query) in entry.query.iter().enumerate() {
                let number = index.to_string();
                let path = ["prometheus", &target, "query", &number];
                let title = [&path[..], &["title"]].concat();
                self.name(&title, Some(&query.title));
                if entry.query.iter().take(index).any(|other| other.title == query.title) {
                    self.tell(&title, "a second query of this target has this title; give each its own");
                }
                if query.expr.trim().is_empty() {
                    self.tell(&[&path[..], &["expr"]].concat(), "expr is empty");
                }
                self.thresholds(&path, query.warning, query.critical, false);
            }
        }
    }
}

/// Why a rule cannot have this threshold.
fn out_of_bounds(spec: &RuleSpec, key: &str, value: f64) -> Option<String> {
    match spec.unit {
        RuleUnit::State => {
            Some(format!("{} has no number: only enabled, hold and clear can be set", spec.id))
        }
        RuleUnit::Ratio if !(0.0..=1.0).contains(&value) => {
            Some(format!("{key} is a ratio from 0 to 1: write 0.8 for 80 %"))
        }
        RuleUnit::Count | RuleUnit::Seconds | RuleUnit::Bytes | RuleUnit::PerSecond if value < 0.0 => {
            Some(format!("{key} is below 0 ({})", spec.unit.word()))
        }
        RuleUnit::Ratio | RuleUnit::Count | RuleUnit::Seconds | RuleUnit::Bytes | RuleUnit::PerSecond => None,
    }
}

/// A duration as it is written in the file.
fn text(value: Duration) -> String {
    let seconds = value.as_secs();
    match seconds {
        _ if value.subsec_millis() > 0 => format!("{}ms", value.as_millis()),
        0 => "0s".to_owned(),
        _ if seconds.is_multiple_of(3600) => format!("{}h", seconds / 3600),
        _ if seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
        _ => format!("{seconds}s"),
    }
}

#[cfg(test)]
mod tests;
