//! Connection strings as people write them: `postgres://`, `key=value`, `redis://`, `http://`.
//!
//! No error repeats anything behind the scheme: where a password holds an unescaped letter, its parts stand where host, port and path
//! are looked for. Such a URL is refused instead of being read wrongly, because a wrong host would be told to everybody later.

use super::drivers;
use super::host::{is_host, port};
use super::libpq;
use super::misspelt::suggestion;
use super::secret::Secret;
use super::surroundings::Surroundings;
use super::target::{HttpAuth, HttpConnect, LogConnect, PostgresConnect, RedisConnect};
use percent_encoding::percent_decode_str;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What every complaint about the shape of a URL ends with.
const ESCAPES: &str =
    "a `/`, `?`, `#`, `@` or `:` in a user name or password is written %2F, %3F, %23, %40 or %3A";
/// No scheme of ours is longer; what is longer is something else.
const SCHEME_CHARS: usize = 20;

/// A URL taken apart. Percent-encoding is already undone.
#[derive(Default)]
struct Parts {
    scheme: String,
    user: Option<String>,
    password: Option<Secret>,
    /// Hosts with their ports, as they stand there.
    place: String,
    path: String,
    query: BTreeMap<String, String>,
}

/// The scheme of a URL, if `text` begins with one: the only part of it that may be repeated whatever the rest is.
pub(super) fn scheme(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once("://")?;
    let named = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
        && scheme.len() <= SCHEME_CHARS;
    named.then_some(scheme)
}

fn split(url: &str) -> Result<Parts, String> {
    let scheme = scheme(url).ok_or("it has no scheme (write postgres://, redis:// or http://)")?;
    let rest = &url[scheme.len() + "://".len()..];
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, behind) = rest.split_at(end);
    // With a login before it, this may be a path with an @ or the rest of a password: nobody can tell.
    if behind.contains('@') {
        return Err(format!("an `@` stands behind a `/` or `?`; {ESCAPES}"));
    }
    let (path, query) = behind.split_once('?').unwrap_or((behind, ""));
    let (login, place) =
        authority.rsplit_once('@').map_or((None, authority), |(login, place)| (Some(login), place));
    let mut parts = Parts { scheme: scheme.to_ascii_lowercase(), path: decode(path), ..Parts::default() };
    if let Some(login) = login {
        let (user, password) = login.split_once(':').map_or((login, None), |(u, p)| (u, Some(p)));
        parts.user = Some(decode(user)).filter(|user| !user.is_empty());
        parts.password = password.map(|password| Secret::inline(decode(password)));
    }
    place.clone_into(&mut parts.place);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        parts.query.insert(decode(key), decode(value));
    }
    Ok(parts)
}

/// `host`, `host:port`, `[::1]:port`. An error repeats nothing of it.
pub(super) fn host_and_port(place: &str) -> Result<(String, Option<u16>), String> {
    let (host, port) = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((v6, "")) => (v6, None),
        Some((v6, rest)) => (v6, Some(rest.strip_prefix(':').ok_or("its host is no host name or address")?)),
        None => place.rsplit_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
    };
    let port = match port.filter(|port| !port.is_empty()) {
        None => None,
        Some(port) => Some(self::port(port)?),
    };
    let host = decode(host);
    if host.starts_with('/') || host.is_empty() || is_host(&host) {
        Ok((host, port))
    } else {
        Err("its host is no host name or address".to_owned())
    }
}

impl Parts {
    /// The one host, and its port. A list of them is libpq's way alone.
    fn host(&self, instead: &str) -> Result<(String, Option<u16>), String> {
        if self.place.contains(',') {
            return Err(format!("it names several hosts; {instead}"));
        }
        host_and_port(&self.place).map_err(|why| format!("{why}; {ESCAPES}"))
    }
}

/// Undoes percent-encoding; a `%` that begins none stays as it is.
fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// A Postgres target from a URL or a `key=value` string, with nothing around it that could say more.
///
/// # Errors
/// What is wrong with it, without its password.
pub fn postgres(text: &str) -> Result<PostgresConnect, String> {
    postgres_around(text, None, &Surroundings::empty(Path::new("/")))
}

/// A Postgres target from a URL or a `key=value` string; what it does not say comes from where libpq takes it. `ca` is the file of
/// trusted roots in our own configuration.
///
/// # Errors
/// What is wrong with it, without its password.
pub fn postgres_around(
    text: &str,
    ca: Option<&Path>,
    around: &Surroundings,
) -> Result<PostgresConnect, String> {
    let text = drivers::plain(text);
    let text = text.as_str();
    if !text.contains("://") {
        return libpq::complete(key_values(text)?, None, ca, around);
    }
    let parts = split(text)?;
    if parts.scheme != "postgresql" {
        return Err(format!("`{}://` is not Postgres", parts.scheme));
    }
    let (places, numbers) = hosts_and_ports(&parts.place)?;
    let mut settings = parts.query;
    for (setting, value) in [
        ("host", Some(places)),
        ("port", Some(numbers)),
        ("user", parts.user),
        ("dbname", Some(parts.path.trim_start_matches('/').to_owned())),
    ] {
        if let Some(value) = value.filter(|value| !value.trim_matches(',').is_empty()) {
            settings.insert(setting.to_owned(), value);
        }
    }
    libpq::complete(settings, parts.password, ca, around)
}

