//! `stacktop targets`: which targets would be watched, and why.

use super::arguments::{Arguments, Output};
use super::check;
use super::given::settings;
use super::print::{document, print};
use super::trust::Care;
use crate::config::discover::Surroundings;
use crate::config::resolve::Settings;
use crate::config::target::TargetConfig;
use crate::core::text::clean;
use serde_json::{Value, json};
use std::process::ExitCode;

/// Prints them. The exit code is 1 when there is none.
pub(super) fn run(arguments: &Arguments, around: &Surroundings, output: Output) -> Result<ExitCode, String> {
    let settings = settings(arguments, around, Care::Shows)?;
    check::surfaces(arguments, around, &settings)?;
    match output {
        Output::Text => print(&describe(&settings)),
        Output::Json => document(&data(&settings)),
    }
    Ok(if settings.targets.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What may be done where nothing was found.
const NOTHING: &str = "no target was found. Any of these gives it something to watch:
  stacktop demo                                   an embedded stack with an incident; nothing is connected to
  stacktop postgres://host/db redis://host        servers by their URLs
  export DATABASE_URL=… REDIS_URL=…               or a .env, or the folder of a compose file
  stacktop config > ~/.config/stacktop/config.toml, then name targets in it
";

/// The targets, and what was looked at. Names may come from a file of somebody else: each is kept to its line.
pub(super) fn describe(settings: &Settings) -> String {
    let mut text = format!(
        "environment {}{}\n\n",
        clean(&settings.environment),
        if settings.production { " (production: every action asks for a typed word)" } else { "" }
    );
    for target in &settings.targets {
        text.push_str(&format!(
            "{:<16} {:<17} {}\n{:<16} {}\n",
            clean(target.id.as_str()),
            target.kind().name(),
            clean(&target.address()),
            "",
            clean(&target.chosen_because)
        ));
    }
    if settings.targets.is_empty() {
        text.push_str(NOTHING);
    }
    text.push_str("\nlooked at:\n");
    for line in &settings.trail {
        text.push_str(&format!("  {}\n", clean(line)));
    }
    text
}

/// The same for programs.
fn data(settings: &Settings) -> Value {
    json!({
        "environment": settings.environment,
        "production": settings.production,
        "read_only": settings.read_only,
        "targets": settings.targets.iter().map(of).collect::<Vec<_>>(),
        "looked_at": settings.trail,
    })
}

/// One target for programs.
pub(super) fn of(target: &TargetConfig) -> Value {
    json!({
        "name": target.id.as_str(),
        "system": target.kind().name(),
        "address": target.address(),
        "chosen_because": target.chosen_because,
        "interval_seconds": target.interval.as_secs_f64(),
        "timeout_seconds": target.timeout.as_secs_f64(),
        "read_only": target.read_only,
        "unusable": target.unusable(),
        "warning": target.exposed(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::resolve::resolve;
    use crate::config::wishes::Wishes;

    #[test]
    fn targets_explains_itself_when_nothing_is_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = resolve(&Wishes::default(), &Surroundings::empty(folder.path())).expect("fine");
        let text = describe(&settings);
        for words in [
            "no target was found",
            "stacktop demo",
            "redis://host",
            "not set in the environment: DATABASE_URL",
            "no compose file in",
        ] {
            assert!(text.contains(words), "{words}: {text}");
        }
    }
}
