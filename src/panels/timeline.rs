//! The timeline: what changed, newest first, in this run and as far as earlier ones kept it. It tells the order of things, not their causes.

use crate::core::alert::Severity;
use crate::core::place::{Place, Screen};
use crate::core::postgres::{MIGRATIONS, migrations};
use crate::core::row::RowKey;
use crate::core::text::{ago, tidy};
use crate::core::time::Now;
use crate::core::timeline::{Event, Kind};
use crate::panels::panel::{Panel, PanelContext};
use crate::ui::content::{Cell, Column, Content, Line, Role, Row, Section, Table};
use crate::ui::format::age;

/// Sentences are broken at this width, and cut at that one.
const WIDTH: usize = 78;
const UNSEEN: usize = 300;

/// The timeline screen.
#[derive(Clone, Copy, Debug)]
pub struct WhatChanged;

impl Panel for WhatChanged {
    fn screen(&self) -> Screen {
        Screen::Timeline
    }

    fn title(&self) -> &'static str {
        "timeline"
    }

    fn help(&self) -> &'static str {
        "what changed and when: findings, actions, restarts, roles, settings, queues, nodes, versions, migrations, marks"
    }

    fn content(&self, context: PanelContext<'_>, path: &[RowKey]) -> Content {
        if let Some(row) = path.last() {
            return event(context, row).map_or_else(Content::default, |event| whole(context, event));
        }
        let mut events: Vec<&Event> = context.events().collect();
        events.sort_by_key(|event| std::cmp::Reverse(event.at.mono));
        let (kept, ours): (Vec<&Event>, Vec<&Event>) = events.into_iter().partition(|event| event.kept);
        let mut sections = vec![section(context, &ours)];
        if !kept.is_empty() {
            sections.push(earlier(context, &kept));
        }
        sections.push(Section::lines("", unseen(context)));
        Content { title: String::new(), sections }
    }

    fn jump(&self, context: PanelContext<'_>, _path: &[RowKey], row: &RowKey) -> Option<Place> {
        let event = event(context, row)?;
        // What is nowhere in particular opens here, and is told whole.
        let target = || {
            let row = RowKey::Target(event.target.clone()?);
            Some(Place { screen: Screen::Overview, row: Some(row) })
        };
        event.place.clone().or_else(target)
    }

    fn copy(&self, context: PanelContext<'_>, _path: &[RowKey], row: &RowKey) -> Option<String> {
        let event = event(context, row)?;
        let target = event.target.as_ref().map_or_else(String::new, |target| format!(" {target}"));
        let at = event.at.wall.format("%Y-%m-%d %H:%M:%SZ");
        Some(format!("{at} {}{target}: {}", event.word(), event.words))
    }
}

/// What nobody tells, and the right that would mend it.
fn unseen(context: PanelContext<'_>) -> Vec<Line> {
    let mut lines = vec![Line::of(Role::Muted, "not seen from here: settings that no poll reads")];
    for target in context.targets() {
        let Some(reading) = target.system.postgres().and_then(|state| state.reading()) else { continue };
        let watched = reading.watched.iter().find(|watched| watched.topic == MIGRATIONS);
        if let Some(gap) = watched.and_then(|watched| watched.table.gap()) {
            lines.push(Line::of(Role::Warning, format!("migrations of {}: {}", target.id, gap.note)));
        }
        let unread = migrations(reading).map(|(_, all)| all).unwrap_or_default();
        for table in unread.iter().filter(|migration| migration.is_unread()) {
            let words = format!("migrations of {}: {} {}", target.id, table.table, table.problem);
            lines.push(Line::of(Role::Muted, tidy(&words, UNSEEN)));
        }
    }
    lines.into_iter().flat_map(|line| line.flow(WIDTH, 2)).collect()
}

fn event<'a>(context: PanelContext<'a>, row: &RowKey) -> Option<&'a Event> {
    match row {
        RowKey::Event(id) => context.events().find(|event| event.id == *id),
        _ => None,
    }
}

/// All of one event, a part of its sentence on each line.
fn whole(context: PanelContext<'_>, event: &Event) -> Content {
    let local = event.at.wall.with_timezone(&context.zone).format("%Y-%m-%d %H:%M:%S");
    let utc = event.at.wall.format("%H:%M:%SZ");
    let mut lines =
        vec![Line::of(Role::Muted, format!("{local} local, {utc}, {}", ago(context.now.since(event.at))))];
    if let Some((about, lasted)) = event.about.as_ref().zip(event.lasted) {
        let begin = about.since.wall.with_timezone(&context.zone).format("%Y-%m-%d %H:%M:%S");
        let utc = about.since.wall.format("%H:%M:%SZ");
        let least = if about.at_least { "at least " } else { "" };
        let lasted = age(lasted);
        lines.push(Line::text(match event.parted {
            Some(_) => format!("began {begin} local, {utc}; seen for {least}{lasted}, its end was not"),
            None => format!("began {begin} local, {utc}; lasted {least}{lasted}"),
        }));
    }
    lines.extend(event.words.split("; ").map(Line::text));
    let title = event.word();
    Content { title: title.to_owned(), sections: vec![Section::lines(title, lines)] }
}

