//! Where a server is, by evidence that came with its connection. Behind an address of this machine there may be a tunnel, a pooler or a
//! container network: a server is here that sees our end of the connection as we do, or that is in a container of this machine. Pure.

use super::text::tidy;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, SocketAddr};

/// What is known about where a server is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Whereabouts {
    /// Nothing yet.
    #[default]
    Unknown,
    /// On this machine: it sees our end of the connection as we do.
    Here,
    /// Elsewhere, or nobody can tell: why.
    Elsewhere(String),
    /// A managed service of this name, whatever the address says.
    Cloud(String),
    /// A server that calls itself production, wherever it is: which word of it does.
    Production(String),
}

/// Whether a name has a word in it that means production.
#[must_use]
pub fn sounds_like_production(name: &str) -> bool {
    name.to_ascii_lowercase()
        .split(|c: char| !c.is_ascii_alphanumeric())
        .any(|word| matches!(word, "prod" | "production" | "prd" | "live"))
}

/// What a server says of itself: its word for it, and what stands there.
pub type Said<'a> = (&'a str, &'a str);

impl Whereabouts {
    /// The same of a server that says this of itself: a word that means production stands above every address.
    #[must_use]
    pub fn saying(self, said: &[Said<'_>]) -> Self {
        let word = said.iter().find(|(_, value)| sounds_like_production(value));
        word.map_or(self, |(name, value)| Self::Production(format!("its {name} is {}", tidy(value, 60))))
    }
}

/// One end of a connection: ours as this machine knows it, or ours as the server sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// An address and a port.
    Tcp(SocketAddr),
    /// A unix socket; the process at its other end, where that is known.
    Unix(Option<i32>),
}

impl End {
    /// An end as a server writes its address (`10.0.0.1`, `::ffff:10.0.0.1`).
    #[must_use]
    pub fn read(address: &str, port: u16) -> Option<Self> {
        let bare = address.trim_matches(['[', ']']).split(['%', '/']).next()?;
        let address = bare.parse::<IpAddr>().ok()?;
        Some(Self::Tcp(SocketAddr::new(address.to_canonical(), port)))
    }
}

/// Compares our end with what the server sees. Of a unix socket `server_is` tells whether the process at its other end is the server; of
/// another end than ours `in_container` tells whether a container of this machine sees it.
#[must_use]
pub fn compare(
    ours: Option<End>,
    seen: Option<End>,
    server_is: impl FnOnce(i32) -> bool,
    in_container: impl FnOnce(SocketAddr) -> bool,
) -> Whereabouts {
    let between = "a tunnel, a pooler or a container network stands between";
    match (ours, seen) {
        (Some(End::Tcp(ours)), Some(End::Tcp(seen))) if ours == seen => Whereabouts::Here,
        (Some(End::Unix(Some(peer))), Some(End::Unix(_))) if server_is(peer) => Whereabouts::Here,
        (Some(End::Unix(_)), Some(End::Unix(_))) => {
            Whereabouts::Elsewhere("who listens on its socket is not the server itself".to_owned())
        }
        (Some(End::Tcp(_)), Some(End::Tcp(seen))) if in_container(seen) => Whereabouts::Here,
        (Some(End::Tcp(ours)), Some(End::Tcp(seen))) => {
            Whereabouts::Elsewhere(format!("it sees us as {seen}, and we are {ours}: {between}"))
        }
        (Some(End::Tcp(_)), Some(End::Unix(_))) => {
            Whereabouts::Elsewhere(format!("it sees a unix socket where we use none: {between}"))
        }
        (Some(End::Unix(_)), Some(End::Tcp(seen))) => {
            Whereabouts::Elsewhere(format!("it sees us as {seen} where we use a unix socket: {between}"))
        }
        (None, _) | (_, None) => Whereabouts::Elsewhere("it does not say how it sees us".to_owned()),
    }
}

