//! `stacktop doctor`: what can be seen and done on each target with the rights that there are, and the lines that would permit the rest.

use super::arguments::Arguments;
use super::check;
use super::given::settings;
use super::print::{complain, print};
use super::trust::Care;
use crate::config::discover::Surroundings;
use crate::config::target::TargetConfig;
use crate::core::doctor::{Check, Report};
use crate::core::report::PollError;
use crate::core::text::clean;
use crate::core::time::Clock;
use crate::runtime::clock::SystemClock;
use crate::{sources, systems};
use std::process::ExitCode;
use std::time::Duration;

/// A target that has not told everything by then hangs.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Examines every target. The exit code is 1 when one of them could not be connected to, or something that is to be watched is refused or
/// not known there. An action that is not permitted does not count: to look only is a way to work.
pub(super) fn run(arguments: &Arguments, around: &Surroundings) -> Result<ExitCode, String> {
    let settings = settings(arguments, around, Care::Acts)?;
    check::surfaces(arguments, around, &settings, || None)?;
    sources::tls::install_provider();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start: {error}"))?;
    let mut reached = true;
    for target in &settings.targets {
        let found = runtime.block_on(async {
            tokio::select! {
                found = examine(target) => Some(found),
                _ = tokio::signal::ctrl_c() => None,
            }
        });
        match found {
            Some(readable) => reached &= readable,
            None => return Ok(ExitCode::from(130)),
        }
    }
    if settings.targets.is_empty() {
        complain("no target was found; `stacktop targets` says what was looked for");
        reached = false;
    }
    Ok(if reached { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints what is found, and tells whether all that is to be watched can be read.
async fn examine(target: &TargetConfig) -> bool {
    let name = clean(target.id.as_str());
    print(&format!("{name} ({}) {}\n", target.kind().name(), clean(&target.address())));
    if let Some(warning) = target.exposed() {
        print(&format!("  {}\n", clean(&warning)));
    }
    let now = SystemClock::start().now();
    let result = tokio::time::timeout(TIMEOUT, systems::examine(target, now)).await;
    match result {
        Ok(Ok(report)) => {
            print(&shown(&report));
            report.checks.iter().all(|check| !check.standing.is_blind())
        }
        Ok(Err(error)) => {
            print(&format!("{}\n", refusal(&error)));
            false
        }
        Err(_) => {
            print(&format!("  unknown  connection: no answer within {} s\n\n", TIMEOUT.as_secs()));
            false
        }
    }
}

fn refusal(error: &PollError) -> String {
    let remedy =
        error.remedy.as_ref().map_or(String::new(), |remedy| format!("\n           {}", clean(remedy)));
    format!("  REFUSED  connection: {}{remedy}\n", clean(&error.message))
}

/// Each finding is kept to its line: what a server says must not look like another finding.
fn shown(report: &Report) -> String {
    let mut text = String::new();
    for Check { feature, standing, found, remedy } in &report.checks {
        text.push_str(&format!("  {:<8} {}: {}\n", standing.word(), clean(feature), clean(found)));
        if let Some(remedy) = remedy {
            text.push_str(&format!("           {}\n", clean(remedy)));
        }
    }
    if !report.setup.is_empty() {
        text.push_str("  to set it up from nothing:\n");
        for line in &report.setup {
            text.push_str(&format!("    {}\n", clean(line)));
        }
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_comes_with_its_remedy() {
        let report = Report {
            checks: vec![
                Check::fine("a", "fine"),
                Check::missing("b", "not granted", "GRANT b TO me;"),
                Check::refused("c", "not permitted", "permit c"),
                Check::unknown("d", "nobody may ask"),
            ],
            setup: vec!["CREATE ROLE x;".to_owned()],
        };
        let text = shown(&report);
        assert!(text.contains("  ok       a: fine\n"));
        assert!(text.contains("  MISSING  b: not granted\n           GRANT b TO me;\n"));
        assert!(text.contains("  REFUSED  c: not permitted\n           permit c\n"));
        assert!(text.contains("  unknown  d: nobody may ask\n"));
        let blind: Vec<bool> = report.checks.iter().map(|check| check.standing.is_blind()).collect();
        assert_eq!(blind, [false, false, true, true]);
        assert!(text.contains("    CREATE ROLE x;\n"));
    }
}
