//! The line above what is read of a target: its name, what it is, and how old that is where it is old.

use crate::core::freshness::Freshness;
use crate::core::world::TargetState;
use crate::panels::panel::PanelContext;
use crate::ui::content::{Line, Role};
use crate::ui::format::duration;

/// The line of `target`, which is `about`; of one that never answered it says why.
pub(super) fn heading(
    target: &TargetState,
    (role, about): (Role, impl AsRef<str>),
    context: PanelContext<'_>,
) -> Line {
    let line = Line::of(Role::Strong, format!("{} ", target.id));
    match (target.freshness(context.now), target.seen) {
        (_, None) if target.failure.is_some() => line.then(Role::Warning, target.silence(context.now)),
        (_, None) => line.then(Role::Muted, format!("{} · waiting for the first answer", target.address)),
        (Freshness::Late(age), _) => {
            line.then(role, about).then(Role::Warning, format!(" · LATE, {} old", duration(age)))
        }
        (Freshness::Lost(age), _) => line
            .then(role, about)
            .then(Role::Stale, format!(" · STALE {}: {}", duration(age), target.silence(context.now))),
        (Freshness::Waiting | Freshness::Fresh(_), _) => line.then(role, about),
    }
}
