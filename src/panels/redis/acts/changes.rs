//! What may be done to a queue beyond its chosen jobs: everything in a state, a new job, other data, a limit, a scheduler.

use crate::core::action::{Action, Offer, Preview, Refusal};
use crate::core::json::flat;
use crate::core::redis::{
    Change, Family, JobAct, JobDetail, JobState, Payload, QueueRef, RedisAction, RedisRow, Sweep,
};
use crate::core::row::RowKey;
use crate::core::text::{counted, tidy};
use crate::panels::panel::PanelContext;
use crate::panels::redis::acts::choice::{
    Choice, asking, change, detail, jobs_choice, more, offer, permitted,
};
use crate::panels::redis::acts::facts::fact;
use crate::panels::redis::acts::forms::{job_options, json, span, two};
use crate::panels::redis::acts::schedulers;
use crate::panels::redis::acts::sweeps::{careful, clean, sweep};
use crate::panels::redis::target::{queue_of, state};

const ADD: &str = "new job, as NAME {JSON data} {JSON options}: attempts, backoff, delay, priority, lifo, jobId, removeOnComplete, removeOnFail";
const SCHEDULE: &str = "scheduler, as ID 5m NAME {JSON data} or ID \"0 2 * * *\" NAME (cron, UTC)";
const LIMIT: &str = "jobs at once for all workers together (0: no limit)";
const CLEAN: &str = "which and how old, as `completed 1d` or `failed 12h`";
const RANK: &str = "priority (1 is first, 0: none)";
const DELAY: &str = "due in (30s, 5m, 2h, 1d)";
const DATA: &str = "data (JSON)";

/// What may be done to several marked queues at once.
pub(in crate::panels) fn switches(context: PanelContext<'_>, row: &RowKey, marked: &[RowKey]) -> Vec<Offer> {
    let queues: Vec<QueueRef> = marked
        .iter()
        .filter(|key| key.target() == row.target() && matches!(key, RowKey::Redis(_, RedisRow::Queue(_))))
        .map(queue_of)
        .collect();
    let choice = |resume: bool, letter| -> Choice {
        let (target, _, _) = permitted(context, row)?;
        let (first, others) = queues.split_first().ok_or_else(|| Refusal::new("no queue is marked"))?;
        let act = RedisAction::Switches { queue: first.clone(), others: others.to_vec(), resume };
        let names: Vec<&str> = queues.iter().map(|queue| queue.name.as_str()).collect();
        let verb = if resume { "Resume" } else { "Pause" };
        let preview = Preview {
            title: format!("{verb} {} queues", queues.len()),
            facts: vec![fact("queues", names.join(", "))],
            statement: act.statement(),
            confirm_key: letter,
            severe: !resume && queues.len() > 1,
            word: None,
        };
        Ok((Action::Redis { target: target.id.clone(), act }, preview))
    };
    vec![
        offer('p', "pause the marked queues", "no worker takes a job of them any more", choice(false, 'p')),
        offer('u', "resume the marked queues", "workers take their jobs again", choice(true, 'u')),
    ]
}

/// What may be done to a queue as a whole without losing anything.
pub(in crate::panels) fn mild_offers(context: PanelContext<'_>, row: &RowKey) -> Vec<Offer> {
    let all = "all that are failed when it begins, however many";
    vec![
        offer('r', "retry failed jobs", all, sweep(context, row, 'r', Sweep::Retry)),
        offer(
            'y',
            "retry failed jobs carefully",
            "one, then ten, then some a second: it stops when they fail again",
            careful(context, row),
        ),
        offer('o', "promote delayed jobs", "to waiting at once", sweep(context, row, 'o', Sweep::Promote)),
    ]
}

/// What may be done to a queue as a whole: a job more, a limit, less of everything.
pub(in crate::panels) fn queue_offers(context: PanelContext<'_>, row: &RowKey) -> Vec<Offer> {
    let sweep = |letter, label: &str, effect: &str, what| {
        offer(letter, label, effect, sweep(context, row, letter, what))
    };
    let asked = |letter, label: &str, effect: &str, ask: (&'static str, &str)| {
        asking(letter, label, effect, ask, answer(context, row, &[], letter, ask.1))
    };
    let mut list: Vec<Offer> = free(context, row).into_iter().collect();
    list.extend([
        asked('n', "add a job", "NAME, data and options", (ADD, "mail {}")),
        asked(
            's',
            "add a scheduler",
            "a job every so often, or by a cron pattern (BullMQ 5.16 and later)",
            (SCHEDULE, "nightly 1d mail {}"),
        ),
        asked('g', "limit concurrency", "for all workers together (BullMQ 5.9 and later)", (LIMIT, "0")),
        asked(
            'e',
            "clean",
            "old completed or failed jobs: written to a file, then gone",
            (CLEAN, first_to_clean(context, row)),
        ),
        sweep('w', "drain", "every waiting job is written to a file, then gone", Sweep::Drain),
        offer(
            'b',
            "put back removed jobs",
            "those that were removed last from here, as they were",
            put_back(context, row),
        ),
        sweep(
            'z',
            "obliterate",
            "the queue and every job in it: written to a file, then gone",
            Sweep::Obliterate,
        ),
    ]);
    list
}

