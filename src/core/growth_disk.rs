//! The file system under the data of a Postgres server: its databases and tables have no end of their own, that has. A watched node_exporter
//! on the same host tells of it. Which file system it is follows from names alone, and so is likely and no more: it is said only of a server
//! that is itself where we reach it, and never of what is mounted further up than what holds the data. Pure.

use super::chain::addresses;
use super::focus::Focus;
use super::freshness::Freshness;
use super::growth::{self, DATABASE, DISK_AT, Growth};
use super::growth_known;
use super::ids::TargetId;
use super::metrics::Holder;
use super::target::TargetState;
use super::time::Now;
use super::world::World;
use std::sync::Arc;

/// How this machine calls itself; a socket is on it, too.
const HERE: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// Below these node_exporter leaves out what is mounted, if nobody tells it otherwise: what is mounted further up does not hold it.
const LEFT_OUT: [&str; 6] =
    ["/dev/", "/proc/", "/run/credentials/", "/sys/", "/var/lib/docker/", "/var/lib/containers/storage/"];

/// What is known of the file system under a server's data.
#[derive(Clone, Debug, PartialEq)]
pub enum Under {
    /// Our role may not read where the data lies.
    Unread,
    /// A tunnel, a pooler or a container stands between, or several hosts are named: the data lies on another host than its address says.
    Elsewhere,
    /// This one is on its host, and did not answer yet.
    Waiting(TargetId),
    /// Nobody who is watched tells of the file systems of its host.
    Untold,
    /// One that no end is known of: where it is mounted, who tells of it, and why.
    Endless(String, TargetId, Why),
    /// This one, most likely.
    Disk {
        /// Where it is mounted.
        place: String,
        /// Who tells of it.
        teller: TargetId,
        /// What is free on it, in bytes.
        free: f64,
        /// How it grows, if it does.
        growth: Option<Growth>,
    },
}

/// Why no end is known of what holds the data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// It is of this kind, which is not followed.
    Kind(String),
    /// The kernel of the host cannot read it.
    Failed,
    /// Less is taken on it than the databases are large: the exporter leaves out what holds them, or they are compressed.
    Small,
}

/// The one host of an address.
fn host(target: &TargetState) -> Option<&str> {
    let address = &target.address;
    let host = match &addresses(address)[..] {
        [] => address.starts_with('/').then_some(HERE[0])?,
        [(host, _), others @ ..] => others.iter().all(|(other, _)| other == host).then_some(*host)?,
    };
    Some(if HERE.contains(&host) { HERE[0] } else { host })
}

/// The file system under the data of `target`; nothing of what is no Postgres server that answered.
#[must_use]
pub fn under(world: &World, target: &TargetState, now: Now) -> Option<Under> {
    let reading = target.system.postgres()?.reading()?;
    let Some(path) = reading.server.data_directory.as_deref() else { return Some(Under::Unread) };
    let Some(own) = host(target).filter(|_| reading.server.direct) else { return Some(Under::Elsewhere) };
    let waits = |teller: &&Arc<TargetState>| {
        teller.system.metrics().is_some() && matches!(teller.freshness(now), Freshness::Waiting)
    };
    if let Some(teller) = on(world, own).find(waits) {
        return Some(Under::Waiting(teller.id.clone()));
    }
    let Some((holder, teller)) = holder(world, own, path, now) else { return Some(Under::Untold) };
    let endless = |place: &str, why: Why| Under::Endless(place.to_owned(), teller.id.clone(), why);
    Some(match holder {
        Holder::Passing(place, kind) => endless(place, Why::Kind(kind.to_owned())),
        Holder::Failed(place) => endless(place, Why::Failed),
        Holder::Followed(place, disk) if disk.taken < databases(target, now) => endless(place, Why::Small),
        Holder::Followed(place, disk) => {
            let name = format!("{DISK_AT}{place}");
            let growth = growth_known::of(world, teller, now).into_iter().find(|growth| growth.what == name);
            Under::Disk { place: place.to_owned(), teller: teller.id.clone(), free: disk.free, growth }
        }
    })
}

/// What is asked while `target` is looked at: what a Prometheus server remembers of the file system under its data.
#[must_use]
pub fn asked(world: &World, target: &TargetState, now: Now) -> Vec<(TargetId, Focus)> {
    let Some(Under::Disk { teller, .. }) = under(world, target, now) else { return Vec::new() };
    world.target(teller.as_str()).map_or_else(Vec::new, |teller| growth_known::asked(world, teller))
}

/// What is on the host that is called `own`.
fn on<'a>(world: &'a World, own: &str) -> impl Iterator<Item = &'a Arc<TargetState>> {
    world.targets().iter().filter(move |teller| host(teller) == Some(own))
}

