//! What every act on an Alertmanager has in common: whether anything may be done there now, and how it is offered.

use crate::core::action::{Action, Ask, Offer, Preview, Refusal};
use crate::core::row::RowKey;
use crate::panels::alerts::target::Seen;
use crate::panels::panel::PanelContext;

pub(super) type Choice = Result<(Action, Preview), Refusal>;

pub(super) fn fact(label: &str, value: impl Into<String>) -> (String, String) {
    (label.to_owned(), value.into())
}

pub(super) fn offer(letter: char, label: &str, effect: &str, choice: Choice) -> Offer {
    Offer { letter, label: label.to_owned(), effect: effect.to_owned(), choice, asks: None }
}

/// An offer for which something is typed first.
pub(super) fn asking(offer: Offer, question: &'static str, initial: String) -> Offer {
    Offer { asks: Some(Ask { question, initial }), ..offer }
}

/// The Alertmanager of `row`, if what was read of it can be acted on.
pub(super) fn permitted<'a>(context: PanelContext<'a>, row: &RowKey) -> Result<Seen<'a>, Refusal> {
    let seen = row.target().and_then(|id| Seen::named(id, context));
    let seen = seen.ok_or_else(|| Refusal::new("nothing was read of this Alertmanager yet"))?;
    if seen.target.freshness(context.now).is_lost() {
        return Err(
            Refusal::new("the data is too old to act on").remedy("wait until the source answers again")
        );
    }
    match seen.reading.groups.gap().or_else(|| seen.reading.silences.gap()) {
        Some(gap) => Err(Refusal::new(format!("what it would keep quiet is not known: {}", gap.note))),
        None => Ok(seen),
    }
}
