//! From a row to what may be done to it: permitted or refused, with its preview.

use crate::core::action::{Action, Ask, Offer, Preview, Refusal};
use crate::core::redis::{
    Change, Family, JobAct, JobDetail, QueueReading, QueueRef, QueueWorkings, RedisAction, RedisRow,
    RedisState, Sweep,
};
use crate::core::row::RowKey;
use crate::core::world::TargetState;
use crate::panels::current::current;
use crate::panels::panel::PanelContext;
use crate::panels::redis::acts::facts::owner;
use crate::panels::redis::acts::preview::jobs_preview;
use crate::panels::redis::target::{queue_of, state};

pub(in crate::panels) type Choice = Result<(Action, Preview), Refusal>;

pub(in crate::panels) fn offer(letter: char, label: &str, effect: &str, choice: Choice) -> Offer {
    Offer { letter, label: label.to_owned(), effect: effect.to_owned(), choice, asks: None }
}

pub(super) fn asking(
    letter: char,
    label: &str,
    effect: &str,
    (question, initial): (&'static str, &str),
    choice: Choice,
) -> Offer {
    let asks = Some(Ask { question, initial: initial.to_owned() });
    Offer { asks, ..offer(letter, label, effect, choice) }
}

pub(in crate::panels) fn detail<'a>(context: PanelContext<'a>, row: &RowKey) -> Option<&'a JobDetail> {
    let (_, RedisRow::Job(queue, id, _)) = row.redis()? else { return None };
    let (_, state) = state(context, row)?;
    state.reading()?.jobs.iter().find(|job| job.queue == *queue && job.id == *id)
}

pub(in crate::panels) fn change(
    context: PanelContext<'_>,
    row: &RowKey,
    letter: char,
    title: &str,
    mut facts: Vec<(String, String)>,
    change: Change,
    severe: bool,
) -> Choice {
    let (target, _, reading) = permitted(context, row)?;
    let queue = queue_of(row);
    facts.extend(reading.map(owner));
    let word = matches!(change, Change::Sweep(Sweep::Obliterate)).then(|| queue.name.clone());
    let act = RedisAction::Change { queue: queue.clone(), change };
    let preview = Preview {
        title: format!("{title}, queue {queue}"),
        facts,
        statement: act.statement(),
        confirm_key: letter.to_ascii_lowercase(),
        severe,
        word,
    };
    Ok((Action::Redis { target: target.id.clone(), act }, preview))
}

pub(in crate::panels) fn more<'a>(context: PanelContext<'a>, row: &RowKey) -> Option<&'a QueueWorkings> {
    let (_, state) = state(context, row)?;
    let queue: QueueRef = queue_of(row);
    state.reading()?.more.iter().find(|more| more.queue == queue).map(|more| &**more)
}

/// The target and the state of the queue of `row`, if it may be acted on.
pub(in crate::panels) fn permitted<'a>(
    context: PanelContext<'a>,
    row: &RowKey,
) -> Result<(&'a TargetState, &'a RedisState, Option<&'a QueueReading>), Refusal> {
    let Some((target, state)) = state(context, row) else {
        return Err(Refusal::new("this server is not watched any more"));
    };
    current(context, target)?;
    // The library follows a cluster's primaries by itself; a single replica takes no write.
    let replica = state.reading().is_some_and(|all| all.cluster.is_none() && all.server.role == "slave");
    if replica {
        return Err(Refusal::new("this server is a replica, which is only read")
            .remedy("act on its primary: make that a target, too"));
    }
    let queue = state.queue(&queue_of(row)).map(|queue| &**queue);
    if queue.is_some_and(|queue| queue.evidence.family == Family::Pro) {
        return Err(Refusal::new("this queue belongs to BullMQ Pro, whose groups have keys of their own")
            .remedy("use its own tools"));
    }
    Ok((target, state, queue))
}

pub(in crate::panels) fn jobs_choice(
    context: PanelContext<'_>,
    row: &RowKey,
    ids: &[String],
    act: JobAct,
) -> Result<(Action, Preview), Refusal> {
    let (target, state, reading) = permitted(context, row)?;
    if ids.is_empty() {
        let (open, mark) = (&context.keys.open, &context.keys.mark);
        return Err(Refusal::new("no job is chosen")
            .remedy(format!("open the queue ({open}), then mark jobs ({mark})")));
    }
    let queue = queue_of(row);
    let action = RedisAction::Jobs { queue: queue.clone(), ids: ids.to_vec(), act };
    let preview = jobs_preview(state, reading, &queue, ids, act, action.statement());
    Ok((Action::Redis { target: target.id.clone(), act: action }, preview))
}
