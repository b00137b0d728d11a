//! Targets from the compose project of the current folder: published ports, and user, password and database from the services' environment.
//!
//! The files came with the folder, perhaps from strangers. They therefore name only this machine: nothing in them chooses a host, and
//! what they take from the shell's variables goes nowhere else.

mod checked;
mod merge;
mod ports;
mod project;
mod room;
mod service;
mod tree;
mod variables;

use super::found::Found;
use crate::config::nearby::{Nearby, Service};
use crate::config::surroundings::Surroundings;
use crate::config::system::{self, System};
use crate::config::target::{Connect, HttpConnect, Locality};
use crate::core::text::counted;
use checked::Checked;
pub(super) use ports::{Published, inside, is_here};
pub(super) use project::Project;
pub(super) use room::Room;
pub(super) use service::{Composed, split};
pub(super) use variables::of_file;

/// Of services that are none of ours this many are named.
const NAMED: usize = 12;

/// Looks for a compose project and at its services.
#[expect(clippy::unnecessary_wraps, reason = "one signature for every place that is looked at")]
pub(super) fn find(around: &Surroundings, trail: &mut Vec<String>) -> Result<Vec<Found>, String> {
    let project = match Project::of(around) {
        None => {
            trail.push(format!("no compose file in {}", around.folder.display()));
            return Ok(Vec::new());
        }
        Some(Err(why)) => {
            trail.push(format!("the compose file is not used: {why}"));
            return Ok(Vec::new());
        }
        Some(Ok(project)) => project,
    };
    let file = &project.name;
    trail.extend(project.notes.iter().map(|note| format!("{file}: {note}")));
    let (mut found, mut others) = (Vec::new(), Vec::new());
    for (name, service) in &project.services {
        let Some((system, usual)) = served(name, service) else {
            if let Some(check) = &service.check {
                match placed(name, service, &project, check.port) {
                    Ok(port) => found.push(asked(&project.name, name, check, port)),
                    Err(why) => trail.push(format!("{file}: service {name} is not used, because {why}")),
                }
                continue;
            }
            if let (Some(why), None) = (&service.wrong, &service.image) {
                trail.push(format!("{file}: service {name} is not used, because {why}"));
                continue;
            }
            let image = service.image.as_ref().map(|image| format!(" ({image})")).unwrap_or_default();
            others.push(format!("{name}{image}"));
            continue;
        };
        trail.extend(service.notes.iter().map(|note| format!("{file}: service {name}: {note}")));
        match reached(name, service, &project, (system, usual)) {
            Ok(port) => found.push(at(around, &project, (name, service), system, port)),
            Err(why) => trail.push(format!("{file}: service {name} is not used, because {why}")),
        }
    }
    if others.len() > NAMED {
        let more = others.len() - NAMED;
        others.truncate(NAMED);
        others.push(format!("{more} more"));
    }
    if !others.is_empty() {
        trail.push(format!(
            "{file}: not used, because stacktop watches nothing of the kind: {}",
            others.join(", ")
        ));
    }
    let services = counted(project.services.len(), "service");
    trail.push(format!(
        "{file}: {} of its {services} used",
        if found.is_empty() { "none".to_owned() } else { found.len().to_string() }
    ));
    Ok(found)
}

/// The system that a service is, by its image (by its name where it is built here), and its usual port.
pub(super) fn served(name: &str, service: &Composed) -> Option<(&'static System, u16)> {
    let system = system::by_image(service.image.as_deref().unwrap_or(name))?;
    Some((system, system.port?))
}

/// Where a service is published that listens on `usual` unless it says otherwise.
pub(super) fn published(service: &Composed, project: &Project, (system, usual): (&System, u16)) -> Published {
    let variable = |name: &str| service.environment.get(name).cloned();
    let port = inside(system, usual, &service.words, &variable);
    outside(service, project, port)
}

/// Where a port of a service is published.
fn outside(service: &Composed, project: &Project, port: u16) -> Published {
    // Who shares the network of another service is published by that one.
    let shared = service.network.as_deref().and_then(|mode| mode.strip_prefix("service:"));
    let holder = shared.and_then(|name| project.services.iter().find(|(known, _)| known == name));
    let holder = holder.map_or(service, |(_, holder)| holder);
    ports::published(&holder.ports, holder.network.as_deref(), port)
}

/// The port of this machine that leads to a service, or why there is none.
fn reached(name: &str, service: &Composed, project: &Project, ours: (&System, u16)) -> Result<u16, String> {
    usable(service, project)?;
    here(name, published(service, project, ours), ours.1)
}

/// The same for another port of it.
fn placed(name: &str, service: &Composed, project: &Project, port: u16) -> Result<u16, String> {
    usable(service, project)?;
    here(name, outside(service, project, port), port)
}

fn usable(service: &Composed, project: &Project) -> Result<(), String> {
    if let Some(why) = &service.wrong {
        return Err(why.clone());
    }
    let active = |profile: &String| project.profiles.iter().any(|name| name == profile || name == "*");
    if let Some(first) = service.profiles.first().filter(|_| !service.profiles.iter().any(active)) {
        return Err(format!("its profile {first} is not active (COMPOSE_PROFILES={first} would make it so)"));
    }
    Ok(())
}

fn here(name: &str, published: Published, usual: u16) -> Result<u16, String> {
    match published {
        Published::Here(port) => Ok(port),
        Published::Not => Err(format!(
            "it publishes no port of this machine (`ports: [\"127.0.0.1:{usual}:{usual}\"]` at {name} would)"
        )),
        Published::Somewhere => {
            Err("its port is chosen when its container starts; only docker's socket tells it".to_owned())
        }
        Published::Elsewhere => Err(
            "it publishes its port on an address that may not be this machine's; name it in a configuration"
                .to_owned(),
        ),
    }
}

fn at(
    around: &Surroundings,
    project: &Project,
    (name, service): (&String, &Composed),
    system: &System,
    port: u16,
) -> Found {
    let image = service.image.as_deref().unwrap_or(name);
    let known = Nearby {
        around,
        port,
        service: Some(Service {
            image,
            variables: service.environment.clone(),
            words: service.words.clone(),
        }),
    };
    let connect = (system.nearby)(&known).unwrap_or_else(|why| Connect::Unusable { kind: system.kind, why });
    let because = format!("{} publishes port {port} for service {name}", project.name);
    Found { connect, because, locality: Locality::ByEvidence, name: Some(name.clone()) }
}

/// What the health check of a service asks for, asked from here: how the application is, or whether it answers.
fn asked(file: &str, name: &str, check: &Checked, port: u16) -> Found {
    let http = HttpConnect::plain(format!("http://127.0.0.1:{port}{}", check.path));
    let connect = if check.tells { Connect::Health(http.into()) } else { Connect::Probe(http.into()) };
    let because = format!(
        "{file} publishes port {port} for service {name}, and its healthcheck asks for {}",
        check.path
    );
    Found { connect, because, locality: Locality::ByEvidence, name: Some(name.to_owned()) }
}

#[cfg(test)]
mod tests;
