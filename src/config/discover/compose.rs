//! Targets from a compose file in the current folder: published ports, and user, password and database from the services' environment.
//!
//! The file came with the folder, perhaps from strangers. It therefore names only this machine: nothing in it chooses a host, and what
//! it takes from the shell's variables goes nowhere else.

use super::{Found, Surroundings};
use crate::config::bounded;
use crate::config::nearby::{Nearby, Service};
use crate::config::system;
use crate::config::target::{Connect, Locality, is_loopback};
use crate::core::loose::{Kept, List, Mixed, Object, Scalar, Table};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The names under which compose looks for its file, in its order.
const NAMES: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];

/// No compose file that people wrote is larger, or nests brackets deeper.
const MOST_BYTES: usize = 256 * 1024;
const MOST_DEPTH: usize = 64;

/// What is read of the file; everything else is passed over.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Compose {
    pub(super) services: Table<Object<Composed>, 256>,
}

/// A service.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Composed {
    pub(super) image: Scalar,
    ports: List<Mixed<8>, 64>,
    pub(super) environment: Mixed<512>,
    command: Mixed<256>,
}

impl Kept for Composed {}

/// Looks for a compose file and at its services.
#[expect(clippy::unnecessary_wraps, reason = "one signature for every place that is looked at")]
pub(super) fn find(around: &Surroundings, trail: &mut Vec<String>) -> Result<Vec<Found>, String> {
    let Some(name) = file(around) else {
        trail.push(format!("no compose file in {}", around.folder.display()));
        return Ok(Vec::new());
    };
    let root = match read(around, name) {
        Ok(root) => root,
        Err(error) => {
            trail.push(format!("{name} cannot be read: {error}"));
            return Ok(Vec::new());
        }
    };
    let mut found = Vec::new();
    for (service, Object(body)) in root.services.0 {
        let image = body.image.text().unwrap_or(&service);
        let Some((system, port)) = system::by_image(image).and_then(|system| Some((system, system.port?)))
        else {
            continue;
        };
        let port = match published(&body, port) {
            Published::Here(port) => port,
            Published::Not => {
                trail.push(format!("{name}: service {service} publishes no port"));
                continue;
            }
            Published::Elsewhere => {
                trail.push(format!(
                    "{name}: service {service} publishes its port on an address that may not be this machine's; name it in a configuration"
                ));
                continue;
            }
        };
        let variables = environment(&body.environment);
        let known =
            Nearby { around, port, service: Some(Service { image, variables, words: words(&body.command) }) };
        let connect =
            (system.nearby)(&known).unwrap_or_else(|why| Connect::Unusable { kind: system.kind, why });
        let because = format!("{name} publishes port {port} for service {service}");
        found.push(Found { connect, because, locality: Locality::ByEvidence, name: Some(service) });
    }
    trail.push(format!("{name}: {} of its services are systems that stacktop knows", found.len()));
    Ok(found)
}

/// The compose file of this folder, if there is one.
pub(super) fn file(around: &Surroundings) -> Option<&'static str> {
    NAMES.into_iter().find(|name| around.folder.join(name).exists())
}

/// The file, with its variables filled in.
pub(super) fn read(around: &Surroundings, name: &str) -> Result<Compose, String> {
    let text = bounded::text(&around.folder.join(name)).map_err(|error| error.to_string())?;
    // One that is not there, or that cannot be read, says nothing.
    let dotenv = bounded::text(&around.folder.join(".env")).unwrap_or_default();
    let variables = |wanted: &str| around.var(wanted).or_else(|| from_dotenv(&dotenv, wanted));
    let text = interpolate(&text, &variables);
    modest(&text)?;
    // The reader's own words may repeat what stands there, passwords too.
    serde_yaml_ng::from_str(&text).map_err(|error| {
        error.location().map_or("it is no YAML".to_owned(), |at| {
            format!("it is no YAML at line {}, column {}", at.line(), at.column())
        })
    })
}

/// The reader of YAML takes time that grows with the square of the nesting of brackets.
fn modest(text: &str) -> Result<(), String> {
    if text.len() > MOST_BYTES {
        return Err(format!("it is larger than {} KiB", MOST_BYTES / 1024));
    }
    let mut depth = 0_usize;
    for byte in text.bytes() {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MOST_DEPTH {
            return Err(format!("its brackets are nested more than {MOST_DEPTH} times"));
        }
    }
    Ok(())
}

/// Where a port is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Published {
    /// On this machine, under this port.
    Here(u16),
    /// On an address that the file chose.
    Elsewhere,
    /// Nowhere.
    Not,
}

