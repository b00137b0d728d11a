//! The rules about how jobs end.

use super::parts::{EVENTS, HOLDERS, Its, PARENTS_PART, QUEUES};
use super::queues::{name, tell, watched};
use crate::core::alert::RuleUnit::{Ratio, Seconds, State};
use crate::core::alert::Triage::Errors;
use crate::core::alert::{Remedy, Rule, RuleSpec, Severity, Step};
use crate::core::redis::{
    Condition, QueueHistory, QueueReading, RedisReading, RedisState, StuckParent, condition, parents_of,
};
use crate::core::text::{counted, lasting, tidy};

pub(crate) static DEAD_LETTERS: Rule<RedisState> = Rule::new(
    RuleSpec::new(
        "queue.dead_letters",
        "failed jobs (or a dead-letter queue) are growing, for this long",
        Seconds,
        Errors,
    )
    .warning(0.0)
    .critical(300.0)
    .over(60)
    .needs(&[QUEUES]),
    dead_letters,
);

pub(crate) static FAILING: Rule<RedisState> = Rule::new(
    RuleSpec::new(
        "queue.failing",
        "share of the jobs that ended within five minutes and failed, kept or not; of at least three failures",
        Ratio,
        Errors,
    )
    .warning(0.25)
    .critical(0.9)
    .over(300)
    .needs(&[QUEUES, EVENTS]),
    failing,
);

pub(crate) static PARENTS: Rule<RedisState> = Rule::new(
    RuleSpec::new("queue.parents", "parents wait for children that have failed", State, Errors)
        .hold(45)
        .needs(&[QUEUES, PARENTS_PART]),
    parents,
);

pub(crate) static LOST_CHILDREN: Rule<RedisState> = Rule::new(
    RuleSpec::new("queue.lost_children", "parents wait for children that no longer exist", State, Errors)
        .hold(45)
        .needs(&[QUEUES, PARENTS_PART])
        .root(),
    lost_children,
);

pub(crate) static THROWN_AWAY: Rule<RedisState> = Rule::new(
    RuleSpec::new(
        "queue.thrown_away",
        "jobs are thrown away for an id that nothing will free",
        State,
        Errors,
    )
    .hold(10)
    .needs(&[QUEUES, EVENTS, HOLDERS])
    .root(),
    thrown_away,
);

/// Nothing ends a child whose hash is gone, so nothing ends its parent's wait.
fn lost_children(its: &mut Its<'_>, reading: &RedisReading) {
    for (queue, _) in watched(its.state, reading) {
        let stuck = queue.stuck.ready().map_or(&[][..], Vec::as_slice);
        let lost: Vec<&StuckParent> =
            stuck.iter().filter(|one| one.childless || !one.gone.is_empty()).collect();
        // A child that has a name says more than none.
        let Some(first) = lost.iter().find(|one| !one.childless).or(lost.first()) else { continue };
        let Some(grade) = its.state(Severity::Warning) else { continue };
        let parents = parents_of(lost.iter().copied());
        let others = if parents == 1 { String::new() } else { format!(", and {} more wait so", parents - 1) };
        let sentence = format!(
            "queue {}: parent job {} {}{others}",
            name(queue, reading),
            tidy(&first.parent, 40),
            first.waits()
        );
        let step = if first.childless {
            "add a child to it (with its `parent`): when that is done it goes on"
        } else {
            "add the child again (with its `jobId` and its `parent`): when that is done the parent goes on"
        };
        tell(its, grade, queue, sentence).hits(parents, "job").step(Step::Say(step.to_owned()));
    }
}

/// Its library throws them away, and `add` answers as if all were well.
fn thrown_away(its: &mut Its<'_>, reading: &RedisReading) {
    for (queue, _) in watched(its.state, reading) {
        let Some(worst) = queue.lost_holders.iter().max_by_key(|one| one.thrown) else { continue };
        let Some(grade) = its.state(Severity::Warning) else { continue };
        let others = match queue.lost_holders.len() - 1 {
            0 => String::new(),
            some => format!(", and {} like it", counted(some, "other id")),
        };
        let sentence = format!("queue {}: {}{others}", name(queue, reading), worst.words());
        let step = if worst.stray {
            let words = "find it by its id in the open queue: if it has run or should not, remove it; then add again what was thrown away";
            Step::Look(words.to_owned())
        } else {
            Step::Act(Remedy::Free, "and add again what was thrown away".to_owned())
        };
        let thrown = queue.lost_holders.iter().fold(0, |all: u64, one| all.saturating_add(one.thrown));
        tell(its, grade, queue, sentence).hits(thrown, "job").step(step);
    }
}

