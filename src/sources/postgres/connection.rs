//! One connection to Postgres: credentials, session settings in the start-up packet, questions. Which server it goes to is the
//! business of `elect`, what is wrong in words that of `explain`.

pub use super::asking::{Connection, Parameter, Row};
use super::elect::{self, Refused, Which};
use super::login::Login;
use super::settings::Settings;
use super::tls;
use crate::config::target::{ChannelBinding, PostgresConnect};
use crate::core::report::{PollError, PollErrorKind};
use crate::sources::secret;
use crate::sources::tls::Shown;
use secrecy::SecretString;
use tokio_postgres::{Client, Config, config};
use tokio_postgres_rustls::MakeRustlsConnect;

pub use super::explain::{explain, gap, is_broken};

/// Connects to one of the target's servers and makes it the one that the target is. For the connection that polls.
///
/// # Errors
/// A sentence that says which server, what is wrong and what would mend it.
pub async fn elect(connect: &PostgresConnect, settings: &Settings) -> Result<Connection, PollError> {
    let connection = login(connect, Some(settings), "stacktop", Which::Elect).await?;
    let (host, address) = connection.server.clone();
    connect.elected.set(host, address);
    Ok(connection)
}

/// Connects to the server that the target is.
///
/// # Errors
/// As [`elect`].
pub async fn connect(connect: &PostgresConnect, settings: &Settings) -> Result<Connection, PollError> {
    connect_as(connect, settings, "stacktop").await
}

/// Connects under `name`, by which people find the session.
///
/// # Errors
/// As [`elect`].
pub async fn connect_as(
    connect: &PostgresConnect,
    settings: &Settings,
    name: &str,
) -> Result<Connection, PollError> {
    login(connect, Some(settings), name, Which::Follow).await
}

/// Connects to the admin console of a PgBouncer, which takes no settings and only simple queries.
///
/// # Errors
/// As [`elect`].
pub async fn console(connect: &PostgresConnect) -> Result<Client, PollError> {
    Ok(login(connect, None, "stacktop", Which::Elect).await?.client)
}

/// Without settings it is a console that knows none.
async fn login(
    connect: &PostgresConnect,
    settings: Option<&Settings>,
    name: &str,
    which: Which,
) -> Result<Connection, PollError> {
    let shown = Shown::default();
    let (config, passwords, connector) = prepare(connect, name, &shown).await?;
    // The rest of the target's time is for the first questions, and for our sentence to come before the engine's.
    let until = tokio::time::Instant::now() + connect.timeout.mul_f64(0.9);
    let login = Login { connect, config, passwords, connector, shown, settings, pooled: false, until };
    let reached = match elect::reach(&login, which).await {
        // It takes no settings at the start, or takes them and has others: they go into each transaction.
        Err(Refused::Settings(_)) => elect::reach(&Login { pooled: true, ..login }, which).await,
        result => result,
    };
    reached.map_err(|(Refused::Settings(error) | Refused::Other(error))| error)
}

/// Everything but address and session settings: credentials, TLS. The passwords are those of the hosts, in their order.
async fn prepare(
    connect: &PostgresConnect,
    name: &str,
    shown: &Shown,
) -> Result<(Config, Vec<Option<SecretString>>, MakeRustlsConnect), PollError> {
    let wrong = |sentence| PollError::new(PollErrorKind::Configuration, sentence);
    let passwords = passwords(connect).await.map_err(wrong)?;
    let tls = tls::config(connect, shown).await.map_err(wrong)?;
    let mut config = Config::new();
    config.user(&connect.user).dbname(&connect.database).application_name(name);
    config.channel_binding(match connect.channel_binding {
        ChannelBinding::Disable => config::ChannelBinding::Disable,
        ChannelBinding::Prefer => config::ChannelBinding::Prefer,
        ChannelBinding::Require => config::ChannelBinding::Require,
    });
    if connect.direct_tls {
        config.ssl_negotiation(config::SslNegotiation::Direct);
    }
    Ok((config, passwords, MakeRustlsConnect::new(tls)))
}

async fn passwords(connect: &PostgresConnect) -> Result<Vec<Option<SecretString>>, String> {
    let common = secret::read_any(connect.password.as_ref()).await?;
    let mut passwords = Vec::with_capacity(connect.hosts.len());
    for host in &connect.hosts {
        passwords.push(match &common {
            Some(password) => Some(password.clone()),
            None => secret::read_any(host.password.as_ref()).await?,
        });
    }
    Ok(passwords)
}