/// Where `inside` is published, in the short or the long form.
pub(super) fn published(service: &Composed, inside: u16) -> Published {
    let entry = |entry: &Mixed<8>| -> Option<(String, u16)> {
        let Mixed::One(text) = entry else {
            let host = entry.get("host_ip").map(Scalar::word).unwrap_or_default();
            return (number(entry.get("target")?)? == inside)
                .then_some((host, number(entry.get("published")?)?));
        };
        let text = text.word();
        let mut parts = text.split('/').next()?.rsplitn(3, ':');
        let target: u16 = parts.next()?.parse().ok()?;
        let port: u16 = parts.next()?.parse().ok()?;
        (target == inside).then(|| (parts.next().unwrap_or_default().to_owned(), port))
    };
    let mut found = Published::Not;
    for (host, port) in service.ports.0.iter().filter_map(entry) {
        if matches!(host.as_str(), "" | "0.0.0.0" | "::" | "[::]")
            || (!host.starts_with('/') && is_loopback(&host))
        {
            return Published::Here(port);
        }
        found = Published::Elsewhere;
    }
    found
}

fn number(value: &Scalar) -> Option<u16> {
    value.word().parse().ok()
}

/// The environment of a service, as a map or as a list of `NAME=value`.
pub(super) fn environment(given: &Mixed<512>) -> BTreeMap<String, String> {
    let text = |value: &Scalar| match value {
        Scalar::Text(text) => Some(text.clone()),
        Scalar::Whole(_) | Scalar::Number(_) => Some(value.word()),
        Scalar::Flag(flag) => Some(flag.to_string()),
        Scalar::Absent => None,
    };
    match given {
        Mixed::Table(table) => {
            table.iter().filter_map(|(name, value)| Some((name.clone(), text(&value.0)?))).collect()
        }
        Mixed::List(list) => list
            .iter()
            .filter_map(|entry| entry.0.text()?.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        Mixed::One(_) => BTreeMap::new(),
    }
}

/// A command, word by word.
fn words(command: &Mixed<256>) -> Vec<String> {
    match command {
        Mixed::One(text) => text.text().unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
        Mixed::List(list) => list.iter().map(|word| word.0.word()).collect(),
        Mixed::Table(_) => Vec::new(),
    }
}

fn from_dotenv(text: &str, wanted: &str) -> Option<String> {
    text.lines()
        .filter_map(|line| line.trim().strip_prefix("export ").unwrap_or(line.trim()).split_once('='))
        .find(|(name, _)| name.trim() == wanted)
        .map(|(_, value)| value_of(value.trim()).to_owned())
}

/// What stands between quotes, or before a comment.
fn value_of(text: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some((inside, _)) = text.strip_prefix(quote).and_then(|rest| rest.split_once(quote)) {
            return inside;
        }
    }
    text.split_once(" #").map_or(text, |(value, _)| value.trim_end())
}

