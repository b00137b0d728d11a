//! libpq's settings about TLS: how much is verified, by which files. What cannot be honoured is refused.

use super::given::Given;
use crate::config::postgres::{CertMode, ChannelBinding, PgPlace, PgTls, PostgresConnect, TlsVersions};
use crate::config::secret::Passphrase;
use crate::config::surroundings::Surroundings;
use std::path::PathBuf;

pub(super) fn tls(given: &Given, pg: &mut PostgresConnect, around: &Surroundings) -> Result<(), String> {
    const MODES: [(&str, PgTls); 6] = [
        ("disable", PgTls::Disable),
        ("allow", PgTls::Allow),
        ("prefer", PgTls::Prefer),
        ("require", PgTls::Require),
        ("verify-ca", PgTls::VerifyCa),
        ("verify-full", PgTls::VerifyFull),
    ];
    let own = around.home().map(|home| home.join(".postgresql"));
    let file = |name: &str| own.as_ref().map(|folder| folder.join(name)).filter(|path| path.exists());
    let system = given.get("sslrootcert") == Some("system");
    let mode = given.word("sslmode", &MODES)?;
    let legacy = (given.get("requiressl") == Some("1")).then_some(PgTls::Require);
    pg.tls = mode.or(legacy).unwrap_or(if system { PgTls::VerifyFull } else { PgTls::default() });
    if system && pg.tls != PgTls::VerifyFull {
        return Err("sslrootcert=system goes with sslmode=verify-full only: anybody can have a certificate \
             of a public authority"
            .to_owned());
    }
    if !system {
        pg.root_cert = given.get("sslrootcert").map(PathBuf::from).or_else(|| file("root.crt"));
    }
    if pg.tls == PgTls::VerifyCa && pg.root_cert.is_none() {
        return Err("sslmode=verify-ca needs the authority that is trusted: set `ca`, sslrootcert or \
             ~/.postgresql/root.crt"
            .to_owned());
    }
    if pg.tls == PgTls::VerifyFull
        && pg.hosts.iter().any(|host| matches!(host.place, PgPlace::Address(_, None)))
    {
        return Err(
            "sslmode=verify-full needs the name of the host: give `host` beside `hostaddr`".to_owned()
        );
    }
    pg.revoked_folder = given.get("sslcrldir").map(PathBuf::from);
    let usual = || file("root.crl").filter(|_| pg.revoked_folder.is_none());
    pg.revoked = given.get("sslcrl").map(PathBuf::from).or_else(usual);
    let certs = given.word("sslcertmode", &[("disable", 0), ("allow", 1), ("require", 2)])?;
    let cert = given.get("sslcert").map(PathBuf::from).or_else(|| file("postgresql.crt"));
    if let Some(cert) = cert.filter(|_| certs != Some(0)) {
        let key = given.get("sslkey").map(PathBuf::from).or_else(|| Some(own?.join("postgresql.key")));
        let key = key.ok_or("sslcert is given, but no sslkey")?;
        pg.client_cert = Some((cert, key));
        pg.key_password = given.get("sslpassword").map(|text| Passphrase(text.into()));
    }
    if certs == Some(2) {
        pg.cert_mode = CertMode::Require;
    }
    if pg.cert_mode == CertMode::Require && pg.client_cert.is_none() {
        return Err("sslcertmode=require needs a certificate of ours: set sslcert and sslkey".to_owned());
    }
    if pg.cert_mode == CertMode::Require && pg.tls == PgTls::Disable {
        return Err("sslcertmode=require goes with TLS, and sslmode=disable is without".to_owned());
    }
    pg.names_server = given.word("sslsni", &[("0", false), ("1", true)])?.unwrap_or(true);
    pg.direct_tls =
        given.word("sslnegotiation", &[("postgres", false), ("direct", true)])?.unwrap_or_default();
    if pg.direct_tls && !matches!(pg.tls, PgTls::Require | PgTls::VerifyCa | PgTls::VerifyFull) {
        return Err("sslnegotiation=direct goes with sslmode=require, verify-ca or verify-full".to_owned());
    }
    pg.versions = versions(given)?;
    let binding = [
        ("disable", ChannelBinding::Disable),
        ("prefer", ChannelBinding::Prefer),
        ("require", ChannelBinding::Require),
    ];
    pg.channel_binding = given.word("channel_binding", &binding)?.unwrap_or_default();
    Ok(())
}

fn versions(given: &Given) -> Result<TlsVersions, String> {
    const ALL: [(&str, u8); 4] = [("TLSv1", 10), ("TLSv1.1", 11), ("TLSv1.2", 12), ("TLSv1.3", 13)];
    let least = given.word("ssl_min_protocol_version", &ALL)?.unwrap_or(12);
    let most = given.word("ssl_max_protocol_version", &ALL)?.unwrap_or(13);
    match (least, most) {
        (_, ..12) => Err("ssl_max_protocol_version: TLS below 1.2 is not spoken here".to_owned()),
        _ if least > most => Err("ssl_min_protocol_version is above ssl_max_protocol_version".to_owned()),
        (_, 12) => Ok(TlsVersions::Only12),
        (13, _) => Ok(TlsVersions::Only13),
        _ => Ok(TlsVersions::Both),
    }
}
