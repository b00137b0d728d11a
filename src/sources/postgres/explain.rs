//! Failed connections and failed parts, as sentences by SQLSTATE and by what TLS says.

use super::charset::identifier;
use super::failure::Failure;
use crate::core::part::{Gap, GapKind};
use crate::core::report::{PollError, PollErrorKind};
use crate::sources::tls;
use std::io::ErrorKind;
use tokio_postgres::error::{DbError, Severity, SqlState};

/// What to do about a server that lets nobody in.
const WHO_LOCKS: &str = "a session that is open already can say who (pg_locks); end that one";
/// What to do about a server that says nothing.
pub(super) const SILENT: &str = "check host and port; the server may hang, another one may be there, or a lock on pg_database or pg_authid lets \
     nobody in: a session that is open already can say who holds it";

/// A connection that did not come about, as a sentence.
pub(super) fn failure(failure: &Failure, place: &str, user: &str) -> PollError {
    match failure {
        Failure::Peer(why) => PollError::new(PollErrorKind::WrongServer, format!("{place}: {why}"))
            .remedy("check who runs the server, and requirepeer"),
        Failure::Unwanted(why) => PollError::new(PollErrorKind::WrongServer, format!("{place}: {why}"))
            .remedy("look who answers there, or change the setting"),
        Failure::Settings { setting, found } => {
            let message = format!(
                "{place} does not keep {setting} as it was set (it says `{found}`): nothing is asked there, because functions of \
                 that database could run with the rights of {user}"
            );
            PollError::new(PollErrorKind::WrongServer, message)
                .remedy("give the address of the Postgres server itself")
        }
        Failure::Wire(error) => {
            let remedy = match error.kind() {
                ErrorKind::PermissionDenied => {
                    "this user may not use the socket; check its folder's permissions"
                }
                _ => "check host and port, and that the server runs",
            };
            PollError::new(PollErrorKind::Unreachable, format!("{place} cannot be reached: {error}"))
                .remedy(remedy)
        }
        Failure::Postgres(error) => explain(error, place, user),
    }
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
    if let Some(found) = tls::inside(error) {
        let (what, remedy) = tls::words(found);
        return PollError::new(PollErrorKind::Tls, format!("no TLS connection to {place}: {what}"))
            .remedy(remedy);
    }
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = cause.to_string();
        source = cause.source();
    }
    let lower = text.to_lowercase();
    if lower.contains("does not support tls") {
        return PollError::new(
            PollErrorKind::Tls,
            format!("{place} has no TLS, but the configuration asks for it"),
        )
        .remedy("turn TLS on at the server, or write sslmode=prefer into its url");
    }
    if lower.contains("did not use channel binding") {
        return PollError::new(
            PollErrorKind::Tls,
            format!(
                "{place} does not bind the login to the connection, and channel_binding=require is asked for"
            ),
        )
        .remedy("the server needs TLS and scram-sha-256 for this; or write channel_binding=prefer");
    }
    if lower.contains("unsupported authentication") {
        return PollError::new(
            PollErrorKind::Credentials,
            format!("{place} wants {user} to log in by Kerberos or SSPI, which is not spoken here"),
        )
        .remedy("give this role another line in pg_hba.conf: scram-sha-256, cert or peer");
    }
    if lower.contains("password missing") || lower.contains("invalid configuration") {
        return PollError::new(PollErrorKind::Credentials, format!("{place} wants a password for {user}"))
            .remedy("set password_file, password_command or PGPASSWORD, or write it into ~/.pgpass");
    }
    if lower.contains("unexpected message")
        || lower.contains("invalid message")
        || lower.contains("unknown message")
        || lower.contains("parsing")
        || lower.contains("unexpected eof")
    {
        return PollError::new(
            PollErrorKind::WrongServer,
            format!("{place} does not answer like a Postgres server: {text}"),
        )
        .remedy("check which server runs on this port");
    }
    PollError::new(PollErrorKind::Failed, format!("the connection to {place} broke: {text}"))
}

