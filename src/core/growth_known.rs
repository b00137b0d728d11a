//! What of a target grows by the day, by whoever knows it: a Prometheus server that remembers its sizes, asked for only while somebody looks,
//! else [`growth`](super::growth) as we have seen it. Pure.

use super::focus::Focus;
use super::forecast::days;
use super::growth::{
    DATABASE, DISK_AT, DISK_OF_NODE, Growth, LEAST_BYTES, MEMORY, SeenBy, TABLE, by_us, limit, sizes,
};
use super::ids::{SystemKind, TargetId};
use super::part::Part;
use super::past::Instance;
use super::postgres::{DATABASE_SIZES, LARGEST_TABLES, Look};
use super::prometheus::{Range, RangeReading, SPANS};
use super::target::TargetState;
use super::time::Now;
use super::world::World;
use std::collections::BTreeSet;
use std::time::Duration;

/// A size, as an exporter tells of it. `$at` stands for the labels of the instance, `$of` for what keeps those of this server alone; each series
/// is one of what `what` names.
struct Remembered {
    kind: SystemKind,
    what: &'static str,
    /// What tells how many instances there are.
    metric: &'static str,
    expr: &'static str,
}

/// By postgres_exporter, redis_exporter, elasticsearch_exporter and node_exporter. Of tables the first told one size until 0.15, and tells two
/// since. A node_exporter is asked by its own address, so that no other host is told in place of its own.
static REMEMBERED: &[Remembered] = &[
    Remembered {
        kind: SystemKind::Postgres,
        what: DATABASE,
        metric: "pg_database_size_bytes",
        expr: "topk(5, max by (datname) (pg_database_size_bytes{$at}$of))",
    },
    Remembered {
        kind: SystemKind::Postgres,
        what: TABLE,
        metric: "pg_database_size_bytes",
        expr: "topk(10, max by (datname, schemaname, relname) \
            ((pg_stat_user_tables_table_size_bytes{$at} + pg_stat_user_tables_index_size_bytes{$at} or pg_stat_user_tables_size_bytes{$at})$of))",
    },
    Remembered {
        kind: SystemKind::Redis,
        what: MEMORY,
        metric: "redis_memory_used_bytes",
        expr: "sum(redis_memory_used_bytes{$at}$of)",
    },
    Remembered {
        kind: SystemKind::Search,
        what: DISK_OF_NODE,
        metric: "elasticsearch_filesystem_data_size_bytes",
        expr: "topk(5, sum by (name) (elasticsearch_filesystem_data_size_bytes{$at} - elasticsearch_filesystem_data_available_bytes{$at}))",
    },
    Remembered {
        kind: SystemKind::Metrics,
        what: DISK_AT,
        metric: "node_filesystem_size_bytes",
        expr: "max by (mountpoint) (node_filesystem_size_bytes{$at} - node_filesystem_free_bytes{$at})",
    },
];

/// So much of the past is looked at.
const SPAN: Duration = SPANS[2];
/// What `server`, a Prometheus, is asked of `target`.
fn wanted(world: &World, target: &TargetState, server: &TargetState) -> Vec<(&'static Remembered, Range)> {
    let Some(instance) = Instance::of(world, target, server) else { return Vec::new() };
    let all = REMEMBERED.iter().filter(|size| size.kind == target.kind);
    all.map(|size| (size, Range { expr: instance.asked(size.expr, size.metric), span: SPAN })).collect()
}

/// What is asked while a target is looked at.
#[must_use]
pub fn asked(world: &World, target: &TargetState) -> Vec<(TargetId, Focus)> {
    let servers = world.targets().iter().filter(|server| server.system.prometheus().is_some());
    let ask = |server: &TargetState| {
        let all = wanted(world, target, server).into_iter();
        all.map(|(_, range)| (server.id.clone(), Focus::Range(range))).collect::<Vec<_>>()
    };
    servers.flat_map(|server| ask(server)).collect()
}

/// The Prometheus servers that are asked of a target and have not answered yet, without those that are silent.
#[must_use]
pub fn waits<'a>(world: &'a World, target: &TargetState, now: Now) -> Vec<&'a TargetId> {
    let servers = world.targets().iter().filter(|server| {
        let Some(state) = server.system.prometheus() else { return false };
        let read = |range: &Range| state.reading().and_then(|read| read.range(&range.expr, range.span));
        let answered = |range: &Range| read(range).is_some_and(|read| read.series != Part::NotAsked);
        !server.freshness(now).is_lost()
            && wanted(world, target, server).iter().any(|(_, range)| !answered(range))
    });
    servers.map(|server| &server.id).collect()
}

