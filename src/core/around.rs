//! What stands around a verdict: who is not it, what cannot be seen from here, and what changed just before. Pure, and data; none of it
//! names a cause.

use super::alert::Finding;
use super::chain::addresses;
use super::freshness::Freshness;
use super::ids::{SystemKind, TargetId};
use super::source_rules::{CHANGED, SILENT, UNREAD};
use super::system::SystemState;
use super::text::{cut, duration};
use super::time::Now;
use super::timeline::{Event, Kind};
use super::world::{TargetState, World};
use std::collections::BTreeSet;
use std::time::Duration;

/// A change so long before something began stands beside it, and trouble that is older than that did not begin with it.
const BEFORE: Duration = Duration::from_secs(600);
/// A change is noticed by the next look, so that it may seem to come after what it brought about.
const NOTICED: Duration = Duration::from_secs(10);
/// So many changes are told beside a verdict.
const MOST_CHANGES: usize = 5;
/// Of old trouble so much of its sentence is told.
const OLD_TROUBLE: usize = 48;

/// A target that is not it, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exonerated<'a> {
    /// Which.
    pub target: &'a TargetId,
    /// Why.
    pub words: String,
}

/// What cannot be seen from here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage<'a> {
    /// What nothing here looks at, in words.
    pub unseen: Vec<&'static str>,
    /// Targets that answer, and of which some part cannot be read.
    pub unread: Vec<&'a TargetId>,
    /// Targets whose newest data is old, and how old.
    pub stale: Vec<(&'a TargetId, Duration)>,
}

/// The targets that are not what `lead` is about, with the reason: they answer, every part of them was read, and nothing there is past its
/// threshold, or only what is clearly older. Where that cannot be said of a target, nothing is said of it.
#[must_use]
pub fn exonerated<'a>(world: &'a World, lead: &Finding, now: Now) -> Vec<Exonerated<'a>> {
    let firing = world.alerts.firing();
    let root = world.chain.root(&lead.key()).map_or_else(|| lead.key(), |(root, _)| root.clone());
    let below = |finding: &&&Finding| {
        let key = finding.key();
        key == root || world.chain.root(&key).is_some_and(|(of, _)| *of == root)
    };
    let involved: BTreeSet<&TargetId> =
        firing.iter().filter(below).map(|finding| &finding.breach.target).collect();
    let apart = |target: &&TargetState| target.id != lead.breach.target && !involved.contains(&target.id);
    let targets = world.targets().iter().map(|target| &**target);
    let calm = targets.clone().filter(apart).filter_map(|target| {
        let its: Vec<&Finding> =
            firing.iter().copied().filter(|finding| finding.breach.target == target.id).collect();
        Some(Exonerated { target: &target.id, words: innocent(target, &its, lead, now)? })
    });
    let reached = targets.filter(|target| involved.contains(&target.id) || target.id == lead.breach.target);
    let reached = reached.filter_map(|target| {
        Some(Exonerated { target: &target.id, words: reached_by_others(world, target, now)? })
    });
    reached.chain(calm).collect()
}

/// Why a target that answers has nothing to do with it.
fn innocent(target: &TargetState, its: &[&Finding], lead: &Finding, now: Now) -> Option<String> {
    let Freshness::Fresh(_) = target.freshness(now) else { return None };
    // What another system says is about others; of what will be nothing is so yet.
    if target.kind == SystemKind::Prometheus || its.iter().any(|finding| finding.breach.rule == UNREAD.id) {
        return None;
    }
    let trouble: Vec<&&Finding> = its.iter().filter(|finding| !finding.is_forecast()).collect();
    let Some(worst) = trouble.first() else {
        // A file answers nobody.
        let took = target.took.filter(|_| target.kind != SystemKind::Log);
        let took = took.map_or_else(String::new, |took| format!("answers in {}, ", duration(took)));
        return Some(format!("{took}nothing past its threshold"));
    };
    let older =
        |finding: &&&Finding| finding.unseen.is_none() && finding.since.plus(BEFORE).mono <= lead.since.mono;
    trouble.iter().all(older).then(|| {
        format!(
            "{}, but for {} already",
            cut(&worst.breach.sentence, OLD_TROUBLE),
            duration(worst.lasted(now))
        )
    })
}

