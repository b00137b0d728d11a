//! libpq's rules: which settings there are, where one comes from that is not given (service file, environment, default), and what
//! they mean together. A setting that makes a connection safer and cannot be honoured is refused, never ignored.

mod given;
mod tls;

pub use given::Settings;

use super::host;
use super::misspelt::suggestion;
use super::postgres::{PgHost, PgPlace, PgTls, PostgresConnect, SessionAttrs};
use super::secret::Secret;
use super::service;
use super::surroundings::Surroundings;
use super::ways::Ways;
use given::Given;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tls::tls;

/// What becomes of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    /// It is honoured.
    Honoured,
    /// Without it the connection is as safe, and shows the same.
    Harmless,
    /// It cannot be honoured, and that is said.
    Refused(&'static str),
}
use Use::{Harmless, Honoured, Refused};

/// Why a login by the keys of SCRAM is refused.
const KEYS: &str =
    "a key in place of a password is not spoken here; give the password itself, or a certificate";
/// Why a login by OAuth is refused.
const OAUTH: &str = "OAuth is not spoken here; log in by password or certificate";

/// Every setting that libpq 18 knows, its variable, and what becomes of it here.
const SETTINGS: &[(&str, &str, Use)] = &[
    ("host", "PGHOST", Honoured),
    ("hostaddr", "PGHOSTADDR", Honoured),
    ("port", "PGPORT", Honoured),
    ("dbname", "PGDATABASE", Honoured),
    ("user", "PGUSER", Honoured),
    ("password", "", Honoured),
    ("passfile", "", Honoured),
    ("service", "", Honoured),
    ("servicefile", "", Honoured),
    ("sslmode", "PGSSLMODE", Honoured),
    ("requiressl", "PGREQUIRESSL", Honoured),
    ("sslrootcert", "PGSSLROOTCERT", Honoured),
    ("sslcrl", "PGSSLCRL", Honoured),
    ("sslcert", "PGSSLCERT", Honoured),
    ("sslkey", "PGSSLKEY", Honoured),
    ("sslcertmode", "PGSSLCERTMODE", Honoured),
    ("sslsni", "PGSSLSNI", Honoured),
    ("sslnegotiation", "PGSSLNEGOTIATION", Honoured),
    ("ssl_min_protocol_version", "PGSSLMINPROTOCOLVERSION", Honoured),
    ("ssl_max_protocol_version", "PGSSLMAXPROTOCOLVERSION", Honoured),
    ("channel_binding", "PGCHANNELBINDING", Honoured),
    ("target_session_attrs", "PGTARGETSESSIONATTRS", Honoured),
    ("load_balance_hosts", "PGLOADBALANCEHOSTS", Honoured),
    ("requirepeer", "PGREQUIREPEER", Honoured),
    ("gssencmode", "PGGSSENCMODE", Honoured),
    ("options", "PGOPTIONS", Honoured),
    ("connect_timeout", "PGCONNECT_TIMEOUT", Honoured),
    ("require_auth", "PGREQUIREAUTH", Honoured),
    ("sslcrldir", "PGSSLCRLDIR", Honoured),
    ("sslpassword", "", Honoured),
    ("replication", "", Refused("stacktop speaks on ordinary connections")),
    ("scram_client_key", "", Refused(KEYS)),
    ("scram_server_key", "", Refused(KEYS)),
    ("oauth_issuer", "", Refused(OAUTH)),
    ("oauth_client_id", "", Refused(OAUTH)),
    ("oauth_client_secret", "", Refused(OAUTH)),
    ("oauth_scope", "", Refused(OAUTH)),
    ("application_name", "PGAPPNAME", Harmless),
    ("fallback_application_name", "", Harmless),
    ("client_encoding", "PGCLIENTENCODING", Harmless),
    ("keepalives", "", Harmless),
    ("keepalives_idle", "", Harmless),
    ("keepalives_interval", "", Harmless),
    ("keepalives_count", "", Harmless),
    ("tcp_user_timeout", "", Harmless),
    ("sslcompression", "PGSSLCOMPRESSION", Harmless),
    ("sslkeylogfile", "", Harmless),
    ("krbsrvname", "PGKRBSRVNAME", Honoured),
    ("gsslib", "PGGSSLIB", Harmless),
    ("gssdelegation", "PGGSSDELEGATION", Harmless),
    ("min_protocol_version", "PGMINPROTOCOLVERSION", Honoured),
    ("max_protocol_version", "PGMAXPROTOCOLVERSION", Honoured),
];

/// What other libraries write into a `DATABASE_URL` for themselves: about their pools and schemas, nothing that guards a connection.
const OF_OTHERS: [&str; 26] = [
    "schema",
    "pgbouncer",
    "connection_limit",
    "pool_timeout",
    "pool_size",
    "pool",
    "max",
    "socket_timeout",
    "statement_cache_size",
    "prepared_statements",
    "prepareThreshold",
    "currentSchema",
    "ApplicationName",
    "tcpKeepAlive",
    "reconnect",
    "encoding",
    "supa",
    "search_path",
    "serverVersion",
    "charset",
    "loginTimeout",
    "connectTimeout",
    "socketTimeout",
    "stringtype",
    "reWriteBatchedInserts",
    "prepared_statement_cache_size",
];

