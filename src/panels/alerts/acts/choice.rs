//! What every act on an Alertmanager has in common: whether anything may be done there now, how it is offered, and the alerts that it is
//! about.

use crate::core::action::{Action, Ask, Offer, Preview, Refusal};
use crate::core::alertmanager::HeldAlert;
use crate::core::row::RowKey;
use crate::panels::alerts::target::{Seen, named};
use crate::panels::current::current;
use crate::panels::panel::PanelContext;
use crate::ui::format::duration;

/// So many alerts are named one by one.
pub(super) const NAMED: usize = 50;

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
    current(context, seen.target)?;
    match seen.reading.groups.gap().or_else(|| seen.reading.silences.gap()) {
        Some(gap) => Err(Refusal::new(format!("what it would keep quiet is not known: {}", gap.note))),
        None => Ok(seen),
    }
}

/// Each of these on a line of its own, under this word.
pub(super) fn one_by_one(seen: Seen<'_>, label: &str, alerts: &[&HeldAlert]) -> Vec<(String, String)> {
    let one = |alert: &&HeldAlert| {
        let word = Some(alert.label("severity")).filter(|word| !word.is_empty()).unwrap_or("no severity");
        let age =
            alert.active_for.map(|age| format!(", for {}", duration(seen.age(age)))).unwrap_or_default();
        let told = seen.receivers(alert).join(", ");
        let held = alert.held.first().map(|held| format!(", {} already", held.word())).unwrap_or_default();
        fact(label, format!("{} ({word}{age}, told to {told}{held})", named(alert)))
    };
    let mut facts: Vec<(String, String)> = alerts.iter().take(NAMED).map(one).collect();
    if let Some(more @ 1..) = alerts.len().checked_sub(NAMED) {
        facts.push(fact("and", format!("{more} more: look at the list before you do this")));
    }
    facts
}
