//! What may be done to failed jobs, with the preview of what a retry means for each.

use super::PanelContext;
use super::queues::{page, queue_of, state};
use crate::core::action::{Action, Offer, Preview, Refusal};
use crate::core::place::RowKey;
use crate::core::redis::{Family, QueueAction, QueueReading, QueueRef, RedisState};
use crate::core::world::TargetState;

fn refusal(context: PanelContext<'_>, target: &TargetState, queue: Option<&QueueReading>) -> Option<Refusal> {
    if target.freshness(context.now).is_lost() {
        return Some(
            Refusal::new("the data is too old to act on").remedy("wait until the source answers again"),
        );
    }
    let queue = queue?;
    (queue.evidence.family == Family::Pro).then(|| {
        Refusal::new("this queue belongs to BullMQ Pro, whose groups have keys of their own")
            .remedy("retry with its own tools")
    })
}

pub(super) fn retry_offer(context: PanelContext<'_>, row: &RowKey, marked: &[RowKey]) -> Offer {
    let rows = if marked.is_empty() { std::slice::from_ref(row) } else { marked };
    let ids: Vec<String> =
        rows.iter().filter(|key| key.kind() == "job").map(|key| key.segment(4).to_owned()).collect();
    offer(context, row, ids, "r", if marked.is_empty() { "retry job" } else { "retry marked jobs" })
}

pub(super) fn page_offer(context: PanelContext<'_>, row: &RowKey) -> Offer {
    let ids = page(context, row)
        .and_then(|(_, _, page)| page)
        .map(|page| page.jobs.iter().filter(|job| !job.ghost).map(|job| job.id.clone()).collect())
        .unwrap_or_default();
    offer(context, row, ids, "r", "retry failed jobs")
}

fn offer(context: PanelContext<'_>, row: &RowKey, ids: Vec<String>, letter: &str, label: &str) -> Offer {
    let queue = queue_of(row);
    let choice = choice(context, row, &queue, ids);
    Offer {
        letter: letter.chars().next().unwrap_or('r'),
        label: label.to_owned(),
        effect: "back to waiting, each only if it is still failed".to_owned(),
        choice,
    }
}

fn choice(
    context: PanelContext<'_>,
    row: &RowKey,
    queue: &QueueRef,
    ids: Vec<String>,
) -> Result<(Action, Preview), Refusal> {
    let Some((target, state)) = state(context, row.segment(1)) else {
        return Err(Refusal::new("this server is not watched any more"));
    };
    let reading = state.queue(queue);
    if let Some(refusal) = refusal(context, target, reading) {
        return Err(refusal);
    }
    if ids.is_empty() {
        return Err(
            Refusal::new("no failed job is chosen").remedy("open the queue (Enter), then mark jobs (space)")
        );
    }
    let act = QueueAction::Retry { queue: queue.clone(), ids };
    let preview = preview(state, reading, queue, &act);
    Ok((Action::Queue { target: target.id.clone(), act }, preview))
}

fn preview(
    state: &RedisState,
    reading: Option<&QueueReading>,
    queue: &QueueRef,
    act: &QueueAction,
) -> Preview {
    let QueueAction::Retry { ids, .. } = act;
    let many = if ids.len() == 1 { "1 job".to_owned() } else { format!("{} jobs", ids.len()) };
    let fact = |label: &str, value: String| (label.to_owned(), value);
    let shown: Vec<&str> = ids.iter().take(12).map(String::as_str).collect();
    let rest = if ids.len() > 12 { format!(" and {} more", ids.len() - 12) } else { String::new() };
    let mut facts = vec![fact("jobs", format!("{}{rest}", shown.join(", ")))];
    if let Some(reading) = reading {
        facts.push(fact("owner", format!("{} ({})", reading.evidence.family, reading.evidence.why)));
        let then = if reading.paused {
            "the queue is paused: they wait until it is resumed"
        } else if reading.has_workers() {
            "a worker takes them at once"
        } else {
            "no worker is connected: they wait"
        };
        facts.push(fact("then", then.to_owned()));
    }
    let page = state.reading().and_then(|all| all.failed.iter().find(|page| page.queue == *queue));
    let first = page.and_then(|page| page.jobs.iter().find(|job| ids.contains(&job.id)));
    if let Some(job) = first {
        facts.push(fact("failed with", job.reason.clone()));
        if job.attempts.zip(job.attempts_allowed).is_some_and(|(made, allowed)| made >= allowed) {
            facts.push(fact("attempts", "used up: each gets one more run, without back-off".to_owned()));
        }
    }
    facts.push(fact("order", "in front of prioritized jobs, as the library's own retry does".to_owned()));
    Preview {
        title: format!("Retry {many} of queue {}", queue.name),
        facts,
        statement: act.statement(),
        confirm_key: 'r',
        severe: ids.len() > 100,
    }
}
