//! Opens one connection to one server, and says in words why that failed.

use crate::config::target::{Dialled, RedisConnect};
use crate::core::report::{PollError, PollErrorKind};
use crate::sources::dial::{self, Wire};
use crate::sources::metered::Metered;
use crate::sources::redis::single::Single;
use crate::sources::secret;
use crate::sources::tls::{self, Trust};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, ErrorKind, RedisConnectionInfo, RedisError, ServerErrorKind};
use rustls::pki_types::ServerName;
use rustls::{AlertDescription, ClientConfig};
use secrecy::ExposeSecret;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio_rustls::TlsConnector;

/// How long, and how much, is listened to a server that hangs up: its reason comes at once, and is one line.
const GREETING_TIME: Duration = Duration::from_millis(500);

const GREETING_BYTES: usize = 512;

/// Opens a connection to this one server.
pub(super) async fn one(target: &RedisConnect) -> Result<Single, PollError> {
    let wrong = |sentence| PollError::new(PollErrorKind::Configuration, sentence);
    let login = login(target).await.map_err(wrong)?;
    let tls = trust(target).await.map_err(wrong)?;
    let wire = wire(target).await.map_err(|error| unreachable(&error, &target.place()))?;
    let opened = match tls {
        None => speak(&login, wire).await,
        Some(config) => {
            let name = ServerName::try_from(target.host.clone()).map_err(|_| {
                let message = format!("{} is not a name that a certificate could be for", target.host);
                PollError::new(PollErrorKind::Configuration, message)
            })?;
            let stream = TlsConnector::from(Arc::new(config)).connect(name, wire).await;
            speak(&login, stream.map_err(|error| no_tls(&error, &target.place()))?).await
        }
    };
    match opened {
        Ok(connection) => Ok(connection),
        Err(error) => {
            let error = explain(&error, target);
            let hung_up = error.kind == PollErrorKind::WrongServer;
            let greeting = if hung_up { greeting(target).await } else { None };
            Err(greeting.and_then(|line| explain_words(&line, &target.place())).unwrap_or(error))
        }
    }
}

/// Begins to speak with the server at the other end of `stream`.
async fn speak<S>(login: &RedisConnectionInfo, stream: S) -> Result<Single, RedisError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    // The timeouts are ours (around the whole poll), not the library's.
    let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
    let stream = Metered::new(stream);
    let heard = stream.heard();
    let (connection, driver) = MultiplexedConnection::new_with_config(login, stream, config).await?;
    Ok(Single::new(connection, heard, driver))
}

/// The first address behind the target's name that answers.
async fn wire(target: &RedisConnect) -> std::io::Result<Wire> {
    if let Some(path) = &target.unix_socket {
        return dial::dial(&Dialled::Unix(path.clone())).await;
    }
    dial::dial_name(&target.host, target.port).await
}

/// What a server says before it hangs up on a newcomer: it is not asked for anything, so the library never sees it.
async fn greeting(target: &RedisConnect) -> Option<String> {
    if target.tls || target.unix_socket.is_some() {
        return None;
    }
    let listen = async {
        let mut stream = dial::glance(&target.host, target.port).await.ok()?;
        let mut bytes = [0; GREETING_BYTES];
        let read = stream.read(&mut bytes).await.ok()?;
        Some(String::from_utf8_lossy(&bytes[..read]).into_owned())
    };
    tokio::time::timeout(GREETING_TIME, listen).await.ok().flatten()
}

/// Refusals that have no code of their own, by the server's words.
fn explain_words(words: &str, place: &str) -> Option<PollError> {
    let lower = words.to_ascii_lowercase();
    if lower.contains("max number of clients") {
        let message = format!("{place} takes no more clients: maxclients is reached");
        return Some(
            PollError::new(PollErrorKind::Full, message)
                .remedy("end clients that are not needed, or raise it: CONFIG SET maxclients"),
        );
    }
    if lower.contains("protected mode") {
        let message = format!("{place} runs in protected mode and takes clients of its own machine only");
        return Some(
            PollError::new(PollErrorKind::NotPermitted, message)
                .remedy("give that server a password and a bind address, or go through a tunnel"),
        );
    }
    if lower.contains("db index is out of range") {
        let message = format!("{place} has no logical database of this number");
        return Some(
            PollError::new(PollErrorKind::Configuration, message)
                .remedy("check the number at the end of the url (redis://host/0)"),
        );
    }
    None
}

async fn login(target: &RedisConnect) -> Result<RedisConnectionInfo, String> {
    let mut login = RedisConnectionInfo::default()
        .set_db(target.database)
        .set_lib_name("stacktop", env!("CARGO_PKG_VERSION"));
    if let Some(user) = &target.user {
        login = login.set_username(user);
    }
    if let Some(password) = secret::read_any(target.password.as_ref()).await? {
        login = login.set_password(password.expose_secret());
    }
    Ok(login)
}