/// `${NAME}`, `${NAME:-default}`, `${NAME-default}`, `$NAME` and `$$`, as compose has them.
fn interpolate(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some((inside, after)) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
            let split = inside.find([':', '-', '?', '+']).unwrap_or(inside.len());
            let (name, modifier) = inside.split_at(split);
            let default = modifier.strip_prefix(":-").or_else(|| modifier.strip_prefix('-')).unwrap_or("");
            out.push_str(&variable(name).unwrap_or_else(|| default.to_owned()));
            rest = after;
        } else {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            out.push_str(&variable(&rest[..end]).unwrap_or_default());
            rest = &rest[end..];
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::target::HttpAuth;

    #[test]
    fn reads_services_as_developers_write_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let text = "
services:
  db:
    image: postgres:16-alpine
    ports: [\"${DB_PORT:-5433}:5432\"]
    environment: {POSTGRES_USER: shop, POSTGRES_PASSWORD: \"${PW}\", POSTGRES_DB: orders}
  cache:
    image: docker.io/valkey/valkey:8
    command: valkey-server --requirepass hush
    ports:
      - target: 6379
        published: \"6380\"
  search:
    image: docker.elastic.co/elasticsearch/elasticsearch:8.19.0
    ports: [\"127.0.0.1:9201:9200/tcp\"]
    environment: [\"ELASTIC_PASSWORD=x\", \"xpack.security.enabled=false\"]
  hidden: {image: \"redis:7\"}
  exporter: {image: prom/redis-exporter, ports: [\"9121:9121\"]}
";
        std::fs::write(folder.path().join("compose.yaml"), text).expect("written");
        std::fs::write(folder.path().join(".env"), "PW='s3cret'\n").expect("written");
        let mut trail = Vec::new();
        let found = find(&Surroundings::empty(folder.path()), &mut trail).expect("understood");
        let names: Vec<_> = found.iter().filter_map(|found| found.name.clone()).collect();
        assert_eq!(names, ["db", "cache", "search"], "{trail:?}");
        match &found[0].connect {
            Connect::Postgres(pg) => {
                assert_eq!(
                    (pg.hosts[0].port, pg.user.as_str(), pg.database.as_str()),
                    (5433, "shop", "orders")
                );
                assert!(pg.password.is_some());
            }
            other => panic!("{other:?}"),
        }
        assert!(
            matches!(&found[1].connect, Connect::Redis(redis) if redis.port == 6380 && redis.password.is_some())
        );
        assert!(matches!(&found[2].connect, Connect::Search(http) if matches!(http.auth, HttpAuth::None)));
        assert!(trail.iter().any(|line| line.contains("hidden publishes no port")), "{trail:?}");
    }

    #[track_caller]
    fn trail_of(text: &str) -> (Vec<Found>, String) {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("compose.yaml"), text).expect("written");
        let mut trail = Vec::new();
        let around =
            Surroundings::empty(folder.path()).with("SECRET", "far.example").with("PGPASSWORD", "mine");
        let found = find(&around, &mut trail).expect("understood");
        (found, trail.join("\n"))
    }

    #[test]
    fn nothing_in_the_file_chooses_another_machine() {
        for host in ["10.1.2.3", "far.example", "${SECRET}", "127.0.0.1.far.example", "[2001:db8::1]"] {
            for ports in [
                format!("[\"{host}:5432:5432\"]"),
                format!("[{{target: 5432, published: 5432, host_ip: \"{host}\"}}]"),
            ] {
                let text = format!("services:\n  db:\n    image: postgres\n    ports: {ports}\n");
                let (found, trail) = trail_of(&text);
                assert!(found.is_empty(), "{host}: {trail}");
                assert!(trail.contains("name it in a configuration"), "{text}: {trail}");
                assert!(!trail.contains("far.example"), "{trail}");
            }
        }
        let both = "services:\n  db:\n    image: postgres\n    ports: [\"10.1.2.3:5432:5432\", \"127.0.0.1:5433:5432\"]\n";
        assert_eq!(trail_of(both).0.len(), 1);
    }

    #[test]
    fn a_file_that_would_take_long_is_refused_at_once() {
        let hundred = 100_000;
        let mut bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
        for (name, of) in
            ["b", "c", "d", "e", "f", "g", "h", "i"].iter().zip(["a", "b", "c", "d", "e", "f", "g", "h"])
        {
            bomb.push_str(&format!("{name}: &{name} [{}]\n", vec![format!("*{of}"); 10].join(",")));
        }
        let started = tokio::time::Instant::now();
        for (what, text) in [
            ("brackets", "[".repeat(hundred)),
            ("braces", "{a: ".repeat(hundred / 4)),
            ("bomb", bomb.clone()),
            ("large bomb", format!("{bomb}z: [{}]\n", vec!["*b"; hundred / 3].join(","))),
            ("wide bomb", format!("{bomb}z: [{}]\n", vec!["x"; hundred / 2].join(","))),
            (
                "bomb of services",
                format!("{bomb}services: {{db: *i, cache: {{image: redis, environment: *b}}}}\n"),
            ),
            ("bomb of ports", format!("{bomb}services: {{db: {{image: postgres, ports: *i}}}}\n")),
            ("dashes", "- ".repeat(hundred / 2)),
            ("questions", "? ".repeat(hundred / 2)),
            ("keys", "a: ".repeat(hundred / 3)),
            ("large", "#".repeat(MOST_BYTES + 1)),
        ] {
            let (found, trail) = trail_of(&text);
            assert!(found.is_empty(), "{what}: {trail}");
            assert!(started.elapsed() < std::time::Duration::from_secs(2), "{what}");
        }
    }

    #[test]
    fn variables_of_a_file_are_read_as_compose_reads_them() {
        for (line, expected) in [
            ("A=b c", "b c"),
            ("A=a\\b", "a\\b"),
            ("A=b # why", "b"),
            ("A=a#b", "a#b"),
            ("A=\"b # c\" # why", "b # c"),
            ("export A='x'", "x"),
            (" A = b ", "b"),
        ] {
            assert_eq!(from_dotenv(&format!("Z=1\n{line}\n"), "A").as_deref(), Some(expected), "{line}");
        }
    }
}
