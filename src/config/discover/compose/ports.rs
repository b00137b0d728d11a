//! Where a service is reached from this machine: the short and the long form of `ports`, ranges, the machine's own network, and where
//! inside the container the server listens.

use super::tree::Node;
use crate::config::host;
use crate::config::system::System;

/// A published port, or several in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Port {
    /// The address of this machine; empty is all of them.
    host: String,
    /// The first and the last port outside; none is chosen when the container starts.
    outside: Option<(u16, u16)>,
    /// The first and the last port inside.
    inside: (u16, u16),
}

/// Where a port is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config::discover) enum Published {
    /// On this machine, under this port.
    Here(u16),
    /// On an address that the file chose.
    Elsewhere,
    /// On this machine, under a port that is chosen when the container starts.
    Somewhere,
    /// Nowhere.
    Not,
}

impl Port {
    /// An entry of `ports`. What is wrong is told without what stands there: it may hold a secret by mistake.
    pub(super) fn read(entry: &Node) -> Result<Self, String> {
        let wrong = || "an entry of its `ports` is none (\"5433:5432\" is one)".to_owned();
        let Some(text) = entry.text() else {
            let part = |name: &str| entry.get(name).and_then(Node::text).filter(|text| !text.is_empty());
            let outside = match part("published") {
                None => None,
                Some(text) => Some(range(&text).ok_or_else(wrong)?),
            };
            let inside = part("target").and_then(|text| range(&text)).ok_or_else(wrong)?;
            return Ok(Self { host: part("host_ip").unwrap_or_default(), outside, inside });
        };
        let (place, protocol) = text.split_once('/').unwrap_or((&text, "tcp"));
        let mut parts = place.rsplitn(3, ':');
        let inside = parts.next().and_then(range).ok_or_else(wrong)?;
        let outside = match parts.next().filter(|text| !text.is_empty()) {
            None => None,
            Some(text) => Some(range(text).ok_or_else(wrong)?),
        };
        // Servers of ours speak TCP; what is published of another kind leads to none.
        let inside = if protocol.eq_ignore_ascii_case("tcp") { inside } else { (0, 0) };
        Ok(Self { host: parts.next().unwrap_or_default().to_owned(), outside, inside })
    }

    fn reaches(&self, port: u16) -> Option<Published> {
        let (first, last) = self.inside;
        if !(first..=last).contains(&port) {
            return None;
        }
        if !is_here(&self.host) {
            return Some(Published::Elsewhere);
        }
        Some(match self.outside {
            Some((begin, end)) if end - begin == last - first => Published::Here(begin + (port - first)),
            Some(_) | None => Published::Somewhere,
        })
    }
}

/// Whether what is published on this address answers on 127.0.0.1: another loopback address may be another server's.
pub(in crate::config::discover) fn is_here(address: &str) -> bool {
    matches!(address, "" | "0.0.0.0" | "::" | "[::]" | "*" | "127.0.0.1" | "localhost" | "::1" | "[::1]")
}

/// `5432` or `5432-5434`.
fn range(text: &str) -> Option<(u16, u16)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (host::port(first.trim()).ok()?, host::port(last.trim()).ok()?);
    (first <= last).then_some((first, last))
}

/// Where `inside` is published by `ports`, in a network of this kind. The best place counts.
pub(super) fn published(ports: &[Port], network: Option<&str>, inside: u16) -> Published {
    if network == Some("host") {
        return Published::Here(inside);
    }
    let places = || ports.iter().filter_map(|port| port.reaches(inside));
    let here = places().find(|place| matches!(place, Published::Here(_)));
    here.or_else(|| places().find(|place| *place == Published::Somewhere))
        .or_else(|| places().next())
        .unwrap_or(Published::Not)
}

/// Where inside its container a server listens: what its command or its variables say, else its usual port.
pub(in crate::config::discover) fn inside(
    system: &System,
    usual: u16,
    words: &[String],
    variable: &dyn Fn(&str) -> Option<String>,
) -> u16 {
    let behind = |option: &&str| {
        words.iter().enumerate().find_map(|(at, word)| match word.strip_prefix(option)? {
            "" => words.get(at + 1).cloned(),
            rest => rest.strip_prefix('=').map(str::to_owned),
        })
    };
    let said = system
        .options
        .iter()
        .find_map(behind)
        .or_else(|| system.variables.iter().find_map(|name| variable(name)));
    // An address to listen on ends with its port.
    let said = said.and_then(|text| host::port(text.rsplit(':').next()?.trim()).ok());
    said.unwrap_or(usual)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::discover::compose::tree;
    use crate::config::system;
    use crate::core::ids::SystemKind;

    #[track_caller]
    fn check(ports: &str, network: Option<&str>, expected: Published) {
        let tree = tree::read(ports).expect("YAML");
        let ports: Vec<Port> = tree.items().iter().map(|entry| Port::read(entry).expect("a port")).collect();
        assert_eq!(published(&ports, network, 5432), expected, "{ports:?}");
    }

    #[test]
    fn ports_are_published_in_many_ways() {
        let here = Published::Here(6000);
        check("[\"6000:5432\"]", None, here);
        check("[\"127.0.0.1:6000:5432/tcp\"]", None, here);
        check("[\"[::1]:6000:5432\"]", None, here);
        check("[\"5999-6001:5431-5433\"]", None, here);
        check("[{target: 5432, published: \"6000\", host_ip: 127.0.0.1}]", None, here);
        check("[{target: 5432, published: 6000, protocol: tcp, mode: host}]", None, here);
        check("[5432]", None, Published::Somewhere);
        check("[\"127.0.0.1::5432\"]", None, Published::Somewhere);
        check("[\"6000-6010:5432\"]", None, Published::Somewhere);
        check("[{target: 5432}]", None, Published::Somewhere);
        check("[\"10.0.0.9:6000:5432\"]", None, Published::Elsewhere);
        check("[\"10.0.0.9:5433:5432\", \"6000:5432\"]", None, here);
        check("[\"6000:5432/udp\"]", None, Published::Not);
        check("[\"6000:6379\"]", None, Published::Not);
        check("[]", None, Published::Not);
        check("[]", Some("host"), Published::Here(5432));
        for bad in ["hush", "hush:5432", "99999:5432", "6001-6000:5432", "{published: 5432}"] {
            let error =
                Port::read(&tree::read(&format!("x: {bad}")).expect("YAML").get("x").expect("x").clone());
            let error = error.expect_err(bad);
            assert!(error.contains("\"5433:5432\"") && !error.contains("hush"), "{error}");
        }
    }

    #[test]
    fn a_server_may_listen_elsewhere_inside_its_container() {
        use SystemKind::{Postgres, Prometheus, Redis, Search};
        for (kind, line, name, expected) in [
            (Postgres, "postgres -c port=6432", "", 6432),
            (Postgres, "postgres -p 6432", "", 6432),
            (Postgres, "postgres -c shared_buffers=1GB", "PGPORT=6433", 6433),
            (Postgres, "postgres --password_encryption=x", "", 1),
            (Redis, "redis-server --port 6400", "", 6400),
            (Redis, "redis-server", "REDIS_PORT_NUMBER=6401", 6401),
            (Search, "", "http.port=9201", 9201),
            (Prometheus, "--web.listen-address=:9095 --config.file=x", "", 9095),
            (Redis, "redis-server --port hush", "", 1),
        ] {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            let variable = |wanted: &str| {
                name.split_once('=').filter(|(name, _)| *name == wanted).map(|(_, value)| value.to_owned())
            };
            assert_eq!(inside(system::of(kind), 1, &words, &variable), expected, "{line} {name}");
        }
    }
}
