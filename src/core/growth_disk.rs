//! The file system under the data of a Postgres server: its databases and tables have no end of their own, that has. A watched node_exporter
//! on the same host tells of it. Which file system it is follows from two names alone, and so is likely and no more. Pure.

use super::chain::addresses;
use super::freshness::Freshness;
use super::growth::{DISK_AT, Growth};
use super::growth_known;
use super::ids::TargetId;
use super::target::TargetState;
use super::time::Now;
use super::whereabouts::Whereabouts;
use super::world::World;

/// How this machine calls itself; a socket is on it, too.
const HERE: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// What is known of the file system under a server's data.
#[derive(Clone, Debug, PartialEq)]
pub enum Under {
    /// Our role may not read where the data lies.
    Unread,
    /// Nobody who is watched tells of the file systems of its host.
    Untold,
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

fn host(target: &TargetState) -> Option<&str> {
    let address = &target.address;
    let named = addresses(address).into_iter().next().map(|(host, _)| host);
    let host = named.or_else(|| address.starts_with('/').then_some(HERE[0]))?;
    Some(if HERE.contains(&host) { HERE[0] } else { host })
}

/// Whether what is mounted at `place` may hold `path`.
fn holds(place: &str, path: &str) -> bool {
    let rest = path.strip_prefix(place.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The file system under the data of `target`; nothing of what is no Postgres server that answered.
#[must_use]
pub fn under(world: &World, target: &TargetState, now: Now) -> Option<Under> {
    let reading = target.system.postgres()?.reading()?;
    let Some(path) = reading.server.data_directory.as_deref() else { return Some(Under::Unread) };
    let elsewhere = matches!(reading.server.whereabouts, Whereabouts::Elsewhere(_) | Whereabouts::Cloud(_));
    // What is reached by a tunnel has no disk here.
    let own = host(target).filter(|own| !elsewhere || *own != HERE[0]);
    let mut found: Option<(&str, f64, &TargetState)> = None;
    for teller in world.targets().iter().filter(|teller| own.is_some() && host(teller) == own) {
        let Some(state) = teller.system.metrics() else { continue };
        if matches!(teller.freshness(now), Freshness::Lost(_)) {
            continue;
        }
        for (place, disk) in state.disks.iter().filter(|(place, disk)| !disk.failed && holds(place, path)) {
            if found.is_none_or(|(longest, ..)| place.len() > longest.len()) {
                found = Some((place, disk.free, teller));
            }
        }
    }
    let Some((place, free, teller)) = found else { return Some(Under::Untold) };
    let name = format!("{DISK_AT}{place}");
    let growth = growth_known::of(world, teller, now).into_iter().find(|growth| growth.what == name);
    Some(Under::Disk { place: place.to_owned(), teller: teller.id.clone(), free, growth })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::alert::Rulebook;
    use crate::core::ids::SystemKind;
    use crate::core::metrics::{MetricSample, MetricsReading};
    use crate::core::postgres::{PostgresReading, Server};
    use crate::core::reading::Reading;
    use crate::core::world::all_rules;
    use std::collections::BTreeMap;
    use std::time::Duration;

    fn target(name: &str, kind: SystemKind, address: &str, reading: Reading) -> TargetState {
        let second = Duration::from_secs(1);
        let id = TargetId::new(name);
        let mut target = TargetState::new(id, kind, address.to_owned(), second, Now::example(0));
        assert!(target.system.absorb(reading, Now::example(1)));
        target
    }

    fn postgres(address: &str, folder: Option<&str>) -> TargetState {
        let server = Server { data_directory: folder.map(str::to_owned), ..Server::default() };
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
            Under::Untold => "untold".to_owned(),
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
    fn what_is_reached_by_a_tunnel_has_no_disk_here_and_a_host_that_is_silent_tells_nothing() {
        let data = Some("/rdsdbdata/db");
        let disks = &[("/", 10.0)];
        for found in
            [Whereabouts::Elsewhere("another address".to_owned()), Whereabouts::Cloud("RDS".to_owned())]
        {
            let mut pg = postgres("localhost:5432/shop", data);
            let server =
                Server { data_directory: data.map(str::to_owned), whereabouts: found, ..Server::default() };
            let reading = PostgresReading { server, ..PostgresReading::default() };
            assert!(pg.system.absorb(Reading::Postgres(Box::new(reading)), Now::example(1)));
            check(pg, node("http://127.0.0.1:9100/metrics", disks), "untold");
        }
        let mut silent = node("http://db:9100/metrics", disks);
        silent.seen = Some(Now::example(1));
        let world =
            World::new(vec![postgres("db:5432/shop", data), silent], Rulebook::defaults(&all_rules()));
        let pg = world.target("pg").expect("there");
        assert!(matches!(under(&world, pg, Now::example(2)), Some(Under::Disk { .. })));
        assert_eq!(under(&world, pg, Now::example(3600)), Some(Under::Untold));
    }
}
