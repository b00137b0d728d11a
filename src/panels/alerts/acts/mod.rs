//! What may be done to alerts and silences, and what is said of it before.

mod choice;
mod ends;
mod preview;
mod silence;
mod standing;

use crate::core::action::{Action, Offer, Preview, Refusal};
use crate::core::alertmanager::AlertmanagerRow;
use crate::core::row::RowKey;
use crate::panels::panel::PanelContext;

/// What may be done to `row`, or to the marked ones.
pub(super) fn offers(context: PanelContext<'_>, row: &RowKey, marked: &[RowKey]) -> Vec<Offer> {
    match row.alertmanager() {
        Some((_, AlertmanagerRow::Silence(id))) => standing::offers(context, row, id, marked),
        Some((_, AlertmanagerRow::Alert(_) | AlertmanagerRow::Group { .. })) => {
            silence::offers(context, row, marked)
        }
        None => Vec::new(),
    }
}

/// What comes of a value that was typed.
pub(super) fn answer(
    context: PanelContext<'_>,
    row: &RowKey,
    marked: &[RowKey],
    (letter, text): (char, &str),
) -> Result<(Action, Preview), Refusal> {
    match row.alertmanager() {
        Some((_, AlertmanagerRow::Silence(id))) if letter == standing::EXTEND => {
            standing::extend(context, row, id, text)
        }
        Some((_, AlertmanagerRow::Alert(_) | AlertmanagerRow::Group { .. })) => {
            silence::answer(context, row, marked, (letter, text))
        }
        Some((_, AlertmanagerRow::Silence(_))) | None => Err(Refusal::new("nothing is asked for here")),
    }
}
