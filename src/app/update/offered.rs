//! What the keys of the open screen are about: the row under the cursor, what may be done to it, the finding that is meant.

use super::navigate;
use crate::app::model::Model;
use crate::core::action::Offer;
use crate::core::alert::FindingKey;
use crate::core::row::RowKey;
use crate::panels::opened;

/// The rows that are marked.
pub fn marked(model: &Model) -> Vec<RowKey> {
    model.place().level().map(|level| level.marks.keys().cloned().collect()).unwrap_or_default()
}

/// What may be done to `row`, and to what is marked. What no arming would permit in this run is refused here already.
pub fn offers(model: &Model, row: &RowKey, marked: &[RowKey]) -> Vec<Offer> {
    let path = model.place().path;
    let seen = model.seen();
    seen.permitted(row, opened(model.screen, &path).offers(seen, &path, row, marked))
}

/// The row that an act is about: the one under the cursor, else the one whose page is open.
pub fn row(model: &Model) -> Option<RowKey> {
    navigate::selected(model).or_else(|| model.place().path.last().cloned())
}

/// The finding whose page is open, else the one under the cursor. On its page the rows are of others: what explains it, and what it explains.
pub fn finding(model: &Model) -> Option<FindingKey> {
    let of = |row: &RowKey| if let RowKey::Finding(key) = row { Some(key.clone()) } else { None };
    let open = model.place().path.last().and_then(of);
    open.or_else(|| navigate::selected(model).as_ref().and_then(of))
}
