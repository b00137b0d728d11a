//! Targets from running containers, where the socket of a container engine is there: what they publish on this machine, and user, password
//! and database from their environment. Those of this folder's compose project come first, and then alone.

use super::compose::{inside, is_here, split};
use super::engine::{Engine, SILENT};
use super::found::Found;
use crate::config::bounded;
use crate::config::nearby::{Nearby, Service};
use crate::config::surroundings::Surroundings;
use crate::config::system::{self, System};
use crate::config::target::{Connect, Locality};
use crate::core::loose::{Kept, List, Mixed, Object, Scalar};
use crate::core::text::{counted, tidy};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// What compose writes on the containers of a project.
const FOLDER: &str = "com.docker.compose.project.working_dir";
const SERVICE: &str = "com.docker.compose.service";
/// One for a single command (`docker compose run`).
const ONE_OFF: &str = "com.docker.compose.oneoff";
/// No more containers are looked at.
const MOST: usize = 32;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Listed {
    id: Scalar,
    names: List<Scalar, 8>,
    image: Scalar,
    labels: Mixed<256>,
    ports: List<Object<Bound>, 256>,
    host_config: Object<HostConfig>,
}

impl Kept for Listed {}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Bound {
    #[serde(rename = "IP")]
    address: Scalar,
    #[serde(rename = "PrivatePort")]
    private: Scalar,
    #[serde(rename = "PublicPort")]
    public: Scalar,
    #[serde(rename = "Type")]
    protocol: Scalar,
}