fn section(context: PanelContext<'_>, events: &[&Event]) -> Section {
    let title = match events.len() {
        0 => "What changed".to_owned(),
        count => format!("What changed ({count}, newest first; {} leads to each)", context.keys.open),
    };
    Section::table(title, table(context, events, "nothing has changed since stacktop began to look"))
}

fn earlier(context: PanelContext<'_>, events: &[&Event]) -> Section {
    let title = format!("Kept from an earlier run, or by another stacktop ({})", events.len());
    Section::table(title, table(context, events, ""))
}

fn table(context: PanelContext<'_>, events: &[&Event], empty: &str) -> Table {
    let dated = events.iter().any(|event| !is_of_today(event.at, context));
    let clock = if dated { 14 } else { 8 };
    Table {
        columns: vec![
            Column::fixed("local", clock, 0),
            Column::fixed("UTC", clock + 1, 4),
            Column::fixed("what", 11, 0),
            Column::fixed("target", 12, 2),
            Column::flex("event", 30, 0),
            Column::number("lasted", 8, 1),
            Column::number("ago", 11, 3),
        ],
        rows: events.iter().map(|event| row(context, event)).collect(),
        empty: empty.to_owned(),
        fixed_order: false,
    }
}

fn row(context: PanelContext<'_>, event: &Event) -> Row {
    let order = Some(event.at.mono.as_secs_f64());
    let local = event.at.wall.with_timezone(&context.zone);
    let (local, utc) = if is_of_today(event.at, context) {
        (local.format("%H:%M:%S").to_string(), event.at.wall.format("%H:%M:%SZ").to_string())
    } else {
        (local.format("%m-%d %H:%M:%S").to_string(), event.at.wall.format("%m-%d %H:%M:%SZ").to_string())
    };
    let (role, word) = what(event);
    let least = event.about.as_ref().is_some_and(|about| about.at_least);
    let lasted = event
        .lasted
        .map_or_else(String::new, |lasted| format!("{}{}", age(lasted), if least { "+" } else { "" }));
    let text = if event.kept { Role::Muted } else { Role::Text };
    let past = context.now.since(event.at);
    let cells = vec![
        Cell::number(order, local).role(text),
        Cell::number(order, utc).role(Role::Muted),
        Cell::of(role, word),
        Cell::of(Role::Muted, event.target.as_ref().map_or("", |target| target.as_str())),
        Cell::of(text, &event.words),
        Cell::number(event.lasted.map(|lasted| lasted.as_secs_f64()), lasted).role(text),
        Cell::number(Some(past.as_secs_f64()), ago(past)).role(Role::Muted),
    ];
    Row::opens(RowKey::Event(event.id), cells)
}

fn is_of_today(at: Now, context: PanelContext<'_>) -> bool {
    let day = |at: Now| at.wall.with_timezone(&context.zone).date_naive();
    day(at) == day(context.now)
}

/// The word of its kind; how bad a finding is that began is told by a sign, too.
fn what(event: &Event) -> (Role, String) {
    let word = event.word();
    match (event.kind, event.severity()) {
        (Kind::Began | Kind::Worsened, Some(severity)) => {
            let sign = match severity {
                Severity::Critical => "‼",
                Severity::Warning => "!",
                Severity::Info => "·",
            };
            (Role::of(severity), format!("{sign} {word}"))
        }
        (Kind::Ended | Kind::AllClear, _) if event.is_seen_over() => (Role::Ok, word.to_owned()),
        (Kind::Ended, _) if event.parted.is_some() => (Role::Muted, word.to_owned()),
        (Kind::Asked | Kind::Outcome | Kind::Looked, _) => (Role::Accent, word.to_owned()),
        (
            Kind::Began
            | Kind::Worsened
            | Kind::Ended
            | Kind::AllClear
            | Kind::Restarted
            | Kind::Crashed
            | Kind::Another
            | Kind::Role
            | Kind::Setting
            | Kind::Paused
            | Kind::Resumed
            | Kind::Version
            | Kind::Nodes
            | Kind::Reset
            | Kind::Migrated
            | Kind::Marked
            | Kind::Noted
            | Kind::Unwatched
            | Kind::Listed,
            _,
        ) => (Role::Note, word.to_owned()),
    }
}
