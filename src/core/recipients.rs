//! Which of the Alertmanagers that are watched a Prometheus server tells of its alerts: it names them itself, by the addresses by which it
//! reaches them. An alert of the same labels in another one is another alert. Pure.

use super::alertmanager::{AlertmanagerReading, ToldTo, Whom};
use super::chain::addresses;
use super::target::TargetState;
use std::collections::HashSet;
use std::sync::Arc;

/// How a machine calls itself.
const HERE: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// Host and port of a URL.
#[must_use]
pub fn place(url: &str) -> (&str, &str) {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let authority = rest.split('/').next().unwrap_or_default();
    let usual = if scheme == "https" { "443" } else { "80" };
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|c| c.is_ascii_digit()) => (host, port),
        _ => (authority, usual),
    }
}

/// Of the watched Alertmanagers those that a server tells.
#[derive(Debug, Default)]
pub struct Recipients<'a> {
    /// Those that it names, and what is of one cluster with one of them.
    pub named: Vec<&'a TargetState>,
    /// Those that may be one that it names by another address.
    pub perhaps: Vec<&'a TargetState>,
}

impl<'a> Recipients<'a> {
    /// Those of `server` among `all`. Where it does not say whom it tells, each may be one.
    #[must_use]
    pub fn of(server: &TargetState, all: impl Iterator<Item = &'a TargetState>) -> Self {
        let all: Vec<&TargetState> = all.filter(|target| reading(target).is_some()).collect();
        let managers = server.system.prometheus().and_then(|state| state.reading()?.alertmanagers.ready());
        let Some(managers) = managers else { return Self { named: Vec::new(), perhaps: all } };
        // What it calls its own machine is its machine.
        let home = addresses(&server.address).first().map_or(HERE[0], |(host, _)| *host);
        let of = |url| {
            let (host, port) = place(url);
            let host = if HERE.contains(&host) { home } else { host };
            (if HERE.contains(&host) { HERE[0] } else { host }.to_owned(), port.to_owned())
        };
        let at = |target: &TargetState| {
            let (host, port) = place(&target.address);
            (if HERE.contains(&host) { HERE[0] } else { host }.to_owned(), port.to_owned())
        };
        let told: HashSet<(String, String)> = managers.told.iter().map(|url| of(url)).collect();
        let found: HashSet<(String, String)> = all.iter().map(|target| at(target)).collect();
        let exact: Vec<&TargetState> = all.iter().copied().filter(|one| told.contains(&at(one))).collect();
        let member = |one: &&TargetState| exact.iter().any(|other| are_members(one, other));
        let named: Vec<&TargetState> =
            all.iter().copied().filter(|one| told.contains(&at(one)) || member(one)).collect();
        let is_named = |one: &TargetState| named.iter().any(|other| other.id == one.id);
        // Once each that it names is found, no other one is.
        let whole = told.is_subset(&found);
        let perhaps = all.iter().copied().filter(|one| !whole && !is_named(one)).collect();
        Self { named, perhaps }
    }

    /// Those in which its alerts are looked for: what it names; where none of that is watched, what may be it.
    #[must_use]
    pub fn likely(&self) -> &[&'a TargetState] {
        if self.named.is_empty() { &self.perhaps } else { &self.named }
    }
}

/// Of each Prometheus server among `targets` whom it tells.
#[must_use]
pub(crate) fn whom(targets: &[Arc<TargetState>]) -> Whom<'_> {
    let all = || targets.iter().map(|target| &**target);
    let of = |server: &TargetState| {
        let found = Recipients::of(server, all());
        let likely = found.likely().iter().map(|target| &target.id).collect();
        ToldTo { likely, all: found.named.iter().chain(&found.perhaps).map(|target| &target.id).collect() }
    };
    let servers = all().filter(|target| target.system.prometheus().is_some());
    servers.map(|server| (&server.id, of(server))).collect()
}

fn reading(target: &TargetState) -> Option<&AlertmanagerReading> {
    target.system.alertmanager()?.reading()
}

