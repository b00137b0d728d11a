//! Opens one connection to one server: settings in force, its role known where that is asked for.

use crate::config::surroundings::user_number;
use crate::config::target::{CertMode, Dialled, PostgresConnect, SessionAttrs};
use crate::core::whereabouts::Whereabouts;
use crate::sources::dial;
use crate::sources::metered::Metered;
use crate::sources::postgres::charset::Charset;
use crate::sources::postgres::connection::Connection;
use crate::sources::postgres::failure::Failure;
use crate::sources::postgres::guarded::{Encrypted, Guarded, Inside};
use crate::sources::postgres::settings::Settings;
use crate::sources::tls::Shown;
use secrecy::SecretString;
use std::sync::Mutex;
use tokio::time::Instant;
use tokio_postgres::SimpleQueryMessage;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, Error};
use tokio_postgres_rustls::MakeRustlsConnect;

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
    let wire = Metered::new(wire);
    let heard = wire.heard();
    let mut connector = login.connector.clone();
    let wanted_ways = login.connect.require_auth;
    let wire = Guarded::outside(wire, wanted_ways, config);
    let Ok(tls) = MakeTlsConnect::<Guarded<Metered<dial::Wire>>>::make_tls_connect(&mut connector, &tls_name);
    login.shown.forget();
    let encrypted = Encrypted::default();
    let inside = Inside(tls, wanted_ways, encrypted.clone());
    let (client, connection) = config.connect_raw(wire, inside).await?;
    if login.connect.cert_mode == CertMode::Require && !login.shown.was() {
        return Err(Failure::Unwanted(
            "the server lets us in without a look at our certificate, and sslcertmode=require is asked for"
                .to_owned(),
        ));
    }
    let cancel = client.cancel_token();
    let encoding = connection.parameter("server_encoding").unwrap_or("UTF8").to_owned();
    let utf8 = encoding == "UTF8";
    // From 14 on a server says so by itself, and nobody can take that away.
    let told =
        connection.parameter("in_hot_standby").zip(connection.parameter("default_transaction_read_only"));
    let told = told.filter(|_| !login.pooled).map(|(standby, reads)| (standby == "on", reads == "on"));
    tokio::spawn(async move {
        // Its end is noticed by the next question on the client; notices are not for us.
        let _ = connection.await;
    });
    let mut is = None;
    if let (Some(settings), true) = (login.settings, wanted != SessionAttrs::Any) {
        let begin = login.pooled.then(|| settings.begin(utf8));
        is = Some(match told {
            Some(told) => told,
            None => role(&client, begin).await?,
        });
        if asks_for_default(wanted) && !login.pooled {
            client.batch_execute(settings.read_only()).await?;
        }
    }
    if let Some(settings) = login.settings
        && let Some((setting, found)) = settings.verify(&client, login.pooled, utf8).await?
    {
        return Err(Failure::Settings { setting, found });
    }
    Ok(Connection {
        client,
        cancel,
        tls: encrypted.is(),
        pooled: login.settings.filter(|_| login.pooled).map(|settings| settings.begin(utf8)),
        server,
        role: is,
        our_end,
        heard,
        whereabouts: Whereabouts::default(),
        direct: false,
        data_directory: None,
        tls_name,
        charset: Charset::named(&encoding),
        prepared: Mutex::default(),
        connector,
    })
}

/// Everything that a login needs, whatever the server.
pub(super) struct Login<'a> {
    pub(super) connect: &'a PostgresConnect,
    pub(super) config: Config,
    /// By host.
    pub(super) passwords: Vec<Option<SecretString>>,
    pub(super) connector: MakeRustlsConnect,
    /// Whether our certificate was wanted.
    pub(super) shown: Shown,
    /// What its session is set to; a console knows no settings.
    pub(super) settings: Option<&'a Settings>,
    /// Behind a PgBouncer they go into each transaction.
    pub(super) pooled: bool,
    /// Until then.
    pub(super) until: Instant,
}

/// Whether the server's own default decides, which ours would hide.
pub(super) const fn asks_for_default(wanted: SessionAttrs) -> bool {
    matches!(wanted, SessionAttrs::ReadWrite | SessionAttrs::ReadOnly)
}

/// Whether it is in recovery, and whether its sessions only read unless they say otherwise; asked in the transaction that `begin` begins,
/// where there is one.
pub(super) async fn role(client: &Client, begin: Option<String>) -> Result<(bool, bool), Error> {
    let mut sql =
        "SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.current_setting('default_transaction_read_only')"
            .to_owned();
    if let Some(begin) = begin {
        sql = format!("{begin}; {sql}; COMMIT");
    }
    let messages = client.simple_query(&sql).await?;
    let row = messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some((row.get(0) == Some("t"), row.get(1) == Some("on"))),
        _ => None,
    });
    Ok(row.unwrap_or_default())
}
