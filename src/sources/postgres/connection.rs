//! One connection to Postgres: TLS, credentials, session settings in the start-up packet, errors as sentences by SQLSTATE.

pub use super::asking::{Connection, Parameter, Row};
use super::charset::Charset;
use super::settings::Settings;
use super::tls;
use crate::config::target::{PgTls, PostgresConnect};
use crate::core::part::{Gap, GapKind};
use crate::core::report::{PollError, PollErrorKind};
use secrecy::ExposeSecret;
use std::sync::Mutex;
use std::time::Duration;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, Error, config::SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

/// What to do about a server that lets nobody in.
const WHO_LOCKS: &str = "a session that is open already can say who (pg_locks); end that one";
/// What to do about a server that says nothing.
const SILENT: &str = "check host and port; the server may hang, another one may be there, or a lock on pg_database or pg_authid lets \
     nobody in: a session that is open already can say who holds it";

/// A server that takes a connection answers within this, or it hangs, or it is none of ours.
const HANDSHAKE: Duration = Duration::from_secs(3);

/// Connects, within [`HANDSHAKE`].
///
/// # Errors
/// A sentence that says which server, what is wrong and what would mend it.
pub async fn connect(connect: &PostgresConnect, settings: &Settings) -> Result<Connection, PollError> {
    connect_as(connect, settings, "stacktop").await
}

/// Connects under `name`, by which people find the session.
///
/// # Errors
/// As [`connect`].
pub async fn connect_as(
    connect: &PostgresConnect,
    settings: &Settings,
    name: &str,
) -> Result<Connection, PollError> {
    let refused = match connect_with(connect, settings, true, modes(connect), name).await {
        // It takes no settings at the start, or takes them and has others: they go into each transaction.
        Err(Refused::Settings(_)) => {
            let modes: &[SslMode] = match connect.tls {
                // What is preferred is not known afterwards; what was asked for is.
                PgTls::Prefer => &[SslMode::Require, SslMode::Disable],
                _ => modes(connect),
            };
            connect_with(connect, settings, false, modes, name).await
        }
        result => result,
    };
    refused.map_err(|(Refused::Settings(error) | Refused::Other(error))| error)
}

/// Why there is no connection.
enum Refused {
    /// The session cannot be set as it must be.
    Settings(PollError),
    /// Anything else.
    Other(PollError),
}

async fn connect_with(
    connect: &PostgresConnect,
    settings: &Settings,
    at_start: bool,
    modes: &[SslMode],
    name: &str,
) -> Result<Connection, Refused> {
    let (mut config, connector) = prepare(connect, name).await.map_err(Refused::Other)?;
    if at_start {
        config.options(settings.options());
    }
    let place = format!("{}:{}/{}", connect.host, connect.port, connect.database);
    let mut last = None;
    for mode in modes {
        config.ssl_mode(*mode);
        let pooled = (!at_start).then_some(*mode == SslMode::Require);
        match tokio::time::timeout(HANDSHAKE, open(&config, &connector, settings, pooled)).await {
            Ok(Ok(Ok(connection))) => return Ok(connection),
            Ok(Ok(Err((setting, found)))) => {
                let message = format!(
                    "{place} does not keep {setting} as it was set (it says `{found}`): nothing is asked there, because functions of \
                     that database could run with the rights of {}",
                    connect.user
                );
                return Err(Refused::Settings(
                    PollError::new(PollErrorKind::WrongServer, message)
                        .remedy("give the address of the Postgres server itself"),
                ));
            }
            Ok(Err(error)) if at_start && takes_no_settings(&error) => {
                return Err(Refused::Settings(explain(&error, &place, &connect.user)));
            }
            Ok(Err(error)) => last = Some(error),
            Err(_) => {
                let message =
                    format!("{place} does not answer as Postgres does within {} s", HANDSHAKE.as_secs());
                return Err(Refused::Other(PollError::new(PollErrorKind::TimedOut, message).remedy(SILENT)));
            }
        }
    }
    Err(Refused::Other(last.map_or_else(
        || PollError::new(PollErrorKind::Internal, "no way to connect was tried"),
        |error| explain(&error, &place, &connect.user),
    )))
}

/// Whether what stands before the server refuses settings in the start-up packet, as poolers do.
fn takes_no_settings(error: &Error) -> bool {
    error.as_db_error().is_some_and(|db| {
        [SqlState::PROTOCOL_VIOLATION, SqlState::FEATURE_NOT_SUPPORTED].contains(db.code())
            || db.message().contains("unsupported startup parameter")
    })
}

