//! The golden signals of every system, one line each: what a healthy stack looks like at a glance.

use crate::core::freshness::Freshness;
use crate::core::history::Series;
use crate::core::world::TargetState;
use crate::panels::panel::PanelContext;
use crate::ui::content::{Line, Role, Section};
use crate::ui::format::duration;

/// Columns of a sparkline.
const SPARK: usize = 40;
/// The text before the sparkline.
const TEXT: usize = 62;

/// What a line says, and the past of its first number.
pub(super) type Told<'a> = (String, Option<&'a Series>);

/// What is told of a target by the system that it is of, once it answered.
pub(super) type Tells = fn(&TargetState) -> Option<Told<'_>>;

/// One line for each target that ever answered.
pub(super) fn section(systems: &[Tells], context: PanelContext<'_>) -> Section {
    let lines: Vec<Line> = context.targets().filter_map(|target| line(systems, target, context)).collect();
    let title = if lines.is_empty() { "" } else { "Signals" };
    Section::lines(title, lines)
}

fn line(systems: &[Tells], target: &TargetState, context: PanelContext<'_>) -> Option<Line> {
    let (text, past) = systems.iter().find_map(|tells| tells(target))?;
    // Numbers of before are never shown as those of now: their age goes first.
    let (role, text) = match target.freshness(context.now) {
        Freshness::Late(age) | Freshness::Lost(age) => {
            (Role::Stale, format!("{} old · {text}", duration(age)))
        }
        Freshness::Waiting | Freshness::Fresh(_) => (Role::Text, text),
    };
    let line = Line::of(Role::Strong, format!("{:<16}", crate::ui::text::cut(target.id.as_str(), 15)));
    Some(match past {
        Some(past) => line.then(role, format!("{text:<TEXT$}")).spark(target.past(past, SPARK)),
        None => line.then(role, text),
    })
}
