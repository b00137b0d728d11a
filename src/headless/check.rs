//! One look: asks every target for as long as rates and the rules need, then tells what is known.

use super::ending::Ending;
use super::markdown::markdown;
use super::report::Report;
use super::text::text;
use super::watching::{Seen, Setup, Watching};
use crate::core::alert::{Finding, Stage};
use crate::core::spoken;
use crate::engine::settle;
use std::io;
use std::time::Duration;

/// Rates need two polls; between these so much more is waited for the second answer.
const ROOM: Duration = Duration::from_secs(2);
/// It takes at least this long, however often targets are asked: what swings shows.
const LEAST: Duration = Duration::from_secs(8);
/// Who is asked so seldom that a second answer would not come in time is asked once more after this: without two there are no rates.
const AGAIN: Duration = Duration::from_secs(45);
/// Without a span of its own it takes no longer than this, whatever still waits.
const MOST: Duration = Duration::from_secs(90);

/// A form of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// For tickets.
    Markdown,
}

/// How the look ended.
#[derive(Debug)]
pub enum Looked {
    /// With this report.
    Told(Box<Report>),
    /// By a signal: its number.
    Signal(i32),
}

/// Looks for `span`; without one for as long as it takes, see [`enough`].
///
/// # Errors
/// When signals cannot be caught.
pub async fn look(setup: Setup, span: Option<Duration>) -> io::Result<Looked> {
    let looked = looked(setup, span).await;
    settle().await;
    looked
}

async fn looked(setup: Setup, span: Option<Duration>) -> io::Result<Looked> {
    let mut ending = Ending::catch()?;
    let mut watching = Watching::start(setup);
    let mut again = span.is_none();
    loop {
        tokio::select! {
            number = ending.next() => return Ok(Looked::Signal(number)),
            () = watching.next() => {}
        }
        if again && watching.seen().now.since(watching.seen().started) >= AGAIN {
            again = false;
            watching.ask_seldom();
        }
        let seen = watching.seen();
        if enough(seen, span) {
            return Ok(Looked::Told(Box::new(Report::of(seen))));
        }
    }
}

/// Whether it was looked for long enough: for `span`; without one until every target answered twice (or fails), what is read beside the
/// first answer has come, and nothing is past a threshold whose rule would be satisfied by waiting a little more.
#[must_use]
pub fn enough(seen: Seen<'_>, span: Option<Duration>) -> bool {
    let past = seen.now.since(seen.started);
    if let Some(span) = span {
        return past >= span;
    }
    let targets = seen.world.targets();
    let longest = targets.iter().map(|target| target.configured_interval).max().unwrap_or_default();
    let least = longest.saturating_mul(2).saturating_add(ROOM).clamp(LEAST, MOST);
    let settled = targets.iter().all(|target| {
        let cost = seen.costs.get(&target.id).copied().unwrap_or_default();
        (cost.answered >= 2 && seen.world.awaited(target).is_empty()) || target.failure.is_some()
    });
    let comes = |finding: &Finding| {
        let hold = seen.world.rules.on(finding.breach.rule, &[finding.breach.target.as_str()]).hold;
        finding.stage == Stage::Pending && past + hold.saturating_sub(finding.lasted(seen.now)) <= MOST
    };
    let waits = !settled || seen.world.alerts.followed().any(comes);
    past >= if waits { MOST } else { least }
}

/// The report in a form, ready to be printed.
#[must_use]
pub fn written(report: &Report, form: Form) -> String {
    match form {
        Form::Text => spoken::lines(&text(report)),
        Form::Markdown => spoken::lines(&markdown(report)),
        Form::Json => spoken::document(&serde_json::to_value(report).unwrap_or_default()),
    }
}
