//! Ties of inserts that a server refuses with words that name the very table or sequence.

use crate::core::alert::Finding;
use crate::core::chain::edge::Evidence;
use crate::core::chain::known::Known;

/// Jobs fail because no partition takes their row, and the words name the table that lacks one.
pub(in crate::core::chain) fn no_partition(
    known: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    named(known, (cause, effect), "no partition of relation")
}

/// Jobs fail because a sequence has no number left, and the words name it.
pub(in crate::core::chain) fn no_number(
    known: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    named(known, (cause, effect), "reached maximum value of sequence")
}

/// The words name what the finding is about, without its schema: another server may have one of the same name.
fn named(known: &Known<'_>, (cause, effect): (&Finding, &Finding), begin: &str) -> Option<Evidence> {
    let name = cause.breach.subject.rsplit('.').next().filter(|name| !name.is_empty())?;
    let words = format!("{begin} \"{name}\"");
    if !known.reason(effect).contains(&words) {
        return None;
    }
    let alike = |target: &crate::core::target::TargetState| {
        target.system.postgres().is_some() && target.id != cause.breach.target
    };
    let evidence = format!("its jobs fail by \u{201c}{words}\u{201d}");
    if known.can_only_mean(&cause.breach.target, effect, alike) {
        Evidence::certain(evidence)
    } else {
        Evidence::likely(evidence)
    }
}
