//! What may be done to everything of a state, or of a kind, in a queue.

use crate::core::action::{Offer, Refusal};
use crate::core::redis::{Change, FailureKind, JobState, QueueReading, Sweep};
use crate::core::row::RowKey;
use crate::panels::panel::PanelContext;
use crate::panels::redis::acts::choice::{Choice, change, offer, permitted};
use crate::panels::redis::acts::facts::fact;
use crate::panels::redis::acts::forms::span;

/// What goes with jobs that wait. Those that have ended have handed it on.
const ALONG: &str =
    "what waits for their end by deduplication id (keepLastIfActive) goes, too, and is written down";

fn count(reading: &QueueReading, sweep: Sweep) -> u64 {
    match sweep {
        Sweep::Promote => reading.delayed,
        Sweep::Drain => reading.waiting + reading.prioritized,
        Sweep::Clean(JobState::Completed, _) => reading.completed,
        Sweep::Retry | Sweep::RetryCarefully(_) | Sweep::Clean(..) => reading.failed,
        Sweep::Obliterate => {
            reading.waiting + reading.prioritized + reading.delayed + reading.failed + reading.completed
        }
    }
}

pub(in crate::panels) fn sweep(context: PanelContext<'_>, row: &RowKey, letter: char, what: Sweep) -> Choice {
    let (_, _, reading) = permitted(context, row)?;
    let reading = reading.ok_or_else(|| Refusal::new("this queue is not there any more"))?;
    let many = count(reading, what);
    if many == 0 && what != Sweep::Obliterate {
        return Err(Refusal::new("there is no such job"));
    }
    let mut facts = vec![fact("jobs", format!("up to {many}, those that are there when it begins"))];
    let kept = "each is appended to removed-jobs.jsonl beside the audit trail";
    let (title, severe) = match what {
        Sweep::Retry => ("Retry every failed job".to_owned(), many > 100),
        Sweep::RetryCarefully(_) => ("Retry every failed job, the first ones to see".to_owned(), false),
        Sweep::Promote => ("Promote every delayed job".to_owned(), many > 100),
        Sweep::Drain => ("Remove every waiting job".to_owned(), true),
        Sweep::Clean(state, older) => {
            let hours = older.as_secs_f64() / 3600.0;
            (format!("Remove {} jobs that ended more than {hours:.1} h ago", state.word()), true)
        }
        Sweep::Obliterate => ("Remove the queue and every job in it".to_owned(), true),
    };
    if let Sweep::RetryCarefully(brake) = what {
        let pace = format!(
            "1, then 10, each until it has ended; then {} a second; stops when more than {} % fail again",
            brake.per_second, brake.stop_above_percent
        );
        facts.push(fact("pace", pace));
    }
    if !matches!(what, Sweep::Retry | Sweep::RetryCarefully(_) | Sweep::Promote) {
        facts.push(fact("first", kept));
        let takes_along = !matches!(what, Sweep::Clean(..));
        if takes_along && reading.evidence.family.generation() >= 5 {
            facts.push(fact("also", ALONG));
        }
    }
    if what == Sweep::Obliterate && reading.active > 0 {
        let running = if reading.active == 1 { "1 is".to_owned() } else { format!("{} are", reading.active) };
        facts.push(fact("but", format!("{running} running: while there is one, the queue stays, paused")));
    }
    let stop = match what {
        Sweep::RetryCarefully(_) => "two steps",
        _ => "two batches of a hundred",
    };
    facts.push(fact("stop", format!("{} ends it between {stop}", context.keys.stop)));
    change(context, row, letter, &title, facts, Change::Sweep(what), severe)
}

/// Every failed job of one kind, also of those that the screen does not list.
pub(in crate::panels) fn retry_kind(
    context: PanelContext<'_>,
    row: &RowKey,
    kind: FailureKind,
    failed: u64,
) -> Offer {
    let facts = vec![
        fact("reason", kind.reason.clone()),
        fact(
            "jobs",
            format!("each of the {failed} failed jobs is looked at; those that failed so are retried"),
        ),
        fact("stop", format!("{} ends it between two batches of a hundred", context.keys.stop)),
    ];
    let title = "Retry every job that failed alike";
    let choice = change(context, row, 'w', title, facts, Change::RetryKind(kind), true);
    offer('w', "retry all that failed alike", "also those beyond the newest ones that are listed", choice)
}

/// A retry with the brake that is configured for redrives.
pub(in crate::panels) fn careful(context: PanelContext<'_>, row: &RowKey) -> Choice {
    let (_, state, _) = permitted(context, row)?;
    sweep(context, row, 'y', Sweep::RetryCarefully(state.settings.brake))
}

pub(in crate::panels) fn clean(context: PanelContext<'_>, row: &RowKey, text: &str) -> Choice {
    let form =
        || Refusal::new("which jobs, and how old").remedy("write it as `completed 1d` or `failed 12h`");
    let (which, age) = text.split_once(' ').ok_or_else(form)?;
    let Some(state @ (JobState::Completed | JobState::Failed)) = JobState::parse(which) else {
        return Err(form());
    };
    sweep(context, row, 'e', Sweep::Clean(state, span(age.trim())?))
}
