//! What may be done to schedulers: one more, run one now, remove one.

use crate::core::action::{Offer, Refusal};
use crate::core::redis::Change;
use crate::core::row::RowKey;
use crate::panels::panel::PanelContext;
use crate::panels::redis::acts::choice::{Choice, change, more, offer};
use crate::panels::redis::acts::facts::fact;
use crate::panels::redis::acts::forms::{json, rhythm};

/// What may be done to a scheduler.
pub(in crate::panels) fn scheduler_offers(context: PanelContext<'_>, row: &RowKey, id: &str) -> Vec<Offer> {
    let facts =
        vec![fact("then", "it makes no more jobs; the one that it made for its next time is removed")];
    let choice = change(
        context,
        row,
        'd',
        &format!("Remove scheduler {id}"),
        facts,
        Change::Unschedule { id: id.to_owned() },
        false,
    );
    vec![
        offer(
            'n',
            "run now",
            "a job as its next one waits at once; the schedule stays as it is",
            run_now(context, row, id),
        ),
        offer('d', "remove scheduler", "and the job for its next time", choice),
    ]
}

/// A copy of a scheduler's next job.
fn run_now(context: PanelContext<'_>, row: &RowKey, id: &str) -> Choice {
    let scheduler = more(context, row).and_then(|more| more.schedulers.iter().find(|one| one.id == id));
    let Some(scheduler) = scheduler else { return Err(Refusal::new("this scheduler is not there any more")) };
    let Some(job) = &scheduler.job else {
        return Err(Refusal::new("its next job, of which a copy would run, is not found")
            .remedy("older libraries name it otherwise: open it among the delayed jobs and duplicate it"));
    };
    let facts = vec![
        fact("job", format!("a copy of {job}: its name, data and options")),
        fact("then", "it waits at once; the schedule stays as it is"),
    ];
    change(
        context,
        row,
        'n',
        &format!("Run scheduler {id} now"),
        facts,
        Change::Copy { id: job.clone() },
        false,
    )
}

/// A new scheduler, as it was typed.
pub(in crate::panels) fn schedule(context: PanelContext<'_>, row: &RowKey, text: &str) -> Choice {
    let form = || {
        Refusal::new("an id, how often, a name")
            .remedy("write it as ID 5m NAME {JSON data}, or ID \"0 2 * * *\" NAME")
    };
    let (id, rest) = text.split_once(' ').filter(|(id, _)| !id.contains(':')).ok_or_else(form)?;
    let (rhythm, rest) = rhythm(rest)?.ok_or_else(form)?;
    let (name, data) = rest.split_once(' ').unwrap_or((rest, "{}"));
    let data = data.trim();
    if id.is_empty() || name.is_empty() {
        return Err(form());
    }
    json(data)?;
    let first = rhythm.after(context.now.wall).map_err(Refusal::new)?;
    let facts = vec![
        fact("rhythm", rhythm.to_string()),
        fact("first job", format!("{} UTC", first.format("%Y-%m-%d %H:%M:%S"))),
        fact("data", data),
    ];
    let (title, id, name) = (format!("Add scheduler {id}"), id.to_owned(), name.to_owned());
    let wanted = Change::Schedule { id, rhythm, name, data: data.to_owned() };
    change(context, row, 's', &title, facts, wanted, false)
}
