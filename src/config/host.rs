//! Hosts and ports, and what can be one. An error repeats nothing: a password may stand in the wrong place.

/// A port that something can listen on.
pub(super) fn port(text: &str) -> Result<u16, String> {
    let number = text.parse().ok().filter(|port| *port > 0);
    number.ok_or_else(|| "its port is not a number from 1 to 65535".to_owned())
}

/// Whether `host` can be a name (of any script) or an address, IPv6 with a zone included.
pub(super) fn is_host(host: &str) -> bool {
    /// DNS permits no longer name.
    const LONGEST: usize = 253;
    !host.is_empty()
        && host.len() <= LONGEST
        && host.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '%'))
        && (!host.contains(':') || host.split('%').next().is_some_and(is_v6))
}

fn is_v6(text: &str) -> bool {
    text.parse::<std::net::Ipv6Addr>().is_ok()
}

/// Whether `host` names this machine: loopback, "localhost", or the folder of a unix socket.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.starts_with('/')
        || bare.eq_ignore_ascii_case("localhost")
        || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