/// A child that failed may be retried for a while by hand; it stays a trouble of its parent until then.
fn parents(its: &mut Its<'_>, reading: &RedisReading) {
    for (queue, _) in watched(its.state, reading) {
        let stuck = queue.stuck.ready().map_or(&[][..], Vec::as_slice);
        let failed = || stuck.iter().filter(|one| one.failed > 0);
        let Some((first, grade)) = failed().next().zip(its.state(Severity::Warning)) else { continue };
        let all = parents_of(failed());
        let (count, id) = (counted(all, "parent job"), tidy(&first.parent, 40));
        let (verb, which) = if all == 1 { ("waits", "") } else { ("wait", "first ") };
        let children = if first.failed == 1 { "a job".to_owned() } else { format!("{} jobs", first.failed) };
        let sentence = format!(
            "queue {}: {count} {verb} for children that failed ({which}{id} for {children} of {})",
            name(queue, reading),
            tidy(&first.child.to_string(), 40)
        );
        // A removal from here would leave the parent waiting for good.
        let words = "retry the children, or have their own library remove them, when their cause is gone";
        let step = Step::Look(words.to_owned());
        tell(its, grade, queue, sentence).hits(all, "job").step(step);
    }
}

fn dead_letters(its: &mut Its<'_>, reading: &RedisReading) {
    for (queue, history) in watched(its.state, reading) {
        let Some(since) = history.growing_since else { continue };
        let growing = its.now.since(since);
        let Some(grade) = its.grade(growing.as_secs_f64()) else { continue };
        let what = if queue.dead_letter.is_some() { "dead letter" } else { "failed job" };
        let trend = if history.grown == 0 || queue.dead() == 0 {
            format!("recovering, clear since {}", lasting(history.clear_for(its.now)))
        } else {
            format!("{} more within a minute", history.grown)
        };
        let plural = if queue.dead() == 1 { "" } else { "s" };
        let sentence = format!("queue {}: {} {what}{plural}, {trend}", name(queue, reading), queue.dead());
        let step = Step::Look("read the newest failure; retry when its cause is gone".to_owned());
        tell(its, grade, queue, sentence).since(Some(growing)).hits(queue.dead(), "job").step(step);
    }
}

/// Jobs that fail, whether they are kept or not; where nothing tells how they end, that is said.
fn failing(its: &mut Its<'_>, reading: &RedisReading) {
    for (queue, history) in watched(its.state, reading) {
        if condition(queue, history) == Condition::Untold
            && let Some(grade) = its.state(Severity::Info)
        {
            let name = name(queue, reading);
            let unseen = match queue.evidence.family.generation() {
                0 => ", or jobs of their ids are there",
                _ => "",
            };
            let sentence =
                format!("queue {name}: jobs come, and nothing tells how they end: none is kept{unseen}");
            tell(its, grade, queue, sentence).say("keep some: a number as removeOnComplete and removeOnFail");
        }
        share(its, reading, queue, history);
    }
}

fn share(its: &mut Its<'_>, reading: &RedisReading, queue: &QueueReading, history: &QueueHistory) {
    let Some((since, share)) = history.failing_since.zip(queue.failing_share()) else { return };
    let Some(grade) = its.grade(share) else { return };
    // Failed jobs that are kept and grow are told by their number, until nearly all fail.
    if history.growing_since.is_some() && grade.severity != Severity::Critical {
        return;
    }
    let (failed, happened) = (queue.failures(), queue.happened.ready());
    let stalled = happened.map_or(0, |happened| happened.stalled);
    let stalled = if stalled > 0 { format!(", {stalled} stalled") } else { String::new() };
    let reason = happened.map(|happened| tidy(&happened.reason, 60)).filter(|reason| !reason.is_empty());
    let reason = reason.map_or(String::new(), |reason| format!(": {reason}"));
    let least = if happened.is_some_and(|happened| happened.at_least) { "at least " } else { "" };
    let kept = if queue.failed == 0 { ", and none is kept" } else { "" };
    let sentence = format!(
        "queue {}: {:.0} % of its jobs fail, {least}{failed} within five minutes{stalled}{kept}{reason}",
        name(queue, reading),
        share * 100.0
    );
    let step = Step::Look("read the newest failure; pause it while its cause lasts".to_owned());
    let lasts = its.now.since(since);
    tell(its, grade, queue, sentence).since(Some(lasts)).hits(failed, "job").step(step);
}
