//! Opens a connection to a Redis server and says in words why that failed. The engine's timeout covers all of it.

use crate::config::target::RedisConnect;
use crate::core::report::{PollError, PollErrorKind};
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ErrorKind, IntoConnectionInfo, RedisConnectionInfo,
    RedisError, ServerErrorKind, TlsCertificates,
};
use secrecy::ExposeSecret;

/// An open connection.
pub type Connection = MultiplexedConnection;

impl RedisConnect {
    /// Where it is, for people.
    #[must_use]
    pub fn place(&self) -> String {
        match &self.unix_socket {
            Some(path) => path.display().to_string(),
            None => format!("{}:{}", self.host, self.port),
        }
    }
}

/// Opens a connection.
///
/// # Errors
/// A sentence that says what to do, without secrets.
pub async fn connect(target: &RedisConnect) -> Result<Connection, PollError> {
    let wanted = target.clone();
    let client = tokio::task::spawn_blocking(move || client(&wanted))
        .await
        .map_err(|_| PollError::new(PollErrorKind::Internal, "reading the credentials failed"))?
        .map_err(|sentence| PollError::new(PollErrorKind::Configuration, sentence))?;
    // The timeouts are ours (around the whole poll), not the library's.
    let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
    client
        .get_multiplexed_async_connection_with_config(&config)
        .await
        .map_err(|error| explain(&error, target))
}

fn client(target: &RedisConnect) -> Result<Client, String> {
    let address = match &target.unix_socket {
        Some(path) => ConnectionAddr::Unix(path.clone()),
        None if target.tls => ConnectionAddr::TcpTls {
            host: target.host.clone(),
            port: target.port,
            insecure: false,
            tls_params: None,
        },
        None => ConnectionAddr::Tcp(target.host.clone(), target.port),
    };
    let mut login = RedisConnectionInfo::default()
        .set_db(target.database)
        .set_lib_name("stacktop", env!("CARGO_PKG_VERSION"));
    if let Some(user) = &target.user {
        login = login.set_username(user);
    }
    if let Some(password) = &target.password {
        login = login.set_password(password.read()?.expose_secret());
    }
    let settings = redis::io::tcp::TcpSettings::default().set_nodelay(true);
    let info = address
        .into_connection_info()
        .map_err(|error| error.to_string())?
        .set_redis_settings(login)
        .set_tcp_settings(settings);
    let root =
        match &target.root_cert {
            Some(path) => Some(std::fs::read(path).map_err(|error| {
                format!("the certificate file {} cannot be read: {error}", path.display())
            })?),
            None => None,
        };
    let built = match (target.tls, root) {
        (true, Some(root_cert)) => {
            Client::build_with_tls(info, TlsCertificates { client_tls: None, root_cert: Some(root_cert) })
        }
        _ => Client::open(info),
    };
    built.map_err(|error| format!("no Redis client for {}: {error}", target.place()))
}

/// The sentence for an error of the client library.
#[must_use]
pub fn explain(error: &RedisError, target: &RedisConnect) -> PollError {
    let place = target.place();
    let code = error.code().unwrap_or_default();
    let detail = error.to_string();
    let lower = detail.to_ascii_lowercase();
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
    if code == "NOPERM" {
        return PollError::new(PollErrorKind::NotPermitted, format!("{place}: {detail}"))
            .remedy("permit this user +info +scan and the read commands on its queues' keys");
    }
    if error.kind() == ErrorKind::Server(ServerErrorKind::BusyLoading) {
        return PollError::new(PollErrorKind::NotReady, format!("{place} loads its data"));
    }
    if lower.contains("certificate") || lower.contains("tls") {
        return PollError::new(PollErrorKind::Tls, format!("no TLS connection to {place}: {detail}"))
            .remedy("set `ca` to the server's CA file, and check rediss:// against redis://");
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
