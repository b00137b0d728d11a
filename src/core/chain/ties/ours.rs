//! Ties of what was done from here: sessions that were ended, statements that were cancelled, jobs that run again, queues that were paused.

use crate::core::alert::Finding;
use crate::core::chain::edge::Evidence;
use crate::core::chain::known::Known;
use crate::core::ids::TargetId;
use crate::core::redis::rules::ends::{DEAD_LETTERS, FAILING};
use crate::core::redis::rules::queues::PAUSED;
use crate::core::target::TargetState;
use crate::core::text::counted;
use crate::core::time::Now;
use crate::core::timeline::Deed;
use crate::core::topology::Topology;
use std::sync::Arc;
use std::time::Duration;

/// Who is ended from here fails within this.
const SOON: Duration = Duration::from_secs(120);
/// Who fails within this of it fails by it.
const AT_ONCE: Duration = Duration::from_secs(5);
/// What fails later than this after its retry fails for another reason.
const LATELY: Duration = Duration::from_secs(600);
/// It may be noticed this much before we have noted that we did it.
const BEFORE: Duration = Duration::from_secs(15);

/// Somebody suffers from what was done from here.
pub(in crate::core) fn suffers(
    targets: &[Arc<TargetState>],
    topology: &Topology,
    deed: &Deed,
    firing: &[&Finding],
) -> bool {
    let known = Known::of(targets, topology);
    firing.iter().any(|effect| tie(&known, (&deed.target, &deed.subject, deed.at), effect).is_some())
}

/// How many of the jobs that were made to run again from here have failed since.
pub(in crate::core) fn failed_again(targets: &[Arc<TargetState>], topology: &Topology, deed: &Deed) -> usize {
    let known = Known::of(targets, topology);
    let queues = known.redis(&deed.target).and_then(|reading| reading.queues.ready()).into_iter().flatten();
    let failed = queues.filter_map(|queue| Some((queue.read_at, queue.happened.ready()?)));
    let failed = failed
        .flat_map(|(at, happened)| happened.failed_jobs.iter().map(move |(id, ago)| (id, at.minus(*ago))));
    failed.filter(|(id, at)| at.mono >= deed.at.mono && deed.jobs.has(id)).count()
}

/// The words of the failures, or the queue, are those of what was done from here.
pub(in crate::core::chain) fn did(known: &Known<'_>, cause: &Finding, effect: &Finding) -> Option<Evidence> {
    let tied = tie(known, (&cause.breach.target, &cause.breach.subject, cause.since), effect)?;
    let again = cause.breach.hit.count;
    if again == 0 {
        return Some(tied);
    }
    let jobs = counted(usize::try_from(again).unwrap_or(usize::MAX), "job");
    Evidence::certain(format!(
        "{jobs} of those that were made to run again from here failed after that, by their ids"
    ))
}

fn tie(
    known: &Known<'_>,
    (target, subject, at): (&TargetId, &str, Now),
    effect: &Finding,
) -> Option<Evidence> {
    let (kind, queue) = subject.split_once(' ').unwrap_or((subject, ""));
    let fails = effect.breach.rule == FAILING.id() || effect.breach.rule == DEAD_LETTERS.id();
    let after = at.minus(BEFORE).mono <= effect.since.mono;
    let soon = after && effect.since.since(at) < SOON;
    let its = effect.breach.target == *target && effect.breach.subject == format!("queue {queue}");
    let text = match kind {
        "paused" if its && effect.breach.rule == PAUSED.id() && after => {
            return Evidence::certain("the queue was paused from here");
        }
        "retried" if its && fails && after && effect.since.since(at) <= LATELY => {
            return Evidence::likely(
                "jobs of this queue were retried from here, and failures came after that",
            );
        }
        "ended" => "terminating connection due to administrator command",
        "cancelled" => "canceling statement due to user request",
        _ => return None,
    };
    if !fails || !soon || !known.reason(effect).contains(text) {
        return None;
    }
    let words =
        format!("its jobs fail by \u{201c}{text}\u{201d}, which was done on {target} from here just then");
    // A queue has its turn; its ages are as of then.
    let failed =
        known.queue_as_read(effect).and_then(|queue| Some(queue.read_at.minus(queue.newest_failure?)));
    let near = |moment: Now| moment.since(at) <= AT_ONCE && at.since(moment) <= AT_ONCE;
    let close = near(effect.since) || failed.is_some_and(near);
    // Another server may have said the same.
    let only = known.can_only_mean(target, effect, |other| other.system.postgres().is_some());
    match (only, close) {
        (true, true) => Evidence::certain(words),
        (true, false) | (false, true) => Evidence::likely(words),
        (false, false) => None,
    }
}
