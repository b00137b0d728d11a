//! Every source, how far it can be believed, and why it is silent: one row a target, or one a group where they are many.

use super::groups::{LISTED_TO, Worst, grouped};
use super::panel::PanelContext;
use crate::core::freshness::Freshness;
use crate::core::row::RowKey;
use crate::core::world::TargetState;
use crate::ui::content::{Cell, Column, Role, Row, Section, Table};
use crate::ui::format::{age, lately, of_seconds, rate};

/// The sources that are looked at.
pub(super) fn section(context: PanelContext<'_>) -> Section {
    let targets: Vec<&TargetState> = context.targets().collect();
    let mut groups = grouped(targets.iter().copied(), |target| target.group());
    if targets.len() <= LISTED_TO || groups.len() == 1 || groups.len() == targets.len() {
        return listed("Sources".to_owned(), &targets, context);
    }
    let worst = Worst::of(context);
    groups.sort_by_key(|(_, members)| {
        std::cmp::Reverse(members.iter().map(|one| bad(one, &worst, context)).max())
    });
    let rows = groups.iter().map(|(name, members)| match members.as_slice() {
        [target] => row(target, context),
        members => group(name, members, context),
    });
    let title = format!(
        "Sources ({} in {} groups, worst first; {} opens one)",
        targets.len(),
        groups.len(),
        context.keys.open
    );
    Section::table(title, table(rows.collect(), context))
}

/// The sources of one group.
pub(super) fn opened(name: &str, context: PanelContext<'_>) -> Section {
    let worst = Worst::of(context);
    let mut members: Vec<&TargetState> = context.targets().filter(|target| target.group() == name).collect();
    members.sort_by_key(|target| std::cmp::Reverse(bad(target, &worst, context)));
    listed(format!("Sources of {name} ({}, worst first)", members.len()), &members, context)
}

/// The state of a source in words.
pub(super) fn state(target: &TargetState, context: PanelContext<'_>) -> (Role, String) {
    match target.freshness(context.now) {
        Freshness::Waiting => (Role::Muted, "waiting".to_owned()),
        Freshness::Fresh(old) => (Role::Ok, format!("ok, {}", lately(old))),
        Freshness::Late(old) => (Role::Warning, format!("LATE {}", age(old))),
        Freshness::Lost(old) => (Role::Critical, format!("STALE {}", age(old))),
    }
}

/// How bad a source is: what was found there, then whether it can be believed at all.
fn bad(target: &TargetState, worst: &Worst<'_>, context: PanelContext<'_>) -> impl Ord + use<> {
    let stale = match target.freshness(context.now) {
        Freshness::Fresh(_) => 0,
        Freshness::Waiting => 1,
        Freshness::Late(_) => 2,
        Freshness::Lost(_) => 3,
    };
    (worst.on(&target.id), stale)
}

fn listed(title: String, targets: &[&TargetState], context: PanelContext<'_>) -> Section {
    Section::table(title, table(targets.iter().map(|target| row(target, context)).collect(), context))
}

fn table(rows: Vec<Row>, context: PanelContext<'_>) -> Table {
    Table {
        columns: vec![
            Column::fixed("source", 16, 0),
            Column::fixed("state", 16, 0),
            Column::number("poll", 7, 2),
            Column::number("asked", 7, 4),
            Column::fixed("kind", 13, 3),
            Column::flex("where, or why silent", 20, 1),
        ],
        rows,
        empty: format!(
            "no target was found; press {} for what was looked for, or run `stacktop demo`",
            context.keys.sources
        ),
        fixed_order: false,
    }
}

fn row(target: &TargetState, context: PanelContext<'_>) -> Row {
    let (role, word) = state(target, context);
    let about = match target.failure {
        Some(_) => Cell::of(Role::Warning, target.silence(context.now)),
        None => Cell::of(Role::Muted, &target.address),
    };
    let cells = vec![
        Cell::of(Role::Strong, target.id.as_str()),
        Cell::of(role, word),
        Cell::figure(target.took.map(|took| took.as_secs_f64()), of_seconds),
        Cell::figure(target.asked_per_second(), rate),
        Cell::of(Role::Muted, target.kind.name()),
        about,
    ];
    Row::opens(RowKey::Target(target.id.clone()), cells)
}

/// The sources of a group together: how many of them are in the worst state of all, the longest poll, the reason of the first that is
/// silent.
fn group(name: &str, members: &[&TargetState], context: PanelContext<'_>) -> Row {
    let count = |is: fn(&Freshness) -> bool| {
        members.iter().filter(|target| is(&target.freshness(context.now))).count()
    };
    let states = [
        (count(|state| matches!(state, Freshness::Lost(_))), Role::Critical, "STALE"),
        (count(|state| matches!(state, Freshness::Late(_))), Role::Warning, "LATE"),
        (count(|state| matches!(state, Freshness::Waiting)), Role::Muted, "waiting"),
    ];
    let (role, word) = states.iter().find(|(count, ..)| *count > 0).map_or_else(
        || (Role::Ok, "all ok".to_owned()),
        |(count, role, word)| (*role, format!("{count} {word}")),
    );
    let asked = members.iter().filter_map(|target| target.asked_per_second()).reduce(|sum, one| sum + one);
    let longest = members.iter().filter_map(|target| target.took).max();
    let mut kinds: Vec<&str> = members.iter().map(|target| target.kind.name()).collect();
    kinds.dedup();
    let kind = if let [kind] = kinds.as_slice() { kind } else { "several" };
    let silent = members.iter().find(|target| target.failure.is_some());
    let about = silent.map_or_else(Cell::default, |target| {
        Cell::of(Role::Warning, format!("{}: {}", target.id, target.silence(context.now)))
    });
    let cells = vec![
        Cell::of(Role::Strong, format!("{name} ({})", members.len())),
        Cell::of(role, word),
        Cell::figure(longest.map(|took| took.as_secs_f64()), of_seconds),
        Cell::figure(asked, rate),
        Cell::of(Role::Muted, kind),
        about,
    ];
    Row::opens(RowKey::Group(name.to_owned()), cells)
}
