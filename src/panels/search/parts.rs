//! What the pages of a search cluster share.

use crate::core::action::Refusal;
use crate::core::ids::TargetId;
use crate::core::row::RowKey;
use crate::core::search::{SearchReading, SearchRow, SearchState};
use crate::core::world::TargetState;
use crate::panels::current::current as answers;
use crate::panels::panel::PanelContext;
use crate::ui::content::{Line, Role};

/// A label and a value.
pub(super) fn fact(label: &str, role: Role, value: &str) -> Line {
    Line::of(Role::Muted, format!("{label:<16}")).then(role, value)
}

/// The key of a row of a cluster.
pub(super) fn key(target: &TargetId, row: SearchRow) -> RowKey {
    RowKey::Search(target.clone(), row)
}

/// A cluster that is looked at, and its newest reading.
pub(super) fn reading<'a>(
    context: PanelContext<'a>,
    id: &TargetId,
) -> Option<(&'a TargetState, &'a SearchState, &'a SearchReading)> {
    let target = context.target(id.as_str())?;
    let state = target.system.search()?;
    Some((target, state, state.reading()?))
}

/// The same for an act: nothing is done to what was seen too long ago, and nothing can be done without a master.
pub(super) fn current<'a>(
    context: PanelContext<'a>,
    id: &TargetId,
) -> Result<(&'a TargetState, &'a SearchReading), Refusal> {
    let (target, _, reading) =
        reading(context, id).ok_or_else(|| Refusal::new("nothing was read of this cluster yet"))?;
    answers(context, target)?;
    if reading.no_master.is_some() {
        return Err(Refusal::new("the cluster has no master, and changes nothing without one")
            .remedy("start the missing master nodes"));
    }
    Ok((target, reading))
}
