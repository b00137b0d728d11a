//! What grows on a target by the day, and when it is full if it goes on like that, as we have seen it ourselves ([`sizes`](super::sizes)): which
//! sizes a reading tells, and where each ends. Pure.

use super::postgres::{DATABASE_SIZES, LARGEST_TABLES, PostgresReading, SqlTable};
use super::sizes::Size;
use super::target::TargetState;
use super::time::Now;
use crate::core::time::span_of;
use std::time::Duration;

pub(super) const DATABASE: &str = "database";
pub(super) const TABLE: &str = "table";
pub(super) const MEMORY: &str = "memory";
/// What a file system is called, before its place.
pub(super) const DISK_AT: &str = "disk at ";
pub(super) const DISK_OF_NODE: &str = "disk of node ";

/// Further ahead nobody plans by a line through days.
const HORIZON_DAYS: f64 = 400.0;
/// Less in a day is not told.
pub(super) const LEAST_BYTES: f64 = 1_048_576.0;
/// So many tables, and so many databases, are followed.
const MOST: usize = 10;

/// Where it ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit {
    /// At so many bytes.
    pub bytes: f64,
    /// What comes of it.
    pub end: End,
}

/// What comes of it when a limit is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Nothing more goes into it.
    Full,
    /// Keys are thrown away for each new one.
    Evicts,
    /// Indices on it become read-only.
    FloodStage,
}

impl Limit {
    /// What it does when it gets there.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self.end {
            End::Full => "is full",
            End::Evicts => "evicts keys",
            End::FloodStage => "is at its flood stage",
        }
    }

    /// What it is then.
    #[must_use]
    pub const fn then(self) -> &'static str {
        match self.end {
            End::Full => "full",
            End::Evicts => "evicts keys",
            End::FloodStage => "flood stage",
        }
    }
}

/// How long something was seen: `21 h`, `3 d`.
#[must_use]
pub fn span(span: Duration) -> String {
    let hours = span.as_secs() / 3600;
    if hours < 48 { format!("{hours} h") } else { format!("{} d", hours / 24) }
}

/// Who has seen it grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeenBy {
    /// A Prometheus server, which remembers six days.
    Prometheus,
    /// We, for so long.
    Us(Duration),
}

/// What grows.
#[derive(Clone, Debug, PartialEq)]
pub struct Growth {
    /// What it is: "database shop".
    pub what: String,
    /// How large it is now, in bytes.
    pub bytes: f64,
    /// By how many bytes it grows in a day.
    pub per_day: f64,
    /// By whom that was seen.
    pub seen_by: SeenBy,
    /// Where it ends, where that is known.
    pub limit: Option<Limit>,
}

impl Growth {
    /// How long until it is full, where that is near enough to be said.
    #[must_use]
    pub fn full_in(&self) -> Option<Duration> {
        let days = (self.limit?.bytes - self.bytes).max(0.0) / self.per_day;
        (days < HORIZON_DAYS).then(|| span_of(days * 86_400.0))
    }
}

/// What of `target` grows, as we have seen it ourselves.
#[must_use]
pub fn seen_by_us(target: &TargetState, now: Now) -> Vec<Growth> {
    sizes(target, now).iter().filter_map(|size| by_us(target, size, now)).collect()
}

pub(super) fn by_us(target: &TargetState, size: &Size, now: Now) -> Option<Growth> {
    let pace = target.sizes.pace(&size.what, &size.of, now)?;
    (pace.per_day >= LEAST_BYTES).then(|| Growth {
        what: size.what.clone(),
        bytes: size.bytes,
        per_day: pace.per_day,
        seen_by: SeenBy::Us(pace.span),
        limit: limit(target, &size.what),
    })
}

/// The sizes in what was read of `target` last, at `now` where they were read with it.
#[must_use]
pub fn sizes(target: &TargetState, now: Now) -> Vec<Size> {
    let system = &target.system;
    let postgres = system.postgres().and_then(|state| state.reading());
    let mut all = postgres.map_or_else(Vec::new, |reading| of_postgres(reading, &target.address));
    if let Some(server) = system.redis().and_then(|state| state.reading()).map(|reading| &reading.server) {
        let of = server.run_id.clone();
        let memory = |bytes| Size { what: MEMORY.to_owned(), of, bytes, at: now.wall };
        all.extend(server.used_memory_bytes.map(memory));
    }
    if let Some(nodes) = system.search().and_then(|state| state.reading()?.nodes.ready()) {
        let used = nodes.iter().filter(|node| node.holds_data() && !node.is_frozen()).filter_map(|node| {
            let bytes = node.disk_total_bytes? - node.disk_free_bytes?;
            let what = format!("{DISK_OF_NODE}{}", node.name);
            Some(Size { what, of: node.id.clone(), bytes, at: nodes.read_at.wall })
        });
        all.extend(used);
    }
    if let Some(state) = system.metrics() {
        let disks = state.disks.iter().filter(|(place, disk)| !disk.failed && disk.may_fill_up(place));
        all.extend(disks.map(|(place, disk)| Size {
            what: format!("{DISK_AT}{place}"),
            // Its size is not always the same: that of one of a pool is what the others leave.
            of: disk.device.clone(),
            bytes: disk.taken,
            at: now.wall,
        }));
    }
    all
}