/// Whether a server is itself at the address that we reach: its own end of the connection is that address. A loopback address is that of every
/// machine, so that there it has to see our end as we do, too; of a unix socket `server_is` tells whether the process at its other end is the
/// server.
#[must_use]
pub fn is_direct(
    ours: Option<End>,
    seen: Option<End>,
    reached: Option<End>,
    own: Option<End>,
    server_is: impl FnOnce(i32) -> bool,
) -> bool {
    let Some(End::Tcp(reached)) = reached else {
        return compare(ours, seen, server_is, |_| false) == Whereabouts::Here;
    };
    own == Some(End::Tcp(reached)) && (!reached.ip().is_loopback() || (ours == seen && ours.is_some()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(ours: Option<End>, seen: Option<End>, expected: Option<&str>) {
        let container = |seen: SocketAddr| seen.to_string() == "172.18.0.1:4000";
        match (compare(ours, seen, |pid| pid == 7, container), expected) {
            (Whereabouts::Here, None) => {}
            (Whereabouts::Elsewhere(why), Some(says)) => assert!(why.contains(says), "{why}"),
            (other, _) => panic!("{other:?}"),
        }
    }

    #[test]
    fn only_who_sees_our_end_as_we_do_is_here() {
        let tcp = |port| End::read("127.0.0.1", port);
        check(tcp(4000), End::read("::ffff:127.0.0.1", 4000), None);
        check(tcp(4000), tcp(4001), Some("it sees us as 127.0.0.1:4001, and we are 127.0.0.1:4000"));
        check(tcp(4000), End::read("172.17.0.1", 4000), Some("container network"));
        check(tcp(4000), End::read("172.18.0.1", 4000), None);
        check(Some(End::Unix(Some(7))), Some(End::Unix(None)), None);
        check(Some(End::Unix(Some(8))), Some(End::Unix(None)), Some("not the server itself"));
        check(Some(End::Unix(None)), Some(End::Unix(None)), Some("not the server itself"));
        check(Some(End::Unix(Some(7))), tcp(1), Some("where we use a unix socket"));
        check(tcp(1), Some(End::Unix(None)), Some("where we use none"));
        check(tcp(1), None, Some("does not say"));
    }

    #[test]
    fn only_who_is_at_the_address_that_we_reach_is_there_itself() {
        let tcp = |address: &str, port| End::read(address, port);
        let (ours, near, far) = (tcp("127.0.0.1", 4000), tcp("127.0.0.1", 5432), tcp("10.0.0.5", 5432));
        for (ours, seen, reached, own, expected) in [
            (ours, ours, near, near, true),
            // A tunnel that ends at the same port of another machine, a published port of a container, a pooler before it.
            (ours, tcp("127.0.0.1", 4001), near, near, false),
            (ours, ours, near, tcp("172.17.0.2", 5432), false),
            (ours, ours, near, tcp("127.0.0.1", 6432), false),
            // Somebody else's address of ours is no other server.
            (tcp("10.0.0.9", 4000), tcp("10.0.0.9", 4000), far, far, true),
            (tcp("192.168.1.2", 4000), tcp("10.0.0.1", 900), far, far, true),
            (tcp("10.0.0.9", 4000), tcp("10.0.0.9", 4000), far, tcp("172.18.0.4", 5432), false),
            (tcp("10.0.0.9", 4000), tcp("10.0.0.5", 700), far, tcp("10.0.0.7", 5432), false),
            (Some(End::Unix(Some(7))), Some(End::Unix(None)), None, Some(End::Unix(None)), true),
            (Some(End::Unix(Some(8))), Some(End::Unix(None)), None, Some(End::Unix(None)), false),
            (None, None, near, near, false),
            (ours, ours, near, None, false),
            (None, None, None, None, false),
        ] {
            assert_eq!(is_direct(ours, seen, reached, own, |pid| pid == 7), expected, "{seen:?} {own:?}");
        }
    }

    #[test]
    fn a_word_that_means_production_stands_above_every_address() {
        let said = |value: &'static str| {
            Whereabouts::Here.saying(&[("data_directory", "/srv/pg"), ("cluster_name", value)])
        };
        assert_eq!(said("prod-eu"), Whereabouts::Production("its cluster_name is prod-eu".to_owned()));
        for value in ["", "product", "reproduction", "delivery", "staging"] {
            assert_eq!(said(value), Whereabouts::Here, "{value}");
        }
    }
}
