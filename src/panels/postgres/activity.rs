//! What active sessions wait for: the classes of the last minutes on the queries screen, and one class opened.

use crate::core::postgres::{ACTIVITY_WINDOW, CPU, PgRow, PostgresState, Session, Waiting, waits};
use crate::core::row::RowKey;
use crate::core::world::TargetState;
use crate::panels::panel::PanelContext;
use crate::panels::postgres::sessions;
use crate::panels::postgres::target::{self, heading, number_role, wait_words};
use crate::ui::content::{Cell, Column, Content, Line, Role, Row, Section, Table};
use crate::ui::format::{duration, percent, whole};
use std::collections::BTreeMap;

/// Columns of a sparkline.
const SPARK: usize = 30;
/// Classes shown before one is opened: the others hardly matter.
const CLASSES: usize = 5;
/// Groups shown of each kind.
const GROUPS: usize = 8;

/// The section of the queries screen; nothing when nothing was active.
pub(super) fn section(target: &TargetState, state: &PostgresState, role: Role) -> Option<Section> {
    let classes = state.activity.classes();
    if classes.is_empty() {
        return None;
    }
    let rows = classes.iter().take(CLASSES).map(|class| {
        let mut cells = numbers(class, role);
        cells.insert(0, Cell::of(Role::Strong, &class.name));
        cells.push(Cell::spark(
            state.activity.past(&class.name).map(|past| target.past(past, SPARK)).unwrap_or_default(),
        ));
        cells.push(Cell::of(Role::Muted, words(&class.name)));
        Row::opens(RowKey::Postgres(target.id.clone(), PgRow::Activity(class.name.clone())), cells)
    });
    let table = Table {
        columns: vec![
            Column::fixed("waits for", 12, 0),
            Column::number("now", 5, 0).changing(),
            Column::number("average", 8, 0),
            Column::number("share", 6, 0),
            Column::fixed("past", SPARK as u16, 1),
            Column::flex("which is", 14, 2),
        ],
        rows: rows.collect(),
        empty: String::new(),
        fixed_order: true,
    };
    let title = format!(
        "Active sessions over the last {}, {:.1} on average",
        duration(ACTIVITY_WINDOW),
        state.activity.average()
    );
    Some(Section::table(title, table))
}

fn numbers(waiting: &Waiting, role: Role) -> Vec<Cell> {
    vec![
        Cell::figure(Some(f64::from(waiting.now)), whole).role(role),
        Cell::number(Some(waiting.average), format!("{:.1}", waiting.average)).role(role),
        Cell::figure(Some(waiting.share), percent).role(role),
    ]
}

fn words(class: &str) -> &'static str {
    match class {
        CPU => "computing",
        "Lock" => "a lock that another session holds",
        "LWLock" => "a lock inside the server",
        "IO" => "disk",
        "IPC" => "another server process",
        "Client" => "the client to take or send data",
        "Timeout" => "a sleep",
        "BufferPin" => "a buffer that another session uses",
        "Extension" => "an extension",
        _ => "",
    }
}

/// One class opened: its events, who is in it now, and those sessions.
pub(super) fn content(context: PanelContext<'_>, key: &RowKey, class: &str) -> Content {
    let title = format!("waits for {class}");
    let Some((target, state, reading)) = target::reading(context, key) else {
        let gone = vec![Line::text("this server has not answered yet")];
        return Content { title: title.clone(), sections: vec![Section::lines(title, gone)] };
    };
    let role = number_role(target, context);
    let now: Vec<&Session> = reading
        .sessions
        .ready()
        .into_iter()
        .flatten()
        .filter(|session| waits(session).is_some_and(|(found, _)| found == class))
        .collect();
    let mut sections = vec![Section::lines(title.clone(), vec![heading(target, state, context)])];
    if class != CPU {
        sections.push(events(target, state, class, role));
    }
    let lines = vec![
        group("application", &now, |session| &session.application, role),
        group("user", &now, |session| &session.user, role),
        group("client", &now, |session| &session.client, role),
        group("database", &now, |session| &session.database, role),
    ];
    sections.push(Section::lines("Who is in it now", lines));
    sections.push(sessions::sessions(target, "Sessions", Vec::new(), &now, reading, role));
    Content { title, sections }
}

fn events(target: &TargetState, state: &PostgresState, class: &str, role: Role) -> Section {
    let row = |event: Waiting| {
        let mut cells = numbers(&event, role);
        cells.insert(0, Cell::of(Role::Strong, &event.name));
        cells.push(Cell::of(Role::Muted, wait_words(class, &event.name)));
        Row::flat(
            RowKey::Postgres(target.id.clone(), PgRow::WaitEvent(class.to_owned(), event.name.clone())),
            cells,
        )
    };
    let table = Table {
        columns: vec![
            Column::fixed("event", 22, 0),
            Column::number("now", 5, 0).changing(),
            Column::number("average", 8, 0),
            Column::number("share", 6, 0),
            Column::flex("which is", 14, 1),
        ],
        rows: state.activity.events(class).into_iter().map(row).collect(),
        empty: String::new(),
        fixed_order: true,
    };
    Section::table(format!("Events of the last {}", duration(ACTIVITY_WINDOW)), table)
}

fn group(name: &str, sessions: &[&Session], of: fn(&Session) -> &str, role: Role) -> Line {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for session in sessions {
        *counts.entry(of(session)).or_default() += 1;
    }
    let mut counts: Vec<(&str, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let shown = counts.iter().take(GROUPS).map(|(value, count)| {
        let value = if value.is_empty() { "(none)" } else { value };
        format!("{value} {count}")
    });
    let shown = shown.collect::<Vec<_>>().join(", ");
    let more = counts.len().saturating_sub(GROUPS);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Line::of(Role::Muted, format!("{name:<14}")).then(role, format!("{shown}{more}"))
}