/// The lists of hosts and of ports in `one:1,two`.
fn hosts_and_ports(place: &str) -> Result<(String, String), String> {
    let (mut places, mut ports) = (Vec::new(), Vec::new());
    for item in place.split(',') {
        let (host, port) = host_and_port(item).map_err(|why| format!("{why}; {ESCAPES}"))?;
        places.push(host);
        ports.push(port.map(|port| port.to_string()).unwrap_or_default());
    }
    Ok((places.join(","), ports.join(",")))
}

/// `key=value key='quoted value'`, as libpq reads it.
fn key_values(text: &str) -> Result<BTreeMap<String, String>, String> {
    let mut settings = BTreeMap::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let neither = "it is neither a URL nor key=value pairs";
        let (key, after) = rest.split_once('=').ok_or(neither)?;
        if !key.trim().chars().all(|c| c.is_ascii_lowercase() || c == '_') {
            return Err(neither.to_owned());
        }
        let mut value = String::new();
        let after = after.trim_start();
        let quoted = after.starts_with('\'');
        let mut letters = after.char_indices().skip(usize::from(quoted));
        let mut end = after.len();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '\\' => value.extend(letters.next().map(|(_, c)| c)),
                '\'' if quoted => {
                    end = at + 1;
                    break;
                }
                c if c.is_whitespace() && !quoted => {
                    end = at;
                    break;
                }
                c => value.push(c),
            }
        }
        settings.insert(key.trim().to_owned(), value);
        rest = after[end..].trim_start();
    }
    Ok(settings)
}

/// A Redis target from `redis://`, `rediss://`, `valkey://`, `unix://` or `redis+unix://`.
///
/// # Errors
/// What is wrong with it, without its password.
pub fn redis(text: &str) -> Result<RedisConnect, String> {
    let parts = split(text)?;
    let unix = matches!(parts.scheme.as_str(), "unix" | "redis+unix");
    if !unix && !matches!(parts.scheme.as_str(), "redis" | "rediss" | "valkey" | "valkeys") {
        return Err(format!("`{}://` is not Redis", parts.scheme));
    }
    let (host, port) = parts.host("name one of them, and the others as `nodes` or `sentinels`")?;
    let database = if unix { "" } else { parts.path.trim_matches('/') };
    let database = parts.query.get("db").map_or(database, String::as_str);
    let ca = redis_options(&parts.query)?;
    Ok(RedisConnect {
        host: if host.is_empty() { "localhost".to_owned() } else { host },
        port: port.unwrap_or(6379),
        unix_socket: unix.then(|| PathBuf::from(&parts.path)),
        database: match database {
            "" => 0,
            number => number
                .parse()
                .ok()
                .filter(|number| *number >= 0)
                .ok_or_else(|| format!("its path is not the number of a database; {ESCAPES}"))?,
        },
        user: parts.user,
        password: parts.password,
        tls: matches!(parts.scheme.as_str(), "rediss" | "valkeys"),
        root_cert: ca,
        ..RedisConnect::default()
    })
}

/// A Redis target whose password is known by now: a user without one would be passed over in silence.
///
/// # Errors
/// How a password alone is written, which is what stands there most often.
pub(super) fn redis_whole(text: &str) -> Result<RedisConnect, String> {
    redis(text).and_then(redis_login)
}

pub(super) fn redis_login(redis: RedisConnect) -> Result<RedisConnect, String> {
    match &redis.user {
        Some(user) if redis.password.is_none() && user != "default" => {
            Err("it names a user and no password (a password alone is written redis://:password@host)"
                .to_owned())
        }
        Some(_) | None => Ok(redis),
    }
}

/// What clients of Redis write into a URL for themselves: about time and pools, or weaker than what is done here anyway.
const OF_CLIENTS: [&str; 17] = [
    "family",
    "protocol",
    "client_name",
    "clientName",
    "name",
    "timeout",
    "connect_timeout",
    "socket_timeout",
    "socket_connect_timeout",
    "retry_on_timeout",
    "health_check_interval",
    "max_connections",
    "maxRetriesPerRequest",
    "decode_responses",
    "encoding",
    "ssl_cert_reqs",
    "ssl_check_hostname",
];