/// What of `target` grows, the fastest first. Nothing where nothing is remembered or nothing grows. What a Prometheus server remembers for days
/// is told by that alone, also where it does not grow there.
#[must_use]
pub fn of(world: &World, target: &TargetState, now: Now) -> Vec<Growth> {
    let read = |server: &TargetState| -> Option<Vec<(String, Option<Growth>)>> {
        let state = server.system.prometheus()?.reading()?;
        let all = wanted(world, target, server).into_iter();
        let known = all.filter_map(|(size, range)| {
            remembered(target, size, &range, state.range(&range.expr, range.span)?, now)
        });
        let known: Vec<_> = known.flatten().collect();
        (!known.is_empty()).then_some(known)
    };
    let remembered = world.targets().iter().find_map(|server| read(server)).unwrap_or_default();
    let known: BTreeSet<String> = remembered.iter().map(|(what, _)| what.clone()).collect();
    let ours = sizes(target, now).into_iter().filter(|size| !known.contains(&size.what));
    let ours = ours.filter_map(|size| by_us(target, &size, now));
    let mut all: Vec<Growth> = remembered.into_iter().filter_map(|(_, growth)| growth).chain(ours).collect();
    all.sort_by(|one, other| other.per_day.total_cmp(&one.per_day));
    all
}

/// What a Prometheus server remembers of one kind of size: what it is, and how it grows, if it does.
fn remembered(
    target: &TargetState,
    size: &Remembered,
    range: &Range,
    read: &RangeReading,
    now: Now,
) -> Option<Vec<(String, Option<Growth>)>> {
    // Of the file systems of a host those that its exporter tells of now, each once, and that may fill up.
    let followed = (size.what == DISK_AT).then(|| sizes(target, now));
    let told = |(labels, values): &(String, Vec<f64>)| {
        let samples = RangeReading::samples(values);
        let what = named(target, size, labels);
        if followed.as_ref().is_some_and(|all| all.iter().all(|known| known.what != what)) {
            return None;
        }
        let tells = days(&samples, range.step())?;
        let grown = || {
            let per_day = tells.per_day().filter(|bytes| *bytes >= LEAST_BYTES)?;
            let bytes = samples.iter().rev().find_map(|value| *value)?;
            let limit = limit(target, &what);
            Some(Growth { what: what.clone(), bytes, per_day, seen_by: SeenBy::Prometheus, limit })
        };
        Some((what.clone(), grown()))
    };
    Some(read.series.ready()?.iter().filter_map(told).collect())
}

/// What a series is about: its one label, of a table its database where that is another than ours, its schema and its name.
fn named(target: &TargetState, size: &Remembered, labels: &str) -> String {
    let table = || {
        let (database, rest) = labels.strip_prefix("datname=")?.split_once(" relname=")?;
        let (name, schema) = rest.split_once(" schemaname=")?;
        let ours = target.system.postgres()?.reading().is_some_and(|own| own.server.database == database);
        Some(if ours { format!("{schema}.{name}") } else { format!("{database}: {schema}.{name}") })
    };
    let one = || labels.split_once('=').map_or("", |(_, name)| name).to_owned();
    let name = if size.what == TABLE { table().unwrap_or_else(|| labels.to_owned()) } else { one() };
    format!("{} {name}", size.what.trim_end()).trim_end().to_owned()
}

/// What a row of such a look is called here.
#[must_use]
pub fn of_row(look: &Look, name: &str) -> Option<String> {
    match look {
        Look::Topic(id) if id == LARGEST_TABLES => Some(format!("{TABLE} {name}")),
        Look::Topic(id) if id == DATABASE_SIZES => Some(format!("{DATABASE} {name}")),
        Look::Topic(_) | Look::Panel(_) | Look::Plan(_) => None,
    }
}

/// What is asked while the largest tables, or the databases, are looked at: what a Prometheus server remembers of them.
#[must_use]
pub fn asked_by(world: &World, target: &TargetState, look: &Look) -> Vec<(TargetId, Focus)> {
    if of_row(look, "").is_some() { asked(world, target) } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::postgres::{PostgresReading, Server};
    use crate::core::reading::Reading;

    #[test]
    fn a_table_is_named_as_the_look_names_it_and_another_database_is_said() {
        let server = Server { database: "shop".to_owned(), ..Server::default() };
        let second = Duration::from_secs(1);
        let address = "db:5432/shop".to_owned();
        let mut target =
            TargetState::new(TargetId::new("pg"), SystemKind::Postgres, address, second, Now::example(0));
        let reading = PostgresReading { server, ..PostgresReading::default() };
        assert!(target.system.absorb(Reading::Postgres(Box::new(reading)), Now::example(0)));
        let all: Vec<&Remembered> = REMEMBERED.iter().filter(|size| size.kind == target.kind).collect();
        for (size, labels, expected) in [
            (all[0], "datname=shop", "database shop"),
            (all[1], "datname=shop relname=orders schemaname=public", "table public.orders"),
            (all[1], "datname=crm relname=a b schemaname=c", "table crm: c.a b"),
            (all[1], "other=1", "table other=1"),
        ] {
            assert_eq!(named(&target, size, labels), expected);
        }
        assert_eq!(of_row(&Look::Topic("largest".to_owned()), "a.b").as_deref(), Some("table a.b"));
        assert_eq!(of_row(&Look::Topic("bloat".to_owned()), "a.b"), None);
    }
}
