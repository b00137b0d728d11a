//! One connection to Postgres: credentials, session settings in the start-up packet, questions. Which server it goes to is the
//! business of `elect`, what is wrong in words that of `explain`.

pub use super::asking::{Connection, Parameter, Row};
use super::charset::Charset;
use super::elect::{self, Login, Refused, Which};
use super::settings::Settings;
use super::tls;
use crate::config::secret::Secret;
use crate::config::surroundings::user_number;
use crate::config::target::{ChannelBinding, Dialled, PgHost, PostgresConnect, SessionAttrs};
use crate::core::report::{PollError, PollErrorKind};
use crate::core::whereabouts::Whereabouts;
use crate::sources::dial;
use crate::sources::metered::Metered;
use secrecy::SecretString;
use std::sync::Mutex;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, Error, config};
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
    let (config, passwords, connector) = prepare(connect, name).await?;
    // The rest of the target's time is for the first questions, and for our sentence to come before the engine's.
    let until = tokio::time::Instant::now() + connect.timeout.mul_f64(0.9);
    let login = Login { connect, config, passwords, connector, settings, pooled: false, until };
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
) -> Result<(Config, Vec<Option<SecretString>>, MakeRustlsConnect), PollError> {
    let wanted = connect.clone();
    let (passwords, tls) = tokio::task::spawn_blocking(move || {
        let common = wanted.password.as_ref().map(Secret::read).transpose()?;
        let own = |host: &PgHost| match &common {
            Some(password) => Ok(Some(password.clone())),
            None => host.password.as_ref().map(Secret::read).transpose(),
        };
        let passwords = wanted.hosts.iter().map(own).collect::<Result<Vec<_>, String>>()?;
        Ok::<_, String>((passwords, tls::config(&wanted)?))
    })
    .await
    .map_err(|_| PollError::new(PollErrorKind::Internal, "reading the credentials failed"))?
    .map_err(|sentence| PollError::new(PollErrorKind::Configuration, sentence))?;
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

/// Opens one connection to this server, in the way that `config` says: one whose settings were verified, and of which is known what
/// `wanted` asks about.
pub(super) async fn open(
    login: &Login<'_>,
    config: &Config,
    server: (usize, Dialled),
    tls_name: String,
    wanted: SessionAttrs,
) -> Result<Connection, Failure> {
    let wire = dial::dial(&server.1).await.map_err(Failure::Wire)?;
    if let Some(user) = &login.connect.require_peer
        && let Some(found) = wire.peer_user()
        && user_number(user) != Some(found)
    {
        return Err(Failure::Peer(format!(
            "the server runs as user number {found}, and requirepeer={user} is asked for"
        )));
    }
    let our_end = wire.our_end().ok();
    let mut connector = login.connector.clone();
    let Ok(tls) = MakeTlsConnect::<Metered<dial::Wire>>::make_tls_connect(&mut connector, &tls_name);
    let (client, connection) = config.connect_raw(Metered::new(wire), tls).await?;
    let cancel = client.cancel_token();
    let encoding = connection.parameter("server_encoding").unwrap_or("UTF8").to_owned();
    let utf8 = encoding == "UTF8";
    tokio::spawn(async move {
        // Its end is noticed by the next question on the client; notices are not for us.
        let _ = connection.await;
    });
    let mut role = None;
    if let (Some(settings), true) = (login.settings, wanted != SessionAttrs::Any) {
        let begin = login.pooled.then(|| settings.begin(utf8));
        role = Some(elect::role(&client, begin).await?);
        if elect::asks_for_default(wanted) && !login.pooled {
            client.batch_execute(settings.read_only()).await?;
        }
    }
    if let Some(settings) = login.settings
        && let Some((setting, found)) = settings.verify(&client, login.pooled, utf8).await?
    {
        return Err(Failure::Settings { setting, found });
    }
    let mut open = Connection {
        client,
        cancel,
        tls: config.get_ssl_mode() == config::SslMode::Require,
        pooled: login.settings.filter(|_| login.pooled).map(|settings| settings.begin(utf8)),
        server,
        role,
        our_end,
        whereabouts: Whereabouts::default(),
        tls_name,
        charset: Charset::named(&encoding),
        prepared: Mutex::default(),
        connector,
    };
    // (Of the function, not of the view: a lock on a catalog must not take the connection away.)
    // What is preferred is known only afterwards; a console knows no such view.
    if config.get_ssl_mode() == config::SslMode::Prefer && login.settings.is_some() {
        let sql = "SELECT ssl FROM pg_catalog.pg_stat_get_activity(pg_backend_pid())";
        open.tls = open.ask(sql, &[]).await?.first().is_some_and(|row| row.try_get(0).unwrap_or_default());
    }
    Ok(open)
}

/// Why no connection came about.
#[derive(Debug)]
pub(super) enum Failure {
    /// There was no way to the server.
    Wire(std::io::Error),
    /// Another user answered than was asked for.
    Peer(String),
    /// A setting of the session is not in force.
    Settings { setting: String, found: String },
    /// The server, or TLS, said no.
    Postgres(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Postgres(error)
    }
}
