//! What may be done to a queue and to its jobs, with the preview of what it means for each.

use crate::core::action::{Action, Offer, Preview, Refusal};
use crate::core::redis::{JobAct, JobState, Letters, RedisAction, RetryOptions};
use crate::core::row::RowKey;
use crate::panels::panel::PanelContext;
use crate::panels::redis::acts::choice::{detail, jobs_choice, permitted};
use crate::panels::redis::acts::facts::{fact, owner};
use crate::panels::redis::acts::letters::{letters_of, redrive};
use crate::panels::redis::acts::{changes, sweeps};
use crate::panels::redis::target::{alike_of, ids_of, page, queue_of, state};
use crate::ui::format::duration;

const PLAIN: RetryOptions = RetryOptions { keep_priority: false, reset_attempts: false };

/// What may be done to a job, or to the marked ones.
pub(in crate::panels) fn job_offers(
    context: PanelContext<'_>,
    row: &RowKey,
    (_, state): (&str, Option<JobState>),
    marked: &[RowKey],
) -> Vec<Offer> {
    // A job that was reached through another one says itself where it is.
    let open = || JobState::parse(&detail(context, row)?.state);
    let Some(state) = state.or_else(open) else {
        return Vec::new();
    };
    let ids = ids_of(row, marked);
    let what = if marked.is_empty() { "job" } else { "marked jobs" };
    let mut list = by_state(context, row, &ids, what, state);
    list.extend(changes::job_offers(context, row, &ids, state));
    if letters_of(context, row).is_some() && !matches!(state, JobState::Active) {
        let letters = Letters::These(ids.iter().map(|id| (id.clone(), state)).collect());
        let effect = "back to the queue it came from; the letter is removed then";
        list.insert(0, redrive(context, row, 'v', &format!("redrive {what}"), effect, &letters));
    }
    list
}

fn by_state(
    context: PanelContext<'_>,
    row: &RowKey,
    ids: &[String],
    what: &str,
    state: JobState,
) -> Vec<Offer> {
    match state {
        JobState::Failed => failed_offers(context, row, ids, what),
        JobState::Delayed => vec![
            offer(context, row, 'o', &format!("promote {what}"), "to waiting at once", ids, JobAct::Promote),
            removal(context, row, what, ids, state),
        ],
        JobState::Waiting | JobState::Prioritized => {
            vec![removal(context, row, what, ids, state)]
        }
        JobState::Completed => vec![
            offer(
                context,
                row,
                'r',
                &format!("run {what} again"),
                "back to waiting, though it was done",
                ids,
                JobAct::RunAgain,
            ),
            removal(context, row, what, ids, state),
        ],
        // The bookkeeping of a parent is its own library's to undo.
        JobState::WaitingChildren => Vec::new(),
        JobState::Lost => vec![removal(context, row, what, ids, state)],
        JobState::Active => active_offers(context, row, ids, what),
    }
}

/// What may be done to jobs in progress: nothing while a worker has them; else they are taken from it.
fn active_offers(context: PanelContext<'_>, row: &RowKey, ids: &[String], what: &str) -> Vec<Offer> {
    let queue = queue_of(row);
    let listed = state(context, row).and_then(|(_, state)| {
        let lists = &state.reading()?.lists;
        Some(lists.iter().filter(|list| list.queue == queue).flat_map(|list| &list.jobs).collect::<Vec<_>>())
    });
    let held = listed.into_iter().flatten().find(|job| ids.contains(&job.id) && job.lock.is_some());
    let refusal = held.map(|job| {
        let lock = duration(job.lock.unwrap_or_default());
        Refusal::new(format!("a worker has job {}, its lock holds for another {lock}", job.id))
            .remedy("wait until it has ended, or stop its worker")
    });
    let one = |letter, label: &str, effect: &str, act| {
        let mut offer = offer(context, row, letter, &format!("{label} {what}"), effect, ids, act);
        if let Some(refusal) = &refusal {
            offer.choice = Err(refusal.clone());
        }
        offer
    };
    vec![
        one(
            'b',
            "bring back stalled",
            "to waiting, when no worker is there that might still have it",
            JobAct::Release,
        ),
        one(
            'f',
            "fail stalled",
            "given up, when no worker is there that might still have it",
            JobAct::GiveUp,
        ),
    ]
}

/// What may be done to a queue: its failed jobs, its switch, its limits, everything in it.
pub(in crate::panels) fn queue_offers(context: PanelContext<'_>, row: &RowKey) -> Vec<Offer> {
    let mut list = vec![switch(context, row, false), switch(context, row, true)];
    list.splice(0..0, changes::mild_offers(context, row));
    list.extend(changes::queue_offers(context, row));
    if letters_of(context, row).is_some() {
        let all = "all letters back to their queue: one, ten, then so many a second";
        list.insert(0, redrive(context, row, 'v', "redrive this dead-letter queue", all, &Letters::All));
        let rest = "what a redrive that was stopped or interrupted has left, by its journal";
        list.push(redrive(context, row, 'j', "continue a redrive", rest, &Letters::Unfinished));
    }
    list
}