/// A connection from the settings that were written down, completed as libpq does it. `ca` is the key of that name in our own
/// configuration: whoever gives one wants the server verified.
///
/// # Errors
/// What is wrong with them, without a secret.
pub fn complete(
    written: Settings,
    password: Option<Secret>,
    ca: Option<&Path>,
    around: &Surroundings,
) -> Result<PostgresConnect, String> {
    let mut settings = translate(written)?;
    known(&settings)?;
    service::fill(&mut settings, around)?;
    known(&settings)?;
    for (name, variable, treatment) in SETTINGS {
        // Empty, this one is not the same as not set: it allows a server that asks for nothing, and no other.
        let value = if *name == "require_auth" { around.set(variable) } else { around.var(variable) };
        if let (false, Some(value)) = (settings.contains_key(*name), value) {
            if let Refused(why) = treatment {
                return Err(format!("{variable} is set and cannot be honoured: {why}"));
            }
            settings.insert((*name).to_owned(), value);
        }
    }
    if let Some(ca) = ca {
        settings.insert("sslrootcert".to_owned(), ca.display().to_string());
        settings.entry("sslmode".to_owned()).or_insert_with(|| "verify-full".to_owned());
    }
    let given = Given(settings);
    let hosts = hosts(&given, around)?;
    let user = given.get("user").map(str::to_owned).or_else(|| around.user());
    let user =
        user.ok_or("it names no user, and this process runs as nobody that the system knows by name")?;
    let database = given.get("dbname").map_or_else(|| user.clone(), str::to_owned);
    let first = hosts.first().cloned().ok_or("it names no host")?;
    let mut pg = PostgresConnect { hosts, ..PostgresConnect::new(first, user, database) };
    pg.password = password.or_else(|| given.get("password").map(Secret::inline));
    pg.passfile = given.get("passfile").map(PathBuf::from);
    sessions(&given, &mut pg)?;
    tls(&given, &mut pg, around)?;
    if ca.is_some() && matches!(pg.tls, PgTls::Disable | PgTls::Allow | PgTls::Prefer) {
        return Err("`ca` is given, but its sslmode lets a connection be made without looking at it: write \
             sslmode=verify-full, or remove `ca`"
            .to_owned());
    }
    if ca.is_some() && pg.hosts.iter().any(|host| matches!(host.place, PgPlace::Socket(_))) {
        return Err(
            "`ca` is given, but there is no TLS on a unix socket: name the host, or remove `ca`".to_owned()
        );
    }
    Ok(pg)
}

/// The server of this machine that nobody named: through its socket, where the server knows the user from the system, unless
/// somebody else is meant.
///
/// # Errors
/// As [`complete`].
pub fn on_this_machine(around: &Surroundings, port: u16) -> Result<PostgresConnect, String> {
    let mut settings = Settings::from([("port".to_owned(), port.to_string())]);
    let another = around.var("PGUSER").is_some_and(|user| Some(user) != around.user());
    if around.socket(port).is_none() || (another && around.answers(port)) {
        settings.insert("host".to_owned(), "127.0.0.1".to_owned());
    }
    settings.insert("dbname".to_owned(), around.var("PGDATABASE").unwrap_or_else(|| "postgres".to_owned()));
    if around.user().is_none() {
        settings.entry("user".to_owned()).or_insert_with(|| "postgres".to_owned());
    }
    complete(settings, None, None, around)
}

/// Ways of writing that mean another setting.
fn translate(mut settings: Settings) -> Result<Settings, String> {
    // As libpq does it in URLs, for those who come from JDBC.
    match settings.remove("ssl").as_deref() {
        None => {}
        Some("true" | "1") => {
            settings.entry("sslmode".to_owned()).or_insert_with(|| "require".to_owned());
        }
        // As asyncpg writes it.
        Some(mode @ ("disable" | "allow" | "prefer" | "require" | "verify-ca" | "verify-full")) => {
            settings.entry("sslmode".to_owned()).or_insert_with(|| mode.to_owned());
        }
        Some(_) => return Err("ssl= is not one of libpq's settings; write sslmode=".to_owned()),
    }
    // Prisma's word for looking at certificates.
    if let Some(accept) = settings.remove("sslaccept") {
        if accept != "strict" && accept != "accept_invalid_certs" {
            return Err("sslaccept= is not known; write sslmode=verify-full".to_owned());
        }
        if accept == "strict" {
            settings.insert("sslmode".to_owned(), "verify-full".to_owned());
        }
    }
    Ok(settings)
}

