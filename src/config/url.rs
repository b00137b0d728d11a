//! Connection strings as people write them: `postgres://`, `key=value`, `redis://`, `http://`.
//!
//! No error repeats anything behind the scheme: where a password holds an unescaped letter, its parts stand where host, port and path
//! are looked for. Such a URL is refused instead of being read wrongly, because a wrong host would be told to everybody later.

use super::near::suggestion;
use super::secret::Secret;
use super::target::{HttpAuth, HttpConnect, PgTls, PostgresConnect, RedisConnect, TENANT_COLUMN};
use percent_encoding::percent_decode_str;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What every complaint about the shape of a URL ends with.
const ESCAPES: &str =
    "a `/`, `?`, `#`, `@` or `:` in a user name or password is written %2F, %3F, %23, %40 or %3A";
/// No scheme of ours is longer; what is longer is something else.
const SCHEME_CHARS: usize = 16;

/// A URL taken apart. Percent-encoding is already undone.
#[derive(Default)]
struct Parts {
    scheme: String,
    user: Option<String>,
    password: Option<Secret>,
    host: String,
    port: Option<u16>,
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
    // Of several hosts the first one is watched; each host is a target of its own otherwise.
    let place = place.split(',').next().unwrap_or_default();
    let (host, port) = host_and_port(place).map_err(|why| format!("{why}; {ESCAPES}"))?;
    parts.host = host;
    parts.port = port;
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

/// A port that something can listen on.
fn port(text: &str) -> Result<u16, String> {
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

/// Undoes percent-encoding; a `%` that begins none stays as it is.
fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// A Postgres target from a URL or a `key=value` string.
///
/// # Errors
/// What is wrong with it, without its password.
pub fn postgres(text: &str) -> Result<PostgresConnect, String> {
    let settings = if text.contains("://") {
        let parts = split(text)?;
        if !matches!(parts.scheme.as_str(), "postgres" | "postgresql") {
            return Err(format!("`{}://` is not Postgres", parts.scheme));
        }
        let mut settings = parts.query;
        let mut set = |key: &str, value: Option<String>| {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                settings.insert(key.to_owned(), value);
            }
        };
        set("host", Some(parts.host));
        set("port", parts.port.map(|port| port.to_string()));
        set("user", parts.user);
        set("dbname", Some(parts.path.trim_start_matches('/').to_owned()));
        return from_settings(&settings, parts.password);
    } else {
        key_values(text)?
    };
    from_settings(&settings, None)
}

/// A Postgres target from libpq's settings (`host`, `port`, `user`, `dbname`, `password`, `sslmode`, …).
///
/// # Errors
/// What is wrong with them.
pub fn from_settings(
    settings: &BTreeMap<String, String>,
    password: Option<Secret>,
) -> Result<PostgresConnect, String> {
    let get = |key: &str| settings.get(key).filter(|value| !value.is_empty()).cloned();
    let user = get("user").ok_or("it names no user")?;
    let port = match get("port") {
        None => 5432,
        Some(text) => port(&text)?,
    };
    let tls = match get("sslmode") {
        None => PgTls::default(),
        Some(mode) => tls_mode(&mode)?,
    };
    let pair = get("sslcert").zip(get("sslkey"));
    Ok(PostgresConnect {
        host: get("host").or_else(|| get("hostaddr")).unwrap_or_else(|| "localhost".to_owned()),
        port,
        database: get("dbname").unwrap_or_else(|| user.clone()),
        user,
        password: password.or_else(|| get("password").map(Secret::inline)),
        tls,
        root_cert: get("sslrootcert").map(PathBuf::from),
        client_cert: pair.map(|(cert, key)| (cert.into(), key.into())),
        panels: Vec::new(),
        pgbouncer: None,
        rotation: None,
        backups: None,
        tenant_column: TENANT_COLUMN.to_owned(),
    })
}

/// libpq's words.
const TLS_MODES: [&str; 6] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

/// A TLS mode by libpq's word.
///
/// # Errors
/// Names the words that there are.
pub fn tls_mode(word: &str) -> Result<PgTls, String> {
    Ok(match word {
        "disable" => PgTls::Disable,
        "allow" => PgTls::Allow,
        "prefer" => PgTls::Prefer,
        "require" => PgTls::Require,
        "verify-ca" => PgTls::VerifyCa,
        "verify-full" => PgTls::VerifyFull,
        _ => {
            return Err(format!(
                "sslmode has a word that is no TLS mode; there are {}{}",
                TLS_MODES.join(", "),
                suggestion(word, TLS_MODES)
            ));
        }
    })
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
    let database = if unix { "" } else { parts.path.trim_matches('/') };
    let database = parts.query.get("db").map_or(database, String::as_str);
    Ok(RedisConnect {
        host: if parts.host.is_empty() { "localhost".to_owned() } else { parts.host },
        port: parts.port.unwrap_or(6379),
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
        ..RedisConnect::default()
    })
}

/// A Redis target whose password is known by now: a user without one would be passed over in silence.
///
/// # Errors
/// How a password alone is written, which is what stands there most often.
pub(super) fn redis_login(redis: RedisConnect) -> Result<RedisConnect, String> {
    match &redis.user {
        Some(user) if redis.password.is_none() && user != "default" => {
            Err("it names a user and no password (a password alone is written redis://:password@host)"
                .to_owned())
        }
        Some(_) | None => Ok(redis),
    }
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
    if parts.host.is_empty() {
        return Err(format!("it names no host; {ESCAPES}"));
    }
    let rest = text.split_once("://").map_or("", |(_, rest)| rest);
    let (authority, path) = rest.find(['/', '?']).map_or((rest, ""), |at| rest.split_at(at));
    let bare = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
    let place = format!("{bare}{path}");
    Ok(HttpConnect {
        url: format!("{}://{place}", parts.scheme),
        auth: match (parts.user, parts.password) {
            (Some(user), password) => {
                HttpAuth::Basic { user, password: password.unwrap_or_else(|| Secret::inline("")) }
            }
            (None, _) => HttpAuth::None,
        },
        root_cert: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    fn plain(secret: Option<&Secret>) -> String {
        secret.map_or_else(String::new, |secret| secret.read().unwrap().expose_secret().to_owned())
    }

    #[track_caller]
    fn pg(text: &str, expected: &str) {
        let got = postgres(text).unwrap();
        let shown = format!(
            "{} {} {} {} {} {:?}",
            got.host,
            got.port,
            got.user,
            got.database,
            plain(got.password.as_ref()),
            got.tls
        );
        assert_eq!(shown, expected);
    }

    #[test]
    fn postgres_urls() {
        pg("postgres://ana:p%40ss@db:5433/app", "db 5433 ana app p@ss Prefer");
        pg("postgresql://ana@[::1]/", "::1 5432 ana ana  Prefer");
        pg(
            "postgres://ana@/app?host=/var/run/postgresql&sslmode=verify-full",
            "/var/run/postgresql 5432 ana app  VerifyFull",
        );
        pg("postgres://ana:x@one:1,two:2/app", "one 1 ana app x Prefer");
        pg("host=db user=ana password='a b\\'c' dbname=app sslmode=disable", "db 5432 ana app a b'c Disable");
    }

    #[test]
    fn redis_urls() {
        let got = redis("rediss://:s%3Acret@cache:6380/2").unwrap();
        assert_eq!((got.host.as_str(), got.port, got.database, got.tls), ("cache", 6380, 2, true));
        assert_eq!(plain(got.password.as_ref()), "s:cret");
        assert_eq!(got.user, None);
        let unix = redis("unix:///run/redis.sock?db=3").unwrap();
        assert_eq!(unix.unix_socket, Some(PathBuf::from("/run/redis.sock")));
        assert_eq!(unix.database, 3);
        assert_eq!(redis("redis://localhost").unwrap().port, 6379);
    }

    #[test]
    fn http_urls_give_up_their_password() {
        let got = http("https://elastic:geheim@es:9200/prefix?x=1").unwrap();
        assert_eq!(got.url, "https://es:9200/prefix?x=1");
        assert_eq!(got.shown_url(), "https://es:9200/prefix");
        assert!(matches!(got.auth, HttpAuth::Basic { .. }));
        assert!(!format!("{got:?}").contains("geheim"));
    }

    #[track_caller]
    fn refused(result: Result<impl std::fmt::Debug, String>, says: &str) {
        let error = result.unwrap_err();
        assert!(error.contains(says), "{error}");
        assert!(!error.contains("geheim"), "{error}");
    }

    #[test]
    fn mistakes_are_named_without_the_password() {
        refused(postgres("mysql://ana:geheim@db/app"), "not Postgres");
        refused(postgres("postgres://ana:geheim@db:99999/app"), "its port is not a number");
        refused(postgres("postgres://ana:geheim@db:0/app"), "its port is not a number");
        refused(postgres("host=db user=ana port=geheim"), "its port is not a number");
        refused(postgres("postgres://ana:x@d b/app"), "no host name");
        refused(redis("redis://[::1]geheim:1/0"), "no host name");
        refused(postgres("postgres://db/app"), "no user");
        refused(postgres("postgres://ana:geheim@db/app?sslmode=geheim"), "verify-full");
        refused(postgres("postgres://ana:geheim@db/app?sslmode=verify-ful"), "did you mean `verify-full`?");
        refused(redis("redis://:geheim@h/x"), "number of a database");
        refused(http("ftp://ana:geheim@h"), "not http");
        refused(postgres("geheim"), "neither");
        refused(postgres("geheim=x"), "no user");
        refused(postgres("ana:geheim=x"), "neither");
    }

    #[test]
    fn a_password_with_an_unescaped_letter_is_refused_and_not_repeated() {
        for letter in ['/', '?'] {
            let url = |scheme: &str| format!("{scheme}://ana:ge{letter}heim@db/0");
            for error in [
                postgres(&url("postgres")).unwrap_err(),
                redis(&url("redis")).unwrap_err(),
                http(&url("https")).unwrap_err(),
            ] {
                assert!(error.contains("%2F") && !error.contains("ge"), "{error}");
            }
        }
        // These are no doubt: the last `@` ends the login.
        let got = postgres("postgres://ana:a@b#c:d@db/app").unwrap();
        assert_eq!((got.host.as_str(), plain(got.password.as_ref()).as_str()), ("db", "a@b#c:d"));
    }
}
