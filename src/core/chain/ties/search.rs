//! Ties that a search cluster knows.

use crate::core::alert::Finding;
use crate::core::chain::edge::{Evidence, together};
use crate::core::chain::known::Known;
use crate::core::search::rules::RED;
use crate::core::search::{Cause, Unassigned, UnassignedShard, deciders};
use crate::core::text::counted;

/// One cluster says both.
pub(in crate::core::chain) fn same_cluster(
    _: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    together(cause, effect)
        .then(|| format!("the cluster {} says both", cause.breach.target))
        .and_then(Evidence::certain)
}

/// Whether it is data that is missing: then only what keeps a primary on no node is the cause, and what keeps copies is not.
fn is_red(effect: &Finding) -> bool {
    effect.breach.rule == RED.spec.id
}

/// What the cluster says of its shards on no node, as far as it can be the cause of `effect`.
fn causes<'a>(away: &'a Unassigned, effect: &Finding) -> impl Iterator<Item = &'a Cause> + use<'a> {
    let red = is_red(effect);
    away.causes.iter().filter(move |cause| !red || cause.primaries > 0)
}

/// The cluster's own decider about what is switched off keeps shards unassigned. Where nobody says why they are, the setting itself is
/// likely the cause of what it is about.
pub(in crate::core::chain) fn decided_by_switch(
    known: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    let state = known.search_state(&cause.breach.target).filter(|_| together(cause, effect))?;
    let reading = state.reading()?;
    let explained = |away: &Unassigned| away.causes.iter().any(|cause| !deciders(&cause.why).is_empty());
    let Some(away) = reading.unassigned.ready().filter(|away| explained(away)) else {
        let mode = reading.allocation.ready()?.as_deref()?;
        let about = mode == "none" || !is_red(effect);
        return about
            .then_some("allocation is off, and nobody says what else keeps them")
            .and_then(Evidence::likely);
    };
    let decided = causes(away, effect).find(|why| why.is_by("enable"))?;
    let shards = counted(decided.shards, "shard");
    let words = format!("the decider enable keeps {shards} of {} on no node", decided.of());
    // Others stay away without it, too.
    if causes(away, effect).all(|why| why.is_by_alone("enable")) {
        Evidence::certain(words)
    } else {
        Evidence::likely(words)
    }
}

/// The cluster names the node with the shards that it took along, and the node is not there.
pub(in crate::core::chain) fn left_with_shards(
    known: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    let state = known.search_state(&cause.breach.target).filter(|_| together(cause, effect))?;
    let away = state.reading()?.unassigned.ready()?;
    let name = cause.breach.subject.strip_prefix("node ")?;
    let id = away.left.iter().find(|id| state.name(id) == name)?;
    let its = |shard: &&UnassignedShard| shard.details.contains(id.as_str());
    let count = away.shards.iter().filter(its).count();
    if is_red(effect) && !away.shards.iter().filter(its).any(|shard| shard.primary) {
        return None;
    }
    let words = format!("the cluster says node_left [{id}] of {}", counted(count, "shard"));
    match state.gone_since(id) {
        Some(_) => Evidence::certain(format!("{words}, and {name} is not among its nodes any more")),
        None => Evidence::likely(words),
    }
}

/// The cluster's own decider about disks keeps shards unassigned.
pub(in crate::core::chain) fn decided_by_disk(
    known: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    let state = known.search_state(&cause.breach.target).filter(|_| together(cause, effect))?;
    let away = state.reading()?.unassigned.ready()?;
    let decided = causes(away, effect).find(|why| why.is_by("disk_threshold"))?;
    let shards = counted(decided.shards, "shard");
    let words = format!("the decider disk_threshold keeps {shards} of {} on no node", decided.of());
    if causes(away, effect).all(|why| why.is_by("disk_threshold")) {
        Evidence::certain(words)
    } else {
        Evidence::likely(words)
    }
}

/// A disk past its flood stage makes indices read-only; one below it does not.
pub(in crate::core::chain) fn flood(_: &Known<'_>, cause: &Finding, effect: &Finding) -> Option<Evidence> {
    (together(cause, effect) && cause.breach.sentence.contains("flood stage"))
        .then_some("the disk is past the flood stage, which sets exactly this block")
        .and_then(Evidence::certain)
}

/// Indices that are not rolled over stay on the disk.
pub(in crate::core::chain) fn kept_by_lifecycle(
    _: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    together(cause, effect)
        .then(|| format!("the lifecycle of {} does not go on", cause.breach.subject))
        .and_then(Evidence::likely)
}

/// The failures hold the cluster's words for a block.
pub(in crate::core::chain) fn refused_writes(
    known: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    let texts = [
        "cluster_block_exception",
        "FORBIDDEN/12/index read-only",
        "no_shard_available_action_exception",
        "master_not_discovered_exception",
        "unavailable_shards_exception",
    ];
    named(known, (cause, effect), &texts)
}

/// The failures hold the cluster's words for a refusal.
pub(in crate::core::chain) fn refused_requests(
    known: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    let texts =
        ["circuit_breaking_exception", "es_rejected_execution_exception", "rejected_execution_exception"];
    named(known, (cause, effect), &texts)
}

/// The words say what a cluster answers, and not which: that is told where there is no other.
fn named(known: &Known<'_>, (cause, effect): (&Finding, &Finding), texts: &[&str]) -> Option<Evidence> {
    let cluster = &cause.breach.target;
    let reason = known.reason(effect);
    let text = texts.iter().find(|text| reason.contains(**text))?;
    known
        .can_only_mean(cluster, effect, |target| target.system.search().is_some())
        .then(|| format!("its jobs fail by {text}"))
        .and_then(Evidence::certain)
}
