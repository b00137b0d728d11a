//! Opens a connection to a Redis server and says in words why that failed. The engine's timeout covers all of it.

use super::cluster::Cluster;
use super::{decode, sentinel};
use crate::config::target::{Dialled, RedisConnect};
use crate::core::report::{PollError, PollErrorKind};
use crate::sources::dial::{self, Wire};
use crate::sources::metered::Metered;
use crate::sources::tls::{self, Trust};
use futures_util::FutureExt;
use futures_util::future::{join_all, select_ok};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, ErrorKind, RedisConnectionInfo, RedisError, ServerErrorKind, Value, cmd};
use rustls::pki_types::ServerName;
use rustls::{AlertDescription, ClientConfig};
use secrecy::ExposeSecret;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

pub use super::cluster::Connection;

/// A primary that has not opened a connection by then is left out.
const NODE_TIMEOUT: Duration = Duration::from_secs(1);
/// How long, and how much, is listened to a server that hangs up: its reason comes at once, and is one line.
const GREETING_TIME: Duration = Duration::from_millis(500);
const GREETING_BYTES: usize = 512;

impl RedisConnect {
    /// Where it is, for people.
    #[must_use]
    pub fn place(&self) -> String {
        match &self.unix_socket {
            Some(path) => path.display().to_string(),
            None if !self.sentinels.is_empty() => format!("{} (by Sentinel)", self.host),
            None => format!("{}:{}", self.host, self.port),
        }
    }
}

/// Opens a connection: to the server, to the primary that Sentinels name, or to all primaries of the cluster that it belongs to.
///
/// # Errors
/// A sentence that says what to do, without secrets.
pub async fn connect(target: &RedisConnect) -> Result<Connection, PollError> {
    if !target.sentinels.is_empty() {
        let primary = sentinel::primary(target).await?;
        return one(&primary).await.map(Connection::One);
    }
    let (target, mut first) = any(target).await?;
    let target = &target;
    let info: Result<Value, RedisError> = cmd("INFO").arg("cluster").query_async(&mut first).await;
    let clustered =
        info.ok().and_then(|info| decode::text(&info)).is_some_and(|info| info.contains("cluster_enabled:1"));
    if clustered {
        return cluster(target, first).await;
    }
    if !target.nodes.is_empty() {
        // Other nodes are configured, or were seen: a server of its own is not what is looked for.
        let message = format!("{} is not a node of a cluster", target.place());
        return Err(PollError::new(PollErrorKind::WrongServer, message).remedy("check the url and `nodes`"));
    }
    Ok(Connection::One(first))
}

/// The server itself; of a cluster the first node that answers, and the target as seen from there.
async fn any(target: &RedisConnect) -> Result<(RedisConnect, MultiplexedConnection), PollError> {
    if target.nodes.is_empty() {
        return Ok((target.clone(), one(target).await?));
    }
    let nodes = std::iter::once((target.host.clone(), target.port)).chain(target.nodes.iter().cloned());
    let opening = nodes.map(|(host, port)| {
        async move {
            let node = RedisConnect { host, port, ..target.clone() };
            let connection = one(&node).await?;
            Ok::<_, PollError>((node, connection))
        }
        .boxed()
    });
    select_ok(opening).await.map(|(found, _)| found)
}

