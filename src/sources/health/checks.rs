//! The checks of a document, whoever's shape it has. What holds them is known by its name, what is one by having a word. Pure.

use super::leaves::repeated;
use super::spans::{plain, took};
use crate::core::health::{HealthCheck, Shape, Standing, breaker, standing};
use serde_json::{Map, Value};

/// More checks are not kept.
const MOST: usize = 100;

/// Names of what holds the checks, the most telling first.
const HOLDERS: [&str; 12] = [
    "components",
    "entries",
    "results",
    "checks",
    "checkResults",
    "details",
    "services",
    "dependencies",
    "healthChecks",
    "indicators",
    "subsystems",
    "probes",
];

/// Names of the word itself, the most telling first.
const WORDS: [&str; 12] = [
    "status",
    "health",
    "state",
    "healthy",
    "isHealthy",
    "ok",
    "up",
    "alive",
    "available",
    "connected",
    "reachable",
    "success",
];

/// Names of what is said beside it.
const NOTES: [&str; 10] = [
    "error",
    "exception",
    "message",
    "output",
    "reason",
    "description",
    "notificationMessage",
    "lastError",
    "err",
    "shortSummary",
];

/// The word in these fields. Only what is called a status or health may be a word that nobody knows: what is called available may be a
/// number of bytes, and a state that of anything.
pub(super) fn word(fields: &Map<String, Value>) -> Option<String> {
    let said = |name: &str, value: &Value| match value {
        Value::String(text) if matches!(name, "status" | "health") || standing(text) != Standing::Unknown => {
            breaker(text).is_none().then(|| repeated("", text))
        }
        Value::Bool(flag) => Some(flag.to_string()),
        // A status of HTTP. 0 is well for Nagios, and 1 is for others: nobody can tell.
        Value::Number(number) if name == "status" => match number.as_u64()? {
            200..=399 => Some("ok".to_owned()),
            400..=599 => Some("error".to_owned()),
            other => Some(other.to_string()),
        },
        // Of old versions of Spring.
        Value::Object(inner) => inner.get("code")?.as_str().map(str::to_owned),
        Value::String(_) | Value::Number(_) | Value::Null | Value::Array(_) => None,
    };
    let own = WORDS.iter().find_map(|name| said(name, fields.get(*name)?)).filter(|word| !word.is_empty());
    // What has an error and no word at all says enough.
    own.or_else(|| fields.get("error").is_some_and(is_told).then(|| "error".to_owned()))
}

fn is_told(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        Value::Bool(true) | Value::Number(_) => true,
    }
}

/// What these fields say beside their word; else what those below `details` or `data` do.
pub(super) fn note(fields: &Map<String, Value>) -> String {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Object(inner) => inner.get("message").and_then(Value::as_str).map(str::to_owned),
        Value::Array(list) => {
            let first = list.first()?;
            let told = first.as_str().or_else(|| first.get("message").and_then(Value::as_str));
            told.map(str::to_owned)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    };
    let own = NOTES.iter().find_map(|name| text(fields.get(*name)?).filter(|text| !text.is_empty()));
    let below = || {
        ["details", "data"].iter().filter_map(|name| fields.get(*name)?.as_object()).find_map(|inner| {
            NOTES.iter().find_map(|name| text(inner.get(*name)?).filter(|text| !text.is_empty()))
        })
    };
    own.or_else(below).map(|text| repeated("", &text)).unwrap_or_default()
}

/// The checks below these fields of a document, and whose shape that is.
pub(super) fn of(fields: &Map<String, Value>) -> (Shape, Vec<HealthCheck>) {
    let held = HOLDERS.iter().find_map(|holder| {
        let value = fields.get(*holder)?;
        let mut found = Vec::new();
        held(value, "", *holder != "details", &mut found);
        (!found.is_empty()).then(|| (shape(holder, value, fields), found))
    });
    let (shape, mut found) = held.unwrap_or_else(|| beside(fields));
    // Of those that fail only their names and errors are told (health-go, go-healthz).
    if let Some(failures) = fields.get("failures").and_then(Value::as_object) {
        for (name, value) in failures {
            let note = value.as_str().map(|text| repeated("", text)).unwrap_or_default();
            found.push(HealthCheck {
                name: name.clone(),
                word: Some("fail".to_owned()),
                note,
                latency: None,
            });
        }
    }
    found.truncate(MOST);
    (shape, found)
}

fn shape(holder: &str, value: &Value, fields: &Map<String, Value>) -> Shape {
    let has = |names: &[&str]| names.iter().any(|name| fields.contains_key(*name));
    let is_draft = |word: &str| matches!(word, "pass" | "warn" | "fail");
    match holder {
        "entries" => Shape::AspNet,
        "results"
            if fields
                .get("status")
                .and_then(Value::as_str)
                .is_some_and(|word| word.starts_with(char::is_uppercase)) =>
        {
            Shape::AspNet
        }
        "details" if has(&["info", "error"]) => Shape::Terminus,
        // Version 2.0 of Spring Boot called them details.
        "components" | "details" => Shape::Spring,
        "checks" if value.is_array() => Shape::MicroProfile,
        "checks" if fields.get("status").and_then(Value::as_str).is_some_and(is_draft) => Shape::HealthJson,
        _ => Shape::Own,
    }
}

