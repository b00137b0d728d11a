//! `stacktop info`: what a report of something amiss has to say: versions, paths, the terminal, what was detected. Of variables that may
//! hold a login only the names are told.

use super::appearance::themes;
use super::arguments::{Arguments, Output};
use super::given::settings;
use super::print::{document, print};
use super::state_folder::state_folder;
use super::targets;
use super::trust::Care;
use crate::config::discover::Surroundings;
use crate::config::resolve::Settings;
use crate::config::written::own_file;
use crate::core::text::clean;
use serde_json::{Map, Value, json};
use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;

/// Variables that name a server or hold a login.
const NAMING: [&str; 12] = [
    "DATABASE_URL",
    "PGHOST",
    "PGHOSTADDR",
    "PGPORT",
    "PGDATABASE",
    "PGUSER",
    "PGPASSWORD",
    "PGPASSFILE",
    "PGSERVICE",
    "REDIS_URL",
    "ELASTICSEARCH_URL",
    "PROMETHEUS_URL",
];

/// Variables that say what a terminal can show.
const OF_TERMINALS: [&str; 9] =
    ["TERM", "COLORTERM", "COLORFGBG", "NO_COLOR", "TERM_PROGRAM", "TMUX", "LC_ALL", "LC_CTYPE", "LANG"];

/// Prints it. What is wrong with the configuration is a part of it, and no reason to fail.
pub(super) fn run(arguments: &Arguments, around: &Surroundings, output: Output) -> ExitCode {
    let found = settings(arguments, around, Care::Shows);
    let told = json!({
        "versions": versions(),
        "paths": paths(arguments, around),
        "terminal": terminal(arguments, around, found.as_ref().ok()),
        "detected": detected(around, &found),
    });
    match output {
        Output::Text => print(&shown(&told)),
        Output::Json => document(&told),
    }
    ExitCode::SUCCESS
}

fn versions() -> Value {
    let system = rustix::system::uname();
    let kernel = [system.sysname(), system.release(), system.machine()].map(std::ffi::CStr::to_string_lossy);
    json!({
        "stacktop": env!("CARGO_PKG_VERSION"),
        "built_for": format!("{}-{}", std::env::consts::ARCH, libc()),
        "system": kernel.join(" "),
    })
}

const fn libc() -> &'static str {
    if cfg!(target_env = "musl") { "linux-musl (static)" } else { std::env::consts::OS }
}

/// Every path with whether something is there.
fn paths(arguments: &Arguments, around: &Surroundings) -> Value {
    let there = |path: &Path| json!({ "path": path.display().to_string(), "exists": path.exists() });
    let state = state_folder(around);
    let below = |name: &str| state.as_ref().map_or(Value::Null, |folder| there(&folder.join(name)));
    json!({
        "program": std::env::current_exe().ok().map(|path| path.display().to_string()),
        "configuration": match &arguments.config {
            Some(given) => there(given),
            None => own_file(around).map_or(Value::Null, |path| there(&path)),
        },
        "folder_configuration": there(&around.folder.join("stacktop.toml")),
        "audit_trail": below("audit.jsonl"),
        "trusted_files": below("trusted.jsonl"),
        "log": below("stacktop.log"),
    })
}

fn terminal(arguments: &Arguments, around: &Surroundings, settings: Option<&Settings>) -> Value {
    let named = settings.and_then(|settings| settings.theme.as_deref());
    let ascii = settings.is_some_and(|settings| settings.ascii);
    let themes = themes(arguments, around, named, ascii);
    let mut told = Map::new();
    for name in OF_TERMINALS {
        told.insert(name.to_owned(), around.var(name).into());
    }
    let shows = std::io::stdout().is_terminal();
    let size = shows.then(crossterm::terminal::size).and_then(Result::ok);
    let size = size.map(|(columns, rows)| format!("{columns}×{rows}"));
    told.insert("output_is_a_terminal".to_owned(), shows.into());
    told.insert("size".to_owned(), size.into());
    told.insert(
        "theme".to_owned(),
        themes
            .as_ref()
            .map_or_else(|why| Value::from(why.clone()), |themes| themes.theme.name.clone().into()),
    );
    let other = themes.as_ref().ok().and_then(|themes| themes.otherwise.as_ref());
    told.insert("other_theme".to_owned(), other.map(|other| other.theme.name.clone()).into());
    told.insert("ascii".to_owned(), themes.is_ok_and(|themes| themes.theme.ascii).into());
    Value::Object(told)
}

fn detected(around: &Surroundings, found: &Result<Settings, String>) -> Value {
    let set: Vec<&str> = NAMING.into_iter().filter(|name| around.var(name).is_some()).collect();
    match found {
        Ok(settings) => json!({
            "variables_set": set,
            "environment": settings.environment,
            "production": settings.production,
            "targets": settings.targets.iter().map(targets::of).collect::<Vec<_>>(),
            "looked_at": settings.trail,
        }),
        Err(why) => json!({ "variables_set": set, "problem": why }),
    }
}

/// The same for people: a heading for each part, a line for each value.
fn shown(told: &Value) -> String {
    let mut text = String::new();
    for (part, values) in told.as_object().into_iter().flatten() {
        text.push_str(&format!("{part}\n"));
        for (name, value) in values.as_object().into_iter().flatten() {
            // Variables keep their names as they are.
            let words =
                if OF_TERMINALS.contains(&name.as_str()) { name.clone() } else { name.replace('_', " ") };
            text.push_str(&format!("  {words:<23} {}\n", line(value)));
        }
        text.push('\n');
    }
    text
}

/// A value in one line; a list has a line for each of its entries.
fn line(value: &Value) -> String {
    let word = |value: &Value| value.as_str().map(clean);
    match value {
        Value::Null => "none".to_owned(),
        Value::Bool(flag) => if *flag { "yes" } else { "no" }.to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => clean(text),
        Value::Array(list) if list.is_empty() => "none".to_owned(),
        Value::Array(list) => {
            let entries: Vec<String> = list.iter().map(line).collect();
            entries.join(&format!("\n{:26}", ""))
        }
        Value::Object(fields) => match (fields.get("path").and_then(word), fields.get("exists")) {
            (Some(path), Some(Value::Bool(true))) => path,
            (Some(path), _) => format!("{path} (not there)"),
            (None, _) => ["name", "system", "address", "unusable"]
                .into_iter()
                .filter_map(|field| word(fields.get(field)?))
                .collect::<Vec<_>>()
                .join("  "),
        },
    }
}
