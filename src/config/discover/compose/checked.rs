//! What a service's `healthcheck` asks over HTTP: the same can be asked from outside where its port is published. The file may be from
//! strangers: only a path that says that it is one for this is asked for, and only of this machine.

use super::tree::Node;
use crate::config::host;
use crate::config::target::is_loopback;

/// Words in a path behind which an application tells how it is.
const HEALTH: [&str; 4] = ["health", "ready", "live", "alive"];
/// Words in a path that only has to answer.
const ANSWERS: [&str; 4] = ["ping", "status", "heartbeat", "version"];
/// No such path is longer.
const PATH_CHARS: usize = 100;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Checked {
    /// The port inside.
    pub(super) port: u16,
    /// The path.
    pub(super) path: String,
    /// It tells how the application is, and does not only answer.
    pub(super) tells: bool,
}

/// What the check of a service asks for, if that is a path of its own.
pub(super) fn of(check: &Node, words: impl Fn(&Node) -> Vec<String>) -> Option<Checked> {
    let off = check.get("disable").and_then(Node::text).is_some_and(|text| text == "true");
    let words = if off { Vec::new() } else { words(check.get("test")?) };
    words.iter().find_map(|word| url(word))
}

fn url(word: &str) -> Option<Checked> {
    let rest = &word[word.find("http://")? + "http://".len()..];
    // Of a line for a shell it is one word.
    let rest = rest.split(|c: char| c.is_whitespace() || "\"';|&)".contains(c)).next()?;
    let (place, path) = rest.split_at(rest.find('/')?);
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && !port.ends_with(']') => (host, host::port(port).ok()?),
        _ => (place, 80),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "/_.-".contains(c);
    if !(is_loopback(host) || host == "0.0.0.0") || path.len() > PATH_CHARS || !path.chars().all(plain) {
        return None;
    }
    let lower = path.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let tells = says(&HEALTH);
    (tells || says(&ANSWERS)).then(|| Checked { port, path: path.to_owned(), tells })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::discover::compose::{service, tree};

    #[track_caller]
    fn check(text: &str, expected: Option<(u16, &str, bool)>) {
        let found = of(&tree::read(text).expect("YAML"), service::words);
        let found = found.as_ref().map(|found| (found.port, found.path.as_str(), found.tells));
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn a_check_over_http_is_one_that_can_be_asked_from_outside() {
        check(
            "{test: [CMD, curl, -f, 'http://localhost:3000/api/health']}",
            Some((3000, "/api/health", true)),
        );
        check("{test: 'curl -fsS http://127.0.0.1/ready || exit 1'}", Some((80, "/ready", true)));
        check(
            "{test: [CMD-SHELL, 'wget -qO- \"http://[::1]:8080/ping\"; exit']}",
            Some((8080, "/ping", false)),
        );
        check("{test: [CMD-SHELL, 'sh -c (curl http://0.0.0.0:81/livez)']}", Some((81, "/livez", true)));
    }

    #[test]
    fn what_is_none_of_its_own_is_not_asked_for() {
        for text in [
            "{test: [CMD, pg_isready]}",
            "{test: [NONE]}",
            "{disable: true, test: [CMD, curl, 'http://localhost:3000/health']}",
            "{test: [CMD, curl, 'http://far.example/health']}",
            "{test: [CMD, curl, 'http://u:p@localhost/health']}",
            "{test: [CMD, curl, 'http://localhost:$PORT/health']}",
            "{test: [CMD, curl, 'http://localhost:3000/admin/drop']}",
            "{test: [CMD, curl, 'http://localhost:3000/health?drop=1']}",
            "{test: [CMD, curl, 'https://localhost:3000/health']}",
            "{interval: 5s}",
        ] {
            check(text, None);
        }
    }
}