async fn trust(target: &RedisConnect) -> Result<Option<ClientConfig>, String> {
    let trust = Trust { roots: target.root_cert.clone(), client: target.client.clone(), ..Trust::default() };
    if !target.tls {
        return Ok(None);
    }
    tls::configured(trust).await.map(Some)
}

fn unreachable(error: &std::io::Error, place: &str) -> PollError {
    PollError::new(PollErrorKind::Unreachable, format!("{place} cannot be reached: {error}"))
        .remedy("check host and port, and that the server runs")
}

fn no_tls(error: &(dyn std::error::Error + 'static), place: &str) -> PollError {
    match tls::inside(error) {
        Some(found) => {
            let (what, remedy) = tls::words(found);
            PollError::new(PollErrorKind::Tls, format!("no TLS connection to {place}: {what}")).remedy(remedy)
        }
        None => PollError::new(PollErrorKind::Tls, format!("no TLS connection to {place}: {error}"))
            .remedy("check rediss:// against redis://, and that the server's port is the one for TLS"),
    }
}

/// What the server refused after the handshake, of which the library keeps the words only: with TLS 1.3 it looks at our certificate then.
fn alert(lower: &str) -> Option<AlertDescription> {
    let name = lower.split_once("fatal alert: ")?.1;
    [
        AlertDescription::CertificateRequired,
        AlertDescription::UnknownCA,
        AlertDescription::BadCertificate,
        AlertDescription::CertificateExpired,
        AlertDescription::CertificateUnknown,
        AlertDescription::DecryptError,
        AlertDescription::HandshakeFailure,
    ]
    .into_iter()
    .find(|known| name.starts_with(&format!("{known:?}").to_ascii_lowercase()))
}

/// The sentence for an error of the client library.
#[must_use]
pub fn explain(error: &RedisError, target: &RedisConnect) -> PollError {
    let place = target.place();
    if tls::inside(error).is_some() {
        return no_tls(error, &place);
    }
    let code = error.code().unwrap_or_default();
    // Some servers repeat the words of a command that they do not know, and one of those is AUTH.
    let detail = error.to_string();
    let detail = detail.split(", with args").next().unwrap_or_default();
    let lower = detail.to_ascii_lowercase();
    if let Some(alert) = alert(&lower) {
        return no_tls(&rustls::Error::AlertReceived(alert), &place);
    }
    if let Some(known) = explain_words(detail, &place) {
        return known;
    }
    if code == "NOAUTH" || lower.contains("noauth") {
        return PollError::new(PollErrorKind::Credentials, format!("{place} wants a password"))
            .remedy("set password_file or password_command for this target");
    }
    if code == "WRONGPASS"
        || error.kind() == ErrorKind::AuthenticationFailed
        || lower.contains("invalid password")
    {
        let user = target.user.as_deref().unwrap_or("default");
        return PollError::new(
            PollErrorKind::Credentials,
            format!("{place} refuses the password of user {user}"),
        )
        .remedy("check user and password of this target");
    }
    if super::cluster::moved(code) {
        return PollError::new(PollErrorKind::NotReady, format!("the cluster of {place} changes: {detail}"));
    }
    if code == "NOPERM" {
        return PollError::new(PollErrorKind::NotPermitted, format!("{place}: {detail}"))
            .remedy("permit this user +info +scan and the read commands on its queues' keys");
    }
    if error.kind() == ErrorKind::Server(ServerErrorKind::BusyLoading) {
        return PollError::new(PollErrorKind::NotReady, format!("{place} loads its data"));
    }
    if error.is_connection_refusal() || error.kind() == ErrorKind::Io {
        // The connection stood, and the answer to our first words was to hang up.
        let hung_up = ["broken pipe", "reset by peer", "unexpected end", "eof", "protocol", "parse"];
        if hung_up.iter().any(|word| lower.contains(word)) {
            return wrong_server(&place);
        }
        return PollError::new(PollErrorKind::Unreachable, format!("{place} cannot be reached: {detail}"))
            .remedy("check host and port, and that the server runs");
    }
    if error.kind() == ErrorKind::Parse || error.kind() == ErrorKind::UnexpectedReturnType {
        return wrong_server(&place);
    }
    PollError::new(PollErrorKind::Failed, format!("{place}: {detail}"))
}

fn wrong_server(place: &str) -> PollError {
    PollError::new(
        PollErrorKind::WrongServer,
        format!("{place} hangs up or does not speak the Redis protocol"),
    )
    .remedy("check the port, rediss:// against redis://, and that the server still runs")
}
