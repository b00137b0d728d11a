//! One connection to Postgres: TLS, credentials, session settings in the start-up packet, errors as sentences by SQLSTATE.

use super::settings::Settings;
use super::tls;
use crate::config::target::{PgTls, PostgresConnect};
use crate::core::part::{Gap, GapKind};
use crate::core::report::{PollError, PollErrorKind};
use secrecy::ExposeSecret;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{CancelToken, Client, Config, Error, NoTls, Row, Statement, config::SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

/// A server that takes a connection answers within this, or it hangs, or it is none of ours.
const HANDSHAKE: Duration = Duration::from_secs(3);

/// An open connection.
pub struct Connection {
    /// To ask with.
    pub client: Client,
    /// To cancel what was asked.
    pub cancel: CancelToken,
    /// It is encrypted.
    pub tls: bool,
    /// What begins each transaction where the connection itself can have no settings: behind a PgBouncer the next question may run
    /// on another session of the server, and a setting would stay behind for its next client.
    pub pooled: Option<String>,
    prepared: Mutex<HashMap<String, Statement>>,
    connector: MakeRustlsConnect,
}

/// A parameter and its type, which a question that is not prepared has to say.
pub type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

impl Connection {
    /// Asks. Questions that are asked at once travel in one round trip; each is prepared once a connection, or runs in a transaction of
    /// its own behind a PgBouncer.
    ///
    /// # Errors
    /// What the server says.
    pub async fn ask(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, Error> {
        if let Some(begin) = &self.pooled {
            let (begun, rows, ended) = tokio::join!(
                self.client.batch_execute(begin),
                self.client.query_typed(sql, parameters),
                self.client.batch_execute("COMMIT"),
            );
            begun?;
            let rows = rows?;
            ended?;
            return Ok(rows);
        }
        let statement = self.statement(sql).await?;
        let values: Vec<&(dyn ToSql + Sync)> = parameters.iter().map(|(value, _)| *value).collect();
        self.client.query(&statement, &values).await
    }

    /// The statement for `sql`, prepared once a connection.
    async fn statement(&self, sql: &str) -> Result<Statement, Error> {
        let known = self.prepared.lock().unwrap_or_else(PoisonError::into_inner).get(sql).cloned();
        if let Some(statement) = known {
            return Ok(statement);
        }
        let statement = self.client.prepare(sql).await?;
        let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        prepared.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    /// Cancels what runs on this connection, on a task of its own and with its own timeout.
    pub fn cancel_in_background(&self) {
        let (token, connector, tls) = (self.cancel.clone(), self.connector.clone(), self.tls);
        tokio::spawn(async move {
            let wait = Duration::from_secs(2);
            if tls {
                let _ = tokio::time::timeout(wait, token.cancel_query(connector)).await;
            } else {
                let _ = tokio::time::timeout(wait, token.cancel_query(NoTls)).await;
            }
        });
    }
}

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
                return Err(Refused::Other(
                    PollError::new(PollErrorKind::TimedOut, message)
                        .remedy("check host and port; the server may hang, or another one may be there"),
                ));
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
    tokio::spawn(async move {
        // Its end is noticed by the next question on the client; notices are not for us.
        let _ = connection.await;
    });
    if let Some(other) = settings.verify(&client, pooled.is_some()).await? {
        return Ok(Err(other));
    }
    let mut open = Connection {
        client,
        cancel,
        tls: pooled.unwrap_or_default(),
        pooled: pooled.map(|_| settings.begin()),
        prepared: Mutex::default(),
        connector: connector.clone(),
    };
    if pooled.is_none() {
        let sql = "SELECT coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false)";
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
    if *code == SqlState::TOO_MANY_CONNECTIONS {
        return PollError::new(
            PollErrorKind::NotReady,
            format!("{place} has no connection slot left: {message}"),
        )
        .remedy("grant pg_use_reserved_connections (16 and later) to this role, or connect as a superuser");
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
    } else if *code == SqlState::QUERY_CANCELED || *code == SqlState::LOCK_NOT_AVAILABLE {
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