/// Deduplication ids that no job will free any more, where there are some.
fn free(context: PanelContext<'_>, row: &RowKey) -> Option<Offer> {
    let (_, state) = state(context, row)?;
    let lost = state.queue(&queue_of(row))?.lost_holders.iter();
    let lost: Vec<_> = lost.filter(|one| !one.stray).cloned().collect();
    let first = lost.first()?;
    let (title, label) = match lost.len() {
        1 => (format!("Free deduplication id {}", tidy(&first.id, 40)), "free a deduplication id"),
        some => (format!("Free {}", counted(some, "deduplication id")), "free deduplication ids"),
    };
    let mut facts: Vec<_> = lost
        .iter()
        .map(|one| {
            let (id, holder) = (tidy(&one.id, 200), tidy(&one.holder, 80));
            fact("id", format!("{id}, held by job {holder}, which no longer exists"))
        })
        .collect();
    facts.push(fact("only if", "that job still holds it and is not there, and no worker has its lock"));
    facts.push(fact(
        "then",
        "the next job of the id comes in; whoever added one that was thrown away has to add it again",
    ));
    let choice = change(context, row, 'f', &title, facts, Change::Free(lost), false);
    Some(offer('f', label, "that jobs are thrown away for, though its job is gone", choice))
}

/// What is suggested to be cleaned: failed jobs where no completed one is kept.
fn first_to_clean(context: PanelContext<'_>, row: &RowKey) -> &'static str {
    match permitted(context, row) {
        Ok((_, _, Some(queue))) if queue.completed == 0 && queue.failed > 0 => "failed 1d",
        _ => "completed 1d",
    }
}

/// What may be done to jobs that nobody has yet, and to a job that is open.
pub(in crate::panels) fn job_offers(
    context: PanelContext<'_>,
    row: &RowKey,
    ids: &[String],
    state: JobState,
) -> Vec<Offer> {
    let mut list = Vec::new();
    let act = |letter, label: &str, effect: &str, ask: (&'static str, &str)| {
        asking(letter, label, effect, ask, answer(context, row, ids, letter, ask.1))
    };
    if matches!(state, JobState::Waiting | JobState::Prioritized | JobState::Delayed) {
        list.push(act('i', "change priority", "where it stands in line", (RANK, "1")));
    }
    if state == JobState::Delayed {
        list.push(act('l', "change delay", "when it is due", (DELAY, "5m")));
    }
    if let Some(detail) = detail(context, row).filter(|_| ids.len() == 1) {
        list.push(offer(
            'c',
            "duplicate job",
            "a new job with its name, data and options",
            duplicate(context, row, detail),
        ));
        if let Some(data) = detail.fields.get("data").filter(|_| state != JobState::Active) {
            let choice = edit(context, row, detail, data);
            list.push(asking('t', "edit data", "if no worker has it", (DATA, data), choice));
        }
    }
    list
}

/// The last removal is undone.
fn put_back(context: PanelContext<'_>, row: &RowKey) -> Choice {
    let facts = vec![
        fact(
            "jobs",
            "those of the last removal from this queue that was not undone, by removed-jobs.jsonl beside the audit trail",
        ),
        fact(
            "then",
            "each is what it was, with its log, in the state that it was in; one that waited stands at the end of the line",
        ),
        fact("only if", "there is no job of its id now"),
    ];
    change(context, row, 'b', "Put back the jobs that were removed last", facts, Change::PutBack, false)
}

/// What comes of a value that was typed.
pub(in crate::panels) fn answer(
    context: PanelContext<'_>,
    row: &RowKey,
    ids: &[String],
    letter: char,
    text: &str,
) -> Choice {
    let text = text.trim();
    match letter {
        'n' => add(context, row, text),
        's' => schedulers::schedule(context, row, text),
        'g' => limit(context, row, text),
        'e' => clean(context, row, text),
        'i' => {
            let rank = text.parse().ok().filter(|rank: &u64| *rank <= 2_097_151);
            let rank = rank.ok_or_else(|| Refusal::new("a priority is a number from 0 to 2097151"))?;
            jobs_choice(context, row, ids, JobAct::Priority(rank))
        }
        'l' => jobs_choice(context, row, ids, JobAct::Delay(span(text)?)),
        't' => {
            let detail = detail(context, row).ok_or_else(|| Refusal::new("the job is being read"))?;
            // What an editor has only written otherwise is the same.
            if detail.fields.get("data").is_some_and(|data| *data == *text || flat(data) == flat(text)) {
                return Err(Refusal::new("nothing was changed"));
            }
            edit(context, row, detail, text)
        }
        _ => Err(Refusal::new("nothing is asked for here")),
    }
}

fn add(context: PanelContext<'_>, row: &RowKey, text: &str) -> Choice {
    let (name, rest) = text.split_once(' ').unwrap_or((text, "{}"));
    if name.is_empty() {
        return Err(Refusal::new("a job has a name").remedy("write it as NAME {JSON data} {JSON options}"));
    }
    let (data, options) = two(rest.trim())?;
    let options = job_options(options)?;
    let id = options.get("jobId").and_then(serde_json::Value::as_str);
    let id = id.map_or("made when it is added: stacktop-…".to_owned(), |id| {
        format!("{id}, if there is none of it")
    });
    let mut facts = vec![fact("data", data), fact("id", id)];
    let options = serde_json::Value::Object(options).to_string();
    if options != "{}" {
        facts.push(fact("options", options.clone()));
    }
    let job = Change::Add { name: name.to_owned(), data: data.to_owned(), options };
    change(context, row, 'n', &format!("Add job {name}"), facts, job, false)
}

fn shown(data: &str) -> String {
    let short: String = data.chars().take(300).collect();
    if short.len() < data.len() { format!("{short}… ({} bytes)", data.len()) } else { short }
}

fn limit(context: PanelContext<'_>, row: &RowKey, text: &str) -> Choice {
    let number: u64 = text.parse().map_err(|_| Refusal::new("that is a number; 0 for no limit"))?;
    let (_, _, reading) = permitted(context, row)?;
    if let Some(reading) = reading
        && !matches!(reading.evidence.family, Family::BullMq(5..))
    {
        let why = format!("{} knows no such limit", reading.evidence.family);
        return Err(Refusal::new(why).remedy("BullMQ 5.9 and later do"));
    }
    let wanted = (number > 0).then_some(number);
    let title = wanted.map_or("No limit of concurrency".to_owned(), |number| {
        format!("At most {} at once", counted(number as usize, "job"))
    });
    let now = more(context, row).and_then(|more| more.concurrency);
    let now = now.map_or("no limit".to_owned(), |limit| limit.to_string());
    let facts =
        vec![fact("now", now), fact("then", "jobs that run go on; workers of BullMQ before 5.9 ignore it")];
    change(context, row, 'g', &title, facts, Change::Concurrency(wanted), false)
}

fn edit(context: PanelContext<'_>, row: &RowKey, detail: &JobDetail, data: &str) -> Choice {
    json(data)?;
    let was =
        detail.fields.get("data").ok_or_else(|| Refusal::new("its data is too large to be edited here"))?;
    let was = was.unmasked().ok_or_else(|| {
        Refusal::new("its data has fields that this configuration masks").remedy("see `mask` of the target")
    })?;
    let facts = vec![
        fact("was", shown(was)),
        // What is written is shown whole: the dialog scrolls.
        fact("will be", data),
        fact("only if", "it is still the data that you saw, and no worker has the job"),
    ];
    let id = detail.id.clone();
    let edit = Change::Edit { id: id.clone(), was: was.to_owned(), data: data.to_owned() };
    change(context, row, 't', &format!("Change the data of job {id}"), facts, edit, false)
}

fn duplicate(context: PanelContext<'_>, row: &RowKey, detail: &JobDetail) -> Choice {
    let name = detail.fields.get("name").map(Payload::to_string).unwrap_or_default();
    let data = match (detail.fields.get("data"), detail.too_large.iter().find(|(name, _)| name == "data")) {
        (Some(data), _) => shown(data),
        (None, Some((_, size))) => format!("{size} bytes, too large to be read here"),
        (None, None) => return Err(Refusal::new("its data is gone")),
    };
    let id = detail.id.clone();
    let mut facts = vec![fact("name", name), fact("data", data)];
    if detail.fields.get("data").is_some_and(Payload::is_less) {
        facts.push(fact("masked", "the copy has the values themselves; they are only not shown"));
    }
    facts.push(fact("copied", "as the job stands then"));
    facts.push(fact("then", "it waits at once, without the delay, parent and deduplication of the first"));
    change(context, row, 'c', &format!("Duplicate job {id}"), facts, Change::Copy { id }, false)
}
