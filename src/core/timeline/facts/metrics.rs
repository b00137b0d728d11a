//! What of an endpoint is compared: when its process began, and the versions that its `…_info` series and its `app_version` labels
//! name. Pure.

use super::change::{Change, on};
use crate::core::metrics::{Layout, MetricsReading, MetricsState, Named};
use crate::core::place::Screen;
use crate::core::time::Now;
use crate::core::timeline::event::Kind;
use chrono::DateTime;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The labels in which a version stands.
const VERSIONS: [&str; 3] = ["version", "service_version", "app_version"];
/// The label by which some applications tell theirs with every sample.
const LABEL: &str = "app_version";
/// The labels that say more about it.
const REVISIONS: [&str; 3] = ["revision", "commit", "git_commit"];
/// So many versions of one endpoint are remembered: more are no versions.
const MOST: usize = 64;
/// Clocks of a process and of ours differ by no more than this, or it is not told that it began.
const SKEW_SECONDS: f64 = 5.0;

/// What was known at the newest look.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct MetricsFacts {
    versions: BTreeSet<String>,
    /// The samples among which they were looked for last.
    looked_at: Option<Arc<Layout>>,
}

impl MetricsFacts {
    pub(super) fn follow(&mut self, state: &MetricsState, first: Now) -> Vec<Change> {
        let Some(reading) = state.reading() else { return Vec::new() };
        let began = if state.restarted { began(reading, first) } else { None };
        began.into_iter().chain(self.versions(reading)).collect()
    }

    fn versions(&mut self, reading: &MetricsReading) -> Vec<Change> {
        // Which samples there are seldom changes, and while it does not, readings share them.
        let before = self.looked_at.replace(Arc::clone(&reading.layout));
        if before.as_ref().is_some_and(|before| Arc::ptr_eq(before, &reading.layout)) {
            return Vec::new();
        }
        let first = before.is_none();
        let mut changes = Vec::new();
        let mut before = "";
        for (sample, _) in reading.samples() {
            let again = std::mem::replace(&mut before, sample.name()) == sample.name();
            let Some(words) = version(sample, again) else { continue };
            if self.versions.len() < MOST && self.versions.insert(words.clone()) && !first {
                let words = format!("{words} is there for the first time");
                changes.push(Change::new(Kind::Version, words, on(Screen::Metrics)));
            }
        }
        changes
    }
}

/// The version that a sample tells: one that is there to tell it, or the label that some put on everything (looked for once a name).
fn version(sample: Named<'_>, again: bool) -> Option<String> {
    if !sample.name().ends_with("_info") {
        let version = if again { None } else { sample.label(LABEL) };
        return version.map(|version| format!("{LABEL} {version}"));
    }
    let version = VERSIONS.iter().find_map(|label| sample.label(label))?;
    let revision = REVISIONS.iter().find_map(|label| sample.label(label));
    let revision = revision.map_or_else(String::new, |revision| format!(" (revision {revision})"));
    Some(format!("{}: version {version}{revision}", sample.name()))
}

/// That the process began while it was looked at. Of several that answer in turn one may only be new to us: those began earlier.
fn began(reading: &MetricsReading, first: Now) -> Option<Change> {
    let mut samples = reading.samples();
    let (_, start) = samples.find(|(sample, _)| sample.name() == "process_start_time_seconds")?;
    if !start.is_finite() || start + SKEW_SECONDS < first.wall.timestamp() as f64 {
        return None;
    }
    let at = DateTime::from_timestamp(start as i64, 0)?;
    let words = format!("another process answers, which began at {}", at.format("%Y-%m-%d %H:%M:%SZ"));
    Some(Change::new(Kind::Restarted, words, on(Screen::Metrics)))
}
