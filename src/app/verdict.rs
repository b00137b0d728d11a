//! Line two of every screen: what is broken, since when, the root, how many are hit; in one sentence, and never green while a source is silent.

use crate::core::alert::{Finding, Severity};
use crate::core::freshness::Freshness;
use crate::core::time::Now;
use crate::core::world::World;
use crate::ui::content::{Line, Role};
use crate::ui::format::duration;
use std::time::Duration;

/// The sentence at `now`.
#[must_use]
pub fn verdict(world: &World, now: Now) -> Line {
    if world.targets().is_empty() {
        return Line::of(
            Role::Warning,
            "NOTHING TO WATCH: no target was found (! shows what was looked for)",
        );
    }
    let firing = world.alerts.firing();
    let (silent, mut others): (Vec<&Finding>, Vec<&Finding>) =
        firing.into_iter().partition(|finding| finding.signal.rule == "source.silent");
    let worst = others.first().map(|finding| finding.signal.severity);
    root_first(&mut others);
    let lost = silent.iter().any(|finding| finding.signal.severity == Severity::Critical);
    match worst {
        Some(Severity::Critical) => broken(Role::Critical, "BROKEN", &others, &silent, now),
        _ if lost => unknown(&silent, &others, now),
        Some(Severity::Warning) => broken(Role::Warning, "DEGRADED", &others, &silent, now),
        _ if !silent.is_empty() => unknown(&silent, &others, now),
        _ => calm(world, &others, now),
    }
}

/// Rules that name a culprit: what else began with it or later is taken for its consequence.
const ROOTS: [&str; 2] = ["postgres.blocked", "postgres.prepared"];
/// A consequence may be noticed this much before its cause (both are polled).
const SLACK: Duration = Duration::from_secs(15);

/// Puts a culprit first when nothing that is worse began clearly before it.
fn root_first(others: &mut [&Finding]) {
    let Some(worst) = others.first().copied() else { return };
    let root = others.iter().position(|finding| {
        ROOTS.contains(&finding.signal.rule)
            && finding.signal.severity > Severity::Info
            && worst.since.plus(SLACK).reached(finding.since)
    });
    if let Some(root) = root {
        others[..=root].rotate_right(1);
    }
}

fn since(finding: &Finding, now: Now) -> String {
    let local = finding.since.wall.with_timezone(&chrono::Local);
    format!("since {} ({})", local.format("%H:%M:%S"), duration(finding.lasted(now)))
}

fn broken(role: Role, word: &str, others: &[&Finding], silent: &[&Finding], now: Now) -> Line {
    let Some(first) = others.first() else {
        return Line::default();
    };
    let mut line = Line::of(role, format!("{word} "))
        .then(Role::Text, format!("{}: ", since(first, now)))
        .then(Role::Strong, first.sentence(now));
    for finding in others.iter().skip(1).take(2) {
        line = line.then(Role::Text, format!("; {}", finding.sentence(now)));
    }
    if others.len() > 3 {
        line = line.then(Role::Muted, format!("; +{} more", others.len() - 3));
    }
    for finding in silent {
        line = line.then(Role::Warning, format!("; no data from {}", finding.signal.target));
    }
    line
}

fn unknown(silent: &[&Finding], others: &[&Finding], now: Now) -> Line {
    let Some(first) = silent.first() else {
        return Line::default();
    };
    let mut line = Line::of(Role::Critical, "UNKNOWN ")
        .then(Role::Text, format!("{}: ", since(first, now)))
        .then(Role::Strong, &first.signal.sentence);
    for finding in silent.iter().skip(1) {
        line = line.then(Role::Text, format!("; no data from {}", finding.signal.target));
    }
    for finding in others.iter().take(1) {
        line = line.then(Role::Text, format!("; {}", finding.sentence(now)));
    }
    line
}

fn calm(world: &World, notes: &[&Finding], now: Now) -> Line {
    let waiting: Vec<String> = world
        .targets()
        .iter()
        .filter(|target| matches!(target.freshness(now), Freshness::Waiting))
        .map(|target| target.id.to_string())
        .collect();
    if !waiting.is_empty() {
        return Line::of(Role::Note, format!("WAITING for the first answer of {}", waiting.join(", ")));
    }
    let count = world.targets().len();
    let line = Line::of(Role::Ok, "OK ").then(
        Role::Text,
        if count == 1 {
            "1 source answers, nothing is past its threshold".to_owned()
        } else {
            format!("{count} sources answer, nothing is past its threshold")
        },
    );
    match notes.first() {
        Some(note) => line.then(Role::Muted, format!("; {}", note.sentence(now))),
        None => line,
    }
}
