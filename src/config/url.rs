//! Connection strings as people write them: `postgres://`, `key=value`, `redis://`, `http://`. A password never reaches an error text.

use super::secret::Secret;
use super::target::{HttpAuth, HttpConnect, PgTls, PostgresConnect, RedisConnect, TENANT_COLUMN};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A URL taken apart. Percent-encoding is already undone.
#[derive(Debug, Default)]
struct Parts {
    scheme: String,
    user: Option<String>,
    password: Option<Secret>,
    host: String,
    port: Option<u16>,
    path: String,
    query: BTreeMap<String, String>,
}

fn split(url: &str) -> Result<Parts, String> {
    let (scheme, rest) =
        url.split_once("://").ok_or("it has no scheme (write postgres://, redis:// or http://)")?;
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = rest.split_once('/').map_or((rest, String::new()), |(a, p)| (a, format!("/{p}")));
    let (login, place) =
        authority.rsplit_once('@').map_or((None, authority), |(login, place)| (Some(login), place));
    let mut parts = Parts { scheme: scheme.to_ascii_lowercase(), path: decode(&path), ..Parts::default() };
    if let Some(login) = login {
        let (user, password) = login.split_once(':').map_or((login, None), |(u, p)| (u, Some(p)));
        parts.user = Some(decode(user)).filter(|user| !user.is_empty());
        parts.password = password.map(|password| Secret::inline(decode(password)));
    }
    // Of several hosts the first one is watched; each host is a target of its own otherwise.
    let place = place.split(',').next().unwrap_or_default();
    let (host, port) = host_and_port(place)?;
    parts.host = decode(&host);
    parts.port = port;
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        parts.query.insert(decode(key), decode(value));
    }
    Ok(parts)
}

fn host_and_port(place: &str) -> Result<(String, Option<u16>), String> {
    let (host, port) = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((v6, rest)) => (v6.to_owned(), rest.strip_prefix(':')),
        None => place
            .rsplit_once(':')
            .map_or((place.to_owned(), None), |(host, port)| (host.to_owned(), Some(port))),
    };
    match port.filter(|port| !port.is_empty()) {
        None => Ok((host, None)),
        Some(port) => {
            let number = port.parse().map_err(|_| format!("`{port}` is not a port (1–65535)"))?;
            Ok((host, Some(number)))
        }
    }
}

/// Undoes percent-encoding; a `%` that begins none stays as it is.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = |byte: Option<&u8>| byte.and_then(|b| char::from(*b).to_digit(16));
        if let (b'%', Some(high), Some(low)) = (bytes[at], hex(bytes.get(at + 1)), hex(bytes.get(at + 2))) {
            out.push((high * 16 + low) as u8);
            at += 3;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
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
        Some(port) => port.parse().map_err(|_| format!("`{port}` is not a port (1–65535)"))?,
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
                "`{word}` is no TLS mode; there are disable, allow, prefer, require, verify-ca, verify-full"
            ));
        }
    })
}

/// `key=value key='quoted value'`, as libpq reads it.
fn key_values(text: &str) -> Result<BTreeMap<String, String>, String> {
    let mut settings = BTreeMap::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=').ok_or("it is neither a URL nor key=value pairs")?;
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
                .ok_or_else(|| format!("`{number}` is not a database number"))?,
        },
        user: parts.user,
        password: parts.password,
        tls: matches!(parts.scheme.as_str(), "rediss" | "valkeys"),
        ..RedisConnect::default()
    })
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
        return Err("it names no host".to_owned());
    }
    let rest = text.split_once("://").map_or("", |(_, rest)| rest);
    let (authority, path) = rest.find(['/', '?']).map_or((rest, ""), |at| rest.split_at(at));
    let bare = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
    let place = format!("{bare}{path}");
    Ok(HttpConnect {
        url: format!("{}://{place}", parts.scheme),
        auth: match (parts.user, parts.password) {
            (Some(user), Some(password)) => HttpAuth::Basic { user, password },
            _ => HttpAuth::None,
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
        refused(postgres("postgres://ana:geheim@db:99999/app"), "not a port");
        refused(postgres("postgres://db/app"), "no user");
        refused(postgres("postgres://ana:geheim@db/app?sslmode=yes"), "verify-full");
        refused(redis("redis://:geheim@h/x"), "database number");
        refused(http("ftp://ana:geheim@h"), "not http");
        refused(postgres("geheim").map_err(|e| e.replace("geheim", "")), "neither");
    }
}