/// Everything but the session's settings: address, credentials, TLS.
async fn prepare(connect: &PostgresConnect, name: &str) -> Result<(Config, MakeRustlsConnect), PollError> {
    let wanted = connect.clone();
    let (password, tls) = tokio::task::spawn_blocking(move || {
        let password = wanted.password.as_ref().map(crate::config::secret::Secret::read).transpose()?;
        Ok::<_, String>((password, tls::config(&wanted)?))
    })
    .await
    .map_err(|_| PollError::new(PollErrorKind::Internal, "reading the credentials failed"))?
    .map_err(|sentence| PollError::new(PollErrorKind::Configuration, sentence))?;
    let connector = MakeRustlsConnect::new(tls);
    let mut config = Config::new();
    config.port(connect.port).user(&connect.user).dbname(&connect.database).application_name(name);
    if connect.host.starts_with('/') {
        config.host_path(&connect.host);
    } else {
        config.host(&connect.host);
    }
    if let Some(password) = &password {
        config.password(password.expose_secret());
    }
    config
        .keepalives(true)
        .keepalives_idle(Duration::from_secs(20))
        .keepalives_interval(Duration::from_secs(5))
        .keepalives_retries(3);
    Ok((config, connector))
}

/// The modes that are tried, one after the other.
fn modes(connect: &PostgresConnect) -> &'static [SslMode] {
    match connect.tls {
        _ if connect.host.starts_with('/') => &[SslMode::Disable],
        PgTls::Disable => &[SslMode::Disable],
        PgTls::Allow => &[SslMode::Disable, SslMode::Require],
        PgTls::Prefer => &[SslMode::Prefer],
        PgTls::Require | PgTls::VerifyCa | PgTls::VerifyFull => &[SslMode::Require],
    }
}

/// Connects to the admin console of a PgBouncer, which takes no settings and only simple queries. The caller has the timeout.
///
/// # Errors
/// As [`connect`].
pub async fn console(connect: &PostgresConnect) -> Result<Client, PollError> {
    let (mut config, connector) = prepare(connect, "stacktop").await?;
    let place = format!("{}:{}/{}", connect.host, connect.port, connect.database);
    let mut last = None;
    for mode in modes(connect) {
        config.ssl_mode(*mode);
        match config.connect(connector.clone()).await {
            Ok((client, connection)) => {
                tokio::spawn(async move {
                    let _ = connection.await;
                });
                return Ok(client);
            }
            Err(error) => last = Some(error),
        }
    }
    Err(last.map_or_else(
        || PollError::new(PollErrorKind::Internal, "no way to connect was tried"),
        |error| explain(&error, &place, &connect.user),
    ))
}

/// A connection whose settings were verified, or the setting that is another and its value. Behind a pooler (`pooled` says whether the
/// way to it is encrypted) they are those of a transaction.
async fn open(
    config: &Config,
    connector: &MakeRustlsConnect,
    settings: &Settings,
    pooled: Option<bool>,
) -> Result<Result<Connection, (String, String)>, Error> {
    let (client, connection) = config.connect(connector.clone()).await?;
    let cancel = client.cancel_token();
    let encoding = connection.parameter("server_encoding").unwrap_or("UTF8").to_owned();
    let utf8 = encoding == "UTF8";
    tokio::spawn(async move {
        // Its end is noticed by the next question on the client; notices are not for us.
        let _ = connection.await;
    });
    if let Some(other) = settings.verify(&client, pooled.is_some(), utf8).await? {
        return Ok(Err(other));
    }
    let mut open = Connection {
        client,
        cancel,
        tls: pooled.unwrap_or_default(),
        pooled: pooled.map(|_| settings.begin(utf8)),
        charset: Charset::named(&encoding),
        prepared: Mutex::default(),
        connector: connector.clone(),
    };
    if pooled.is_none() {
        // (Of the function, not of the view: a lock on a catalog must not take the connection away.)
        let sql = "SELECT ssl FROM pg_catalog.pg_stat_get_activity(pg_backend_pid())";
        open.tls = open.ask(sql, &[]).await?.first().is_some_and(|row| row.try_get(0).unwrap_or_default());
    }
    Ok(Ok(open))
}

/// Whether `error` means that the connection is of no use any more.
#[must_use]
pub fn is_broken(error: &tokio_postgres::Error) -> bool {
    error.is_closed() || error.as_db_error().is_none_or(|db| db.severity() == "FATAL")
}

