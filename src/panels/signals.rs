//! The golden signals of every system, one line each: what a healthy stack looks like at a glance.

use crate::core::freshness::Freshness;
use crate::core::world::TargetState;
use crate::panels::groups::{LISTED_TO, Worst, grouped};
use crate::panels::panel::PanelContext;
use crate::ui::content::{Line, Role, Section};
use crate::ui::format::duration;
use crate::ui::graph::fitted;

/// Columns of a sparkline.
const SPARK: usize = 40;
/// The text before the sparkline.
const TEXT: usize = 62;

/// What a line says, and the [trace](crate::core::trace) of its first number.
pub(super) type Told = (String, Option<&'static str>);

/// What is told of a target by the system that it is of, once it answered.
pub(super) type Tells = fn(&TargetState) -> Option<Told>;

/// One line for each target that ever answered; of a group where they are many, that of its worst.
pub(super) fn section(systems: &[Tells], context: PanelContext<'_>) -> Section {
    let told: Vec<(&TargetState, Told)> = context
        .targets()
        .filter_map(|target| Some((target, systems.iter().find_map(|tells| tells(target))?)))
        .collect();
    let title = if told.is_empty() { "" } else { "Signals (last 15 min)" };
    if told.len() <= LISTED_TO {
        let lines = told.into_iter().map(|(target, told)| line(target.id.as_str(), target, told, context));
        return Section::lines(title, lines.collect());
    }
    let worst = Worst::of(context);
    let mut groups = grouped(told.into_iter(), |(target, _)| target.group());
    for (_, members) in &mut groups {
        members.sort_by_key(|(target, _)| std::cmp::Reverse(worst.on(&target.id)));
    }
    groups.sort_by_key(|(_, members)| {
        std::cmp::Reverse(members.first().and_then(|(target, _)| worst.on(&target.id)))
    });
    let lines = groups.into_iter().filter_map(|(name, members)| {
        let (all, bad) =
            (members.len(), members.iter().filter(|(target, _)| worst.on(&target.id).is_some()).count());
        let (target, (text, past)) = members.into_iter().next()?;
        let (name, text) = match (all, bad) {
            (1, _) => (target.id.to_string(), text),
            (_, 0) => (format!("{name} ({all})"), format!("{}: {text}", target.id)),
            _ => (
                format!("{name} ({all})"),
                format!("{bad} of {all} with findings, the worst {}: {text}", target.id),
            ),
        };
        Some(line(&name, target, (text, past), context))
    });
    Section::lines(title, lines.collect())
}

fn line(name: &str, target: &TargetState, (text, past): Told, context: PanelContext<'_>) -> Line {
    // Numbers of before are never shown as those of now: their age goes first.
    let (role, text) = match target.freshness(context.now) {
        Freshness::Late(age) | Freshness::Lost(age) => {
            (Role::Stale, format!("{} old · {text}", duration(age)))
        }
        Freshness::Waiting | Freshness::Fresh(_) => (Role::Text, text),
    };
    let line = Line::of(Role::Strong, format!("{:<16}", crate::ui::text::cut(name, 15)));
    match past.and_then(|name| target.traces.named(name)) {
        // Above the same span as the graphs of this screen.
        Some(quarter) => {
            let columns = quarter.columns(context.now, target.failure.is_none());
            line.then(role, format!("{text:<TEXT$}")).spark(fitted(&columns, SPARK))
        }
        None => line.then(role, text),
    }
}
