//! The PgBouncer in front of a server: its pools, who waits, what is paused.

use crate::core::part::Part;
use crate::core::postgres::WAITING;
use crate::core::postgres::{PgRow, Pool, Pooler, PostgresReading};
use crate::core::row::RowKey;
use crate::core::world::TargetState;
use crate::panels::PanelContext;
use crate::ui::content::{Cell, Column, Line, Role, Row, Section, Table};
use crate::ui::format::{duration, of_seconds, percent, whole};

/// The section of the health screen; nothing when no PgBouncer is configured.
pub(super) fn section(
    context: PanelContext<'_>,
    target: &TargetState,
    reading: &PostgresReading,
    role: Role,
) -> Option<Section> {
    let pooler = match &reading.pooler {
        Part::NotAsked => return None,
        Part::Unavailable(gap) => {
            return Some(Section::lines("PgBouncer", vec![Line::of(Role::Warning, &gap.note)]));
        }
        Part::Ready(pooler) => pooler,
    };
    let lines = pooler
        .databases
        .iter()
        .filter(|database| database.paused || database.disabled)
        .map(|database| {
            let word = if database.paused { "paused: its clients wait" } else { "disabled" };
            Line::of(Role::Warning, format!("database {} is {word}", database.name))
        })
        .collect();
    let table = Table {
        columns: vec![
            Column::fixed("pool", 20, 0),
            Column::fixed("user", 14, 1),
            Column::number("clients", 8, 0).changing(),
            Column::number("waiting", 8, 0).changing(),
            Column::number("longest", 8, 0),
            Column::number("servers", 8, 1).changing(),
            Column::number("idle", 6, 2),
            Column::number("in use", 7, 0).changing(),
            Column::flex("mode", 12, 2),
        ],
        rows: pooler.pools.iter().map(|pool| row(context, target, pooler, pool, role)).collect(),
        empty: "no pool".to_owned(),
        fixed_order: false,
    };
    let title =
        format!("PgBouncer {}, as of {} ago", pooler.address, duration(context.now.since(pooler.read_at)));
    Some(Section { title, lines, table: Some(table) })
}

fn row(context: PanelContext<'_>, target: &TargetState, pooler: &Pooler, pool: &Pool, role: Role) -> Row {
    let used = pooler.utilisation(pool);
    let wait = pool.longest_wait;
    let waits = Some(wait.as_secs_f64()).filter(|_| pool.clients_waiting > 0);
    let tone = context.graded(&WAITING.spec, waits, if waits.is_some() { Role::Note } else { role });
    // As many are waiting as there is room for: what follows from that is the wait.
    let full = if used.is_some_and(|used| used >= 1.0) { Role::Note } else { role };
    let number = |value: u64| Cell::figure(Some(value as f64), whole);
    Row::flat(
        RowKey::Postgres(target.id.clone(), PgRow::Pool(pool.database.clone(), pool.user.clone())),
        vec![
            Cell::of(Role::Strong, &pool.database),
            Cell::of(role, &pool.user),
            number(pool.clients_active).role(role),
            number(pool.clients_waiting).role(tone),
            Cell::figure(Some(wait.as_secs_f64()), of_seconds).role(tone),
            number(pool.servers_active).role(role),
            number(pool.servers_idle).role(role),
            Cell::figure(used, percent).role(full),
            Cell::of(Role::Muted, &pool.mode),
        ],
    )
}
