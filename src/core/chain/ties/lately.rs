//! Ties of what happened to a Redis server lately, and of children that failed.

use crate::core::alert::Finding;
use crate::core::chain::edge::{Evidence, together};
use crate::core::chain::known::Known;
use crate::core::chain::ties::redis::keys_are_gone;
use crate::core::redis::rules::queues::{NO_WORKER, WAIT};
use crate::core::text::{counted, duration};
use crate::core::time::span_of;
use std::time::Duration;

/// What a job says that lost its server for a moment.
const LOST: [&str; 5] =
    ["Connection is closed", "ECONNRESET", "LOADING Redis", "max retries per request", "Socket closed"];
/// Clients come back within this, if they do.
const BACK: Duration = Duration::from_secs(120);
/// What a worker says whose lock ran out while nobody answered it.
const UNLOCKED: [&str; 3] = ["could not renew lock", "Missing lock for job", "Lock mismatch for job"];
/// A lock runs out after this, unless it is renewed.
const LOCK: Duration = Duration::from_secs(15);

/// The server began anew, and just then its clients were gone, or jobs failed for want of it.
pub(in crate::core::chain) fn began_anew(
    known: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    let reason = known.reason(effect);
    // What began long after it has another reason.
    let soon = effect.since.since(cause.since) < BACK;
    if let Some(text) = LOST.iter().find(|text| reason.contains(**text)) {
        let words =
            format!("its jobs fail by \u{201c}{text}\u{201d}, and {} began anew", cause.breach.target);
        return (together(cause, effect) && soon).then_some(words).and_then(Evidence::likely);
    }
    let gone = effect.breach.rule == NO_WORKER.id() || effect.breach.rule.as_str() == "queue.stalled";
    (together(cause, effect) && soon && gone)
        .then(|| format!("it began within {} after that", duration(BACK)))
        .and_then(Evidence::likely)
}

/// Jobs lost their keys, and the server counted a flush.
pub(in crate::core::chain) fn emptied(
    known: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    keys_are_gone(known, (cause, effect), "the server counted a flush")
}

/// The service whose cache finds little is said to depend on the server that was emptied.
pub(in crate::core::chain) fn cache_of_service(
    known: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    Evidence::likely(format!("{}, which counted a flush", known.said_to_depend(cause, effect)?))
}

/// While one command ran nobody else was served: locks ran out, and jobs waited for no longer than that.
pub(in crate::core::chain) fn held_up(
    known: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    let took = span_of(cause.breach.value?.max(0.0));
    if !together(cause, effect) {
        return None;
    }
    let reason = known.reason(effect);
    if let Some(text) = UNLOCKED.iter().find(|text| reason.contains(**text)) {
        return Evidence::likely(format!(
            "its jobs fail by \u{201c}{text}\u{201d}, and a command ran for {}",
            duration(took)
        ));
    }
    let waits = effect.breach.rule == WAIT.id()
        && effect.breach.value.is_some_and(|waited| waited <= took.as_secs_f64() * 2.0);
    let stalled = effect.breach.rule.as_str() == "queue.stalled" && took >= LOCK;
    (waits || stalled)
        .then(|| format!("no worker was served for {}", duration(took)))
        .and_then(Evidence::likely)
}

/// The service is said to depend on the server, and its requests began to take long just then.
pub(in crate::core::chain) fn held_up_service(
    known: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    let soon = effect.since.since(cause.since) < BACK;
    known.said_to_depend(cause, effect).filter(|_| soon).and_then(Evidence::likely)
}

/// The children for which parents wait are of the queue that fails.
pub(in crate::core::chain) fn children_of(
    known: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    let fails = known.queue(cause).filter(|_| together(cause, effect))?;
    let stuck = known.queue(effect)?.stuck.ready()?.iter().filter(|stuck| stuck.child == fails.queue);
    let count: u64 = stuck.map(|stuck| stuck.failed).sum();
    (count > 0)
        .then(|| format!("{} of {} are among the failed ones", counted(count, "child job"), fails.queue))
        .and_then(Evidence::certain)
}