/// Everything in a holder that is a check. Bare truth values are checks where nothing else can be meant.
fn held(value: &Value, outer: &str, flags: bool, found: &mut Vec<HealthCheck>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                one(&format!("{outer}{name}"), value, flags, found);
            }
        }
        Value::Array(list) => {
            for entry in list {
                let mut keys = ["name", "label", "key", "id", "component", "check"].iter();
                let name = keys.find_map(|key| entry.get(*key)?.as_str());
                if let Some(name) = name {
                    one(&format!("{outer}{name}"), entry, false, found);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn one(name: &str, value: &Value, flags: bool, found: &mut Vec<HealthCheck>) {
    let bare =
        |word: String| HealthCheck { name: name.to_owned(), word: Some(word), ..HealthCheck::default() };
    match value {
        Value::Object(fields) => {
            if let Some(word) = word(fields) {
                let note = note(fields);
                found.push(HealthCheck {
                    name: name.to_owned(),
                    word: Some(word),
                    note,
                    latency: took(fields),
                });
            }
            let inner = fields.get("components");
            if let Some(inner) = inner {
                held(inner, &format!("{name}/"), flags, found);
            } else if word(fields).is_none() {
                // What has no word may hold what has one.
                for (below, value) in fields.iter().filter(|(_, value)| value.is_object()) {
                    let says = value.as_object().is_some_and(|fields| word(fields).is_some());
                    if says && !breaks(below) && !breaks(name) {
                        one(&format!("{name}/{below}"), value, false, found);
                    }
                }
            }
        }
        // `application/health+json`: the measurements of one component.
        Value::Array(list) => {
            let several = list.len() > 1;
            for (index, entry) in list.iter().enumerate() {
                let Some(fields) = entry.as_object().filter(|fields| word(fields).is_some()) else {
                    continue;
                };
                let id = ["componentId", "nodeId", "id"].iter().find_map(|key| fields.get(*key)?.as_str());
                let id = id.map_or_else(|| (index + 1).to_string(), str::to_owned);
                let name = if several { format!("{name}/{id}") } else { name.to_owned() };
                let note = note(fields);
                found.push(HealthCheck { name, word: word(fields), note, latency: took(fields) });
            }
        }
        Value::String(text) if flags && breaker(text).is_none() => found.push(bare(repeated("", text))),
        Value::Bool(flag) if flags => found.push(bare(flag.to_string())),
        Value::String(_) | Value::Bool(_) | Value::Number(_) | Value::Null => {}
    }
}

/// Whether something is about circuit breakers, whose words are others.
fn breaks(name: &str) -> bool {
    let plain = plain(name);
    plain.contains("breaker") || plain.contains("circuit")
}

/// Ends of names of truth values that tell of a check (`database_reachable`).
const ENDS: [&str; 6] = ["reachable", "connected", "healthy", "alive", "available", "isup"];

/// Checks that stand beside the word of all of them.
fn beside(fields: &Map<String, Value>) -> (Shape, Vec<HealthCheck>) {
    let mut found = Vec::new();
    // Nothing but names with `OK` or the text of an error.
    let known = |value: &Value| value.as_str().is_some_and(|word| standing(word) != Standing::Unknown);
    let named = fields.len() > usize::from(fields.contains_key("status"));
    let own = |name: &str| WORDS.contains(&name) || NOTES.contains(&name);
    if named
        && !fields.keys().any(|name| own(name))
        && fields.values().all(Value::is_string)
        && fields.values().any(known)
    {
        for (name, value) in fields {
            let text = value.as_str().unwrap_or_default();
            let fine = standing(text) != Standing::Unknown;
            let (word, note) = if fine {
                (text.to_owned(), String::new())
            } else {
                ("error".to_owned(), repeated("", text))
            };
            found.push(HealthCheck { name: name.clone(), word: Some(word), note, latency: None });
        }
        return (Shape::Names, found);
    }
    for (name, value) in fields.iter().filter(|(name, _)| !own(name)) {
        match value {
            Value::Object(_) => one(name, value, false, &mut found),
            Value::String(_) if known(value) => one(name, value, true, &mut found),
            Value::Bool(_) if ENDS.iter().any(|end| plain(name).ends_with(end)) => {
                one(name, value, true, &mut found);
            }
            Value::String(_) | Value::Array(_) | Value::Number(_) | Value::Bool(_) | Value::Null => {}
        }
    }
    (Shape::Own, found)
}