/// The databases of a server, and the largest tables of the one that we are in, as they were looked at in the background.
fn of_postgres(reading: &PostgresReading, address: &str) -> Vec<Size> {
    let server = reading.server.system.as_deref().unwrap_or(address);
    let table = |topic: &str| {
        let newest = reading.watched.iter().find(|watched| watched.topic == topic)?;
        newest.table.ready().map(|found| &**found)
    };
    let read = |found: &SqlTable, column: &str, what: &str, of: &str| -> Vec<Size> {
        let size = |(row, text): (usize, &str)| {
            let name = found.rows.get(row)?.first()?.as_deref()?;
            let (what, of) = (format!("{what} {name}"), of.to_owned());
            Some(Size { what, of, bytes: text.parse().ok()?, at: found.at.wall })
        };
        found.column(column).filter_map(size).take(MOST).collect()
    };
    let databases = table(DATABASE_SIZES).map(|found| read(found, "size_bytes", DATABASE, server));
    let own = format!("{server}/{}", reading.server.database);
    let tables = table(LARGEST_TABLES).map(|found| read(found, "on_disk_bytes", TABLE, &own));
    databases.into_iter().chain(tables).flatten().collect()
}

/// Where `what` ends, as the target itself says.
pub(super) fn limit(target: &TargetState, what: &str) -> Option<Limit> {
    let system = &target.system;
    let redis = || {
        let server = &system.redis()?.reading()?.server;
        let evicts = server.policy.as_deref().is_some_and(|policy| policy != "noeviction");
        let end = if evicts { End::Evicts } else { End::Full };
        Some(Limit { bytes: server.maxmemory_bytes?, end })
    };
    let node = || {
        let name = what.strip_prefix(DISK_OF_NODE)?;
        let nodes = system.search()?.reading()?.nodes.ready()?;
        let node = nodes.iter().find(|node| node.name == name)?;
        let total = node.disk_total_bytes?;
        Some(match node.flood_free_bytes.filter(|_| !node.marks_assumed) {
            Some(free) => Limit { bytes: total - free, end: End::FloodStage },
            None => Limit { bytes: total, end: End::Full },
        })
    };
    let disk = || {
        let place = what.strip_prefix(DISK_AT)?;
        let (_, disk) = system.metrics()?.disks.iter().find(|(known, _)| *known == place)?;
        Some(Limit { bytes: disk.taken + disk.free, end: End::Full })
    };
    redis().or_else(node).or_else(disk)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ids::{SystemKind, TargetId};
    use crate::core::part::{Part, Warm};
    use crate::core::postgres::{Server, Watched};
    use crate::core::reading::Reading;

    #[track_caller]
    fn full(bytes: f64, per_day: f64, limit: Option<f64>, days: Option<f64>) {
        let limit = limit.map(|bytes| Limit { bytes, end: End::Full });
        let seen_by = SeenBy::Prometheus;
        let growth = Growth { what: String::new(), bytes, per_day, seen_by, limit };
        assert_eq!(growth.full_in().map(|left| left.as_secs_f64() / 86_400.0), days);
    }

    fn postgres(reading: PostgresReading) -> TargetState {
        let (id, address) = (TargetId::new("pg"), "db:5432/shop".to_owned());
        let second = Duration::from_secs(1);
        let mut target = TargetState::new(id, SystemKind::Postgres, address, second, Now::example(0));
        assert!(target.system.absorb(Reading::Postgres(Box::new(reading)), Now::example(0)));
        target
    }

    fn looked(topic: &str, columns: [&str; 2], rows: &[(&str, Option<&str>)]) -> Watched {
        let cell = |text: &str| Some(text.to_owned());
        let table = SqlTable {
            at: Now::example(7),
            took: Duration::ZERO,
            place: String::new(),
            columns: columns.map(str::to_owned).to_vec(),
            rows: rows.iter().map(|(name, size)| vec![cell(name), size.and_then(cell)]).collect(),
            truncated: false,
        };
        Watched { topic: topic.to_owned(), table: Part::Ready(Warm::new(table.at, table)) }
    }

    #[test]
    fn sizes_of_a_server_are_those_that_were_looked_at_last_and_whose_they_are() {
        let server =
            Server { database: "shop".to_owned(), system: Some("73".to_owned()), ..Server::default() };
        let many: Vec<String> = (0..20).map(|n| format!("s.t{n}")).collect();
        let tables: Vec<(&str, Option<&str>)> =
            many.iter().map(|name| (name.as_str(), Some("8192"))).collect();
        let watched = vec![
            looked("largest", ["table", "on_disk_bytes"], &tables),
            looked(
                "sizes",
                ["database", "size_bytes"],
                &[("shop", Some("5")), ("hidden", None), ("x", Some("?"))],
            ),
        ];
        let reading = PostgresReading { server, watched, ..PostgresReading::default() };
        let all = sizes(&postgres(reading.clone()), Now::example(99));
        let at = Now::example(7).wall;
        let first = Size { what: "database shop".to_owned(), of: "73".to_owned(), bytes: 5.0, at };
        assert_eq!(all[0], first);
        let table = Size { what: "table s.t0".to_owned(), of: "73/shop".to_owned(), bytes: 8192.0, at };
        assert_eq!((&all[1], all.len()), (&table, 1 + MOST));
        let unknown = Server { system: None, ..reading.server.clone() };
        let all = sizes(&postgres(PostgresReading { server: unknown, ..reading }), Now::example(99));
        assert_eq!(all[0].of, "db:5432/shop");
        assert_eq!(sizes(&postgres(PostgresReading::default()), Now::example(9)), []);
    }

    #[test]
    fn it_is_full_when_what_is_left_has_grown() {
        full(100.0, 10.0, Some(150.0), Some(5.0));
        full(150.0, 10.0, Some(150.0), Some(0.0));
        full(160.0, 10.0, Some(150.0), Some(0.0));
        full(100.0, 10.0, None, None);
        full(100.0, 0.1, Some(150.0), None);
    }
}