/// What may be done to all jobs that failed alike.
pub(in crate::panels) fn group_offers(context: PanelContext<'_>, row: &RowKey) -> Vec<Offer> {
    let Some((_, state, Some(page))) = page(context, row) else { return Vec::new() };
    let group = alike_of(row, page);
    let Some(group) = group else { return Vec::new() };
    let ids: Vec<String> = group.jobs.iter().map(|(_, id)| id.clone()).collect();
    let queue = queue_of(row);
    let failed = state.queue(&queue).map_or(0, |reading| reading.failed);
    let beyond = failed > page.jobs.len() as u64;
    let what = if beyond {
        format!("those of the newest {} that failed alike", page.jobs.len())
    } else {
        "the jobs that failed alike".to_owned()
    };
    let mut list = failed_offers(context, row, &ids, &what);
    if beyond {
        list.insert(0, sweeps::retry_kind(context, row, group.kind(), failed));
    }
    list
}

fn failed_offers(context: PanelContext<'_>, row: &RowKey, ids: &[String], what: &str) -> Vec<Offer> {
    let retry = |letter, label: &str, effect: &str, options| {
        offer(context, row, letter, &format!("retry {what}{label}"), effect, ids, JobAct::Retry(options))
    };
    vec![
        retry('r', "", "back to waiting, each only if it is still failed", PLAIN),
        retry(
            'a',
            " with all attempts",
            "the same, and attempts count from zero again",
            RetryOptions { reset_attempts: true, ..PLAIN },
        ),
        retry(
            'p',
            " by priority",
            "the same, in line by priority instead of first",
            RetryOptions { keep_priority: true, ..PLAIN },
        ),
        removal(context, row, what, ids, JobState::Failed),
    ]
}

fn removal(context: PanelContext<'_>, row: &RowKey, what: &str, ids: &[String], state: JobState) -> Offer {
    let label = format!("remove {what}");
    offer(context, row, 'd', &label, "written to a file first, then gone", ids, JobAct::Remove(state))
}

fn offer(
    context: PanelContext<'_>,
    row: &RowKey,
    letter: char,
    label: &str,
    effect: &str,
    ids: &[String],
    act: JobAct,
) -> Offer {
    Offer {
        letter,
        label: label.to_owned(),
        effect: effect.to_owned(),
        choice: jobs_choice(context, row, ids, act),
        asks: None,
    }
}

/// Turning the pause switch.
fn switch(context: PanelContext<'_>, row: &RowKey, resume: bool) -> Offer {
    let (letter, label, effect) = if resume {
        ('u', "resume queue", "workers take its jobs again")
    } else {
        ('p', "pause queue", "no worker takes a job any more; those that run go on")
    };
    Offer {
        letter,
        label: label.to_owned(),
        effect: effect.to_owned(),
        choice: switch_choice(context, row, resume),
        asks: None,
    }
}

fn switch_choice(
    context: PanelContext<'_>,
    row: &RowKey,
    resume: bool,
) -> Result<(Action, Preview), Refusal> {
    let (target, _, reading) = permitted(context, row)?;
    let queue = queue_of(row);
    let Some(reading) = reading else {
        return Err(Refusal::new("this queue is not there any more"));
    };
    // Jobs in the list of a pause that is over are what resume is for, too.
    match (resume, reading.paused) {
        (true, false) if reading.stranded == 0 => return Err(Refusal::new("it is not paused")),
        (false, true) => return Err(Refusal::new("it is paused already")),
        _ => {}
    }
    let mut facts = vec![owner(reading)];
    let jobs = format!("{} waiting, {} active, {} delayed", reading.waiting, reading.active, reading.delayed);
    facts.push(fact("now", jobs));
    let (act, verb) = if resume {
        facts.push(fact("then", "what was held goes first, in its order"));
        (RedisAction::Resume { queue: queue.clone() }, "Resume")
    } else {
        let then = "jobs are still added, and wait; the pause holds until somebody resumes the queue";
        facts.push(fact("then", then));
        (RedisAction::Pause { queue: queue.clone() }, "Pause")
    };
    let preview = Preview {
        title: format!("{verb} queue {queue}"),
        facts,
        statement: act.statement(),
        confirm_key: if resume { 'u' } else { 'p' },
        severe: false,
        word: None,
    };
    Ok((Action::Redis { target: target.id.clone(), act }, preview))
}