fn explain_refusal(db: &DbError, place: &str, user: &str) -> PollError {
    let message = db.message();
    let code = db.code();
    if message.contains("valid client certificate") {
        return PollError::new(PollErrorKind::Credentials, format!("{place} wants a certificate from {user}: {message}"))
            .remedy("give it one that its authority signed: sslcert and sslkey in the url, or ~/.postgresql/postgresql.crt and .key");
    }
    if message.starts_with("Peer authentication") || message.starts_with("Ident authentication") {
        return PollError::new(PollErrorKind::Credentials, format!("{place} refuses {user}: {message}"))
            .remedy("the server asks the system who we are: run stacktop as that user, or name a host (localhost) and a password");
    }
    if *code == SqlState::INVALID_PASSWORD || *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION {
        return PollError::new(PollErrorKind::Credentials, format!("{place} refuses {user}: {message}"))
            .remedy("check user, password and the server's pg_hba.conf");
    }
    if *code == SqlState::TOO_MANY_CONNECTIONS && message.contains("for role") {
        return PollError::new(PollErrorKind::NotReady, format!("{place}: {message}"))
            .remedy(format!("end connections of {user}, or ALTER ROLE … CONNECTION LIMIT"));
    }
    // A PgBouncer at max_client_conn has no code of its own for it.
    if message.contains("no more connections allowed") {
        return PollError::new(PollErrorKind::Full, format!("{place} takes no more clients: {message}"))
            .remedy("end clients that are not needed, or raise max_client_conn");
    }
    if *code == SqlState::TOO_MANY_CONNECTIONS {
        return PollError::new(
            PollErrorKind::Full,
            format!("{place} has no connection slot left: {message}"),
        )
        .remedy("grant pg_use_reserved_connections (16 and later) to this role, or connect as a superuser");
    }
    if *code == SqlState::INVALID_CATALOG_NAME {
        return PollError::new(PollErrorKind::Configuration, format!("{place}: {message}"))
            .remedy("check the database's name");
    }
    if let Some(grant) = taken(db) {
        return PollError::new(PollErrorKind::NotPermitted, format!("{place}: {message}"))
            .remedy(format!("GRANT {grant} TO {}", identifier(user)));
    }
    if let Some(remedy) = closed_database(db, place, user) {
        return PollError::new(PollErrorKind::Credentials, format!("{place} refuses {user}: {message}"))
            .remedy(remedy);
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

/// What gives back a function or view of the catalog that was taken from everybody.
fn taken(db: &DbError) -> Option<String> {
    let words = db.message().strip_prefix("permission denied for ")?;
    let (kind, name) = words.split_once(' ').filter(|_| *db.code() == SqlState::INSUFFICIENT_PRIVILEGE)?;
    match kind {
        "function" | "aggregate" | "procedure" => Some(format!("EXECUTE ON FUNCTION {name}")),
        "view" | "table" | "relation" => Some(format!("SELECT ON {name}")),
        _ => None,
    }
}

/// What opens a database that lets this user, or anybody, not in.
fn closed_database(db: &DbError, place: &str, user: &str) -> Option<String> {
    if db.parsed_severity() != Some(Severity::Fatal) {
        return None;
    }
    let database = identifier(place.rsplit_once('/')?.1);
    match *db.code() {
        // (Other refusals of this code have no detail: only that of CONNECT names the privilege.)
        SqlState::INSUFFICIENT_PRIVILEGE if db.detail().is_some() => {
            Some(format!("GRANT CONNECT ON DATABASE {database} TO {};", identifier(user)))
        }
        SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE => {
            Some(format!("name another database, or ALTER DATABASE {database} ALLOW_CONNECTIONS true;"))
        }
        _ => None,
    }
}

/// A part that failed, as a gap with its reason.
#[must_use]
pub fn gap(error: &tokio_postgres::Error, what: &str) -> Gap {
    let Some(db) = error.as_db_error() else {
        return Gap::new(GapKind::Failed, format!("{what}: the connection broke"));
    };
    let message = db.message();
    let code = db.code();
    if *code == SqlState::INSUFFICIENT_PRIVILEGE && message.contains("pg_read_binary_file") {
        let grant = "GRANT EXECUTE ON FUNCTION pg_read_binary_file(text, bigint, bigint) would permit it (in this database, to \
             our role): it reads whatever lies in the data and log directories";
        Gap::new(GapKind::NotPermitted, format!("{what}: {message}; {grant}"))
    } else if *code == SqlState::INSUFFICIENT_PRIVILEGE {
        let or = taken(db).map_or(String::new(), |grant| format!(", or {grant}"));
        Gap::new(GapKind::NotPermitted, format!("{what}: {message}; GRANT pg_monitor{or} would permit it"))
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