/// Whether two Alertmanagers name the same members of a cluster.
#[must_use]
pub fn are_members(one: &TargetState, other: &TargetState) -> bool {
    let names = |target| {
        let status = reading(target)?.status.ready()?;
        (status.names.len() > 1).then(|| status.names.clone())
    };
    names(one).is_some_and(|names_of_one| Some(names_of_one) == names(other))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::alertmanager::{AlertmanagerReading, Status};
    use crate::core::ids::{SystemKind, TargetId};
    use crate::core::part::{Gap, GapKind, Part};
    use crate::core::prometheus::{Alertmanagers, PrometheusReading};
    use crate::core::reading::Reading;
    use crate::core::time::Now;
    use std::time::Duration;

    fn target(name: &str, address: &str, reading: Reading) -> TargetState {
        let (second, start) = (Duration::from_secs(1), Now::example(0));
        let mut target =
            TargetState::new(TargetId::new(name), reading.kind(), address.to_owned(), second, start);
        assert!(target.system.absorb(reading, Now::example(1)));
        target
    }

    fn manager(name: &str, address: &str, cluster: &[&str]) -> TargetState {
        let names = cluster.iter().map(|name| (*name).to_owned()).collect();
        let status = Part::Ready(Status { names, ..Status::default() });
        let reading = AlertmanagerReading { status, ..AlertmanagerReading::default() };
        target(name, address, Reading::Alertmanager(Box::new(reading)))
    }

    /// An address, and who is of its cluster.
    type Watched<'a> = (&'a str, &'a [&'a str]);

    #[track_caller]
    fn check(at: &str, told: Option<&[&str]>, watched: &[Watched<'_>], named: &str, perhaps: &str) {
        let alertmanagers = match told {
            Some(told) => Part::Ready(Alertmanagers {
                told: told.iter().map(|url| (*url).to_owned()).collect(),
                dropped: 0,
            }),
            None => Part::Unavailable(Gap::new(GapKind::NotSupported, "not there")),
        };
        let reading = PrometheusReading { alertmanagers, ..PrometheusReading::default() };
        let server = target("prom", at, Reading::Prometheus(Box::new(reading)));
        let silent = TargetState::new(
            TargetId::new("silent"),
            SystemKind::Alertmanager,
            "http://a:9093".to_owned(),
            Duration::from_secs(1),
            Now::example(0),
        );
        let mut all: Vec<TargetState> =
            watched.iter().map(|(address, cluster)| manager(address, address, cluster)).collect();
        all.push(silent);
        let found = Recipients::of(&server, all.iter());
        let told =
            |all: &[&TargetState]| all.iter().map(|target| target.id.as_str()).collect::<Vec<_>>().join(" ");
        assert_eq!((told(&found.named).as_str(), told(&found.perhaps).as_str()), (named, perhaps));
    }

    #[test]
    fn a_server_names_whom_it_tells() {
        let (a, b): (Watched<'_>, Watched<'_>) = (("http://am:9093", &[]), ("http://am-2:9093", &[]));
        let prom = "http://prom:9090";
        check(prom, Some(&["http://am:9093"]), &[a, b], "http://am:9093", "");
        check(
            prom,
            Some(&["http://am:9093", "http://am-2:9093/x"]),
            &[a, b],
            "http://am:9093 http://am-2:9093",
            "",
        );
        // One that it names is called otherwise from here, or is not watched.
        check(
            prom,
            Some(&["http://am:9093", "http://alerts:9093"]),
            &[a, b],
            "http://am:9093",
            "http://am-2:9093",
        );
        check(prom, Some(&["http://alerts:9093"]), &[a, b], "", "http://am:9093 http://am-2:9093");
        check(prom, Some(&[]), &[a, b], "", "");
        check(prom, None, &[a, b], "", "http://am:9093 http://am-2:9093");
    }

    #[test]
    fn its_own_machine_is_its_own_and_members_of_a_cluster_are_as_good() {
        let local: Watched<'_> = ("http://127.0.0.1:9093", &[]);
        let there: Watched<'_> = ("http://prom:9093", &[]);
        let told: Option<&[&str]> = Some(&["http://localhost:9093"]);
        check("http://prom:9090", told, &[local, there], "http://prom:9093", "");
        check("http://localhost:9090", told, &[local, there], "http://127.0.0.1:9093", "");
        let cluster: &[&str] = &["one", "two"];
        let members = [("http://am:9093", cluster), ("http://am-2:9093", cluster), ("http://am-3:9093", &[])];
        check("http://prom:9090", Some(&["http://am:9093"]), &members, "http://am:9093 http://am-2:9093", "");
    }
}