/// A server that gives us no data while Prometheus gets some from the same address: it is our way to it, not the server.
fn reached_by_others(world: &World, target: &TargetState, now: Now) -> Option<String> {
    let silent = world
        .alerts
        .firing()
        .into_iter()
        .any(|finding| finding.breach.target == target.id && finding.breach.rule == SILENT.id);
    let own = addresses(&target.address);
    let of = |other: &TargetState| -> Option<String> {
        let SystemState::Prometheus(state) = &other.system else { return None };
        let Freshness::Fresh(_) = other.freshness(now) else { return None };
        let scraped = state.reading()?.targets.ready()?;
        let up = scraped.iter().find(|scraped| {
            scraped.health == "up"
                && own.iter().any(|(host, port)| scraped.instance == format!("{host}:{port}"))
        })?;
        Some(format!("{} gets data from {}: it is our way to it, not the server", other.id, up.instance))
    };
    world.targets().iter().filter(|_| silent).find_map(|other| of(other))
}

/// What cannot be seen from here, whatever the verdict is about.
#[must_use]
pub fn coverage(world: &World, now: Now) -> Coverage<'_> {
    let mut unseen = Vec::new();
    let metrics = || world.targets().iter().filter_map(|target| target.system.metrics());
    if metrics().next().is_none() {
        unseen.push("applications");
    }
    if metrics().all(|state| state.disks.iter().next().is_none()) {
        unseen.push("hosts");
    }
    unseen.push("the network between them");
    let unread = world.alerts.firing().into_iter().filter(|finding| finding.breach.rule == UNREAD.id);
    let unread: BTreeSet<&TargetId> = unread.map(|finding| &finding.breach.target).collect();
    let stale = world.targets().iter().filter_map(|target| match target.freshness(now) {
        Freshness::Late(age) | Freshness::Lost(age) if target.seen.is_some() => Some((&target.id, age)),
        Freshness::Late(_) | Freshness::Lost(_) | Freshness::Waiting | Freshness::Fresh(_) => None,
    });
    Coverage { unseen, unread: unread.into_iter().collect(), stale: stale.collect() }
}

/// What changed within ten minutes before the root of `lead` began, the newest first. That it came before says nothing of why.
#[must_use]
pub fn coincident<'a>(world: &'a World, lead: &Finding) -> Vec<&'a Event> {
    let firing = world.alerts.firing();
    let root = world.chain.root(&lead.key()).map(|(root, _)| root.clone());
    let root = root.and_then(|root| firing.into_iter().find(|finding| finding.key() == root)).unwrap_or(lead);
    let (from, until) = (root.since.minus(BEFORE), root.since.plus(NOTICED));
    let near = |event: &&Event| event.at.mono >= from.mono && event.at.mono <= until.mono;
    // Those two say themselves when they were, also to a run that began later.
    let told = |event: &&Event| !event.kept || matches!(event.kind, Kind::Migrated | Kind::Marked);
    let changes = world.timeline.events().filter(|event| is_change(event.kind)).filter(told);
    // What is told as the cause does not merely coincide.
    let apart = |event: &&Event| root.breach.rule != CHANGED.id || root.breach.subject != event.words;
    let mut changes: Vec<&Event> = changes.filter(near).filter(apart).collect();
    changes.sort_by_key(|event| std::cmp::Reverse(event.at.mono));
    changes.truncate(MOST_CHANGES);
    changes
}

/// Whether somebody or something was changed, as opposed to what was found, done from here or not looked at.
const fn is_change(kind: Kind) -> bool {
    match kind {
        Kind::Restarted
        | Kind::Crashed
        | Kind::Another
        | Kind::Role
        | Kind::Setting
        | Kind::Paused
        | Kind::Resumed
        | Kind::Version
        | Kind::Migrated
        | Kind::Marked
        | Kind::Nodes => true,
        Kind::Began
        | Kind::Worsened
        | Kind::Ended
        | Kind::AllClear
        | Kind::Asked
        | Kind::Outcome
        | Kind::Looked
        | Kind::Reset
        | Kind::Noted
        | Kind::Unwatched
        | Kind::Listed => false,
    }
}
