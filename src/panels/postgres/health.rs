//! Screen 4: is the database well: cache hits over the window, connections against usable slots, deadlocks, temporary files,
//! wraparound, vacuum, write-ahead log.

use crate::core::action::Offer;
use crate::core::focus::Focus;
use crate::core::ids::TargetId;
use crate::core::place::Screen;
use crate::core::postgres::CONNECTIONS;
use crate::core::postgres::WRAPAROUND;
use crate::core::postgres::{DatabaseCounters, PgRow, PostgresReading, PostgresState};
use crate::core::row::RowKey;
use crate::core::world::TargetState;
use crate::panels::graphs;
use crate::panels::panel::{self, Panel, PanelContext};
use crate::panels::postgres::acts::{ending, upkeep};
use crate::panels::postgres::target::{self, heading, number_role};
use crate::panels::postgres::{clients, looks, pooler, sessions};
use crate::ui::content::{Cell, Column, Content, Line, Role, Row, Section, Table};
use crate::ui::format::{bytes, count, or_dash, percent, rate, whole};

/// Columns of a sparkline.
const SPARK: usize = 60;
/// Before version 14 the server fixes this itself.
const DEFAULT_FREEZE_AGE: f64 = 200_000_000.0;
/// Transaction ids after which the server refuses to write.
const STOPS_AT: f64 = 2_147_483_648.0;

/// The health screen.
#[derive(Clone, Copy, Debug)]
pub struct Health;

impl Panel for Health {
    fn screen(&self) -> Screen {
        Screen::Health
    }

    fn title(&self) -> &'static str {
        "health"
    }

    fn help(&self) -> &'static str {
        "is the database well: cache hits, connections, deadlocks, temporary files, wraparound, vacuum"
    }

    fn content(&self, context: PanelContext<'_>, path: &[RowKey]) -> Content {
        if let Some(key) = path.last() {
            return match key.postgres() {
                Some((_, PgRow::Clients | PgRow::ClientGroup(_))) => clients::content(context, key),
                Some((_, PgRow::Backend(_))) => sessions::session(context, key),
                _ => looks::content(context, key),
            };
        }
        let servers = target::targets(context).into_iter().map(|(target, _)| target);
        let mut sections: Vec<Section> = graphs::traffic(context, servers).into_iter().collect();
        for (target, state) in target::targets(context) {
            sections.push(summary(target, state, context));
            if let Some(reading) = state.reading() {
                sections.extend(pooler::section(context, target, reading, number_role(target, context)));
                sections.push(databases(target, reading, context));
                sections.extend(vacuums(target, reading));
                sections.push(looks::index(context, target, state, reading));
            }
        }
        panel::screen(sections, "no Postgres target is configured")
    }

    fn focus(&self, context: PanelContext<'_>, path: &[RowKey]) -> Vec<(TargetId, Focus)> {
        looks::focus(context, path)
    }

    fn offers(
        &self,
        context: PanelContext<'_>,
        _path: &[RowKey],
        row: &RowKey,
        marked: &[RowKey],
    ) -> Vec<Offer> {
        match row.postgres() {
            Some((_, PgRow::ClientGroup(_))) => clients::offers(context, row, marked),
            Some((_, PgRow::Backend(_))) => ending::offers(context, row, marked),
            _ => upkeep::offers(context, row),
        }
    }

    fn copy(&self, _context: PanelContext<'_>, _path: &[RowKey], row: &RowKey) -> Option<String> {
        match row.postgres()?.1 {
            row @ (PgRow::Table(_)
            | PgRow::Index(_)
            | PgRow::LookRow(..)
            | PgRow::Backend(_)
            | PgRow::ClientGroup(_)) => Some(row.name()),
            _ => None,
        }
    }
}

fn fact(label: &str, role: Role, value: impl std::fmt::Display) -> Line {
    let value = value.to_string();
    Line::of(Role::Muted, format!("{label:<16}")).then(role, format!("{value:<24}"))
}

fn summary(target: &TargetState, state: &PostgresState, context: PanelContext<'_>) -> Section {
    let role = number_role(target, context);
    let mut lines = vec![heading(target, state, context)];
    let Some(reading) = state.reading() else {
        return Section::lines("", lines);
    };
    let (rates, past) = (&state.rates, &state.histories);
    lines.push(
        fact("transactions", role, or_dash(rates.transactions, rate))
            .spark(target.past(&past.transactions, SPARK)),
    );
    lines.push(fact("rolled back", role, or_dash(rates.rollbacks, rate)));
    let hit = rates.hit_ratio.map_or_else(|| "— (too few reads)".to_owned(), percent);
    lines.push(fact("cache hits", role, hit).spark(target.past(&past.hit_ratio, SPARK)));
    lines.push(connections(context, reading, role).spark(target.past(&past.connections, SPARK)));
    lines.push(
        fact("WAL written", role, or_dash(rates.wal_bytes, |value| format!("{}/s", bytes(value))))
            .spark(target.past(&past.wal_bytes, SPARK)),
    );
    lines.push(fact("temp files", role, or_dash(rates.temp_bytes, |value| format!("{}/s", bytes(value)))));
    // A count over the window, and no rate.
    let deadlocks = or_dash(rates.deadlocks, |value| format!("{} in the last minute", count(value)));
    lines.push(fact("deadlocks", role, deadlocks));
    lines.push(fact("rows changed", role, or_dash(rates.rows_changed, rate)));
    lines.extend(server(reading, state, role));
    for (what, left) in state.trends.ends(reading).into_iter().take(3) {
        lines.push(fact(
            "time left",
            Role::Note,
            format!("{} until {what}, if it goes on like this", crate::ui::format::duration(left)),
        ));
    }
    Section::lines("", lines)
}

