//! What an act on chosen jobs means for each, before it is done.

use crate::core::action::Preview;
use crate::core::part::Part;
use crate::core::redis::{JobAct, QueueReading, QueueRef, RedisState};
use crate::core::text::tidy;
use crate::panels::redis::acts::facts::{fact, owner};
use crate::ui::format::duration;

/// From so many jobs on a typed word is asked for.
const MANY: usize = 100;

pub(in crate::panels) fn jobs_preview(
    state: &RedisState,
    reading: Option<&QueueReading>,
    queue: &QueueRef,
    ids: &[String],
    act: JobAct,
    statement: String,
) -> Preview {
    let many = if ids.len() == 1 { "1 job".to_owned() } else { format!("{} jobs", ids.len()) };
    let mut facts = vec![fact("jobs", ids.join(", "))];
    facts.extend(reading.map(owner));
    facts.extend(reading.and_then(|reading| then(reading, act)));
    let page = state.reading().and_then(|all| all.failed.iter().find(|page| page.queue == *queue));
    let first = page.and_then(|page| page.jobs.iter().find(|job| ids.contains(&job.id)));
    if let Some(job) = first {
        facts.push(fact("failed with", &*job.reason));
    }
    let twins = page.into_iter().flat_map(|page| &page.jobs).filter(|job| ids.contains(&job.id));
    let twins: Vec<String> =
        twins.filter_map(|job| Some(format!("{} (job {})", job.id, job.twin.as_ref()?))).collect();
    if let ([_, ..], JobAct::Retry(_)) = (&twins[..], act) {
        let words = format!("a newer job has the deduplication id of {}: both will run", twins.join(", "));
        facts.push(fact("but", words));
    }
    let used_up = first.is_some_and(|job| {
        job.attempts.zip(job.attempts_allowed).is_some_and(|(made, allowed)| made >= allowed)
    });
    let (verb, key, severe) = match act {
        JobAct::Retry(options) => {
            if options.reset_attempts {
                facts.push(fact("attempts", "counted from zero again, with back-off between them"));
            } else if used_up {
                facts.push(fact("attempts", "used up: each gets one more run, without back-off"));
            }
            let order = if options.keep_priority {
                "by their priorities"
            } else {
                "in front of prioritized jobs, as the library's own retry does"
            };
            facts.push(fact("order", order));
            ("Retry", 'r', ids.len() > MANY)
        }
        JobAct::RunAgain => {
            facts.push(fact("but", "what it did is done a second time; its result is thrown away"));
            ("Run again", 'r', ids.len() > 1)
        }
        JobAct::Promote => ("Promote", 'o', ids.len() > MANY),
        JobAct::Priority(rank) => {
            let order = "1 is first; 0 stands behind those that wait now, and before all with a priority";
            facts.push(fact("priority", format!("{rank} ({order})")));
            ("Change the priority of", 'i', ids.len() > MANY)
        }
        JobAct::Delay(delay) => {
            facts.push(fact("due in", duration(delay)));
            ("Change the delay of", 'l', ids.len() > MANY)
        }
        JobAct::Release | JobAct::GiveUp => {
            let only = "no worker of the queue is connected, none has looked for such jobs within 30 s, and no lock is there";
            facts.push(fact("only if", only));
            let but = "a worker that was cut off and still runs it ends it, too: it may run twice, as when its library brings it back";
            if act == JobAct::Release {
                facts.push(fact("but", but));
                ("Bring back", 'b', ids.len() > 1)
            } else {
                facts.push(fact("then", "they stand among the failed jobs, to be retried or removed"));
                ("Fail", 'f', ids.len() > 1)
            }
        }
        JobAct::Remove(chosen) => {
            facts.extend(along(state, queue, ids));
            facts.push(fact("first", "each is appended to removed-jobs.jsonl beside the audit trail"));
            facts.push(fact("only if", format!("it is still {} and no worker has it", chosen.word())));
            ("Remove", 'd', ids.len() > 1)
        }
    };
    Preview {
        title: format!("{verb} {many} of queue {queue}"),
        facts,
        statement,
        confirm_key: key,
        severe,
        word: None,
    }
}

/// What a removal takes along: a job to be, which its library would add at the end of the one that is removed.
fn along(state: &RedisState, queue: &QueueRef, ids: &[String]) -> Option<(String, String)> {
    let next = match &state.reading()?.next {
        Part::Ready(next) => next,
        Part::Unavailable(gap) => return Some(fact("but", gap.note.clone())),
        Part::NotAsked => return None,
    };
    let its = next.iter().filter(|next| next.queue == *queue && ids.contains(&next.behind));
    let its: Vec<String> =
        its.map(|next| format!("{} (behind {})", tidy(&next.name, 40), next.behind)).collect();
    let words = format!(
        "what waits for their end by deduplication id (keepLastIfActive) goes, too, and is written down: {}",
        its.join(", ")
    );
    (!its.is_empty()).then(|| fact("also", words))
}

/// What becomes of jobs that are given back.
fn then(reading: &QueueReading, act: JobAct) -> Option<(String, String)> {
    if matches!(act, JobAct::Remove(_) | JobAct::GiveUp) {
        return None;
    }
    let then = if reading.paused {
        "the queue is paused: they wait until it is resumed"
    } else if reading.has_workers() {
        "a worker takes them at once"
    } else {
        "no worker is connected: they wait"
    };
    Some(fact("then", then))
}
