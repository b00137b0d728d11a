//! The tables of the alerts screen: groups as it notifies of them, alerts, silences.

use crate::core::alertmanager::{AlertmanagerRow, HeldAlert, HeldBy, Silence};
use crate::core::row::RowKey;
use crate::panels::alerts::target::{Seen, labels, matchers, named, severity};
use crate::ui::content::{Cell, Column, Role, Row, Section, Table};
use crate::ui::format::{duration, of_seconds};
use std::collections::BTreeSet;
use std::time::Duration;

/// A silence that ends within this time is told as such: what it keeps quiet comes back.
const SOON: Duration = Duration::from_secs(600);

fn age(age: Option<Duration>) -> Cell {
    let age = age.map(|age| age.as_secs_f64());
    Cell::number(age, age.map_or(String::new(), of_seconds))
}

pub(super) fn groups(seen: Seen<'_>) -> Section {
    let mut rows = Vec::new();
    for group in seen.groups() {
        let key = AlertmanagerRow::Group { receiver: group.receiver.clone(), labels: labels(&group.labels) };
        let active = group.alerts.iter().filter(|alert| alert.held.is_empty()).count();
        let held = group.alerts.len() - active;
        let oldest = group.alerts.iter().filter_map(|alert| alert.active_for).max();
        let worst = group.alerts.iter().filter(|alert| alert.held.is_empty()).map(severity).max();
        let names: BTreeSet<&str> = group.alerts.iter().map(HeldAlert::name).collect();
        rows.push(Row::opens(
            RowKey::Alertmanager(seen.target.id.clone(), key),
            vec![
                Cell::of(
                    worst.map_or(Role::Muted, Role::of),
                    names.into_iter().collect::<Vec<_>>().join(", "),
                ),
                Cell::text(labels(&group.labels)),
                Cell::text(&group.receiver),
                Cell::number(Some(active as f64), active.to_string()),
                Cell::number(Some(held as f64), held.to_string()),
                age(oldest.map(|age| seen.age(age))),
            ],
        ));
    }
    let table = Table {
        columns: vec![
            Column::flex("alerts", 20, 0),
            Column::flex("grouped by", 16, 1),
            Column::flex("receiver", 10, 0),
            Column::number("active", 6, 0).changing(),
            Column::number("kept back", 9, 1).changing(),
            Column::number("oldest", 7, 1),
        ],
        rows,
        empty: "no alerts".to_owned(),
        fixed_order: false,
    };
    Section::table("Groups", table)
}

pub(super) fn alerts<'a>(seen: Seen<'_>, list: impl Iterator<Item = &'a HeldAlert>) -> Table {
    let row = |alert: &HeldAlert| {
        let held = seen.held(alert);
        let role = if held.is_some() { Role::Muted } else { Role::of(severity(alert)) };
        let word = alert.held.first().map_or("active", HeldBy::word);
        let about = match &held {
            Some(words) => format!("{words} · {}", alert.summary),
            None => alert.summary.clone(),
        };
        Row::opens(
            RowKey::Alertmanager(seen.target.id.clone(), AlertmanagerRow::Alert(alert.fingerprint.clone())),
            vec![
                Cell::of(role, word),
                Cell::text(named(alert)),
                age(alert.active_for.map(|age| seen.age(age))),
                Cell::text(about),
            ],
        )
    };
    Table {
        columns: vec![
            Column::fixed("", 9, 0),
            Column::flex("alert", 24, 0),
            Column::number("for", 7, 1),
            Column::flex("about", 30, 0),
        ],
        rows: list.map(row).collect(),
        empty: "no alerts".to_owned(),
        fixed_order: false,
    }
}

/// How a silence stands, in two words at the most.
fn standing(seen: Seen<'_>, silence: &Silence) -> (Role, String) {
    match (silence.over_for, silence.begins_in) {
        (Some(_), _) => (Role::Muted, "over".to_owned()),
        (None, Some(left)) => (Role::Muted, format!("in {}", duration(seen.left(left)))),
        // By the next answer it is over.
        (None, None) if seen.left(silence.ends_in).is_zero() => (Role::Warning, "ends now".to_owned()),
        (None, None) if seen.left(silence.ends_in) < SOON => (Role::Warning, "ends soon".to_owned()),
        (None, None) => (Role::Text, "in force".to_owned()),
    }
}

/// The silences that stand, and those that were over lately.
pub(super) fn silences(seen: Seen<'_>) -> Option<Section> {
    let list = seen.reading.silences.ready().filter(|list| !list.is_empty())?;
    let row = |silence: &Silence| {
        let (role, word) = standing(seen, silence);
        let rest = if silence.over_for.is_some() { Role::Muted } else { Role::Text };
        let left = seen.left(silence.ends_in);
        let ends = match silence.over_for {
            // Those that were over first stand last.
            Some(over) => {
                let over = seen.age(over);
                Cell::number(Some(-over.as_secs_f64()), format!("{} ago", duration(over)))
            }
            None if left.is_zero() => Cell::number(Some(0.0), "now"),
            None => Cell::number(Some(left.as_secs_f64()), format!("in {}", duration(left))),
        };
        let kept = seen.reading.groups.ready().map(|_| seen.reading.kept_by(&silence.id).count() as f64);
        Row::opens(
            RowKey::Alertmanager(seen.target.id.clone(), AlertmanagerRow::Silence(silence.id.clone())),
            vec![
                Cell::of(role, word),
                Cell::of(rest, matchers(silence)),
                ends.role(rest),
                Cell::figure(kept, crate::ui::format::count).role(rest),
                Cell::of(rest, &silence.author),
                Cell::of(rest, &silence.comment),
            ],
        )
    };
    let table = Table {
        columns: vec![
            Column::fixed("", 9, 0),
            Column::flex("for alerts with", 24, 0),
            Column::number("ends", 11, 0),
            Column::number("alerts", 6, 0),
            Column::flex("by", 10, 1),
            Column::flex("why", 20, 0),
        ],
        rows: list.iter().map(row).collect(),
        empty: String::new(),
        fixed_order: false,
    };
    Some(Section::table("Silences", table))
}