fn connections(context: PanelContext<'_>, reading: &PostgresReading, role: Role) -> Line {
    match &reading.slots {
        crate::core::part::Part::Ready(slots) => {
            let (used, usable) = (slots.used as f64, slots.usable() as f64);
            let share = used / usable.max(1.0);
            let role = context.graded(&CONNECTIONS.spec, Some(share), role);
            fact("connections", role, format!("{used} of {usable} usable, {}", percent(share)))
        }
        crate::core::part::Part::Unavailable(gap) => fact("connections", Role::Note, gap.note.clone()),
        crate::core::part::Part::NotAsked => fact("connections", role, "—".to_owned()),
    }
}

fn server(reading: &PostgresReading, state: &PostgresState, role: Role) -> Vec<Line> {
    let Some(health) = reading.health.ready() else {
        return reading.health.gap().map(|gap| Line::of(Role::Note, &gap.note)).into_iter().collect();
    };
    let mut lines = Vec::new();
    let requested = or_dash(state.rates.requested_checkpoints, |value| format!("{:.1}/min", value * 60.0));
    lines.push(fact("checkpoints", role, format!("{requested} because of WAL volume")));
    if let Some(archiver) = health.archiver.ready().filter(|archiver| archiver.on) {
        let failing = archiver.is_failing();
        let ago = |last: Option<f64>| {
            last.map_or(String::new(), |_| format!(", the last {} ago", crate::ui::format::seconds(last)))
        };
        let text = format!(
            "{} archived{}; {} failed{}",
            count(archiver.archived),
            ago(archiver.last_archived_seconds),
            count(archiver.failed),
            ago(archiver.last_failed_seconds),
        );
        let nothing = if archiver.no_command { "; no command is set" } else { "" };
        let role = if failing { Role::Critical } else { role };
        lines.push(fact("archiver", role, format!("{text}{nothing}")));
    }
    for (gid, owner, database, age) in health.prepared.ready().into_iter().flatten() {
        let text = format!("{gid} by {owner} in {database}, {} old", crate::ui::format::duration(*age));
        lines.push(fact("prepared", Role::Warning, text));
    }
    lines
}

fn databases(target: &TargetState, reading: &PostgresReading, context: PanelContext<'_>) -> Section {
    let role = number_role(target, context);
    let mut lines = Vec::new();
    if let Some(gap) = reading.databases.gap() {
        lines.push(Line::of(Role::Warning, &gap.note));
    }
    let rows = reading
        .databases
        .ready()
        .into_iter()
        .flatten()
        .map(|database| row(context, (target, reading), database, role))
        .collect();
    let table = Table {
        columns: vec![
            Column::flex("database", 12, 0),
            Column::number("backends", 8, 0).changing(),
            Column::number("deadlocks", 9, 1).changing(),
            Column::number("temp", 10, 2).changing(),
            Column::number("checksum errors", 15, 3),
            Column::number("xid age", 8, 0),
            Column::number("to wraparound", 13, 1),
            Column::number("to forced vacuum", 16, 2),
        ],
        rows,
        empty: "no database is visible".to_owned(),
        fixed_order: false,
    };
    Section { title: "Databases (counters since their last reset)".to_owned(), lines, table: Some(table) }
}

fn row(
    context: PanelContext<'_>,
    (target, reading): (&TargetState, &PostgresReading),
    database: &DatabaseCounters,
    role: Role,
) -> Row {
    let freeze =
        reading.health.ready().and_then(|health| health.freeze_max_age).unwrap_or(DEFAULT_FREEZE_AGE);
    let age = database.xid_age.map(|age| age as f64);
    let near = age.map(|age| age / STOPS_AT);
    let worry = context.graded(&WRAPAROUND.spec, age, role);
    let checksums = database.checksum_failures;
    let backends = reading
        .sessions
        .ready()
        .map(|all| all.iter().filter(|session| session.database == database.name).count() as f64)
        .filter(|_| !database.name.is_empty());
    let broken = if checksums.is_some_and(|count| count > 0.0) { Role::Critical } else { role };
    Row::flat(
        RowKey::Postgres(target.id.clone(), PgRow::Database(database.name.clone())),
        vec![
            Cell::of(
                Role::Strong,
                if database.name.is_empty() { "(shared objects)" } else { &database.name },
            ),
            Cell::figure(backends, count).role(role),
            Cell::figure(Some(database.deadlocks), count).role(role),
            Cell::figure(Some(database.temp_bytes), bytes).role(role),
            Cell::figure(checksums, count).role(broken),
            Cell::figure(age, count).role(worry),
            Cell::figure(near, percent).role(worry),
            Cell::figure(age.map(|age| age / freeze), percent).role(role),
        ],
    )
}

fn vacuums(target: &TargetState, reading: &PostgresReading) -> Option<Section> {
    let list = reading.health.ready()?.vacuums.ready()?;
    if list.is_empty() {
        return None;
    }
    let rows = list
        .iter()
        .map(|vacuum| {
            Row::flat(
                RowKey::Postgres(target.id.clone(), PgRow::Vacuum(vacuum.pid)),
                vec![
                    Cell::figure(Some(f64::from(vacuum.pid)), whole),
                    Cell::text(&vacuum.database),
                    Cell::text(&vacuum.table),
                    Cell::text(&vacuum.phase),
                    Cell::figure(vacuum.scanned_ratio, percent),
                ],
            )
        })
        .collect();
    let table = Table {
        columns: vec![
            Column::number("pid", 7, 0),
            Column::fixed("database", 14, 1),
            Column::flex("table", 20, 0),
            Column::fixed("phase", 26, 0),
            Column::number("scanned", 8, 0),
        ],
        rows,
        empty: String::new(),
        fixed_order: false,
    };
    Some(Section::table("Vacuum under way", table))
}
