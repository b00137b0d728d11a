//! What all acts on a cluster share.

use crate::core::action::{Action, Offer, Preview, Refusal};
use crate::core::search::{IndexId, SearchAction, SearchNode, SearchReading};
use crate::core::world::TargetState;

/// What can be chosen, or why it cannot.
pub(super) type Choice = Result<(Action, Preview), Refusal>;

/// An entry of the menu.
pub(super) fn offer(letter: char, (label, effect): (&str, &str), choice: Choice) -> Offer {
    Offer { letter, label: label.to_owned(), effect: effect.to_owned(), choice, asks: None }
}

/// A label and its value.
pub(super) fn fact(label: &str, value: impl Into<String>) -> (String, String) {
    (label.to_owned(), value.into())
}

/// The preview of an act with these facts: what it takes stands in each.
pub(super) fn chosen(
    target: &TargetState,
    act: SearchAction,
    (title, letter): (String, char),
    mut facts: Vec<(String, String)>,
) -> (Action, Preview) {
    facts.insert(0, fact("in", format!("{} at {}", target.id, target.address)));
    facts.push(fact("it takes", act.privilege()));
    let preview =
        Preview { title, facts, statement: act.statement(), confirm_key: letter, severe: false, word: None };
    (Action::Search { target: target.id.clone(), act }, preview)
}

/// What `why` has against an act, by the nodes that were read and the number of nodes with data that the cluster counts.
pub(super) fn unknown(
    reading: &SearchReading,
    why: fn(&[SearchNode], Option<u64>) -> Option<String>,
) -> Option<Refusal> {
    let there = reading.health.ready().and_then(|health| health.data_nodes);
    let missing = why(reading.nodes.ready()?, there)?;
    Some(Refusal::new(missing).remedy("wait until it does, or look at the node first"))
}

/// Who an index is: without that nothing is done to it.
pub(super) fn who(reading: &SearchReading, index: &str) -> Result<IndexId, Refusal> {
    let mark = reading.mark(index).filter(|mark| !mark.uuid.is_empty());
    let uuid = mark.map(|mark| mark.uuid.clone()).ok_or_else(|| match reading.marks.gap() {
        Some(gap) => Refusal::new(format!("which index that is cannot be read: {}", gap.note))
            .remedy("it takes the index privilege `view_index_metadata`"),
        None => Refusal::new("which index that is has not been read yet, and another one may have its name")
            .remedy("wait for the next poll"),
    })?;
    Ok(IndexId { name: index.to_owned(), uuid })
}
