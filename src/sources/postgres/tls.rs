//! TLS to Postgres, as libpq means its words: `require` encrypts without looking unless there are roots, `verify-ca` looks at the
//! chain, `verify-full` at the name too. Never falls back to something weaker than asked.

use crate::config::target::{PgTls, PostgresConnect};
use crate::sources::tls::{Depth, Shown, Trust, configured};
use rustls::ClientConfig;

/// The TLS configuration for `connect`, which tells `shown` when the client's certificate was wanted.
///
/// # Errors
/// A sentence that names the file that is wrong.
pub(super) async fn config(connect: &PostgresConnect, shown: &Shown) -> Result<ClientConfig, String> {
    let depth = match connect.tls {
        PgTls::VerifyFull => Depth::ChainAndName,
        PgTls::VerifyCa => Depth::Chain,
        PgTls::Allow | PgTls::Prefer | PgTls::Require if connect.root_cert.is_some() => Depth::Chain,
        PgTls::Disable | PgTls::Allow | PgTls::Prefer | PgTls::Require => Depth::Nothing,
    };
    let encrypts = connect.tls != PgTls::Disable;
    let mut config = configured(Trust {
        depth,
        roots: connect.root_cert.clone(),
        revoked: connect.revoked.clone(),
        revoked_folder: connect.revoked_folder.clone(),
        shown: shown.clone(),
        client: connect.client_cert.clone().filter(|_| encrypts),
        key_password: connect.key_password.clone().map(|given| given.0),
        versions: connect.versions,
        anonymous: !connect.names_server,
        common_name: true,
        fingerprint: None,
    })
    .await?;
    if connect.direct_tls {
        // Without the name of what is to be spoken a server takes nobody in this way.
        config.alpn_protocols = vec![b"postgresql".to_vec()];
    }
    Ok(config)
}