/// A failed connection (or one that broke) as a sentence.
#[must_use]
pub fn explain(error: &tokio_postgres::Error, place: &str, user: &str) -> PollError {
    if let Some(db) = error.as_db_error() {
        return explain_refusal(db, place, user);
    }
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = cause.to_string();
        source = cause.source();
    }
    let lower = text.to_lowercase();
    if lower.contains("certificate") || lower.contains("unknownissuer") || lower.contains("invalid peer") {
        return PollError::new(
            PollErrorKind::Tls,
            format!("the certificate of {place} was not accepted: {text}"),
        )
        .remedy("set root_cert to the CA of the server, or check the host name in it");
    }
    if lower.contains("does not support tls") {
        return PollError::new(
            PollErrorKind::Tls,
            format!("{place} has no TLS, but the configuration asks for it"),
        )
        .remedy("turn TLS on at the server, or set tls = \"prefer\"");
    }
    if lower.contains("password missing") || lower.contains("invalid configuration") {
        return PollError::new(PollErrorKind::Credentials, format!("{place} wants a password for {user}"))
            .remedy("set password_file, password_command or PGPASSWORD, or write it into ~/.pgpass");
    }
    if lower.contains("refused")
        || lower.contains("no such file")
        || lower.contains("lookup")
        || lower.contains("unreachable")
    {
        return PollError::new(PollErrorKind::Unreachable, format!("{place} cannot be reached: {text}"))
            .remedy("check host and port, and that the server runs");
    }
    if lower.contains("unexpected message")
        || lower.contains("invalid message")
        || lower.contains("unknown message")
        || lower.contains("parsing")
        || lower.contains("unexpected eof")
        || lower.contains("tls handshake")
    {
        return PollError::new(
            PollErrorKind::WrongServer,
            format!("{place} does not answer like a Postgres server: {text}"),
        )
        .remedy("check which server runs on this port");
    }
    PollError::new(PollErrorKind::Failed, format!("the connection to {place} broke: {text}"))
}

fn explain_refusal(db: &tokio_postgres::error::DbError, place: &str, user: &str) -> PollError {
    let message = db.message();
    let code = db.code();
    if *code == SqlState::INVALID_PASSWORD || *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION {
        return PollError::new(PollErrorKind::Credentials, format!("{place} refuses {user}: {message}"))
            .remedy("check user, password and the server's pg_hba.conf");
    }
    if *code == SqlState::TOO_MANY_CONNECTIONS && message.contains("for role") {
        return PollError::new(PollErrorKind::NotReady, format!("{place}: {message}"))
            .remedy(format!("end connections of {user}, or ALTER ROLE … CONNECTION LIMIT"));
    }
    if *code == SqlState::TOO_MANY_CONNECTIONS {
        return PollError::new(
            PollErrorKind::Full,
            format!("{place} has no connection slot left: {message}"),
        )
        .remedy("grant pg_use_reserved_connections (16 and later) to this role, or connect as a superuser");
    }
    // A PgBouncer at max_client_conn has no code of its own for it.
    if message.contains("no more connections allowed") {
        return PollError::new(PollErrorKind::Full, format!("{place} takes no more clients: {message}"))
            .remedy("end clients that are not needed, or raise max_client_conn");
    }
    if *code == SqlState::INVALID_CATALOG_NAME {
        return PollError::new(PollErrorKind::Configuration, format!("{place}: {message}"))
            .remedy("check the database's name");
    }
    if [SqlState::CANNOT_CONNECT_NOW, SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN].contains(code) {
        return PollError::new(
            PollErrorKind::NotReady,
            format!("{place} is starting or stopping: {message}"),
        );
    }
    if *code == SqlState::LOCK_NOT_AVAILABLE {
        let why = "somebody holds a lock on a system catalog, and no session can begin";
        return PollError::new(PollErrorKind::NotReady, format!("{place}: {why} ({message})"))
            .remedy(WHO_LOCKS);
    }
    if message.contains("unsupported startup parameter") {
        return PollError::new(PollErrorKind::WrongServer, format!("a PgBouncer answers at {place}"))
            .remedy("give the address of the Postgres server itself");
    }
    PollError::new(PollErrorKind::Failed, format!("{place}: {message} (SQLSTATE {})", code.code()))
}

/// A part that failed, as a gap with its reason.
#[must_use]
pub fn gap(error: &tokio_postgres::Error, what: &str) -> Gap {
    let Some(db) = error.as_db_error() else {
        return Gap::new(GapKind::Failed, format!("{what}: the connection broke"));
    };
    let message = db.message();
    let code = db.code();
    if *code == SqlState::INSUFFICIENT_PRIVILEGE {
        Gap::new(GapKind::NotPermitted, format!("{what}: {message}; GRANT pg_monitor would permit it"))
    } else if *code == SqlState::LOCK_NOT_AVAILABLE {
        let note = format!("{what}: somebody holds a lock on what has to be read ({message})");
        Gap::new(GapKind::TimedOut, note)
    } else if *code == SqlState::QUERY_CANCELED {
        Gap::new(GapKind::TimedOut, format!("{what}: {message}"))
    } else if [
        SqlState::FEATURE_NOT_SUPPORTED,
        SqlState::UNDEFINED_FUNCTION,
        SqlState::UNDEFINED_TABLE,
        SqlState::UNDEFINED_COLUMN,
        SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE,
    ]
    .contains(code)
    {
        Gap::new(GapKind::NotSupported, format!("{what}: {message}"))
    } else {
        Gap::new(GapKind::Failed, format!("{what}: {message}"))
    }
}