/// What holds `path` on the host that is called `own`, and who tells of it: of several that which is mounted closest.
fn holder<'a>(world: &'a World, own: &str, path: &str, now: Now) -> Option<(Holder<'a>, &'a TargetState)> {
    let mut found: Option<(usize, Holder<'_>, &TargetState)> = None;
    for teller in on(world, own) {
        let Some(state) = teller.system.metrics() else { continue };
        if matches!(teller.freshness(now), Freshness::Lost(_)) {
            continue;
        }
        if let Some((length, holder)) = state.disks.holder(path)
            && found.as_ref().is_none_or(|(longest, ..)| length > *longest)
        {
            found = Some((length, holder, teller));
        }
    }
    let left_out = LEFT_OUT.iter().find(|place| path.starts_with(**place)).map_or(0, |place| place.len());
    found.filter(|(length, ..)| *length >= left_out).map(|(_, holder, teller)| (holder, teller))
}

/// How large the databases of a server are together, in bytes, as far as they were looked at.
fn databases(target: &TargetState, now: Now) -> f64 {
    let all = growth::sizes(target, now).into_iter().filter(|size| size.what.starts_with(DATABASE));
    all.map(|size| size.bytes).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::alert::Rulebook;
    use crate::core::ids::SystemKind;
    use crate::core::metrics::{MetricSample, MetricsReading};
    use crate::core::part::{Part, Warm};
    use crate::core::postgres::{PostgresReading, Server, SqlTable, Watched};
    use crate::core::reading::Reading;
    use crate::core::world::all_rules;
    use std::collections::BTreeMap;
    use std::time::Duration;

    fn target(name: &str, kind: SystemKind, address: &str, reading: Reading) -> TargetState {
        let second = Duration::from_secs(1);
        let id = TargetId::new(name);
        let mut target = TargetState::new(id, kind, address.to_owned(), second, Now::example(0));
        assert!(target.system.absorb(reading, Now::example(1)));
        target.seen = Some(Now::example(1));
        target
    }

    fn postgres(address: &str, folder: Option<&str>) -> TargetState {
        let server = Server { data_directory: folder.map(str::to_owned), direct: true, ..Server::default() };
        let reading = PostgresReading { server, ..PostgresReading::default() };
        target("pg", SystemKind::Postgres, address, Reading::Postgres(Box::new(reading)))
    }

    /// A host with file systems of 100 bytes each, of which so many are free.
    fn node(address: &str, disks: &[(&str, f64)]) -> TargetState {
        let sample = |name: &str, place: &str, value: f64| MetricSample {
            name: name.to_owned(),
            labels: [("device", place), ("mountpoint", place), ("fstype", "ext4")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec(),
            value,
        };
        let of = |(place, free): &(&str, f64)| {
            let (size, avail) = ("node_filesystem_size_bytes", "node_filesystem_avail_bytes");
            [sample(size, place, 100.0), sample(avail, place, *free)]
        };
        let samples: Vec<MetricSample> = disks.iter().flat_map(of).collect();
        let reading = MetricsReading::of(&samples, &BTreeMap::new());
        target("node", SystemKind::Metrics, address, Reading::Metrics(Box::new(reading)))
    }

    #[track_caller]
    fn check(pg: TargetState, node: TargetState, expected: &str) {
        let world = World::new(vec![pg, node], Rulebook::defaults(&all_rules()));
        let pg = world.target("pg").expect("there");
        let told = match under(&world, pg, Now::example(2)).expect("it answered") {
            Under::Unread => "unread".to_owned(),
            Under::Elsewhere => "elsewhere".to_owned(),
            Under::Waiting(teller) => format!("waiting {teller}"),
            Under::Untold => "untold".to_owned(),
            Under::Endless(place, teller, why) => format!("{place} {teller} {why:?}"),
            Under::Disk { place, teller, free, growth } => {
                format!("{place} {teller} {free} {}", growth.is_some())
            }
        };
        assert_eq!(told, expected);
    }

    #[test]
    fn the_longest_place_above_the_data_on_the_same_host_is_taken() {
        let disks = &[("/", 10.0), ("/var/lib", 20.0), ("/var/lib/pg", 30.0), ("/var/lib/postgresql", 40.0)];
        let (db, data) = ("db:5432/shop", Some("/var/lib/postgresql/17/main"));
        check(postgres(db, data), node("http://db:9100/metrics", disks), "/var/lib/postgresql node 40 false");
        check(
            postgres(db, Some("/var/lib/pgdata")),
            node("http://db:9100/metrics", disks),
            "/var/lib node 20 false",
        );
        check(postgres(db, Some("/srv/pg")), node("http://db:9100/metrics", disks), "/ node 10 false");
        check(postgres(db, data), node("http://db2:9100/metrics", disks), "untold");
        check(postgres(db, data), node("http://db:9100/metrics", &[("/boot", 1.0)]), "untold");
        check(postgres(db, None), node("http://db:9100/metrics", disks), "unread");
        let here = || node("http://127.0.0.1:9100/metrics", &[("/", 10.0)]);
        check(postgres("localhost:5432/shop", data), here(), "/ node 10 false");
        check(postgres("/run/postgresql", data), here(), "/ node 10 false");
    }

    #[test]
    fn what_is_mounted_further_up_than_what_holds_the_data_is_never_told() {
        let told = |disks: &[(&str, f64)], more: &[(&str, &str, &str, &str)]| {
            let mut node = node("http://db:9100/metrics", disks);
            let sample = |name: &str, device: &str, place: &str, kind: &str, value: f64| MetricSample {
                name: format!("node_filesystem_{name}"),
                labels: [("device", device), ("mountpoint", place), ("fstype", kind)]
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .to_vec(),
                value,
            };
            let mut samples: Vec<MetricSample> = disks
                .iter()
                .flat_map(|(place, free)| {
                    ["size_bytes", "avail_bytes"].map(|name| {
                        sample(name, place, place, "ext4", if name == "size_bytes" { 100.0 } else { *free })
                    })
                })
                .collect();
            for (device, place, kind, what) in more {
                let names: &[&str] =
                    if *what == "failed" { &["device_error"] } else { &["size_bytes", "avail_bytes"] };
                samples.extend(names.iter().map(|name| sample(name, device, place, kind, 7.0)));
            }
            let reading = MetricsReading::of(&samples, &BTreeMap::new());
            assert!(node.system.absorb(Reading::Metrics(Box::new(reading)), Now::example(1)));
            node
        };
        let (db, data) = ("db:5432/shop", Some("/srv/pg/main"));
        for (more, expected) in [
            (("tmpfs", "/srv/pg", "tmpfs", "read"), "/srv/pg node Kind(\"tmpfs\")"),
            (("/dev/sdb1", "/srv", "xfs", "failed"), "/srv node Failed"),
            // One device in two places is known by the shorter one.
            (("/mnt", "/srv/pg", "ext4", "read"), "/mnt node 30 false"),
            (("/dev/sdb1", "/srv/pgbackup", "xfs", "failed"), "/ node 10 false"),
        ] {
            check(postgres(db, data), told(&[("/", 10.0), ("/mnt", 30.0)], &[more]), expected);
        }
        // Docker's folders are left out unless somebody says otherwise.
        let docker = Some("/var/lib/docker/volumes/pg/_data");
        check(postgres(db, docker), told(&[("/", 10.0)], &[]), "untold");
        let volumes = "/var/lib/docker/volumes";
        check(postgres(db, docker), told(&[(volumes, 10.0)], &[]), &format!("{volumes} node 10 false"));
    }

    #[test]
    fn a_disk_on_which_less_is_taken_than_the_databases_are_large_is_another_one() {
        let watched = |bytes: &str| {
            let cell = |text: &str| Some(text.to_owned());
            let table = SqlTable {
                at: Now::example(1),
                took: Duration::ZERO,
                place: String::new(),
                columns: ["database", "size_bytes"].map(str::to_owned).to_vec(),
                rows: vec![vec![cell("shop"), cell(bytes)], vec![cell("crm"), cell("40")]],
                truncated: false,
            };
            Watched { topic: "sizes".to_owned(), table: Part::Ready(Warm::new(table.at, table)) }
        };
        for (bytes, expected) in [("50", "/ node 10 false"), ("51", "/ node Small")] {
            let mut pg = postgres("db:5432/shop", Some("/srv/pg"));
            let mut reading = pg.system.postgres().and_then(|state| state.reading()).expect("it").clone();
            reading.watched = vec![watched(bytes)];
            assert!(pg.system.absorb(Reading::Postgres(Box::new(reading)), Now::example(1)));
            check(pg, node("http://db:9100/metrics", &[("/", 10.0)]), expected);
        }
    }

    #[test]
    fn what_is_not_itself_where_it_is_reached_has_no_disk_there_and_a_host_that_is_silent_tells_nothing() {
        let data = Some("/rdsdbdata/db");
        let disks = &[("/", 10.0)];
        for (address, node_at) in [("localhost:5432/shop", "127.0.0.1"), ("db:6432/shop", "db")] {
            let mut pg = postgres(address, data);
            let server = Server { data_directory: data.map(str::to_owned), ..Server::default() };
            let reading = PostgresReading { server, ..PostgresReading::default() };
            assert!(pg.system.absorb(Reading::Postgres(Box::new(reading)), Now::example(1)));
            check(pg, node(&format!("http://{node_at}:9100/metrics"), disks), "elsewhere");
        }
        check(postgres("db:5432,db2:5432/shop", data), node("http://db:9100/metrics", disks), "elsewhere");
        let silent = node("http://db:9100/metrics", disks);
        let mut waiting = node("http://db:9100/metrics", disks);
        waiting.seen = None;
        check(postgres("db:5432/shop", data), waiting, "waiting node");
        let world =
            World::new(vec![postgres("db:5432/shop", data), silent], Rulebook::defaults(&all_rules()));
        let pg = world.target("pg").expect("there");
        assert!(matches!(under(&world, pg, Now::example(2)), Some(Under::Disk { .. })));
        assert_eq!(under(&world, pg, Now::example(3600)), Some(Under::Untold));
    }
}