/// Looks at the options of a Redis URL; the file of trusted roots is one of them.
fn redis_options(query: &BTreeMap<String, String>) -> Result<Option<PathBuf>, String> {
    let known = ["db", "ssl_ca_certs"];
    for key in query.keys().map(String::as_str) {
        if matches!(key, "ssl" | "tls") {
            return Err("there is no option for TLS in a Redis URL: write rediss://".to_owned());
        }
        if !known.contains(&key) && !OF_CLIENTS.contains(&key) {
            let meant = suggestion(key, known.into_iter().chain(OF_CLIENTS));
            return Err(format!("it has an option that is not one of a Redis URL{meant}"));
        }
    }
    Ok(query.get("ssl_ca_certs").map(PathBuf::from))
}

/// `https://user:password@one:9200,two:9200/path` as the URL of the first node and those of the others, which need no credentials there.
fn nodes(text: &str) -> (String, Vec<String>) {
    let Some((scheme, rest)) = text.split_once("://") else { return (text.to_owned(), Vec::new()) };
    let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    if rest[..rest.len() - place.len()].contains('/') {
        // That sign stands in a path.
        return (text.to_owned(), Vec::new());
    }
    let end = place.find(['/', '?', '#']).unwrap_or(place.len());
    let (hosts, path) = place.split_at(end);
    let mut hosts = hosts.split(',').map(str::trim);
    let login = &rest[..rest.len() - place.len()];
    let first = format!("{scheme}://{login}{}{path}", hosts.next().unwrap_or_default());
    (first, hosts.map(|host| format!("{scheme}://{host}{path}")).collect())
}

/// An HTTP target as [`http`], for a server that is asked for many paths: nothing may stand behind a `?`, because nobody would read it.
///
/// # Errors
/// As [`http`].
pub fn http_base(text: &str) -> Result<HttpConnect, String> {
    let (first, rest) = nodes(text);
    let mut http = http(&first)?;
    for node in rest {
        http.others.push(self::http(&node)?.url);
    }
    if http.url.contains(['?', '#']) {
        return Err(
            "it has options behind a `?`, and nothing reads them: certificates are always looked at \
             (`ca` names the authority), credentials have keys of their own"
                .to_owned(),
        );
    }
    Ok(http)
}

/// An HTTP target; user and password in the URL become basic authentication.
///
/// # Errors
/// What is wrong with it, without its password.
pub fn http(text: &str) -> Result<HttpConnect, String> {
    let parts = split(text)?;
    if !matches!(parts.scheme.as_str(), "http" | "https") {
        return Err(format!("`{}://` is not http:// or https://", parts.scheme));
    }
    if parts.host("each is a target of its own")?.0.is_empty() {
        return Err(format!("it names no host; {ESCAPES}"));
    }
    let rest = text.split_once("://").map_or("", |(_, rest)| rest);
    let (authority, path) = rest.find(['/', '?']).map_or((rest, ""), |at| rest.split_at(at));
    let bare = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
    let place = format!("{bare}{path}");
    let auth = match (parts.user, parts.password) {
        (Some(user), password) => {
            HttpAuth::Basic { user, password: password.unwrap_or_else(|| Secret::inline("")) }
        }
        (None, _) => HttpAuth::None,
    };
    Ok(HttpConnect { auth, ..HttpConnect::plain(format!("{}://{place}", parts.scheme)) })
}

/// Host and port of something that is only connected to: `host:port`, `tcp://host:port`, `mongodb://host`.
pub(super) fn place(text: &str) -> Result<(String, Option<u16>), String> {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
    let (host, port) = host_and_port(place)?;
    if !is_host(&host) {
        return Err(format!("it names no host; {ESCAPES}"));
    }
    Ok((host, port))
}

/// A Postgres URL of the command line.
pub(super) fn postgres_given(text: &str, around: &Surroundings) -> Result<PostgresConnect, String> {
    postgres_around(text, None, around)
}

/// A Redis URL of the command line.
pub(super) fn redis_given(text: &str, _: &Surroundings) -> Result<RedisConnect, String> {
    redis_whole(text)
}

/// The URL of an HTTP server on the command line, whose paths are asked below it.
pub(super) fn base_given(text: &str, _: &Surroundings) -> Result<HttpConnect, String> {
    http_base(text)
}

/// The URL of what is asked as it is written.
pub(super) fn endpoint_given(text: &str, _: &Surroundings) -> Result<HttpConnect, String> {
    http(text)
}

/// A file of lines: `file:///var/log/shop.log`.
pub(super) fn file_given(text: &str, _: &Surroundings) -> Result<LogConnect, String> {
    let (_, rest) = text.split_once("://").unwrap_or_default();
    let path = decode(rest.strip_prefix("localhost").unwrap_or(rest));
    if !path.starts_with('/') {
        return Err("it names no whole path; write file:///var/log/shop.log".to_owned());
    }
    Ok(LogConnect::file(path.into()))
}

#[cfg(test)]
mod tests;