impl Kept for Bound {}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct HostConfig {
    network_mode: Scalar,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Inspected {
    config: Object<Inner>,
    mounts: List<Object<Mount>, 256>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Inner {
    env: List<Scalar, 512>,
    entrypoint: List<Scalar, 256>,
    cmd: List<Scalar, 256>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Mount {
    source: Scalar,
    destination: Scalar,
}

impl Kept for Mount {}

impl Listed {
    fn label(&self, name: &str) -> Option<String> {
        self.labels.get(name)?.text().map(str::to_owned)
    }

    /// Its service, else its own name.
    fn name(&self) -> String {
        let own = || self.names.0.first().map(Scalar::word).unwrap_or_default();
        tidy(self.label(SERVICE).unwrap_or_else(own).trim_start_matches('/'), 60)
    }

    /// The port of this machine that leads to `inside`, or why there is none.
    fn published(&self, inside: u16) -> Result<u16, &'static str> {
        if self.host_config.0.network_mode.text() == Some("host") {
            return Ok(inside);
        }
        let number = |scalar: &Scalar| {
            scalar.whole().and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0)
        };
        let mut why = "it publishes no port of this machine";
        for Object(bound) in &self.ports.0 {
            let (Some(private), Some(public)) = (number(&bound.private), number(&bound.public)) else {
                continue;
            };
            if private != inside || bound.protocol.text() != Some("tcp") {
                continue;
            }
            let address = bound.address.word();
            if is_here(&address) {
                return Ok(public);
            }
            why = "it publishes its port on another address than this machine's own; name it in a configuration";
        }
        Err(why)
    }
}

/// Looks for running containers.
#[expect(clippy::unnecessary_wraps, reason = "one signature for every place that is looked at")]
pub(super) fn find(around: &Surroundings, trail: &mut Vec<String>) -> Result<Vec<Found>, String> {
    let engine = match Engine::of(around) {
        Ok(Some(engine)) => engine,
        Ok(None) => return Ok(Vec::new()),
        Err(why) => {
            trail.push(why);
            return Ok(Vec::new());
        }
    };
    let listed: List<Object<Listed>, 1024> = match engine.ask("/containers/json") {
        Ok(listed) => listed,
        Err(why) => {
            trail.push(why);
            return Ok(Vec::new());
        }
    };
    let all: Vec<Listed> = listed.0.into_iter().map(|container| container.0).collect();
    let here = |one: &Listed| one.label(FOLDER).is_some_and(|folder| Path::new(&folder) == around.folder);
    let own = all.iter().any(here);
    let (mut found, mut others, mut asked, mut silent) = (Vec::new(), 0, 0, false);
    let total = all.len();
    for one in all {
        let Some((system, usual)) =
            system::by_image(&one.image.word()).and_then(|system| Some((system, system.port?)))
        else {
            others += 1;
            continue;
        };
        let used = if own && !here(&one) {
            Err("it belongs to no project of this folder".to_owned())
        } else if one.label(ONE_OFF).is_some_and(|flag| flag.eq_ignore_ascii_case("true")) {
            Err("it runs a single command".to_owned())
        } else if asked >= MOST {
            Err(format!("{MOST} others were looked at"))
        } else if silent {
            // The first screen waits for this.
            Err("the engine did not answer for another".to_owned())
        } else {
            asked += 1;
            reached(around, &engine, &one, (system, usual))
        };
        match used {
            Ok(target) => found.push(target),
            Err(why) => {
                silent |= why.contains(SILENT);
                trail.push(format!("container {} is not used, because {why}", one.name()));
            }
        }
    }
    let running = counted(total, "container");
    trail.push(format!(
        "{} tells of {running}: {} can be used, {others} of no kind that stacktop watches",
        engine.socket.display(),
        found.len()
    ));
    Ok(found)
}

fn reached(
    around: &Surroundings,
    engine: &Engine,
    one: &Listed,
    (system, usual): (&System, u16),
) -> Result<Found, String> {
    let id = one.id.text().filter(|id| id.chars().all(|c| c.is_ascii_alphanumeric())).unwrap_or_default();
    let looked: Object<Inspected> = engine.ask(&format!("/containers/{id}/json"))?;
    let Inspected { config: Object(config), mounts } = looked.0;
    let mut variables: BTreeMap<String, String> = config
        .env
        .0
        .iter()
        .filter_map(|entry| entry.text()?.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    from_mounts(&mut variables, &mounts.0);
    let words: Vec<String> = config.entrypoint.0.iter().chain(&config.cmd.0).map(Scalar::word).collect();
    // What is given to a shell is a line of its own.
    let words: Vec<String> = words
        .iter()
        .flat_map(|word| if word.contains(" --") { split(word) } else { vec![word.clone()] })
        .collect();
    let port = inside(system, usual, &words, &|name| variables.get(name).cloned());
    let port = one.published(port)?;
    let (name, image) = (one.name(), one.image.word());
    let known = Nearby { around, port, service: Some(Service { image: &image, variables, words }) };
    let connect = (system.nearby)(&known).unwrap_or_else(|why| Connect::Unusable { kind: system.kind, why });
    let because = format!("the running container {name} publishes port {port}");
    Ok(Found { connect, because, locality: Locality::ByEvidence, name: Some(name) })
}

/// Values of variables that name a file (`POSTGRES_PASSWORD_FILE`), where that file is one of this machine.
fn from_mounts(variables: &mut BTreeMap<String, String>, mounts: &[Object<Mount>]) {
    let mut read = Vec::new();
    for (name, path) in variables.iter() {
        let Some(bare) = name.strip_suffix("_FILE").filter(|bare| !variables.contains_key(*bare)) else {
            continue;
        };
        let source = mounts.iter().find(|mount| mount.0.destination.text() == Some(path));
        let text = source.and_then(|mount| bounded::text(Path::new(mount.0.source.text()?)).ok());
        read.extend(text.map(|text| (bare.to_owned(), text.trim_end_matches(['\n', '\r']).to_owned())));
    }
    variables.extend(read);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader, Write};
    use std::os::unix::net::UnixListener;
    use std::time::Duration;

    /// Answers like the engine's interface: the list, then each container by its number.
    fn engine(folder: &Path, list: &'static str, one: &'static str) -> Surroundings {
        let socket = folder.join("docker.sock");
        let listener = UnixListener::bind(&socket).expect("a socket");
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut lines = BufReader::new(&stream).lines();
                let first = lines.next().and_then(Result::ok).unwrap_or_default();
                while lines.next().and_then(Result::ok).is_some_and(|line| !line.is_empty()) {}
                let (status, body) = match first.split(' ').nth(1).unwrap_or_default() {
                    "/containers/json" => ("200 OK", list),
                    path if path.starts_with("/containers/4f5e") => ("200 OK", one),
                    _ => ("404 Not Found", "{\"message\":\"No such container\"}"),
                };
                let _ = write!(
                    &stream,
                    "HTTP/1.0 {status}\r\nApi-Version: 1.50\r\nContent-Type: application/json\r\nServer: Docker/28.2.2 (linux)\r\n\r\n{body}"
                );
            }
        });
        Surroundings::empty(folder).with_engine(&socket)
    }

    /// As an engine of version 28 lists them, shortened by what is not read.
    const LIST: &str = r#"[
      {"Id":"4f5e0c","Names":["/shop-db-1"],"Image":"postgres:16","ImageID":"sha256:0","Command":"docker-entrypoint.s…","Created":1700000000,
       "Ports":[{"IP":"0.0.0.0","PrivatePort":5432,"PublicPort":49153,"Type":"tcp"},{"IP":"::","PrivatePort":5432,"PublicPort":49153,"Type":"tcp"}],
       "Labels":{"com.docker.compose.service":"db","com.docker.compose.project":"shop","com.docker.compose.oneoff":"False"},
       "State":"running","Status":"Up 3 hours","HostConfig":{"NetworkMode":"shop_default"},
       "NetworkSettings":{"Networks":{"shop_default":{"IPAddress":"172.18.0.2"}}},"Mounts":[]},
      {"Id":"4f5e0d","Names":["/cache"],"Image":"redis:7","Ports":[{"PrivatePort":6379,"Type":"tcp"}],"Labels":{},"HostConfig":{"NetworkMode":"bridge"}},
      {"Id":"4f5e0e","Names":["/es"],"Image":"elasticsearch:8.19.0","Ports":[{"IP":"10.0.0.9","PrivatePort":9200,"PublicPort":9200,"Type":"tcp"}],"Labels":null},
      {"Id":"4f5e0f","Names":["/migrate"],"Image":"postgres:16","Ports":[],"Labels":{"com.docker.compose.oneoff":"True"},"HostConfig":{"NetworkMode":"host"}},
      {"Id":"gone","Names":["/gone"],"Image":"prom/prometheus","Ports":[],"Labels":{},"HostConfig":{"NetworkMode":"host"}},
      {"Id":"4f5e10","Names":["/web"],"Image":"nginx","Ports":[],"Labels":{}}
    ]"#;
    const ONE: &str = r#"{"Id":"4f5e0c","State":{"Status":"running"},"Mounts":[],"HostConfig":{"NetworkMode":"shop_default"},
      "Config":{"Env":["POSTGRES_USER=ann","POSTGRES_PASSWORD=hush","PATH=/bin"],"Cmd":["postgres"],"Entrypoint":["docker-entrypoint.sh"]}}"#;

    fn look(around: &Surroundings) -> (Vec<Found>, String) {
        let mut trail = Vec::new();
        let found = find(around, &mut trail).expect("understood");
        (found, trail.join("\n"))
    }

    #[test]
    fn running_containers_are_reached_as_they_are_published_and_others_say_why_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let (found, trail) = look(&engine(folder.path(), LIST, ONE));
        let told: Vec<String> = found
            .iter()
            .map(|found| match &found.connect {
                Connect::Postgres(pg) => {
                    format!("{:?} {}@{} {}", found.name, pg.user, pg.configured(), pg.password.is_some())
                }
                other => format!("{other:?}"),
            })
            .collect();
        assert_eq!(told, ["Some(\"db\") ann@127.0.0.1:49153/ann true"], "{trail}");
        for line in [
            "container cache is not used, because it publishes no port of this machine",
            "container es is not used, because it publishes its port on another address",
            "container migrate is not used, because it runs a single command",
            "container gone is not used, because docker's socket",
            "it answers 404",
            "tells of 6 containers: 1 can be used, 1 of no kind",
        ] {
            assert!(trail.contains(line), "{line}\n{trail}");
        }
        assert!(!trail.contains("hush"), "{trail}");
    }

    #[test]
    fn those_of_this_folder_come_alone_and_secrets_are_read_where_they_lie() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path().display().to_string();
        let secret = folder.path().join("pw");
        std::fs::write(&secret, "hush\n").expect("written");
        let label = |folder: &str| format!(r#"{{"com.docker.compose.project.working_dir":"{folder}"}}"#);
        let bound = r#"[{"IP":"127.0.0.1","PrivatePort":6379,"PublicPort":7000,"Type":"tcp"}]"#;
        let list = format!(
            r#"[{{"Id":"4f5e01","Names":["/own"],"Image":"valkey/valkey:8","Ports":{bound},"Labels":{}}},
                {{"Id":"4f5e02","Names":["/other"],"Image":"redis","Ports":{bound},"Labels":{}}}]"#,
            label(&place),
            label("/elsewhere")
        );
        let one = format!(
            r#"{{"Config":{{"Env":["REDIS_PASSWORD_FILE=/run/secrets/pw"]}},"Mounts":[{{"Type":"bind","Source":"{}","Destination":"/run/secrets/pw"}}]}}"#,
            secret.display()
        );
        let (found, trail) = look(&engine(folder.path(), list.leak(), one.leak()));
        assert!(
            matches!(&found[..], [Found { connect: Connect::Redis(redis), .. }] if redis.port == 7000 && redis.password.is_some()),
            "{trail}"
        );
        assert!(
            trail.contains("container other is not used, because it belongs to no project of this folder"),
            "{trail}"
        );
    }

    #[test]
    fn an_engine_that_cannot_be_asked_is_told_and_keeps_nobody_waiting() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(look(&Surroundings::empty(folder.path())).1, "");
        let far = Surroundings::empty(folder.path()).with("DOCKER_HOST", "ssh://root@far.example");
        assert_eq!(
            look(&far).1,
            "DOCKER_HOST is ssh: containers elsewhere are not looked at; name their servers in a configuration"
        );
        let mute = folder.path().join("mute.sock");
        let _listener = UnixListener::bind(&mute).expect("a socket");
        let started = tokio::time::Instant::now();
        let (_, trail) = look(
            &Surroundings::empty(folder.path()).with("DOCKER_HOST", &format!("unix://{}", mute.display())),
        );
        assert!(trail.contains("does not answer within 700 ms"), "{trail}");
        assert!(started.elapsed() < Duration::from_secs(5));
        let dead = folder.path().join("dead.sock");
        drop(UnixListener::bind(&dead).expect("a socket"));
        let (_, trail) = look(&Surroundings::empty(folder.path()).with_engine(&dead));
        assert!(trail.contains("nobody listens on it"), "{trail}");
        let (_, trail) = look(&engine(folder.path(), "{\"message\":\"hush\"", ONE));
        assert!(trail.contains("its answer is no list of containers") && !trail.contains("hush"), "{trail}");
    }
}