/// Refuses what nobody knows and what cannot be honoured.
fn known(settings: &Settings) -> Result<(), String> {
    for (name, value) in settings {
        match SETTINGS.iter().find(|(known, ..)| known == name) {
            Some((_, _, Refused(why))) if !value.is_empty() => {
                return Err(format!("{name}= cannot be honoured: {why}"));
            }
            Some(_) => {}
            None if OF_OTHERS.contains(&name.as_str()) => {}
            None => {
                let meant = suggestion(name, SETTINGS.iter().map(|(known, ..)| *known));
                return Err(format!(
                    "it has an option that is not a setting of a Postgres connection{meant}"
                ));
            }
        }
    }
    Ok(())
}

fn hosts(given: &Given, around: &Surroundings) -> Result<Vec<PgHost>, String> {
    let (names, addresses, ports) = (given.list("host"), given.list("hostaddr"), given.list("port"));
    let count = names.len().max(addresses.len()).max(1);
    if !names.is_empty() && !addresses.is_empty() && names.len() != addresses.len() {
        return Err(format!("{} hosts and {} hostaddrs do not fit together", names.len(), addresses.len()));
    }
    if ports.len() > 1 && ports.len() != count {
        return Err(format!("{count} hosts and {} ports do not fit together", ports.len()));
    }
    let item = |list: &[String], at: usize| list.get(at).filter(|item| !item.is_empty()).cloned();
    let one = |at: usize| {
        let port = item(&ports, if ports.len() == 1 { 0 } else { at });
        let port = match port {
            None => 5432,
            Some(text) => host::port(&text)?,
        };
        let place = match (item(&names, at), item(&addresses, at)) {
            (name, Some(address)) => {
                let address =
                    address.parse().map_err(|_| "hostaddr holds what is not an address".to_owned())?;
                PgPlace::Address(address, name)
            }
            (Some(name), None) if name.starts_with('/') => PgPlace::Socket(name.into()),
            (Some(name), None) if name.starts_with('@') => {
                return Err("sockets in the abstract namespace (host=@…) are not supported".to_owned());
            }
            (Some(name), None) if host::is_host(&name) => PgPlace::Name(name),
            (Some(_), None) => return Err("its host is no host name or address".to_owned()),
            (None, None) => around
                .socket_folder(port)
                .map_or_else(|| PgPlace::Name("localhost".to_owned()), PgPlace::Socket),
        };
        Ok(PgHost::new(place, port))
    };
    (0..count).map(one).collect()
}

/// Which server, and how the session begins.
fn sessions(given: &Given, pg: &mut PostgresConnect) -> Result<(), String> {
    let attrs = [
        SessionAttrs::Any,
        SessionAttrs::ReadWrite,
        SessionAttrs::ReadOnly,
        SessionAttrs::Primary,
        SessionAttrs::Standby,
        SessionAttrs::PreferStandby,
    ];
    pg.session =
        given.word("target_session_attrs", &attrs.map(|attrs| (attrs.word(), attrs)))?.unwrap_or_default();
    let balance = given.word("load_balance_hosts", &[("disable", false), ("random", true)])?;
    pg.balance = balance.unwrap_or_default();
    if given.word("gssencmode", &[("disable", false), ("prefer", false), ("require", true)])? == Some(true) {
        return Err("gssencmode=require cannot be honoured: Kerberos is not spoken here; use TLS".to_owned());
    }
    // The name that everybody has says nothing.
    if given.get("krbsrvname").is_some_and(|name| name != "postgres") {
        return Err("krbsrvname= cannot be honoured: Kerberos is not spoken here; log in by password or \
             certificate, and leave it out"
            .to_owned());
    }
    protocol(given)?;
    pg.require_peer = given.get("requirepeer").map(str::to_owned);
    pg.require_auth = given.0.get("require_auth").map(|text| Ways::read(text)).transpose()?;
    pg.options = given.get("options").map(str::to_owned);
    if let Some(seconds) = given.get("connect_timeout") {
        let seconds: i64 =
            seconds.parse().map_err(|_| "connect_timeout is no number of seconds".to_owned())?;
        // libpq: zero and less wait for ever, one is two.
        pg.host_timeout =
            u64::try_from(seconds).ok().filter(|s| *s > 0).map(|s| Duration::from_secs(s.max(2)));
    }
    Ok(())
}

/// Of the protocol only its version 3.0 is spoken, which every server knows.
fn protocol(given: &Given) -> Result<(), String> {
    const ALL: [(&str, u8); 3] = [("3.0", 0), ("3.2", 2), ("latest", 2)];
    given.word("max_protocol_version", &ALL)?;
    match given.word("min_protocol_version", &ALL)? {
        None | Some(0) => Ok(()),
        Some(_) => Err("min_protocol_version cannot be honoured: version 3.0 of the protocol is spoken here; leave it out"
            .to_owned()),
    }
}

#[cfg(test)]
mod tests;
