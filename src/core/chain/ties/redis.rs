//! Ties that a Redis server or its queues know.

use crate::core::alert::Finding;
use crate::core::chain::edge::{Evidence, together};
use crate::core::chain::known::Known;
use crate::core::redis::rules::server::{ERRORS, MEMORY, PERSISTENCE};

/// One server says both.
pub(in crate::core::chain) fn same_server(
    _: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    together(cause, effect)
        .then(|| format!("both are of {}", cause.breach.target))
        .and_then(Evidence::certain)
}

/// Both are of one queue.
pub(in crate::core::chain) fn same_queue(
    _: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    (together(cause, effect) && cause.breach.subject == effect.breach.subject)
        .then(|| format!("both are of {}", cause.breach.subject))
        .and_then(Evidence::certain)
}

/// Both are of one queue, or the cause is told of many queues of the server together.
pub(in crate::core::chain) fn same_queue_or_all(
    known: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    if together(cause, effect) && cause.breach.subject == "queues" {
        let queue = known.queue(effect)?;
        let lone = queue.evidence.workers == Some(0);
        return lone
            .then(|| format!("no worker of {} is connected either", effect.breach.subject))
            .and_then(Evidence::certain);
    }
    same_queue(known, cause, effect)
}

/// Writes are refused with OOM, and the memory is at its limit.
pub(in crate::core::chain) fn out_of_memory(
    known: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    let policy = known.redis(&cause.breach.target)?.server.policy.as_deref();
    let oom = together(cause, effect) && effect.breach.sentence.contains(" OOM");
    (oom && policy == Some("noeviction"))
        .then_some("the server counts OOM replies, its memory is at maxmemory and nothing is evicted")
        .and_then(Evidence::certain)
}

/// Writes are refused with MISCONF, and the last save failed.
pub(in crate::core::chain) fn misconf(_: &Known<'_>, cause: &Finding, effect: &Finding) -> Option<Evidence> {
    (together(cause, effect) && effect.breach.sentence.contains(" MISCONF"))
        .then_some("the server counts MISCONF replies, which it gives while its last save failed")
        .and_then(Evidence::certain)
}

/// Writes are refused with READONLY, and the server is a replica.
pub(in crate::core::chain) fn readonly(
    known: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    let replica = known.redis(&cause.breach.target)?.server.role == "slave";
    (together(cause, effect) && replica && effect.breach.sentence.contains(" READONLY"))
        .then_some("the server counts READONLY replies, and says that it is a replica")
        .and_then(Evidence::certain)
}

/// The failures of a queue hold the words of exactly this refusal.
pub(in crate::core::chain) fn refused_writes(
    known: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    let reason = known.reason(effect);
    let rule = cause.breach.rule;
    // Jobs are kept by the server of their queue; another one may be meant only where that is said.
    let queue = known.queue(effect)?.queue.name.as_str();
    if !together(cause, effect) && known.depends(&[queue], &cause.breach.target).is_none() {
        return None;
    }
    let refused = [
        ("OOM command not allowed", MEMORY.id()),
        ("MISCONF", PERSISTENCE.id()),
        ("OOM command not allowed", ERRORS.id()),
        ("MISCONF", ERRORS.id()),
        ("READONLY", ERRORS.id()),
    ];
    let text =
        refused.iter().find(|(text, of)| *of == rule && reason.contains(text)).map(|(text, _)| *text)?;
    let word = text.split(' ').next().unwrap_or(text);
    let fits = rule != ERRORS.id() || cause.breach.sentence.contains(word);
    fits.then(|| format!("its jobs fail by \u{201c}{text}\u{201d}")).and_then(Evidence::certain)
}

/// The failures hold the library's words for a job whose keys are gone, and `why` is known of the server.
pub(super) fn keys_are_gone(
    known: &Known<'_>,
    (cause, effect): (&Finding, &Finding),
    why: &str,
) -> Option<Evidence> {
    let text = "Missing key for job";
    (together(cause, effect) && known.reason(effect).contains(text))
        .then(|| format!("its jobs fail by \u{201c}{text}\u{201d}, and {why}"))
        .and_then(Evidence::certain)
}

/// Jobs lost their keys, and the server evicts keys.
pub(in crate::core::chain) fn evicted(
    known: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    keys_are_gone(known, (cause, effect), "the server evicts keys")
}

/// No place is left for clients: refusals are certain, workers that are gone are likely of them.
pub(in crate::core::chain) fn no_place(_: &Known<'_>, cause: &Finding, effect: &Finding) -> Option<Evidence> {
    if !together(cause, effect) {
        return None;
    }
    if effect.breach.rule == crate::core::redis::rules::server::REJECTED.id() {
        return Evidence::certain("the server counts refusals because of maxclients");
    }
    Evidence::likely("its places for clients are taken, and workers are clients")
}

/// Letters whose source queue fails.
pub(in crate::core::chain) fn letters_of(
    known: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    let letters = known.queue(effect)?.dead_letter.as_ref()?;
    let source = letters.source.as_deref()?;
    let queue = known.queue(cause).filter(|queue| together(cause, effect) && queue.queue.name == source)?;
    Evidence::certain(format!("it holds the dead letters of {}", queue.queue.name))
}
