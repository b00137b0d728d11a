//! What grows by the day on a target, and the day when it is full: as a Prometheus server remembers it.

use super::panel::PanelContext;
use crate::core::growth::{self, Growth};
use crate::core::text::{sized, tidy};
use crate::core::time::Now;
use crate::core::world::TargetState;
use crate::ui::content::{Line, Role, Section};
use chrono::FixedOffset;
use std::time::Duration;

/// Full before this is worth a warning.
const SOON: Duration = Duration::from_secs(14 * 86_400);
/// A name is cut to this.
const NAME_CHARS: usize = 40;

pub(super) fn section(context: PanelContext<'_>, target: &TargetState) -> Option<Section> {
    let all = growth::of(context.world, target);
    let lines: Vec<Line> = all.iter().map(|growth| line(growth, context.now, context.zone)).collect();
    (!lines.is_empty()).then(|| Section::lines("Growth, as Prometheus remembers six days", lines))
}

fn line(growth: &Growth, now: Now, zone: FixedOffset) -> Line {
    let what = tidy(&growth.what, NAME_CHARS);
    let line = Line::of(Role::Muted, format!("{what:<24} "))
        .then(Role::Text, format!("{} · +{} a day", sized(growth.bytes), sized(growth.per_day)));
    let Some(left) = growth.full_in() else { return line };
    let day = now.plus(left).wall.with_timezone(&zone).format("%-d %b");
    let role = if left < SOON { Role::Warning } else { Role::Note };
    line.then(role, format!(" · full ({}) on {day}", sized(growth.limit.unwrap_or_default())))
}