/// All primaries of the cluster that `first` belongs to; one that is not there is left out, by name.
async fn cluster(target: &RedisConnect, mut first: MultiplexedConnection) -> Result<Connection, PollError> {
    let map: Value =
        cmd("CLUSTER").arg("SLOTS").query_async(&mut first).await.map_err(|error| explain(&error, target))?;
    let mut addresses: Vec<(String, u16)> = Vec::new();
    let mut slots = Vec::new();
    for range in decode::list(&map) {
        let parts = decode::list(range);
        let number =
            |index: usize| parts.get(index).and_then(decode::number).and_then(|n| u16::try_from(n).ok());
        let node = parts.get(2).map(decode::list).unwrap_or_default();
        let host = node.first().and_then(decode::text).filter(|host| !host.is_empty());
        // A node that does not know its own address is the one that was asked.
        let host = host.unwrap_or_else(|| target.host.clone());
        let port = node.get(1).and_then(decode::number).and_then(|n| u16::try_from(n).ok());
        let (Some(from), Some(to), Some(port)) = (number(0), number(1), port) else { continue };
        let address = (host, port);
        let index = addresses.iter().position(|known| *known == address).unwrap_or_else(|| {
            addresses.push(address);
            addresses.len() - 1
        });
        slots.push((from, to, index));
    }
    if addresses.is_empty() {
        let message = format!("{} is part of a cluster in which no node has any slot", target.place());
        return Err(PollError::new(PollErrorKind::NotReady, message).remedy("redis-cli --cluster check"));
    }
    let opening = addresses.iter().cloned().map(|(host, port)| async move {
        let node = RedisConnect { host, port, unix_socket: None, ..target.clone() };
        let opened = tokio::time::timeout(NODE_TIMEOUT, one(&node)).await.unwrap_or_else(|_| {
            Err(PollError::new(PollErrorKind::TimedOut, format!("{} does not answer", node.place())))
        });
        (node.place(), opened)
    });
    let (mut nodes, mut missing, mut places) = (Vec::new(), Vec::new(), Vec::new());
    let mut failure = None;
    for (place, opened) in join_all(opening).await {
        match opened {
            Ok(node) => {
                places.push(Some(nodes.len()));
                nodes.push((place, node));
            }
            Err(error) => {
                places.push(None);
                // It stands beside its address; that need not be said twice.
                let why = error.message.strip_prefix(place.as_str()).unwrap_or(&error.message);
                missing.push((place.clone(), why.trim().to_owned()));
                failure = Some(error);
            }
        }
    }
    if let (true, Some(error)) = (nodes.is_empty(), failure) {
        return Err(error);
    }
    let slots = slots.into_iter().filter_map(|(from, to, index)| Some((from, to, places[index]?))).collect();
    Ok(Connection::Cluster(Cluster { nodes, slots, home: 0, missing, known: addresses }))
}

/// Opens a connection to this one server.
pub(super) async fn one(target: &RedisConnect) -> Result<MultiplexedConnection, PollError> {
    let wanted = target.clone();
    let (login, tls) =
        tokio::task::spawn_blocking(move || Ok::<_, String>((login(&wanted)?, trust(&wanted)?)))
            .await
            .map_err(|_| PollError::new(PollErrorKind::Internal, "reading the credentials failed"))?
            .map_err(|sentence| PollError::new(PollErrorKind::Configuration, sentence))?;
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
async fn speak<S>(login: &RedisConnectionInfo, stream: S) -> Result<MultiplexedConnection, RedisError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    // The timeouts are ours (around the whole poll), not the library's.
    let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
    let (connection, driver) =
        MultiplexedConnection::new_with_config(login, Metered::new(stream), config).await?;
    // It ends with the last handle.
    tokio::spawn(driver);
    Ok(connection)
}

/// The first address behind the target's name that answers.
async fn wire(target: &RedisConnect) -> std::io::Result<Wire> {
    if let Some(path) = &target.unix_socket {
        return dial::dial(&Dialled::Unix(path.clone())).await;
    }
    let mut last = None;
    for address in dial::addresses(&target.host, target.port).await? {
        match dial::dial(&Dialled::Tcp(address)).await {
            Ok(wire) => return Ok(wire),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| std::io::Error::other("its name stands for no address")))
}

/// What a server says before it hangs up on a newcomer: it is not asked for anything, so the library never sees it.
async fn greeting(target: &RedisConnect) -> Option<String> {
    if target.tls || target.unix_socket.is_some() {
        return None;
    }
    let listen = async {
        let mut stream = TcpStream::connect((target.host.as_str(), target.port)).await.ok()?;
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

fn login(target: &RedisConnect) -> Result<RedisConnectionInfo, String> {
    let mut login = RedisConnectionInfo::default()
        .set_db(target.database)
        .set_lib_name("stacktop", env!("CARGO_PKG_VERSION"));
    if let Some(user) = &target.user {
        login = login.set_username(user);
    }
    if let Some(password) = &target.password {
        login = login.set_password(password.read()?.expose_secret());
    }
    Ok(login)
}

fn trust(target: &RedisConnect) -> Result<Option<ClientConfig>, String> {
    let trust = Trust { roots: target.root_cert.clone(), client: target.client.clone(), ..Trust::default() };
    target.tls.then(|| tls::client_config(&trust)).transpose()
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
