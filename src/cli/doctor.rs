//! `stacktop doctor`: what can be seen and done on each target with the rights that there are, and the lines that would permit the rest.

use super::arguments::{Arguments, Output};
use super::check;
use super::given::settings;
use super::print::{complain, document, print};
use super::targets;
use super::trust::Care;
use crate::config::discover::Surroundings;
use crate::config::target::TargetConfig;
use crate::core::doctor::{Check, Report, Standing};
use crate::core::report::PollError;
use crate::core::text::clean;
use crate::core::time::Clock;
use crate::runtime::clock::SystemClock;
use crate::{sources, systems};
use serde_json::{Map, Value, json};
use std::process::ExitCode;
use std::time::Duration;

/// A target that has not told everything by then hangs.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Examines every target. The exit code is 1 when one of them could not be connected to, or something that is to be watched is refused or
/// not known there. An action that is not permitted does not count: to look only is a way to work.
pub(super) fn run(arguments: &Arguments, around: &Surroundings, output: Output) -> Result<ExitCode, String> {
    let settings = settings(arguments, around, Care::Acts)?;
    check::surfaces(arguments, around, &settings)?;
    sources::tls::install_provider();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start: {error}"))?;
    let mut reached = !settings.targets.is_empty();
    let mut list = Vec::new();
    for target in &settings.targets {
        if output == Output::Text {
            print(&heading(target));
        }
        let found = runtime.block_on(async {
            tokio::select! {
                found = examine(target) => Some(found),
                _ = tokio::signal::ctrl_c() => None,
            }
        });
        let Some(found) = found else { return Ok(ExitCode::from(130)) };
        reached &= found.readable();
        match output {
            Output::Text => print(&found.shown()),
            Output::Json => list.push(found.data(target)),
        }
    }
    if output == Output::Json {
        document(&json!({ "readable": reached, "targets": list }));
    }
    if settings.targets.is_empty() {
        complain("no target was found; `stacktop targets` says what was looked for");
    }
    Ok(if reached { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn heading(target: &TargetConfig) -> String {
    let name = clean(target.id.as_str());
    let warning = target.exposed().map_or(String::new(), |warning| format!("  {}\n", clean(&warning)));
    format!("{name} ({}) {}\n{warning}", target.kind().name(), clean(&target.address()))
}

/// What came of looking at one target.
enum Found {
    /// It answered.
    Told(Report),
    /// It, or something before it, refused.
    Refused(PollError),
    /// Nothing was heard in time.
    Silent,
}

async fn examine(target: &TargetConfig) -> Found {
    let now = SystemClock::start().now();
    match tokio::time::timeout(TIMEOUT, systems::examine(target, now)).await {
        Ok(Ok(report)) => Found::Told(report),
        Ok(Err(error)) => Found::Refused(error),
        Err(_) => Found::Silent,
    }
}

impl Found {
    /// Whether all that is to be watched can be read.
    fn readable(&self) -> bool {
        match self {
            Self::Told(report) => report.checks.iter().all(|check| !check.standing.is_blind()),
            Self::Refused(_) | Self::Silent => false,
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Told(report) => shown(report),
            Self::Refused(error) => format!("{}\n", refusal(error)),
            Self::Silent => format!("  unknown  connection: {}\n\n", silence()),
        }
    }

    /// The same for programs, beside what is known of the target.
    fn data(&self, target: &TargetConfig) -> Value {
        let (checks, setup) = match self {
            Self::Told(report) => (report.checks.clone(), report.setup.clone()),
            Self::Refused(error) => {
                let refused = Check::unknown("connection", error.message.clone());
                let remedy = error.remedy.clone();
                (vec![Check { standing: Standing::Refused, remedy, ..refused }], Vec::new())
            }
            Self::Silent => (vec![Check::unknown("connection", silence())], Vec::new()),
        };
        let checks: Vec<Value> = checks
            .iter()
            .map(|check| {
                json!({
                    "feature": check.feature,
                    "standing": check.standing.word().to_lowercase(),
                    "found": check.found,
                    "remedy": check.remedy,
                })
            })
            .collect();
        let mut all = targets::of(target);
        if let Some(fields) = all.as_object_mut() {
            fields.extend(Map::from_iter([
                ("readable".to_owned(), self.readable().into()),
                ("checks".to_owned(), checks.into()),
                ("setup".to_owned(), setup.into()),
            ]));
        }
        all
    }
}

fn silence() -> String {
    format!("no answer within {} s", TIMEOUT.as_secs())
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
    use crate::config::resolve::resolve;
    use crate::config::wishes::Wishes;
    use crate::core::report::PollErrorKind;

    #[test]
    fn what_refuses_is_told_to_programs_as_a_check() {
        let folder = tempfile::tempdir().expect("a folder");
        let around = Surroundings::empty(folder.path()).with("REDIS_URL", "redis://:s3cret@h");
        let settings = resolve(&Wishes::default(), &around).expect("fine");
        let error = PollError::new(PollErrorKind::NotPermitted, "no").remedy("do");
        let data = Found::Refused(error).data(&settings.targets[0]);
        assert_eq!(
            data["checks"],
            json!([{"feature": "connection", "standing": "refused", "found": "no", "remedy": "do"}])
        );
        assert_eq!((&data["name"], &data["readable"]), (&json!("redis"), &json!(false)));
        assert!(!data.to_string().contains("s3cret"), "{data}");
    }

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
