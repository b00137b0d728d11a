//! What may be done to dead letters: back to the queue they came from, with the guess how they are opened shown before.

use crate::core::action::{Action, Offer, Preview, Refusal};
use crate::core::redis::{DeadLetter, Letters, QueueRef, RedisAction, open_letter};
use crate::core::row::RowKey;
use crate::panels::panel::PanelContext;
use crate::panels::redis::acts::choice::permitted;
use crate::panels::redis::acts::facts::fact;
use crate::panels::redis::target::{queue_of, state};

/// The dead letters that the queue of `row` is for, if it is a dead-letter queue.
pub(in crate::panels) fn letters_of<'a>(context: PanelContext<'a>, row: &RowKey) -> Option<&'a DeadLetter> {
    state(context, row)?.1.queue(&queue_of(row))?.dead_letter.as_ref()
}

pub(in crate::panels) fn redrive(
    context: PanelContext<'_>,
    row: &RowKey,
    letter: char,
    label: &str,
    effect: &str,
    letters: &Letters,
) -> Offer {
    Offer {
        letter,
        label: label.to_owned(),
        effect: effect.to_owned(),
        choice: redrive_choice(context, row, letters),
        asks: None,
    }
}

fn redrive_choice(
    context: PanelContext<'_>,
    row: &RowKey,
    letters: &Letters,
) -> Result<(Action, Preview), Refusal> {
    let (target, state, reading) = permitted(context, row)?;
    let queue = queue_of(row);
    let (Some(reading), Some(all)) = (reading, state.reading()) else {
        return Err(Refusal::new("this queue is not there any more"));
    };
    if reading.dead() == 0 && *letters == Letters::All {
        return Err(Refusal::new("it holds no letter"));
    }
    let to = reading.dead_letter.as_ref().and_then(|letter| letter.source.clone());
    let to = to.map(|name| QueueRef { prefix: queue.prefix.clone(), name });
    let brake = state.settings.brake;
    let act = RedisAction::Redrive { queue: queue.clone(), to: to.clone(), letters: letters.clone(), brake };
    let many = match letters {
        Letters::These(list) => list.len() as u64,
        Letters::All => reading.dead(),
        Letters::Unfinished => 0,
    };
    let mut facts = Vec::new();
    if let Letters::These(list) = letters {
        let ids: Vec<&str> = list.iter().map(|(id, _)| id.as_str()).collect();
        facts.push(fact("letters", ids.join(", ")));
    }
    facts.extend([
        fact(
            "to",
            match &to {
                Some(to) => format!("the queue that each letter names, else {to}"),
                None => "the queue that each letter names".to_owned(),
            },
        ),
        fact(
            "each",
            "retries the original where it is still kept as failed, else adds the job anew, then removes the letter",
        ),
        fact("pace", format!("1, then 10, then {} a second", brake.per_second)),
        fact(
            "brake",
            format!(
                "stops when more than {} % fail again, or the first are not taken",
                brake.stop_above_percent
            ),
        ),
        fact(
            "to stop",
            format!(
                "{}; a journal beside the audit trail says what is left, and it can be continued from the queue's row",
                context.keys.stop
            ),
        ),
    ]);
    if let Some(job) = all.jobs.iter().find(|job| job.queue == queue) {
        let field = |name: &str| job.fields.get(name).map_or("", |text| &**text);
        let original = open_letter(&state.settings.envelope, field("name"), field("data"), field("opts"));
        let data: String = original.data.chars().take(200).collect();
        facts.push(fact("opened by", &original.how));
        let goes = original.queue.or_else(|| to.as_ref().map(|to| to.name.clone()));
        facts.push(fact(
            &format!("letter {}", job.id),
            format!(
                "{} of queue {} with {data}",
                original.name,
                goes.unwrap_or_else(|| "(not known)".to_owned())
            ),
        ));
    }
    let title = match letters {
        Letters::Unfinished => format!("Continue the redrive of {queue}"),
        Letters::These(_) | Letters::All => {
            let many = if many == 1 { "1 letter".to_owned() } else { format!("{many} letters") };
            format!("Redrive {many} of {queue}")
        }
    };
    let preview =
        Preview { title, facts, statement: act.statement(), confirm_key: 'v', severe: many > 10, word: None };
    Ok((Action::Redis { target: target.id.clone(), act }, preview))
}
