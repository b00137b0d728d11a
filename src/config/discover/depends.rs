//! What the services of a compose file depend on: a variable of theirs names another service, whose port this machine publishes and a
//! target is at. It says so of targets on this machine only, and connects to nothing.

use super::compose::{self, Project, Published};
use crate::config::surroundings::Surroundings;
use crate::config::target::TargetConfig;
use crate::core::ids::{SystemKind, TargetId};
use crate::core::topology::Depends;
use std::collections::BTreeMap;

/// Endings of variables that name a host and nothing else.
const HOSTS: [&str; 3] = ["HOST", "HOSTNAME", "ADDR"];

/// Every dependency that the compose file of this folder tells of.
pub(in crate::config) fn depends(around: &Surroundings, targets: &[TargetConfig]) -> Vec<Depends> {
    // Whoever looks for targets tells why it cannot be read.
    let Some(Ok(project)) = Project::of(around) else { return Vec::new() };
    let (name, services) = (&project.name, &project.services);
    let mut known: BTreeMap<&str, &TargetId> = BTreeMap::new();
    for (service, body) in services {
        let Some((system, usual)) = compose::served(service, body) else { continue };
        let Published::Here(port) = compose::published(body, &project, (system, usual)) else { continue };
        if let Some(target) = targets.iter().find(|target| is_at(target, system.kind, port)) {
            known.insert(service, &target.id);
        }
    }
    let mut found = Vec::new();
    for (service, body) in services.iter().filter(|(service, _)| !known.contains_key(service.as_str())) {
        for (variable, value) in &body.environment {
            let Some(on) = named(variable, value).and_then(|host| known.get(host)) else { continue };
            if !found.iter().any(|other: &Depends| other.service == *service && other.on == **on) {
                let because = format!("{variable} of service {service} in {name}");
                found.push(Depends { service: service.clone(), on: (*on).clone(), because });
            }
        }
    }
    found
}

/// Whether a target is this kind of system at this port of this machine.
fn is_at(target: &TargetConfig, kind: SystemKind, port: u16) -> bool {
    let port = format!(":{port}");
    let address = target.address();
    let rest = address.split_once(&port).map(|(_, rest)| rest);
    let ends = rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()));
    target.kind() == kind && target.is_local() && ends
}

/// The host that a variable names: of a URL, or of a variable that is called so.
fn named<'a>(variable: &str, value: &'a str) -> Option<&'a str> {
    if let Some((_, rest)) = value.split_once("://") {
        let authority = rest.split(['/', '?', '#']).next()?;
        let place = authority.rsplit('@').next()?;
        return place.split(':').next().filter(|host| !host.is_empty());
    }
    HOSTS.iter().any(|ending| variable.ends_with(ending)).then_some(value.split(':').next()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(variable: &str, value: &str, expected: Option<&str>) {
        assert_eq!(named(variable, value), expected, "{variable}={value}");
    }

    #[test]
    fn a_variable_names_a_host_by_its_url_or_by_its_own_name() {
        check("DATABASE_URL", "postgres://shop:pw@db:5432/orders", Some("db"));
        check("REDIS_URL", "redis://cache", Some("cache"));
        check("QUEUE", "redis://cache/3?x=1", Some("cache"));
        check("PGHOST", "db", Some("db"));
        check("REDIS_HOST", "cache:6379", Some("cache"));
        check("GREETING", "db", None);
        check("URL", "http:///x", None);
    }

    fn found(text: &str) -> Vec<String> {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("compose.yaml"), text).expect("written");
        let around = Surroundings::empty(folder.path());
        let targets = crate::config::discover::targets(&around, &mut Vec::new()).expect("understood");
        let told = |one: Depends| format!("{} > {} ({})", one.service, one.on, one.because);
        depends(&around, &targets).into_iter().map(told).collect()
    }

    #[test]
    fn services_depend_on_the_targets_that_their_variables_name() {
        let text = "
services:
  db:
    image: postgres:16
    ports: [\"5433:5432\"]
    environment: {POSTGRES_HOST: cache}
  cache: {image: \"redis:7\", ports: [\"6379:6379\"]}
  hidden: {image: \"redis:7\"}
  api:
    image: shop/api
    environment: {DATABASE_URL: \"postgres://u:p@db/shop\", DB_HOST: db, NAME: cache}
  worker:
    image: shop/worker
    environment: [\"REDIS_URL=redis://cache:6379\", \"OTHER_URL=redis://hidden:6379\"]
";
        assert_eq!(
            found(text),
            [
                "api > db (DATABASE_URL of service api in compose.yaml)",
                "worker > cache (REDIS_URL of service worker in compose.yaml)"
            ]
        );
        assert_eq!(found("services:\n  api: {image: x, environment: {DB_HOST: db}}\n"), [] as [&str; 0]);
    }
}
